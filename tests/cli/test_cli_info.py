"""``hebbware info``: what it tells, and what it refuses."""

import json
import re

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data import sets as data
from hebbware.golden.estimate import estimate


def told(capsys, *arguments):
    assert main.main(["info", *map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_mnist(capsys, monkeypatch):
    monkeypatch.setattr(data, "load", lambda *_: pytest.fail("data are not needed for that"))
    found = told(capsys, "--config", "mnist")
    config = load("mnist")
    assert CoreConfig.from_dict(found["config"]) == config
    assert found["nonzero"] == 150
    assert found["limit_clocks_per_sample"] == 984
    assert found["clocks_per_sample"] == estimate.clocks_per_sample(config, 150)
    assert found["clocks_to_limit"] == found["clocks_per_sample"] / 984
    assert found["weights"] == 785 * 128 + 129 * 64 + 64 * 10
    assert found["memory_bits"] == sum(ram["bits"] for ram in found["memories"])
    weights = next(ram for ram in found["memories"] if ram["name"] == "weights")
    assert (weights["depth"], weights["width"]) == (2 * 785 + 129 + 10, 64 * 12)
    assert found["formats"]["weights"] == {
        "bits": 12,
        "fraction": 10,
        "signed": True,
        "from": -2.0,
        "to": 2 - 2**-10,
    }
    assert [place["address"] for place in found["memory_map"]] == [0, 1570, 1699, 0, 20]
    assert {row["nonzero"] for row in found["clocks_by_nonzero"]} >= {0, 150, 784}
    assert next(p for p in found["passes"] if p["name"] == "forward0")["steps"] == 302


@pytest.mark.parametrize(
    ("fields", "rows", "row"),
    [
        ('memory.kind = "gated"', 3, "class"),
        ('modulator.kind = "hsic"\nmemory.window = 4', 4, "sample"),
        (
            'memory.kind = "reservoir"\nreservoir.decoder = "zero"\nmemory.projection = 8',
            8,
            "projected number",
        ),
    ],
)
def test_memory_map_covers_the_memories(capsys, tmp_path, fields, rows, row):
    path = tmp_path / "mine.toml"
    path.write_text(f"input.size = 6\nlayer.units = [5, 4, 3]\nlanes = 2\n{fields}\n")
    found = told(capsys, "--config", path)
    depths = {ram["name"]: ram["depth"] for ram in found["memories"]}
    for memory, ram in (("weights", "weights"), ("class memory", "class memories")):
        places = [place for place in found["memory_map"] if place["memory"] == memory]
        ends = [place["address"] + place["blocks"] * place["rows"] for place in places]
        assert [place["address"] for place in places] == [0, *ends[:-1]]
        assert ends[-1] == depths[ram]
        if memory == "class memory":
            assert {(place["rows"], place["row"]) for place in places} == {(rows, row)}


def test_nonzero_inputs_are_counted_where_the_data_are(capsys):
    digits = data.load("digits").x_train
    mean = round(np.count_nonzero(digits, axis=1).mean())
    found = told(capsys)
    assert (found["nonzero"], found["nonzero_from"]) == (mean, "mean of digits")
    coarse = told(capsys, "--config", "digits", "--nonzero", 7)
    assert (coarse["nonzero"], coarse["nonzero_from"]) == (7, "--nonzero")


def test_data_that_are_not_at_hand_are_not_needed(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBWARE_DATA", str(tmp_path))
    found = told(capsys, "--config", "cifar10")
    assert found["nonzero"] == load("cifar10").inputs
    assert found["nonzero_from"] == "all inputs, as cifar10 is not at hand"
    assert main.main(["info", "--config", "cifar10", "--dataset", "cifar10"]) == 2  # asked for


def test_inputs_that_few_bits_round_to_zero_are_not_counted(capsys, tmp_path):
    path = tmp_path / "digits-coarse.toml"
    path.write_text("input.size = 64\nlayer.units = [8, 10]\ninput.bits = 1\n")
    digits = data.load("digits").x_train
    assert told(capsys, "--config", path)["nonzero"] == round((digits >= 128).sum(axis=1).mean())


def test_file_that_names_no_data_set(capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("input.size = 20\nlayer.units = [8, 3]\nlanes = 4\nmemory.kind = 'none'\n")
    found = told(capsys, "--config", path)
    assert (found["nonzero"], found["nonzero_from"]) == (20, "all inputs")
    assert {place["memory"] for place in found["memory_map"]} == {"weights"}


def test_features_that_say_nothing_or_clip(capsys, tmp_path):
    """Counted by hand from the file; the test set's numbers are other ones."""
    x, y = np.arange(40.0).reshape(20, 2) % 7, np.arange(20) % 2
    x = np.column_stack([x, np.full(20, 3.0)])
    path, config = tmp_path / "mine.npz", tmp_path / "mine.toml"
    np.savez(path, x=x, y=y, x_test=x[:4] + [0, 3, 0], y_test=y[:4])
    config.write_text("input.size = 3\nlayer.units = [8, 2]\nlanes = 4\n")
    found = told(capsys, "--config", config, "--dataset", path)["features"]
    share = float(np.mean(x[:4, 1] + 3 > x[:, 1].max()))
    assert found == {
        "encoding": "range",
        "constant": [3],
        "clipped": [{"feature": 2, "name": None, "share": share}],
    }
    assert share > 0
    assert main.main(["info", "--config", str(config), "--dataset", str(path)]) == 0
    out = capsys.readouterr().out
    assert "constant in the training part: 1: 3\n" in out
    assert f"clip in the test part: 1: 2 {100 * share:.2g} %\n" in out
    assert "features" not in told(capsys, "--config", config)


def test_costs_of_fields(capsys, tmp_path):
    """A weight of one bit more, in a network of one block of lanes, is a bit a lane and word."""
    config = tmp_path / "small.toml"
    config.write_text("input.size = 8\nlayer.units = [4, 2]\nlanes = 4\n")
    found = told(capsys, "--config", config, "--costs")["costs"]
    wider = [n for n in found if n["field"] == "formats.weight_bits" and n["other"] == 13]
    assert [n["more"]["memory_bits"] for n in wider] == [4 * (9 + 2)]
    assert main.main(["info", "--config", str(config), "--costs"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"formats.weight_bits +│ 12 +│ 13 +│ \+44 ", out)
    free = re.search("a step either way costs nothing: (.*)", out)[1].split(", ")
    assert "memory.horizon" in free
    assert "formats.weight_bits" not in free
    assert "costs" not in told(capsys, "--config", config)


def test_text_for_people(capsys):
    assert main.main(["info", "--config", "mnist"]) == 0
    out, err = capsys.readouterr()
    assert "784-128-64-10, 64 lanes, gated memory" in out
    assert "slot limit 984" in out
    assert "ECP5 LFE5U-85F" in out
    assert err == ""


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("--nonzero must lie in 0..64, not 65", ("--nonzero", 65)),
        ("--nonzero must lie in 0..64, not -1", ("--nonzero", -1)),
        ("config must be a preset", ("--config", "nothing")),
        ("data set must be one of", ("--dataset", "letters")),
        ("data set linear has 2 inputs", ("--dataset", "linear")),
        ("data set mnist: looked in", ("--config", "mnist", "--data", ".")),
        ("--json: cannot write", ("--json", "/nowhere/x")),
        ("'--nonzero'", ("--nonzero", "many")),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, message, arguments):
    monkeypatch.chdir(tmp_path)
    assert main.main(["info", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_columns_of_the_memory_map(capsys):
    """Heads and numbers of the table, beside the JSON."""
    assert main.main(["info", "--config", "mnist"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("memory map"))
    head, row = ([c.strip() for c in re.split("[┃│]", lines[start + n])[1:-1]] for n in (2, 5))
    assert dict(zip(head, row, strict=True)) == {
        "memory": "weights", "layer": "hidden 2", "first address": "1570", "blocks": "1",
        "rows": "129", "a row is of a": "input",
    }  # fmt: skip
