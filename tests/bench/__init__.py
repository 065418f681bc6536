"""Figures with the hardware noted, beside peers in the same run."""
