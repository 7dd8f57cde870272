"""Sipeed Tang Nano 20K: Gowin GW2AR-18."""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import GowinPlatform
from amaranth_boards.resources import ButtonResources, LEDResources, UARTResource

from .gowin import HimbaechelMixin


class TangNano20kPlatform(HimbaechelMixin, GowinPlatform):
    """Clock, lights, buttons and serial port; pins from the board's schematic."""

    part = "GW2AR-LV18QN88C8/I7"
    family = "GW2A-18C"
    default_clk = "clk27"
    resources = [
        Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), Attrs(IO_TYPE="LVCMOS33")),
        *LEDResources(pins="15 16 17 18 19 20", invert=True, attrs=Attrs(IO_TYPE="LVCMOS33")),
        *ButtonResources(pins="88 87", attrs=Attrs(IO_TYPE="LVCMOS33")),
        UARTResource(0, rx="70", tx="69", attrs=Attrs(PULL_MODE="UP", IO_TYPE="LVCMOS33")),
    ]
    connectors = []

    def parse_part(self):
        """Read the part; its family is sold as GW2AR, the dice in it is a GW2A."""
        family, self.family = self.family, "GW2AR-18C"
        super().parse_part()
        self.family = family

    def toolchain_prepare(self, fragment, name, **kwargs):
        """Give the pins of the configuration port to the user, as the board wires them."""
        overrides = {"gowin_pack_opts": "--sspi_as_gpio --mspi_as_gpio"} | kwargs
        return super().toolchain_prepare(fragment, name, **overrides)
