"""The input side: pixels in, a list of the non-zero ones out, two samples deep."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden.data.words import longest_run, word_bits
from ..golden.layers.squared import TARGET
from ..golden.program.layout import Layout
from ..golden.program.overlap import half
from ..golden.program.pipeline import stages
from .lanes.clusters import Banks
from .primitives import late
from .shapes import index, value_shape


def sample_width(config) -> int:
    """Bits of a word of the sample stream: a pixel or a label, or a run of zeros."""
    return word_bits(config) + config.input.runs


class Loader(wiring.Component):
    """Collects samples from a stream into two banks while the core works on the other.

    A sample is ``inputs`` words of pixels and one word of label; a label that is no class marks a
    sample to infer only. Where targets are signals, the target of each output comes before the
    label. Only non-zero pixels are kept, as (index, value); centred inputs are
    brought to -1..1 before that, by their highest bit.

    Latency: a sample is `full` in the clock after its label was transferred. One word per clock
    while a bank is free.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    samples : In(stream)
    drop : In(1)
        Discards the words of an unfinished sample; no word is taken in this clock.
    full : Out(1)
        The bank being read holds a sample.
    count : Out
        Its number of non-zero pixels.
    label : Out
    has_label : Out(1)
    address : In
        Entry of the list to read; `index` and `value` follow two clocks later.
    index, value : Out
    release : In(1)
        Frees the bank being read.
    put, put_label, put_class : Out(1), put_index, put_value : Out
        An input, a label, or a label that is a class arrives in this clock. A dropped sample ends
        like one whose label is no class.
    address_1, .. : In, value_1, .. : Out
        The same for each other group of lanes, where positions of a convolution share a step.
    block : In, word : Out
        Of sequences: inputs as they lie in their traces, a block of lanes; latency as of
        `hebbware.hdl.lanes.clusters.Banks`.
    target_row : In, target : Out
        Of signals: the target of an output; it follows a clock later.
    lower : Out
        With updates beside: number of non-zero pixels in the lower half.
    take, listed : In(1)
        With updates beside: the bank being read is read on, at `beside`, until `listed`.
    beside : In, index_beside, value_beside : Out
        With updates beside: as `address`, `index` and `value`, of the bank that is read on.
    """

    def __init__(self, config):
        self.config = config
        self.entries = index(config.inputs)
        self.others = range(1, Layout(config).spans)
        block = index(Layout(config).widest)
        ticks = {"block": In(block), "word": Out(config.lanes * config.input.bits)}
        super().__init__(
            {
                "samples": In(stream.Signature(unsigned(sample_width(config)))),
                "drop": In(1),
                "full": Out(1),
                "count": Out(range(config.inputs + 1)),
                "label": Out(range(config.classes)),
                "has_label": Out(1),
                "address": In(self.entries),
                "index": Out(self.entries),
                "value": Out(value_shape(config)),
                "release": In(1),
                "put": Out(1),
                "put_index": Out(self.entries),
                "put_value": Out(value_shape(config)),
                "put_label": Out(1),
                "put_class": Out(1),
            }
            | (ticks if config.recurrent else {})
            | (self._signals() if config.signal else {})
            | (self._overlap() if config.update.overlap else {})
            | {f"address_{group}": In(self.entries) for group in self.others}
            | {f"value_{group}": Out(value_shape(config)) for group in self.others}
        )

    def _signals(self):
        """Members of cores whose targets are signals."""
        return {"target_row": In(range(self.config.classes)), "target": Out(signed(TARGET.width))}

    def _overlap(self):
        """Members of cores with updates beside."""
        return {
            "lower": Out(range(self.config.inputs + 1)),
            "take": In(1),
            "listed": In(1),
            "beside": In(self.entries),
            "index_beside": Out(self.entries),
            "value_beside": Out(value_shape(self.config)),
        }

    def elaborate(self, platform):
        m = Module()
        cfg, inputs = self.config, self.config.inputs
        entry = data.StructLayout({"index": self.entries, "value": value_shape(cfg)})
        if cfg.convolves:  # every input at its own place
            entry = data.StructLayout({"value": value_shape(cfg)})
        bits = (inputs - 1).bit_length()  # each bank has a power of two: no adder in its address
        m.submodules.store = store = memory.Memory(shape=entry, depth=2 << bits, init=[])
        write, read = store.write_port(), store.read_port()

        copies = []
        for group in self.others:
            copy = memory.Memory(shape=entry, depth=2 << bits, init=[])
            m.submodules[f"store_{group}"] = copy
            copies.append((group, copy.write_port(), copy.read_port()))

        run = longest_run(cfg)
        targets = cfg.classes * cfg.signal
        position = Signal(range(inputs + max(run, targets + 1)))
        kept = Signal(range(inputs + 1))
        writing = Signal()
        reading = Signal()
        full = Signal(2)
        counts = [Signal.like(self.count, name=f"count_{bank}") for bank in range(2)]
        labels = [Signal(len(self.samples.payload), name=f"label_{bank}") for bank in range(2)]

        word = self.samples.payload
        transfer = self.samples.valid & self.samples.ready
        is_label = position >= inputs if run else position == inputs + targets
        is_input = position < inputs if targets else ~is_label
        listed = Const(1) if cfg.convolves else word[: cfg.input.bits] != cfg.x_zero
        step = 1
        if run:
            listed &= ~word[-1]
            step = Mux(word[-1], word[:-1], 1)
        m.d.comb += [
            self.samples.ready.eq(~full.bit_select(writing, 1) & ~self.drop),
            write.addr.eq(Cat(kept[:bits], writing)),
            *([] if cfg.convolves else [write.data.index.eq(position)]),
            write.data.value.eq(self.put_value),
            write.en.eq(transfer & is_input & listed),
        ]
        m.d.comb += [
            self.put.eq(transfer & is_input),
            self.put_index.eq(position),
            self.put_value.eq(word[: cfg.input.bits] ^ cfg.x_zero),  # centred: less half the range
            self.put_label.eq((transfer & is_label) | self.drop),
            self.put_class.eq(transfer & is_label & (word < cfg.classes)),
        ]
        with m.If(self.drop):
            m.d.sync += [position.eq(0), kept.eq(0)]
        with m.Elif(transfer):
            m.d.sync += position.eq(position + step)
            with m.If(is_label):
                m.d.sync += [position.eq(0), kept.eq(0), writing.eq(~writing)]
                m.d.sync += full.bit_select(writing, 1).eq(1)
                for bank in range(2):
                    with m.If(writing == bank):
                        m.d.sync += [counts[bank].eq(kept), labels[bank].eq(word)]
            with m.Elif(write.en):
                m.d.sync += kept.eq(kept + 1)

        label = Mux(reading, labels[1], labels[0])
        m.d.comb += [
            self.full.eq(full.bit_select(reading, 1)),
            self.count.eq(Mux(reading, counts[1], counts[0])),
            self.label.eq(label),
            self.has_label.eq(label < cfg.classes),
            read.addr.eq(Cat(self.address[:bits], reading)),
        ]
        if not cfg.convolves:
            m.d.sync += self.index.eq(read.data.index)
        m.d.sync += self.value.eq(read.data.value)
        for group, write_copy, read_copy in copies:
            m.d.comb += [
                write_copy.addr.eq(write.addr),
                write_copy.data.eq(write.data),
                write_copy.en.eq(write.en),
                read_copy.addr.eq(Cat(getattr(self, f"address_{group}")[:bits], reading)),
            ]
            m.d.sync += getattr(self, f"value_{group}").eq(read_copy.data.value)
        if cfg.update.overlap:
            self._read_on(m, store, write, full, reading)
            self._lower(m, write.en & (position < half(cfg)), transfer & is_label, writing, reading)
        else:
            with m.If(self.release):
                m.d.sync += [full.bit_select(reading, 1).eq(0), reading.eq(~reading)]
        if cfg.recurrent:
            self._collect(m, writing, reading)
        if targets:
            self._targets(m, transfer & ~is_input & ~is_label, writing, reading)
        return m

    def _targets(self, m, arrives, writing, reading):
        """Targets of a signal, two ticks deep."""
        high = index(self.config.classes).width
        shape = signed(TARGET.width)
        m.submodules.targets = targets = memory.Memory(shape=shape, depth=2 << high, init=[])
        write, read, row = targets.write_port(), targets.read_port(), Signal(high)
        m.d.comb += [
            write.en.eq(arrives),
            write.addr.eq(Cat(row, writing)),
            write.data.eq(self.samples.payload[: TARGET.width]),
            read.addr.eq(Cat(self.target_row, reading)),
            self.target.eq(read.data),
        ]
        with m.If(self.put_label):
            m.d.sync += row.eq(0)
        with m.Elif(arrives):
            m.d.sync += row.eq(row + 1)

    def _read_on(self, m, store, write, full, reading):
        """A bank is freed when the core and the updates beside are both through with it."""
        m.submodules.copy = copy = memory.Memory(shape=store.shape, depth=store.depth, init=[])
        write_copy, read = copy.write_port(), copy.read_port()
        bank, holds, owed = Signal(), Signal(), Signal()  # read on; still; the core is through
        held = holds & ~self.listed
        m.d.comb += [
            write_copy.addr.eq(write.addr),
            write_copy.data.eq(write.data),
            write_copy.en.eq(write.en),
            read.addr.eq(Cat(self.beside[: (self.config.inputs - 1).bit_length()], bank)),
        ]
        m.d.sync += [
            self.index_beside.eq(read.data.index),
            self.value_beside.eq(read.data.value),
            holds.eq(self.take | held),
        ]
        with m.If(self.take):
            m.d.sync += bank.eq(reading)
        with m.If(self.release):
            m.d.sync += [reading.eq(~reading), owed.eq(held)]
            with m.If(~held):
                m.d.sync += full.bit_select(reading, 1).eq(0)
        with m.If(self.listed & owed):
            m.d.sync += [full.bit_select(bank, 1).eq(0), owed.eq(0)]

    def _lower(self, m, counts, ends, writing, reading):
        """How many inputs of each sample are listed in the lower half."""
        count = Signal.like(self.lower)
        lowers = [Signal.like(self.lower, name=f"lower_{bank}") for bank in range(2)]
        with m.If(self.drop | ends):
            m.d.sync += count.eq(0)
        with m.Elif(counts):
            m.d.sync += count.eq(count + 1)
        for bank in range(2):
            with m.If(ends & (writing == bank)):
                m.d.sync += lowers[bank].eq(count)
        m.d.comb += self.lower.eq(Mux(reading, lowers[1], lowers[0]))

    def _collect(self, m, writing, reading):
        """Inputs in words of all lanes, two ticks deep."""
        lanes, bits = self.config.lanes, self.config.input.bits
        blocks = Layout(self.config).blocks_of(self.config.inputs)
        high = index(blocks).width
        m.submodules.words = words = Banks(lanes=lanes, width=bits, depth=2 << high)
        lane, block = Signal(range(max(lanes, 2))), Signal(high)
        held, word = Signal(lanes * bits), Signal(lanes * bits)
        for number in range(lanes):
            old = held.word_select(number, bits)
            m.d.comb += word.word_select(number, bits).eq(
                Mux(lane == number, self.put_value, Mux(lane == 0, 0, old))
            )
        m.d.comb += [
            words.en.eq(self.put),
            words.place.eq(Cat(block, writing)),
            words.written.eq(late(m, word, stages(self.config).lag)),
            words.address.eq(Cat(self.block[:high], reading)),
            self.word.eq(words.data),
        ]
        with m.If(self.put_label):
            m.d.sync += [lane.eq(0), block.eq(0)]
        with m.Elif(self.put):
            last = lane == lanes - 1
            m.d.sync += [held.eq(word), lane.eq(Mux(last, 0, lane + 1)), block.eq(block + last)]
