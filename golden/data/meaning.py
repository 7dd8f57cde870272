"""What a network's inputs and classes stand for in the data that it learned.

The numbers of a network mean nothing without it: the same samples must become the same bytes, and
the classes' numbers the same labels, wherever the network goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, one_of
from .encoding import KINDS, Encoding

if TYPE_CHECKING:
    from .dataset import Dataset

NONE = Encoding("bytes")  # of data that came as bytes


@dataclass(frozen=True, eq=False)
class Meaning:
    """What inputs and classes stand for.

    Members
    -------
    encoding : Encoding or None
        How features became bytes; None where they came as bytes.
    features : tuple of str
        Names of the inputs; empty where they have none.
    labels : tuple of str
        What each class is called; empty where classes are just numbers.
    """

    encoding: Encoding | None = None
    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset) -> Meaning:
        """Return that of a data set."""
        return cls(dataset.encoding, dataset.features, dataset.labels)

    def name(self, feature: int) -> str:
        """Return what a feature (from 0) is called in messages: number, and name where known."""
        return f"{feature + 1}" + (f" ({self.features[feature]})" if self.features else "")

    def check(self, dataset: Dataset) -> None:
        """Raise InputError where a data set's inputs or classes stand for something else."""
        where, learned = f"data set {dataset.name}", "as the network learned it"
        mine, other = self.encoding or NONE, dataset.encoding or NONE
        if mine.kind != other.kind:
            raise InputError(f"{where}: encoding must be {mine.kind}, {learned}, not {other.kind}")
        feature = mine.differs(other, dataset.inputs)
        if feature is not None:
            low, high = mine.range_of(feature)
            name = (self if self.features else Meaning.of(dataset)).name(feature)
            raise InputError(
                f"{where}: encoding of feature {name} must be {low:g} to {high:g}, "
                f"{learned}, not {' to '.join(f'{end:g}' for end in other.range_of(feature))}"
            )
        for what, ours, theirs in (
            ("feature", self.features, dataset.features),
            ("class", self.labels, dataset.labels),
        ):
            pairs = zip(ours, theirs, strict=False)
            wrong = next((n for n, (a, b) in enumerate(pairs) if a != b), None)
            if wrong is not None:
                raise InputError(
                    f"{where}: {what} {wrong + 1} must be {ours[wrong]}, {learned}, "
                    f"not {theirs[wrong]}"
                )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what there is of it as arrays of numbers and text, for a file."""
        found = {"features": np.array(self.features), "labels": np.array(self.labels)}
        found = {name: texts for name, texts in found.items() if texts.size}
        if self.encoding:
            low, high = self.encoding.low, self.encoding.high
            found["encoding"] = np.array(self.encoding.kind)
            found["encoding_low"] = np.asarray(low, np.float64)
            found["encoding_high"] = np.asarray(high, np.float64)
        return found

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], inputs: int, classes: int) -> Meaning:
        """Return what `arrays` made, for a network of that many inputs and classes.

        Raises
        ------
        InputError, KeyError
            Arrays that `arrays` does not make.
        """
        encoding = None
        if "encoding" in arrays:
            kind = str(arrays["encoding"])
            if kind not in KINDS:
                raise one_of("encoding", kind, KINDS)
            encoding = Encoding(kind, *_ends(arrays, inputs))
        features, labels = _texts(arrays, "features", inputs), _texts(arrays, "labels", classes)
        return cls(encoding, features, labels)


def _texts(arrays: dict[str, np.ndarray], name: str, count: int) -> tuple[str, ...]:
    found = arrays.get(name)
    if found is None:
        return ()
    if found.shape != (count,) or found.dtype.kind != "U":
        raise InputError(f"{name} must hold {count} names, not {found.dtype} of {found.shape}")
    return tuple(found.tolist())


def _ends(arrays: dict[str, np.ndarray], inputs: int) -> list[np.ndarray | float]:
    """The ends of the ranges; `InputError` where they are none."""
    ends = [arrays["encoding_low"], arrays["encoding_high"]]
    for name, end in zip(("encoding_low", "encoding_high"), ends, strict=True):
        sound = end.shape in ((), (inputs,)) and end.dtype == np.float64
        if not sound or not np.isfinite(end).all():
            raise InputError(
                f"{name} must hold a finite number, or one for each of {inputs} inputs, not "
                f"{end.dtype} of {end.shape}"
            )
    if (ends[1] < ends[0]).any():
        raise InputError("encoding_high must be encoding_low or more in every feature")
    return [end if end.ndim else float(end) for end in ends]
