"""The host link, defined once: messages, fields, sizes and registers, byte by byte.

The gateware takes its constants from here and the host packs and reads frames with it.

A frame is header, payload and checksum, encoded by COBS (consistent overhead byte stuffing,
Cheshire and Baker 1999) and ended by a zero byte. The host sends one request and waits for its
reply; where none comes it sends the same bytes again. Numbers are little-endian.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from ..golden.config import CoreConfig
from ..golden.errors import InputError

VERSION = 2
MAGIC = b"HEBB"
REPLY = 0x80  # added to the message's number in its reply
CHECK = 4  # bytes of the checksum, CRC-32/ISO-HDLC of header and payload
BUFFER = 512  # bytes of each of the board's two frame buffers, unless it is built with others
BUFFERS = (128, 4096)  # smallest and largest; a power of two
MARGIN = 16  # a payload has so many bytes less than a buffer, at most; a power of two
BLOCK = 254  # most bytes that one code byte of COBS covers
HEAD = 4  # bytes of the lower half of a command word: all but its data
WORD = 4  # bytes of a command's data, and of its response
RESULT = 2  # bytes of a word of the result stream
REFUSED = b"\1\0"  # what the board sends on refusing a request: the frame without bytes
END = 0  # the run of no zeros: the sample's other inputs are zero, its label follows


class Message(IntEnum):
    """What a frame is about."""

    IDENTITY = 1
    COUNTERS = 2
    RESET = 3
    COMMAND = 4
    SAMPLES = 5


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
    Field("buffer", 2, f"bytes of a frame buffer; a payload has at most {MARGIN} less"),
    Field("fingerprint", 8, "`fingerprint` of the configuration (`hebbware.golden.config`)"),
    Field("inputs", 2, "inputs of a sample"),
    Field("classes", 2, "number of classes"),
    Field("release", 4, "version of the program that built the board: major, minor, patch, 0"),
)
COUNTERS = (
    Field("errors", 2, "frames refused since power-up, modulo 65,536: broken or out of sequence"),
)


def size(fields: tuple[Field, ...]) -> int:
    """Bytes of a group of fields."""
    return sum(field.size for field in fields)


def largest_payload(buffer: int) -> int:
    """Bytes that a payload may have, either way, where the board's buffers have so many."""
    return buffer - MARGIN


def check_buffer(buffer: int) -> int:
    """Return `buffer`, or raise InputError where no board can have such frame buffers."""
    low, high = BUFFERS
    if not low <= buffer <= high or buffer & (buffer - 1):
        raise InputError(f"buffer must be a power of two in {low}..{high}, not {buffer!r}")
    return buffer


def identity_bytes(config: CoreConfig, buffer: int, release: tuple[int, int, int]) -> bytes:
    """What a board answers to IDENTITY."""
    return struct.pack(
        "<4sHH8sHH4s",
        MAGIC,
        VERSION,
        buffer,
        bytes.fromhex(config.fingerprint),
        config.inputs,
        config.classes,
        bytes([*release, 0]),
    )


@dataclass(frozen=True)
class Identity:
    """The answer to IDENTITY, read."""

    protocol: int
    buffer: int
    fingerprint: str
    inputs: int
    classes: int
    release: str


def read_identity(payload: bytes) -> Identity | None:
    """The fields of IDENTITY's answer; None where it is none."""
    if len(payload) != size(IDENTITY) or payload[:4] != MAGIC:
        return None
    _, protocol, buffer, fingerprint, inputs, classes, release = struct.unpack(
        "<4sHH8sHH4s", payload
    )
    version = ".".join(map(str, release[:3]))
    return Identity(protocol, buffer, fingerprint.hex(), inputs, classes, version)


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


def sample_tokens(x, label: int) -> list[bytes]:
    """A sample as SAMPLES carries it: runs of zero inputs shortened, trailing ones left out.

    A byte other than 0 is an input; 0 and n stand for n zero inputs; 0, 0 and the label end the
    sample, its other inputs are zero. A request may end after any token.
    """
    tokens, at = [], 0
    for place in [n for n, value in enumerate(x) if value]:
        run = place - at
        tokens += [bytes((0, 255))] * (run // 255)
        if run % 255:
            tokens.append(bytes((0, run % 255)))
        tokens.append(bytes((int(x[place]),)))
        at = place + 1
    return [*tokens, bytes((0, END, label))]
