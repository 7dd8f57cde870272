"""Forward and update against a slow implementation in exact rationals."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.layers import dense

HALF = Fraction(1, 2)


def clip(value, fmt):
    return min(max(value, fmt.min), fmt.max)


@pytest.mark.parametrize("weight_bits", [4, 8, 12, 16])
@pytest.mark.parametrize("source", [0, 4, 8])
def test_forward(weight_bits, source):
    cfg = CoreConfig.of(
        (20, 8, 3), formats__weight_bits=weight_bits, layer__rate=(20, 20), update__halvings=0
    )
    rng = np.random.default_rng(weight_bits)
    w = rng.integers(cfg.weight.min, cfg.weight.max + 1, (20, 8))
    saturated = 0
    for scale in (1, 16, 255):
        x = rng.integers(-scale, scale + 1, 20)
        u = dense.sums(cfg, source, x, w)
        for i in range(8):
            total = sum(
                Fraction(int(x[j]), 2**source) * Fraction(int(w[j, i]), cfg.weight.one)
                for j in range(20)
            )
            expected = clip(floor(total * cfg.u.one + HALF), cfg.u)
            saturated += expected in (cfg.u.min, cfg.u.max)
            assert u[i] == expected
    assert saturated or source  # the largest inputs do saturate


@pytest.mark.parametrize("rounding", ["floor", "nearest", "stochastic"])
@pytest.mark.parametrize("shift", [0, 1, 5, 12])
def test_update(rounding, shift):
    cfg = CoreConfig.of((20, 8, 3), formats__weight_bits=8, update__rounding=rounding)
    rng = np.random.default_rng(shift)
    w = rng.integers(cfg.weight.min, cfg.weight.max + 1, (30, 9))
    pre, post = rng.integers(-255, 256, 30), rng.integers(-128, 128, 9)
    random = rng.integers(0, 2**cfg.update_shift, (30, 9)) if rounding == "stochastic" else None
    got = dense.updated(cfg, w, pre, post, shift, random)
    moved = saturated = 0
    for j in range(30):
        for i in range(9):
            change = Fraction(-int(pre[j]) * int(post[i]), 2**shift)
            if rounding == "floor":
                step = floor(change)
            elif rounding == "nearest":
                step = floor(change + HALF)
            else:  # the leading `shift` bits of the random number, as a fraction of the last bit
                leading = int(random[j, i]) // 2 ** (cfg.update_shift - shift)
                step = floor(change + Fraction(leading, 2**shift))
            expected = clip(int(w[j, i]) + step, cfg.weight)
            moved += step != 0
            saturated += expected in (cfg.weight.min, cfg.weight.max)
            assert got[j, i] == expected
    assert moved
    assert saturated or shift > 10


def test_stochastic_rounding_is_unbiased():
    """Over every value of the random bits the mean step is exactly the change."""
    cfg = CoreConfig.of((20, 8, 3))
    shift, count = 6, 2**cfg.update_shift
    every = np.arange(count)[:, None]
    for product in (1, -1, 37, -37, 64, 100):
        got = dense.updated(
            cfg,
            np.zeros((count, 1), np.int64),
            np.full(count, -product),
            np.array([1]),
            shift,
            every,
        )
        assert Fraction(int(got.sum()), count) == Fraction(product, 2**shift)


def test_zero_input_changes_nothing_under_any_rounding():
    for rounding in ("floor", "nearest", "stochastic"):
        cfg = CoreConfig.of((20, 8, 3), update__rounding=rounding)
        w, top = np.arange(6).reshape(2, 3), np.full((2, 3), 2**cfg.update_shift - 1)
        zero = np.zeros(2, np.int64)
        assert (dense.updated(cfg, w, zero, np.array([3, -5, 7]), 4, top) == w).all()
