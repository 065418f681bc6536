"""The pure core: what a customer's state means and what follows from it, without clock, network or chance."""
