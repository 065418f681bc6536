"""Tests of the demo: its world, its account and its report."""
