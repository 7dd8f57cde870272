"""The compiled twin of the core."""
