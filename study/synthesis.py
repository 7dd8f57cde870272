"""The core after synthesis: LUTs, flip-flops, block RAMs and multipliers, not placed nor routed.

A run of its own kind in a sweep: each distinct core once for each family, whatever the number of
seeds and epochs it is trained with. The netlist is that of the core alone; the serial link and the
logic of a board, which `hebbware build` has, come on top.

A key is ``{"kind": "synthesis", "family": "ecp5" | "ice40", "config": {...}, "code": ...}``; the
``result`` has ``lut``, ``ff``, ``bram``, ``dsp``, ``spram``, and the version of ``yosys``. ``lut``
counts as `hebbware build` does: on an ECP5 a carry is 2 LUTs and a RAM of 16 words of 4 bits is 6.
What has been synthesised once is kept, by the content of the core and the tool.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from functools import lru_cache
from typing import Any

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError, ToolError
from hebbware.golden.system import places
from hebbware.study import version

FAMILIES = ("ecp5", "ice40")
COUNTED = {
    "ecp5": {
        "lut": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
        "ff": {"TRELLIS_FF": 1},
        "bram": {"DP16KD": 1, "PDPW16KD": 1},
        "dsp": {"MULT18X18D": 1},
    },
    "ice40": {
        "lut": {"SB_LUT4": 1},
        "ff": {"SB_DFF*": 1},
        "bram": {"SB_RAM40_4K": 1, "SB_RAM40_4KNR": 1, "SB_RAM40_4KNW": 1, "SB_RAM40_4KNRNW": 1},
        "dsp": {"SB_MAC16": 1},
        "spram": {"SB_SPRAM256KA": 1},
    },
}
"""Of each resource the cells that take it, and how many; a star stands for any end of a name."""


@lru_cache
def code_version() -> str:
    """Return the version of the code that a result depends on: of the hardware, not of learning."""
    return version.code_version(__name__, "hebbware.hdl.core", "hebbware.boards.gates")


def key(config: CoreConfig, family: str) -> dict[str, Any]:
    """Return the key of a synthesis; the seed of the network is left out."""
    plain = {name: value for name, value in config.to_dict().items() if name != "seed"}
    return {"kind": "synthesis", "family": family, "config": plain, "code": code_version()}


def execute(key: dict, data_dir: str | None = None) -> dict:
    """Return the content of the result of a key (`hebbware.study.store`).

    Raises
    ------
    InputError
        This process has another version of the code than the key names, or there is no Yosys.
    """
    if code_version() != key["code"]:
        raise InputError(
            f"a worker has hardware of version {code_version()}, the sweep {key['code']}; "
            "install the same version on all machines"
        )
    from hebbware.cosim import tools

    tools.find("yosys")  # what is missing here is no result
    content: dict[str, Any] = {"key": key, "status": "done", "error": None, "cost": None}
    try:
        config = CoreConfig.from_dict({**key["config"], "seed": 0})
        content["result"] = synthesise(config, key["family"])
    except ToolError as error:
        content.update(status="failed", error=" ".join(str(error).split()), result=None)
    return content


def synthesise(config: CoreConfig, family: str) -> dict[str, Any]:
    """Return the resources of the core of a configuration on a family of devices.

    Raises
    ------
    ToolError
        Yosys fails.
    InputError
        There is none.
    """
    from amaranth.back import rtlil

    from hebbware.boards import gates
    from hebbware.cosim import tools
    from hebbware.hdl.core import Core

    text = rtlil.convert(
        Core(config), name="dut", platform=gates.PLATFORMS[family](), emit_src=False
    )
    yosys, passes = tools.find("yosys"), f"{gates.SYNTHESIS[family]} -top dut"
    name = hashlib.sha256("\n".join((text, yosys.origin, passes)).encode()).hexdigest()[:32]
    for folder in places.kept("synthesis"):
        if (folder / f"{name}.json").is_file():
            cells = json.loads((folder / f"{name}.json").read_text())
            break
    else:
        cells = _run(text, yosys, passes)
        _keep(name, cells)
    return {**count(family, cells), "yosys": yosys.origin}


def _run(text: str, yosys, passes: str) -> dict[str, int]:
    """Return how many cells of each type there are in the netlist."""
    from hebbware.cosim import tools

    with places.temporary() as folder:
        (folder / "dut.il").write_text(text)
        script = f"read_rtlil dut.il; {passes}; tee -q -o cells.json stat -json"
        tools.call(
            yosys, ["-q", "-p", script], step="synthesise", folder=folder, log=folder / "log.txt"
        )
        return json.loads((folder / "cells.json").read_text())["design"]["num_cells_by_type"]


def _keep(name: str, cells: dict[str, int]) -> None:
    folder = places.keep("synthesis")
    beside = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        beside.write_text(json.dumps(cells, sort_keys=True))
        os.replace(beside, folder / f"{name}.json")
    finally:
        beside.unlink(missing_ok=True)


def count(family: str, cells: dict[str, int]) -> dict[str, int]:
    """Return the resources that cells take; ``spram`` is 0 where the family has none."""
    found = dict.fromkeys(("lut", "ff", "bram", "dsp", "spram"), 0)
    for resource, taken in COUNTED[family].items():
        for cell, number in cells.items():
            for pattern, each in taken.items():
                if cell == pattern or (pattern[-1] == "*" and cell.startswith(pattern[:-1])):
                    found[resource] += each * number
    return found
