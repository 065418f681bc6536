"""Tests of the parts of the bench that need no broker."""
