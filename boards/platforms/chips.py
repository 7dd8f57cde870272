"""Memory chips at the pins of a device."""

from amaranth.hdl import Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In


class SdramPins(wiring.Component):
    """Connects the controller to the board's SDRAM.

    Everything goes through the same kind of register, the clock too, which is the device's upside
    down: a command changes half a clock before the chip takes it. What the chip gives is taken with
    the device's falling edge, when at 83 MHz it has been there for 2 ns and stays for 6. On an ECP5
    an output takes 3 clocks and an input one: the `lag` of `Sdram`.

    Parameters
    ----------
    chip : hebbware.boards.onboard.sdram.Chip

    Members
    -------
    pins : In
        See `hebbware.boards.onboard.sdram.Chip.pins`.
    """

    NAMES = {"cke": "clk_en", "cs": "cs", "ras": "ras", "cas": "cas", "we": "we", "ba": "ba",
             "a": "a", "dqm": "dqm"}  # fmt: skip

    def __init__(self, chip):
        super().__init__({"pins": In(chip.pins)})

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


class FlashPins(wiring.Component):
    """Connects the controller to the board's flash, which it was configured from.

    Parameters
    ----------
    chip : hebbware.boards.onboard.flash.Chip

    Members
    -------
    pins : In
        See `hebbware.boards.onboard.flash.Chip.pins`.
    """

    def __init__(self, chip):
        super().__init__({"pins": In(chip.pins)})

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


PINS = {"sdram": SdramPins, "flash": FlashPins}  # by the name in `hebbware.boards.board.CHIPS`
