"""Clusters of lanes: signals that cross the device between them and the core are registered."""

from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.pipeline import CLUSTER, clusters, stages
from ..memory.storage import Storage
from ..primitives import Copy, late
from ..shapes import index


def spread(m, value, lanes: int) -> list:
    """`value` for each cluster: itself where there is one, else a copy of it, a clock later."""
    count = len(clusters(lanes))
    if count == 1:
        return [value]
    copies = []
    for number in range(count):
        m.submodules += (copy := Copy(len(Value.cast(value))))
        here = Signal.like(value, name=f"copy_{number}")
        m.d.comb += [copy.value.eq(value), here.eq(copy.copy)]
        copies.append(here)
    return copies


def spread_groups(m, values, lanes: int) -> list:
    """For each cluster a copy of what its group of lanes has, a clock later."""
    copies = []
    for number, part in enumerate(clusters(lanes)):
        value = values[part.start * len(values) // lanes]
        m.submodules += (copy := Copy(len(Value.cast(value))))
        here = Signal.like(value, name=f"group_copy_{number}")
        m.d.comb += [copy.value.eq(value), here.eq(copy.copy)]
        copies.append(here)
    return copies


class Banks(wiring.Component):
    """Words of all lanes: a `Storage` for each cluster.

    Latency: `data` one clock after `address`; `en` and `place` in the clock of `written`. With
    several clusters, read latency is two clocks and `en`/`place` precede `written` by one.

    Parameters
    ----------
    lanes, width : int
        Parts of a word, and bits of each.
    depth : int
    ports : int
        1 or 2, of each storage.
    groups : int
        Groups of lanes that are written apart, one or more clusters each.

    Members
    -------
    address : In, data : Out
    en : In, a bit for each group, place, written : In
    """

    def __init__(self, *, lanes, width, depth, ports=2, groups=1):
        self.lanes, self.width, self.depth, self.ports = lanes, width, max(depth, 2), ports
        self.groups = groups
        super().__init__(
            {
                "address": In(range(self.depth)),
                "data": Out(lanes * width),
                "en": In(groups),
                "place": In(range(self.depth)),
                "written": In(lanes * width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        copies = [spread(m, value, self.lanes) for value in (self.address, self.en, self.place)]
        if self.groups > 1:
            number = len(copies[1])
            copies[1] = [en[n * self.groups // number] for n, en in enumerate(copies[1])]
        data = []
        parts = clusters(self.lanes, self.width)
        for bits, address, en, place in zip(parts, *copies, strict=True):
            m.submodules += (bank := Storage(bits.stop - bits.start, self.depth, self.ports))
            m.d.comb += [
                bank.address.eq(address),
                bank.en.eq(en),
                bank.place.eq(place),
                bank.written.eq(self.written[bits]),
            ]
            data.append(bank.data)
        m.d.comb += self.data.eq(Cat(data))
        return m


class Gather(wiring.Component):
    """The part of a word that belongs to one lane.

    Latency: none; with several clusters one clock from `word` and two from `lane`.

    Parameters
    ----------
    config : CoreConfig
    width : int
        Of the part.

    Members
    -------
    word : In
    lane : In
        In the clock of `word`; with several clusters one clock before.
    part : Out
    """

    def __init__(self, config, width):
        self.config, self.width = config, width
        super().__init__(
            {
                "word": In(config.lanes * width),
                "lane": In(index(config.lanes)),
                "part": Out(width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.lanes
        if not stages(self.config).lag:
            m.d.comb += self.part.eq(self.word.word_select(self.lane, self.width))
            return m
        bits = CLUSTER.bit_length() - 1
        parts, cluster = [], self.lane[bits:]
        copies = spread(m, self.lane[:bits], lanes)
        for here, lane in zip(clusters(lanes, self.width), copies, strict=True):
            part = Signal(self.width, name=f"part_{len(parts)}", reset_less=True)
            m.d.sync += part.eq(self.word[here].word_select(lane, self.width))
            parts.append(part)
        m.d.comb += self.part.eq(Array(parts)[late(m, cluster, 2, name="cluster")])
        return m
