"""Leaky neurons: a potential of each unit that follows its sum, as
`hebbware.golden.neurons.dynamics`.
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.neurons.dynamics import leak_gain
from ..lanes.fixed import saturate, shift_round


class Leak(wiring.Component):
    """``u <- u + dt/tau (current - u)`` of one lane.

    The leak is subtracted while the sum is still accumulated, so that only the current's share is
    added after it. One step per clock.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    potential : In
        Stage 5.
    rest : In(1)
        Stage 5: first time step of a sample; the potential counts as 0.
    current : In
        Stage 9: the sum, rounded.
    u : Out
        Stage 9: the new potential as a sum.
    written : Out
        Stage 10: the new potential.
    """

    def __init__(self, config):
        self.config = config
        potential = signed(config.potential.width)
        super().__init__(
            {
                "potential": In(potential),
                "rest": In(1),
                "current": In(signed(config.u.width)),
                "u": Out(signed(config.u.width)),
                "written": Out(potential),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        gain, shift = leak_gain(cfg), max(cfg.neuron.leak_shifts)
        old_6, old_7, leak_7, kept_8, kept_9 = (
            Signal.like(self.potential, name=name, reset_less=True)
            for name in ("old_6", "old_7", "leak_7", "kept_8", "kept_9")
        )
        total, new = Signal(signed(cfg.potential.width + 2)), Signal.like(self.potential)
        m.d.sync += [
            old_6.eq(Mux(self.rest, 0, self.potential)),
            old_7.eq(old_6),
            leak_7.eq(shift_round(old_6 * gain, shift)),  # |leak| <= |old|: the rate is at most 1
            kept_8.eq(old_7 - leak_7),
            kept_9.eq(kept_8),
            self.written.eq(new),
        ]
        m.d.comb += [
            total.eq(kept_9 + self.current * gain),
            new.eq(saturate(total, cfg.potential)),
            self.u.eq(saturate(shift_round(new, shift), cfg.u)),
        ]
        return m
