"""The modulator against its formula in rationals and floats, and against a numerical gradient."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.normalise import normalise
from hebbware.golden.layers.softmax import softmax
from hebbware.golden.modulators import class_memory as modulator

HALF = Fraction(1, 2)


def draw(cfg, rng, units, classes):
    a = np.maximum(rng.normal(100, 400, units), 0).astype(np.int64)
    z, scale = normalise(cfg, a)
    read = np.clip(rng.normal(0, cfg.read.one, (classes, units)), cfg.read.min, cfg.read.max)
    return a, z, scale, np.rint(read).astype(np.int64)


@pytest.mark.parametrize("units", [2, 13, 64, 100])
def test_similarities(units):
    cfg = CoreConfig.of((4, units, 5))
    rng = np.random.default_rng(units)
    for _ in range(20):
        _, z, _, read = draw(cfg, rng, units, 5)
        k = modulator.similarities(cfg, z, read)
        for c in range(5):
            exact = Fraction(int(sum(read[c] * z)), units * cfg.z.one * cfg.read.one) * cfg.k.one
            assert abs(int(k[c]) - exact) <= HALF + abs(exact) / 2**16


def test_similarities_saturate():
    cfg = CoreConfig.of((4, 4, 2))
    read = np.array([[cfg.read.max] * 4, [cfg.read.min] * 4])
    assert modulator.similarities(cfg, np.full(4, cfg.z.max), read).tolist() == [
        cfg.k.max,
        cfg.k.min,
    ]


def test_errors_and_jacobian():
    cfg = CoreConfig.of((4, 8, 6))
    rng = np.random.default_rng(0)
    for _ in range(50):
        k, label = rng.integers(-2000, 2000, 6), int(rng.integers(6))
        error, jacobian = modulator.errors(cfg, k, label)
        p = softmax(cfg, 16 * k, cfg.e.fraction)  # beta = 16
        assert error.tolist() == [int(p[c]) - 1024 * (c == label) for c in range(6)]
        exact = sum(Fraction(int(e) * int(v), cfg.k.one) for e, v in zip(error, k, strict=True))
        assert jacobian == min(max(floor(exact + HALF), cfg.k.min), cfg.k.max)


def test_jacobian_saturates():
    cfg = CoreConfig.of((4, 8, 2))
    # errors -1 and 1 times similarities -4 and (almost) 4
    assert modulator.errors(cfg, np.array([cfg.k.min, cfg.k.max]), 0)[1] == cfg.k.max
    assert modulator.errors(cfg, np.array([cfg.k.min, cfg.k.max]), 1) == (pytest.approx([0, 0]), 0)


@pytest.mark.parametrize(
    "formats", [{}, {"formats.d_bits": 12, "formats.d_fraction": 9, "formats.z_fraction": 2}]
)
def test_direction_is_the_formula(formats):
    cfg = CoreConfig.of((4, 20, 5), **formats)
    rng = np.random.default_rng(5)
    real = lambda raw, fmt: Fraction(int(raw), fmt.one)  # noqa: E731
    clipped = 0
    for _ in range(30):
        a, z, scale, read = draw(cfg, rng, 20, 5)
        error, jacobian = rng.integers(-1024, 1025, 5), int(rng.integers(-2000, 2000))
        d = modulator.direction(cfg, error, jacobian, read, z, a > 0, scale.power)
        s2 = Fraction(2) ** -scale.power
        for i in range(20):
            pull = sum(real(error[c], cfg.e) * real(read[c, i], cfg.read) for c in range(5))
            xi = s2 * (pull - real(z[i], cfg.z) * real(jacobian, cfg.k))
            expected = floor(xi * cfg.d.one + HALF) if a[i] > 0 else 0
            clipped += not cfg.d.min <= expected <= cfg.d.max
            assert d[i] == min(max(expected, cfg.d.min), cfg.d.max)
    assert clipped


def test_direction_descends_through_layer_norm():
    """-xi is the descent direction of ``-log softmax(beta k)_y``: numerical differentiation.

    The loss as a function of the activations, in floats; its gradient through LayerNorm is xi less
    its mean, up to a factor.
    """
    cfg = CoreConfig.of(
        (4, 32, 5),
        formats__z_bits=16,
        formats__z_fraction=10,
        memory__read_bits=16,
        memory__read_fraction=12,
        formats__d_bits=16,
        formats__d_fraction=12,
        formats__error_fraction=14,
        formats__exp_bits=8,
        formats__reciprocal_bits=10,
        formats__rsqrt_bits=10,
        modulator__beta_log2=2,
    )
    rng = np.random.default_rng(2)
    for label in range(5):
        a = rng.integers(1, 600, 32)  # all active
        z, scale = normalise(cfg, a)
        memory = rng.normal(0, 0.5, (5, 32))
        read = np.rint(memory * cfg.read.one).astype(np.int64)
        error, jacobian = modulator.errors(cfg, modulator.similarities(cfg, z, read), label)
        d = modulator.direction(cfg, error, jacobian, read, z, a > 0, scale.power)
        assert abs(d).max() < cfg.d.max  # not clipped

        def loss(activations, memory=memory, label=label):
            normal = (activations - activations.mean()) / activations.std()
            logits = 4 * memory @ normal / normal.size
            return np.log(np.exp(logits).sum()) - logits[label]

        step = 1e-3
        gradient = np.array(
            [(loss(a + step * unit) - loss(a - step * unit)) / (2 * step) for unit in np.eye(32)]
        )
        xi = d - d.mean()
        cosine = xi @ gradient / np.linalg.norm(xi) / np.linalg.norm(gradient)
        assert cosine > 0.999


def test_jacobian_term_matters():
    """Without it the direction points elsewhere, and by more than rounding."""
    cfg = CoreConfig.of((4, 32, 5))
    a, z, scale, read = draw(cfg, np.random.default_rng(1), 32, 5)
    read[0] = z << (cfg.read.fraction - cfg.z.fraction)
    error, jacobian = modulator.errors(cfg, modulator.similarities(cfg, z, read), 1)
    assert abs(jacobian) > 100
    with_term = modulator.direction(cfg, error, jacobian, read, z, a > 0, scale.power)
    without = modulator.direction(cfg, error, 0, read, z, a > 0, scale.power)
    assert abs(with_term - without).max() > 4
