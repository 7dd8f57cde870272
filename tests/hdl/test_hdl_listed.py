"""Lists of rows against plain lists, and the clock in which they are there."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hebbware.golden.config import CoreConfig
from hebbware.golden.neurons.spiking import passing
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.pipeline import stages
from hebbware.golden.program.program import list_latency
from hebbware.hdl.neurons.listed import Spikes, Traced

SHARES = (0, 1, 0.5, 0.2, 0.9, 0)


def configuration(units, lanes, inputs=3):
    kinds = ["recurrent", "readout"]
    return CoreConfig.of((inputs, units, 2), lanes=lanes, layer__kind=kinds, neuron__ticks=4)


def simulate(block, bench):
    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


async def give(ctx, config, block, words, rng):
    """Block after block, with and without pauses between them; clocks from the last one on to the
    first in which a waiting pass may start.
    """
    for number, word in enumerate(words):
        if rng.random() < 0.5:
            await ctx.tick().repeat(3)
        ctx.set(block.en, 1)
        ctx.set(block.last, number == len(words) - 1)
        ctx.set(block.block, number)
        ctx.set(block.bits, sum(1 << lane for lane in np.flatnonzero(word).tolist()))
        await ctx.tick()
        ctx.set(block.en, 0)
    clocks = 1
    while not ctx.get(block.done):
        await ctx.tick()
        clocks += 1
    return clocks + 1 + stages(config).write


def words_of(bits, lanes):
    return np.pad(bits, (0, -len(bits) % lanes)).reshape(-1, lanes)


@pytest.mark.parametrize(("units", "lanes"), [(9, 4), (3, 4), (5, 1), (8, 8), (21, 10)])
def test_list_of_spikes(units, lanes):
    """All, none and some units."""
    config = configuration(units, lanes)
    block, rng = Spikes(config), np.random.default_rng(units)

    async def bench(ctx):
        for share in SHARES:
            spikes = rng.random(units) < share
            words, before = words_of(spikes, lanes), ctx.get(block.empty)
            clocks = await give(ctx, config, block, words, rng)
            assert clocks == list_latency(config, words.sum(axis=1))
            expected = np.flatnonzero(spikes).tolist()
            assert ctx.get(block.count) == len(expected)
            assert ctx.get(block.empty) == before
            found = []
            for entry in range(len(expected)):
                ctx.set(block.address, entry)
                await ctx.tick().repeat(2)
                found.append(ctx.get(block.row))
            assert found == expected
            await ctx.tick()
            assert ctx.get(block.empty) == (not expected)

    simulate(block, bench)


@pytest.mark.parametrize(
    ("inputs", "units", "lanes"), [(3, 9, 4), (8, 3, 4), (1, 5, 1), (9, 8, 8), (2, 21, 10)]
)
def test_list_of_traces(inputs, units, lanes):
    """All, none and some rows; where each trace lies, in whose memory units begin a new word."""
    config = configuration(units, lanes, inputs)
    block, rng, bases = Traced(config), np.random.default_rng(units), Layout(config).trace_bases

    async def bench(ctx):
        for share in SHARES:
            traces = [rng.random(size) < share for size in (inputs, units)]
            words = np.concatenate([words_of(each, lanes) for each in traces])
            clocks = await give(ctx, config, block, words, rng)
            rows = [passing(each, lanes).tolist() for each in traces]
            blocks = [np.bincount(np.array(each) // lanes) for each in rows]
            assert clocks == list_latency(config, np.concatenate(blocks))
            assert [ctx.get(block.inputs), ctx.get(block.units)] == list(map(len, rows))
            for which, expected in enumerate(rows):
                ctx.set(block.of_units, which)
                for entry, row in enumerate(expected):
                    ctx.set(block.address, entry)
                    await ctx.tick()
                    place = bases[which] + row // lanes, row % lanes
                    assert (ctx.get(block.place), ctx.get(block.lane)) == place
                    before = expected[entry - 1] if entry else -1
                    assert ctx.get(block.skips) == row - before - 1
                    await ctx.tick()
                    assert ctx.get(block.row) == row

    simulate(block, bench)
