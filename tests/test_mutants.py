"""Mutants of the netlist: drawn, noticed or proven to have no effect."""

import importlib.util
import json
from pathlib import Path

import pytest

from hebbware.cli.main import main

CORES = Path(__file__).parent / "cores"


def test_without_a_solver_it_says_so(monkeypatch, capsys):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pysat" else there(name)
    )
    assert main(["mutants", "--count", "1"]) == 2
    assert "mutants needs a SAT solver: pip install" in capsys.readouterr().err


@pytest.mark.slow  # 2 minutes
@pytest.mark.parametrize("core", ["plain", "wide"])
def test_nearly_all_are_noticed(core, tmp_path):
    pytest.importorskip("pysat")
    found = tmp_path / "found.json"
    arguments = ["mutants", "--config", str(CORES / f"{core}.toml"), "--count", "60"]
    assert main([*arguments, "--json", str(found)]) in (0, 1)
    result = json.loads(found.read_text())
    assert result["killed"] + result["equivalent"] + len(result["survivors"]) == 60
    assert result["share"] > 0.9
