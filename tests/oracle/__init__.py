"""The independent judge of a finished run: of our own code it knows only schemas."""
