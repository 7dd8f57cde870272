"""Ticks of a sequence: each takes the place of a sample in the core."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Ticks(wiring.Component):
    """Counts the ticks of a sequence.

    Latency: all that is put out holds from the clock after `finish` on.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    finish, has_label : In(1)
        A tick is finished; it had a target.
    first, last : Out(1)
        The tick at hand is the first, or the last one of its sequence.
    opens, summed : Out(1)
        Its scores are the first that are summed, or are summed.
    learned : Out(1)
        A tick so far, this one included, has a target.
    """

    def __init__(self, config):
        self.config = config
        inputs, outputs = ("finish", "has_label"), ("first", "last", "opens", "summed", "learned")
        super().__init__(dict.fromkeys(inputs, In(1)) | dict.fromkeys(outputs, Out(1)))

    def elaborate(self, platform):
        m = Module()
        ticks, begins = self.config.neuron.ticks, self.config.neuron.ticks - self.config.neuron.target
        time, learned = Signal(range(max(ticks, 2))), Signal()
        m.d.comb += [
            self.first.eq(time == 0),
            self.last.eq(time == ticks - 1),
            self.opens.eq(time == begins),
            self.summed.eq(time >= begins),
            self.learned.eq(learned | self.has_label),
        ]
        with m.If(self.finish):
            m.d.sync += [time.eq(time + 1), learned.eq(self.learned)]
            with m.If(self.last):
                m.d.sync += [time.eq(0), learned.eq(0)]
        return m
