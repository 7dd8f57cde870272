"""Compares logs with expectations: every record, its clock included."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .records import Channel

Record = tuple[int, ...]
Decode = Callable[[Channel, Record | None, Record | None], str]


@dataclass(frozen=True)
class Mismatch:
    """The first record of a channel that is not as expected.

    Attributes
    ----------
    channel : str
        Name of the channel.
    index : int
        Number of the record in its log.
    kind : str
        ``"value"`` (right clock, wrong address or data), ``"clock"`` (another clock), ``"missing"``
        (expected, did not come), ``"surplus"`` (came, was not expected).
    expected, got : Record, optional
        The words of the record; None where there is none.
    """

    channel: str
    index: int
    kind: str
    expected: Record | None
    got: Record | None

    @property
    def clock(self) -> int:
        """The clock at which the two part."""
        return min(record[0] for record in (self.expected, self.got) if record is not None)

    def message(self, channel: Channel, decode: Decode | None = None) -> str:
        """Says what differs, on one line or, with what `decode` returns, two.

        Parameters
        ----------
        channel : Channel
            The channel.
        decode : callable, optional
            Given the channel and the two records, puts them in words: layer, index, real units.
        """
        expected, got = _words(channel, self.expected), _words(channel, self.got)
        text = (
            f"clock {self.clock}: {self.channel}, record {self.index}, {self.kind}: "
            f"expected {expected}, got {got}"
        )
        return f"{text}\n{decode(channel, self.expected, self.got)}" if decode else text


def _words(channel: Channel, record: Record | None) -> str:
    """A record, raw."""
    if record is None:
        return "nothing"
    text = f"clock {record[0]}"
    for name, columns in (("address", channel.address_columns), ("data", channel.data_columns)):
        if words := record[columns]:
            text += f" {name} 0x" + "".join(f"{word:08x}" for word in reversed(words))
    return text


class Comparison:
    """Compares the log of a channel with what is expected of it, piece by piece.

    Attributes
    ----------
    expected : numpy.ndarray
        The whole expected log.
    equal : int
        How many records have been found equal so far.
    """

    def __init__(self, channel: str, expected: np.ndarray):
        self.channel = channel
        self.expected = expected
        self.equal = 0

    def feed(self, tail: np.ndarray, now: int) -> Mismatch | None:
        """Compares the records that have come since; `now` clocks have passed.

        Returns the first difference, None where there is none.
        """
        expected = self.expected[self.equal : self.equal + len(tail)]
        both = len(expected)
        if not np.array_equal(tail[:both], expected):
            first = int((tail[:both] != expected).any(axis=1).argmax())
            self.equal += first
            return self._differ(tail[first:])
        self.equal += both
        if both < len(tail):
            return self._mismatch("surplus", None, tail[both])
        if self.equal < len(self.expected) and self.expected[self.equal, 0] < now:
            return self._mismatch("missing", self.expected[self.equal], None)
        return None

    def _differ(self, tail: np.ndarray) -> Mismatch:
        """Names the difference between the next record expected and the first of the tail."""
        expected, got = self.expected[self.equal : self.equal + 2], tail[:2]
        if expected[0, 0] == got[0, 0]:
            return self._mismatch("value", expected[0], got[0])
        if len(expected) == 2 and np.array_equal(expected[1], got[0]):
            return self._mismatch("missing", expected[0], None)
        if len(got) == 2 and np.array_equal(got[1], expected[0]):
            return self._mismatch("surplus", None, got[0])
        return self._mismatch("clock", expected[0], got[0])

    def _mismatch(self, kind: str, expected: np.ndarray | None, got: np.ndarray | None) -> Mismatch:
        rows = [None if r is None else tuple(r.tolist()) for r in (expected, got)]
        return Mismatch(self.channel, self.equal, kind, *rows)
