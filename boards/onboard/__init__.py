"""Samples in the board's own memory: learned from there, without the line."""
