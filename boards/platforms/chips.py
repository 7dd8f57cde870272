"""Memory chips at the pins of a device."""

from amaranth.hdl import ClockDomain, ClockSignal, IOPort, Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In

from ..onboard.flash import W25Q128JV
from ..onboard.sdram import SDRAM_64, SDRAM_256


class ChipPins(wiring.Component):
    """Connects the controller of a memory chip to it.

    Parameters
    ----------
    chip : hebbware.boards.onboard.sdram.Chip or hebbware.boards.onboard.flash.Chip

    Members
    -------
    pins : In
        See `pins` of the chip.
    """

    def __init__(self, chip):
        super().__init__({"pins": In(chip.pins)})


class SdramPins(ChipPins):
    """Connects the controller to the board's SDRAM.

    Everything goes through the same kind of register, the clock too, which is the device's upside
    down: a command changes half a clock before the chip takes it. What the chip gives is taken with
    the device's falling edge, when at 83 MHz it has been there for 2 ns and stays for 6. On an ECP5
    an output takes 3 clocks and an input one: the `lag` of the chip.
    """

    NAMES = {"cke": "clk_en", "cs": "cs", "ras": "ras", "cas": "cas", "we": "we", "ba": "ba",
             "a": "a", "dqm": "dqm"}  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        directions = dict.fromkeys((*self.NAMES.values(), "dq", "clk"), "-")
        port = platform.request("sdram", 0, dir=directions)
        for name, pin in self.NAMES.items():
            value = getattr(self.pins, name)
            m.submodules[name] = buffer = io.DDRBuffer("o", getattr(port, pin))
            m.d.comb += [buffer.o[0].eq(value), buffer.o[1].eq(value)]
        m.submodules.clk = clock = io.DDRBuffer("o", port.clk)
        m.d.comb += [clock.o[0].eq(0), clock.o[1].eq(1)]
        m.submodules.dq = wires = io.DDRBuffer("io", port.dq)
        m.d.comb += [
            wires.o[0].eq(self.pins.out),
            wires.o[1].eq(self.pins.out),
            wires.oe.eq(self.pins.drive),
            self.pins.in_.eq(wires.i[1]),
        ]
        return m


class InPackageSdramPins(ChipPins):
    """Connects the controller to the SDRAM in the package of a Gowin device.

    Place and route knows by the names of the ports which pads are wired to the chip, and their
    standard; the constraints have none of them. (They are Gowin's names: apicula has the pads from
    what Gowin's tools do with them.)

    The chip's clock is the device's upside down, from a DDR cell in the pad, which the clock
    network reaches. All else has registers of the device, not of the pads, so that the `lag` does
    not hang on what the pads' cells do: one clock out, one in. Against the clock they are late by
    the wire to the pad, for which half a clock is there, less the 2 ns that the chip wants. What
    the chip gives is taken with the falling edge, a clock after the edge that it is given with.
    """

    NAMES = {"cke": "cke", "cs": "cs_n", "ras": "ras_n", "cas": "cas_n", "we": "wen_n",
             "ba": "ba", "a": "addr", "dqm": "dqm"}  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        # without resets: a register that is cleared would select the chip
        m.domains.out = ClockDomain(local=True, reset_less=True)
        m.domains.fall = ClockDomain(local=True, reset_less=True, clk_edge="neg")
        m.d.comb += [ClockSignal(name).eq(ClockSignal()) for name in ("out", "fall")]
        for name, pin in self.NAMES.items():
            value = getattr(self.pins, name)
            pads = IOPort(len(value), name=f"O_sdram_{pin}")
            port = io.SingleEndedPort(pads, invert=pin.endswith("_n"), direction="o")
            m.submodules[name] = buffer = io.FFBuffer("o", port, o_domain="out")
            m.d.comb += buffer.o.eq(value)
        port = io.SingleEndedPort(IOPort(1, name="O_sdram_clk"), direction="o")
        m.submodules.clk = clock = io.DDRBuffer("o", port, o_domain="out")
        m.d.comb += [clock.o[0].eq(0), clock.o[1].eq(1)]
        port = io.SingleEndedPort(IOPort(len(self.pins.out), name="IO_sdram_dq"))
        m.submodules.dq = wires = io.FFBuffer("io", port, i_domain="fall", o_domain="out")
        m.d.comb += [wires.o.eq(self.pins.out), wires.oe.eq(self.pins.drive)]
        m.d.out += self.pins.in_.eq(wires.i)
        return m


class FlashPins(ChipPins):
    """Connects the controller to the board's flash, which it was configured from."""

    def elaborate(self, platform):
        m = Module()
        names = ("cs", "clk", "copi", "cipo", "wp", "hold")
        port = platform.request("spi_flash_1x", 0, dir=dict.fromkeys(names, "-"))
        for name in names:
            direction = "i" if name == "cipo" else "o"
            m.submodules[name] = buffer = io.Buffer(direction, getattr(port, name))
            if name == "cipo":
                m.d.comb += self.pins.cipo.eq(buffer.i)
            elif name in ("cs", "clk", "copi"):
                m.d.comb += buffer.o.eq(getattr(self.pins, name))
        return m


PINS = {SDRAM_256: SdramPins, SDRAM_64: InPackageSdramPins, W25Q128JV: FlashPins}
