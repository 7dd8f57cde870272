"""Kinds of neurons that have a state."""
