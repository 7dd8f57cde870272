"""What the estimator is given, brought to what the core takes."""

from __future__ import annotations

import numpy as np

from hebbware.golden.data.encoding import KINDS, Encoding
from hebbware.golden.errors import InputError, one_of

RANGES = ("features", "all", *(kind for kind in KINDS if kind not in ("bytes", "range")))
MOST = 1_000_000  # repetitions of a sample


def plain(value):
    """Bring what NumPy made of numbers and lists (a grid, say) back to Python's own."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return type(value)(plain(item) for item in value)
    return value


def whole(name: str, value, low: int, high: int) -> int:
    """Return a whole number in a range; InputError where it is none."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number in {low}..{high}, not {value!r}")
    return value


def flag(name: str, value) -> bool:
    """Return a truth value; InputError where it is none."""
    value = plain(value)
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, not {value!r}")
    return value


def short(classes: np.ndarray) -> str:
    """List labels in an error message."""
    shown = [repr(label) for label in classes.tolist()]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:11], "..."])


def numbers_of(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the numbers of the classes of `y`, as the core takes them."""
    known = {label: number for number, label in enumerate(classes.tolist())}
    try:
        return np.array([known[label] for label in y.tolist()])
    except KeyError as error:
        raise InputError(
            f"y must hold only the classes {short(classes)}, not {error.args[0]!r}"
        ) from None


def seed_of(random_state) -> int:
    """Return the seed of the configuration."""
    from sklearn.utils import check_random_state

    random_state = plain(random_state)
    if isinstance(random_state, int) and not isinstance(random_state, bool):
        if not 0 <= random_state < 2**32:
            raise InputError(f"random_state must lie in 0..{2**32 - 1}, not {random_state}")
        return random_state
    try:
        return int(check_random_state(random_state).randint(2**32, dtype=np.uint32))
    except ValueError:
        raise InputError(
            f"random_state must be a whole number, a RandomState or None, not {random_state!r}"
        ) from None


def encoding_of(given, X: np.ndarray) -> Encoding:
    """Return the encoding that ``input_range`` asks for, fitted to samples where it is to be."""
    given = plain(given)
    if isinstance(given, str) and given in RANGES:
        if given == "all":
            found = Encoding("range", float(X.min()), float(X.max()))
        else:
            found = Encoding.fit("range" if given == "features" else given, X)
        if len(found.constant()) == np.size(found.low):
            raise InputError(
                f"input_range {given!r} needs samples that differ, not {len(X)} equal ones; "
                "give a pair (low, high)"
            )
        return found
    try:
        low, high = (np.asarray(end, np.float64) for end in given) if given != str(given) else ()
    except (TypeError, ValueError):
        low = high = np.zeros(())
    if {low.shape, high.shape} <= {(), (X.shape[1],)}:
        finite = np.isfinite(low).all() and np.isfinite(high).all()
        if finite and (low <= high).all() and (low < high).any():
            if low.shape != high.shape:
                low, high = (np.broadcast_to(end, X.shape[1]).copy() for end in (low, high))
            return Encoding("range", *(end if end.ndim else float(end) for end in (low, high)))
    raise one_of(
        "input_range", given, RANGES,
        ", or a pair (low, high) with low < high, each a number or one for each feature",
    )  # fmt: skip


def repeated(sample_weight, samples: int) -> np.ndarray:
    """Return the rows to learn, each as often as its weight says.

    Raises
    ------
    InputError
        Weights that are not whole numbers from 0 on, one for each sample, or all of them 0.
    """
    if sample_weight is None:
        return np.arange(samples)
    weights = np.asarray(sample_weight)
    if weights.ndim == 0:
        weights = np.full(samples, weights)
    if weights.shape != (samples,) or weights.dtype.kind not in "buif":
        raise InputError(
            f"sample_weight.shape must be ({samples},), numbers, not {weights.dtype} of "
            f"{weights.shape}"
        )
    wrong = ~((weights >= 0) & (weights <= MOST) & (weights == np.rint(weights)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"sample_weight must be whole numbers in 0..{MOST}, how often a sample is learned, not "
            f"{weights[row]:g} (sample {row + 1})"
        )
    if not weights.any():
        raise InputError("sample_weight must hold at least one number above 0: all are zero")
    return np.repeat(np.arange(samples), weights.astype(np.int64))
