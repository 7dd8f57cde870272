"""The look-up tables of the core and the reservoir, generated from their mathematical definition.

Each is a NumPy int64 array that golden indexes and that hdl turns into a read-only memory.
"""

from functools import lru_cache
from math import exp, isqrt, tanh

import numpy as np

EXP_STEP = 4  # fraction bits of the argument of exp: steps of 1/16
TANH_STEP = 6  # of the argument of tanh: steps of 1/64
TANH_RANGE = 8  # its largest argument


@lru_cache
def exp_table(address_bits: int, width: int) -> np.ndarray:
    """``round(2**(width-1) * exp(-i / 16))`` for i = 0 .. 2**address_bits - 1."""
    size = 1 << address_bits
    one = 1 << (width - 1)
    return np.array([round(one * exp(-i / 2**EXP_STEP)) for i in range(size)], np.int64)


@lru_cache
def reciprocal_table(address_bits: int, width: int) -> np.ndarray:
    """``round(2**(width-1) / v)`` at the left edges ``v = 1 + i / 2**address_bits`` of [1, 2)."""
    size = 1 << address_bits
    one = 1 << (width - 1)
    return np.array(
        [(2 * one * size + size + i) // (2 * (size + i)) for i in range(size)], np.int64
    )


@lru_cache
def rsqrt_table(address_bits: int, width: int) -> np.ndarray:
    """``2**width / sqrt(v)`` at the middles ``v = 4 (i + 1/2) / 2**address_bits`` of [1, 4).

    Rounded half up and capped to `width` bits. The first quarter of the addresses (v < 1) is never
    read and holds the cap.
    """
    size = 1 << address_bits
    cap = (1 << width) - 1
    # value^2 = 2^(2 width) * size / (4 i + 2); twice the root, floored, gives the rounding exactly
    doubled = [isqrt(4 * (1 << 2 * width) * size // (4 * i + 2)) for i in range(size)]
    return np.array(
        [cap if i < size // 4 else min((d + 1) // 2, cap) for i, d in enumerate(doubled)], np.int64
    )


@lru_cache
def tanh_table(fraction: int) -> tuple[np.ndarray, np.ndarray]:
    """``t_i = round(2**fraction * tanh(i / 64))``, at most one below 1.0, i = 0 .. 511; and slopes.

    The slope ``t_{i+1} - t_i`` belongs to the interval from i on.
    """
    one = 1 << fraction
    size = TANH_RANGE << TANH_STEP
    points = [min(round(one * tanh(i / (1 << TANH_STEP))), one - 1) for i in range(size + 1)]
    return np.array(points[:-1], np.int64), np.diff(np.array(points, np.int64))
