"""Random and mutated frames into the link's gateware, and what must come out of it."""

import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cobs import cobs

from ...golden.config import NO_LABEL, CoreConfig
from ...golden.program.commands import ADDRESS_BITS, LANE_BITS, Op, Space, State, pack
from ...golden.program.layout import Layout
from ...golden.system import children, places
from .. import protocol
from ..link.core import LinkedCore, release
from ..model import Model
from ..protocol import Identity, Message
from .build import build_program

CONFIG = CoreConfig.of((12, 5, 4, 3), lanes=2, seed=7)  # small: the link is what is tested
BUFFER, QUEUE = 256, 128
_WRAPPER = """\
module feed(input bit clk, input bit rst,
    input bit [7:0] rx_payload, input bit rx_valid, output bit rx_ready,
    output bit [7:0] tx_payload, output bit tx_valid, input bit tx_ready);
  dut dut (.clk, .rst,
    .rx__payload(rx_payload), .rx__valid(rx_valid), .rx__ready(rx_ready),
    .tx__payload(tx_payload), .tx__valid(tx_valid), .tx__ready(tx_ready), .hurry());
endmodule
"""


@dataclass(frozen=True)
class Outcome:
    """A run of random frames.

    Attributes
    ----------
    frames, executed, repeated, refused : int
        Frames sent; requests carried out; answered again; refused.
    learned : int
        Samples learned between two resets, at most.
    clocks : int
    hangs : bool
        The link took no more bytes.
    differs_at : int or None
        The first byte of the answers that is not the model's.
    """

    frames: int
    executed: int
    repeated: int
    refused: int
    learned: int
    clocks: int
    hangs: bool
    differs_at: int | None

    @property
    def holds(self) -> bool:
        """Whether gateware and model agree to the last byte."""
        return not self.hangs and self.differs_at is None


