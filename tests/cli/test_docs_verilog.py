"""The page on the Verilog: its test bench prints what the page says, and what golden does."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.cosim import toolchain
from hebbware.golden import Core
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.program.layout import Layout

PAGE = (Path(__file__).parents[2] / "docs" / "verilog.md").read_text()
LINES = re.search(r"vvp -n bench\n\n((?: {4}.*\n)+)", PAGE)[1].replace("    ", "").splitlines()
needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not on PATH")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    (folder / "bench.v").write_text(re.search(r"```verilog\n(.*?)```", PAGE, re.DOTALL)[1])
    assert main.main(["verilog", "--config", "xor", "--output", str(folder / "core.v")]) == 0
    return folder


def test_golden_gives_what_the_page_prints():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"print": lambda found: None}
    exec(code, names)
    classes, scores = names["core"].infer_many(names["corners"])
    rows = np.column_stack([classes, scores]).tolist()
    assert [" ".join(map(str, row)) for row in rows] == LINES


@needs_icarus
def test_in_icarus(folder):
    def run(*command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert run("iverilog", "-g2005", "-Wall", "-o", "bench", "bench.v", "core.v") == []
    assert [line for line in run("vvp", "-n", "bench") if "$finish" not in line] == LINES


@pytest.mark.slow  # a minute: a simulation to build
def test_in_verilator(folder):
    made = folder / "made"
    flags = ["--binary", "-Wno-fatal", "--top-module", "bench", "-o", "bench"]
    flags += ["-CFLAGS", "-O0 -std=c++20"]
    sources = [folder / name for name in ("bench.v", "core.v")]
    toolchain.compile_program(sources, flags, toolchain.find(), made)
    done = subprocess.run([made / "bench"], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if not line.startswith("- ")] == LINES


def test_address_of_a_weight():
    """Numbered one by one, and looked up by the page's rule."""
    config = CoreConfig.of((64, 40, 20, 10), lanes=16)
    layout, bases = Layout(config), Layout(config).weight_bases
    shapes = [(65, 40), (41, 20), (10, 20)]
    starts = np.cumsum([0, *(a * b for a, b in shapes)])
    numbers = [
        np.arange(start, start + a * b).reshape(a, b)
        for start, (a, b) in zip(starts, shapes, strict=False)
    ]
    words = layout.weight_words(numbers)
    assert words[70, 4] == numbers[0][5, 20]
    assert words[bases[1] + 1 * 41 + 7, 3] == numbers[1][7, 19]
    assert words[bases[2] + 9 * 2 + 1, 3] == numbers[2][9, 19]


def test_a_weight_is_read_as_the_page_says():
    command = re.search(r"`\{32'd0, 21'd(\d+), 7'd(\d+), 2'd0, 2'd0\}`", PAGE)
    assert command.groups() == ("70", "4")
    from hebbware.golden.program.commands import Op, Space, pack

    assert pack(Op.READ, Space.WEIGHT, 70, 4) == 70 << 11 | 4 << 4
    assert Core(load("xor")).config.u.fraction == 8  # scores are in 1/256
