"""What a board's end of the link does, byte for byte, in plain Python over the golden core.

The gateware is held to it; it is the link's golden model.
"""

import struct

import numpy as np
from cobs import cobs

from ..golden.commands import ADDRESS_BITS, LANE_BITS, OP_BITS, SPACE_BITS, Op, Space, State
from ..golden.config import CoreConfig
from ..golden.core import Core
from ..golden.layout import Layout
from . import protocol
from .protocol import Message


class Model:
    """A board: takes bytes of the line, gives those that it answers.

    Commands other than reads of weights that exist and of registers are not modelled.

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
        self.inferred = 0
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
        head = int.from_bytes(payload[: protocol.HEAD], "little")
        fields = []
        for bits in (OP_BITS, SPACE_BITS, LANE_BITS, ADDRESS_BITS):
            fields.append(head & ((1 << bits) - 1))
            head >>= bits
        op, space, lane, address = fields
        count = max(len(payload) - protocol.HEAD, 0) // protocol.WORD
        if count and op != Op.READ:
            raise NotImplementedError(f"command {op}")
        return b"".join(
            struct.pack("<i", self._read(space, lane, address + n)) for n in range(count)
        )

    def _read(self, space: int, lane: int, address: int) -> int:
        if space == Space.WEIGHT:
            return int(Layout(self.config).weight_words(self.core.weights)[address, lane])
        registers = {
            State.EXTRA: self.core.extra,
            State.LEARNED: self.core.learned,
            State.INFERRED: self.inferred,
            State.RANDOM: int(np.uint32(self.core.random_state).astype(np.int32)),
            State.SATURATED: int(np.uint32(self.core.saturated).astype(np.int32)),
        }
        return registers[State(address)]

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
            self.inferred += 1
        return np.array([result[0], *result[1]], "<i2").tobytes()
