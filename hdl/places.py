"""Whether an address holds a number; comparisons with constants."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const

from .shapes import index


def below(value, limit: int):
    """Whether an unsigned value is less than a constant; a few LUTs, no chain of carries."""
    found = Const(0)
    for bit, one in enumerate(value):
        found = ~one | found if limit >> bit & 1 else ~one & found
    return Const(1) if limit >> len(value) else found


def holds(address, lane, lanes: Sequence[int]):
    """Whether a number lies in `lane` of the word at `address`.

    Comparisons with constants: one of each where all words are full, and two more for each layer
    of hidden weights whose units do not fill their last block, one for each such row of the class
    memory or of the readout.

    Parameters
    ----------
    address, lane : value
    lanes : sequence of int, or bool array (words, lanes)
        How many lanes of each word hold a number, lane 0 on, or which ones; see
        `hebbware.golden.program.layout`.
    """
    lanes = np.asarray(lanes)
    if lanes.ndim == 2:
        return _within(address, lane, lanes)
    if not lanes.size:
        return Const(0)
    low = address[: index(lanes.size).width]
    found = ~address[len(low) :].any() & below(low, lanes.size)
    full = int(lanes.max())
    found &= below(lane, full)
    for fewer in np.unique(lanes[lanes < full]).tolist():
        cuts = np.flatnonzero(np.diff(lanes == fewer, prepend=False, append=False))
        spans = [
            low == first if stop - first == 1 else ~below(low, first) & below(low, stop)
            for first, stop in cuts.reshape(-1, 2).tolist()
        ]
        found &= below(lane, fewer) | ~Cat(spans).any()
    return found


def _within(address, lane, places):
    """`holds` where lanes in between may be empty: for each pattern of lanes a table."""
    if not places.size:
        return Const(0)
    low = address[: index(len(places)).width]
    known, which = np.unique(places, axis=0, return_inverse=True)
    found = []
    for number, pattern in enumerate(known):
        cuts = np.flatnonzero(np.diff(which.ravel() == number, prepend=False, append=False))
        spans = [~below(low, a) & below(low, b) for a, b in cuts.reshape(-1, 2).tolist()]
        lanes = Const(sum(int(there) << n for n, there in enumerate(pattern)), len(pattern))
        found.append(Cat(spans).any() & (lanes >> lane)[0])
    return ~address[len(low) :].any() & Cat(found).any()
