"""The subcommands of `perennial`, a module for each kind of work; each imports what it runs only when it runs."""
