"""A core with its end of the link: bytes of requests in, bytes of replies out."""

import re
from importlib.metadata import version

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    Mux,
    ResetInserter,
    Signal,
    unsigned,
)
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.core import Core
from ...hdl.parameters import checking
from .. import protocol
from ..onboard.memory import BlockMemory, attach
from ..onboard.player import Player
from ..protocol import Identity
from .engine import Engine, check_room
from .unpacker import Unpacker


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
    queue : int
        Bytes that may wait before them.
    memory : int or Chip
        KiB for samples, in block RAM; 0: none, and nothing that plays them. Or a chip that they
        lie in (`hebbware.boards.onboard.sdram.Chip`). Sequences have none.
    clock_hz, fast : float
        Clock, and bits a second that the line can be brought to, for the host to know.

    Members
    -------
    rx : In(stream), tx : Out(stream)
        Bytes of the line.
    hurry : Out(1)
        The line is to get faster, once all that was given is sent.
    pins : Out
        Of the chip, where there is one.
    """

    def __init__(self, config, *, buffer=protocol.BUFFER, queue=protocol.QUEUE, memory=0,
                 clock_hz=0, fast=0):  # fmt: skip
        self.config = config
        with checking(self):
            self.queue = protocol.check_queue(queue)
            chip = None if config.recurrent or isinstance(memory, int) else memory
            kib = chip.kib if chip else protocol.check_memory(memory)
            self.chip, self.clock_hz = chip, clock_hz
            self.memory = 0 if config.recurrent else kib
            self.identity = Identity.of(
                config, buffer=check_room(config, buffer), queue=queue, release=release(),
                memory=self.memory, clock=round(clock_hz), speed=fast // protocol.SPEED,
            )  # fmt: skip
        super().__init__(
            {
                "rx": In(stream.Signature(unsigned(8))),
                "tx": Out(stream.Signature(unsigned(8))),
                "hurry": Out(1),
                **({"pins": Out(chip.pins)} if chip else {}),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.engine = engine = Engine(self.config, self.identity)
        core = Core(self.config, drop=True)
        # its reset goes far: a register of its own, which all resets set
        m.domains.core = domain = ClockDomain(local=True)
        reset = Signal(init=1)
        m.d.sync += reset.eq(engine.reset_core)
        m.d.comb += [domain.clk.eq(ClockSignal()), domain.rst.eq(reset)]
        m.submodules.core = DomainRenamer("core")(core)
        unpacker = Unpacker(self.config)
        m.submodules.unpacker = DomainRenamer("core")(unpacker)
        self._receive(m, engine)
        m.d.comb += self.hurry.eq(engine.hurry)
        wiring.connect(m, engine.tx, wiring.flipped(self.tx))
        # what tells the core's loader to wait does not go on to what words are made of
        waiting = fifo.SyncFIFO(width=len(unpacker.words.payload), depth=4)
        m.submodules.words = DomainRenamer("core")(ResetInserter(core.drop)(waiting))
        wiring.connect(m, unpacker.words, waiting.w_stream)
        wiring.connect(m, waiting.r_stream, core.samples)
        m.d.comb += [unpacker.drop.eq(core.drop), engine.labels.eq(unpacker.labels)]
        if self.memory:
            words = self.memory * 1024 // protocol.WORD
            m.submodules.store = store = (
                self.chip.memory(self.clock_hz) if self.chip else BlockMemory(words)
            )
            if self.chip:
                wiring.connect(m, store.pins, wiring.flipped(self.pins))
            player = Player(self.config, words)
            m.submodules.player = DomainRenamer("core")(player)
            attach(m, player.store, store)
            self._share(m, engine, player, core, unpacker)
            return m
        m.d.comb += core.drop.eq(engine.drop)
        wiring.connect(m, engine.packed, unpacker.bytes)
        wiring.connect(m, core.results, engine.results)
        wiring.connect(m, engine.commands, core.commands)
        wiring.connect(m, core.responses, engine.responses)
        return m

    def _share(self, m, engine, player, core, unpacker):
        """The player has the core's samples and results while it is busy; it has commands of its
        own.
        """
        m.d.comb += [
            player.stop.eq(engine.drop),
            player.labels.eq(unpacker.labels),
            # the player leaves no sample half done
            core.drop.eq(engine.drop & ~player.busy),
        ]
        _choose(m, player.busy, player.packed, engine.packed, unpacker.bytes)
        _split(m, player.busy, core.results, player.results, engine.results)
        own = engine.commands.payload.op == protocol.BOARD
        _split(m, own, engine.commands, player.commands, core.commands)
        _choose(m, own, player.responses, core.responses, engine.responses)

    def _receive(self, m, engine):
        """Bytes of the line wait for the engine."""
        if not self.queue:
            wiring.connect(m, wiring.flipped(self.rx), engine.rx)
            return
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=8, depth=self.queue)
        wiring.connect(m, wiring.flipped(self.rx), queue.w_stream)
        # block RAM is slow: what it gives is taken into a register, in every second clock at most
        waits, byte = engine.rx, queue.r_stream
        m.d.comb += byte.ready.eq(~waits.valid)
        with m.If(byte.valid & byte.ready):
            m.d.sync += [waits.payload.eq(byte.payload), waits.valid.eq(1)]
        with m.Elif(waits.ready):
            m.d.sync += waits.valid.eq(0)


def _choose(m, first, one, other, to) -> None:
    """Connect one of two streams to where it goes."""
    for stream_, chosen in ((one, first), (other, ~first)):
        m.d.comb += stream_.ready.eq(to.ready & chosen)
    m.d.comb += [
        to.valid.eq(Mux(first, one.valid, other.valid)),
        to.payload.eq(Mux(first, one.payload, other.payload)),
    ]


def _split(m, first, source, one, other) -> None:
    """Connect a stream to one of the two places where it may go."""
    for stream_, chosen in ((one, first), (other, ~first)):
        m.d.comb += [stream_.valid.eq(source.valid & chosen), stream_.payload.eq(source.payload)]
    m.d.comb += source.ready.eq(Mux(first, one.ready, other.ready))
