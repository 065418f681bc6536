"""Reading for people: what was sent, what was not and why, and what comes next."""
