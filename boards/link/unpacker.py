"""Packed samples to the words of the core's stream."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.loader import sample_width
from .. import protocol


class Unpacker(wiring.Component):
    """Undoes what `hebbware.boards.protocol.packed_sample` does.

    Bytes may come at any time, a sample in parts; those of zeros, of whole inputs and of labels are
    passed on a word in each clock, control bytes take a clock more. Inputs beyond those of a sample
    are dropped.

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
        byte, words = self.bytes.payload, self.words
        zeros = Signal(protocol.ZEROS)
        left = Signal(8 - protocol.ZEROS)  # inputs that follow as they are
        ending = Signal()  # the other inputs are 0, the label follows
        position = Signal(range(self.config.inputs + 1))
        free, whole, counts, follows = Signal(), Signal(), Signal(), Signal()
        put, taken = Signal(), Signal()
        m.d.comb += [
            free.eq(~words.valid | words.ready),
            whole.eq(position == self.config.inputs),
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
        with m.If(self.drop):
            m.d.sync += [words.valid.eq(0), zeros.eq(0), left.eq(0), ending.eq(0), position.eq(0)]
        with m.Else():
            with m.If(free):
                m.d.sync += [
                    words.valid.eq(put),
                    words.payload.eq(Mux(counts | (ending & ~whole), 0, value)),
                ]
                with m.If(put):
                    m.d.sync += position.eq(Mux(ending & whole, 0, position + 1))
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
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(taken):
                    m.d.sync += [
                        zeros.eq(byte[: protocol.ZEROS]),
                        left.eq(byte[protocol.ZEROS :]),
                        ending.eq(byte == protocol.END),
                    ]
        return m
