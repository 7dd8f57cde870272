"""LayerNorm in integers against exact rationals and floats, with bounds that are derived here."""

from fractions import Fraction
from math import isqrt, log2, sqrt

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.normalise import (
    exponent_range,
    mean,
    normalise,
    reciprocal_of_size,
    statistics,
)

CONFIG = CoreConfig.of((4, 8, 3))


def test_division_constants_are_within_16_bits_of_exact():
    for units in range(2, 301):
        factor, shift = reciprocal_of_size(units)
        assert factor < 2**17
        error = Fraction(factor, 2**shift) * units - 1
        assert abs(error) <= Fraction(1, 2**16), units
        if units & (units - 1) == 0:
            assert error == 0


def test_mean_is_the_exact_one_to_half_a_unit():
    rng = np.random.default_rng(0)
    for units in range(2, 301):
        for total in [0, units - 1, units, *rng.integers(0, units * 32767, 20).tolist()]:
            exact = Fraction(total, units)
            assert abs(mean(total, units) - exact) <= Fraction(1, 2) + exact / 2**16


def activations(rng, config, units):
    """Rectified activations of every size, sparsity and shape, and the extremes."""
    top = config.u.max
    for _ in range(60):
        scale = 2 ** rng.uniform(0, log2(top))
        a = rng.normal(rng.choice([-1, 0, 0, 2]) * scale, scale, units)
        yield np.clip(a, 0, top).astype(np.int64)
    yield np.zeros(units, np.int64)
    yield np.full(units, top)
    yield np.eye(units, dtype=np.int64)[0] * top
    yield np.where(np.arange(units) < units // 2, top, 0)
    yield np.where(np.arange(units) < units // 2, top, top - 1)


WIDE = {
    **{"formats.z_bits": 16, "formats.z_fraction": 10, "formats.rsqrt_bits": 10},
    **{"memory.read_fraction": 10, "memory.read_bits": 16},
}


@pytest.mark.parametrize("units", [2, 3, 13, 64, 100])
@pytest.mark.parametrize("options", [{}, WIDE])
def test_against_float_layer_norm(units, options):
    cfg = CoreConfig.of((4, units, 3), **options)
    rng = np.random.default_rng(units)
    checked = 0
    for a in activations(rng, cfg, units):
        z, _ = normalise(cfg, a)
        centre, squares = a.mean(), (a.astype(float) ** 2).mean()
        var = max(a.astype(float).var(), 8)  # a dead layer is not blown up
        # the mean is rounded to a unit, sums are divided with 16 bits
        d_mean = 0.5 + centre / 2**16
        d_var = 2 * centre * d_mean + d_mean**2 + 0.5 + squares / 2**16
        if var <= 4 * d_var:
            continue  # the variance drowns in the mean's rounding
        std = sqrt(var)
        # table: middle of an interval, width 4 / entries on [1, 4), and a mantissa of 9 to 10 bits
        relative = 1 / 2**cfg.formats.rsqrt_bits + 2**-10 + 0.5 * d_var / (var - d_var)
        exact = (a - centre) / std
        bound = np.abs(exact) * relative + 1.1 * d_mean / std + 0.5 / cfg.z.one
        clipped = np.clip(exact, cfg.z.real(cfg.z.min), cfg.z.real(cfg.z.max))
        assert (np.abs(cfg.z.real(z) - clipped) <= bound).all()
        checked += 1
    assert checked > 20


def test_dead_layer_gives_zero():
    z, _ = normalise(CONFIG, np.zeros(8, np.int64))
    assert not z.any()


@pytest.mark.parametrize(
    ("u_bits", "u_fraction"),
    [(6, 4), (6, 5), (10, 4), (10, 8), (16, 4), (16, 5), (16, 8), (16, 12)],
)
def test_exponents_stay_in_range_and_the_lowest_is_met(u_bits, u_fraction):
    cfg = CoreConfig.of((4, 8, 3), formats__u_bits=u_bits, formats__u_fraction=u_fraction)
    low, high = exponent_range(cfg)
    rng = np.random.default_rng(u_bits)
    seen = {
        normalise(cfg, a)[1].exponent
        for units in (2, 3, 8, 299)
        for a in activations(rng, cfg, units)
    }
    assert low <= min(seen)
    assert max(seen) <= high
    assert low in seen


def test_scale_is_the_inverse_root_of_the_variance():
    for var in [8, 9, 15, 16, 100, 1000, 65535, 65536, 10**6, 2**28]:
        # two halves at +-sqrt(var) around a mean would need roots: feed the statistics directly
        scale = statistics(CONFIG, 0, 64 * var, 64)
        exact = 2**CONFIG.u.fraction / sqrt(var)
        assert scale.mantissa / 2 ** (10 + scale.exponent) == pytest.approx(exact, rel=1 / 60)
        # s2: nearest power of two on a logarithmic scale
        assert abs(-scale.power - log2(exact)) <= 0.5 + log2(1 + 1 / 60)


def test_border_of_the_power_of_two_is_the_root_of_a_half():
    assert isqrt(2**20 // 2) == 724
    assert (
        statistics(CONFIG, 0, 64 << 17, 64).power == statistics(CONFIG, 0, 64 << 16, 64).power + 1
    )
