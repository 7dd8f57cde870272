"""Memories that samples lie in: words from an address on."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..protocol import WORD

BITS = 8 * WORD


def members(words: int) -> dict:
    """What every memory of so many words offers, whatever it is made of.

    start : In(1), address : In
        The words from `address` on are wanted; those of an earlier start no more. What `words`
        offers in this clock is still of that one.
    words : Out(stream)
    write : In(1), place : In, value : In, ready : Out(1)
        A word is written; it is taken in a clock in which `ready` is 1. Not while words are wanted.
    """
    return {
        "start": In(1),
        "address": In(range(words)),
        "words": Out(stream.Signature(unsigned(BITS))),
        "write": In(1),
        "place": In(range(words)),
        "value": In(BITS),
        "ready": Out(1),
    }


class BlockMemory(wiring.Component):
    """Block RAM.

    Latency: the first word is offered in the clock after `start`, then one in each. A word is
    taken at once.

    Parameters
    ----------
    words : int

    Members
    -------
    see `members`
    """

    def __init__(self, words):
        self.depth = words
        super().__init__(members(words))

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = memory.Memory(shape=BITS, depth=self.depth, init=[])
        write, read = store.write_port(), store.read_port()
        following = Signal(range(self.depth))
        at = Signal(range(self.depth))
        m.d.comb += [
            self.ready.eq(1),
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


def attach(m, store, memory) -> None:
    """Connect a memory to what uses it."""
    for name in ("start", "address", "write", "place", "value"):
        m.d.comb += getattr(memory, name).eq(getattr(store, name))
    m.d.comb += store.ready.eq(memory.ready)
    wiring.connect(m, memory.words, store.words)
