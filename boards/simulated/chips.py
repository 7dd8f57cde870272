"""A design at the model of its memory chip, as a board has them."""

from amaranth.hdl import ClockSignal, Instance, Module
from amaranth.lib import wiring

from ...cosim import models
from ..onboard.sdram import Chip

PICO = 1000  # ps of a ns


def sources(chip: Chip | None) -> dict[str, str]:
    """Verilog of the chip's model, by file name."""
    return models.read("Sdram") if chip else {}


class WithChip(wiring.Component):
    """A component, all of its members but `pins`, which go to a chip.

    Parameters
    ----------
    component : wiring.Component
    chip : Chip
    clock_hz : float
    """

    def __init__(self, component: wiring.Component, chip: Chip, clock_hz: float):
        self.component, self.chip, self.clock_hz = component, chip, clock_hz
        members = {n: m for n, m in component.signature.members.items() if n != "pins"}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        m.submodules.device = device = self.component
        for name, member in self.signature.members.items():
            inner, outer = getattr(device, name), getattr(self, name)
            if member.is_signature:
                wiring.connect(m, inner, wiring.flipped(outer))
            elif member.flow == wiring.In:
                m.d.comb += inner.eq(outer)
            else:
                m.d.comb += outer.eq(inner)
        chip, pins = self.chip, device.pins
        times = {
            "tPOWER": chip.power_up, "tRC": chip.rc, "tRAS": chip.ras, "tRASMOST": chip.ras_most,
            "tRP": chip.rp, "tRCD": chip.rcd, "tRRD": chip.rrd, "tRFC": chip.rfc,
            "tREFI": chip.refi,
        }  # fmt: skip
        outputs = ("cke", "cs", "ras", "cas", "we", "ba", "a", "dqm", "out", "drive")
        m.submodules.chip = Instance(
            "SdramPins",
            *(("p", name, PICO * time) for name, time in times.items()),
            ("p", "PERIOD", round(1e12 / self.clock_hz)),
            ("p", "MRD", chip.mrd), ("p", "WR", chip.wr), ("p", "CAS", chip.cas),
            ("p", "REFRESHES", chip.refreshes), ("p", "BANKBITS", chip.bank_bits),
            ("p", "ROWBITS", chip.row_bits), ("p", "COLUMNBITS", chip.column_bits),
            ("i", "clk", ClockSignal()),
            *(("i", name, getattr(pins, name)) for name in outputs),
            ("o", "in", pins.in_),
        )  # fmt: skip
        return m
