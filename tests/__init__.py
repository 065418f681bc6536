"""Tests; every name is a sentence, and the folder says what a test needs."""
