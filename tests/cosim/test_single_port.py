"""A weight memory with one port: the schedule knows it, portable or made of a vendor's cells."""

import dataclasses

import numpy as np
import pytest
from amaranth.vendor import LatticeICE40Platform

from hebbware.cosim import models
from hebbware.cosim.core import build_core, cosimulate
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.estimate import estimate
from hebbware.golden.program.commands import Op, Space
from hebbware.golden.timing.schedule import Command, Schedule, predict

CONFIG = CoreConfig.of(
    (7, 9, 5, 3), lanes=4, weight_ports=1, formats__weight_bits=9, memory__horizon=5
)


class UltraPlus(LatticeICE40Platform):
    """Enough of a platform to elaborate for an iCE40UP5K."""

    device, package, default_clk = "iCE40UP5K", "SG48", None
    resources, connectors = (), ()


def samples(config, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << config.input.bits, (count, config.inputs))
    x[rng.random(x.shape) < 0.4] = 0
    return x, [int(n) if n < config.classes else None for n in rng.integers(0, 4, count)]


def test_results_do_not_depend_on_the_ports_and_writes_take_every_second_clock():
    x, labels = samples(CONFIG, 12)
    one = predict(CONFIG, x, labels)
    two = predict(dataclasses.replace(CONFIG, weight_ports=2), x, labels)
    for channel in ("results", "trace.weights", "trace.memory", "trace.errors"):
        both = (prediction.channels[channel].arrays()[1:] for prediction in (one, two))
        for a, b in zip(*both, strict=True):
            np.testing.assert_array_equal(a, b)
    clocks = one.channels["trace.weights"].arrays()[0]
    assert np.diff(clocks).min() == 2
    assert one.clocks > two.clocks
    assert estimate.start_clocks(CONFIG) == Schedule(Core(CONFIG)).start()


@pytest.mark.parametrize("cells", ["portable", "SB_SPRAM256KA"])
def test_core_equals_golden_clock_for_clock(cells):
    options = {}
    if cells != "portable":
        options = {"platform": UltraPlus(), "models": models.read(cells)}
    model = build_core(CONFIG, quick=True, **options)
    assert ("SB_SPRAM256KA" in (model.directory / "dut.v").read_text()) == (cells != "portable")
    x, labels = samples(CONFIG, 60, seed=1)
    commands = [
        Command(Op.WRITE, Space.WEIGHT, 11, 2, -77, after=40),
        Command(Op.READ, Space.WEIGHT, 11, 2, 0, after=41),
        Command(Op.READ, Space.WEIGHT, 3, 1, 0, after=90),
    ]
    for stalls in (0, 3):
        run = cosimulate(CONFIG, x, labels, model=model, commands=commands, stalls=stalls, seed=5)
        assert run.result.mismatch is None, run.message
