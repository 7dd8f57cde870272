# amaranth: UnusedElaboratable=no
"""The generator against Marsaglia's recurrence, stepped and set at random clocks."""

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.arithmetic.random import seed_state, xorshift_block
from hebbware.hdl.lanes.random import Xorshift32

WORDS = 600


def after(state):
    """One step in plain Python."""
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ (state << 5 & 0xFFFFFFFF)


def test_every_clock():
    init = seed_state(3)
    probe = Probe(Xorshift32(init), {"seen": Event(("word",))})
    model = build(probe, quick=True)
    rng = np.random.default_rng(0)
    values = {
        "step": rng.random(WORDS) < 0.8,
        "set": rng.random(WORDS) < 0.02,
        "value": rng.integers(1, 1 << 32, WORDS),
    }
    words = [init] * (FIRST + 1)  # the state at clocks 0 .. FIRST
    for step, forced, value in zip(*values.values(), strict=True):
        words.append(int(value) if forced else after(words[-1]) if step else words[-1])
    log = event_log(probe, model.bench.channels["seen"], np.arange(len(words)), word=words)
    result = run(model, {"drive": drive(probe, values)}, {"seen": log}, clocks=len(words))
    assert result.mismatch is None
    assert result.compared == WORDS + FIRST + 1


def test_golden_block_is_the_same_sequence():
    state, words = 1, []
    for _ in range(100):
        state = after(state)
        words.append(state)
    assert xorshift_block(1, 100).tolist() == words


@pytest.mark.parametrize("init", [0, 1 << 32, -1])
def test_impossible_state(init):
    with pytest.raises(ValueError, match=f"init must be a 32-bit number other than 0, not {init}"):
        Xorshift32(init)
