"""Stages for the delivery loop: one in memory, one of real topics and processes to kill."""
