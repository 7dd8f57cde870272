"""Whether a number lies at an address and in a lane, against a count of the units."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.program.commands import ADDRESS_BITS, LANE_BITS
from hebbware.golden.program.layout import Layout
from hebbware.hdl.places import below, holds

CONFIGS = {
    "all lanes full": CoreConfig.of((3, 8, 4, 2), lanes=4),
    "two layers that are not": CoreConfig.of((2, 7, 11, 3), lanes=5),
    "fewer units than lanes": CoreConfig.of((1, 2, 3, 2), lanes=128),
    "one word for each class": CoreConfig.of((2, 3, 2), lanes=4),
    "one lane": CoreConfig.of((1, 2, 2), lanes=1),
    "samples": CoreConfig.from_dict(
        {
            **dense([2, 5, 3]),
            "lanes": 4,
            "modulator.kind": "hsic",
            "memory.window": 4,
            "layer.rate": [5, 5],
        }
    ),
    "no class memory": CoreConfig.of((2, 5, 3), lanes=4, memory__kind="none"),
}


def units(config, memory):
    """Lanes that hold a number, word by word, as `Layout` puts them there."""
    layout, shapes = Layout(config), []
    if memory:
        if config.memory.kind == "none":
            return []
        shapes = [np.ones((layout.memory_rows, units)) for units in config.hidden]
        return layout.memory_words(shapes)
    for before, here in zip(config.sizes, config.hidden, strict=False):
        shapes.append(np.ones((before + 1, here)))
    return layout.weight_words([*shapes, np.ones((config.classes, config.hidden[-1]))])


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("memory", [False, True], ids=["weights", "class memory"])
def test_every_place_and_its_neighbours(name, memory):
    config = CONFIGS[name]
    there, layout = units(config, memory), Layout(config)
    lanes = layout.memory_lanes if memory else layout.weight_lanes
    assert lanes.tolist() == [int(word.sum()) for word in there]
    m, found = Module(), Signal()
    address, lane = Signal(ADDRESS_BITS), Signal(LANE_BITS)
    m.d.comb += found.eq(holds(address, lane, lanes))
    beyond = [1 << bit for bit in range(ADDRESS_BITS) if 1 << bit > len(there)]
    addresses = [*range(len(there) + 3), *beyond, (1 << ADDRESS_BITS) - 1]
    nearby = sorted({*range(min(config.lanes + 3, 128)), 64, 127})

    async def bench(ctx):
        for place in addresses:
            ctx.set(address, place)
            for number in nearby:
                ctx.set(lane, number)
                expected = place < len(there) and number < config.lanes and there[place][number]
                assert ctx.get(found) == expected, (place, number)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("limit", [0, 1, 2, 5, 8, 13, 15, 16, 17, 99])
def test_below(limit):
    m, value, found = Module(), Signal(4), Signal()
    m.d.comb += found.eq(below(value, limit))

    async def bench(ctx):
        for number in range(16):
            ctx.set(value, number)
            assert ctx.get(found) == (number < limit)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
