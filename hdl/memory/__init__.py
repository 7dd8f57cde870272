"""Memories of weights, classes and activations."""