def fuzz(
    frames: int,
    *,
    seed: int = 0,
    quick: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Send frames to the gateware, with pauses, and compare every byte that it answers.

    Of a hundred frames about 59 are requests with bytes changed, lost, put in or doubled, 30 are
    random bytes, 5 are whole with something wrong in their header, 5 are in order: samples to
    learn and to infer (some cut or too long), reads, commands of any sort, resets, and
    repetitions. In the place of one a host goes away within a sample and within a request, and
    another one begins. At the end all weights and the counters are read. The answers of the golden
    model tell what is right, weights included.
    """
    program = feeder(CONFIG, quick=quick)
    model = Model(CONFIG, identity(CONFIG))
    generator = Generator(np.random.default_rng(seed), model)
    sent, expected = bytearray(), bytearray()
    learned = 0

    def send(wire: bytes) -> None:
        sent.extend(wire)
        expected.extend(model.take(wire))

    send(generator.greeting())
    for number in range(frames):
        send(generator.frame())
        learned = max(learned, model.core.learned)
        if progress and number % 1000 == 999:
            progress(1000)
    send(b"\0")
    for request in generator.last_reads():
        send(request)
    found, clocks, hangs = feed(program, bytes(sent), seed)
    return Outcome(
        frames,
        model.executed,
        model.repeated,
        model.errors,
        learned,
        clocks,
        hangs,
        _first_difference(found, bytes(expected)),
    )


def identity(config: CoreConfig) -> Identity:
    """What the board that is fed says of itself."""
    return Identity.of(config, buffer=BUFFER, queue=QUEUE, release=release())


def feeder(config: CoreConfig, *, quick: bool = False) -> Path:
    """The program that has a core with its end of the link, and takes bytes of the line."""
    linked = LinkedCore(config, buffer=BUFFER, queue=QUEUE)
    return build_program("feed", linked, sources={"feed.sv": _WRAPPER}, top="feed", quick=quick)


def feed(program: Path, wire: bytes, seed: int = 0) -> tuple[bytes, int, bool]:
    """What is answered to bytes of the line, the clocks, and whether no more bytes are taken.

    `seed` is that of the pauses.
    """
    with places.temporary() as folder:
        source, sink = folder / "in", folder / "out"
        source.write_bytes(wire)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        done = children.run([program, source, sink, str(seed)], **pipes)
        if done.returncode != 3:
            children.check("the simulation of the link", done.returncode, done.stderr)
        return sink.read_bytes(), int(done.stdout), done.returncode == 3


def _first_difference(found: bytes, expected: bytes) -> int | None:
    if found == expected:
        return None
    pairs = zip(found, expected, strict=False)
    different = (n for n, (a, b) in enumerate(pairs) if a != b)
    return next(different, min(len(found), len(expected)))


class Generator:
    """Draws frames as a disturbed line, or a confused program, might send them."""

    def __init__(self, random: np.random.Generator, model: Model):
        self.random, self.model = random, model

    def _wire(self, message: int, sequence: int, payload: bytes, answer: int) -> bytes:
        return cobs.encode(protocol.request(message, sequence % 256, payload, answer))

    def greeting(self) -> bytes:
        """The first requests: none but the last is carried out, whatever its sequence number."""
        early = [self._wire(Message.COUNTERS, sequence, b"", 2) for sequence in (0, 1)]
        identity = self._wire(Message.IDENTITY, 200, b"", protocol.size(protocol.IDENTITY))
        return b"".join(wire + b"\0" for wire in (*early, identity))

    def frame(self) -> bytes:
        """A frame and its delimiter."""
        kind = self.random.integers(100)
        if kind < 5:
            return self._in_order() + b"\0"
        if kind < 10:
            return self._wrong_header() + b"\0"
        if kind < 40:
            return self._bytes(int(self.random.integers(1, 40))) + b"\0"
        if kind < 41:
            return self._death()
        return self._mutated()

    def last_reads(self) -> list[bytes]:
        """Requests for all weights, all registers and the counters."""
        words = Layout(CONFIG).weight_bases[-1]
        most = (protocol.largest_payload(BUFFER) - protocol.HEAD) // protocol.WORD
        reads = [
            (Space.WEIGHT, lane, start, min(most, words - start))
            for lane in range(CONFIG.lanes)
            for start in range(0, words, most)
        ]
        requests = [self._read(*read) for read in [*reads, (Space.STATE, 0, 0, len(State))]]
        requests.append((Message.COUNTERS, b"", protocol.size(protocol.COUNTERS)))
        return [
            self._wire(message, self.model.last + 1 + n, payload, answer) + b"\0"
            for n, (message, payload, answer) in enumerate(requests)
        ]

    # -- parts ------------------------------------------------------------------------------------

    def _bytes(self, count: int) -> bytes:
        return self.random.integers(0, 256, count, np.uint8).tobytes()

    def _read(self, space: Space, lane: int, address: int, count: int):
        head = pack(Op.READ, space, address, lane) & 0xFFFFFFFF
        payload = head.to_bytes(protocol.HEAD, "little") + bytes(protocol.WORD * count)
        return Message.COMMAND, payload, protocol.WORD * count

    def _request(self):
        """Message, payload and answer of a request that a board carries out."""
        random = self.random
        kind = random.integers(20)
        if kind == 0:
            return Message.RESET, b"", 0
        if kind == 1:
            return Message.COUNTERS, b"", int(random.integers(0, 20))
        if kind == 2:
            return Message.IDENTITY, b"", int(random.integers(0, 40))
        if kind < 6:
            count = int(random.integers(1, 10))
            address = int(random.integers(Layout(CONFIG).weight_bases[-1] - count + 1))
            message, payload, answer = self._read(
                Space.WEIGHT, int(random.integers(CONFIG.lanes)), address, count
            )
            return message, payload[: len(payload) - int(random.integers(6))], answer
        if kind == 6:
            return self._commands()
        if kind == 7:
            return Message.SPEED, b"", int(random.integers(0, 5))
        payload = b""
        for _ in range(random.integers(1, 4)):
            x = random.integers(0, 256, CONFIG.inputs) * (random.random(CONFIG.inputs) < 0.4)
            label = random.choice([*range(CONFIG.classes), CONFIG.classes, NO_LABEL])
            payload += protocol.packed_sample(x, int(label), CONFIG.input.bits)
        if random.random() < 0.1:  # nonsense that is in order: more inputs than there are
            payload = self._bytes(int(random.integers(1, 30))) + payload
        if random.random() < 0.3:
            payload = payload[: random.integers(len(payload) + 1)]
        payload = payload[: protocol.largest_payload(BUFFER) - 6]
        message = Message.SAMPLES if random.random() < 0.6 else Message.CLASSES
        return message, payload, int(random.integers(0, 40))

    def _commands(self):
        """Commands of any sort, whether or not there is what they name."""
        random = self.random
        near = int(random.choice([0, Layout(CONFIG).weight_bases[-1], (1 << ADDRESS_BITS) - 1]))
        address = max(near + int(random.integers(-3, 2)), 0) % (1 << ADDRESS_BITS)
        lane, space = int(random.integers(1 << LANE_BITS)), int(random.choice(Space))
        if random.random() < 0.7:
            lane %= CONFIG.lanes + 1
        head = pack(int(random.integers(4)), space, address, lane) & 0xFFFFFFFF
        count = int(random.integers(1, 6))
        data = b"".join(
            int(random.choice([0, 1, 5, 0xFFFFFFFF, 0x12345678])).to_bytes(protocol.WORD, "little")
            for _ in range(count)
        )
        payload = head.to_bytes(protocol.HEAD, "little") + data
        return Message.COMMAND, payload, protocol.WORD * count

    def _in_order(self) -> bytes:
        message, payload, answer = self._request()
        last = self.model.last
        wire = self._wire(message, last + 1, payload, answer)
        again = self.random.integers(4)
        if again == 0:
            return wire + b"\0" + wire
        if again == 1:  # a host that goes back in its window
            _, other, short = self._request()
            back = int(self.random.integers(protocol.window(BUFFER)))
            return self._wire(Message.CLASSES, last - back, other, short) + b"\0" + wire
        return wire

    def _wrong_header(self) -> bytes:
        """A sound frame that is not to be carried out."""
        random = self.random
        message, payload, answer = self._request()
        if message is Message.IDENTITY:
            message = Message.COUNTERS
        sequence = self.model.last + 1
        kind = random.integers(6)
        if kind == 4:  # shorter than a header
            data = self._bytes(int(random.integers(6)))
            if random.random() < 0.5:
                data = self._negative(sequence)
            return cobs.encode(data + protocol.checksum(data))
        if kind == 5:  # longer than a payload
            excess = protocol.largest_payload(BUFFER) + int(random.integers(1, 12))
            return self._wire(message, sequence, self._bytes(excess), answer)
        if kind == 0:
            sequence += int(random.integers(1, 256 - protocol.window(BUFFER)))
        elif kind == 1:
            message = int(random.choice([0, *range(max(Message) + 1, 256)]))
        elif kind == 2:
            least = protocol.largest_payload(BUFFER) + 1
            answer = int(random.integers(least, random.choice([least + 1, BUFFER, 1 << 16])))
        else:
            more = int(random.choice([-4, -1, 1, 4, BUFFER, random.integers(1, 1 << 16)]))
            length = (len(payload) + more) % (1 << 16)
            data = struct.pack("<BBHH", message, sequence % 256, length, answer) + payload
            return cobs.encode(data + protocol.checksum(data))
        return self._wire(message, sequence, payload, answer)

    def _death(self) -> bytes:
        """A host that goes away after part of a sample, maybe within a request, and the next."""
        random = self.random
        x = random.integers(0, 256, CONFIG.inputs) * (random.random(CONFIG.inputs) < 0.7)
        sample = protocol.packed_sample(x, int(random.integers(CONFIG.classes)), CONFIG.input.bits)
        half = sample[: random.integers(len(sample))]
        last = self.model.last
        wire = self._wire(Message.SAMPLES, last + 1, half, 0) + b"\0"
        if random.random() < 0.5:
            message, payload, answer = self._request()
            begun = self._wire(message, last + 2, payload, answer)
            wire += begun[: random.integers(len(begun))]
        length = protocol.size(protocol.IDENTITY)
        first = self._wire(Message.IDENTITY, int(random.integers(256)), b"", length)
        return wire + b"\0" + first + b"\0"

    def _negative(self, sequence: int) -> bytes:
        """A frame a byte too short; its length is -1 in as many bits as a buffer's place has, and
        the first byte of the checksum, 0, stands where the answer's second is looked for.
        """
        for answer in range(protocol.largest_payload(BUFFER) + 1):
            for message in Message:
                data = bytes((message, sequence % 256, BUFFER - 1, 0, answer))
                if not protocol.checksum(data)[0]:
                    return data
        return b""

    def _mutated(self) -> bytes:
        """The next request, disturbed; the delimiter may be, too."""
        random = self.random
        message, payload, answer = self._request()
        if message is Message.IDENTITY:
            message = Message.RESET
        wire = bytearray(self._wire(message, self.model.last + 1, payload, answer) + b"\0")
        whole = bytes(wire)
        for _ in range(random.integers(1, 5)):
            at = int(random.integers(len(wire) - 1))
            kind = random.integers(6)
            if kind < 2:
                wire[at] ^= int(random.integers(1, 256))
            elif kind == 2:
                del wire[at]
            elif kind == 3:
                wire.insert(at, int(random.integers(256)))
            elif kind == 4:
                wire.insert(at, wire[at])
            else:
                del wire[at : at + int(random.integers(1, 8))]
            if len(wire) < 2:
                break
        if bytes(wire) == whole:
            return self._bytes(8) + b"\0"
        return bytes(wire)
