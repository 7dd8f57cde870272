"""Packed samples to the words of the core's stream."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.data.words import longest_run, word_bits
from ...hdl.loader import sample_width
from .. import protocol


class Unpacker(wiring.Component):
    """Undoes what `hebbware.boards.protocol.packed_sample` does.

    Bytes may come at any time, a sample in parts; those of zeros, of whole inputs and of labels are
    passed on a word in each clock, control bytes take a clock more. Where zeros are passed on as
    runs (`hebbware.boards.protocol.passes_runs`) those of a control byte are a word, which it gives
    itself: a byte is taken in each clock, but for the words of a sample's last zeros. Inputs beyond
    those of a sample are dropped.

    Latency: a word is offered in the clock after its byte was taken.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    bytes : In(stream), words : Out(stream)
    labels : Out(1)
        The byte that is taken next is a sample's label.
    drop : In(1)
        Forgets what there is of a sample; no byte is taken in this clock.
    """

    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "bytes": In(stream.Signature(unsigned(8))),
                "words": Out(stream.Signature(unsigned(sample_width(config)))),
                "labels": Out(1),
                "drop": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        inputs, byte, words = self.config.inputs, self.bytes.payload, self.words
        longest = longest_run(self.config) if protocol.passes_runs(self.config) else 0
        zeros = Signal(protocol.ZEROS)  # still to be passed on, a word each
        left = Signal(8 - protocol.ZEROS)  # inputs that follow as they are
        ending = Signal()  # the other inputs are 0, the label follows
        position = Signal(range(inputs + max(longest, 1)))
        free, whole, counts, follows = Signal(), Signal(), Signal(), Signal()
        put, taken = Signal(), Signal()
        m.d.comb += [
            free.eq(~words.valid | words.ready),
            whole.eq(position >= inputs if longest else position == inputs),
            counts.eq(zeros != 0),
            follows.eq(left != 0),
            taken.eq(self.bytes.valid & self.bytes.ready),
            self.labels.eq(ending),
        ]
        last, value = 1, byte  # of the byte's inputs
        if self.config.input.bits <= protocol.NIBBLE:
            upper, last = Signal(), Signal()
            m.d.comb += last.eq(upper | (left == 1))
            value = Mux(ending, byte, byte.word_select(upper, protocol.NIBBLE))
            with m.If(self.drop):
                m.d.sync += upper.eq(0)
            with m.Elif(free & self.bytes.valid & follows & ~counts):
                m.d.sync += upper.eq(~last)
        word, step = Mux(counts | (ending & ~whole), 0, value), 1
        if longest:
            run = Mux(ending, longest, byte[: protocol.ZEROS])
            runs = ~follows & ~(ending & whole)
            word, step = Mux(runs, run | 1 << word_bits(self.config), value), Mux(runs, run, 1)
        with m.If(self.drop):
            m.d.sync += [words.valid.eq(0), zeros.eq(0), left.eq(0), ending.eq(0), position.eq(0)]
        with m.Else():
            with m.If(free):
                m.d.sync += [words.valid.eq(put), words.payload.eq(word)]
                with m.If(put):
                    m.d.sync += position.eq(Mux(ending & whole, 0, position + step))
            with m.If(counts):
                m.d.comb += put.eq(~whole)
                m.d.sync += zeros.eq(zeros - free)
            with m.Elif(follows):
                m.d.comb += [put.eq(self.bytes.valid & ~whole), self.bytes.ready.eq(free & last)]
                m.d.sync += left.eq(left - (free & self.bytes.valid))
            with m.Elif(ending):
                m.d.comb += [put.eq(~whole | self.bytes.valid), self.bytes.ready.eq(free & whole)]
                with m.If(taken):
                    m.d.sync += ending.eq(0)
            with m.Else():
                m.d.comb += self.bytes.ready.eq(free if longest else 1)
                if longest:
                    m.d.comb += put.eq(self.bytes.valid & byte[: protocol.ZEROS].any() & ~whole)
                with m.If(taken):
                    m.d.sync += [
                        zeros.eq(0 if longest else byte[: protocol.ZEROS]),
                        left.eq(byte[protocol.ZEROS :]),
                        ending.eq(byte == protocol.END),
                    ]
        return m
