"""Clocks of the boards: divider settings of each family's PLL, and its instance.

Settings are searched exhaustively in exact fractions, within the limits of the data sheets: the
output nearest to the wanted clock, of equal ones the fastest comparator, then the oscillator
nearest to the middle of its range.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from amaranth.hdl import Instance

from ..golden.errors import InputError

MHZ = 1_000_000
TOLERANCE = 0.05  # a clock further away than this is refused


@dataclass(frozen=True)
class Limits:
    """Ranges in Hz of a PLL's comparator, oscillator and output."""

    comparator: tuple[float, float]
    oscillator: tuple[float, float]
    output: tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """Dividers of a PLL.

    Attributes
    ----------
    reference, feedback, output : int
        The input is divided by `reference`; for the output see the family's function.
    comparator, oscillator, frequency : Fraction
        In Hz, of the phase comparator, the oscillator and the output.
    """

    reference: int
    feedback: int
    output: int
    comparator: Fraction
    oscillator: Fraction
    frequency: Fraction


# Lattice FPGA-DS-02012 (ECP5), FPGA-DS-02008 (iCE40 UltraPlus); Gowin DS117 (GW1NR), DS226 (GW2AR)
ECP5 = Limits((3.125e6, 400e6), (400e6, 800e6), (3.125e6, 400e6))
ICE40 = Limits((10e6, 133e6), (533e6, 1066e6), (16e6, 275e6))
GW1NR_9 = Limits((3e6, 400e6), (400e6, 1200e6), (3.125e6, 600e6))
GW2AR_18 = Limits((3e6, 500e6), (500e6, 1250e6), (3.90625e6, 625e6))
GOWIN_OUTPUT = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def _search(source: int, wanted: int, limits: Limits, dividers, clocks) -> Setting:
    """The best of all `dividers`; `clocks` gives oscillator and output from comparator and them."""
    middle = sum(limits.oscillator) / 2
    best, rank = None, None
    for reference, feedback, output in dividers:
        comparator = Fraction(source, reference)
        oscillator, frequency = clocks(comparator, feedback, output)
        reached = zip((comparator, oscillator, frequency), vars(limits).values(), strict=True)
        if all(low <= clock <= high for clock, (low, high) in reached):
            order = (abs(frequency - wanted), reference, abs(oscillator - middle))
            if rank is None or order < rank:
                best, rank = (reference, feedback, output, comparator, oscillator, frequency), order
    if best is None or abs(best[-1] - wanted) > wanted * TOLERANCE:
        raise InputError(
            f"no PLL setting makes {wanted / MHZ:g} MHz from {source / MHZ:g} MHz to 5 %"
        )
    return Setting(*best)


def ecp5(source: int, wanted: int) -> Setting:
    """EHXPLLL fed back from its output: ``f = source / reference * feedback``."""
    return _search(
        source, wanted, ECP5,
        (
            (reference, feedback, output)
            for reference in range(1, 33)
            for feedback in range(1, 81)
            for output in range(1, 129)
            if ECP5.oscillator[0] <= source / reference * feedback * output <= ECP5.oscillator[1]
        ),
        lambda comparator, feedback, output: (
            comparator * feedback * output,
            comparator * feedback,
        ),
    )  # fmt: skip


def ice40(source: int, wanted: int) -> Setting:
    """SB_PLL40, simple feedback: ``f = source / reference * feedback / output``."""
    return _search(
        source, wanted, ICE40,
        product(range(1, 17), range(1, 129), [1 << n for n in range(1, 7)]),
        lambda comparator, feedback, output: (
            comparator * feedback,
            comparator * feedback / output,
        ),
    )  # fmt: skip


def gowin(source: int, wanted: int, limits: Limits) -> Setting:
    """The rPLL: ``f = source / reference * feedback``; the oscillator is `output` times as fast."""
    return _search(
        source, wanted, limits,
        product(range(1, 65), range(1, 65), GOWIN_OUTPUT),
        lambda comparator, feedback, output: (
            comparator * feedback * output,
            comparator * feedback,
        ),
    )  # fmt: skip


def filter_range(setting: Setting) -> int:
    """``FILTER_RANGE`` of an SB_PLL40 for the comparator's clock."""
    bounds = (17e6, 26e6, 44e6, 66e6, 101e6)
    return 1 + sum(setting.comparator >= bound for bound in bounds)


def ecp5_instance(source: int, setting: Setting, i, o, locked) -> Instance:
    """An EHXPLLL from clock `i` to clock `o`."""
    return Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=f"{source / MHZ:g}",
        a_FREQUENCY_PIN_CLKOP=f"{float(setting.frequency) / MHZ:g}",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_OUTDIVIDER_MUXC="DIVC",
        p_OUTDIVIDER_MUXD="DIVD",
        p_CLKI_DIV=setting.reference,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=setting.output,
        p_CLKOP_CPHASE=(setting.output - 1) // 2,
        p_CLKOP_FPHASE=0,
        p_FEEDBK_PATH="CLKOP",
        p_CLKFB_DIV=setting.feedback,
        i_RST=0,
        i_STDBY=0,
        i_CLKI=i,
        i_CLKFB=o,
        i_PHASESEL0=0,
        i_PHASESEL1=0,
        i_PHASEDIR=1,
        i_PHASESTEP=1,
        i_PHASELOADREG=1,
        i_PLLWAKESYNC=0,
        i_ENCLKOP=0,
        o_CLKOP=o,
        o_LOCK=locked,
    )


def ice40_instance(setting: Setting, pad, o, locked) -> Instance:
    """An SB_PLL40_PAD from the board's clock pin `pad` to clock `o`."""
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=setting.reference - 1,
        p_DIVF=setting.feedback - 1,
        p_DIVQ=setting.output.bit_length() - 1,
        p_FILTER_RANGE=filter_range(setting),
        i_PACKAGEPIN=pad,
        i_RESETB=1,
        i_BYPASS=0,
        o_PLLOUTGLOBAL=o,
        o_LOCK=locked,
    )


def gowin_instance(source: int, setting: Setting, device: str, i, o, locked) -> Instance:
    """An rPLL of `device` from clock `i` to clock `o`."""
    return Instance(
        "rPLL",
        p_FCLKIN=f"{source / MHZ:g}",
        p_IDIV_SEL=setting.reference - 1,
        p_FBDIV_SEL=setting.feedback - 1,
        p_ODIV_SEL=setting.output,
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_PSDA_SEL="0000",
        p_DYN_DA_EN="false",
        p_DUTYDA_SEL="1000",
        p_CLKOUT_FT_DIR=1,
        p_CLKOUTP_FT_DIR=1,
        p_CLKOUT_DLY_STEP=0,
        p_CLKOUTP_DLY_STEP=0,
        p_CLKFB_SEL="internal",
        p_CLKOUT_BYPASS="false",
        p_CLKOUTP_BYPASS="false",
        p_CLKOUTD_BYPASS="false",
        p_DYN_SDIV_SEL=2,
        p_CLKOUTD_SRC="CLKOUT",
        p_CLKOUTD3_SRC="CLKOUT",
        p_DEVICE=device,
        i_CLKIN=i,
        i_CLKFB=0,
        i_RESET=0,
        i_RESET_P=0,
        i_FBDSEL=0b000000,
        i_IDSEL=0b000000,
        i_ODSEL=0b000000,
        i_PSDA=0,
        i_DUTYDA=0,
        i_FDLY=0,
        o_CLKOUT=o,
        o_LOCK=locked,
    )
