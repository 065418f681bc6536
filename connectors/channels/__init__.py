"""One module per channel; none knows another."""
