"""Memories that samples lie in: words from an address on."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..protocol import WORD

BITS = 8 * WORD


class BlockMemory(wiring.Component):
    """Block RAM. What another memory has to offer in its place are the same members.

    Latency: the first word is offered in the clock after `start`, then one in each.

    Parameters
    ----------
    words : int

    Members
    -------
    start : In(1), address : In
        The words from `address` on are wanted; those of an earlier start no more.
    words : Out(stream)
    write : In(1), place : In, value : In
        A word is written. Not while words are wanted.
    """

    def __init__(self, words):
        self.depth = words
        super().__init__(
            {
                "start": In(1),
                "address": In(range(words)),
                "words": Out(stream.Signature(unsigned(BITS))),
                "write": In(1),
                "place": In(range(words)),
                "value": In(BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = memory.Memory(shape=BITS, depth=self.depth, init=[])
        write, read = store.write_port(), store.read_port()
        following = Signal(range(self.depth))
        at = Signal(range(self.depth))
        m.d.comb += [
            write.en.eq(self.write),
            write.addr.eq(self.place),
            write.data.eq(self.value),
            at.eq(Mux(self.start, self.address, following)),
            read.addr.eq(at),
            read.en.eq(self.start | (self.words.valid & self.words.ready)),
            self.words.payload.eq(read.data),
        ]
        with m.If(read.en):
            m.d.sync += [following.eq(at + 1), self.words.valid.eq(1)]
        return m
