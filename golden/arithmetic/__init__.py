"""Integers with a fraction: formats and rounding, the random generator, tables of functions."""
