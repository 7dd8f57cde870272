"""Plays the samples in the board's memory to the core, and counts what it says."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.permutation import KEY_BITS
from ...golden.config import NO_LABEL
from ...golden.program import commands
from ...hdl.results import result_width
from ..link.checksum import Checksum
from ..link.states import either
from ..protocol import BoardRegister, BoardSpace
from .memory import BITS, members
from .permutation import Permutation

AHEAD = 4  # samples that are in the core at most, with those that wait there
FETCHED = 32  # words that are read ahead of the core: of this sample and the next


class Player(wiring.Component):
    """The samples that lie in a memory, one after another, at the core's speed.

    While a sample goes to the core the words of the next are looked up and fetched, so that the
    core waits neither for their place nor for the memory.

    Registers and memory are read and written by commands, see `hebbware.boards.protocol`. While it
    is busy nothing is written, and words of the memory are read as 0.

    Parameters
    ----------
    config : CoreConfig
    words : int
        Of the memory.

    Members
    -------
    store
        The memory, see `hebbware.boards.onboard.memory.members`.
    commands, responses : stream
        Those that the board answers itself.
    busy : Out(1)
        The core's samples and results are the player's.
    stop : In(1)
        Sample after sample is worked on no more: those that have begun are the last.
    packed : Out(stream), labels : In(1)
        Bytes of samples; the byte that is offered is a label.
    results : In(stream)
    """

    def __init__(self, config, words):
        self.config, self.words = config, words
        command = data.StructLayout(dict(commands.FIELDS))
        super().__init__(
            {
                "store": In(wiring.Signature(members(words))),
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
        store = self.store
        bits = (len(store.address) + 1) // 2
        m.submodules.order = order = Permutation(bits)
        m.submodules.expected = expected = fifo.SyncFIFO(width=8, depth=AHEAD)
        m.submodules.fetched = fetched = fifo.SyncFIFOBuffered(width=BITS, depth=FETCHED)
        m.submodules.checksum = checksum = Checksum()
        table, key = Signal.like(store.address), Signal(KEY_BITS)
        count, half = Signal(2 * bits), Signal.like(order.half)
        picked, done, right = (Signal(2 * bits, name=name) for name in ("picked", "done", "right"))
        clocks, word = Signal(BITS), Signal(BITS, name="sum")
        learn, ending = Signal(), Signal()
        go, sums, ends = Signal(), Signal(), Signal()  # begin: to play, to form a checksum; stop
        read, page = Signal(), Signal(BITS - commands.ADDRESS_BITS)
        finished = Signal()
        values = {
            BoardRegister.TABLE: table,
            BoardRegister.COUNT: count,
            BoardRegister.HALF: half,
            BoardRegister.KEY: key,
            BoardRegister.PAGE: page,
        }
        registers = {
            **values,
            BoardRegister.RUN: self.busy,
            BoardRegister.DONE: done,
            BoardRegister.RIGHT: right,
            BoardRegister.CLOCKS: clocks,
            BoardRegister.SUM: word,
        }
        command, place = self._commands(m, values, registers, go, sums, ends, read, page)
        m.d.comb += [
            order.count.eq(count),
            order.half.eq(half),
            order.key.eq(key),
            order.number.eq(picked),
            fetched.w_data.eq(store.words.payload),
        ]
        pointer = Signal.like(store.address)
        left = Signal.like(count)  # words of the sample, of a checksum
        none = Signal()  # are left of it
        bit = Signal(range(BITS))
        with m.If(self.stop | ends):
            m.d.sync += ending.eq(1)
        with m.If(self.busy):
            m.d.sync += clocks.eq(clocks + 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [picked.eq(0), ending.eq(0), bit.eq(0)]
                with m.If(go):
                    m.d.sync += [self.busy.eq(1), clocks.eq(0), learn.eq(command.data[1])]
                    m.next = "PICK"
                with m.Elif(sums):
                    m.d.sync += [self.busy.eq(1), left.eq(command.data), none.eq(command.data == 0)]
                    m.d.comb += [store.start.eq(1), store.address.eq(table), checksum.start.eq(1)]
                    m.next = "SUM"
                with m.Else():  # the host's commands have the memory
                    m.d.comb += [store.start.eq(read), store.address.eq(place)]
            with m.State("PICK"):
                with m.If((picked == count) | ending):
                    m.next = "WAIT"
                with m.Else():
                    m.d.comb += order.start.eq(1)
                    m.next = "ORDER"
            with m.State("ORDER"):
                m.d.comb += [store.address.eq(table + order.place), store.start.eq(order.ready)]
                with m.If(order.ready):
                    m.next = "LOOK"
            with m.State("LOOK"):  # where it begins
                m.d.comb += store.words.ready.eq(1)
                m.d.sync += pointer.eq(store.words.payload)
                with m.If(store.words.valid):
                    m.next = "END"
            with m.State("END"):  # where the one behind it does
                m.d.sync += left.eq(store.words.payload - pointer)
                with m.If(store.words.valid):
                    m.next = "SEEK"
            with m.State("SEEK"):
                m.d.comb += [store.address.eq(pointer), store.start.eq(1)]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += [
                    store.words.ready.eq(fetched.w_rdy),
                    fetched.w_en.eq(store.words.valid),
                ]
                with m.If(store.words.valid & fetched.w_rdy):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.d.sync += picked.eq(picked + 1)
                        m.next = "PICK"
            with m.State("WAIT"):
                with m.If((done == picked) & finished):
                    m.d.sync += self.busy.eq(0)
                    m.next = "IDLE"
            with m.State("SUM"):
                with m.If(none | ending):
                    m.d.comb += checksum.drain.eq(1)
                    m.next = "DRAIN"
                with m.Elif(store.words.valid):
                    m.d.comb += checksum.shift.eq(1)
                    m.d.sync += bit.eq(bit + 1)
                    with m.If(bit == BITS - 1):
                        m.d.comb += store.words.ready.eq(1)
                        m.d.sync += [left.eq(left - 1), none.eq(left == 1)]
            with m.State("DRAIN"):
                m.d.comb += [checksum.drain.eq(1), checksum.shift.eq(1)]
                m.d.sync += [word.eq(Cat(word[1:], checksum.low)), bit.eq(bit + 1)]
                with m.If(bit == BITS - 1):
                    m.d.sync += self.busy.eq(0)
                    m.next = "IDLE"
        m.d.comb += checksum.data.eq(store.words.payload.bit_select(bit, 1))
        self._feed(m, fetched, expected, learn)
        self._count(m, expected, go, done, right, finished)
        return m

    def _feed(self, m, fetched, expected, learn):
        """Bytes of the words that are fetched go to the core; each sample begins with a word."""
        byte = Signal(2)
        taken, ends = Signal(), Signal()
        value = fetched.r_data.word_select(byte, 8)
        m.d.comb += [
            self.packed.valid.eq(fetched.r_rdy & expected.w_rdy),
            self.packed.payload.eq(Mux(self.labels & ~learn, NO_LABEL, value)),
            taken.eq(self.packed.valid & self.packed.ready),
            ends.eq(taken & self.labels),
            fetched.r_en.eq(taken & (byte.all() | self.labels)),
            expected.w_en.eq(ends),
            expected.w_data.eq(value),
        ]
        m.d.sync += byte.eq(Mux(ends, 0, byte + taken))

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

    def _commands(self, m, values, registers, go, sums, ends, read, page):
        """Carry out commands; each is answered when it is done.

        Returns the command at hand, and the address of the memory that it names.
        """
        store, answer = self.store, self.responses.payload
        command = Signal(self.commands.payload.shape())
        address = Cat(command.address, page)
        inside, there, sets = Signal(), Signal(), Signal()
        named = Signal(max(registers) + 1)  # the register of the command
        m.d.sync += inside.eq(address < self.words)
        m.d.sync += named.eq(Cat(command.address == n for n in range(len(named))))
        m.d.comb += [
            there.eq(~self.busy & inside),
            store.place.eq(address),
            store.value.eq(command.data),
        ]
        with m.FSM(name="commands"):
            with m.State("TAKE"):
                m.d.comb += self.commands.ready.eq(1)
                m.d.sync += [command.eq(self.commands.payload), answer.eq(0)]
                with m.If(self.commands.valid):
                    m.next = "LOOK"
            with m.State("LOOK"):  # whether the memory has that word
                m.next = "DO"
            with m.State("DO"):
                m.next = "ANSWER"
                with m.Switch(command.space):
                    with m.Case(BoardSpace.READ_WORD):
                        with m.If(there):
                            m.next = "READ"
                    with m.Case(BoardSpace.WRITE_WORD):
                        with m.If(there):
                            m.next = "WRITE"
                    with m.Case(BoardSpace.READ_REGISTER):
                        found = (Mux(named[n], value, 0) for n, value in registers.items())
                        m.d.sync += answer.eq(either(*found))
                    with m.Case(BoardSpace.WRITE_REGISTER):
                        m.d.comb += sets.eq(1)
            with m.State("READ"):
                m.d.comb += read.eq(1)
                m.next = "WORD"
            with m.State("WRITE"):
                m.d.comb += store.write.eq(1)
                with m.If(store.ready):
                    m.next = "ANSWER"
            with m.State("WORD"):
                m.d.sync += answer.eq(store.words.payload)
                with m.If(store.words.valid):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += self.responses.valid.eq(1)
                with m.If(self.responses.ready):
                    m.next = "TAKE"
        runs = sets & named[BoardRegister.RUN]
        m.d.comb += [
            go.eq(runs & command.data[0] & ~self.busy),
            ends.eq(runs & ~command.data[0]),
            sums.eq(sets & named[BoardRegister.SUM] & ~self.busy),
        ]
        with m.If(sets & ~self.busy):
            for number, register in values.items():
                with m.If(named[number]):
                    m.d.sync += register.eq(command.data)
        return command, address
