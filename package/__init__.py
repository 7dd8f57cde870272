"""Hebbian learning in gateware, checked clock for clock against a golden model.

`hebbware.golden` is the model, `hebbware.cli` the command line; see README.md for the other parts.
"""
