"""How the parts become a running system: command line, local stack, demo, generated docs."""
