"""An order of samples that hardware can make: a permutation of ``0..count - 1`` drawn by a key.

A number below a power of four is cut into a left and a right half; in each of `ROUNDS` rounds the
left one is changed by a function of the right one and of the key's lowest byte, both change
places, and the key is rotated (a Feistel network). What is not below `count` is changed again until
it is.
"""

import numpy as np

from .random import seed_state

ROUNDS = 6
KEY_BITS = 32
TURN = 11  # bits by which the key is rotated to the right after each round
LARGEST = 1 << 24


def half_bits(count: int) -> int:
    """Bits of a half of the numbers that are permuted."""
    return max((max(count - 1, 1).bit_length() + 1) // 2, 2)


def mix(half, byte: int, bits: int):
    """What a round adds to the left half (exclusive or), from the right one and the key's byte."""
    mask = (1 << bits) - 1
    mixed = (half + byte) & mask
    mixed ^= (mixed << 3) & mask
    mixed = (mixed + (mixed << 1) + (byte >> 3)) & mask
    return mixed ^ (mixed >> bits // 2)


def turned(key: int) -> int:
    """The key of the round after."""
    return (key >> TURN | key << KEY_BITS - TURN) & ((1 << KEY_BITS) - 1)


def epoch_key(seed: int, epoch: int) -> int:
    """The key of an epoch's order, never 0."""
    return seed_state((seed_state(seed) + epoch) & ((1 << KEY_BITS) - 1))


def permuted(count: int, key: int) -> np.ndarray:
    """The permutation of ``0..count - 1`` that a key draws, int array (count,).

    A key of 0 leaves the order as it is.
    """
    numbers = np.arange(count)
    if not key:
        return numbers
    bits = half_bits(count)
    out, open_ = numbers.copy(), np.ones(count, bool)
    while open_.any():
        left, right = out[open_] >> bits, out[open_] & ((1 << bits) - 1)
        own = key
        for _ in range(ROUNDS):
            left, right = right, left ^ mix(right, own & 0xFF, bits)
            own = turned(own)
        out[open_] = left << bits | right
        open_ = out >= count
    return out
