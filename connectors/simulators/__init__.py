"""Providers of our own making: they speak the real protocol, fail on demand and remember what they received."""
