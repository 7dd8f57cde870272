"""The top level that every board runs, and the simulated one."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..hdl.parameters import checking
from . import protocol
from .link.core import LinkedCore
from .link.uart import Receiver, Sender, clocks_per_bit


class System(wiring.Component):
    """A core behind a serial line: all that a board needs but its pins and its clock.

    Parameters
    ----------
    config : CoreConfig
    clock_hz : float
        Of the domain ``sync``.
    baud : int
        Bits per second of the line after power-up.
    fast : int
        Bits per second that SPEED brings it to, at least twice as many; 0: none. A zero byte at the
        first speed brings it back.
    buffer, queue : int
        Bytes of each of the link's two frame buffers, and of what waits before them.
    memory : int or Chip
        For samples: KiB of block RAM, 0: none; or a chip (`hebbware.boards.onboard.sdram.Chip`).

    Members
    -------
    rx : In(1)
        From the host; idle high. May change at any time.
    tx : Out(1)
        To the host.
    pins : Out
        Of the chip, where there is one.

    Raises
    ------
    InputError
        The clock cannot make that many bits per second; `buffer` or `queue` is no size of
        one; targets are signals.
    """

    def __init__(self, config, clock_hz, baud, *, fast=0, buffer=protocol.BUFFER,
                 queue=protocol.QUEUE, memory=0):  # fmt: skip
        with checking(self):
            protocol.check_targets(config)
            self.divisor = clocks_per_bit(clock_hz, baud)
            self.fast = clocks_per_bit(clock_hz, fast) if fast else None
            self.linked = LinkedCore(
                config, buffer=buffer, queue=queue, memory=memory, clock_hz=clock_hz, fast=fast
            )
        chip = self.linked.chip
        pins = {"pins": Out(chip.pins)} if chip else {}
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), **pins})

    def elaborate(self, platform):
        m = Module()
        m.submodules.linked = linked = self.linked
        m.submodules.receiver = receiver = Receiver(self.divisor, self.fast)
        m.submodules.sender = sender = Sender(self.divisor, self.fast)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(sender.tx)]
        wiring.connect(m, receiver.bytes, linked.rx)
        wiring.connect(m, linked.tx, sender.bytes)
        if linked.chip:
            wiring.connect(m, linked.pins, wiring.flipped(self.pins))
        if self.fast:
            due, faster = Signal(), Signal()
            m.d.comb += [receiver.faster.eq(faster), sender.faster.eq(faster)]
            with m.If(receiver.broken):
                m.d.sync += [due.eq(0), faster.eq(0)]
            with m.Elif(linked.hurry):
                m.d.sync += due.eq(1)
            with m.Elif(due & sender.idle):
                m.d.sync += [due.eq(0), faster.eq(1)]
        return m
