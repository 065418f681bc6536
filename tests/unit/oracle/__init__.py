"""The oracle is tested too: by scenarios worked by hand, and by runs that break one promise each."""
