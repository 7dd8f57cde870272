"""Leaky neurons: a potential of each unit that follows its sum, as `hebbware.golden.dynamics`."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden.dynamics import leak_gain
from .fixed import saturate, shift_round
from .shapes import index


class Potentials(wiring.Component):
    """The memory of the potentials, a word of all lanes for each block of hidden units.

    Latency: one clock from address to word.

    Parameters
    ----------
    config : CoreConfig
    blocks : int
        Of all hidden layers.

    Members
    -------
    address : In
        Stage 2; `word` follows in stage 3.
    word : Out
    write, place, written : In
        Stage 7: `written` goes to `place`.
    """

    def __init__(self, config, blocks):
        self.blocks = blocks
        width = config.lanes * config.potential.width
        super().__init__(
            {
                "address": In(index(blocks)),
                "word": Out(width),
                "write": In(1),
                "place": In(index(blocks)),
                "written": In(width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = memory.Memory(
            shape=len(self.word), depth=max(self.blocks, 2), init=[]
        )
        read, write = store.read_port(), store.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            self.word.eq(read.data),
            write.en.eq(self.write),
            write.addr.eq(self.place),
            write.data.eq(self.written),
        ]
        return m


class Leak(wiring.Component):
    """``u <- u + dt/tau (current - u)`` of one lane.

    The leak is taken off while the sum is still being made, so that only the current's share is
    added behind it. One step per clock.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    potential : In
        Stage 3.
    rest : In(1)
        Stage 3: the sample has just come; the potential counts as 0.
    current : In
        Stage 6: the sum, rounded.
    u : Out
        Stage 6: the new potential as a sum.
    written : Out
        Stage 7: the new potential.
    """

    def __init__(self, config):
        self.config = config
        potential = signed(config.potential.width)
        super().__init__(
            {
                "potential": In(potential),
                "rest": In(1),
                "current": In(signed(config.u_bits)),
                "u": Out(signed(config.u_bits)),
                "written": Out(potential),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        gain, shift = leak_gain(cfg), max(cfg.leak_shifts)
        old_4, old_5, leak_5, kept_6 = (
            Signal.like(self.potential, name=name)
            for name in ("old_4", "old_5", "leak_5", "kept_6")
        )
        total, new = Signal(signed(cfg.potential.width + 2)), Signal.like(self.potential)
        m.d.sync += [
            old_4.eq(Mux(self.rest, 0, self.potential)),
            old_5.eq(old_4),
            leak_5.eq(shift_round(old_4 * gain, shift)),  # |leak| <= |old|: the rate is at most 1
            kept_6.eq(old_5 - leak_5),
            self.written.eq(new),
        ]
        m.d.comb += [
            total.eq(kept_6 + self.current * gain),
            new.eq(saturate(total, cfg.potential)),
            self.u.eq(saturate(shift_round(new, shift), cfg.u)),
        ]
        return m
