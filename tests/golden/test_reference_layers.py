"""Layers of the float network: the formulas in plain numbers, and numerical gradients."""

from math import exp, fsum, log, sqrt

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference import hsic_bottleneck, hsic_modulator
from hebbware.golden.reference.layers import (
    cross_entropy,
    direction,
    forward,
    layer_norm,
    layer_norm_jacobian,
    local_gradients,
    readout_error,
    softmax,
)

H = 1e-6


def slopes(function, point):
    """Central differences of a function of an array."""
    found = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        up, down = point.copy(), point.copy()
        up[index] += H
        down[index] -= H
        found[index] = (function(up) - function(down)) / (2 * H)
    return found


def test_forward_is_its_formula():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (4, 6)), rng.normal(0, 1, 6)
    layer = forward(x, w, b, epsilon=0.01)
    for p in range(3):
        u = [fsum(x[p, j] * w[j, i] for j in range(4)) + b[i] for i in range(6)]
        a = [max(value, 0.0) for value in u]
        mean = fsum(a) / 6
        s = 1 / sqrt(fsum((value - mean) ** 2 for value in a) / 6 + 0.01)
        assert layer.u[p] == pytest.approx(u, abs=1e-14)
        assert layer.z[p] == pytest.approx([(value - mean) * s for value in a], abs=1e-13)
        assert layer.scale[p] == pytest.approx([s], rel=1e-13)
    assert layer.inputs is x


def test_one_sample_is_as_a_row_of_several():
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (4, 6)), rng.normal(0, 1, 6)
    several, one = forward(x, w, b), forward(x[1], w, b)
    for whole, part in zip(several, one, strict=True):
        assert part == pytest.approx(whole[1], abs=1e-14)


def test_dead_layer_stays_finite():
    layer = forward(np.ones(3), -np.ones((3, 4)), np.zeros(4))
    assert (layer.z == 0).all()
    assert (direction(layer, np.ones(4)) == 0).all()


@pytest.mark.parametrize("epsilon", [0.0, 1e-6, 0.5])
def test_jacobian_of_layer_norm(epsilon):
    rng = np.random.default_rng(2)
    a, xi = rng.normal(0, 1, (2, 7)), rng.normal(0, 1, (2, 7))
    z, scale = layer_norm(a, epsilon)
    expected = slopes(lambda a: (layer_norm(a, epsilon)[0] * xi).sum(), a)
    assert layer_norm_jacobian(xi, z, scale) == pytest.approx(expected, abs=1e-8)


def test_local_update_descends_the_objective_of_the_newest_sample():
    """The whole chain: weights -> relu -> LayerNorm -> HSIC, the past activations held fixed."""
    rng = np.random.default_rng(3)
    x, w, b = rng.normal(0, 1, (6, 5)), rng.normal(0, 0.5, (5, 8)), rng.normal(0, 0.5, 8)
    y, setting = np.eye(3)[[0, 1, 2, 0, 1, 1]], (3.0, (0.6, 0.4, 0.9))
    past = forward(x[:-1], w, b).z

    def objective(w, b):
        return hsic_bottleneck(x, y, np.vstack([past, forward(x[-1], w, b).z]), *setting)

    newest = forward(x[-1], w, b)
    assert 0 < (newest.u > 0).sum() < 8  # the slope matters
    xi = hsic_modulator(x, y, np.vstack([past, newest.z]), *setting)
    weight, bias = local_gradients(newest.inputs, direction(newest, xi))
    assert weight == pytest.approx(slopes(lambda w: objective(w, b), w), abs=1e-9)
    assert bias == pytest.approx(slopes(lambda b: objective(w, b), b), abs=1e-9)
    assert np.abs(weight).max() > 1e-3


def test_gradients_of_several_samples_add_up():
    rng = np.random.default_rng(4)
    z, d = rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (3, 2))
    weight, bias = local_gradients(z, d)
    singles = [local_gradients(z[p], d[p]) for p in range(3)]
    assert weight == pytest.approx(sum(single[0] for single in singles), abs=1e-14)
    assert bias == pytest.approx(sum(single[1] for single in singles), abs=1e-14)
    assert singles[0][0][3, 1] == z[0, 3] * d[0, 1]


def test_softmax_and_cross_entropy():
    scores, targets = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, 1.0]]), np.eye(3)[[2, 0]]
    total = 0.0
    for row, target in zip(scores.tolist(), (2, 0), strict=True):
        total -= log(exp(row[target]) / fsum(map(exp, row))) / 2
    assert cross_entropy(scores, targets) == pytest.approx(total, abs=1e-14)
    assert softmax(scores)[0] == pytest.approx(np.exp(scores[0]) / fsum(map(exp, scores[0])))
    assert softmax(np.array([1000.0, 0.0])).tolist() == [1.0, 0.0]
    assert cross_entropy(np.array([[1000.0, 0.0]]), np.array([[0.0, 1.0]])) == 1000.0


def test_readout_error_is_the_gradient_of_cross_entropy():
    rng = np.random.default_rng(5)
    scores, targets = rng.normal(0, 1, (1, 5)), np.eye(5)[[3]]
    expected = slopes(lambda o: cross_entropy(o, targets), scores)
    assert readout_error(scores, targets) == pytest.approx(expected, abs=1e-9)


def test_bad_shapes_are_named():
    with pytest.raises(InputError, match=r"shape \(4, 6\) \(inputs, units\), not \(5, 6\)"):
        forward(np.zeros(4), np.zeros((5, 6)), np.zeros(6))
    with pytest.raises(InputError, match=r"shape \(4, 3\) \(inputs, units\), not \(4, 6\)"):
        forward(np.zeros((2, 4)), np.zeros((4, 6)), np.zeros(3))
