"""The command side of the core: what a host may ask between samples.

A command is one word with the fields of `FIELDS`; each gets one response of 32 bits. Commands are
carried out when no sample is being worked on; a waiting command goes before a waiting sample.

Lanes that hold no unit (the end of a layer's last block) must keep their weights at 0. A word of
the class memory is read and written whole: where codes are used, the code bit is its highest.
"""

from enum import IntEnum


class Op(IntEnum):
    """What to do."""

    READ = 0  # response: the value
    WRITE = 1  # response: the value written
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
    LEARNED = 1  # samples learned; read only
    INFERRED = 2  # samples inferred; read only
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


def pack(
    op: Op, space: Space = Space.WEIGHT, address: int = 0, lane: int = 0, data: int = 0
) -> int:
    """The command as one word, first field lowest."""
    word = offset = 0
    for (_, bits), value in zip(FIELDS, (op, space, lane, address, data), strict=True):
        word |= (value & ((1 << bits) - 1)) << offset
        offset += bits
    return word
