"""cocotb's runner for Verilator, whose programs end with this one and whose paths may be any."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import cocotb_tools.config
import cocotb_tools.runner

from hebbware.golden.system import children, places

from .toolchain import read_log

POLL = 0.1  # seconds between two looks at the progress


class Verilator(cocotb_tools.runner.Verilator):
    """The runner; what fails raises `ToolError`.

    Parameters
    ----------
    watch : callable, optional
        Called now and then while a program runs.
    """

    def __init__(self, watch: Callable[[], None] | None = None):
        super().__init__()
        self.watch = watch
        self.log.disabled = True

    def _set_env_common(self) -> None:
        """Let the program find cocotb's libraries: it may have been built with another's."""
        super()._set_env_common()
        for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
            paths = [str(cocotb_tools.config.libs_dir), self.env.get(name)]
            self.env[name] = os.pathsep.join(filter(None, paths))

    def _build_command(self) -> list[list[str]]:
        """Leave where cocotb's libraries lie out of the program, and odd paths of the makefile."""
        (verilator, *others) = super()._build_command()
        libraries, shared = cocotb_tools.config.libs_dir, cocotb_tools.config.share_dir
        quoted = shlex.quote(str(libraries)).replace("$", "$$").replace("#", r"\#")
        verilator[verilator.index("-LDFLAGS") + 1] = f"-L{quoted} -lcocotbvpi_verilator"
        main = shared / "lib" / "verilator" / "verilator.cpp"
        if not places.is_plain(main):
            copy = shutil.copy(main, self.build_dir)
            verilator = [str(copy) if word == str(main) else word for word in verilator]
        return [verilator, *others]

    def _execute_cmds(self, cmds: Sequence, cwd, stdout: TextIO | None = None) -> None:
        for command in cmds:
            options = {"cwd": cwd, "env": self.env, "stdout": stdout, "stderr": subprocess.STDOUT}
            with children.running(command, **options) as process:
                while (code := _wait(process, POLL if self.watch else None)) is None:
                    self.watch()
            if code:
                name = Path(command[0]).name
                what = "the simulator" if name == "bench" else f"building the simulation: {name}"
                children.check(what, code, read_log(Path(self.log_file)))


def _wait(process: subprocess.Popen, seconds: float | None) -> int | None:
    """The exit code, or None where it runs on."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
