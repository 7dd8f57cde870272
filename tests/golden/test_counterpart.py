"""The float networks of a configuration: their neurons, their rule, one run as many in lockstep."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.reference.class_memory import ClassMemoryRule
from hebbware.golden.reference.counterpart import Counterparts, encode, train
from hebbware.golden.reference.leaky import leaky_run
from hebbware.golden.reference.network import Network

XOR = load("xor-leaky")


def test_course_is_that_of_the_published_cells():
    """ReLU, at dt / tau = 3/16: potentials and activations after each number of steps."""
    x = np.random.default_rng(0).uniform(-1, 1, (3, 6, 2))
    for steps in (1, 2, 20):
        networks = Counterparts(
            XOR.derive(neuron__slope_shift=0, neuron__time_steps=steps), range(3)
        )
        networks.biases[0] += 0.1
        layers, scores = networks.forward(x)
        for run in range(3):
            weights = [w[run] for w in networks.weights]
            biases = [*(b[run] for b in networks.biases), np.zeros(2)]
            course = leaky_run(x[run], weights, biases, steps, 1.0, 3 / 16)
            for layer, wanted in zip(layers, course, strict=False):
                assert layer.u[run] == pytest.approx(wanted.u[-1], abs=1e-13)
                assert layer.z[run] == pytest.approx(wanted.z[-1], abs=1e-13)
            assert scores[run] == pytest.approx(course[-2].z[-1] @ weights[-1], abs=1e-13)


def test_single_samples_are_rows_of_several():
    networks = Counterparts(XOR, range(4))
    x = np.random.default_rng(1).uniform(-1, 1, (4, 2))
    one, several = networks.forward(x), networks.forward(x[:, None])
    assert (one[1] == several[1][:, 0]).all()
    assert one[1].shape == (4, 2)
    assert (one[0][1].z == several[0][1].z[:, 0]).all()


def test_steps_are_those_of_the_float_rule():
    """Static ReLU: a `Network` learning by `ClassMemoryRule`, sample after sample, each seed."""
    config = CoreConfig.of(
        (3, 8, 6, 2), memory__horizon=3, modulator__beta_log2=2, layer__init_std=(1, 0.5, 0.25)
    )
    seeds, steps = (5, 9), (0.05, 0.1, 0.02)
    networks, rng = Counterparts(config, seeds), np.random.default_rng(2)
    plain, rules = [], []
    for run in range(2):
        plain.append(Network(config.sizes))
        plain[-1].weights = [w[run].copy() for w in networks.weights]
        rules.append(ClassMemoryRule("gated", config.hidden, 2, beta=4.0, horizon=3))
    for _ in range(40):
        x, labels = rng.uniform(0, 1, (2, 3)), rng.integers(0, 2, 2)
        networks.learn(x, labels, steps)
        for run in range(2):
            plain[run].learn(rules[run], x[run : run + 1], np.eye(2)[labels[run : run + 1]], steps)
            plain[run].biases[-1][:] = 0  # these readouts have none
            for ours, theirs in zip(networks.weights, plain[run].weights, strict=True):
                assert ours[run] == pytest.approx(theirs, abs=1e-12)
            for ours, theirs in zip(networks.biases, plain[run].biases, strict=False):
                assert ours[run] == pytest.approx(theirs, abs=1e-12)
    assert np.abs(networks.biases[1]).max() > 0.1


def test_directions_pass_the_slope_below_zero():
    """Where u < 0 the direction is an eighth of what it is with the sign of u turned around."""
    networks = Counterparts(XOR, [0])
    networks.memories[1] += np.random.default_rng(3).normal(0, 1, networks.memories[1].shape)
    layers, _ = networks.forward(np.array([[0.3, -0.8]]))
    layer = layers[1]
    below = layer.u < 0
    assert below.any()
    assert (~below).any()
    assert (layer.slope == np.where(below, 0.125, 1)).all()
    d, _ = networks.directions(1, layer, [1])
    whole, _ = networks.directions(1, layer._replace(slope=np.ones_like(layer.slope)), [1])
    assert (d == whole * layer.slope).all()
    assert whole.all()


def test_inputs_are_those_of_the_integers():
    x = np.arange(256)
    for config in (XOR, load("linear-leaky")):
        raw = config.source(0).real(x - config.x_zero)
        assert (encode(config, x) == raw).all()


def test_runs_do_not_touch_each_other():
    config, sets = load("linear-leaky"), [data.load("linear", seed=seed) for seed in (0, 1)]
    both = train(config, (0, 1), sets, 1, validation=700)
    assert both == [train(config, [s], [sets[s]], 1, validation=700)[0] for s in (0, 1)]
    assert min(both) > 0.75


def test_another_memory_is_refused():
    config = CoreConfig.of((3, 8, 2), memory__kind="codes")
    with pytest.raises(InputError, match="the float reference has the gated memory only, not 'c"):
        Counterparts(config, [0])
