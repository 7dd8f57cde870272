"""What a board's end of the link does, byte for byte, in plain Python over the golden core.

The gateware is held to it; it is the link's golden model.
"""

import struct

import numpy as np
from cobs import cobs

from ..golden.config import CoreConfig
from ..golden.core import Core
from ..golden.program.commands import ADDRESS_BITS, Command, unpack
from ..golden.timing.access import Access
from . import protocol
from .protocol import Message


class Model:
    """A board: takes bytes of the line, gives those that it answers.

    Parameters
    ----------
    config : CoreConfig
    release : tuple of int
    buffer : int
        Bytes of the frame buffers.

    Attributes
    ----------
    core : Core
    errors : int
        Frames refused.
    executed, repeated : int
        Requests carried out, and answered again.
    last : int or None
        Sequence number of the last request carried out.
    """

    def __init__(self, config: CoreConfig, *, release, buffer: int = protocol.BUFFER):
        self.config, self.release, self.buffer = config, release, buffer
        self.errors = self.executed = self.repeated = 0
        self.last = None
        self._line = b""
        self._reply = b""
        self._reset()

    def _reset(self):
        self.core = Core(self.config)
        self.access = Access(self.core)
        self._inputs = []  # of the sample that is coming in

    def take(self, data: bytes) -> bytes:
        """What is answered to bytes of the line."""
        *frames, self._line = (self._line + data).split(b"\0")
        return b"".join(map(self._frame, filter(None, frames)))

    def _frame(self, frame: bytes) -> bytes:
        request = self._sound(frame)
        if request:
            message, sequence, payload, answer = request
            if message != Message.IDENTITY and self.last is not None and sequence == self.last:
                self.repeated += 1
                return self._reply
            expected = None if self.last is None else (self.last + 1) % 256
            if message == Message.IDENTITY or (sequence == expected and message in list(Message)):
                self.executed += 1
                self.last = sequence
                data = self._execute(Message(message), payload)[:answer].ljust(answer, b"\0")
                self._reply = cobs.encode(protocol.reply(message, sequence, data)) + b"\0"
                return self._reply
        self.errors += 1
        return protocol.REFUSED

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
            self._inputs = []  # that another host left unfinished
            return protocol.identity_bytes(self.config, self.buffer, self.release)
        if message is Message.COUNTERS:
            return struct.pack("<H", self.errors % 2**16)
        if message is Message.RESET:
            self._reset()
            return b""
        return self._commands(payload) if message is Message.COMMAND else self._samples(payload)

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

    def _samples(self, payload: bytes) -> bytes:
        out, at = b"", 0
        while at < len(payload):
            token = payload[at]
            if token:
                self._inputs.append(token)
                at += 1
            elif at + 1 == len(payload):  # cut within a token: what there is of it is dropped
                break
            elif payload[at + 1] != protocol.END:
                self._inputs += [0] * payload[at + 1]
                at += 2
            else:
                self._inputs += [0] * self.config.inputs
                if at + 2 == len(payload):
                    del self._inputs[self.config.inputs :]
                    break
                out += self._finish(payload[at + 2])
                at += 3
            del self._inputs[self.config.inputs :]  # more than a sample has
        return out

    def _finish(self, label: int) -> bytes:
        x = np.array(self._inputs[: self.config.inputs])
        self._inputs = []
        if label < self.config.classes:
            result = self.core.learn(x, label)
        else:
            result = self.core.infer(x)
            self.access.inferred += 1
        return np.array([result[0], *result[1]], "<i2").tobytes()
