"""From features of any range to the bytes that a core takes.

A byte is ``rint(255 (f(x) - low) / (high - low))``, clipped to 0..255, where ``f`` is the identity
or the logarithm. `low` and `high` are fixed by the training samples, for each feature by itself, or
given; whatever comes later is encoded by the same numbers. A feature without a range
(``low = high``) says nothing: its byte is 0.

=============  ========================================  ======================================
kind           low and high of a feature                 for
=============  ========================================  ======================================
``bytes``      none: whole numbers 0..255 stay           images
``range``      its smallest and its largest value        most data
``quantiles``  its quantiles 1/200 and 199/200           outliers
``log``        as ``quantiles``, of the logarithm        positive values with a heavy tail
``standard``   its mean -+ 6 standard deviations         sensors that drift; with centred inputs
=============  ========================================  ======================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError, one_of

KINDS = ("bytes", "range", "quantiles", "log", "standard")
BYTE = 255
DEVIATIONS = 6
TAIL = 1 / 200  # share of values below `low` and above `high` of a robust range


class FeatureError(InputError):
    """A feature has a wrong value, or wrong ones: `what`, said of that feature (from 0).

    Parameters
    ----------
    what : str
    feature : int
    sample : int, optional
        Where there is one such value.
    names : sequence of str
        Of all features; empty where they have none.
    """

    def __init__(self, what: str, feature: int, sample: int | None = None, names=()):
        self.what, self.feature, self.sample = what, feature, sample
        where = [] if sample is None else [f"sample {sample + 1}"]
        where.append(f"feature {feature + 1}" + (f", {names[feature]}" if len(names) else ""))
        super().__init__(f"{what} ({', '.join(where)})")

    def named(self, where: str, names) -> FeatureError:
        """The same error, said of a data set whose features have names."""
        return FeatureError(f"{where}: {self.what}", self.feature, self.sample, names)


@dataclass(frozen=True, eq=False)
class Encoding:
    """How features become bytes.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    low, high : array (features,), or float
        Of ``f(x)``; they become 0 and 255. Not used by ``bytes``.
    """

    kind: str
    low: np.ndarray | float = 0.0
    high: np.ndarray | float = float(BYTE)

    @classmethod
    def fit(cls, kind: str, x: np.ndarray) -> Encoding:
        """Return the encoding of that kind for training samples (samples, features).

        Raises
        ------
        InputError
            Unknown kind, no samples, or values that the kind cannot take.
        """
        if kind not in KINDS:
            raise one_of("encoding", kind, KINDS)
        if kind == "bytes":
            return cls(kind)
        if not len(x):
            raise InputError("encoding needs at least one sample to find the ranges, not 0")
        values = cls(kind)._value(x)
        if kind == "range":
            return cls(kind, values.min(axis=0), values.max(axis=0))
        if kind == "standard":
            with np.errstate(over="ignore", invalid="ignore"):
                mean, reach = values.mean(axis=0), DEVIATIONS * values.std(axis=0)
                ends = np.array([mean - reach, mean + reach])
            constant = (values == values[0]).all(axis=0)  # rounding gives it a deviation
            ends = np.where(constant, values[0], ends)
            wrong = ~np.isfinite(ends).all(axis=0)
            if wrong.any():
                raise FeatureError(
                    "encoding standard: x must be small enough for its deviation to be a number",
                    int(np.argmax(wrong)),
                )
            return cls(kind, *ends)
        low, high = np.quantile(values, (TAIL, 1 - TAIL), axis=0)
        return cls(kind, low, high)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the bytes (u8) of samples, shape (samples, features).

        Raises
        ------
        InputError
            A value that the kind cannot take, named by row and column.
        """
        if self.kind == "bytes":
            _refuse("bytes", "whole numbers in 0..255", x, (x < 0) | (x > BYTE) | (x != np.rint(x)))
            return x.astype(np.uint8)
        values = self._value(x)
        # halves, because the difference of two large numbers need not be one
        half = np.asarray(self.high / 2 - self.low / 2)
        with np.errstate(over="ignore"):
            part = (values / 2 - self.low / 2) / np.where(half > 0, half, 1)
            scaled = np.rint(np.clip(part * BYTE, 0, BYTE)).astype(np.uint8)
        return np.where(half > 0, scaled, np.uint8(0))

    @property
    def features(self) -> int | None:
        """Number of features that have a range each; None where all have the same, or none."""
        return len(self.low) if np.ndim(self.low) else None

    def constant(self) -> np.ndarray:
        """Return the features without a range."""
        return np.flatnonzero(np.atleast_1d(self.high) <= np.atleast_1d(self.low))

    def clipped(self, x: np.ndarray) -> np.ndarray:
        """Return the share of samples beyond the range, for each feature."""
        if self.kind == "bytes":
            return np.zeros(x.shape[1])
        values = self._value(x)
        return ((values < self.low) | (values > self.high)).mean(axis=0)

    def range_of(self, feature: int) -> tuple[float, float]:
        """Return `low` and `high` of a feature (from 0)."""
        low, high = (np.asarray(end, np.float64) for end in (self.low, self.high))
        return tuple(float(end[feature] if end.ndim else end) for end in (low, high))

    def differs(self, other: Encoding, features: int) -> int | None:
        """Return the first feature (from 0) of which the range of another one differs, or None."""
        if self.kind == "bytes":
            return None
        ours, theirs = (
            np.array([np.broadcast_to(end, features) for end in (each.low, each.high)])
            for each in (self, other)
        )
        different = (ours != theirs).any(axis=0)
        return int(np.argmax(different)) if different.any() else None

    def _value(self, x: np.ndarray) -> np.ndarray:
        """``f(x)``, in double precision."""
        x = np.asarray(x, np.float64)
        if self.kind != "log":
            return x
        _refuse("log", "above 0", x, x <= 0)
        return np.log(x)


def _refuse(kind: str, rule: str, x: np.ndarray, wrong: np.ndarray) -> None:
    """Raise InputError for the first value that is wrong."""
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise FeatureError(
            f"encoding {kind}: x must be {rule}, not {x[row, column]:g}", column, row
        )
