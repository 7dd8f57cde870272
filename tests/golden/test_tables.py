"""Tables against 50-digit decimals and exact integer comparisons."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest

from hebbware.golden.arithmetic.tables import exp_table, reciprocal_table, rsqrt_table


@pytest.mark.parametrize(("address", "width"), [(7, 11), (4, 7), (10, 15), (6, 12)])
def test_exp(address, width):
    with localcontext() as context:
        context.prec = 50
        expected = [
            int(((Decimal(-i) / 16).exp() * 2 ** (width - 1)).quantize(Decimal(1), ROUND_HALF_UP))
            for i in range(2**address)
        ]
    assert exp_table(address, width).tolist() == expected


@pytest.mark.parametrize(("address", "width"), [(6, 11), (3, 7), (10, 15), (5, 9)])
def test_reciprocal(address, width):
    table = reciprocal_table(address, width).tolist()
    assert len(table) == 2**address
    assert table[0] == 2 ** (width - 1)
    for i, entry in enumerate(table):
        exact = Fraction(2 ** (width - 1)) / (1 + Fraction(i, 2**address))
        assert Fraction(-1, 2) < entry - exact <= Fraction(1, 2)


@pytest.mark.parametrize(("address", "width"), [(6, 10), (4, 10), (10, 10), (8, 12)])
def test_rsqrt(address, width):
    table = rsqrt_table(address, width).tolist()
    size, cap = 2**address, 2**width - 1
    assert len(table) == size
    assert table[: size // 4] == [cap] * (size // 4)
    for i in range(size // 4, size):
        v = 4 * (i + Fraction(1, 2)) / size  # middle of the interval
        low, high = table[i] - Fraction(1, 2), table[i] + Fraction(1, 2)
        # low <= 2**width / sqrt(v) < high, squared so that it stays exact
        assert low * low * v <= 4**width
        assert table[i] == cap or 4**width < high * high * v


def test_rsqrt_covers_one_to_four():
    table = rsqrt_table(6, 10)
    assert table[16:].min() > 2**9  # 1/2 at v = 4
    assert (table[17:] < table[16:-1]).all()
