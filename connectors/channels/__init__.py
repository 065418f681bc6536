"""One module a channel; no channel knows another."""
