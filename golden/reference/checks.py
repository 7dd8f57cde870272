"""Checks of arguments: each failure names the argument, the rule and the value."""

import numpy as np

from ..errors import InputError


def matrix(name: str, value, rows: int | None = None, columns: int | None = None) -> np.ndarray:
    """Return `value` as a float64 array of two axes, ``None`` allowing any length.

    Raises
    ------
    InputError
        Not two axes, an axis of another length, or a value that is not finite.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or any(
        wanted is not None and wanted != found
        for wanted, found in zip((rows, columns), array.shape, strict=True)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in (rows, columns))
        raise InputError(f"{name} must have shape ({wanted}), not {array.shape}")
    return finite(name, array)


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """Return `array` if all of it is finite."""
    bad = ~np.isfinite(array)
    if bad.any():
        raise InputError(f"{name} must be finite, not {array[bad][0]} in {bad.sum()} places")
    return array


def positive(name: str, value) -> float:
    """Return `value` as a float above zero and finite."""
    number = float(value)
    if not 0 < number < np.inf:
        raise InputError(f"{name} must be positive and finite, not {value}")
    return number


def count(name: str, value: int, least: int) -> int:
    """Return `value` as an int of at least `least`."""
    if not float(value).is_integer() or value < least:
        raise InputError(f"{name} must be a whole number of at least {least}, not {value}")
    return int(value)


def label(name: str, value: int, classes: int) -> int:
    """Return `value` as a class, ``0 .. classes - 1``."""
    if not float(value).is_integer() or not 0 <= value < classes:
        raise InputError(f"{name} must be a class 0..{classes - 1}, not {value}")
    return int(value)
