"""The host link, defined once: messages, fields, sizes and registers, byte by byte.

The gateware takes its constants from here and the host packs and reads frames with it.

A frame is header, payload and checksum, encoded by COBS (consistent overhead byte stuffing,
Cheshire and Baker 1999) and ended by a zero byte. The host sends requests, a window of them before
the first reply; where a reply does not come it sends the same bytes again. Numbers are
little-endian.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from itertools import zip_longest

import numpy as np

from ..golden.config import CoreConfig
from ..golden.errors import InputError

VERSION = 3
MAGIC = b"HEBB"
REPLY = 0x80  # added to the message's number in its reply
CHECK = 4  # bytes of the checksum, CRC-32/ISO-HDLC of header and payload
BUFFER = 512  # bytes of each of the board's two frame buffers, unless it is built with others
BUFFERS = (128, 4096)  # smallest and largest; a power of two
QUEUE = 4096  # bytes that wait before the first buffer, unless the board is built with others
QUEUES = (0, 32768)  # smallest and largest; 0, or a power of two
SPEED = 100_000  # bits a second, the unit of IDENTITY's `speed`
MEMORY = 8192  # KiB for samples, at most: what the address of a command reaches
SLOT = 64  # bytes of the line that a reply may have to be kept while others follow
MARGIN = 16  # a payload has so many bytes less than a buffer, at most; a power of two
BLOCK = 254  # most bytes that one code byte of COBS covers
HEAD = 4  # bytes of the lower half of a command word: all but its data
WORD = 4  # bytes of a command's data, and of its response
RESULT = 2  # bytes of a word of the result stream
SUM = 4  # the same of a core of sequences, whose scores are sums over ticks
REFUSED = b"\1\0"  # what the board sends on refusing a request: the frame without bytes
ZEROS = 5  # bits of a control byte that count zeros; the others count the inputs that follow
END = 0  # the control byte of nothing: the sample's other inputs are zero, its label follows
NIBBLE = 4  # inputs of no more bits travel two a byte


class Message(IntEnum):
    """What a frame is about."""

    IDENTITY = 1
    COUNTERS = 2
    RESET = 3
    COMMAND = 4
    SAMPLES = 5
    CLASSES = 6
    SPEED = 7


BOARD = 3  # the `op` of commands that a board with a memory for samples carries out itself


class BoardSpace(IntEnum):
    """What such a command is about, in the place of `hebbware.golden.program.commands.Space`."""

    READ_WORD = 0
    WRITE_WORD = 1
    READ_REGISTER = 2
    WRITE_REGISTER = 3


class BoardRegister(IntEnum):
    """Registers of what plays the samples in the memory."""

    TABLE = 0
    COUNT = 1
    HALF = 2
    KEY = 3
    RUN = 4
    DONE = 5
    RIGHT = 6
    CLOCKS = 7
    SUM = 8


@dataclass(frozen=True)
class Field:
    """Some bytes of a frame or of the register page."""

    name: str
    size: int
    meaning: str


REQUEST = (
    Field("message", 1, "number of the message"),
    Field("sequence", 1, "one more than in the request before, modulo 256"),
    Field("length", 2, "bytes of the payload"),
    Field("answer", 2, "bytes of payload that the reply is to have"),
)
RESPONSE = (
    Field("message", 1, f"that of the request + {REPLY}"),
    Field("sequence", 1, "that of the request"),
    Field("length", 2, "bytes of the payload: `answer` of the request"),
)
IDENTITY = (
    Field("magic", 4, f"the letters {MAGIC.decode()}"),
    Field("protocol", 2, f"version of this protocol: {VERSION}"),
    Field(
        "buffer",
        2,
        f"bytes of a frame buffer: a payload has at most {MARGIN} less, and replies of `buffer` / "
        f"{SLOT} requests are kept",
    ),
    Field("fingerprint", 8, "`fingerprint` of the configuration (`hebbware.golden.config`)"),
    Field("inputs", 2, "inputs of a sample"),
    Field("classes", 2, "number of classes"),
    Field("release", 3, "version of the program that built the board: major, minor, patch"),
    Field("speed", 1, "what SPEED brings the line to, in units of 100,000 bits a second; 0: none"),
    Field("queue", 2, "bytes that may wait while a request is worked on"),
    Field("memory", 2, "KiB of the memory for samples; 0: there is none"),
    Field("clock", 4, "clock of the board in Hz"),
)
COUNTERS = (
    Field("errors", 2, "frames refused since power-up, modulo 65,536: broken or out of sequence"),
    Field(
        "right",
        2,
        "samples of SAMPLES and CLASSES whose class was their label, since power-up, modulo 65,536",
    ),
)


def size(fields: tuple[Field, ...]) -> int:
    """Bytes of a group of fields."""
    return sum(field.size for field in fields)


def largest_payload(buffer: int) -> int:
    """Bytes that a payload may have, either way, where the board's buffers have so many."""
    return buffer - MARGIN


