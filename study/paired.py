"""Differences between two rules on the same seeds, with their 95 % confidence interval.

Two rules that are trained with the same seed see the same samples in the same order, so what is
told is the mean of the differences seed by seed and Student's interval of it, not two means.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences and its interval; both ends NaN of a single pair."""

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def decided(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0

    def words(self) -> str:
        """Return it in percentage points, or that there is none."""
        if math.isnan(self.low):
            return f"{100 * self.mean:+.2f} (one seed: no interval)"
        interval = f"{100 * self.mean:+.2f} [{100 * self.low:+.2f}, {100 * self.high:+.2f}]"
        return interval if self.decided else f"no difference: {interval}"

    def to_dict(self) -> dict:
        """Plain values for JSON; None for what a single pair does not have."""
        single = math.isnan(self.low)
        return {
            "mean": self.mean,
            "low": None if single else self.low,
            "high": None if single else self.high,
            "pairs": self.pairs,
            "decided": self.decided,
        }


def difference(ones: Sequence[float], others: Sequence[float]) -> Difference:
    """Return ``mean(ones - others)`` with Student's interval, ``mean +- t s / sqrt(n)``.

    Parameters
    ----------
    ones, others : sequence of float
        Seed by seed in the same order; at least one.
    """
    from scipy.stats import t

    gaps = [a - b for a, b in zip(ones, others, strict=True)]
    mean, count = statistics.fmean(gaps), len(gaps)
    if count < 2:
        return Difference(mean, math.nan, math.nan, count)
    reach = float(t.ppf(0.5 + LEVEL / 2, count - 1)) * statistics.stdev(gaps) / math.sqrt(count)
    return Difference(mean, mean - reach, mean + reach, count)
