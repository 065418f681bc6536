"""Kills, pauses and faults under load, judged by what was lost, doubled or reordered."""
