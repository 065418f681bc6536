"""One suite for a real adapter and its fake in memory."""
