"""Decoder and delta rule of the reservoir, by hand."""

from dataclasses import replace
from math import floor

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.reservoir.machine import Machine, Op

CONFIG = ReservoirConfig(
    units=32, inputs=3, outputs=2, state_bits=10, weight_bits=10, weight_fraction=6,
    output_bits=9, output_fraction=5, step=3, rounding="stochastic", input_bits=10,
    input_fraction=6, gain=0,
)  # fmt: skip


def machine(steps=5):
    rng = np.random.default_rng(0)
    found = Machine(CONFIG)
    found.load(rng.integers(-512, 512, (2, 32)))
    for _ in range(steps):
        found.step(rng.integers(-100, 100, 3))
    return found


def test_outputs_are_rounded_and_clipped():
    found = machine()
    for scale in (1, 8):
        found.weights = np.clip(found.weights * scale, -512, 511)
        exact = found.weights @ found.r / 2.0**9 / 2.0**6
        wanted = [min(max(floor(y * 2**5 + 0.5), -256), 255) for y in exact]
        assert found.read().tolist() == wanted
    assert abs(np.array(wanted)).max() >= 255  # something was clipped


def test_delta_rule():
    found = machine()
    before, errors = found.weights.copy(), found.learn([100, -256])
    assert (
        errors.tolist()
        == np.clip([100, -256] - Machine.read(with_(found, before)), -256, 255).tolist()
    )
    move = (found.weights - before) / 2.0**6
    exact = np.outer(errors / 2.0**5, found.r / 2.0**9) / 8
    inside = np.abs(found.weights) < 511
    assert np.abs(move - exact)[inside].max() < 2.0**-6  # rounded up or down, never further
    assert np.abs(move - exact)[inside].max() > 0.5 * 2.0**-6


def with_(found, weights):
    other = Machine(CONFIG)
    other.r, other.weights = found.r, weights
    return other


def test_commands():
    found = machine()
    assert found.command(Op.WRITE, 32 + 4, -7) == -7
    assert found.weights[1, 4] == -7
    assert found.command(Op.READ, 32 + 4) == -7
    assert found.command(Op.TRAIN, data=1) == 1
    assert found.training
    assert found.command(Op.CLEAR) == 0
    assert (found.r == 0).all()
    assert found.random_state == CONFIG.random_state
    assert found.weights[1, 4] == -7


def test_commands_at_the_edge():
    found = machine()
    before = found.weights.copy()
    for address in (2 * 32, 2 * 32 + 1, (1 << 20) - 1):  # two outputs of 32 units
        assert found.command(Op.WRITE, address, 5) == found.command(Op.READ, address) == 0
    np.testing.assert_array_equal(found.weights, before)
    assert found.command(Op.WRITE, 63, 512) == found.command(Op.READ, 63) == -512  # of 10 bits
    assert found.command(Op.TRAIN, data=2) == 0
    assert not found.training
    states = Machine(replace(CONFIG, output="state"))
    for op in Op:
        assert states.command(op, 0, 1) == 0
    assert not states.training
    assert not states.weights.any()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros((2, 31), int), r"decoder must have shape \(2, 32\), not \(2, 31\)"),
        (np.zeros((2, 32)), "decoder must be integers, not float64"),
        (np.full((2, 32), 512), r"decoder must lie in -512\.\.511, not 512\.\.512"),
    ],
)
def test_decoders_that_do_not_fit(weights, message):
    with pytest.raises(InputError, match=message):
        Machine(CONFIG).load(weights)
