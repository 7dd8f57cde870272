"""The one random number generator of the core: a 32-bit xorshift, one word per step.

``x ^= x << 13; x ^= x >> 17; x ^= x << 5`` (G. Marsaglia, "Xorshift RNGs", 2003). The map is
linear over GF(2), so a block of words is made at once from the images of the 32 unit vectors.
Lane `p` sees the word rotated left by ``p mod 32``.
"""

from functools import lru_cache

import numpy as np

WORD = 0xFFFFFFFF
CHUNK = 1 << 14  # words made at once; bounds the memory that the images of the unit vectors take


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


def _combine(images: np.ndarray, state: int) -> np.ndarray:
    """The words that follow `state`: the exclusive or of the images of its bits."""
    bits = [bit for bit in range(32) if state >> bit & 1]
    return np.bitwise_xor.reduce(images[bits], axis=0)


@lru_cache
def _unit_images(count: int) -> np.ndarray:
    """Images of the 32 unit vectors after 1..count steps, shape (32, count), count a power of 2."""
    if count == 1:
        return np.array([[xorshift32(1 << bit)] for bit in range(32)], np.uint32)
    first = _unit_images(count // 2)
    # the second half: the words that follow the last ones of the first half
    second = [_combine(first, int(state)) for state in first[:, -1]]
    return np.concatenate([first, second], axis=1)


def xorshift_block(state: int, count: int) -> np.ndarray:
    """The next `count` words after `state`, as uint32; the last one is the new state."""
    words = np.empty(count, np.uint32)
    for start in range(0, count, CHUNK):
        part = words[start : start + CHUNK]
        images = _unit_images(1 << (part.size - 1).bit_length())
        part[:] = _combine(images[:, : part.size], state)
        state = int(part[-1])
    return words


def rotate_lanes(words: np.ndarray, lanes: int, bits: int = 32) -> np.ndarray:
    """What each lane sees of each word: rotated left by its number, shape (..., lanes).

    The lowest `bits` of it, as int64.
    """
    by = (np.arange(lanes) % 32).astype(np.uint64)
    # the word beside itself holds every rotation of it
    doubled = words[..., None].astype(np.uint64) * np.uint64(2**32 + 1)
    rotated = doubled >> (32 - by)
    rotated &= np.uint64((1 << bits) - 1)
    return rotated.view(np.int64)
