"""The weight memory: with a port for each of reading and writing, or one for both."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.layout import Layout
from ..lanes.clusters import Banks


class WeightMemory(wiring.Component):
    """Words of the weights of all lanes.

    Latency: `word` two clocks after `address`; `write_en` and `write_address` in the clock of
    `written`. With several clusters, three clocks, and one clock before `written`. With one port
    (`weight_ports`), nothing is read in a clock in which `write_en` is high;
    `hebbware.golden.program.program` keeps the two apart.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    address : In, word : Out
    write_en, write_address, written : In
    """

    def __init__(self, config):
        self.config = config
        self.depth = Layout(config).weight_bases[-1]
        self.width = config.lanes * config.weight.width
        super().__init__(
            {
                "address": In(range(self.depth)),
                "word": Out(self.width),
                "write_en": In(1),
                "write_address": In(range(self.depth)),
                "written": In(self.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        word = Signal.like(self.word, reset_less=True)
        m.d.comb += self.word.eq(word)  # behind the RAM, which alone takes half of a clock
        m.submodules.ram = ram = Banks(
            lanes=cfg.lanes, width=cfg.weight.width, depth=self.depth, ports=cfg.weight_ports
        )
        m.d.comb += [
            ram.address.eq(self.address),
            ram.en.eq(self.write_en),
            ram.place.eq(self.write_address),
            ram.written.eq(self.written),
        ]
        m.d.sync += word.eq(ram.data)
        return m
