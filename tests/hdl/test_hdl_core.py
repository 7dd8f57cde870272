"""The core at its smallest, and after a reset on the way."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from hebbware.cosim.core import build_core, cosimulate
from hebbware.cosim.stimuli import after_each, commanded, plain
from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.memory import MEMORIES
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.timing.schedule import predict
from hebbware.hdl.core import Core
from hebbware.hdl.errors import reservoir as reservoir_memory
from hebbware.hdl.reservoir.block import ReservoirBlock

SMALLEST = {
    memory: {**dense([1, 2, 2]), "lanes": 1, "memory.kind": memory, "update.halvings": 0} | values
    for memory, values in {
        "gated": {},
        "window": {"memory.window": 2},
        "trace": {"memory.horizon": 1},
        "codes": {},
        "none": {},
        "samples": {"modulator.kind": "hsic", "memory.window": 2},
        "reservoir": {"memory.projection": 2, "reservoir.units": 16, "reservoir.lanes": 1},
    }.items()
}
QUICK = ("samples", "reservoir")
RESET = 2  # clocks: copies of registers for the clusters have none, and follow a clock later
WIDTHS = {"gated": 16, "codes": 1}  # of a lane in the class memory


def untrained(config):
    return np.ones((config.classes * config.memory.projection, config.reservoir.units), np.int64)


def empty_vectors(component):
    """Signals of no bits, of which Verilog makes vectors that have two."""
    return re.findall(r"wire width 0 [^\n]*|wire width 0\n", rtlil.convert(component))


@pytest.mark.parametrize(
    "memory",
    # an elaboration of some seconds each
    [pytest.param(m, marks=[] if m in QUICK else [pytest.mark.slow]) for m in SMALLEST],
)
def test_no_vector_is_empty_in_the_smallest_core(memory, monkeypatch):
    monkeypatch.setattr(reservoir_memory, "decoder_weights", untrained)
    assert empty_vectors(Core(CoreConfig.from_dict(SMALLEST[memory]), trace=True)) == []


RECURRENT = {
    **dense([1, 2, 2]), "layer.kind": ["recurrent", "readout"], "lanes": 1, "neuron.ticks": 1,
    "neuron.readout_shift": 0, "input.bits": 1, "update.halvings": 0,
}  # fmt: skip


def test_no_vector_is_empty_in_the_smallest_core_of_sequences():
    assert empty_vectors(Core(CoreConfig.from_dict(RECURRENT), trace=True)) == []


@pytest.mark.parametrize("sizes", [[1, 2, 2], [1, 2, 2, 2]])
def test_no_vector_is_empty_in_the_smallest_core_with_updates_beside(sizes):
    values = {"lanes": 1, "update.overlap": True, "input.runs": True, "update.halvings": 0}
    assert empty_vectors(Core(CoreConfig.from_dict(dense(sizes) | values), trace=True)) == []


@pytest.mark.slow  # half a minute: a simulation to build
def test_the_smallest_core_of_sequences_equals_golden():
    config = CoreConfig.from_dict(RECURRENT)
    model = build_core(config, quick=True)
    assert "[-1:0]" not in (model.directory / "dut.v").read_text()
    for stimuli in (plain(config), after_each(config), commanded(config)):
        run = cosimulate(config, stimuli.x, stimuli.labels, model=model, **stimuli.options)
        assert run.message is None, run.message


@pytest.mark.parametrize("output", ["state", "readout"])
def test_no_vector_is_empty_in_the_smallest_reservoir(output):
    config = ReservoirConfig(units=16, lanes=16, output=output, topology="cycle")
    assert empty_vectors(ReservoirBlock(config, trace=True)) == []


def test_the_smallest_core_of_each_memory_is_met():
    assert SMALLEST.keys() == MEMORIES.keys()


@pytest.mark.slow  # 2 minutes: a simulation to build for each memory
@pytest.mark.parametrize("memory", SMALLEST)
def test_the_smallest_core_equals_golden(memory, monkeypatch):
    monkeypatch.setattr(reservoir_memory, "decoder_weights", untrained)
    monkeypatch.setattr("hebbware.golden.reservoir.decoder.decoder_weights", untrained)
    config = CoreConfig.from_dict(SMALLEST[memory])
    model = build_core(config, quick=True)
    assert "[-1:0]" not in (model.directory / "dut.v").read_text()
    for stimuli in (plain(config), after_each(config), commanded(config)):
        run = cosimulate(config, stimuli.x, stimuli.labels, model=model, **stimuli.options)
        assert run.message is None, run.message


def writes_after_reset(config, samples, clocks, resets):
    """Clock, address and word of each write of both memories, since the last reset."""
    core, reset = Core(config, trace=True), Signal()
    simulator = Simulator(ResetInserter(reset)(core))
    simulator.add_clock(1e-6)
    found, words = [], samples.ravel().tolist()

    async def bench(ctx):
        nonlocal found
        ctx.set(core.results.ready, 1)
        at = since = 0
        for clock in range(clocks):
            ctx.set(core.samples.payload, words[at % len(words)])
            ctx.set(core.samples.valid, 1)
            resetting = any(0 <= clock - begin < RESET for begin in resets)
            ctx.set(reset, resetting)
            for name in ("weights", "memory"):
                port = getattr(core.trace, name)
                if ctx.get(port.en):
                    word = ctx.get(port.data)
                    found.append((name, since, ctx.get(port.address), word))
            at += ctx.get(core.samples.ready)
            since += 1
            await ctx.tick()
            if resetting:
                at, since, found = 0, 0, []

    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("memory", ["gated", "codes"])
def test_a_reset_on_the_way_leaves_nothing_behind(memory):
    """Nor do start words of lanes whose group comes later show what the memories held."""
    read = {"memory.horizon": 3} if memory == "gated" else {}
    config = CoreConfig.of((2, 9, 2), lanes=9, memory__kind=memory, seed=5, **read)
    samples = np.array([[250, 99, 1], [0, 180, 0], [255, 3, 0]])
    start = predict(config, np.zeros((0, 2), int), [])
    clocks = predict(config, samples[:1, :2], [1]).clocks
    # once while a sample is learned, once while the start weights are made
    resets = (clocks, clocks + 40)
    found = writes_after_reset(config, samples, clocks + 40 + RESET + start.clocks, resets)
    expected = []
    for name, width in (("weights", config.weight.width), ("memory", WIDTHS[memory])):
        records = zip(*start.channels[f"trace.{name}"].arrays(), strict=True)
        for clock, address, lanes in records:
            word = sum((int(v) % (1 << width)) << width * n for n, v in enumerate(lanes))
            expected.append((name, int(clock), int(address), word))
    assert sorted(found, key=lambda write: write[1]) == sorted(expected, key=lambda write: write[1])
