"""Learning with reservoirs in the loop, against golden, in value and clock."""

import os
from pathlib import Path

import numpy as np
import pytest

from hebbware.cosim.build import build
from hebbware.cosim.commands import register_reads
from hebbware.cosim.core import build_core, cosimulate
from hebbware.golden.config import CoreConfig, dense, load
from hebbware.golden.data.sets import load as load_data
from hebbware.golden.errors import InputError
from hebbware.golden.estimate import estimate
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.timing.schedule import Command
from hebbware.hdl.core import Core
from hebbware.hdl.errors import reservoir as reservoir_memory

MNIST = Path(os.environ.get("HEBBWARE_DATA", "nowhere")) / "mnist"
BASE = CoreConfig.of(
    (9, 7, 6, 3), lanes=4, memory__kind="reservoir", memory__horizon=3, memory__projection=4,
    reservoir__units=16, reservoir__gain=-6, modulator__beta_log2=2, reservoir__lanes=16,
)  # fmt: skip
SMALL = {
    "class-gated, two layers": BASE,
    "error-gated, one layer, cycle": CoreConfig.of(
        (5, 8, 4), lanes=3, memory__kind="reservoir", memory__horizon=5, memory__projection=8,
        memory__gating="error", reservoir__units=32, reservoir__gain=-6, reservoir__bits=12,
        reservoir__topology="cycle", reservoir__lanes=16, neuron__slope_shift=2, memory__bits=18,
        seed=3,
    ),
    "two clusters of lanes": BASE.derive(**dense((3, 5, 2)), lanes=9, layer__rate=(0, 0)),
    "three layers, one lane, time steps": CoreConfig.of(
        (6, 4, 5, 3, 2), lanes=1, memory__kind="reservoir", memory__horizon=2, memory__projection=8,
        reservoir__units=16, reservoir__gain=-5, reservoir__bits=5, reservoir__lanes=1,
        neuron__kind="leaky", neuron__time_steps=3, memory__read_bits=10, formats__z_bits=7,
        memory__read_fraction=5, memory__bits=12,
    ),
}  # fmt: skip


def random_weights(config):
    """A decoder that was never trained: what is compared does not depend on it."""
    shape = (config.classes * config.memory.projection, config.reservoir.units)
    return np.random.default_rng(1).integers(-127, 128, shape)


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(reservoir_memory, "decoder_weights", random_weights)
    monkeypatch.setattr("hebbware.golden.reservoir.decoder.decoder_weights", random_weights)


def samples(config, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, config.x.max + 1, (count, config.inputs))
    x *= rng.random(x.shape) < 0.7
    labels = rng.integers(0, config.classes, count)
    return x, [int(c) if rng.random() < 0.8 else None for c in labels]


def orders(config, count):
    """A fresh start on the way, weights and codes read and written, counters read."""
    words = config.classes + 1
    return [
        Command(Op.WRITE, Space.MEMORY, 2, 0, -1, after=words),
        Command(Op.READ, Space.MEMORY, 2, 0, after=2 * words),
        Command(Op.WRITE, Space.WEIGHT, 3, 0, 5, after=3 * words),
        Command(Op.START, after=count // 2 * words),
        Command(Op.READ, Space.STATE, State.LEARNED, after=(count - 3) * words),
        Command(Op.READ, Space.STATE, State.RANDOM, after=(count - 2) * words),
        Command(Op.READ, Space.STATE, State.SATURATED, after=count * words),
    ]


@pytest.mark.parametrize("name", SMALL)
def test_learning(name, untrained):
    config = SMALL[name]
    model = build(Core(config, trace=True), hold={"commands": "results"}, quick=True)
    for seed, stalls, count, commands in ((0, 0, 16, register_reads), (1, 90, 30, orders)):
        x, labels = samples(config, count, seed)
        run = cosimulate(
            config, x, labels, model=model, seed=seed, stalls=stalls,
            commands=commands(config, count),
        )  # fmt: skip
        assert run.message is None, run.message
        learned = sum(label is not None for label in labels)
        for layer in range(len(config.hidden)):
            log = run.result.logs[f"trace.reservoir_{layer}"]
            assert len(log) == learned * config.classes * config.memory.projection
            assert any(read.any() for read in run.core.reservoir.reads)


def test_a_wrong_decoder_is_found_and_named(untrained):
    model = build(Core(BASE, trace=True), hold={"commands": "results"}, quick=True)
    x, labels = samples(BASE, 6)
    wrong = BASE.derive(memory__horizon=4)
    run = cosimulate(wrong, x, labels, model=model)
    assert run.result.mismatch.channel.startswith("trace.reservoir_")
    assert "decoded memory of class" in run.message


def test_clocks_are_told_without_data(untrained):
    """What ``info`` tells is what co-simulation takes, for samples in a row."""
    config = SMALL["class-gated, two layers"]
    model = build(Core(config, trace=True), hold={"commands": "results"}, quick=True)
    x = np.full((8, config.inputs), 200)
    run = cosimulate(config, x, [0, 1, 2, 0, 1, 2, 0, 1], model=model)
    assert run.message is None
    took = np.diff(run.prediction.sample_clocks)[-3:]
    assert set(took.tolist()) == {estimate.clocks_per_sample(config, config.inputs)}


def test_the_exact_memory_has_no_hardware():
    with pytest.raises(InputError, match=r"reservoir\.decoder must not be exact in hardware"):
        Core(BASE.derive(reservoir__decoder="exact"))


@pytest.mark.slow  # simulates half a million clocks of a core with two reservoirs
def test_digits():
    config, data = load("digits-reservoir"), load_data("digits", seed=0)
    x, y = data.x_train[:120].astype(np.int64), data.y_train[:120].tolist()
    run = cosimulate(config, x, [*y[:110], *[None] * 10], model=build_core(config), stalls=40)
    assert run.message is None, run.message


@pytest.mark.slow  # builds the MNIST core with two reservoirs of 256 units
@pytest.mark.skipif(not MNIST.is_dir(), reason="$HEBBWARE_DATA holds no mnist")
def test_mnist():
    config = load("mnist-reservoir")
    data = load_data("mnist", MNIST.parent, seed=0)
    x, y = data.x_train[:12].astype(np.int64), data.y_train[:12].tolist()
    run = cosimulate(config, x, y, model=build_core(config))
    assert run.message is None, run.message
