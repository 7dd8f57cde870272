"""What may be given to be learned or classified: the one check of every entry that takes samples.

Whatever is refused is an `InputError` that names what was given, the rule and the value; nothing is
rounded, clipped or wrapped in silence.
"""

import numpy as np

from ..errors import InputError


def samples_of(x, inputs: int, top: int) -> np.ndarray:
    """`x` as integers (samples, inputs) in 0 .. `top`; `InputError` where it is not that."""
    return raw("x", x, ("samples", inputs), 0, top)


def raw(name: str, values, shape: tuple[int | str, ...], low: int, high: int) -> np.ndarray:
    """`values` as an array of whole numbers.

    Parameters
    ----------
    name : str
        What they are, for the message.
    values : array_like
    shape : tuple of int or str
        That they must have; a word stands for any number.
    low, high : int
        Least and largest value.

    Raises
    ------
    InputError
        Another shape, numbers that are not of an integer type (not even where they are whole), or
        out of range.
    """
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        raise InputError(f"{name} must be an array of shape {_text(shape)}") from None
    if array.shape != shape and not _is_shaped(array.shape, shape):
        raise InputError(f"{name} must have shape {_text(shape)}, not {array.shape}")
    if not array.size:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} must be integers, not {array.dtype}")
    if array.dtype == np.uint8 and low <= 0 and high >= 255:
        return array  # no number of this type is another
    least, most = int(array.min()), int(array.max())
    if not low <= least <= most <= high:
        raise InputError(f"{name} must lie in {low}..{high}, not {least}..{most}")
    return array


def _is_shaped(found, shape) -> bool:
    """Whether a shape is one of those that `raw` is given."""
    return len(found) == len(shape) and all(
        isinstance(wanted, str) or wanted == size for wanted, size in zip(shape, found, strict=True)
    )


def _text(shape) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def label_of(label, classes: int) -> int:
    """`label` as the number of a class, 0 .. `classes` - 1; `InputError` where it is none."""
    if isinstance(label, (bool, np.bool_)) or not isinstance(label, (int, np.integer)):
        raise InputError(f"label must be a whole number, not {label!r}")
    if not 0 <= label < classes:
        raise InputError(f"label must lie in 0..{classes - 1}, not {label}")
    return int(label)


def labels_of(labels, classes: int, samples: int) -> np.ndarray:
    """`labels` as int64 (samples,), numbers of classes; `InputError` where they are none."""
    return raw("labels", _listed(labels), (samples,), 0, classes - 1).astype(np.int64)


def optional_labels(labels, classes: int, samples: int) -> list[int | None]:
    """The same where None stands for a sample that is not to be learned."""
    labels = _listed(labels)
    if isinstance(labels, np.ndarray) and labels.dtype != object:
        return labels_of(labels, classes, samples).tolist()
    given = [label for label in labels if label is not None]
    if len(labels) != samples:
        raise InputError(f"labels must have shape ({samples},), not ({len(labels)},)")
    known = iter(labels_of(given, classes, len(given)).tolist())
    return [label if label is None else next(known) for label in labels]


def _listed(labels):
    """`labels` as an array or a list."""
    if isinstance(labels, (np.ndarray, list)):
        return labels
    try:
        return list(labels)
    except TypeError:
        raise InputError(f"labels must be a list or an array, not {labels!r}") from None
