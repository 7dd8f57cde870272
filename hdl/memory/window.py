"""The ring of slots in which activations of the last samples stay, for windowed memories."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class ActivationRing(wiring.Component):
    """Which slot holds the sample at hand and which the oldest; the labels of the window.

    There is one slot more than samples in the window: the current activations go into one while
    the oldest are still read from the next.

    Parameters
    ----------
    config : CoreConfig
    words : int
        Words of a slot.

    Members
    -------
    learned : In(1)
        The sample at hand is finished and was learned: moves on to the next slot.
    label : In
    clear : In(1)
        Empties the window.
    base, oldest_base : Out
        Address of the first word of the current and of the oldest slot.
    oldest, has_oldest : Out
        Label of the oldest sample, and whether the window is full.
    """

    def __init__(self, config, words):
        self.config, self.words = config, words
        self.slots = config.memory.window + 1
        addresses = range(self.slots * words)
        super().__init__(
            {
                "learned": In(1),
                "label": In(range(config.classes)),
                "clear": In(1),
                "base": Out(addresses),
                "oldest_base": Out(addresses),
                "oldest": Out(range(config.classes)),
                "has_oldest": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        slots = self.slots
        m.submodules.labels = labels = memory.Memory(
            shape=range(self.config.classes), depth=slots, init=[]
        )
        put, get = labels.write_port(), labels.read_port(domain="comb")
        slot = Signal(range(slots))
        following = Signal(range(slots))
        held = Signal(range(slots))
        last = slot == slots - 1
        m.d.comb += [
            following.eq(Mux(last, 0, slot + 1)),
            self.oldest_base.eq(Mux(last, 0, self.base + self.words)),
            put.en.eq(self.learned),
            put.addr.eq(slot),
            put.data.eq(self.label),
            get.addr.eq(following),
            self.oldest.eq(get.data),
            self.has_oldest.eq(held == self.config.memory.window),
        ]
        with m.If(self.learned):
            m.d.sync += [slot.eq(following), self.base.eq(self.oldest_base)]
            with m.If(~self.has_oldest):
                m.d.sync += held.eq(held + 1)
        with m.If(self.clear):
            m.d.sync += held.eq(0)
        return m
