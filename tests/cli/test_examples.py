"""The examples run as they stand and print what the library says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from hebbware.golden import Core, CoreConfig
from hebbware.golden.data import sets as data
from hebbware.hdl import emit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = {"simulate_rtl", "emit_verilog", "study_quantization"}


def run(name, *arguments, folder):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_one_for_each_use():
    assert {path.stem for path in EXAMPLES.iterdir() if path.suffix == ".py"} == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_is_short(name):
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text())
    lines = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    assert len(lines) <= 16
    assert ast.get_docstring(tree)


@pytest.mark.slow
def test_simulate_rtl(tmp_path):
    equal, compared, inferred = run("simulate_rtl", folder=tmp_path)
    assert equal == "equal"
    assert int(compared.split()[0]) > 1000
    digits = data.load("digits")
    core = Core(CoreConfig.of((64, 8, 6, 10), lanes=4, formats__weight_bits=8))
    core.learn_many(digits.x_train[:20], digits.y_train[:20])
    expected = core.infer_many(digits.x_train[20:30])[0]
    assert inferred == f"inferred: {expected.tolist()}"


def test_emit_verilog(tmp_path):
    path = tmp_path / "core.v"
    _, counts, clocks = run("emit_verilog", path, folder=tmp_path)
    config = CoreConfig.of((64, 32, 16, 10), lanes=8, formats__weight_bits=8)
    assert path.read_text() == emit.core_verilog(config)
    weights = sum(w.size for w in Core(config).weights)
    assert counts.startswith(f"{weights} weights, ")
    assert clocks.endswith(" clocks per sample")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow  # a minute
def test_study_quantization(tmp_path):
    head, *rows = [line.split("\t") for line in run("study_quantization", folder=tmp_path)]
    assert head == ["bits", "floor", "nearest", "stochastic"]
    found = {int(bits): [float(score[:-2]) for score in scores] for bits, *scores in rows}
    assert list(found) == [16, 12, 8, 6]
    assert min(found[16]) > 90
    floor, nearest, stochastic = found[8]
    assert floor < 50 < nearest < stochastic
    assert stochastic > 90
