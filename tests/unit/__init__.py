"""What needs nothing but Python; the folders mirror the tree."""
