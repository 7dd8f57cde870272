"""Paired differences against Student's table."""

import math

import pytest

from hebbware.study.paired import difference


def test_interval_is_that_of_students_table():
    found = difference([0.91, 0.93, 0.95], [0.90, 0.91, 0.92])  # gaps 1, 2, 3 points
    reach = 4.302653 * 0.01 / math.sqrt(3)  # t of 2 degrees of freedom, 97.5 %
    assert found.mean == pytest.approx(0.02)
    assert found.low == pytest.approx(0.02 - reach, abs=1e-8)
    assert found.high == pytest.approx(0.02 + reach, abs=1e-8)
    assert not found.decided
    assert found.words().startswith("no difference: +2.00 [-0.48, +4.48]")


def test_pairs_count_not_means_with_their_own_bars():
    found = difference([0.50, 0.70, 0.90], [0.48, 0.68, 0.881])
    assert found.decided  # the seeds differ by 40 points, their differences by a tenth
    assert found.words() == "+1.97 [+1.82, +2.11]"


def test_one_pair_has_no_interval():
    found = difference([0.5], [0.4])
    assert math.isnan(found.low)
    assert not found.decided
    assert "no interval" in found.words()
    assert found.to_dict() == {
        "mean": pytest.approx(0.1), "low": None, "high": None, "pairs": 1, "decided": False,
    }  # fmt: skip
