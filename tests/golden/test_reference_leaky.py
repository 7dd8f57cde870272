"""Leaky cells: closed forms, and the feed-forward network as the limit of no leak."""

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference.layers import forward
from hebbware.golden.reference.leaky import leaky_run


def draw(seed=0, sizes=(2, 6, 4, 3)):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 1, pair) for pair in zip(sizes, sizes[1:], strict=False)]
    return rng.normal(0, 1, (5, 2)), weights, [rng.normal(0, 1, n) for n in sizes[1:]]


def test_potential_charges_exponentially():
    """With a constant input: ``u_t = (1 - (1 - dt/tau)^t) (W^T x + b)``; no norm behind it."""
    x, weights, biases = draw(sizes=(2, 3))
    (layer,) = leaky_run(x, weights, biases, 20, 0.005, 0.001)
    current = x @ weights[0] + biases[0]
    for step in range(20):
        expected = (1 - 0.8 ** (step + 1)) * current
        assert layer.u[step] == pytest.approx(expected, abs=1e-14)
        assert (layer.z[step] == layer.u[step]).all()


def test_without_leak_it_is_the_feed_forward_network():
    x, weights, biases = draw()
    layers = leaky_run(x, weights, biases, 3, 0.001, 0.001)
    z = x
    for layer, w, b in zip(layers[:-1], weights, biases, strict=False):
        z = forward(z, w, b).z
        assert layer.z[0] == pytest.approx(z, abs=1e-14)
        assert layer.z[2] == pytest.approx(z, abs=1e-14)
    assert layers[-1].z[0] == pytest.approx(z @ weights[-1] + biases[-1], abs=1e-14)


def test_layers_follow_within_the_step():
    """A layer reads what the layer below puts out in the same step."""
    x, weights, biases = draw(1)
    layers = leaky_run(x, weights, biases, 10)
    for step in range(1, 10):
        current = layers[0].z[step] @ weights[1] + biases[1]
        change = layers[1].u[step] - layers[1].u[step - 1]
        assert change == pytest.approx(0.2 * (current - layers[1].u[step - 1]), abs=1e-14)


def test_samples_and_later_steps_do_not_matter():
    x, weights, biases = draw(2)
    whole = leaky_run(x, weights, biases, 10)
    part = leaky_run(x[2:3], weights, biases, 4)
    for a, b in zip(whole, part, strict=True):
        assert b.u == pytest.approx(a.u[:4, 2:3], abs=1e-14)
        assert b.z == pytest.approx(a.z[:4, 2:3], abs=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros(2)}, r"x must have shape \(any, any\), not \(2,\)"),
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        ({"steps": 1.5}, "steps must be a whole number of at least 1, not 1.5"),
        ({"time_constant": 0}, "time_constant must be positive and finite, not 0"),
        ({"time_step": -1}, "time_step must be positive and finite, not -1"),
        ({"time_step": 0.01}, "time_step must be at most time_constant = 0.005, not 0.01"),
        ({"biases": []}, "as many and at least one, not 3 and 0"),
        ({"weights": [], "biases": []}, "as many and at least one, not 0 and 0"),
        ({"weights": [np.zeros((2, 6))] * 3}, r"weights\[1\] must have shape \(6, any\), not \(2"),
    ],
)
def test_bad_arguments_are_named(change, message):
    x, weights, biases = draw()
    arguments = {"x": x, "weights": weights, "biases": biases, "steps": 2} | change
    with pytest.raises(InputError, match=message):
        leaky_run(**arguments)
