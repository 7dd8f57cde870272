"""Leaky neurons in integers: against real arithmetic with a bound, and their limits."""

from fractions import Fraction

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.neurons.dynamics import activate, leak, leak_rate, potential_u, slope
from hebbware.golden.program.walk import Store
from hebbware.golden.reference.leaky import leaky_run, leaky_step

LEAKY = CoreConfig.of((2, 4, 2), neuron__kind="leaky", neuron__time_steps=20, neuron__slope_shift=3)


def test_rate_of_the_presets():
    """0.2 = 1 ms / 5 ms as two powers of two."""
    for name in ("xor-leaky", "linear-leaky"):
        assert leak_rate(load(name)) == 0.1875 == 2**-3 + 2**-4


@pytest.mark.parametrize("shifts", [(3, 4), (1, 2), (1, 8), (3,), (8,)])
def test_course_stays_within_the_bound_of_the_float_step(shifts):
    """Each step rounds by half a unit of the potential; the leak forgets that at its rate.

    So after any number of steps the potential is within ``0.5 / rate`` of its units.
    """
    config = LEAKY.derive(neuron__leak_shifts=shifts)
    rate, one = leak_rate(config), config.potential.one
    rng = np.random.default_rng(1)
    raw, real, worst = np.zeros(500, np.int64), np.zeros(500), 0.0
    for _ in range(300):
        current = rng.integers(-20000, 20001, 500)
        raw = leak(config, raw, current)
        real = leaky_step(real, current / config.u.one, rate)
        worst = max(worst, np.abs(raw / one - real).max() * one)
    assert worst <= 0.5 / rate
    assert worst > 0.3  # it does round


@pytest.mark.parametrize("shifts", [(3, 4), (2,), (5, 8)])
def test_constant_current_is_reached(shifts):
    """No dead zone: from rest, each sum is reached in units of u, whatever its size or sign."""
    config = LEAKY.derive(neuron__leak_shifts=shifts)
    current = np.array([-32768, -1000, -7, -1, 0, 1, 2, 3, 9, 777, 32767])
    potential = np.zeros(current.size, np.int64)
    for _ in range(int(25 / leak_rate(config))):
        potential = leak(config, potential, current)
    assert np.abs(potential_u(config, potential) - current).max() <= 1


def test_one_step_in_exact_rationals():
    config = LEAKY.derive(formats__u_bits=8, formats__u_fraction=4)
    unit = Fraction(1, 16)  # of the potential, in units of u
    for old in range(config.potential.min, config.potential.max + 1, 7):
        for current in (-128, -3, 0, 1, 50, 127):
            exact = old * unit + Fraction(3, 16) * (current - old * unit)
            got = int(leak(config, old, current)) * unit
            assert -unit / 2 <= exact - got < unit or got in (-128, 128 - unit)


def test_slope_and_activation():
    assert activate(LEAKY, np.array([-800, -5, -4, -1, 0, 1, 9])).tolist() == [
        -100, -1, 0, 0, 0, 1, 9,
    ]  # fmt: skip
    relu = LEAKY.derive(neuron__slope_shift=0)
    assert activate(relu, np.array([-800, -1, 0, 7])).tolist() == [0, 0, 0, 7]
    d, active = np.array([80, -80, 80, -80]), np.array([True, True, False, False])
    assert slope(LEAKY, d, active).tolist() == [80, -80, 10, -10]
    assert slope(relu, d, active).tolist() == [80, -80, 0, 0]


def test_without_leak_it_is_the_static_core():
    """With dt = tau the potential is the sum, in every time step."""
    static = CoreConfig.of((9, 7, 5, 3), lanes=4, neuron__slope_shift=2)
    leaky = static.derive(neuron__kind="leaky", neuron__time_steps=3, neuron__leak_shifts=(0,))
    one, other = Core(static), Core(leaky)
    rng = np.random.default_rng(2)
    for _ in range(30):
        x, label = rng.integers(0, 256, 9), int(rng.integers(3))
        assert one.learn(x, label)[1].tolist() == other.learn(x, label)[1].tolist()
    for a, b in zip(one.weights, other.weights, strict=True):
        assert (a == b).all()


def test_course_of_a_network_follows_the_float_reference():
    """All 20 steps of both layers against `leaky_run`, the published numbers' implementation.

    ReLU, as published; dt / tau is that of the integers. Bound: LayerNorm's 10-bit mantissa and
    table (2 %), half a unit of z, and u's own rounding scaled up by LayerNorm; the second layer
    sees the first one's errors through its weights.
    """
    config = load("xor-leaky").derive(
        neuron__slope_shift=0,
        formats__weight_bits=16,
        formats__z_bits=16,
        formats__z_fraction=8,
        formats__u_fraction=10,
        memory__read_bits=10,
        memory__read_fraction=8,
        layer__rate=(5, 5, 5),
    )
    core = Core(config)
    rng = np.random.default_rng(3)
    core.weights = [rng.integers(-16000, 16001, w.shape) for w in core.weights]
    seen = {}
    x = rng.integers(0, 256, (20, 2))
    for row in x:
        for made in core.walk(row):
            for store, layer, _, values in made.written:
                seen.setdefault((store, layer), []).append(values)
    weights = [config.weight.real(w[:-1]) for w in core.weights[:-1]]
    biases = [config.weight.real(w[-1]) for w in core.weights[:-1]]
    weights.append(config.weight.real(core.weights[-1].T))
    biases.append(np.zeros(2))
    course = leaky_run((x - 128) / 128, weights, biases, 20, 1.0, leak_rate(config))
    for layer, bound in ((0, 0.04), (1, 0.15)):
        a = np.array(seen[Store.A, layer]).reshape(20, 20, -1)
        z = np.array(seen[Store.Z, layer]).reshape(20, 20, -1)
        wanted_a = np.maximum(course[layer].u, 0).swapaxes(0, 1)
        wanted = course[layer].z.swapaxes(0, 1)
        assert np.abs(a / config.u.one - wanted_a).max() < (0.002, 0.06)[layer]
        steady = wanted_a.std(axis=-1) > 0.1  # else the least variance of the core takes part
        assert steady.mean() > 0.8
        assert np.abs(config.z.real(z) - wanted)[steady].max() < bound


def test_presets_learn():
    """Few epochs are enough to be far from chance."""
    from hebbware.golden.data import sets as data
    from hebbware.golden.learn import train

    for name, kind, least in (("xor-leaky", "xor", 0.9), ("linear-leaky", "linear", 0.93)):
        result = train.train(load(name), data.load(kind), 6, validation=0)
        assert result.test > least
