"""Tests of what answers questions about a running system."""
