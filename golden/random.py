"""The one random number generator of the core: a 32-bit xorshift, one word per step.

``x ^= x << 13; x ^= x >> 17; x ^= x << 5`` (G. Marsaglia, "Xorshift RNGs", 2003). The map is
linear over GF(2), so a block of words is made at once from the images of the 32 unit vectors.
Lane `p` sees the word rotated left by ``p mod 32``.
"""

from functools import lru_cache

import numpy as np

WORD = 0xFFFFFFFF


def xorshift32(state: int) -> int:
    """The word after `state` (never 0 for a non-zero state)."""
    state ^= (state << 13) & WORD
    state ^= state >> 17
    return state ^ ((state << 5) & WORD)


def seed_state(seed: int) -> int:
    """A non-zero start state that differs for each `seed` (Murmur3's finaliser, a bijection)."""
    x = (seed + 0x9E3779B9) & WORD
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & WORD
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & WORD
    return (x ^ (x >> 16)) or 1


@lru_cache(maxsize=8)
def _unit_images(count: int) -> np.ndarray:
    """Images of the 32 unit vectors after 1..count steps, shape (32, count)."""
    images = np.empty((32, count), np.uint32)
    words = [1 << bit for bit in range(32)]
    for step in range(count):
        words = [xorshift32(word) for word in words]
        images[:, step] = words
    return images


def xorshift_block(state: int, count: int) -> np.ndarray:
    """The next `count` words after `state`, as uint32; the last one is the new state."""
    if count == 0:
        return np.empty(0, np.uint32)
    images = _unit_images(1 << (count - 1).bit_length())
    bits = [bit for bit in range(32) if state >> bit & 1]
    return np.bitwise_xor.reduce(images[bits, :count], axis=0)


def rotate_lanes(words: np.ndarray, lanes: int) -> np.ndarray:
    """What each lane sees of each word: rotated left by its number, shape (..., lanes)."""
    by = (np.arange(lanes) % 32).astype(np.uint32)
    words = words[..., None]
    return (words << by) | np.where(by, words >> ((32 - by) % 32), 0).astype(np.uint32)
