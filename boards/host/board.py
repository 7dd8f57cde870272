"""A board at a serial port: messages, and what they are made of.

Source of all sizes and layouts: `hebbware.boards.protocol`.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, repeat

import numpy as np

from ...golden.config import NO_LABEL, CoreConfig
from ...golden.data.samples import optional_labels, raw, samples_of
from ...golden.errors import InputError
from ...golden.program.commands import Op, Space, State, pack
from ...golden.program.layout import Layout
from ...golden.sequence import of_sequences
from .. import protocol
from ..protocol import Message
from .requests import GREETINGS, TIMEOUT, TRIES, LinkLost, Requests

BAUD = 1_000_000
TURN = 0.002  # seconds until the board has another speed after its reply
POLL = 0.02  # seconds that a read waits for a byte
ROWS = 64  # of samples that are packed at once
BYTE = 255  # largest input that a sample of the link can have


class NoBoard(InputError):
    """Nothing at the port answers as a board does."""


def check_packages() -> None:
    """Raise InputError where a package is not installed."""
    for name, module in (("pyserial", "serial"), ("cobs", "cobs")):
        if importlib.util.find_spec(module) is None:
            raise InputError(
                f"the package {name} is needed to talk to a board: pip install 'hebbware[boards]'"
            )


def open_port(port: str, baud: int = BAUD):
    """Open a serial port for one program alone.

    Raises
    ------
    InputError
        There is no such port, another program has it, or a package is not installed.
    """
    check_packages()
    import serial

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


class Board(Requests):
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
    fast : bool
        Bring the line to the board's fastest speed, where both ends have it.

    Attributes
    ----------
    identity : Identity
        What the board says of itself.
    repeated, bytes_sent, bytes_received : int
        See `Requests`.

    Raises
    ------
    NoBoard
        Nothing answers, or not as a board does.
    InputError
        The board holds another configuration, or speaks another version of the protocol.
    """

    def __init__(self, line, config: CoreConfig | None = None, *, timeout=TIMEOUT, tries=TRIES,
                 name="the port", fast=True):  # fmt: skip
        super().__init__(line, timeout=min(timeout, 1.0), tries=min(tries, GREETINGS))
        self.config = config
        payload = self._greet(name)
        identity = protocol.read_identity(payload)
        if identity is None:
            raise NoBoard(f"--port: what answers at {name} is no hebbware board")
        self.identity, self.tries, self.timeout = identity, tries, timeout
        if identity.protocol != protocol.VERSION:
            raise InputError(
                f"the board at {name} speaks version {identity.protocol} of the link's protocol, "
                f"this program version {protocol.VERSION}: build the board anew"
            )
        self.widen(identity.buffer, identity.queue)
        if config is not None and identity.fingerprint != config.fingerprint:
            raise InputError(
                f"the board at {name} was built from another configuration: its hash is "
                f"{identity.fingerprint} ({identity.inputs} inputs, {identity.classes} classes), "
                f"that of --config or --from is {config.fingerprint} ({config.inputs} inputs, "
                f"{config.classes} classes)"
            )

        if fast and identity.speed:
            self._hurry(identity.speed * protocol.SPEED, name)

    def _greet(self, name: str) -> bytes:
        """The answer to IDENTITY; a board that another host left at another speed does not
        understand the first one.
        """
        try:
            return self.ask(Message.IDENTITY, b"", protocol.size(protocol.IDENTITY))
        except LinkLost:
            heard = f"{self.bytes_received} bytes came, none of them a reply"
            raise NoBoard(
                f"--port: no hebbware board answers at {name} "
                f"({heard if self.bytes_received else 'nothing came'}); is --baud right?"
            ) from None

    def _hurry(self, speed: int, name: str) -> None:
        """Bring the line to another speed; where nothing comes back at it, to its own again."""
        slow = self.line.baudrate
        if speed <= slow:
            return
        self.ask(Message.SPEED, b"", 0)
        tries, self.tries = self.tries, 3
        try:
            self.line.baudrate = speed
            self._pause(TURN)
            self.ask(Message.COUNTERS, b"", protocol.size(protocol.COUNTERS))
        except (LinkLost, OSError, ValueError):
            self.line.baudrate, self.tries = slow, tries
            self._greet(name)
        self.tries = tries

    def _pause(self, seconds: float) -> None:
        until = self._now() + seconds
        while self._now() < until:
            self.line.read(1)

    # -- messages ---------------------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """What the board has counted since the start.

        Samples learned and inferred; words of weights that learning wrote with one cut off by
        saturation (`State.SATURATED`); frames refused, and samples of the line that were right,
        both since power-up and modulo 65,536.
        """
        counted = self.ask(Message.COUNTERS, b"", protocol.size(protocol.COUNTERS))
        learned, inferred, _, saturated = self.read(Space.STATE, State.LEARNED, 4)
        return {
            "learned": int(learned),
            "inferred": int(inferred),
            "saturated": int(saturated) & 0xFFFFFFFF,
            **dict(zip(("errors", "right"), struct.unpack("<HH", counted), strict=True)),
        }

    @property
    def baud(self) -> int:
        """Bits per second of the line."""
        return self.line.baudrate

    def now(self) -> float:
        """Seconds, of the board where its time is that of the line."""
        return self._now()

    def reset(self) -> None:
        """Reset the core: start weights, empty memories, counts of samples at zero."""
        self.ask(Message.RESET, b"", 0)

    def command(self, op: Op, space: Space, address: int, values: Sequence[int], lane=0):
        """One command for each of `values`, at consecutive addresses: their responses."""
        values = np.asarray(values, np.int64)
        pack(op, space, address + max(len(values) - 1, 0), lane)  # or no such address
        answers = self.exchange(self._commands(op, space, address, values, lane))
        out = [np.frombuffer(reply, "<i4").astype(np.int64) for reply in answers]
        return np.concatenate(out) if out else values

    def _commands(self, op, space, address, values, lane):
        start = 0
        while start < len(values):
            part = values[start : start + (self.room - protocol.HEAD) // protocol.WORD]
            head = pack(op, space, address + start, lane) & 0xFFFFFFFF
            payload = head.to_bytes(protocol.HEAD, "little")
            payload += (part & 0xFFFFFFFF).astype("<u4").tobytes()
            yield Message.COMMAND, payload, protocol.WORD * len(part)
            start += len(part)

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
        int array (n, inputs); of sequences (n, ticks, inputs), and a label may be one for each tick
        (`hebbware.golden.sequence.ticks_with`).

        Raises
        ------
        InputError
            At once, before anything is sent: samples or labels that the board's core does not take
            (`hebbware.golden.data.samples`).
        LinkLost
            As the results are asked for.
        """
        words = 1 + self.identity.classes
        size = protocol.result_size(self.config) if self.config else protocol.RESULT
        replies = self._stream(Message.SAMPLES, x, labels, size * words)
        return (
            (int(result[0]), result[1:])
            for reply in replies
            for result in np.frombuffer(reply, f"<i{size}").reshape(-1, words).astype(np.int64)
        )

    def classes(self, x: np.ndarray, labels: Sequence[int | None]) -> Iterator[int]:
        """As `samples`, but of the results only the classes: many requests are on their way."""
        return chain.from_iterable(self._stream(Message.CLASSES, x, labels, 1))

    def feed(self, x: np.ndarray, labels: Sequence[int | None]) -> Iterator[int]:
        """As `samples`, without results: how many samples more have been worked on.

        What was right is counted by the board, see `counters`.
        """
        done = []
        replies = self._stream(Message.CLASSES, x, labels, 0, done)
        return (done.pop(0) for _ in replies)

    def _stream(self, message, x, labels, size, done=None):
        top = self.config.x.max if self.config else BYTE
        if self.config and self.config.recurrent:
            rows = _ticks(*of_sequences(self.config, x, labels))
        else:
            x = samples_of(x, self.identity.inputs, top)
            labels = optional_labels(labels, self.identity.classes, len(x))
            rows = zip(x, labels, repeat(True))
        return self.exchange(self._parts(message, rows, size, [] if done is None else done))

    def _parts(self, message, rows, size, done):
        """Requests of the samples' bytes; answers of `size` bytes for each that ends in one.

        No more answers than a short reply has, where it has any: only such requests follow each
        other without waiting. How many samples end in each is put into `done`. Of each row `rows`
        gives inputs, label, and whether a result comes after it.
        """
        bits = self.config.input.bits if self.config else 8
        longest = protocol.SHORT if size <= protocol.SHORT else self._most
        most = longest // size if size else None
        payload, ended, room = bytearray(), 0, self.room
        for data, ends in _packed(iter(rows), bits):
            while data:
                cut = room - len(payload)
                payload += data[:cut]
                data = data[cut:]
                ended += ends and not data
                if len(payload) == room or (ended == most and not data):
                    done.append(ended)
                    yield message, bytes(payload), size * ended
                    payload, ended, room = bytearray(), 0, self.room
        if payload:
            done.append(ended)
            yield message, bytes(payload), size * ended


def _packed(rows, bits: int) -> Iterator[tuple[bytes, bool]]:
    """The bytes of each row, and whether a result comes after it; some rows are packed at once."""
    while some := list(islice(rows, ROWS)):
        x, labels, ends = zip(*some, strict=True)
        labels = [NO_LABEL if label is None else label for label in labels]
        yield from zip(protocol.packed_samples(np.stack(x), labels, bits), ends, strict=True)


def _ticks(x, labels):
    """Inputs and label of each tick of sequences, and whether it is the last one."""
    for sequence, targets in zip(x, labels, strict=True):
        targets = [None] * len(sequence) if targets is None else targets.tolist()
        ends = [*repeat(False, len(sequence) - 1), True]
        yield from zip(sequence, targets, ends, strict=True)
