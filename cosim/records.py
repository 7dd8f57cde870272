"""Rows of 32-bit words: stimulus and log records.

All arrays are ``uint32`` of shape ``(records, words)``. A value wider than a word starts with its
least significant word.
"""

import math
from dataclasses import dataclass

import numpy as np


def words(width: int) -> int:
    """How many 32-bit words hold `width` bits."""
    return math.ceil(width / 32)


def port_name(name: str) -> str:
    """Name in Verilog of a member, given its path."""
    return name.replace(".", "__")


@dataclass(frozen=True)
class Channel:
    """A port of the component as the bench sees it.

    A record in its log is a row of 32-bit words: the clock, then the address (events), then the
    data (sinks and events), each starting at a new word, the least significant word first.

    Attributes
    ----------
    name : str
        Path of the member, ``"trace.weights"``.
    kind : str
        ``"source"`` (the bench sends), ``"sink"`` (the bench takes), ``"event"`` (logged when
        enabled).
    width : int
        Bits of the payload or the data.
    address_width : int
        Bits of the address of an event, else 0.
    hold : str, optional
        For a source, the sink that its holds count.
    """

    name: str
    kind: str
    width: int
    address_width: int = 0
    hold: str | None = None

    @property
    def port(self) -> str:
        """Common beginning of the port names in Verilog."""
        return port_name(self.name)

    @property
    def address_columns(self) -> slice:
        """Where the address is in a record."""
        return slice(1, 1 + words(self.address_width))

    @property
    def data_columns(self) -> slice:
        """Where the data are in a record."""
        return slice(1 + words(self.address_width), self.columns)

    @property
    def columns(self) -> int:
        """Words in a record."""
        return 1 + words(self.address_width) + (words(self.width) if self.kind != "source" else 0)


def pack(*fields: tuple[np.ndarray, int]) -> np.ndarray:
    """Concatenates fields, the first one lowest, as the shapes of Amaranth do.

    Parameters
    ----------
    fields : tuple
        Integers of shape ``(records,)`` or ``(records, lanes)`` and the bits of each (at most 32);
        of negative ones the two's complement is taken.

    Returns
    -------
    numpy.ndarray
        Shape ``(records, words)``.
    """
    lanes = [(column, width) for values, width in fields for column in _columns(values, width)]
    total = sum(width for _, width in lanes)
    packed = np.zeros((len(lanes[0][0]), words(total)), np.uint32)
    offset = 0
    for column, width in lanes:
        word, shift = divmod(offset, 32)
        bits = (column & ((1 << width) - 1)) << shift
        packed[:, word] |= bits.astype(np.uint32)
        if shift + width > 32:
            packed[:, word + 1] = (bits >> 32).astype(np.uint32)
        offset += width
    return packed


def _columns(values: np.ndarray, width: int) -> np.ndarray:
    if not 1 <= width <= 32:
        raise ValueError(f"a field must have 1 to 32 bits, not {width}")
    values = np.asarray(values)
    return np.atleast_2d(values.astype(np.int64).T)


def unpack(
    packed: np.ndarray, width: int, *, lanes: int = 1, offset: int = 0, signed: bool = False
) -> np.ndarray:
    """Takes `lanes` neighbouring fields of `width` bits, from bit `offset` on, out of rows.

    Returns
    -------
    numpy.ndarray
        ``int64``, shape ``(records, lanes)``.
    """
    values = np.empty((lanes, len(packed)), np.int64)
    for lane in range(lanes):
        word, shift = divmod(offset + lane * width, 32)
        values[lane] = packed[:, word]
        if shift + width > 32:
            values[lane] |= packed[:, word + 1].astype(np.int64) << 32
        values[lane] >>= shift
    values &= (1 << width) - 1
    if signed:
        values -= (values >> (width - 1)) << width
    return values.T


def records(
    channel: Channel,
    clock: np.ndarray,
    data: np.ndarray | None = None,
    address: np.ndarray | None = None,
) -> np.ndarray:
    """The log of a channel: what is expected of it, or what was seen.

    Parameters
    ----------
    channel : Channel
        Decides which columns there are: sources have neither `data` nor `address`, sinks no
        `address`.
    clock : numpy.ndarray
        Clock of each record.
    data, address : numpy.ndarray
        Rows of words (see :func:`pack`), or plain integers of shape ``(records,)`` where one word
        holds them.
    """
    log = np.zeros((len(clock), channel.columns), np.uint32)
    log[:, 0] = clock
    given = [
        (channel.address_columns, address, channel.address_width),
        (channel.data_columns, data, channel.width),
    ]
    for columns, values, width in given:
        if columns.start < columns.stop:
            log[:, columns] = as_rows(values, width)
    return log


def as_rows(values: np.ndarray, width: int) -> np.ndarray:
    """Rows of words as they are; plain integers of at most 32 bits packed."""
    values = np.asarray(values)
    rows = pack((values, width)) if values.ndim == 1 else values
    if rows.ndim != 2 or rows.shape[1] != words(width):
        raise ValueError(f"{width} bits must be rows of {words(width)} words, not {rows.shape}")
    return rows
