"""Clocks, memories and logic that a configuration takes, and what devices have."""
