"""Cores with convolutions: RTL and golden, value and clock of every record."""

import numpy as np
import pytest

from hebbware.cosim import stimuli
from hebbware.cosim.commands import register_reads
from hebbware.cosim.configurations import random_conv
from hebbware.cosim.core import build_core, cosimulate
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data.sets import load as load_data
from hebbware.golden.estimate.estimate import clocks_per_sample, pass_steps
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.traces import STREAMS
from hebbware.golden.timing.schedule import predict

BASE = {
    "input.shape": [6, 6, 1],
    "layer.kind": ["conv", "readout"],
    "layer.units": [None, 3],
    "layer.features": [4, None],
    "layer.rate": [8, 6],
    "layer.pool": [2, None],
    "layer.grid": [2, None],
    "lanes": 4,
    "update.halvings": 2,
}
TWO = {
    "layer.kind": ["conv", "conv", "readout"],
    "layer.units": [None, None, 3],
    "layer.features": [5, 3, None],
    "layer.rate": [9, 8, 6],
    "layer.pool": [2, 1, None],
    "layer.grid": [2, 1, None],
}
CASES = {
    "two": {**TWO, "lanes": 8, "input.centred": True},
    "blocks": {
        **TWO, "input.shape": [4, 6, 3], "layer.kernel": [3, 1, None], "lanes": 2,
        "memory.kind": "trace",
    },
    "strides": {
        "input.shape": [5, 8, 2], "layer.stride": [2, None], "layer.kernel": [5, None],
        "layer.pool": [1, None], "layer.grid": [1, None], "lanes": 3,
    },
    "dense": {
        "layer.kind": ["conv", "dense", "readout"], "layer.units": [None, 6, 3],
        "layer.features": [3, None, None], "layer.rate": [8, 6, 6], "layer.grid": [3, None, None],
        "layer.pool": [2, None, None], "layer.narrow": [1, 2, 1], "layer.gain": [1, None, None],
    },
    "one port": {"weight_ports": 1, "memory.kind": "codes", "memory.kappa": 0.5, "lanes": 5},
    "one row": {
        "input.shape": [1, 7, 1], "layer.kernel": [1, None], "layer.pool": [1, None],
        "layer.grid": [1, None], "weight_ports": 1, "lanes": 3,
    },
    "frozen": {"modulator.kind": "none", "memory.kind": "none"},
    "clusters": {"layer.features": [11, None], "lanes": 12},
    "groups": {"input.shape": [8, 8, 3], "layer.features": [6, None], "lanes": 32},
    "groups of two sizes": {
        **TWO, "input.shape": [8, 8, 1], "layer.features": [7, 10, None], "lanes": 32,
        "layer.grid": [2, 2, None], "weight_ports": 1,
    },
    "groups and dense": {
        "input.shape": [8, 4, 1], "layer.kind": ["conv", "dense", "readout"], "lanes": 16,
        "layer.units": [None, 17, 3], "layer.features": [8, None, None], "layer.rate": [9, 6, 6],
        "layer.grid": [1, None, None], "layer.pool": [2, None, None],
    },
}  # fmt: skip


def configuration(**fields):
    return CoreConfig.from_dict({**BASE, **fields})


def compare(config, model, each):
    run = cosimulate(config, each.x, each.labels, model=model, **each.options)
    assert run.message is None, f"{each.name}: {run.message}"
    return run


def test_the_preset_learns_digits():
    """Positions share a step; a command behind each sample, all ends stalled."""
    config, data = load("digits-conv"), load_data("digits", seed=0)
    assert Layout(config).map_form(0).groups == 2
    x, labels = data.x_train[:4].astype(np.int64), [*data.y_train[:3].tolist(), None]
    model = build_core(config, quick=True)
    given = stimuli.Stimuli(
        "digits", x, labels, register_reads(config, 4), dict.fromkeys(STREAMS, 60)
    )
    run = compare(config, model, given)
    assert len(run.result.logs["trace.weights"]) > 3 * (10 + 40)
    compare(config, model, stimuli.commanded(config, 1, 3))
    compare(config, model, stimuli.interrupted(config, 900))


@pytest.mark.slow  # half a minute: a simulation to build
def test_rtl_equals_golden():
    """Learned and inferred, commands in between, all ends stalled, a reset on the way."""
    config = configuration(**{"input.shape": [4, 4, 1], "layer.features": [3, None], "lanes": 2})
    model = build_core(config, quick=True)
    for each in (
        stimuli.plain(config, 1, 8),
        stimuli.commanded(config, 1, 8),
        stimuli.after_each(config, 1, 5),
        stimuli.interrupted(config, 150),
    ):
        run = compare(config, model, each)
    wanted = ("weights", "memory", "vectors", "errors")
    wanted = {"results", "responses", *(f"trace.{name}" for name in wanted)}
    assert wanted <= {name for name, log in run.result.logs.items() if len(log)}


# a build each: four minutes
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_rtl_equals_golden_in_each_form(case):
    config = configuration(**CASES[case])
    model = build_core(config, quick=True)
    for each in stimuli.suite(config):
        compare(config, model, each)


# ten minutes
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_random_configurations(seed):
    config = random_conv(seed)
    model = build_core(config, quick=True)
    for each in (
        stimuli.plain(config, seed, 8),
        stimuli.commanded(config, seed, 12),
        stimuli.extreme(config, seed, 6, words=40),
        stimuli.stalled(config, 250, seed=seed),
    ):
        compare(config, model, each)


def test_random_configurations_meet_all_that_there_is():
    configs = [random_conv(seed) for seed in range(20)]
    layers = [layer for config in configs for layer in config.layer if layer.kind == "conv"]
    for name in ("stride", "pool", "grid", "kernel", "gain", "narrow"):
        assert len({getattr(layer, name) for layer in layers}) > 1, name
    assert {config.memory.kind for config in configs} == {"gated", "trace", "codes", "none"}
    assert {len(config.windows) for config in configs} == {1, 2}
    assert {config.weight_ports for config in configs} == {1, 2}
    assert {config.input.shape[2] for config in configs} == {1, 3}
    assert any(config.lanes > 8 for config in configs)
    assert any(len(config.hidden) > len(config.windows) for config in configs)
    assert any(layer.features % c.lanes for c in configs for layer in c.layer[: len(c.windows)])


# -- what golden predicts, by hand -----------------------------------------------------------------


def test_steps_of_each_pass():
    """36 positions of 10 rows in 2 blocks; squares of 4, cells of 9 positions; 3 classes."""
    config = configuration(**{"layer.features": [5, None]})
    assert dict(pass_steps(config, 36)) == {
        "convolve0": 36 * 2 * 10,
        "moments0": 36 * 2 * 2,
        "normalise0": 36 * 2,
        "pool0": 9 * 2 * 4,
        "cells0": 4 * 2 * 9,
        "scores1": 3 * 9 * 2,
        "similarity0": 3 * 4 * 2,
        "direction0": 36 * 2 * (3 + 1),
        "memory0": 3 * 4 * 2,
        "readout1": 3 * 9 * 2,
        "correlate0": 36 * 2 * 10,
    }


def test_a_sum_over_positions_is_written_once():
    config = configuration()
    x = np.random.default_rng(0).integers(0, 256, (1, 36))
    found = predict(config, x, [1]).channels["trace.weights"]
    clocks, addresses, _ = found.arrays()
    written = clocks[addresses < 10][-10:]  # of the convolution, behind the start
    assert np.diff(written).tolist() == [36] * 9
    assert clocks_per_sample(config, 36) > sum(steps for _, steps in pass_steps(config, 36))
