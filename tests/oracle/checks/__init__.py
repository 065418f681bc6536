"""The checks C1 to C11, one module each idea; every check is a function from a run to its violations."""
