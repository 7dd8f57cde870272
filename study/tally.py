"""Signals of a network, the format of each, and counts of what a format does to them.

==========  ==================================================  ==========  ========================
signal      what                                                format      fields
==========  ==================================================  ==========  ========================
``u``       sums of a layer; the readout's are the scores       ``u``       formats.u_bits, ...
``z``       normalised activations                              ``z``       formats.z_bits, ...
``E``       class memories as read, at unit scale               ``read``    memory.read_bits, ...
``k``       similarities to the class memories                  ``k``       formats.error_fraction
``e``       softmax errors                                      ``e``       formats.error_fraction
``xi``      modulator, before slope and clipping                ``d``       formats.d_bits, ...
``d``       directions: slope times modulator, clipped          ``d``       formats.d_bits, ...
``dM``      changes of the stored class memories                integers    memory.bits
``M``       stored class memories, as written                   integers    memory.bits
``dW``      changes of the weights                              ``weight``  formats.weight_bits
``W``       weights, as written                                 ``weight``  formats.weight_bits
==========  ==================================================  ==========  ========================

Histograms of ``d``, ``M``, ``W`` show what is stored, all others the exact value before rounding.
The core has no value of ``e`` before its rounding, so nothing is counted as lost there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hebbware.golden.arithmetic.fixed import Format, Rounding, saturate, shift_round
from hebbware.golden.config import CoreConfig
from hebbware.golden.reference.class_memory import CLIP

SIGNALS = ("u", "z", "E", "k", "e", "xi", "d", "dM", "M", "dW", "W")
FIELDS = {
    "u": ("formats.u_bits", "formats.u_fraction"),
    "z": ("formats.z_bits", "formats.z_fraction"),
    "E": ("memory.read_bits", "memory.read_fraction"),
    "k": ("formats.error_fraction",),
    "e": ("formats.error_fraction",),
    "xi": ("formats.d_bits", "formats.d_fraction"),
    "d": ("formats.d_bits", "formats.d_fraction"),
    "dM": ("memory.bits",),
    "M": ("memory.bits",),
    "dW": ("formats.weight_bits",),
    "W": ("formats.weight_bits",),
}
"""The fields of the configuration that change the format of a signal."""

LOWEST, HIGHEST = -64, 63  # powers of two of a histogram
SATURATES = 0.1  # share clipped above which a signal is flagged
COARSE = 0.5  # share of what is not zero that is rounded to zero, above which it is flagged
BIASED = 0.1  # bias of rounding, beyond which it is flagged
IDLE = 2  # leading bits never used, from which on it is flagged


def formats(config: CoreConfig) -> dict[str, Format]:
    """Return the format of each signal; class memories count in their own integers."""
    memory = Format(config.stored.width, 0)
    return {
        "u": config.u,
        "z": config.z,
        "E": config.read,
        "k": config.k,
        "e": config.e,
        "xi": config.d,
        "d": config.d,
        "dM": memory,
        "M": memory,
        "dW": config.weight,
        "W": config.weight,
    }


@dataclass
class Tally:
    """What was seen of one signal of one layer.

    Members
    -------
    layer : int
        From 0; the readout is the last.
    signal : str
    format : Format
    values, zero, saturated, lost : int
        Counts: of all; exactly zero; clipped by the format; not zero, but rounded to it.
    largest : float
        Largest magnitude, real units.
    drift, size : float
        Sums of what rounding added, sign included, and of all magnitudes, in last bits.
    counts : array
        Values with ``2**p <= |v| < 2**(p + 1)`` for each p from `LOWEST` on.
    """

    layer: int
    signal: str
    format: Format
    values: int = 0
    zero: int = 0
    saturated: int = 0
    lost: int = 0
    largest: float = 0.0
    drift: float = 0.0
    size: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(HIGHEST - LOWEST + 1, np.int64))

    def add(self, raw, shift=0, rounded=None, stored=False):
        """Take in exact values ``raw * 2**-shift`` in units of the format's last bit.

        Parameters
        ----------
        raw, shift : integer arrays
            They broadcast; shifts may be negative.
        rounded : integer array, optional
            What rounding made of them; by default the nearest integer.
        stored : bool
            Show what is stored in the histogram, and not the exact values.
        """
        rounded = shift_round(raw, shift) if rounded is None else rounded
        kept = saturate(rounded, self.format)
        self.saturated += int(np.count_nonzero(rounded != kept))
        self.lost += int(np.count_nonzero((rounded == 0) & (raw != 0)))
        exact = np.ldexp(np.asarray(raw, float), -np.asarray(shift))
        self.drift += float((rounded - exact).sum())
        self.size += float(np.abs(exact).sum())
        raw, shift = np.broadcast_arrays(*((kept, 0) if stored else (raw, shift)))
        nonzero = raw != 0
        # |v| = mantissa * 2**exponent with a mantissa in [1/2, 1)
        mantissa, exponent = np.frexp(np.abs(raw[nonzero]).astype(float))
        exponent = exponent - shift[nonzero] - self.format.fraction
        self.values += raw.size
        self.zero += raw.size - exponent.size
        if exponent.size:
            self.largest = max(self.largest, float(np.ldexp(mantissa, exponent).max()))
            bins = np.clip(exponent - 1, LOWEST, HIGHEST) - LOWEST
            self.counts += np.bincount(bins, minlength=self.counts.size)

    @property
    def histogram(self) -> dict[int, int]:
        """Counts that are not zero, by power of two."""
        return {LOWEST + int(i): int(self.counts[i]) for i in np.flatnonzero(self.counts)}

    @property
    def saturated_share(self) -> float:
        """Of all values."""
        return self.saturated / self.values if self.values else 0.0

    @property
    def lost_share(self) -> float:
        """Of the values that were not zero."""
        nonzero = self.values - self.zero + (self.lost if self.signal in ("d", "M", "W") else 0)
        return self.lost / nonzero if nonzero else 0.0

    @property
    def bias(self) -> float:
        """What rounding adds on average, as a share of the mean magnitude."""
        return self.drift / self.size if self.size else 0.0

    @property
    def idle_bits(self) -> int:
        """Leading bits, sign left out, that no value used."""
        top = self.format.width - self.format.signed
        used = int(np.frexp(self.largest)[1]) + self.format.fraction if self.largest else 0
        return min(max(top - used, 0), top)

    def verdict(self, rounding: Rounding) -> str:
        """``saturates``, ``coarse``, ``biased``, ``n idle bits``, several joined, or nothing.

        Changes are small against what they change: idle bits are none there, and what stochastic
        rounding loses comes back on average. The rule itself clips directions at +-2, and
        reads memories so: no format that reaches that far is too small for them.
        """
        found = []
        by_rule = self.signal in ("E", "xi", "d") and self.format.max + 1 >= CLIP * self.format.one
        if abs(self.bias) > BIASED:
            found.append("biased")
        if self.saturated_share > SATURATES and not by_rule:
            found.append("saturates")
        change = self.signal in ("dM", "dW")
        averaged = self.signal == "dM" or (self.signal == "dW" and rounding is Rounding.STOCHASTIC)
        if self.lost_share > COARSE and not averaged:
            found.append("coarse")
        if self.idle_bits >= IDLE and not change and self.values > self.zero:
            found.append(f"{self.idle_bits} idle bits")
        return ", ".join(found)
