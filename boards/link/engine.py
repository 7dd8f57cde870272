"""The board's end of the link: takes requests, drives the core, answers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.errors import InputError
from ...golden.program import commands
from ...hdl.parameters import checking
from ...hdl.results import result_width
from .. import protocol
from ..protocol import Message
from .checksum import Checksum
from .cobs import Decoder, Encoder
from .header import Header
from .states import States, either

READS = ("EXAMINE", "HEADER", "HEAD", "DATA", "STREAM", "SEND")
PAYLOAD = ("HEAD", "DATA", "STREAM")  # which end where the payload ends
ANSWERS = ("IDENTITY", "COUNTERS", "RESPONSE", "RESULT", "PAD")
COUNTER = 2  # bytes of each of what is counted
SIZES = {  # bytes that pass in a state before the next
    "RECEIVE": 1,
    "EXAMINE": protocol.size(protocol.REQUEST),
    "HEADER": protocol.size(protocol.REQUEST),
    "REFUSE": COUNTER,
    "COUNTERS": protocol.size(protocol.COUNTERS),
    "IDENTITY": protocol.size(protocol.IDENTITY),
    "HEAD": protocol.HEAD,
    "DATA": protocol.WORD,
    "RESPONSE": protocol.WORD,
    "PAD": 1,
    "CRC": protocol.CHECK,
}


def reached(counter, value: int):
    """Whether a counter from 0 has come to `value`, the first number that has all its ones."""
    return counter & value == value


def check_room(config, buffer: int) -> int:
    """Return `buffer`, or raise InputError: it is no such size, or too small for a result; or the
    link has no such samples.
    """
    result = protocol.result_size(config) * (1 + config.classes)
    if result > protocol.largest_payload(protocol.check_buffer(buffer)):
        raise InputError(
            f"buffer must hold the result of a sample, {result + protocol.MARGIN} bytes for "
            f"{config.classes} classes, not {buffer}"
        )
    return buffer


class Engine(wiring.Component):
    """Carries out requests one after another, each once; see `hebbware.boards.protocol`.

    A request is kept in one half of a memory and acted upon when its checksum has proved right; the
    reply is built, already encoded, in the other half, from the place on that belongs to its
    number: a request of the window that comes again is answered from there. A reply that is too
    long for that place runs over those of others. While a request is worked on and answered,
    bytes from the line are not taken.

    All bytes go through one shift register and from there into the memory, a bit a clock, and past
    the checksum on their way; what an answer is made of are shift registers, too. So little has to
    be selected, and a byte takes 9 clocks to go in or out and up to 3 to come from the memory.
    Every signal to the core is a register, and what comes from it goes into one.

    Parameters
    ----------
    config : CoreConfig
    identity : Identity
        What is reported to the host; its `buffer` is the bytes of each half of the memory, see
        `hebbware.boards.protocol.check_buffer`, and requires room for the result of a sample.

    Members
    -------
    rx : In(stream), tx : Out(stream)
        Bytes of the line.
    packed : Out(stream), labels : In(1)
        Bytes of samples, as `hebbware.boards.link.unpacker.Unpacker` takes them.
    results, commands, responses
        The streams of `hebbware.hdl.core.Core`.
    reset_core : Out(1)
        The core is to be reset.
    drop : Out(1)
        The core is to forget what it has of an unfinished sample.
    hurry : Out(1)
        The last byte of the reply to SPEED is taken.
    """

    def __init__(self, config, identity):
        self.config, self.identity = config, identity
        with checking(self):
            self.buffer = check_room(config, identity.buffer)
        super().__init__(
            {
                "rx": In(stream.Signature(unsigned(8))),
                "tx": Out(stream.Signature(unsigned(8))),
                "packed": Out(stream.Signature(unsigned(8))),
                "labels": In(1),
                "results": In(stream.Signature(signed(result_width(config)))),
                "commands": Out(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
                "responses": In(stream.Signature(signed(commands.DATA_BITS))),
                "reset_core": Out(1),
                "drop": Out(1),
                "hurry": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, result = self.config, protocol.result_size(self.config)
        sizes = SIZES | {"RESULT": result}
        # bytes of a payload are at the addresses from -CHECK on, so that a frame ends at its length
        first = self.buffer - protocol.size(protocol.REQUEST) - protocol.CHECK
        m.submodules.decoder = decoder = Decoder()
        m.submodules.encoder = encoder = Encoder(self.buffer, first)
        m.submodules.checksum = checksum = Checksum()
        m.submodules.header = header = Header(self.buffer)
        m.submodules.store = store = memory.Memory(
            shape=unsigned(8), depth=2 * self.buffer, init=[]
        )
        write, read = store.write_port(), store.read_port()
        # fmt: off
        state = States(
            "START", "RECEIVE", "EXAMINE", "DECIDE",  # a request comes in and is judged
            "REFUSE", "COMPLAIN",
            "HEADER", "IDENTITY", "COUNTERS",  # it is carried out, and the reply built
            "HEAD", "DATA", "COMMAND", "WAIT", "RESPONSE",
            "STREAM", "AWAIT", "RESULT",
            "PAD", "CRC", "FINISH", "DELIMIT",
            "REWIND", "SEND",  # the reply goes out
        )
        # fmt: on

        def at(*names):
            return either(*(getattr(state, name) for name in names))

        def offset(address, slot):
            """An address of a half, so many slots on."""
            low = (protocol.SLOT - 1).bit_length()
            return Cat(address[:low], (address[low:] + slot)[: len(address) - low])

        # the shift register: a byte comes from the memory, or bit by bit, and goes out bit by bit
        byte = Signal(8)
        shift, bit = Signal(), Signal()
        brim = Signal()  # 8 bits have been shifted
        index = Signal(8)  # of the bit, in what a state takes in or gives out
        lowest = Signal()  # the last bit of a byte
        last = Signal()  # with `brim`: it is the last byte of what the state handles
        step, rewind = Signal(), Signal()  # the next byte of the memory, the first
        loaded = Signal()  # it holds the byte of the memory; see also `gives`
        age = Signal()  # of the read: what the memory gives is at `cursor`
        gives, blank = Signal(), Signal()  # while receiving: the line gives a byte, but a zero
        cursor = Signal(range(self.buffer))
        replying = Signal()  # requests are in the lower half of the memory, replies in the upper
        place = Signal.like(header.slot)  # of the reply that is sent; 0: of a request
        reading = at(*READS)
        trails = self.tx.ready & state.COMPLAIN
        m.d.comb += [
            lowest.eq(index[:3] == 7),
            place.eq(Mux(replying, header.slot, 0)),
            read.addr.eq(Cat(offset(cursor, place), replying)),
            read.en.eq(1),
            rewind.eq(at("START", "DECIDE", "REWIND")),
        ]
        m.d.sync += [brim.eq(shift & lowest), age.eq(reading & ~loaded & ~age)]
        with m.If(age):
            m.d.sync += byte.eq(read.data)
        with m.Elif(shift | trails):
            m.d.sync += byte.eq(Cat(byte[1:], bit))
        with m.If(rewind):
            m.d.sync += [cursor.eq(first), loaded.eq(0)]
        with m.Elif(step):
            m.d.sync += [cursor.eq(cursor + 1), loaded.eq(0)]
        with m.Elif(state.RECEIVE):
            m.d.sync += [
                loaded.eq(self.rx.valid & ~self.rx.ready),
                gives.eq(decoder.put),
                blank.eq(decoder.zero),
            ]
        with m.Elif(age):
            m.d.sync += loaded.eq(1)
        with m.If(rewind):
            m.d.sync += replying.eq(state.REWIND)

        # what comes from the core, and what the board says of itself
        position = Signal(range(cfg.classes + 1))  # of a word in a result
        word = Signal(8 * protocol.WORD)  # data of a command, a response
        fields = 8 * protocol.HEAD - commands.ADDRESS_BITS
        head = Signal(8 * protocol.HEAD)  # of a command; a result
        errors, right = Signal(8 * COUNTER), Signal(8 * COUNTER)
        identity = self.identity.to_bytes()
        page = Const(int.from_bytes(identity, "little"), 8 * len(identity))
        in_fields = index[:5] < fields
        carry = Signal()  # of what is counted up a bit a clock
        with m.If(state.WAIT):
            m.d.sync += word.eq(self.responses.payload)
        with m.Elif(shift & at("DATA", "RESPONSE")):
            m.d.sync += word.eq(Cat(word[1:], byte[0]))
        with m.If(state.AWAIT):
            m.d.sync += head[: 8 * result].eq(self.results.payload)
        with m.Elif(shift & at("HEAD", "RESPONSE", "RESULT")):
            # while a response goes out, the address is counted up
            counted = head[0] ^ (carry & ~in_fields)
            m.d.sync += head.eq(Cat(head[1:], Mux(state.HEAD, byte[0], counted)))
        first_word = position == 0  # of a result: the class
        last_right = Mux(state.COUNTERS, errors[0], right[0] ^ carry)
        with m.If(shift & at("REFUSE", "COUNTERS")):
            counted = errors[0] ^ carry
            m.d.sync += errors.eq(Cat(errors[1:], Mux(state.REFUSE, counted, right[0])))
        # a result of four bytes is longer than what is counted
        counting = first_word & ~index[4] if cfg.recurrent else first_word
        with m.If(shift & (state.COUNTERS | (state.RESULT & counting))):
            m.d.sync += right.eq(Cat(right[1:], last_right))
        with m.If(at("DECIDE", "COMMAND")):
            m.d.sync += carry.eq(1)
        with m.Elif(state.AWAIT):  # the byte before was the label
            m.d.sync += carry.eq(first_word & (self.results.payload[:8] == byte))
        with m.Elif(shift):
            m.d.sync += carry.eq(
                either(
                    state.REFUSE & carry & errors[0],
                    state.RESULT & carry & right[0],
                    state.RESPONSE & carry & (head[0] | in_fields),
                )
            )

        # what goes through the shift register, when, and where to
        kept = Signal()  # it belongs to a frame
        hidden = Signal()  # a result of which only the class is told, that in a byte
        put = Signal()  # with `brim`: the byte does
        ended = Signal()  # the payload
        m.d.sync += [ended.eq(cursor == header.end), put.eq(shift & lowest & kept)]
        m.d.comb += [
            hidden.eq(
                state.RESULT
                & (header.message == Message.CLASSES)
                & (~first_word | (index[3:5].any() if cfg.recurrent else index[3]))
            ),
            kept.eq(
                either(
                    at("RECEIVE", "CRC"),
                    state.HEADER & ~index[4],  # all but the length: a reply has the answer's there
                    at(*ANSWERS) & header.wanted & ~hidden,
                )
            ),
            shift.eq(
                ~brim
                & either(
                    state.RECEIVE & loaded & gives,
                    at("EXAMINE", "HEADER") & loaded,
                    at("HEAD", "DATA") & loaded & ~ended,
                    at("REFUSE", "IDENTITY", "COUNTERS", "RESPONSE", "RESULT", "CRC"),
                    state.PAD & header.wanted,
                )
            ),
            bit.eq(
                either(
                    state.RECEIVE & ~blank & self.rx.payload.bit_select(index[:3], 1),
                    # of the number of the message the highest bit is set
                    state.HEADER & (byte[0] | (index[:6] == 7)),
                    state.IDENTITY & page.bit_select(index, 1),
                    state.COUNTERS & errors[0],
                    state.RESPONSE & word[0],
                    state.RESULT & head[0],
                    state.CRC & checksum.low,
                    state.REFUSE & (index[:4] == 8),  # leaves 1: the refusal is 1, 0
                )
            ),
            last.eq(
                brim
                & either(
                    *(
                        reached(index[3:], size - 1)
                        & at(*(name for name, own in sizes.items() if own == size))
                        for size in sorted(set(sizes.values()))
                    ),
                )
            ),
            checksum.start.eq(at("START", "DECIDE")),
            checksum.shift.eq(shift & kept),
            checksum.data.eq(bit),
            checksum.drain.eq(state.CRC),
            encoder.start.eq(at("START", "DECIDE")),
            encoder.plain.eq(at("START", "RECEIVE")),
            encoder.put.eq(put),
            encoder.byte.eq(byte),
            encoder.finish.eq(at("FINISH", "DELIMIT")),
            write.en.eq(encoder.write),
            write.addr.eq(
                Cat(offset(encoder.address, Mux(encoder.plain, 0, header.slot)), ~encoder.plain)
            ),
            write.data.eq(encoder.value),
            decoder.start.eq(state.START),
            decoder.byte.eq(self.rx.payload),
            decoder.take.eq(self.rx.valid & self.rx.ready),
            self.rx.ready.eq(state.RECEIVE & (brim | (loaded & ~gives))),
            self.tx.payload.eq(byte),
            self.tx.valid.eq(state.COMPLAIN | (state.SEND & loaded)),
        ]
        m.d.comb += [
            header.start.eq(state.START),
            header.receive.eq(state.RECEIVE),
            header.place.eq(encoder.place),
            header.put.eq(put),
            header.cut.eq(decoder.take & decoder.end & ~decoder.complete),
            header.matches.eq(checksum.matches),
            header.examine.eq(state.EXAMINE),
            header.adopt.eq(state.HEADER),
            header.shift.eq(shift),
            header.index.eq(index),
            header.byte.eq(byte),
            header.accepted.eq(state.DECIDE & header.accept),
            header.answer.eq(put & at(*ANSWERS)),
        ]

        here = loaded & ~ended
        taken = self.packed.valid & self.packed.ready
        m.d.comb += [
            self.packed.valid.eq(state.STREAM & here),
            self.packed.payload.eq(byte),
        ]
        over = state.RESULT & last & (position == cfg.classes)
        with m.If(over):
            m.d.sync += position.eq(0)
        with m.Elif(state.RESULT & last):
            m.d.sync += position.eq(position + 1)

        m.d.comb += step.eq(
            either(
                brim & at("EXAMINE", "HEADER", "HEAD", "DATA"),
                taken,
                state.SEND & loaded & self.tx.ready,
            )
        )
        out = loaded & ended & at(*PAYLOAD)
        with m.If(last | out):
            m.d.sync += index.eq(0)
        with m.Elif((shift & ~lowest) | brim):
            m.d.sync += index.eq(index + 1)

        # to the core: registers all of them
        command = self.commands.payload
        m.d.comb += [
            Cat(command.op, command.space, command.lane).eq(head),
            command.address.eq(head[fields:]),
            command.data.eq(word),
            self.commands.valid.eq(state.COMMAND),
            self.responses.ready.eq(state.WAIT),
            self.results.ready.eq(state.AWAIT),
        ]
        begins = state.HEADER & last
        m.d.sync += [
            self.reset_core.eq(begins & (header.message == Message.RESET)),
            # a host that begins knows nothing of what another one left unfinished
            self.drop.eq(begins & (header.message == Message.IDENTITY)),
        ]

        go = state.go
        go("START", 1, "RECEIVE")
        go("RECEIVE", decoder.take & decoder.end, "EXAMINE")
        go("EXAMINE", last, "DECIDE")
        go("DECIDE", header.accept, "HEADER")
        go("DECIDE", header.again, "REWIND")
        go("DECIDE", ~header.accept & ~header.again, "REFUSE")
        go("REFUSE", last, "COMPLAIN")
        zero = byte == 0
        go("COMPLAIN", self.tx.ready & zero, "START")
        # fmt: off
        ways = {Message.IDENTITY: "IDENTITY", Message.COUNTERS: "COUNTERS", Message.RESET: "PAD",
                Message.COMMAND: "HEAD", Message.SAMPLES: "STREAM",
                Message.CLASSES: "STREAM", Message.SPEED: "PAD"}
        # fmt: on
        for message, target in ways.items():
            go("HEADER", last & (header.message == message), target)
        go("IDENTITY", last, "PAD")
        go("COUNTERS", last, "PAD")
        for name in PAYLOAD:
            go(name, loaded & ended, "PAD")
        go("HEAD", last, "DATA")
        go("DATA", last, "COMMAND")
        go("COMMAND", self.commands.ready, "WAIT")
        go("WAIT", self.responses.valid, "RESPONSE")
        go("RESPONSE", last, "DATA")
        ends = taken & self.labels
        go("STREAM", ends & self._closes(m, ends) if cfg.recurrent else ends, "AWAIT")
        go("AWAIT", self.results.valid, "RESULT")
        go("RESULT", last & ~over, "AWAIT")
        go("RESULT", over, "STREAM")
        go("PAD", ~brim & ~header.wanted, "CRC")
        go("CRC", last, "FINISH")
        go("FINISH", 1, "DELIMIT")
        go("DELIMIT", 1, "REWIND")
        go("REWIND", 1, "SEND")
        sent = loaded & zero & self.tx.ready
        go("SEND", sent, "START")
        m.d.comb += self.hurry.eq(state.SEND & sent & (header.message == Message.SPEED))
        state.add_to(m)
        return m

    def _closes(self, m, ends):
        """Whether the tick that ends is the last one of its sequence; kept between requests."""
        ticks = self.config.neuron.ticks
        tick = Signal(range(max(ticks, 2)))
        closes = tick == ticks - 1
        with m.If(self.reset_core | self.drop):
            m.d.sync += tick.eq(0)
        with m.Elif(ends):
            m.d.sync += tick.eq(Mux(closes, 0, tick + 1))
        return closes
