"""The class-memory modulator in float: numerical gradient, closed forms of its memories."""

from math import exp, fsum

import numpy as np
import pytest

from hebbware.golden.errors import InputError
from hebbware.golden.reference.class_memory import (
    KINDS,
    ClassMemoryRule,
    Codes,
    Gated,
    Trace,
    Window,
    modulator,
)
from hebbware.golden.reference.layers import layer_norm, softmax
from hebbware.golden.reference.network import Network

H = 1e-6


def draw(classes=4, units=9, seed=0):
    rng = np.random.default_rng(seed)
    z = layer_norm(rng.normal(0, 1, units), epsilon=0.0)[0]
    return rng, z, rng.normal(0, 1, (classes, units))


def stream(steps=50, classes=4, units=9):
    """Activations, labels and softmax errors of some samples."""
    rng, _, codes = draw(classes, units, 3)
    errors = softmax(rng.normal(0, 1, (steps, classes)))
    labels = rng.integers(classes, size=steps)
    errors[np.arange(steps), labels] -= 1
    return rng.normal(0, 1, (steps, units)), labels.tolist(), errors, np.sign(codes)


def test_modulator_is_its_formula():
    _, z, read = draw()
    xi, error, similarity = modulator(z, read, 2, scale=0.72, beta=5.0)
    k = [fsum(z[i] * read[c, i] for i in range(9)) / 9 for c in range(4)]
    total = fsum(exp(5 * value) for value in k)
    e = [exp(5 * k[c]) / total - (c == 2) for c in range(4)]
    assert similarity == pytest.approx(k, abs=1e-14)
    assert error == pytest.approx(e, abs=1e-14)
    jacobian = fsum(e[c] * k[c] for c in range(4))
    for i in range(9):  # 0.72 is nearer to 1 than to 1/2
        expected = fsum(e[c] * read[c, i] for c in range(4)) - z[i] * jacobian
        assert xi[i] == pytest.approx(expected, abs=1e-13)


def test_modulator_is_a_gradient_behind_layer_norm():
    rng, _, read = draw()
    a = rng.normal(0, 1, 9)
    z, scale = layer_norm(a, epsilon=0.0)

    def loss(a):
        return -np.log(softmax(16 * (read @ layer_norm(a, epsilon=0.0)[0]) / 9)[1])

    slopes = [(loss(a + H * unit) - loss(a - H * unit)) / (2 * H) for unit in np.eye(9)]
    v = modulator(z, read, 1).xi
    assert 16 / 9 * scale * (v - v.mean()) == pytest.approx(slopes, abs=1e-7)
    assert np.abs(slopes).max() > 0.01


@pytest.mark.parametrize(("scale", "power"), [(1.4, 1.0), (1.42, 2.0), (0.36, 0.5), (0.35, 0.25)])
def test_scale_is_rounded_to_a_power_of_two(scale, power):
    _, z, read = draw()
    assert (modulator(z, read, 0, scale).xi == power * modulator(z, read, 0).xi).all()


@pytest.mark.parametrize("horizon", [2, 6])
def test_gated_memory_is_a_leaky_sum_of_errors(horizon):
    z, labels, errors, codes = stream()
    memory = Gated(codes, horizon=horizon)
    for sample in zip(z, labels, errors, strict=True):
        memory.write(*sample)
    fade = (1 - 0.5**horizon) ** np.arange(49, -1, -1)
    expected = -np.einsum("t,tc,ti->ci", fade, errors, z)
    assert memory.m == pytest.approx(expected, abs=1e-13)


def test_gated_memory_is_read_at_unit_scale():
    memory = Gated(np.zeros((4, 9)))
    assert (memory.read() == 0).all()
    _, _, values = draw()
    memory.m = values * np.array([[1e-3], [0.3], [1.0], [5e4]])
    read = memory.read()
    rms = np.sqrt((read**2).mean(axis=1))
    assert (rms >= 0.5**0.5).all()
    assert (rms <= 2**0.5).all()
    ratio = memory.m / read
    assert (ratio == ratio[:, :1]).all()
    assert (np.log2(ratio) % 1 == 0).all()
    memory.m *= 64.0
    assert (memory.read() == read).all()


def test_window_memory_is_the_sum_of_the_last_samples():
    z, labels, errors, codes = stream()
    memory = Window(codes, samples=5, kappa=0.5)
    for t, sample in enumerate(zip(z, labels, errors, strict=True)):
        memory.write(*sample)
        expected = np.zeros((4, 9))
        for past in range(max(0, t - 4), t + 1):
            expected[labels[past]] += 8 / 5 * z[past]
        assert memory.m == pytest.approx(expected, abs=1e-13)
        assert memory.read() == pytest.approx(expected + 0.5 * codes, abs=1e-13)


