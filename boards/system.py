"""The top level that every board runs, and the simulated one."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..hdl.parameters import checking
from . import protocol
from .link.core import LinkedCore
from .link.engine import check_room
from .link.uart import Receiver, Sender, clocks_per_bit


class System(wiring.Component):
    """A core behind a serial line: all that a board needs but its pins and its clock.

    Parameters
    ----------
    config : CoreConfig
    clock_hz : float
        Of the domain ``sync``.
    baud : int
        Bits per second of the line.
    buffer : int
        Bytes of each of the link's two frame buffers.

    Members
    -------
    rx : In(1)
        From the host; idle high. May change at any time.
    tx : Out(1)
        To the host.

    Raises
    ------
    InputError
        The clock cannot make that many bits per second; `buffer` is no size of a buffer.
    """

    def __init__(self, config, clock_hz, baud, *, buffer=protocol.BUFFER):
        self.config = config
        with checking(self):
            self.divisor = clocks_per_bit(clock_hz, baud)
            self.buffer = check_room(config, buffer)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.linked = linked = LinkedCore(self.config, buffer=self.buffer)
        m.submodules.receiver = receiver = Receiver(self.divisor)
        m.submodules.sender = sender = Sender(self.divisor)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(sender.tx)]
        wiring.connect(m, receiver.bytes, linked.rx)
        wiring.connect(m, linked.tx, sender.bytes)
        return m
