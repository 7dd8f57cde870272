"""Signals as targets: the patterns that are drawn, the measure, training, the float reference."""

import numpy as np
import pytest

from hebbware.golden.config import NO_LABEL, CoreConfig, load
from hebbware.golden.data import sets
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.data.patterns import patterns
from hebbware.golden.errors import InputError
from hebbware.golden.learn import signal
from hebbware.golden.learn.train import check_fit, train
from hebbware.golden.reference import sequence_counterpart
from hebbware.golden.reference.spiking import SpikingNetwork


def configuration(**fields):
    base = {
        "lanes": 4,
        "layer__kind": ["recurrent", "readout"],
        "layer__init_std": [0.9, 0.4],
        "layer__rate": [6, 5],
        "input__bits": 1,
        "neuron__ticks": 40,
        "neuron__leak_shifts": [4],
        "neuron__readout_shift": 4,
        "neuron__signal": True,
        "formats__z_bits": 12,
        "formats__z_fraction": 8,
    }
    return CoreConfig.of((12, 20, 2), **base | fields)


def drawn(seed=0, **options):
    return patterns(seed, **{"train": 20, "test": 3, "ticks": 40, "inputs": 12} | options)


def test_targets_are_sums_of_four_waves():
    """Least squares finds four waves of 1, 2, 3 and 5 cycles, and a constant, that leave less than
    the rounding; amplitudes are within a factor of four.
    """
    found = drawn(ticks=300, outputs=3)
    assert found.y_train.shape == (20, 300, 3)
    assert (found.y_train == found.y_train[0]).all()
    y = found.y_train[0]
    assert (y[0] == 0).all()
    assert (np.abs(y).max(axis=0) == 127).all()
    angles = 2 * np.pi * np.multiply.outer(np.arange(300) / 300, [1, 2, 3, 5])
    waves = np.concatenate([np.sin(angles), np.cos(angles), np.ones((300, 1))], axis=1)
    weights, *_ = np.linalg.lstsq(waves, y, rcond=None)
    assert np.abs(waves @ weights - y).max() < 0.7
    sizes = np.hypot(weights[:4], weights[4:8])
    assert (sizes.max(axis=0) < 4 * sizes.min(axis=0) + 0.1).all()


def test_inputs_come_alike_but_for_noise():
    found = drawn(ticks=400)
    assert (found.x_train == found.x_train[0]).all()
    assert set(np.unique(found.x_train)) == {0, 255}
    assert 0.04 < (found.x_train > 0).mean() < 0.06
    noisy = drawn(ticks=400, noise=0.2)
    pattern, events = found.x_train[0] > 0, noisy.x_train > 0
    assert (noisy.y_train == found.y_train).all()
    assert 0.75 < events[:, pattern].mean() < 0.85
    assert 0.04 < events.mean() < 0.06  # as many elsewhere


def test_the_seed_alone_draws():
    one, other = drawn(3), drawn(3)
    assert (one.x_test == other.x_test).all()
    assert (one.y_train != drawn(4).y_train).any()
    named = sets.load("patterns:ticks=40:inputs=12:train=20:test=3", seed=3)
    assert (named.y_train == one.y_train).all()
    assert (named.name, named.shape, named.classes) == (
        "patterns:ticks=40:inputs=12:train=20:test=3", (40, 12), 2,
    )  # fmt: skip
    assert sets.is_drawn("patterns")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ticks": 1}, "ticks must be at least 2, not 1"),
        ({"outputs": 1}, "outputs must be at least 2, not 1"),
        ({"noise": 1.5}, r"noise must lie in 0\.\.1, not 1\.5"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        drawn(**options)


def test_targets_beyond_a_byte_are_refused():
    x, y = np.zeros((2, 6), np.uint8), np.full((2, 3, 2), 128)
    with pytest.raises(InputError, match=r"y_train: targets must lie in -128\.\.127, not 128"):
        Dataset("own", (3, 2), 2, x, y, x, y)


def test_the_measure_by_hand():
    """Wanted 0 and 1, twice; told 0.5 always: as the mean; told 0 and 0.5: half of 0.5**2."""
    wanted = np.tile([[[0.0], [1.0]]], (2, 1, 1))
    assert signal.error(np.full((2, 2, 1), 0.5), wanted) == 1
    assert signal.error(np.tile([[[0.0], [0.5]]], (2, 1, 1)), wanted) == 0.5
    dataset = drawn()
    assert signal.mean_error(configuration(), dataset) == pytest.approx(1)


def test_targets_of_the_last_ticks():
    config = configuration(neuron__target=10)
    found = signal.targets(config, drawn().y_train)
    assert (found[:, :30] == NO_LABEL).all()
    assert (found[:, 30:] == drawn().y_train[:, 30:]).all()
    assert signal.real_targets(config, drawn().y_test).shape == (3, 10, 2)
    assert signal.real_targets(config, np.full((1, 40, 2), -64)).max() == -0.5


def test_it_learns():
    """Both engines alike; less than 60 % of what a constant misses is left."""
    config, dataset = configuration(), drawn()
    found = signal.train(config, dataset, 8, validation=2)
    plain = signal.train(config, drawn(train=6), 1, engine="plain", validation=0)
    twin = signal.train(config, drawn(train=6), 1, validation=0)
    assert (plain.train, plain.test) == (twin.train, twin.test)
    assert found.test < 0.6
    assert len(found.train) == len(found.validation) == 8
    assert found.held == 2
    assert set(signal.controls(config, drawn(train=4), 1)) == {"mean", "frozen", "random"}


def test_signals_and_classes_do_not_mix():
    config = configuration()
    with pytest.raises(InputError, match="has signals as targets, but the configuration takes cl"):
        check_fit(load("digits-rows"), drawn())
    with pytest.raises(InputError, match="has classes as targets, but the configuration takes si"):
        check_fit(config, sets.load("digits"), signal=True)
    with pytest.raises(InputError, match=r"neuron\.signal must be false but for hebbware train"):
        train(config, drawn(), 1)


# -- in floating point -----------------------------------------------------------------------------


def test_the_float_rule_by_hand():
    """Two units, one input; h is 1; scores 0, targets -0.5 and 3: errors 0.5 and, cut off, -1.

    Signals E e: 0.5 - 0, and 0.25 - 0.5; traces 1, then 2.5.
    """
    weights, readout = np.full((3, 2), 0.25), np.array([[1.0, 0.5], [0.0, 0.5]])
    network = SpikingNetwork(weights, readout, np.full(2, 0.5), 0.5, 0.5)
    targets = np.array([[np.nan, np.nan], [-0.5, 3.0]])
    network.learn(np.array([[1.0], [2.0]]), targets, (1.0, 0.0))
    np.testing.assert_allclose(weights, [[0.25 - 1.25, 0.25 + 0.625], [0.25] * 2, [0.25] * 2])


def test_float_networks_learn_it():
    config, data = configuration(), [drawn(0), drawn(1)]
    assert max(sequence_counterpart.train(config, (0, 1), data, 8, 0)) < 0.7
