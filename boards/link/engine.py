"""The board's end of the link: takes requests, drives the core, answers."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden import commands
from ...golden.commands import State
from ...golden.errors import InputError
from ...golden.layout import Layout
from ...hdl.loader import sample_width
from ...hdl.results import result_width
from .. import protocol
from ..protocol import Message
from .checksum import Checksum
from .cobs import Decoder, Encoder


class Engine(wiring.Component):
    """Carries out requests one after another, each once; see `hebbware.boards.protocol`.

    A request is kept in one half of a memory and acted upon when its checksum has proved right; the
    reply is built, already encoded, in the other half, where it stays until the next request is
    carried out: a request that comes again is answered from there. While a request is worked on
    and answered, bytes from the line are not taken.

    Parameters
    ----------
    config : CoreConfig
    release : tuple of int
        Version told to the host: major, minor, patch.
    buffer : int
        Bytes of each half of the memory, see `hebbware.boards.protocol.check_buffer`. Requires room
        for the result of a sample.

    Members
    -------
    rx : In(stream), tx : Out(stream)
        Bytes of the line.
    samples, results, commands, responses
        The streams of `hebbware.hdl.core.Core`.
    reset_core : Out(1)
        The core is to be reset.
    """

    def __init__(self, config, *, release, buffer=protocol.BUFFER):
        self.config, self.release = config, release
        self.buffer = protocol.check_buffer(buffer)
        result = protocol.RESULT * (1 + config.classes)
        if result > protocol.largest_payload(buffer):
            raise InputError(
                f"buffer must hold the result of a sample, {result + protocol.MARGIN} bytes for "
                f"{config.classes} classes, not {buffer}"
            )
        super().__init__(
            {
                "rx": In(stream.Signature(unsigned(8))),
                "tx": Out(stream.Signature(unsigned(8))),
                "samples": Out(stream.Signature(unsigned(sample_width(config)))),
                "results": In(stream.Signature(signed(result_width(config)))),
                "commands": Out(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
                "responses": In(stream.Signature(signed(commands.DATA_BITS))),
                "reset_core": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.decoder = decoder = Decoder()
        m.submodules.encoder = encoder = Encoder(self.buffer)
        m.submodules.checksum = checksum = Checksum()
        m.submodules.store = store = memory.Memory(
            shape=unsigned(8), depth=2 * self.buffer, init=[]
        )
        write, read = store.write_port(), store.read_port()

        # the request: where its end is, its header, whether it is sound
        place = Signal(range(self.buffer))
        count = range(self.buffer)  # of bytes of a payload
        message, sequence, length, answer = (
            Signal(8, name="message"),
            Signal(8, name="sequence"),
            Signal(count, name="length"),
            Signal(count, name="answer"),
        )
        broken = Signal()
        last = Signal(8)  # sequence number of the request that was carried out last
        greeted = Signal()  # since power-up
        errors = Signal(8 * protocol.size(protocol.COUNTERS))
        # counted from below zero, so that it ends at the length of the payload
        first = self.buffer - protocol.size(protocol.REQUEST) - protocol.CHECK

        # reading: requests are in the lower half, replies in the upper
        cursor = Signal(range(self.buffer))
        replying = Signal()
        fresh = Signal()  # what was read is at `cursor`
        step = Signal()
        m.d.comb += [
            read.addr.eq(Cat(cursor, replying)),
            read.en.eq(1),
        ]
        m.d.sync += fresh.eq(~step)
        with m.If(step):
            m.d.sync += cursor.eq(cursor + 1)
        byte = read.data
        more = length != 0
        take = Signal()  # a byte of the payload has been used
        with m.If(take):
            m.d.comb += step.eq(1)
            m.d.sync += length.eq(length - 1)

        # the reply: a byte is put when it may be, and dropped where no more is wanted
        put, put_byte, put_done = Signal(), Signal(8), Signal()
        checked = Signal()  # the byte belongs under the checksum
        wanted = Signal()
        room = Signal()
        m.d.comb += [
            room.eq(encoder.ready & ~(checked & checksum.busy)),
            encoder.byte.eq(put_byte),
            encoder.put.eq(put & wanted & room),
            put_done.eq(put & (room | ~wanted)),
        ]

        # both directions use the checksum, and the memory's write port
        receiving = Signal()
        m.d.comb += [
            self.rx.ready.eq(receiving & ~checksum.busy),
            decoder.byte.eq(self.rx.payload),
            decoder.take.eq(self.rx.valid & self.rx.ready),
            checksum.byte.eq(Mux(receiving, decoder.value, put_byte)),
            checksum.put.eq(Mux(receiving, decoder.put, encoder.put & checked)),
            write.en.eq(decoder.put | encoder.write),
            write.addr.eq(
                Mux(receiving, Cat(place, Const(0, 1)), Cat(encoder.address, Const(1, 1)))
            ),
            write.data.eq(Mux(receiving, decoder.value, encoder.value)),
        ]
        with m.If(decoder.put):
            with m.If(place == first - 1):
                m.d.sync += broken.eq(1)
            with m.Else():
                m.d.sync += place.eq(place + 1)
            self._header(m, place, first, decoder.value, message, sequence, length, answer, broken)

        # what comes back from the core, and what the board says of itself
        index = Signal(range(32))  # which byte; counts up, and to zero at the top
        top = Signal.like(index)
        count_up = Signal()
        last_byte = Signal()
        m.d.comb += last_byte.eq(index == top)
        index_clear = Signal()
        with m.If(index_clear | (count_up & last_byte)):
            m.d.sync += index.eq(0)
        with m.Elif(count_up):
            m.d.sync += index.eq(index + 1)
        self._bytes = count_up, top, last_byte
        identity = protocol.identity_bytes(cfg, self.buffer, self.release)
        page = Array(Const(value, 8) for value in identity)
        word = self.responses.payload.as_unsigned()
        result = Signal(8 * protocol.RESULT)
        m.d.comb += result.eq(self.results.payload)

        # a sample's place in the core's stream, kept between requests; then that of its result
        position = Signal(range(max(cfg.inputs, cfg.classes) + 1))
        whole = position == cfg.inputs
        place_up, place_clear = Signal(), Signal()
        with m.If(place_clear | self.reset_core):
            m.d.sync += position.eq(0)
        with m.Elif(place_up):
            m.d.sync += position.eq(position + 1)
        run = Signal(8)
        to_end = Signal()

        head = Signal(8 * protocol.HEAD)
        command = data.View(self.commands.payload.shape(), Cat(head, Const(0, 32)))
        value = Signal(8 * (protocol.WORD - 1))
        layout = Layout(cfg)  # of an address, the bits that name something
        places = max(layout.weight_bases[-1], layout.memory_bases[-1], len(State))
        address_bits = (max(places, len(cfg.hidden) * cfg.classes) - 1).bit_length()
        address = head[-commands.ADDRESS_BITS :][:address_bits]
        m.d.comb += [
            self.commands.payload.op.eq(command.op),
            self.commands.payload.space.eq(command.space),
            self.commands.payload.lane.eq(command.lane),
            self.commands.payload.address.eq(address),
            self.commands.payload.data.eq(Cat(value, byte)),
        ]

        with m.FSM():
            with m.State("START"):
                m.d.comb += [decoder.start.eq(1), checksum.start.eq(1)]
                m.d.sync += [place.eq(first), broken.eq(0)]
                m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.comb += receiving.eq(1)
                m.d.sync += [cursor.eq(self.buffer - protocol.CHECK), replying.eq(0)]
                with m.If(decoder.end):
                    m.d.sync += broken.eq(broken | ~decoder.complete)
                    m.next = "CHECK"
            with m.State("CHECK"):
                sound = Signal()
                following = Signal()
                m.d.comb += [
                    sound.eq(
                        ~broken
                        & checksum.matches
                        & (place == length)
                        & (length <= protocol.largest_payload(self.buffer))
                        & (answer <= protocol.largest_payload(self.buffer))
                    ),
                    following.eq(sequence == (last + 1)[:8]),
                ]
                m.d.comb += [encoder.start.eq(1), checksum.start.eq(1)]
                m.next = "REFUSE"
                with m.If(sound):
                    with m.If(message == Message.IDENTITY):
                        m.next = "HEADER"
                    with m.Elif(greeted & (sequence == last)):
                        m.d.sync += [cursor.eq(0), replying.eq(1)]
                        m.next = "LOAD"
                    with m.Elif(greeted & following & (message <= max(Message)) & (message != 0)):
                        m.next = "HEADER"
            with m.State("REFUSE"):
                m.d.sync += errors.eq(errors + 1)
                m.next = "COMPLAIN"
            with m.State("COMPLAIN"):
                m.d.comb += [self.tx.payload.eq(index == 0), self.tx.valid.eq(1)]
                self._each(m, self.tx.ready, len(protocol.REFUSED), "START")
            with m.State("HEADER"):
                m.d.sync += [last.eq(sequence), greeted.eq(1)]
                m.d.comb += [put.eq(1), wanted.eq(1), checked.eq(1)]
                with m.Switch(index):
                    with m.Case(0):
                        m.d.comb += put_byte.eq(message | protocol.REPLY)
                    with m.Case(1):
                        m.d.comb += put_byte.eq(sequence)
                    with m.Case(2):
                        m.d.comb += put_byte.eq(answer[:8])
                    with m.Case(3):
                        m.d.comb += put_byte.eq(answer[8:])
                self._each(m, put_done, protocol.size(protocol.RESPONSE), "TOKEN")
                with m.If(put_done & last_byte):
                    with m.Switch(message):
                        with m.Case(Message.IDENTITY):
                            m.next = "IDENTITY"
                        with m.Case(Message.COUNTERS):
                            m.next = "COUNTERS"
                        with m.Case(Message.RESET):
                            m.d.comb += self.reset_core.eq(1)
                            m.next = "PAD"
                        with m.Case(Message.COMMAND):
                            m.next = "HEAD"
            with m.State("IDENTITY"):
                self._answer(m, put, put_done, checked, wanted, answer)
                m.d.comb += put_byte.eq(page[index])
                self._each(m, put_done, len(identity), "PAD")
            with m.State("COUNTERS"):
                self._answer(m, put, put_done, checked, wanted, answer)
                m.d.comb += put_byte.eq(errors.word_select(index[:1], 8))
                self._each(m, put_done, protocol.size(protocol.COUNTERS), "PAD")

            with m.State("HEAD"):
                with m.If(~more):
                    m.next = "PAD"
                with m.Elif(fresh):
                    m.d.comb += take.eq(1)
                    m.d.sync += head.eq(Cat(head[8:], byte))
                    self._each(m, take, protocol.HEAD, "DATA")
            with m.State("DATA"):
                with m.If(~more):
                    m.next = "PAD"
                with m.Elif(fresh):
                    with m.If(last_byte):
                        m.d.comb += self.commands.valid.eq(1)
                        m.d.comb += take.eq(self.commands.ready)
                    with m.Else():
                        m.d.comb += take.eq(1)
                        m.d.sync += value.eq(Cat(value[8:], byte))
                    self._each(m, take, protocol.WORD, "RESPONSE")
            with m.State("RESPONSE"):
                with m.If(self.responses.valid):
                    self._answer(m, put, put_done, checked, wanted, answer)
                m.d.comb += put_byte.eq(word.word_select(index[:2], 8))
                self._each(m, put_done, protocol.WORD, "DATA")
                with m.If(put_done & last_byte):
                    m.d.comb += self.responses.ready.eq(1)
                    m.d.sync += address.eq(address + 1)

            with m.State("TOKEN"):
                m.d.comb += self.samples.payload.eq(byte)
                with m.If(~more):
                    m.next = "PAD"
                with m.Elif(fresh):
                    with m.If(byte == 0):
                        m.d.comb += take.eq(1)
                        m.next = "RUN"
                    with m.Elif(whole):  # more inputs than a sample has
                        m.d.comb += take.eq(1)
                    with m.Else():
                        m.d.comb += [self.samples.valid.eq(1), take.eq(self.samples.ready)]
                        m.d.comb += place_up.eq(self.samples.ready)
            with m.State("RUN"):
                m.d.sync += [run.eq(byte), to_end.eq(byte == protocol.END)]
                with m.If(~more):
                    m.next = "PAD"
                with m.Elif(fresh):
                    m.d.comb += take.eq(1)
                    m.next = "ZEROS"
            with m.State("ZEROS"):
                with m.If(whole | (~to_end & (run == 0))):
                    m.next = "TOKEN"
                    with m.If(to_end):
                        m.next = "LABEL"
                with m.Else():
                    m.d.comb += self.samples.valid.eq(1)
                    with m.If(self.samples.ready):
                        m.d.comb += place_up.eq(1)
                        m.d.sync += run.eq(run - 1)
            with m.State("LABEL"):
                m.d.comb += self.samples.payload.eq(byte)
                with m.If(~more):
                    m.next = "PAD"
                with m.Elif(fresh):
                    m.d.comb += [self.samples.valid.eq(1), take.eq(self.samples.ready)]
                    with m.If(self.samples.ready):
                        m.d.comb += place_clear.eq(1)
                        m.next = "RESULT"
            with m.State("RESULT"):
                with m.If(self.results.valid):
                    self._answer(m, put, put_done, checked, wanted, answer)
                m.d.comb += put_byte.eq(result.word_select(index[:1], 8))
                self._each(m, put_done, protocol.RESULT, "RESULT")
                with m.If(put_done & last_byte):
                    m.d.comb += self.results.ready.eq(1)
                    m.d.comb += place_up.eq(1)
                    with m.If(position == cfg.classes):
                        m.d.comb += place_clear.eq(1)
                        m.next = "TOKEN"

            with m.State("PAD"):
                self._answer(m, put, put_done, checked, wanted, answer)
                m.d.comb += index_clear.eq(1)
                with m.If(answer == 0):
                    m.next = "CRC"
            with m.State("CRC"):
                with m.If(~checksum.busy):
                    m.d.comb += [put.eq(1), wanted.eq(1)]
                m.d.comb += put_byte.eq(checksum.value.word_select(index[:2], 8))
                self._each(m, put_done, protocol.CHECK, "FINISH")
            with m.State("FINISH"):
                m.d.comb += encoder.finish.eq(1)
                m.d.sync += [cursor.eq(0), replying.eq(1)]
                self._each(m, 1, 2, "LOAD")
            with m.State("LOAD"):
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [self.tx.payload.eq(byte), self.tx.valid.eq(fresh)]
                with m.If(self.tx.valid & self.tx.ready):
                    m.d.comb += step.eq(1)
                    with m.If(byte == 0):  # the delimiter: it is the only zero
                        m.next = "START"
        return m

    # -- parts of elaborate -----------------------------------------------------------------------

    def _header(self, m, place, first, byte, message, sequence, length, answer, broken):
        """Take a byte of a request into the field that it belongs to."""
        targets = []
        for field, signal in zip(
            protocol.REQUEST, (message, sequence, length, answer), strict=True
        ):
            targets += [signal[8 * n : 8 * n + 8] for n in range(field.size)]
        with m.Switch(place):
            for number, target in enumerate(targets, first):
                with m.Case(number):
                    m.d.sync += target.eq(byte)
                    if len(target) < 8:  # larger numbers than any buffer holds
                        with m.If(byte[len(target) :] != 0):
                            m.d.sync += broken.eq(1)

    def _answer(self, m, put, put_done, checked, wanted, answer):
        """Put a byte of the reply's payload, if one more is wanted."""
        m.d.comb += [put.eq(1), checked.eq(1), wanted.eq(answer != 0)]
        with m.If(put_done & wanted):
            m.d.sync += answer.eq(answer - 1)

    def _each(self, m, done, count, following):
        """Count bytes; after `count` of them go on with the state `following`."""
        count_up, top, last_byte = self._bytes
        m.d.comb += [count_up.eq(done), top.eq(count - 1)]
        with m.If(done & last_byte):
            m.next = following
