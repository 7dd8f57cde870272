"""Softmax in integers against floats, with bounds that are derived here."""

from math import exp

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.softmax import softmax, softmax_error

CONFIG = CoreConfig.of((4, 8, 3))


def exact(t, fraction):
    e = np.exp((t - t.max()) / 2.0**fraction)
    return e / e.sum()


def bound(config, p, step):
    """How far a probability may be off: in its numerator and in the sum's reciprocal."""
    one = 2.0**config.e.fraction
    # each distance is off by half a step, in the numerator and in every term of the sum
    argument = exp(2 * step / 2) - 1
    # the sum: half a unit an entry; the reciprocal: half an interval, and its own rounding
    total = p.size / 2 / one + 1 / 2 ** (config.formats.reciprocal_bits + 1) + 1 / one
    # numerator's rounding times a reciprocal of at most 1; final rounding; the table's cut-off
    return p * (argument + total) * 1.05 + 1.1 / one + exp(-(2**config.formats.exp_bits - 1) / 16)


@pytest.mark.parametrize("classes", [2, 3, 10, 64])
@pytest.mark.parametrize("fraction", [3, 4, 8, 10])
@pytest.mark.parametrize(
    "options",
    [{}, {"formats.error_fraction": 14, "formats.exp_bits": 8, "formats.reciprocal_bits": 10}],
)
def test_against_float(classes, fraction, options):
    cfg = CoreConfig.of((4, 8, classes), **options)
    rng = np.random.default_rng(classes * 100 + fraction)
    # logits on the grid of the table are exact, others are rounded to it
    step = 0 if fraction <= 4 else 1 / 16
    for spread in (0, 0.1, 1, 4, 30):
        for _ in range(40):
            t = np.rint(rng.normal(0, spread, classes) * 2**fraction).astype(np.int64)
            p = exact(t, fraction)
            got = softmax(cfg, t, fraction) / 2.0**cfg.e.fraction
            assert (np.abs(got - p) <= bound(cfg, p, step)).all()


@pytest.mark.parametrize("classes", [2, 10])
def test_exactly_one_when_one_dominates(classes):
    t = np.zeros(classes, np.int64)
    t[1] = 20 << 10
    p = softmax(CONFIG, t, 10)
    assert p.tolist() == [0, 1 << CONFIG.e.fraction, *[0] * (classes - 2)]
    assert not softmax_error(CONFIG, t, 10, 1).any()


@pytest.mark.parametrize("classes", range(2, 65))
def test_ties_share_alike(classes):
    p = softmax(CONFIG, np.full(classes, -777), 10)
    assert len(set(p.tolist())) == 1
    assert abs(int(p[0]) * classes - 1024) <= 1024 / 128 + classes  # reciprocal and rounding


def test_only_differences_count():
    t = np.array([5, -90, 300, 299])
    assert (softmax(CONFIG, t, 8) == softmax(CONFIG, t + 12345, 8)).all()


def test_order_is_kept():
    rng = np.random.default_rng(0)
    for _ in range(100):
        t = np.sort(rng.integers(-4000, 4000, 10))
        assert (np.diff(softmax(CONFIG, t, 10)) >= 0).all()


def test_error_is_probability_minus_one_hot():
    t = np.array([100, 900, 400])
    p = softmax(CONFIG, t, 8)
    for label in range(3):
        one_hot = [1024 * (c == label) for c in range(3)]
        assert (softmax_error(CONFIG, t, 8, label) == p - one_hot).all()


def test_errors_fit_their_format():
    rng = np.random.default_rng(1)
    for classes in (2, 10, 64):
        for _ in range(100):
            t = rng.integers(-300, 300, classes) * int(rng.integers(1, 100))
            e = softmax_error(CONFIG, t, 10, int(rng.integers(classes)))
            assert CONFIG.e.min <= e.min()
            assert e.max() <= CONFIG.e.max
            assert abs(e).max() <= 1 << CONFIG.e.fraction  # -1 .. 1, both included
