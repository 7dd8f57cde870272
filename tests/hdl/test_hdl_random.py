# amaranth: UnusedElaboratable=no
"""The generator against Marsaglia's recurrence, stepped and set at random clocks."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.arithmetic.random import seed_state, xorshift_block
from hebbware.hdl.lanes.random import Xorshift32, moved_on
from hebbware.hdl.updates import Ahead

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


def on(state, steps):
    for _ in range(steps):
        state = after(state)
    return state


@pytest.mark.parametrize("steps", [0, 1, 8, 20])
def test_a_word_many_steps_on(steps):
    m, word, found = Module(), Signal(32), Signal(32)
    m.d.comb += found.eq(moved_on(word, steps))
    words = [1, 1 << 31, *np.random.default_rng(steps).integers(1, 1 << 32, 30).tolist()]

    async def bench(ctx):
        for one in words:
            ctx.set(word, one)
            assert ctx.get(found) == on(one, steps)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("words", [0, 1, 7, 8, 9, 43])
def test_a_generator_is_moved_over_many_words(words):
    m = Module()
    m.submodules.random = random = Xorshift32(77, stride=8)
    m.submodules.ahead = ahead = Ahead(50)
    m.d.comb += [random.step.eq(ahead.step), random.jump.eq(ahead.jump), ahead.words.eq(words)]

    async def bench(ctx):
        ctx.set(ahead.go, 1)
        await ctx.tick()
        ctx.set(ahead.go, 0)
        clocks = 0
        while not ctx.get(ahead.done):
            await ctx.tick()
            clocks += 1
        assert clocks == words // 8 + words % 8
        for _ in range(3):
            assert ctx.get(random.word) == on(77, words)
            await ctx.tick()
            assert not ctx.get(ahead.done)

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
