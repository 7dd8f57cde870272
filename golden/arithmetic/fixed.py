"""Fixed-point formats, rounding and saturation: the arithmetic that every block is made of.

A number is an integer (its *raw* value) and a `Format`; the real value is ``raw * 2**-fraction``.
All functions take and return integers or integer arrays and are exact.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..errors import InputError


class Rounding(StrEnum):
    """How bits are dropped when a value loses precision."""

    FLOOR = "floor"  # towards minus infinity: drop the bits
    NEAREST = "nearest"  # add half of the last kept bit, then floor (half goes up)
    STOCHASTIC = "stochastic"  # add a uniform random number below the last kept bit, then floor


@dataclass(frozen=True)
class Format:
    """A two's complement (or unsigned) fixed-point format.

    Parameters
    ----------
    width : int
        Total number of bits, sign included.
    fraction : int
        Number of bits behind the binary point; may exceed ``width`` or be negative.
    signed : bool

    Raises
    ------
    InputError
        If the width is not positive.
    """

    width: int
    fraction: int
    signed: bool = True

    def __post_init__(self):
        if self.width < 1:
            raise InputError(f"format width must be at least 1 bit, not {self.width!r}")

    @property
    def min(self) -> int:
        """Smallest raw value."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest raw value."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def one(self) -> int:
        """Raw value of 1.0 (which the format need not be able to hold)."""
        return 1 << self.fraction

    def real(self, raw):
        """Real value of a raw one."""
        return np.asarray(raw) / 2.0**self.fraction

    def __str__(self):
        return f"{'s' if self.signed else 'u'}{self.width}.{self.fraction}"


def bits_signed(low: int, high: int) -> int:
    """Width of the smallest two's complement number that holds both `low` and `high`."""
    return max(int(high).bit_length(), int(~low).bit_length() if low < 0 else 0) + 1


def saturate(raw, fmt: Format, out=None):
    """Clip to the range of `fmt`; into the array `out` if there is one."""
    # several times faster than np.clip
    return np.minimum(np.maximum(raw, fmt.min, out=out), fmt.max, out=out)


def shift_round(raw, shift):
    """``raw * 2**-shift`` rounded to the nearest integer, half up; exact for ``shift <= 0``.

    Both arguments may be arrays (they broadcast). For arrays, ``|raw| + 2**(shift - 1)`` and the
    result must fit in 63 bits.
    """
    if isinstance(shift, int):
        return (raw + (1 << shift >> 1)) >> shift if shift > 0 else raw << -shift
    raw, shift = np.asarray(raw), np.asarray(shift)
    right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
    return ((raw + (1 << right >> 1)) >> right) << left
