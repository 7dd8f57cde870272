"""The output side: class and scores of each sample."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden.program import widths


def result_width(config) -> int:
    """Bits of a word of the result stream: a class or a score, signed."""
    return max(widths.result(config), 8)


class Results(wiring.Component):
    """Outputs ``1 + classes`` words for each sample, or each tick of a signal: the class with the
    largest score (the first of equals), then the scores in the order of the classes.

    Latency: the first word is offered in the clock after the last score arrived.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    arrive, last : In(1)
        `value` is the score of class `row`; `last` with the last class.
    results : Out(stream)
    done : Out(1)
        The last word is being transferred.
    opens, closes : In(1)
        Of sequences: `value` is of the first, or of the last tick whose scores are summed; words
        are put out after that one.
    """

    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "arrive": In(1),
                "last": In(1),
                "row": In(range(config.classes)),
                "value": In(signed(config.u.width)),
                "results": Out(stream.Signature(signed(result_width(config)))),
                "done": Out(1),
            }
            | ({"opens": In(1), "closes": In(1)} if config.recurrent else {})
        )

    def elaborate(self, platform):
        m = Module()
        classes = self.config.classes
        m.submodules.scores = scores = memory.Memory(
            shape=signed(widths.result(self.config)), depth=classes, init=[]
        )
        write, read = scores.write_port(), scores.read_port()
        best = Signal(signed(widths.result(self.config)))
        winner = Signal(range(classes))
        busy = Signal()
        position = Signal(range(classes + 1))
        # the score before `position`, as that is in the next clock
        address = Mux(self.results.valid & self.results.ready, position, position - 1)
        value, ends = self.value, self.last
        if self.config.recurrent:
            value, address = self._summed(m, busy, read.data, address)
            ends = self.last & self.closes
        m.d.comb += [
            write.en.eq(self.arrive),
            write.addr.eq(self.row),
            write.data.eq(value),
            read.addr.eq(address),
            self.results.valid.eq(busy),
            self.results.payload.eq(Mux(position == 0, winner, read.data)),
        ]
        with m.If(self.arrive):
            with m.If((self.row == 0) | (value > best)):
                m.d.sync += [best.eq(value), winner.eq(self.row)]
            with m.If(ends):
                m.d.sync += [busy.eq(1), position.eq(0)]
        with m.If(self.results.valid & self.results.ready):
            m.d.sync += position.eq(position + 1)
            with m.If(position == classes):
                m.d.sync += busy.eq(0)
                m.d.comb += self.done.eq(1)
        return m

    def _summed(self, m, busy, before, address):
        """The sum with the arriving score, and the address of what comes `before` the next one:
        scores come class after class.
        """
        arrives, following = Signal(range(self.config.classes)), Signal(range(self.config.classes))
        m.d.comb += following.eq(Mux(self.arrive, Mux(self.last, 0, arrives + 1), arrives))
        m.d.sync += arrives.eq(following)
        value = Signal(signed(widths.result(self.config)))
        m.d.comb += value.eq(self.value + Mux(self.opens, 0, before))
        return value, Mux(busy, address, following)
