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
    beside : In, word_beside : Out
        With updates beside: a second port to read from, a copy of the memory.
    """

    def __init__(self, config):
        self.config = config
        self.depth = Layout(config).weight_bases[-1]
        self.width = config.lanes * config.weight.width
        second = {"beside": In(range(self.depth)), "word_beside": Out(self.width)}
        super().__init__(
            {
                "address": In(range(self.depth)),
                "word": Out(self.width),
                "write_en": In(1),
                "write_address": In(range(self.depth)),
                "written": In(self.width),
            }
            | (second if config.update.overlap else {})
        )

    def elaborate(self, platform):
        m = Module()
        self._port(m, "ram", self.address, self.word)
        if self.config.update.overlap:
            self._port(m, "copy", self.beside, self.word_beside)
        return m

    def _port(self, m, name, address, word):
        """A memory of its own for each port to read from."""
        cfg = self.config
        read = Signal.like(word, name="word" if name == "ram" else f"word_{name}", reset_less=True)
        m.d.comb += word.eq(read)  # behind the RAM, which alone takes half of a clock
        m.submodules[name] = ram = Banks(
            lanes=cfg.lanes, width=cfg.weight.width, depth=self.depth, ports=cfg.weight_ports
        )
        m.d.comb += [
            ram.address.eq(address),
            ram.en.eq(self.write_en),
            ram.place.eq(self.write_address),
            ram.written.eq(self.written),
        ]
        m.d.sync += read.eq(ram.data)
