"""Stand-ins that speak a provider's protocol, with faults on demand and an inbox that never forgets."""
