"""Channels of the core: sizes against the layout, and what lies at an address in words."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.traces import STREAMS, channels, reservoir_traces, traces
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.timing.schedule import predict

# two inputs, hidden layers of three units and of two in two lanes, two classes
CORE = CoreConfig.of((2, 3, 2, 2), lanes=2)
HSIC = CoreConfig.of((2, 3, 2), lanes=2, modulator__kind="hsic", memory__window=4)
RESERVOIR = CoreConfig.of(
    (2, 3, 2), lanes=2, memory__kind="reservoir", memory__projection=4, reservoir__units=16,
    reservoir__lanes=4, reservoir__decoder="zero",
)  # fmt: skip


@pytest.mark.parametrize(
    ("config", "name", "address", "lane", "text", "fraction"),
    [
        # layer 1: block 0 (input 0, input 1, bias), block 1 (the same, one unit)
        (CORE, "weights", 1, 1, "layer 1 weight from input 1 to unit 1", 10),
        (CORE, "weights", 5, 0, "layer 1 weight from bias to unit 2", 10),
        (CORE, "weights", 5, 1, "lane 1 of address 5, which holds nothing", 0),
        (CORE, "weights", 9, 1, "layer 2 weight from bias to unit 1", 10),
        (CORE, "weights", 11, 0, "readout weight to class 1 from unit 0", 10),
        (CORE, "weights", 12, 0, "lane 0 of address 12, which holds nothing", 0),
        (CORE, "memory", 3, 0, "layer 1 class memory of class 1, unit 2", 0),
        (CORE, "memory", 5, 0, "layer 2 class memory of class 1, unit 0", 0),
        (CORE, "vectors", 1, 0, "layer 1 activation a of unit 2", 8),
        (CORE, "vectors", 5, 0, "layer 2 normalised z of unit 0", 4),
        (CORE, "vectors", 6, 1, "layer 1 direction d of unit 1", 6),
        (CORE, "errors", 3, 0, "layer 2 softmax error of class 1", 10),
        (CORE, "errors", 4, 0, "readout softmax error of class 0", 10),
        (HSIC, "memory", 2, 1, "layer 1 class memory of sample 1, unit 1", 0),
        (HSIC, "kernels", 3, 0, "centred kernel of sample 3", 10),
        (HSIC, "coefficients", 2, 0, "layer 1 coefficient of sample 2", 10),
        (RESERVOIR, "reservoir_0", 6, 0, "layer 1 decoded memory of class 1, place 2", 6),
    ],
)
def test_place_in_words(config, name, address, lane, text, fraction):
    assert traces(config)[name].describe(address, lane) == (text, fraction)


@pytest.mark.parametrize("config", [CORE, HSIC, RESERVOIR], ids=["core", "hsic", "reservoir"])
def test_records_fit_their_channels(config):
    x = np.random.default_rng(1).integers(0, 256, (6, 2))
    prediction = predict(config, x, [0, 1, 1, None, 0, 1])
    shown = {trace.channel: trace for trace in traces(config).values()}
    assert {*prediction.channels} == {*channels(config)} == {*shown, *STREAMS[1::2]}
    for name, trace in shown.items():
        clocks, addresses, values = prediction.channels[name].arrays()
        assert len(clocks), name
        assert values.shape[1] == trace.lanes
        assert 0 <= addresses.min() <= addresses.max() < trace.depth
        assert values.min() >= -1 << trace.width - 1
        assert values.max() < 1 << trace.width - (name != "trace.memory")  # a code is 0 or 1
        for address in {*addresses.tolist()}:
            assert "nothing" not in trace.describe(address, 0)[0], name


@pytest.mark.parametrize(
    ("name", "address", "lane", "text", "fraction"),
    [
        ("state", 7, 3, "state of unit 31 in bank 0", 7),
        ("state", 8, 0, "state of unit 0 in bank 1", 7),
        ("weights", 9, 1, "weight of output 1 from unit 5", 6),
        ("weights", 24, 0, "lane 0 of address 24, which holds nothing", 0),
    ],
)
def test_place_in_the_reservoir_block_in_words(name, address, lane, text, fraction):
    config = ReservoirConfig(
        units=32, lanes=4, state_bits=8, outputs=3, weight_bits=8, weight_fraction=6
    )
    assert reservoir_traces(config)[name].describe(address, lane) == (text, fraction)
    state = reservoir_traces(ReservoirConfig(units=32, output="state"))
    assert {*state} == {"state"}
