"""What a board's end of the link does, byte for byte, in plain Python over the golden core.

The gateware is held to it; it is the link's golden model.
"""

import struct

import numpy as np
from cobs import cobs

from ..golden.config import NO_LABEL, CoreConfig
from ..golden.core import Core
from ..golden.program.commands import ADDRESS_BITS, Command, unpack
from ..golden.timing.access import Access
from . import protocol
from .protocol import Identity, Message, Unpacker


class Model:
    """A board: takes bytes of the line, gives those that it answers.

    Parameters
    ----------
    config : CoreConfig
    identity : Identity
        What it says of itself; `buffer` is the bytes of its frame buffers.

    Attributes
    ----------
    core : Core
    errors : int
        Frames refused.
    executed, repeated : int
        Requests carried out, and answered again.
    last : int or None
        Sequence number of the last request carried out.
    right : int
        Samples whose class was their label.
    """

    def __init__(self, config: CoreConfig, identity: Identity):
        self.config, self.identity, self.buffer = config, identity, identity.buffer
        self.errors = self.executed = self.repeated = self.right = 0
        self.last = None
        self._line = b""
        self._replies = bytearray(self.buffer)
        self._reset()

    def _reset(self):
        self.core = Core(self.config)
        self.access = Access(self.core)
        self._unpacker = Unpacker(self.config.inputs, self.config.input.bits)
        self._ticks = []  # of the sequence that is coming in: inputs and labels

    def take(self, data: bytes) -> bytes:
        """What is answered to bytes of the line."""
        *frames, self._line = (self._line + data).split(b"\0")
        return b"".join(map(self._frame, filter(None, frames)))

    def _frame(self, frame: bytes) -> bytes:
        request = self._sound(frame)
        if request:
            message, sequence, payload, answer = request
            if message != Message.IDENTITY and self._is_recent(sequence):
                self.repeated += 1
                return self._kept(sequence)
            expected = None if self.last is None else (self.last + 1) % 256
            if message == Message.IDENTITY or (sequence == expected and message in list(Message)):
                self.executed += 1
                self.last = sequence
                data = self._execute(Message(message), payload)[:answer].ljust(answer, b"\0")
                reply = cobs.encode(protocol.reply(message, sequence, data)) + b"\0"
                for number, byte in enumerate(reply):
                    self._replies[self._place(sequence, number)] = byte
                return reply
        self.errors += 1
        return protocol.REFUSED

    def _is_recent(self, sequence: int) -> bool:
        """Whether it is of the window's last requests."""
        if self.last is None:
            return False
        return (self.last - sequence) % 256 < protocol.window(self.buffer)

    def _place(self, sequence: int, number: int) -> int:
        """Where a byte of a reply is kept: a long one runs over the places of others."""
        return (sequence * protocol.SLOT + number) % self.buffer

    def _kept(self, sequence: int) -> bytes:
        """What is kept where the reply to a request was put, up to its end."""
        out = bytearray()
        while not out or out[-1]:
            out.append(self._replies[self._place(sequence, len(out))])
        return bytes(out)

    def _sound(self, frame: bytes):
        """Fields of a request whose checksum and sizes are right, else None."""
        try:
            data = cobs.decode(frame)
        except cobs.DecodeError:
            return None
        header = protocol.size(protocol.REQUEST)
        if len(data) < header + protocol.CHECK:
            return None
        if protocol.checksum(data[: -protocol.CHECK]) != data[-protocol.CHECK :]:
            return None
        message, sequence, length, answer = struct.unpack_from("<BBHH", data)
        payload = data[header : -protocol.CHECK]
        if length != len(payload) or max(length, answer) > protocol.largest_payload(self.buffer):
            return None
        return message, sequence, payload, answer

    def _execute(self, message: Message, payload: bytes) -> bytes:
        if message is Message.IDENTITY:
            self._unpacker.drop()  # what another host left unfinished
            self._ticks = []
            return self.identity.to_bytes()
        if message is Message.COUNTERS:
            return struct.pack("<HH", self.errors % 2**16, self.right % 2**16)
        if message is Message.RESET:
            self._reset()
            return b""
        if message is Message.SPEED:
            return b""
        if message is Message.COMMAND:
            return self._commands(payload)
        return b"".join(
            self._finish(*sample, only=message is Message.CLASSES)
            for byte in payload
            if (sample := self._unpacker.take(byte)) is not None
        )

    def _commands(self, payload: bytes) -> bytes:
        """The same command for each word of data, at one address after another."""
        fields = unpack(int.from_bytes(payload[: protocol.HEAD], "little"))
        answers, words = b"", payload[protocol.HEAD :]
        for at in range(0, len(words) - protocol.WORD + 1, protocol.WORD):
            data = int.from_bytes(words[at : at + protocol.WORD], "little")
            response, _ = self.access.execute(Command(**fields | {"data": data}))
            answers += struct.pack("<i", response)
            fields["address"] = (fields["address"] + 1) % (1 << ADDRESS_BITS)
        return answers

    def _finish(self, x: np.ndarray, label: int, only: bool) -> bytes:
        given, target = label, label < self.config.classes
        if self.config.recurrent:
            self._ticks.append((x, label if target else NO_LABEL))
            if len(self._ticks) < self.config.neuron.ticks:
                return b""
            x, given = map(np.array, zip(*self._ticks, strict=True))
            target, self._ticks = (given != NO_LABEL).any(), []
        if target:
            found, scores = self.core.learn(x, given)
        else:
            found, scores = self.core.infer(x)
            self.access.inferred += 1
        self.right += int(found) == label
        kind = f"<i{protocol.result_size(self.config)}"
        return bytes([found]) if only else np.array([found, *scores], kind).tobytes()
