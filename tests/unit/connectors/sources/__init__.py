"""Tests of what reads files and puts records into topics."""