def window(buffer: int) -> int:
    """Requests that may be on their way where the board's buffers have so many bytes."""
    return buffer // SLOT


# bytes of a reply's payload, at most, that is kept while others follow: a byte of COBS, the zero
SHORT = SLOT - size(RESPONSE) - CHECK - 2


def framed(payload: int) -> int:
    """Bytes of the line, at most, of a request with so many of payload: its zeros are two."""
    data = size(REQUEST) + payload + CHECK
    return data + data // BLOCK + 1 + 2


def check_queue(queue: int) -> int:
    """Return `queue`, or raise InputError where no board can have one of so many bytes."""
    low, high = QUEUES
    if not low <= queue <= high or queue & (queue - 1):
        raise InputError(f"queue must be 0 or a power of two up to {high}, not {queue!r}")
    return queue


def check_memory(memory: int) -> int:
    """Return `memory`, or raise InputError where no board can have so many KiB for samples."""
    if not 0 <= memory <= MEMORY:
        raise InputError(f"memory must lie in 0..{MEMORY} KiB, not {memory!r}")
    return memory


def check_buffer(buffer: int) -> int:
    """Return `buffer`, or raise InputError where no board can have such frame buffers."""
    low, high = BUFFERS
    if not low <= buffer <= high or buffer & (buffer - 1):
        raise InputError(f"buffer must be a power of two in {low}..{high}, not {buffer!r}")
    return buffer


_IDENTITY = "<4sHH8sHH4sHHI"


