"""The float counterpart of a configuration: its neurons, its rule, its schedule."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden import data
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.reference.class_memory import ClassMemoryRule, modulator
from hebbware.golden.reference.counterpart import Counterpart, encode, rule, train
from hebbware.golden.reference.leaky import leaky_run
from hebbware.golden.reference.network import Network

XOR = load("xor-leaky")


def test_course_is_that_of_the_published_cells():
    """ReLU, at dt / tau = 3/16: potentials and activations after each number of steps."""
    x = np.random.default_rng(0).uniform(-1, 1, (6, 2))
    for steps in (1, 2, 20):
        network = Counterpart(replace(XOR, slope_shift=0, time_steps=steps))
        network.biases[0] += 0.1
        course = leaky_run(x, network.weights, network.biases, steps, 1.0, 3 / 16)
        layers, scores = network.forward(x)
        for layer, wanted in zip(layers, course, strict=False):
            assert layer.u == pytest.approx(wanted.u[-1], abs=1e-13)
            assert layer.z == pytest.approx(wanted.z[-1], abs=1e-13)
        assert scores == pytest.approx(layers[-1].z @ network.weights[-1], abs=1e-13)


def test_static_counterpart_is_the_plain_network():
    config = CoreConfig(layers=(5, 7, 6, 3))
    found, plain = Counterpart(config), Network(config.layers)
    plain.weights = found.weights
    x = np.random.default_rng(1).uniform(0, 1, (4, 5))
    assert found.forward(x)[1] == pytest.approx(plain.forward(x)[1], abs=1e-14)


def test_directions_pass_the_slope_below_zero():
    network, learns = Counterpart(XOR), rule(XOR)
    assert isinstance(learns, ClassMemoryRule)
    assert learns.beta == 4
    x, target = np.array([[0.3, -0.8]]), np.array([[0.0, 1.0]])
    for memory in learns.memories:
        memory.m += np.random.default_rng(2).normal(0, 1, memory.m.shape)
    layers, _ = network.forward(x)
    reads = [memory.read() for memory in learns.memories]
    found = learns.directions(network, layers, None, target)
    for layer, read, d in zip(layers, reads, found, strict=True):
        xi = modulator(layer.z[0], read, 1, float(layer.scale[0, 0]), 4.0).xi
        slope = [1.0 if u > 0 else 0.125 for u in layer.u[0]]
        assert d[0] == pytest.approx(slope * np.clip(xi, -2, 2), abs=1e-14)
        assert min(slope) < 1


def test_inputs_are_those_of_the_integers():
    x = np.arange(256)
    for config in (XOR, load("linear-leaky")):
        raw = config.source(0).real(x - config.x_zero)
        assert (encode(config, x) == raw).all()


def test_it_learns():
    assert train(load("linear-leaky"), data.load("linear"), 2) > 0.9
