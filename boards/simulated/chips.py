"""A design at the model of its memory chip, as a board has them."""

from amaranth.hdl import ClockSignal, Const, Instance, Module
from amaranth.lib import wiring

from ...cosim import models
from ..onboard import flash, sdram

PICO = 1000  # ps of a ns


def sources(chip) -> dict[str, str]:
    """Verilog of the chip's model, by file name; of no chip there is none."""
    match chip:
        case sdram.Chip():
            return models.read("Sdram")
        case flash.Chip():
            return models.read("Flash")
    return {}


class WithChip(wiring.Component):
    """A component, all of its members but `pins`, which go to a chip.

    Parameters
    ----------
    component : wiring.Component
    chip : hebbware.boards.onboard.sdram.Chip or hebbware.boards.onboard.flash.Chip
    clock_hz : float
    """

    def __init__(self, component: wiring.Component, chip, clock_hz: float):
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
        m.submodules.chip = _model(self.chip, device.pins, round(1e12 / self.clock_hz))
        return m


def _model(chip, pins, period: int) -> Instance:
    """The model of a chip at a device's pins; `period` of the clock is in ps."""
    match chip:
        case sdram.Chip():
            times = {
                "tPOWER": chip.power_up, "tRC": chip.rc, "tRAS": chip.ras,
                "tRASMOST": chip.ras_most, "tRP": chip.rp, "tRCD": chip.rcd, "tRRD": chip.rrd,
                "tRFC": chip.rfc, "tREFI": chip.refi,
            }  # fmt: skip
            name, others = "SdramPins", {
                "MRD": chip.mrd, "WR": chip.wr, "CAS": chip.cas, "REFRESHES": chip.refreshes,
                "BANKBITS": chip.bank_bits, "ROWBITS": chip.row_bits,
                "COLUMNBITS": chip.column_bits, "WIDTH": chip.width, "OUT": chip.lag - 1,
            }  # fmt: skip
            outputs = ("cke", "cs", "ras", "cas", "we", "ba", "a", "dqm", "out", "drive")
            ports = [*(("i", each, getattr(pins, each)) for each in outputs), ("o", "in", pins.in_)]
        case flash.Chip():
            times = {
                "tHIGH": chip.high, "tWAKE": chip.wake, "tCYCLE": chip.cycle,
                "tPROGRAM": chip.program, "tERASE": chip.erase,
            }  # fmt: skip
            name, others = "Flash", {}
            ports = [
                ("i", "cs", pins.cs), ("i", "sck", pins.clk), ("i", "copi", pins.copi),
                ("o", "cipo", pins.cipo),
            ]  # fmt: skip
    values = {"PERIOD": period, **others, **{key: PICO * time for key, time in times.items()}}
    return Instance(
        name, *(("p", key, value if value < 1 << 31 else Const(value, 64)) for key, value in
                values.items()),
        ("i", "clk", ClockSignal()), *ports,
    )  # fmt: skip
