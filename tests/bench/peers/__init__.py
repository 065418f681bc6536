"""Systems that do the work of `tests.bench.work` in their own way, each a program of its own."""
