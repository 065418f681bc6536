"""Names and addresses: encrypted per customer, projected into a store, read right before the call (law 7)."""
