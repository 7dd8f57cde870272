"""From features to bytes, against exact rationals and scikit-learn's scalers."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from hebbware.golden.data.encoding import Encoding
from hebbware.golden.errors import InputError

RNG = np.random.default_rng(0)
X = RNG.normal(3, 5, (200, 7)) * 10.0 ** np.arange(-3, 4)


def test_range_is_the_exact_fraction_rounded():
    """``255 (x - low) / (high - low)`` in rational numbers; ties, if any, to even as NumPy does."""
    x = RNG.integers(-1000, 1000, (60, 4)).astype(float)
    encoding = Encoding.fit("range", x)
    low, high = x.min(axis=0), x.max(axis=0)
    for row, found in zip(x, encoding(x), strict=True):
        for value, a, b, byte in zip(row, low, high, found, strict=True):
            exact = 255 * (Fraction(value) - Fraction(a)) / (Fraction(b) - Fraction(a))
            assert abs(exact - int(byte)) <= Fraction(1, 2) + Fraction(1, 10**9)


def test_range_is_that_of_scikit_learn():
    wanted = np.rint(255 * MinMaxScaler().fit_transform(X))
    found = Encoding.fit("range", X)(X)
    assert found.dtype == np.uint8
    assert np.abs(found - wanted).max() <= 1  # both round; their last bit may differ
    assert (found == wanted).mean() > 0.99


@pytest.mark.parametrize("kind", ["range", "quantiles", "log", "standard"])
def test_later_samples_are_encoded_by_the_range_of_the_first(kind):
    x = np.exp(RNG.normal(0, 1, (500, 3)))
    encoding = Encoding.fit(kind, x)
    assert encoding(x.max(axis=0, keepdims=True) * 100).tolist() == [[255] * 3]
    lowest = x.min(axis=0, keepdims=True)
    lowest = lowest / 100 if kind == "log" else lowest - 100
    assert encoding(lowest).tolist() == [[0] * 3]
    assert np.array_equal(encoding(x[:5]), encoding(x)[:5])
    order = np.argsort(x[:, 0])
    assert (np.diff(encoding(x)[order, 0].astype(int)) >= 0).all()


def test_standard_is_that_of_scikit_learn():
    wanted = np.clip(np.rint(255 * (StandardScaler().fit_transform(X) / 12 + 0.5)), 0, 255)
    found = Encoding.fit("standard", X)(X)
    assert np.abs(found - wanted).max() <= 1
    assert (found == wanted).mean() > 0.99


def test_one_outlier_does_not_take_the_range_of_quantiles():
    x = np.linspace(0, 1, 1000)[:, None]
    x[0] = 1e9
    assert len(np.unique(Encoding.fit("range", x)(x))) == 2
    assert len(np.unique(Encoding.fit("quantiles", x)(x))) == 256
    assert Encoding.fit("quantiles", x).clipped(x)[0] == pytest.approx(0.01, abs=0.002)


def test_log_spreads_a_heavy_tail():
    x = 10.0 ** np.linspace(-3, 6, 901)[:, None]
    steps = np.diff(Encoding.fit("log", x)(x)[:, 0].astype(int))
    assert steps.max() <= 1  # even steps of the exponent are even steps of the byte
    assert (np.diff(Encoding.fit("range", x)(x)[:, 0].astype(int)) == 0).mean() > 0.8


def test_a_feature_without_a_range_is_silent():
    x = np.column_stack([np.full(9, 5.0), np.arange(9.0)])
    encoding = Encoding.fit("range", x)
    assert encoding.constant().tolist() == [0]
    assert encoding(x)[:, 0].tolist() == [0] * 9
    assert encoding(x + 1000)[:, 0].tolist() == [0] * 9


def test_a_feature_that_is_constant_has_no_deviation():
    """0.1 has, by rounding: 49 of them have another mean."""
    x = np.column_stack([np.full(49, 0.1), np.arange(49.0)])
    assert x[:, 0].std() > 0
    encoding = Encoding.fit("standard", x)
    assert encoding.constant().tolist() == [0]
    assert encoding(x + 1)[:, 0].tolist() == [0] * 49


def test_huge_ranges_do_not_overflow():
    x = np.array([[-1.7e308], [1.7e308], [0.0]])
    assert Encoding.fit("range", x)(x)[:, 0].tolist() == [0, 255, 128]


def test_numbers_too_large_for_a_deviation():
    x = np.array([[1.0, -1.7e308], [2.0, 1.7e308], [3.0, 0.0]])
    with pytest.raises(InputError, match=r"encoding standard: x must be small .* \(feature 2\)"):
        Encoding.fit("standard", x)


def test_bytes_stay():
    x = np.arange(256)[:, None]
    assert np.array_equal(Encoding.fit("bytes", x)(x), x)
    assert Encoding("bytes").clipped(x).tolist() == [0]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("bytes", 256, "encoding bytes: x must be whole numbers in 0..255, not 256 .sample 2, fea"),
        ("bytes", 0.5, "not 0.5 .sample 2, feature 1"),
        ("bytes", -1, "not -1 "),
        ("log", 0, "encoding log: x must be above 0, not 0 .sample 2, feature 1"),
        ("power", 1, "encoding must be one of bytes, range, quantiles, log, standard, not 'power'"),
    ],
)
def test_values_that_an_encoding_cannot_take(kind, value, message):
    x = np.array([[1.0, 2.0], [value, 3.0]])
    with pytest.raises(InputError, match=message):
        Encoding.fit(kind, x)(x)


def test_no_samples():
    with pytest.raises(InputError, match="at least one sample"):
        Encoding.fit("range", np.zeros((0, 3)))
