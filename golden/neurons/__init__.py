"""Kinds of neurons."""
