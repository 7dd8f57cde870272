"""OrangeCrab r0.2: a serial port on its header, for the board has none of its own."""

from amaranth.build import Attrs
from amaranth_boards import orangecrab_r0_2
from amaranth_boards.resources import UARTResource

_SERIAL = UARTResource(
    0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
)


class OrangeCrab25FPlatform(orangecrab_r0_2.OrangeCrabR0_2_25FPlatform):
    """With an LFE5U-25F; serial port at header pins 0 (in) and 1 (out)."""

    resources = [*orangecrab_r0_2.OrangeCrabR0_2_25FPlatform.resources, _SERIAL]


class OrangeCrab85FPlatform(orangecrab_r0_2.OrangeCrabR0_2_85FPlatform):
    """With an LFE5U-85F; serial port at header pins 0 (in) and 1 (out)."""

    resources = [*orangecrab_r0_2.OrangeCrabR0_2_85FPlatform.resources, _SERIAL]
