"""Training a decoder on random signals, and its file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reservoir import training
from hebbware.golden.reservoir.cell import ReservoirConfig

DELAY = ReservoirConfig(
    units=32, topology="cycle", outputs=2, rho=0.9, gain=-3, step=2, weight_bits=12
)
LEAKY = ReservoirConfig(
    units=64, inputs=4, outputs=4, leak=4, gain=-6, state_bits=12, rounding="stochastic", step=5
)


def test_signals_to_be_remembered():
    inputs, targets = training.signals(DELAY, 50, 0)
    assert (targets[1:, 0] == targets[:-1, 0]).sum() < 3
    assert np.abs(targets[1:, 0] - inputs[:-1, 0] / 2048).max() < 2.0**-11
    assert (targets[2:, 1] == targets[1:-1, 0]).all()
    inputs, targets = training.signals(LEAKY, 50, 0)
    total = np.zeros(4)
    for t in range(50):
        total += inputs[t] / 2048 - total / 16
        assert targets[t] == pytest.approx(total)


@pytest.mark.parametrize("config", [DELAY, LEAKY])
def test_ridge_and_delta_rule_learn(config):
    ridge = training.by_ridge(config, 1500, 600)
    delta = training.by_delta(config, ridge.scale, 2500, 600, halvings=2)
    assert ridge.r2 > 0.98
    assert 0.9 < delta.r2 < ridge.r2
    shuffled = np.random.default_rng(0).permuted(ridge.weights, axis=1)
    assert training.evaluate(config, shuffled, ridge.scale, 800, 9) < 0.2


def test_r_squared():
    targets = np.random.default_rng(0).normal(2, 1, (100, 3))
    assert training.r_squared(targets, targets) == 1
    assert training.r_squared(targets, np.tile(targets.mean(axis=0), (100, 1))) == 0


def test_ridge_is_the_least_squares():
    rng = np.random.default_rng(0)
    states, targets = rng.normal(0, 1, (50, 5)), rng.normal(0, 1, (50, 2))
    wanted = np.linalg.lstsq(states, targets, rcond=None)[0].T
    assert training.ridge(states, targets, 0.0) == pytest.approx(wanted)


def test_leaky_outputs_need_their_inputs():
    with pytest.raises(InputError, match="outputs must be at most inputs = 4 .*, not 5"):
        training.signals(replace(LEAKY, outputs=5), 10, 0)


def test_states_that_never_move():
    with pytest.raises(InputError, match="gain must be large enough .*, not -14"):
        training.by_ridge(replace(DELAY, gain=-14, weight_fraction=4), 100, 100)


def test_file(tmp_path):
    trained = training.Trained(np.arange(64).reshape(2, 32), 3, 0.5)
    file = tmp_path / "decoder.json"
    file.write_text(training.to_json(DELAY, trained))
    found = training.from_json(DELAY, file)
    assert (found.weights == trained.weights).all()
    assert (found.scale, found.r2) == (3, 0.5)
    with pytest.raises(InputError, match="must be of this configuration .*, not of"):
        training.from_json(replace(DELAY, seed=1), file)
    for text in ("{", "[]", json.dumps({"fingerprint": DELAY.fingerprint})):
        file.write_text(text)
        with pytest.raises(InputError, match="not a decoder file"):
            training.from_json(DELAY, file)
    with pytest.raises(InputError, match="No such file"):
        training.from_json(DELAY, tmp_path / "none")
