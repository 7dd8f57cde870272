"""Rounding and saturation against exact rationals."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hebbware.golden.arithmetic.fixed import Format, Rounding, bits_signed, saturate, shift_round
from hebbware.golden.errors import InputError

VALUES = [*range(-300, 300), -(2**30), 2**30, 2**40 + 2**7, -(2**40) - 2**7, 2**45 - 1]


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


@pytest.mark.parametrize("shift", range(-6, 20))
def test_shift_round_is_nearest_half_up(shift):
    expected = [half_up(Fraction(v) / Fraction(2) ** shift) for v in VALUES]
    assert [shift_round(v, shift) for v in VALUES] == expected
    assert shift_round(np.array(VALUES), shift).tolist() == expected
    # a shift that comes out of an array takes another path
    assert shift_round(np.array(VALUES), np.int64(shift)).tolist() == expected


def test_shift_round_broadcasts():
    raw, shifts = np.array(VALUES)[:, None], np.arange(-5, 12)
    expected = [[half_up(Fraction(v) / Fraction(2) ** int(s)) for s in shifts] for v in VALUES]
    assert shift_round(raw, shifts).tolist() == expected


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("width", [1, 2, 8, 16])
def test_range_holds_exactly_the_values_of_its_bits(width, signed):
    fmt = Format(width, 3, signed)
    patterns = range(2**width)
    values = {p - 2**width if signed and p >> (width - 1) else p for p in patterns}
    assert (fmt.min, fmt.max) == (min(values), max(values))


def test_saturate():
    fmt = Format(4, 2)
    assert saturate(np.arange(-12, 12), fmt).tolist() == [
        -8 if v < -8 else 7 if v > 7 else v for v in range(-12, 12)
    ]
    assert saturate(np.array([-3, 20]), Format(4, 2, signed=False)).tolist() == [0, 15]


def test_real_value():
    assert Format(8, 4).real(-24) == -1.5
    assert Format(8, -3).real(3) == 24
    assert Format(8, 4).one == 16


def test_name():
    assert str(Format(8, 4)) == "s8.4"
    assert str(Format(8, 8, signed=False)) == "u8.8"


def test_bits_signed_is_the_smallest_width():
    for low, high in [(0, 0), (0, 1), (-1, 0), (-8, 7), (-9, 7), (-8, 8), (3, 200), (-200, -3)]:
        width = bits_signed(low, high)

        def holds(bits, low=low, high=high):
            return -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)

        assert holds(width)
        assert width == 1 or not holds(width - 1)


def test_width_is_checked():
    with pytest.raises(InputError, match="width must be at least 1 bit, not 0"):
        Format(0, 0)


def test_roundings_are_named_as_in_configurations():
    assert list(Rounding) == ["floor", "nearest", "stochastic"]
