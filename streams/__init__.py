"""The Faust edge: the agent and the engine that turns each batch into one transaction."""
