"""Plays the samples in the board's memory to the core, and counts what it says."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.permutation import KEY_BITS
from ...golden.config import NO_LABEL
from ...golden.program import commands
from ...hdl.results import result_width
from ..link.checksum import Checksum
from ..protocol import BoardRegister, BoardSpace
from .memory import BITS, BlockMemory
from .permutation import Permutation

AHEAD = 4  # samples that are in the core at most, with those that wait there


class Player(wiring.Component):
    """The samples that lie in a memory, one after another, at the core's speed.

    Registers and memory are read and written by commands, see `hebbware.boards.protocol`. While it
    is busy nothing is written, and words of the memory are read as 0.

    Parameters
    ----------
    config : CoreConfig
    words : int
        Of the memory.

    Members
    -------
    commands, responses : stream
        Those that the board answers itself.
    busy : Out(1)
        The core's samples and results are the player's.
    stop : In(1)
        Sample after sample is worked on no more: the one that has begun is the last.
    packed : Out(stream), labels : In(1)
        Bytes of samples; the byte that is offered is a label.
    results : In(stream)
    """

    def __init__(self, config, words):
        self.config, self.words = config, words
        command = data.StructLayout(dict(commands.FIELDS))
        super().__init__(
            {
                "commands": In(stream.Signature(command)),
                "responses": Out(stream.Signature(signed(commands.DATA_BITS))),
                "busy": Out(1),
                "stop": In(1),
                "packed": Out(stream.Signature(unsigned(8))),
                "labels": In(1),
                "results": In(stream.Signature(signed(result_width(config)))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = store = BlockMemory(self.words)
        bits = (len(store.address) + 1) // 2
        m.submodules.order = order = Permutation(bits)
        m.submodules.expected = expected = fifo.SyncFIFO(width=8, depth=AHEAD)
        m.submodules.checksum = checksum = Checksum()
        table, key = Signal.like(store.address), Signal(KEY_BITS)
        count, half = Signal(2 * bits), Signal.like(order.half)
        fed, done, right = (Signal(2 * bits, name=name) for name in ("fed", "done", "right"))
        clocks = Signal(BITS)
        learn, ending = Signal(), Signal()
        go, sums = Signal(), Signal()  # begin: to play, to form a checksum
        finished = Signal()
        command = self._command(m, store, go, sums)
        values = {
            BoardRegister.TABLE: table,
            BoardRegister.COUNT: count,
            BoardRegister.HALF: half,
            BoardRegister.KEY: key,
        }
        registers = {
            **values,
            BoardRegister.RUN: self.busy,
            BoardRegister.DONE: done,
            BoardRegister.RIGHT: right,
            BoardRegister.CLOCKS: clocks,
            BoardRegister.SUM: Signal(BITS, name="sum"),
        }
        self._answer(m, command, store, values, registers)

        byte = Signal(2)
        pointer = Signal.like(store.address)
        feeding = Signal()
        taken, ends = Signal(), Signal()
        m.d.comb += [
            order.count.eq(count),
            order.half.eq(half),
            order.key.eq(key),
            order.number.eq(fed),
            self.packed.valid.eq(feeding & store.words.valid & expected.w_rdy),
            self.packed.payload.eq(
                Mux(self.labels & ~learn, NO_LABEL, store.words.payload.word_select(byte, 8))
            ),
            taken.eq(self.packed.valid & self.packed.ready),
            ends.eq(taken & self.labels),
            expected.w_en.eq(ends),
            expected.w_data.eq(store.words.payload.word_select(byte, 8)),
        ]
        left = Signal.like(count)  # words of a checksum
        bit = Signal(range(BITS))
        word = registers[BoardRegister.SUM]
        stops = (
            self._kept
            & (command.space == BoardSpace.WRITE_REGISTER)
            & (command.address == BoardRegister.RUN)
            & ~command.data[0]
        )
        with m.If(self.stop | stops):
            m.d.sync += ending.eq(1)
        with m.If(self.busy):
            m.d.sync += clocks.eq(clocks + 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [fed.eq(0), byte.eq(0), ending.eq(0), bit.eq(0)]
                with m.If(go):
                    m.d.sync += [self.busy.eq(1), clocks.eq(0), learn.eq(command.data[1])]
                    m.next = "PICK"
                with m.Elif(sums):
                    m.d.sync += [self.busy.eq(1), left.eq(command.data)]
                    m.d.comb += [store.start.eq(1), store.address.eq(table), checksum.start.eq(1)]
                    m.next = "SUM"
                with m.Else():
                    self._host_reads(m, command, store)
            with m.State("PICK"):
                with m.If((fed == count) | ending):
                    m.next = "WAIT"
                with m.Else():
                    m.d.comb += order.start.eq(1)
                    m.next = "ORDER"
            with m.State("ORDER"):
                m.d.comb += [store.address.eq(table + order.place), store.start.eq(order.ready)]
                with m.If(order.ready):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.d.sync += pointer.eq(store.words.payload)
                with m.If(store.words.valid):
                    m.next = "SEEK"
            with m.State("SEEK"):
                m.d.comb += [store.address.eq(pointer), store.start.eq(1)]
                m.d.sync += byte.eq(0)
                m.next = "FEED"
            with m.State("FEED"):
                m.d.comb += [feeding.eq(1), store.words.ready.eq(taken & (byte == 3))]
                m.d.sync += byte.eq(byte + taken)
                with m.If(ends):
                    m.d.sync += fed.eq(fed + 1)
                    m.next = "PICK"
            with m.State("WAIT"):
                with m.If((done == fed) & finished):
                    m.d.sync += self.busy.eq(0)
                    m.next = "IDLE"
            with m.State("SUM"):
                with m.If((left == 0) | ending):
                    m.d.comb += checksum.drain.eq(1)
                    m.next = "DRAIN"
                with m.Elif(store.words.valid):
                    m.d.comb += checksum.shift.eq(1)
                    m.d.sync += bit.eq(bit + 1)
                    with m.If(bit == BITS - 1):
                        m.d.comb += store.words.ready.eq(1)
                        m.d.sync += left.eq(left - 1)
            with m.State("DRAIN"):
                m.d.comb += [checksum.drain.eq(1), checksum.shift.eq(1)]
                m.d.sync += [word.eq(Cat(word[1:], checksum.low)), bit.eq(bit + 1)]
                with m.If(bit == BITS - 1):
                    m.d.sync += self.busy.eq(0)
                    m.next = "IDLE"
        m.d.comb += checksum.data.eq(store.words.payload.bit_select(bit, 1))
        self._count(m, expected, go, done, right, finished)
        return m

    def _count(self, m, expected, go, done, right, finished):
        """Results come in: a class, which is compared with the label, and scores."""
        classes = self.config.classes
        position = Signal(range(classes + 1))
        m.d.comb += [self.results.ready.eq(self.busy), finished.eq(position == 0)]
        with m.If(go):
            m.d.sync += [done.eq(0), right.eq(0)]
        with m.Elif(self.results.valid & self.results.ready):
            m.d.sync += position.eq(Mux(position == classes, 0, position + 1))
            with m.If(position == 0):
                m.d.comb += expected.r_en.eq(1)
                same = self.results.payload[:8] == expected.r_data
                m.d.sync += [done.eq(done + 1), right.eq(right + same)]

    def _command(self, m, store, go, sums):
        """Take a command; what begins with it. Returns the register that it is kept in."""
        command = Signal(self.commands.payload.shape())
        kept, asked = Signal(), Signal()  # it is carried out in this clock; answered in the next
        writes_register = Signal()
        fields = self.commands.payload
        m.d.comb += [
            self.commands.ready.eq(~kept & ~asked & ~self.responses.valid),
            writes_register.eq(kept & ~self.busy & (command.space == BoardSpace.WRITE_REGISTER)),
            go.eq(writes_register & (command.address == BoardRegister.RUN) & command.data[0]),
            sums.eq(writes_register & (command.address == BoardRegister.SUM)),
            store.place.eq(command.address),
            store.value.eq(command.data),
            store.write.eq(kept & ~self.busy & (command.space == BoardSpace.WRITE_WORD)
                           & (command.address < self.words)),
        ]  # fmt: skip
        m.d.sync += [kept.eq(0), asked.eq(kept)]
        with m.If(self.commands.valid & self.commands.ready):
            m.d.sync += [command.eq(fields), kept.eq(1)]
        with m.If(asked):
            m.d.sync += self.responses.valid.eq(1)
        with m.Elif(self.responses.ready):
            m.d.sync += self.responses.valid.eq(0)
        self._kept, self._asked = kept, asked
        return command

    def _host_reads(self, m, command, store):
        """While nothing is played, the host's commands have the memory."""
        m.d.comb += [
            store.start.eq(self._kept & (command.space == BoardSpace.READ_WORD)),
            store.address.eq(command.address),
        ]

    def _answer(self, m, command, store, values, registers):
        """Respond with a word or a register, and write registers."""
        answer = self.responses.payload
        there = Signal()
        m.d.sync += there.eq(~self.busy & (command.address < self.words))
        with m.If(self._asked):
            m.d.sync += answer.eq(0)
            with m.If(command.space == BoardSpace.READ_WORD):
                m.d.sync += answer.eq(Mux(there, store.words.payload, 0))
            with m.If(command.space == BoardSpace.READ_REGISTER):
                for number, register in registers.items():
                    with m.If(command.address == number):
                        m.d.sync += answer.eq(register)
        with m.If(self._kept & ~self.busy & (command.space == BoardSpace.WRITE_REGISTER)):
            for number, register in values.items():
                with m.If(command.address == number):
                    m.d.sync += register.eq(command.data)
