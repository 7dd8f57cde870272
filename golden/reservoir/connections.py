"""Connections of a reservoir, from generators and not from tables; see
`hebbware.golden.reservoir.cell`.

Functions take a `hebbware.golden.reservoir.cell.ReservoirConfig`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arithmetic.random import WORD, rotate_lanes, seed_state, xorshift_block

GRANULE = 16  # units that share random words
FAN_IN = 8  # taps of a unit in the sparse topology
INPUT_KEY_BITS = 10  # an input's number has at most so many bits


def fixed_words(seed: int) -> np.ndarray:
    """Words that make the keys of the inputs; the walk goes on behind them."""
    return xorshift_block(seed_state(~seed & WORD), INPUT_KEY_BITS + 1)


def input_keys(config) -> np.ndarray:
    """``key_i`` of each input, uint32, shape (inputs,)."""
    first, *basis = fixed_words(config.seed)
    keys = np.full(config.inputs, first, np.uint32)
    for bit, word in enumerate(basis):
        keys[np.arange(config.inputs) >> bit & 1 == 1] ^= word
    return keys ^ (_rotated(keys, 1) & _rotated(keys, 8))


def _rotated(words, by):
    return words << np.uint32(by) | words >> np.uint32(32 - by)


def walk_words(config) -> np.ndarray:
    """What the generator draws in a step: for each granule ``G_g``, then its tap words."""
    each = 1 + (FAN_IN if config.topology == "sparse" else 0)
    words = xorshift_block(config.walk_state, config.granules * each)
    return words.reshape(config.granules, each)


def reversed_decrement(index, bits: int = 4):
    """``rev(rev(index) - 1)`` on `bits` bits: counts down with the borrow going downwards."""
    index = np.asarray(index)
    rev = sum((index >> bit & 1) << (bits - 1 - bit) for bit in range(bits))
    rev = (rev - 1) & ((1 << bits) - 1)
    return sum((rev >> bit & 1) << (bits - 1 - bit) for bit in range(bits))


@dataclass(frozen=True)
class Connections:
    """Where each unit listens, and with which signs.

    Attributes
    ----------
    sources : int array (R, taps)
    signs : int array (R, taps)
        +1 or -1.
    inputs : int array (inputs, R)
        Signs of W_in.
    """

    sources: np.ndarray
    signs: np.ndarray
    inputs: np.ndarray


@lru_cache(maxsize=16)
def connections(config) -> Connections:
    """All connections of a reservoir: a function of its seed and sizes."""
    words = walk_words(config)
    unit = np.arange(config.units)
    granule, place = unit // GRANULE, unit % GRANULE
    if config.topology == "cycle":
        first = config.units - GRANULE + reversed_decrement(place)
        sources = np.where(granule > 0, unit - GRANULE, first)[:, None]
        signs = np.ones_like(sources)
    else:
        taps = words[granule, 1:].astype(np.int64)
        where = taps >> GRANULE & (config.units - 1)
        sources = where ^ place[:, None]
        signs = 1 - 2 * (taps >> place[:, None] & 1)
    # each unit's own word against each input's key
    own = rotate_lanes(words[:, 0], GRANULE).ravel()
    parity = np.bitwise_count(np.bitwise_and.outer(input_keys(config).astype(np.int64), own)) & 1
    return Connections(sources, signs, 1 - 2 * parity.astype(np.int64))
