"""Copies of pooled maps: every group of lanes reads numbers of its own."""

from amaranth.hdl import Array, Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.layout import Layout, vector_width
from ..memory.storage import Storage
from ..primitives import late
from ..shapes import index


class MapCopies(wiring.Component):
    """The pooled maps that a hidden layer reads, once for each group of lanes.

    Latency: a number is there four clocks after its address and lane. `en` precedes `place`,
    `layer` and `written` by one clock.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    address_0, .. : In, lane : In
        Word of each group, and the lane that is read of all.
    part_0, .. : Out
    en : In(1), place, layer, written : In
        A word of all lanes, of a layer's pooled map.
    """

    def __init__(self, config):
        self.config, self.layout = config, Layout(config)
        self.groups = range(self.layout.spans)
        self.maps = range(len(self.layout.copy_bases) - 1)
        place = index(self.layout.copy_bases[-1])
        members = {f"address_{group}": In(place) for group in self.groups}
        members |= {f"part_{group}": Out(config.z.width) for group in self.groups}
        super().__init__(
            members
            | {
                "lane": In(index(config.lanes)),
                "en": In(1),
                "place": In(place),
                "layer": In(index(len(config.hidden) + 1)),
                "written": In(config.lanes * vector_width(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, bits = self.config, self.config.z.width
        lanes = [self.written.word_select(n, vector_width(cfg)) for n in range(cfg.lanes)]
        forms = [self.layout.output_form(n) for n in self.maps]
        kept = max(min(form.features, form.width) for form in forms)
        en, lane = late(m, self.en), late(m, self.lane, 3, name="lane_{}")
        for group in self.groups:
            m.submodules[f"copy_{group}"] = copy = Storage(kept * bits, self.layout.copy_bases[-1])
            word = Array(self._word(lanes, group, n, kept) for n in self.maps)
            numbers = Array(copy.data.word_select(n, bits) for n in range(kept))
            m.d.comb += [
                copy.address.eq(late(m, getattr(self, f"address_{group}"), 2)),
                copy.en.eq(en),
                copy.place.eq(self.place),
                copy.written.eq(word[self.layer] if len(self.maps) > 1 else word[0]),
                getattr(self, f"part_{group}").eq(late(m, numbers[lane])),
            ]
        return m

    def _word(self, lanes, group, layer, kept):
        """What a group keeps: the numbers of lanes in its reach that hold all features."""
        first = (group >> self.layout.fold(layer)) * self.layout.output_form(layer).width
        bits = self.config.z.width
        return Cat(lanes[(first + n) % len(lanes)][:bits] for n in range(kept))
