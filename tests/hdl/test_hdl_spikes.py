"""The list of spikes against a plain list, and the clock in which it is there."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.pipeline import stages
from hebbware.golden.program.program import spikes_latency
from hebbware.hdl.neurons.spikes import Spikes


def configuration(units, lanes):
    kinds = ["recurrent", "readout"]
    return CoreConfig.of((3, units, 2), lanes=lanes, layer__kind=kinds, neuron__ticks=4)


@pytest.mark.parametrize(("units", "lanes"), [(9, 4), (3, 4), (5, 1), (8, 8), (21, 10)])
def test_list_of_spikes(units, lanes):
    """All, none and some units; block after block, with and without pauses between them."""
    config = configuration(units, lanes)
    block = Spikes(config)
    rng = np.random.default_rng(units)
    blocks = -(-units // lanes)

    async def bench(ctx):
        for share in (0, 1, 0.5, 0.2, 0.9, 0):
            spikes = rng.random(units) < share
            words = np.pad(spikes, (0, blocks * lanes - units)).reshape(blocks, lanes)
            for number, word in enumerate(words):
                if rng.random() < 0.5:
                    await ctx.tick().repeat(3)
                ctx.set(block.en, 1)
                ctx.set(block.last, number == blocks - 1)
                ctx.set(block.block, number)
                ctx.set(block.bits, sum(1 << lane for lane in np.flatnonzero(word).tolist()))
                await ctx.tick()
                ctx.set(block.en, 0)
            clocks = 1
            while not ctx.get(block.done):
                await ctx.tick()
                clocks += 1
            # waiting passes may start in the clock after `done`
            assert clocks + 1 + stages(config).write == spikes_latency(config, words.sum(axis=1))
            expected = np.flatnonzero(spikes).tolist()
            assert ctx.get(block.count) == len(expected)
            found = []
            for entry in range(len(expected)):
                ctx.set(block.address, entry)
                await ctx.tick().repeat(2)
                found.append(ctx.get(block.unit))
            assert found == expected
            ctx.set(block.rest, 1)
            assert ctx.get(block.count) == 0
            ctx.set(block.rest, 0)

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
