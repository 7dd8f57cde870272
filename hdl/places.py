"""Whether a command names a number that there is."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const

from .shapes import index


def holds(address, lane, lanes: Sequence[int]):
    """Whether a number lies in `lane` of the word at `address`.

    Comparisons with constants: one of each where all words are full, and two more for each layer
    of hidden weights whose units do not fill their last block, one for each such row of the class
    memory or of the readout.

    Parameters
    ----------
    address, lane : value
    lanes : sequence of int
        How many lanes of each word hold a number, lane 0 on; see `hebbware.golden.layout`.
    """
    lanes = np.asarray(lanes)
    if not lanes.size:
        return Const(0)
    low = address[: index(lanes.size).width]
    found = ~address[len(low) :].any() & _below(low, lanes.size)
    full = int(lanes.max())
    found &= _below(lane, full)
    for fewer in np.unique(lanes[lanes < full]).tolist():
        cuts = np.flatnonzero(np.diff(lanes == fewer, prepend=False, append=False))
        spans = [
            low == first if stop - first == 1 else (low >= first) & _below(low, stop)
            for first, stop in cuts.reshape(-1, 2).tolist()
        ]
        found &= _below(lane, fewer) | ~Cat(spans).any()
    return found


def _below(value, limit: int):
    return Const(1) if limit >> len(value) else value < limit
