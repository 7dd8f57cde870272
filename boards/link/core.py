"""A core with its end of the link: bytes of requests in, bytes of replies out."""

import re
from importlib.metadata import version

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.core import Core
from ...hdl.parameters import checking
from .. import protocol
from .engine import Engine, check_room


def release() -> tuple[int, int, int]:
    """Version of this program as three numbers below 256."""
    major, minor, patch = re.match(r"(\d+)\.(\d+)\.(\d+)", version("hebbware")).groups()
    return int(major), int(minor), int(patch)


class LinkedCore(wiring.Component):
    """The core and the engine that drives it.

    Parameters
    ----------
    config : CoreConfig
    buffer : int
        Bytes of each of the two frame buffers.

    Members
    -------
    rx : In(stream), tx : Out(stream)
        Bytes of the line.
    """

    def __init__(self, config, *, buffer=protocol.BUFFER):
        self.config = config
        with checking(self):
            self.buffer = check_room(config, buffer)
        super().__init__(
            {
                "rx": In(stream.Signature(unsigned(8))),
                "tx": Out(stream.Signature(unsigned(8))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.engine = engine = Engine(self.config, release=release(), buffer=self.buffer)
        core = Core(self.config, drop=True)
        # its reset goes far: a register of its own, which all resets set
        m.domains.core = domain = ClockDomain(local=True)
        reset = Signal(init=1)
        m.d.sync += reset.eq(engine.reset_core)
        m.d.comb += [domain.clk.eq(ClockSignal()), domain.rst.eq(reset)]
        m.submodules.core = DomainRenamer("core")(core)
        wiring.connect(m, wiring.flipped(self.rx), engine.rx)
        wiring.connect(m, engine.tx, wiring.flipped(self.tx))
        wiring.connect(m, engine.samples, core.samples)
        m.d.comb += core.drop.eq(engine.drop)
        wiring.connect(m, core.results, engine.results)
        wiring.connect(m, engine.commands, core.commands)
        wiring.connect(m, core.responses, engine.responses)
        return m
