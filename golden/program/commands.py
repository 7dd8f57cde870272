"""The command side of the core: what a host may ask between samples.

A command is one word with the fields of `FIELDS`; each gets one response of 32 bits. Commands are
carried out when no sample is being worked on; a waiting command goes before a waiting sample. What
each word does is `hebbware.golden.timing.access`; every word of 64 bits does something defined.
"""

from dataclasses import dataclass
from enum import IntEnum
from numbers import Integral

from ..errors import InputError


class Op(IntEnum):
    """What to do; the number that is left does nothing, and is answered with 0."""

    READ = 0  # response: the value
    WRITE = 1  # response: what READ would answer now
    START = 2  # back to the state after reset; response 0 when the start weights are there


class Space(IntEnum):
    """What is addressed."""

    WEIGHT = 0  # address: word of the weight memory; lane: which lane
    MEMORY = 1  # address: word of the class memory; lane: which lane (code bit on top)
    GAIN = 2  # address: layer * classes + class
    STATE = 3  # address: a `State`


class State(IntEnum):
    """Registers of the core."""

    EXTRA = 0  # halvings of every step
    LEARNED = 1  # samples learned, modulo 2**32; read only
    INFERRED = 2  # samples inferred, modulo 2**32; read only
    RANDOM = 3  # the generator's word
    # words of the weight memory that learning wrote (UPDATE and READOUT passes) and in which at
    # least one weight was cut off by saturation; read only, wraps; 0 after reset and START
    SATURATED = 4


OP_BITS, SPACE_BITS, LANE_BITS, ADDRESS_BITS, DATA_BITS = 2, 2, 7, 21, 32
FIELDS = (
    ("op", OP_BITS),
    ("space", SPACE_BITS),
    ("lane", LANE_BITS),
    ("address", ADDRESS_BITS),
    ("data", DATA_BITS),
)


def signed(word: int, bits: int = DATA_BITS) -> int:
    """The low `bits` of `word` as two's complement."""
    low = word & ((1 << bits) - 1)
    return low - (low >> (bits - 1) << bits)


def word_of(fields: tuple[tuple[str, int], ...], values: dict[str, int]) -> int:
    """Numbers as one word, the first of `fields` (name and bits) lowest.

    Raises
    ------
    InputError
        A number that its field cannot hold; `data` may be negative.
    """
    word = offset = 0
    for name, bits in fields:
        value, high = values[name], (1 << bits) - 1
        low = -(1 << (bits - 1)) if name == "data" else 0
        if not isinstance(value, Integral) or not low <= value <= high:
            raise InputError(
                f"{name} of a command must be a whole number in {low}..{high}, not {value!r}"
            )
        word |= (int(value) & high) << offset
        offset += bits
    return word


def pack(op: int, space: int = Space.WEIGHT, address: int = 0, lane: int = 0, data: int = 0) -> int:
    """The command as one word, see `word_of`."""
    values = {"op": op, "space": space, "lane": lane, "address": address, "data": data}
    return word_of(FIELDS, values)


def unpack(word: int) -> dict[str, int]:
    """The fields of a command word, `data` signed."""
    fields = {}
    for name, bits in FIELDS:
        fields[name] = word & ((1 << bits) - 1)
        word >>= bits
    return fields | {"data": signed(fields["data"])}


@dataclass(frozen=True)
class Command:
    """A command of the stimulus: the fields of its word, see `pack`.

    It is not offered before `after` result words have been transferred in total.

    Raises
    ------
    InputError
    """

    op: int
    space: int = Space.WEIGHT
    address: int = 0
    lane: int = 0
    data: int = 0
    after: int = 0

    def __post_init__(self):
        _ = self.word
        if not isinstance(self.after, Integral) or self.after < 0:
            raise InputError(
                f"after of a command must be a whole number from 0 on, not {self.after!r}"
            )

    @property
    def word(self) -> int:
        """The command as the core gets it."""
        return pack(self.op, self.space, self.address, self.lane, self.data)

    @classmethod
    def of(cls, word: int, after: int = 0) -> "Command":
        """The command that is this word of 64 bits."""
        return cls(**unpack(word), after=after)
