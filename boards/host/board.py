"""A board at a serial port: requests that are repeated until answered, and what they are made of.

Source of all sizes and layouts: `hebbware.boards.protocol`.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...golden.config import NO_LABEL, CoreConfig
from ...golden.data.samples import optional_labels, raw, samples_of
from ...golden.errors import InputError
from ...golden.program.commands import Op, Space, State, pack
from ...golden.program.layout import Layout
from .. import protocol
from ..protocol import Message

BAUD = 1_000_000
TIMEOUT = 2.0  # seconds for a reply, at most, before the request is sent again
BROKEN = 0.02  # seconds to wait for another after a broken one
POLL = 0.02  # seconds that a read waits for a byte
TRIES = 50  # of a request, before the link counts as lost
GREETINGS = 5  # of the first one, before the port counts as one without a board
BYTE = 255  # largest input that a sample of the link can have
SMALLEST = 64  # bytes of a payload that a disturbed line brings requests down to


class NoBoard(InputError):
    """Nothing at the port answers as a board does."""


class LinkLost(ConnectionError):
    """The board answered before, and does no more."""


def open_port(port: str, baud: int = BAUD):
    """Open a serial port for one program alone.

    Raises
    ------
    InputError
        There is no such port, another program has it, or pyserial is not installed.
    """
    try:
        import serial
    except ImportError:
        raise InputError(
            "the package pyserial is needed to talk to a board: pip install 'hebbware[boards]'"
        ) from None
    try:
        return serial.Serial(port, baud, timeout=POLL, write_timeout=10, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        if isinstance(error, ValueError) and not isinstance(error, serial.SerialException):
            raise InputError(f"--baud: {baud} is no speed of {port}: {error}") from None
        text = str(error).lower()
        if "lock" in text or getattr(error, "errno", None) == 16:
            raise InputError(f"--port: {port} is in use by another program") from None
        raise InputError(f"--port: cannot open {port}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number:
        import os

        return os.strerror(number)
    return str(error)


class Board:
    """A board that holds the core of a configuration.

    Parameters
    ----------
    line : serial.Serial
        Or anything with its ``read``, ``write``, ``in_waiting``, ``close``; see `open_port`.
    config : CoreConfig, optional
        What the board is to hold; None accepts any, for `identity` and `counters`.
    timeout : float
        Most seconds to wait for a reply.
    tries : int
        How often a request is sent before the link counts as lost.
    name : str
        Of the port, in messages.

    Attributes
    ----------
    identity : Identity
        What the board says of itself.
    repeated : int
        Requests that were sent again.
    bytes_sent, bytes_received : int

    Raises
    ------
    NoBoard
        Nothing answers, or not as a board does.
    InputError
        The board holds another configuration, or speaks another version of the protocol.
    """

    def __init__(self, line, config: CoreConfig | None = None, *, timeout=TIMEOUT, tries=TRIES,
                 name="the port"):  # fmt: skip
        self.line, self.config, self.timeout, self.tries = line, config, timeout, tries
        self.repeated = self.bytes_sent = self.bytes_received = 0
        self._sequence = random.randrange(256)
        self._rest = b""
        self._usual = 0.1  # seconds that replies take
        self._room = protocol.BUFFERS[0]
        try:
            self.tries, self.timeout = min(tries, GREETINGS), min(timeout, 1.0)
            payload = self.ask(Message.IDENTITY, b"", protocol.size(protocol.IDENTITY))
        except LinkLost:
            heard = f"{self.bytes_received} bytes came, none of them a reply"
            raise NoBoard(
                f"--port: no hebbware board answers at {name} "
                f"({heard if self.bytes_received else 'nothing came'}); is --baud right?"
            ) from None
        identity = protocol.read_identity(payload)
        if identity is None:
            raise NoBoard(f"--port: what answers at {name} is no hebbware board")
        self.identity, self.tries, self.timeout = identity, tries, timeout
        self._room = protocol.largest_payload(identity.buffer)
        if identity.protocol != protocol.VERSION:
            raise InputError(
                f"the board at {name} speaks version {identity.protocol} of the link's protocol, "
                f"this program version {protocol.VERSION}: build the board anew"
            )
        if config is not None and identity.fingerprint != config.fingerprint:
            raise InputError(
                f"the board at {name} was built from another configuration: its hash is "
                f"{identity.fingerprint} ({identity.inputs} inputs, {identity.classes} classes), "
                f"that of --config or --from is {config.fingerprint} ({config.inputs} inputs, "
                f"{config.classes} classes)"
            )

    # -- requests ---------------------------------------------------------------------------------

    def ask(self, message: Message, payload: bytes, answer: int) -> bytes:
        """The payload of the reply to a request, which is sent until it is answered.

        Raises
        ------
        LinkLost
            No reply came, however often it was sent.
        """
        from cobs import cobs

        self._sequence = (self._sequence + 1) % 256
        frame = cobs.encode(protocol.request(message, self._sequence, payload, answer))
        wire = b"\0" + frame + b"\0"  # the first ends whatever a disturbed line left behind
        for attempt in range(self.tries):
            self.repeated += attempt > 0
            start = time.monotonic()
            self._send(wire)
            for found in self._replies(min(self.patience * 2**attempt, self.timeout)):
                if found[:2] == (message, self._sequence) and len(found[2]) == answer:
                    self._learn_from(attempt, time.monotonic() - start)
                    return found[2]
        raise LinkLost(f"the board does not answer ({self.tries} tries)")

    def _learn_from(self, repeats: int, seconds: float) -> None:
        """Adapt to the line: patience to what replies take, requests' size to what gets through."""
        self._usual += (seconds - self._usual) / 8
        if repeats:
            self._room = max(self._room // 2, SMALLEST)
        else:
            self._room = min(self._room + self._room // 16, protocol.BUFFERS[1])

    def _send(self, wire: bytes) -> None:
        try:
            self.line.write(wire)
        except OSError as error:  # SerialException is one
            raise LinkLost(f"the serial port failed: {error}") from None
        self.bytes_sent += len(wire)

    @property
    def patience(self) -> float:
        """Seconds to wait for a reply before its request is sent again: what is usual, and more."""
        return min(self.timeout, 0.1 + 4 * self._usual)

    def _replies(self, patience: float) -> Iterator[tuple[int, int, bytes]]:
        """The sound replies that come in, until the line was silent or noisy for too long."""
        from cobs import cobs

        last = time.monotonic() + 10 * patience
        until = time.monotonic() + patience
        while time.monotonic() < min(until, last):
            try:
                got = self.line.read(max(1, self.line.in_waiting))
            except OSError as error:
                raise LinkLost(f"the serial port failed: {error}") from None
            if not got:
                continue
            self.bytes_received += len(got)
            until = time.monotonic() + patience
            *frames, self._rest = (self._rest + got).split(b"\0")
            self._rest = self._rest[-2 * protocol.BUFFERS[1] :]  # of noise without end
            for frame in filter(None, frames):
                try:
                    found = protocol.read_reply(cobs.decode(frame))
                except cobs.DecodeError:
                    found = None
                if found:
                    yield found
                else:  # refused, or a broken reply: do not wait for another
                    until = time.monotonic() + BROKEN

    # -- messages ---------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Bytes to put into a payload: the most that fits, fewer where requests get lost."""
        return min(self._room, protocol.largest_payload(self.identity.buffer))

    def counters(self) -> dict[str, int]:
        """What the board has counted since the start.

        Samples learned and inferred; words of weights that learning wrote with one cut off by
        saturation (`State.SATURATED`); frames refused, modulo 65,536.
        """
        refused = self.ask(Message.COUNTERS, b"", protocol.size(protocol.COUNTERS))
        learned, inferred, _, saturated = self.read(Space.STATE, State.LEARNED, 4)
        return {
            "learned": int(learned),
            "inferred": int(inferred),
            "saturated": int(saturated) & 0xFFFFFFFF,
            "errors": struct.unpack("<H", refused)[0],
        }

    def reset(self) -> None:
        """Reset the core: start weights, empty memories, counts of samples at zero."""
        self.ask(Message.RESET, b"", 0)

    def command(self, op: Op, space: Space, address: int, values: Sequence[int], lane=0):
        """One command for each of `values`, at consecutive addresses: their responses."""
        values = np.asarray(values, np.int64)
        pack(op, space, address + max(len(values) - 1, 0), lane)  # or no such address
        out, start = [], 0
        while start < len(values):
            part = values[start : start + (self.room - protocol.HEAD) // protocol.WORD]
            head = pack(op, space, address + start, lane) & 0xFFFFFFFF
            payload = head.to_bytes(protocol.HEAD, "little")
            payload += (part & 0xFFFFFFFF).astype("<u4").tobytes()
            reply = self.ask(Message.COMMAND, payload, protocol.WORD * len(part))
            out.append(np.frombuffer(reply, "<i4").astype(np.int64))
            start += len(part)
        return np.concatenate(out) if out else values

    def read(self, space: Space, address: int, count: int, lane: int = 0) -> np.ndarray:
        """`count` numbers at consecutive addresses."""
        return self.command(Op.READ, space, address, [0] * count, lane)

    def write(self, space: Space, address: int, values: Sequence[int], lane: int = 0) -> None:
        """Write numbers to consecutive addresses."""
        self.command(Op.WRITE, space, address, values, lane)

    def set_extra(self, halvings: int) -> None:
        """Halve every step so many times; InputError where the core cannot."""
        if self.command(Op.WRITE, Space.STATE, State.EXTRA, [halvings]) != halvings:
            raise InputError(
                f"halvings must lie in 0..{self.config.update.halvings}, not {halvings!r}"
            )

    def weights(self, progress: Callable[[int], None] | None = None) -> list[np.ndarray]:
        """All weights, in the shapes of `hebbware.golden.Core.weights`."""
        layout = Layout(self.config)
        words = np.zeros((layout.weight_bases[-1], self.config.lanes), np.int64)
        for lane in range(self.config.lanes):
            words[:, lane] = self.read(Space.WEIGHT, 0, len(words), lane)
            if progress:
                progress(len(words))
        return layout.weights_from(words)

    def load_weights(
        self, weights: list[np.ndarray], progress: Callable[[int], None] | None = None
    ) -> None:
        """Write all weights; lanes that hold no unit get zeros.

        Raises
        ------
        InputError
            Before anything is sent: other shapes than those of `hebbware.golden.Core.weights`, or
            numbers that are no weights.
        """
        cfg, names = self.config, [f"weights[{layer}]" for layer in range(len(weights))]
        shapes = Layout(cfg).shapes
        if len(weights) != len(shapes):
            raise InputError(f"weights must have {len(shapes)} layers, not {len(weights)}")
        weights = [
            raw(name, layer, shape, cfg.weight.min, cfg.weight.max)
            for name, layer, shape in zip(names, weights, shapes, strict=True)
        ]
        words = Layout(self.config).weight_words(weights)
        for lane in range(self.config.lanes):
            self.write(Space.WEIGHT, 0, words[:, lane], lane)
            if progress:
                progress(len(words))

    # -- samples ----------------------------------------------------------------------------------

    def samples(
        self, x: np.ndarray, labels: Sequence[int | None]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Class and scores of each sample in turn; those with a label are learned.

        Samples share requests where they fit, and are cut where they do not. `x` holds raw inputs,
        int array (n, inputs).

        Raises
        ------
        InputError
            At once, before anything is sent: samples or labels that the board's core does not take
            (`hebbware.golden.data.samples`).
        LinkLost
            As the results are asked for.
        """
        top = self.config.x.max if self.config else BYTE
        x = samples_of(x, self.identity.inputs, top)
        return self._samples(x, optional_labels(labels, self.identity.classes, len(x)))

    def _samples(self, x, labels):
        size = protocol.RESULT * (1 + self.identity.classes)
        payload, answers, room = bytearray(), 0, self.room
        for row, label in zip(x, labels, strict=True):
            tokens = protocol.sample_tokens(row, NO_LABEL if label is None else label)
            for number, token in enumerate(tokens, 1):
                last = number == len(tokens)
                if (
                    len(payload) + len(token) > room
                    or last
                    and answers
                    and (answers + 1) * size > room
                ):
                    yield from self._results(payload, answers)
                    payload, answers, room = bytearray(), 0, self.room
                payload += token
                answers += last
        yield from self._results(payload, answers)

    def _results(self, payload, answers):
        """Send part of the sample stream; `answers` samples end in it."""
        if not payload:
            return
        words = 1 + self.identity.classes
        reply = self.ask(Message.SAMPLES, bytes(payload), protocol.RESULT * words * answers)
        for result in np.frombuffer(reply, "<i2").reshape(answers, words).astype(np.int64):
            yield int(result[0]), result[1:]
