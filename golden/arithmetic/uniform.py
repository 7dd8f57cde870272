"""Uniform numbers from PCG64's raw words, which NumPy keeps stable between versions."""

import math

import numpy as np


def uniform(generator: np.random.PCG64, *shape: int) -> np.ndarray:
    """Draw numbers in 0..1 (1 excluded), the same on every machine."""
    return (generator.random_raw(math.prod(shape)) >> 11).reshape(shape) * 2.0**-53
