"""Convolutions in floating point: gradients by differences, and the integer core beside it."""

import numpy as np
import pytest
from test_conv import network, samples

from hebbware.golden.config import load
from hebbware.golden.core import Core
from hebbware.golden.data import sets
from hebbware.golden.errors import InputError
from hebbware.golden.program.walk import Store, latest
from hebbware.golden.reference.maps import RULES, MapNetwork, train

CONFIG = network(
    (5, {"pool": 2, "grid": 2}), (6, {"stride": 2, "grid": 2, "pool": 1}), 4, shape=(8, 8, 2),
    formats={"weight_bits": 16, "u_fraction": 12, "z_bits": 16, "z_fraction": 12, "d_bits": 16,
             "d_fraction": 10}, memory={"kind": "gated", "read_bits": 16, "read_fraction": 12},
    modulator={"beta_log2": 0},
)  # fmt: skip


def test_backprop_is_the_gradient():
    net = MapNetwork(CONFIG, "backprop", kind=np.float64, seed=1)
    x, labels = samples(CONFIG, 4)
    before = [w.copy() for w in net.weights]

    def loss():
        scores = net.forward(net.inputs(x))[0]
        scores = scores - scores.max(axis=1, keepdims=True)
        return -(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))[
            np.arange(len(x)), labels
        ].mean()

    rng, expected = np.random.default_rng(2), []
    places = [
        (n, tuple(rng.integers(0, s) for s in w.shape))
        for n, w in enumerate(before)
        for _ in range(6)
    ]
    for n, place in places:
        ends = []
        for step in (1e-6, -1e-6):
            net.weights[n][place] = before[n][place] + step
            ends.append(loss())
        net.weights[n][place] = before[n][place]
        expected.append((ends[0] - ends[1]) / 2e-6)
    net.steps = [1.0] * len(net.weights)
    net.learn(x, labels)
    got = [before[n][place] - net.weights[n][place] for n, place in places]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-7)
    assert np.abs(expected).max() > 1e-3


def test_it_computes_what_the_core_does():
    """A core of fine formats, started alike and with the same memory, agrees to its roundings."""
    core, net = Core(CONFIG), MapNetwork(CONFIG, "gated", kind=np.float64)
    net.weights = [w / 2.0**14 for w in core.weights]
    rng = np.random.default_rng(3)
    core.memories = [rng.integers(-4000, 4000, m.shape) for m in core.memories]
    for memory, gain in zip(core.memories, core.gains, strict=True):
        gain[:] = np.round(np.log2(np.sqrt((memory**2).mean(axis=1))))
    # E of the core is scaled by a power of two; give the float network exactly that
    net.rule = "codes"
    net.codes = [core.read(n) / 2.0**12 for n in range(3)]
    x, labels = samples(CONFIG, 1)
    written = latest(core.walk(x[0], int(labels[0])))
    scores, layers, _ = net.forward(net.inputs(x))
    for n, (_, a, z, scale) in enumerate(layers):
        assert np.abs(written[Store.A, n] / 2.0**12 - a[0]).max() < 0.02
        assert np.abs(written[Store.Z, n] / 2.0**12 - z[0]).max() < 0.05
        d = net._modulated(n, labels, a, z, 2.0 ** np.round(np.log2(scale)))
        got = written[Store.D, n].reshape(d[0].shape) / 2.0**10
        assert np.corrcoef(got.ravel(), d.ravel())[0, 1] > 0.99
    assert np.abs(written[Store.RESULTS, 3] / 2.0**12 - scores).max() < 0.05


@pytest.mark.parametrize("rule", RULES)
def test_rules_learn(rule):
    config = network((6, {"pool": 2, "grid": 2, "rate": 8}), shape=(8, 8, 1), classes=4)
    net = MapNetwork(config, rule, steps=[0.01, 0.1], seed=0)
    start = net.weights[0].copy()
    x, labels = samples(config, 200)
    for batch in np.split(np.arange(200), 25):
        net.learn(x[batch], labels[batch])
    assert (net.classify(x) == labels).mean() > 0.9
    assert (net.weights[0] == start).all() == (rule == "frozen")


def test_training_of_seeds():
    config, dataset = load("digits-conv"), sets.load("digits")
    counted = []
    found = train(config, [0, 1], [dataset, dataset], 1, 0.0, counted.append)
    assert len(set(found)) == 2
    assert min(found) > 0.85
    assert sum(counted) == 2 * len(dataset.y_train)
    with pytest.raises(InputError, match="has the memories gated, codes, none, not 'trace'"):
        train(config.derive(memory__kind="trace", memory__horizon=8), [0], [dataset], 1)


def test_an_unknown_rule():
    with pytest.raises(InputError, match="rule must be one of gated, .*, not 'hebb'"):
        MapNetwork(CONFIG, "hebb")
