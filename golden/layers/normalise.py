"""LayerNorm without scale and offset, in integers.

``z_i = (a_i - mean a) / sqrt(var a)``; the division is a multiplication by a 10-bit mantissa from a
table and a shift by an exponent.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arithmetic.fixed import saturate, shift_round
from ..arithmetic.tables import rsqrt_table

VAR_MIN = 8  # raw units of u squared: keeps a dead layer from blowing up
MANTISSA_BITS = 10
ROOT_HALF = 724  # 1 / sqrt(2) as a mantissa


def reciprocal_of_size(units: int) -> tuple[int, int]:
    """Constants (factor, shift) with ``factor * 2**-shift`` = 1 / units to 16 significant bits.

    Exact for powers of two, whose factor is 1: a shift alone, without a multiplier.
    """
    if units & (units - 1) == 0:
        return 1, units.bit_length() - 1
    shift = 16 + units.bit_length() - 1
    return (2**shift + units // 2) // units, shift


@lru_cache
def unit_thresholds(units: int, bits: int) -> np.ndarray:
    """Thresholds on ``sum |M_c|`` that give ``g_c = round(log2 rms(M_c))`` by counting.

    For a normally distributed row the mean absolute value is ``sqrt(2 / pi)`` of the rms, so
    ``g >= k`` where ``sum |M_c| >= units * sqrt(2 / pi) * 2**(k - 1/2)``.
    """
    scale = units * np.sqrt(2 / np.pi)
    return np.array([int(np.ceil(scale * 2 ** (k - 0.5))) for k in range(1, bits)], np.int64)


def mean(total: int, units: int) -> int:
    """``total / units`` rounded to nearest, through the constants of `reciprocal_of_size`."""
    factor, shift = reciprocal_of_size(units)
    return int(shift_round(int(total) * factor, shift))


@dataclass(frozen=True)
class Scale:
    """What one sample's statistics say about a layer.

    ``1/sqrt(var) = mantissa * 2**-(10 + exponent)``;
    ``power`` is the exponent of the nearest power of two on a logarithmic scale: s2 = 2**-power.
    """

    mean: int
    mantissa: int
    exponent: int

    @property
    def power(self) -> int:
        """``s`` rounded to a power of two; 1 / sqrt(2) is the border."""
        return self.exponent + (self.mantissa < ROOT_HALF)


def exponent_range(config) -> tuple[int, int]:
    """Smallest and largest exponent that `statistics` can return."""
    low = VAR_MIN.bit_length() - 1 - 2 * config.u.fraction
    high = 2 * (config.u.width - 1) - 1 - 2 * config.u.fraction
    return low // 2, high // 2


def statistics(config, total: int, squares: int, units: int) -> Scale:
    """Mean, mantissa and exponent from ``sum a`` and ``sum a**2`` (raw) of a layer of `units`."""
    centre = mean(total, units)
    var = max(mean(squares, units) - centre * centre, VAR_MIN)
    # var = v * 4**exponent with v in [1, 4); the table takes v's leading bits
    exponent = (var.bit_length() - 1 - 2 * config.u.fraction) // 2
    drop = 2 * config.u.fraction + 2 * exponent - (config.formats.rsqrt_bits - 2)
    index = var >> drop if drop >= 0 else var << -drop
    mantissa = int(rsqrt_table(config.formats.rsqrt_bits, MANTISSA_BITS)[index])
    return Scale(centre, mantissa, exponent)


def normalised(config, a: np.ndarray, scale: Scale) -> np.ndarray:
    """Activations ``a`` (raw u) to ``z`` (raw z), with the statistics of the layer."""
    shift = MANTISSA_BITS + scale.exponent + config.u.fraction - config.z.fraction
    return saturate(shift_round((a - scale.mean) * scale.mantissa, shift), config.z)


def normalise(config, a: np.ndarray) -> tuple[np.ndarray, Scale]:
    """Activations ``a`` (raw u, not negative) to ``z`` (raw z), and the scale used."""
    scale = statistics(config, int(a.sum()), int(a @ a), a.size)
    return normalised(config, a, scale), scale
