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
MEMORY = 65535  # KiB for samples, at most: what IDENTITY can say
BLOCK_WORDS = 16384  # of a memory for samples that are erased at once, where that has to be
ERASE = 0xFFFFFFFF  # written to the first of them
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


def check_targets(config: CoreConfig):
    """Raise InputError where the link cannot carry the targets of `config`."""
    if config.signal:
        raise InputError("neuron.signal must be false on a board: its link carries classes")


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
    PAGE = 9  # bits of a word's address beyond those of a command


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
    """One sample as `packed_samples` packs it; `x` is an array of its raw inputs."""
    return packed_samples(np.asarray(x)[None], [label], bits)[0]


def packed_samples(x, labels, bits: int = 8) -> list[bytes]:
    """Samples as they travel and as they lie in a board's memory: zeros counted, the last left out.

    A control byte holds a number of zero inputs in its lowest `ZEROS` bits and in the others the
    number of inputs that follow as they are: a byte each, or two a byte, the first in the lower
    half, where inputs have up to `NIBBLE` bits. The control byte `END` and the label end the
    sample. Where an input is a byte, no shorter row of pieces says the same. Of a sequence a sample
    is a tick; only the last one has a result.

    Parameters
    ----------
    x : array of int (n, inputs)
        Raw inputs.
    labels : sequence of int (n,)
    bits : int
        Of an input.
    """
    x, labels = np.asarray(x).astype(np.uint8), np.asarray(labels)
    if bits > NIBBLE:
        return _packed(x, labels, 1, 1)
    # a zero between two inputs takes half a byte, and another piece a whole one
    ways = [_packed(x, labels, near, 2) for near in (1, 2)]
    return [min(pair, key=len) for pair in zip(*ways, strict=True)]


def _packed(x: np.ndarray, labels: np.ndarray, near: int, per_byte: int) -> list[bytes]:
    """Samples in pieces that go on while the next input that is not 0 is so `near`."""
    most_zeros, most = (1 << ZEROS) - 1, (1 << 8 - ZEROS) - 1
    count, inputs = x.shape
    rows, columns = np.nonzero(x)
    # one axis for all samples, so far apart that no piece reaches from one into the next
    places = rows * (inputs + most + near) + columns
    new = np.diff(places, prepend=-most) > near
    last_of = np.append(np.flatnonzero(new)[1:], len(places)) - 1  # of each row of pieces
    group = np.cumsum(new) - 1
    firsts = [np.flatnonzero(new)]  # of each piece, among all inputs that are not 0
    while len(firsts[-1]):
        following = np.searchsorted(places, places[firsts[-1]] + most)
        firsts.append(following[following <= last_of[group[firsts[-1]]]])
    first = np.sort(np.concatenate(firsts))
    last = np.append(first[1:], len(places)) - 1 if len(first) else first
    row, start, end = rows[first], columns[first], columns[last] + 1
    length = end - start
    before = np.append(0, end[:-1]) if len(first) else start
    zeros = start - np.where(np.diff(row, prepend=-1) != 0, 0, before)
    more = np.maximum(zeros - 1, 0) // most_zeros  # control bytes of zeros alone
    body = -(-length // per_byte)
    sizes = np.bincount(row, more + 1 + body, count).astype(int) + 2
    ends = np.cumsum(sizes)
    out = np.full(ends[-1] if count else 0, most_zeros, np.uint8)
    out[ends - 2], out[ends - 1] = END, labels
    # where the control byte of each piece stands: two bytes more for each sample before
    at = np.cumsum(more + 1 + body) - body - 1 + 2 * row
    out[at] = zeros - most_zeros * more | length << ZEROS
    piece = np.repeat(np.arange(len(first)), body)
    byte = np.arange(len(piece)) - np.repeat(np.cumsum(body) - body, body)
    column = start[piece] + per_byte * byte
    value = x[row[piece], column]
    if per_byte == 2:
        upper = x[row[piece], np.minimum(column + 1, inputs - 1)]
        value = value | np.where(column + 1 < end[piece], upper, 0) << NIBBLE
    out[at[piece] + 1 + byte] = value
    data = out.tobytes()
    return [data[end - size : end] for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)]


def passes_runs(config: CoreConfig) -> bool:
    """Whether zeros of packed samples go to the core as runs (`hebbware.golden.data.words`): those
    of centred inputs are not what 0 is to it.
    """
    return config.input.runs and not config.x_zero


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
