"""Lists of rows of a recurrent layer: units that spiked, rows that updates walk."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.layout import Layout
from ..shapes import index


class Spikes(wiring.Component):
    """Collects spikes block by block, then writes the numbers of the units that spiked into a list.

    Latency: ``golden.program.program.list_latency``: from the second clock after the last block
    has come, a block takes a clock for each of its spikes, at least one. The list is read while a
    pass walks it, which ends before the next one is written.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    en, last : In(1)
        The spikes of a block are here; those of the last one.
    block, bits : In
        Number of the block; a bit for each lane.
    count : Out
        How many units are in the list.
    empty : Out(1)
        There was none in the last list that was complete.
    done : Out(1)
        High for one clock; the list is complete in it.
    address : In
        Entry to read; `row` follows two clocks later.
    row : Out
        The unit.
    """

    def __init__(self, config):
        self.config = config
        self.blocks, units = Layout(config).blocks(0), config.hidden[0]
        super().__init__(
            {
                "en": In(1),
                "last": In(1),
                "block": In(index(self.blocks)),
                "bits": In(config.lanes),
                "count": Out(range(units + 1)),
                "empty": Out(1),
                "done": Out(1),
                "address": In(index(units)),
                "row": Out(index(units)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes, blocks, units = self.config.lanes, self.blocks, self.config.hidden[0]
        scan = _Scan(m, self, blocks, data.StructLayout({"row": index(units)}), units)
        left, first = Signal(lanes), Signal(range(blocks * lanes + lanes))  # unit of lane 0
        count, empty = Signal.like(self.count), Signal(init=1)
        bits, rest = Signal(lanes), Signal(lanes)
        m.d.comb += [
            bits.eq(Mux(scan.fresh, scan.word, left)),
            rest.eq(bits & (bits - 1)),
            scan.ends.eq(scan.running & (rest == 0)),
            scan.put.en.eq(scan.running & bits.any()),
            scan.put.addr.eq(count),
            scan.put.data.row.eq(first + _lowest(bits)),
            self.count.eq(count),
            self.empty.eq(empty),
            scan.get.addr.eq(self.address),
        ]
        m.d.sync += [self.row.eq(scan.get.data.row), left.eq(rest), count.eq(count + scan.put.en)]
        with m.If(self.done):
            m.d.sync += empty.eq(count == 0)
        with m.If(scan.starts):
            m.d.sync += [count.eq(0), first.eq(0)]
        with m.Elif(scan.ends):
            m.d.sync += first.eq(first + lanes)
        return m


class Traced(wiring.Component):
    """Collects block by block which traces are not zero, then lists the rows that updates walk, of
    inputs and of units, as `hebbware.golden.neurons.spiking.passing`.

    Latency: ``golden.program.program.list_latency``: from the second clock after the last block
    has come, a clock for each row that is listed. The list is read while passes walk it, which end
    before the next one is written.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    en, last, block, bits
        As of `Spikes`; blocks of the inputs, then of the units.
    inputs, units : Out
        How many rows of each are listed.
    done : Out(1)
        High for one clock; the list is complete in it.
    address : In, of_units : In(1)
        Entry to read, of the rows of inputs or of units.
    place, lane : Out
        One clock later: where the trace lies in the memory of z.
    skips : Out(1)
        One clock later: the row before this one, whose trace is zero, is passed by.
    row : Out
        Two clocks later.
    """

    def __init__(self, config):
        self.config, self.layout = config, Layout(config)
        inputs, units = config.inputs, config.hidden[0]
        self.rows = range(max(inputs, units))
        self.first, self.middle, self.end = self.layout.trace_bases
        listed = {
            "place": index(self.end),
            "lane": index(config.lanes),
            "skips": 1,
            "row": index(max(self.rows) + 1),
        }
        self.entry = data.StructLayout(listed)
        super().__init__(
            {
                "en": In(1),
                "last": In(1),
                "block": In(index(self.end - self.first)),
                "bits": In(config.lanes),
                "inputs": Out(range(inputs + 1)),
                "units": Out(range(units + 1)),
                "done": Out(1),
                "address": In(index(max(self.rows) + 1)),
                "of_units": In(1),
            }
            | {name: Out(shape) for name, shape in listed.items()}
        )

    def elaborate(self, platform):
        m = Module()
        lanes, (inputs, units) = self.config.lanes, (self.config.inputs, self.config.hidden[0])
        blocks, middle = self.end - self.first, self.middle - self.first
        scan = _Scan(m, self, blocks, self.entry, inputs + units)
        at, left = scan.at, Signal(lanes)
        many, rest = Signal(range(lanes + 1)), Signal(range(lanes + 1))  # rows of the block
        lane, after = Signal(range(lanes + 2)), Signal(range(lanes + 2))
        first = Signal(range(max(self.rows) + 1 + lanes))  # row of lane 0
        bits, count, skip = Signal(lanes), Signal(range(inputs + units + 1)), Signal()
        size = Const(lanes)  # of a block
        for last, rows in ((middle - 1, inputs), (blocks - 1, units)):
            if rows % lanes:
                size = Mux(at == last, rows % lanes, size)
        m.d.comb += [
            bits.eq(Mux(scan.fresh, scan.word, left)),
            many.eq(Mux(scan.fresh, size, rest)),
            lane.eq(Mux(scan.fresh, 0, after) + skip),
            skip.eq(~bits[0] & (many > 1)),
            scan.ends.eq(scan.running & (many == Mux(skip, 2, 1))),
            scan.put.en.eq(scan.running),
            scan.put.addr.eq(count),
            scan.put.data.row.eq(first + lane),
            scan.put.data.place.eq(self.first + at),
            scan.put.data.lane.eq(lane),
            scan.put.data.skips.eq(skip),
            self.units.eq(count - self.inputs),
            scan.get.addr.eq(self.address + Mux(self.of_units, self.inputs, 0)),
            *(getattr(self, n).eq(getattr(scan.get.data, n)) for n in ("place", "lane", "skips")),
        ]
        m.d.sync += [
            self.row.eq(scan.get.data.row),
            left.eq(Mux(skip, bits >> 2, bits >> 1)),
            rest.eq(many - Mux(skip, 2, 1)),
            after.eq(lane + 1),
            count.eq(count + scan.put.en),
        ]
        with m.If(scan.starts):
            m.d.sync += [count.eq(0), first.eq(0)]
        with m.Elif(scan.ends):
            m.d.sync += first.eq(first + lanes)
            with m.If(at == middle - 1):
                m.d.sync += [first.eq(0), self.inputs.eq(count + 1)]
        return m


class _Scan:
    """What both lists have in common: bits of all blocks in a memory, read block after block once
    the last one has come; the list itself.

    Attributes
    ----------
    starts, running, fresh, ends : Signal
        The last block has come; blocks are worked on; the first clock, and (to be set) the last one
        of a block.
    at, word : Signal
        The block, and its bits while `fresh`.
    put, get
        Ports of the list.
    """

    def __init__(self, m, owner, blocks, entry, entries):
        lanes = len(owner.bits)
        m.submodules.words = words = memory.Memory(shape=lanes, depth=max(blocks, 2), init=[])
        m.submodules.list = kept = memory.Memory(shape=entry, depth=max(entries, 2), init=[])
        keep, look = words.write_port(), words.read_port()
        self.put, self.get = kept.write_port(), kept.read_port()
        self.starts, self.running, self.fresh, self.ends = (
            Signal(name=name) for name in ("starts", "running", "fresh", "ends")
        )
        self.at, self.word = Signal(range(blocks + 1), name="at"), look.data
        last = self.at == blocks - 1
        m.d.comb += [
            keep.en.eq(owner.en),
            keep.addr.eq(owner.block),
            keep.data.eq(owner.bits),
            look.addr.eq(self.at + self.ends),
        ]
        m.d.sync += [
            self.starts.eq(owner.en & owner.last),
            self.fresh.eq(self.starts | self.ends),
            owner.done.eq(self.ends & last),
        ]
        with m.If(self.starts):
            m.d.sync += [self.running.eq(1), self.at.eq(0)]
        with m.Elif(self.ends):
            m.d.sync += self.at.eq(self.at + 1)
            with m.If(last):
                m.d.sync += [self.running.eq(0), self.at.eq(0)]


def _lowest(bits):
    """Number of the lowest bit that is set."""
    found = Const(len(bits) - 1)
    for lane in reversed(range(len(bits) - 1)):
        found = Mux(bits[lane], lane, found)
    return Cat(found)
