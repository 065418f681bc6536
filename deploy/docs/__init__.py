"""Generated documents: what the code says, written down for people who do not read it."""