@dataclass(frozen=True)
class Identity:
    """The answer to IDENTITY, read.

    `clock` is in Hz, `memory` in KiB, `buffer` and `queue` are in bytes, `speed` is in units of
    `SPEED` bits a second.
    """

    protocol: int
    buffer: int
    fingerprint: str
    inputs: int
    classes: int
    release: str
    queue: int
    memory: int
    clock: int
    speed: int = 0

    @classmethod
    def of(cls, config: CoreConfig, *, buffer: int, queue: int, release: tuple[int, int, int],
           memory: int = 0, clock: int = 0, speed: int = 0) -> "Identity":  # fmt: skip
        """That of a board with the core of `config`."""
        version = ".".join(map(str, release))
        return cls(
            VERSION, buffer, config.fingerprint, config.inputs, config.classes, version, queue,
            memory, clock, speed,
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """What the board answers to IDENTITY."""
        release = bytes([*map(int, self.release.split(".")), self.speed])
        return struct.pack(
            _IDENTITY, MAGIC, self.protocol, self.buffer, bytes.fromhex(self.fingerprint),
            self.inputs, self.classes, release, self.queue, self.memory, self.clock,
        )  # fmt: skip


def read_identity(payload: bytes) -> Identity | None:
    """The fields of IDENTITY's answer; None where it is none."""
    if len(payload) != size(IDENTITY) or payload[:4] != MAGIC:
        return None
    _, protocol, buffer, fingerprint, inputs, classes, release, queue, memory, clock = (
        struct.unpack(_IDENTITY, payload)
    )
    version = ".".join(map(str, release[:3]))
    return Identity(
        protocol, buffer, fingerprint.hex(), inputs, classes, version, queue, memory, clock,
        release[3],
    )  # fmt: skip


def checksum(data: bytes) -> bytes:
    """The checksum that follows `data` in a frame."""
    return zlib.crc32(data).to_bytes(CHECK, "little")


def request(message: int, sequence: int, payload: bytes, answer: int) -> bytes:
    """A request before COBS."""
    data = struct.pack("<BBHH", message, sequence, len(payload), answer) + payload
    return data + checksum(data)


def reply(message: int, sequence: int, payload: bytes) -> bytes:
    """The reply to a request, before COBS."""
    data = struct.pack("<BBH", message | REPLY, sequence, len(payload)) + payload
    return data + checksum(data)


def read_reply(frame: bytes) -> tuple[int, int, bytes] | None:
    """Message (of the request), sequence and payload of a decoded reply; None where it is none."""
    header = size(RESPONSE)
    if len(frame) < header + CHECK or checksum(frame[:-CHECK]) != frame[-CHECK:]:
        return None
    message, sequence, length = struct.unpack_from("<BBH", frame)
    payload = frame[header:-CHECK]
    if not message & REPLY or length != len(payload):
        return None
    return message & ~REPLY, sequence, payload


def result_size(config: CoreConfig) -> int:
    """Bytes of a word of the result stream."""
    return SUM if config.recurrent else RESULT


def packed_sample(x, label: int, bits: int = 8) -> bytes:
    """A sample as it travels and as it lies in a board's memory: zeros counted, the last left out.

    A control byte holds a number of zero inputs in its lowest `ZEROS` bits and in the others the
    number of inputs that follow as they are: a byte each, or two a byte, the first in the lower
    half, where inputs have up to `NIBBLE` bits. The control byte `END` and the label end the
    sample. Where an input is a byte, no shorter row of pieces says the same. Of a sequence this is
    a tick; only the last one has a result.

    Parameters
    ----------
    x : array of int
        Raw inputs.
    label : int
    bits : int
        Of an input.
    """
    x = np.asarray(x)
    places = np.flatnonzero(x).tolist()
    values = x.astype(np.uint8).tobytes()
    if bits > NIBBLE:
        body = _pieces(values, places, 1)
    else:  # a zero between two inputs takes half a byte, and another piece a whole one
        body = min((_pieces(values, places, near, half=True) for near in (1, 2)), key=len)
    return body + bytes((END, label))


def _pieces(values: bytes, places: list[int], near: int, half: bool = False) -> bytes:
    """Control bytes and inputs; those go on while the next that is not 0 is so `near`."""
    most_zeros, most = (1 << ZEROS) - 1, (1 << 8 - ZEROS) - 1
    out, at, number = bytearray(), 0, 0
    while number < len(places):
        start = places[number]
        zeros = start - at
        while zeros > most_zeros:
            out.append(most_zeros)
            zeros -= most_zeros
        end = start + 1
        number += 1
        while number < len(places) and places[number] < min(end + near, start + most):
            end = places[number] + 1
            number += 1
        out.append(zeros | end - start << ZEROS)
        part = values[start:end]
        if half:
            pairs = zip_longest(part[::2], part[1::2], fillvalue=0)
            part = bytes(low | high << 4 for low, high in pairs)
        out += part
        at = end
    return bytes(out)


class Unpacker:
    """Takes byte after byte of samples as `packed_sample` makes them.

    Inputs beyond those of a sample are dropped.
    """

    def __init__(self, inputs: int, bits: int):
        self.inputs, self.half = inputs, bits <= NIBBLE
        self.drop()

    def drop(self) -> None:
        """Forget what there is of a sample."""
        self._x, self._left, self._labels = [], 0, False

    def take(self, byte: int) -> tuple[np.ndarray, int] | None:
        """The sample and its label, where the byte is that."""
        if self._labels:
            x = np.zeros(self.inputs, np.int64)
            x[: len(self._x)] = self._x
            self.drop()
            return x, byte
        if self._left:
            found = [byte & 15, byte >> 4][: self._left] if self.half else [byte]
            self._left -= len(found)
            self._x += found
        else:
            self._x += [0] * (byte & (1 << ZEROS) - 1)
            self._left = byte >> ZEROS
            self._labels = byte == END
        del self._x[self.inputs :]
        return None