def test_window_memory_keeps_a_copy():
    memory = Window(np.zeros((2, 3)), samples=1)
    z = np.ones(3)
    memory.write(z, 0, np.zeros(2))
    z[:] = 7
    memory.write(np.zeros(3), 1, np.zeros(2))
    assert (memory.m == 0).all()


def test_trace_memory_is_a_leaky_mean_of_a_class():
    z, labels, errors, codes = stream()
    memory = Trace(codes, horizon=3, kappa=0.25)
    for sample in zip(z, labels, errors, strict=True):
        memory.write(*sample)
    for c in range(4):
        own = z[np.array(labels) == c]
        weights = 0.125 * 0.875 ** np.arange(len(own) - 1, -1, -1)
        assert memory.m[c] == pytest.approx(weights @ own, abs=1e-13)
        assert memory.read()[c] == pytest.approx(weights @ own + 0.25 * codes[c], abs=1e-13)


def test_codes_are_no_memory():
    z, labels, errors, codes = stream()
    memory = Codes(codes)
    for sample in zip(z, labels, errors, strict=True):
        memory.write(*sample)
    assert (memory.read() == codes).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rule_reads_then_writes(kind):
    """Directions by hand from a second rule's memories, sample after sample."""
    network = Network([5, 8, 6, 3], seed=1)
    rule, twin = (ClassMemoryRule(kind, (8, 6), 3, seed=2, beta=4.0) for _ in range(2))
    rng = np.random.default_rng(0)
    clipped = moved = False
    for t in range(30):
        layers, _ = network.forward(3 * rng.normal(0, 1, (1, 5)))
        label = t % 3
        found = rule.directions(network, layers, None, np.eye(3)[[label]])
        for d, layer, memory in zip(found, layers, twin.memories, strict=True):
            xi, error, _ = modulator(layer.z[0], memory.read(), label, layer.scale[0, 0], 4.0)
            expected = [
                min(max(v, -2), 2) if u > 0 else 0 for v, u in zip(xi, layer.u[0], strict=True)
            ]
            assert d.shape == layer.u.shape
            assert d[0].tolist() == expected
            clipped |= 2.0 in np.abs(d)
            moved |= bool(d.any())
            memory.write(layer.z[0], label, error)
    assert moved
    assert clipped or kind == "trace"


def test_codes_of_a_rule_are_random_signs():
    rule, same, other = (ClassMemoryRule("codes", (64, 32), 10, seed=s) for s in (0, 0, 1))
    first, second = (memory.codes for memory in rule.memories)
    assert first.shape == (10, 64)
    assert second.shape == (10, 32)
    assert set(np.unique(first)) == {-1.0, 1.0}
    assert abs(first.mean()) < 0.15
    assert (first == same.memories[0].codes).all()
    assert (first != other.memories[0].codes).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: modulator(np.zeros(3), np.zeros((2, 4)), 0), r"read must have shape \(any, 3\)"),
        (lambda: modulator(np.zeros(3), np.zeros((2, 3)), 2), "label must be a class 0..1, not 2"),
        (lambda: modulator(np.zeros(3), np.zeros((2, 3)), 0.5), "class 0..1, not 0.5"),
        (lambda: modulator(np.zeros(3), np.zeros((2, 3)), 0, 0.0), "scale must be positive"),
        (lambda: modulator(np.zeros(3), np.zeros((2, 3)), 0, 1.0, -1), "beta must be positive"),
        (lambda: Gated(np.zeros(3)), r"codes must have shape \(any, any\), not \(3,\)"),
        (lambda: Gated(np.zeros((2, 3)), horizon=0), "horizon must be positive and finite, not 0"),
        (
            lambda: Trace(np.zeros((2, 3)), horizon=-2),
            "horizon must be positive and finite, not -2",
        ),
        (
            lambda: Window(np.zeros((2, 3)), samples=0),
            "samples must be a whole number of at least 1",
        ),
        (
            lambda: ClassMemoryRule("echo", (3,), 2),
            "kind must be one of gated, window, trace, codes, not 'echo'",
        ),
        (lambda: ClassMemoryRule("gated", (3,), 2, seed=-1), "seed must be a whole number"),
        (lambda: ClassMemoryRule("gated", (3,), 2, beta=0), "beta must be positive and finite"),
        (
            lambda: ClassMemoryRule("gated", (3,), 2).directions(None, [], None, np.eye(2)),
            "batch must be 1 for a class memory, not 2",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
