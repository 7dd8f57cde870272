"""Synthesis as a cost: each distinct core once, counted by hand, merged into the report."""

import json

import pytest

from hebbware.cli import main
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError, ToolError
from hebbware.study import kinds, report, spec, synthesis
from hebbware.study.store import run_name

TEXT = """
base = "digits"
epochs = 1
samples = 60
validation = 50
seeds = [0, 1]
cost = "synthesis"
[grid]
formats.weight_bits = [6, 12]
epochs = [1, 2]
"""


def planned(tmp_path, text=TEXT):
    path = tmp_path / "area.toml"
    path.write_text(text)
    return spec.plan(path), path


def test_each_distinct_core_is_synthesised_once_for_each_family(tmp_path):
    plan, _ = planned(tmp_path)
    cores = [key for key in plan.keys.values() if key.get("kind") == "synthesis"]
    widths = sorted((key["family"], key["config"]["formats.weight_bits"]) for key in cores)
    assert widths == [("ecp5", 6), ("ecp5", 12), ("ice40", 6), ("ice40", 12)]
    assert len(plan.keys) - len(cores) == 8  # two widths, two lengths, two seeds
    for point in plan.parts[0].points:
        for family, name in point.syntheses.items():
            key = plan.keys[name]
            assert key["family"] == family
            assert key["config"]["formats.weight_bits"] == point.values["formats.weight_bits"]


def test_without_it_nothing_is_synthesised(tmp_path):
    plan, _ = planned(tmp_path, TEXT.replace('cost = "synthesis"\n', ""))
    assert len(plan.keys) == 8
    with pytest.raises(InputError, match="cost must be one of estimate, synthesis"):
        planned(tmp_path, TEXT.replace('"synthesis"', '"area"'))


@pytest.mark.parametrize(
    ("family", "cells", "expected"),
    [
        (
            "ecp5",
            {"LUT4": 100, "CCU2C": 10, "TRELLIS_DPR16X4": 3, "TRELLIS_FF": 50, "DP16KD": 4,
             "MULT18X18D": 2, "PFUMX": 7},
            {"lut": 138, "ff": 50, "bram": 4, "dsp": 2, "spram": 0},
        ),
        (
            "ice40",
            {"SB_LUT4": 90, "SB_CARRY": 30, "SB_DFF": 5, "SB_DFFESR": 6, "SB_RAM40_4K": 8,
             "SB_MAC16": 3, "SB_SPRAM256KA": 1},
            {"lut": 90, "ff": 11, "bram": 8, "dsp": 3, "spram": 1},
        ),
    ],
)  # fmt: skip
def test_cells_are_counted(family, cells, expected):
    assert synthesis.count(family, cells) == expected


def fake(config, family):
    luts = {"ecp5": 1000, "ice40": 2000}[family] + config.formats.weight_bits
    return {"lut": luts, "ff": 1, "bram": 2, "dsp": 3, "spram": 0, "yosys": "none"}


def test_sweep_and_report_have_the_resources(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(synthesis, "synthesise", fake)
    monkeypatch.setattr("hebbware.cosim.tools.find", lambda name: None)
    _, path = planned(tmp_path)
    folder = tmp_path / "results"
    code = main.main(["sweep", str(path), "--results", str(folder), "--jobs", "1", "--json", "-"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["done"], found["failed"]) == (0, 12, 0)
    study = report.load(folder)
    (panel,) = study.panels
    for point in panel.points:
        bits = point.runs[0].settings["formats.weight_bits"]
        cores = point.runs[0].cost["synthesis"]
        assert (cores["ecp5"]["lut"], cores["ice40"]["lut"]) == (1000 + bits, 2000 + bits)
    assert {"lut-ecp5", "lut-ice40"} <= panel.fronts("validation").keys()
    summary = report.summary(study)
    assert summary["planned"] == 8  # the cores are no runs of a network


def test_failed_synthesis_is_a_result(monkeypatch):
    def fails(config, family):
        raise ToolError("synthesise: yosys ended with exit code 1", "no memory")

    monkeypatch.setattr(synthesis, "synthesise", fails)
    monkeypatch.setattr("hebbware.cosim.tools.find", lambda name: None)
    key = synthesis.key(CoreConfig.of((2, 4, 2)), "ecp5")
    content = kinds.execute(key)
    assert content["status"] == "failed"
    assert "exit code 1" in content["error"]
    assert run_name(content["key"]) == run_name(key)
    with pytest.raises(InputError, match="hardware of version"):
        kinds.execute({**key, "code": "0" * 16})


@pytest.mark.slow  # half a minute of Yosys
def test_yosys_measures_a_core_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBWARE_CACHE", str(tmp_path / "cache"))
    config = CoreConfig.of((2, 4, 2), lanes=1)
    found = synthesis.synthesise(config, "ice40")
    assert found["lut"] > 500
    assert found["dsp"] >= 1

    def never(*arguments):
        raise AssertionError("it is in the cache")

    monkeypatch.setattr(synthesis, "_run", never)
    assert synthesis.synthesise(config, "ice40") == found
    with pytest.raises(AssertionError):
        synthesis.synthesise(CoreConfig.of((2, 5, 2), lanes=1), "ice40")
