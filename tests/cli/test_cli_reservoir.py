"""``hebbware reservoir``: its commands on small reservoirs, and what is bad input."""

import json
import re

import pytest

from hebbware.cli import main
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.study import reservoir as study

CONFIG = ReservoirConfig(units=16, topology="cycle", rho=0.9, gain=-3, step=2, outputs=2)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(CONFIG.to_toml())
    return str(path)


def test_measures(small, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(study, "BITS", (0, 8))
    monkeypatch.setattr(study, "SIZES", (16, 16))
    monkeypatch.setattr(study, "steps_for", lambda units: 600)
    figure, result = tmp_path / "figure.png", tmp_path / "result.json"
    arguments = ["--config", small, "--figure", str(figure), "--json", str(result)]
    assert main.main(["reservoir", *arguments]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    found = json.loads(result.read_text())
    assert [row["topology"] for row in found["rows"]] == ["cycle"] * 3 + ["sparse"] * 3
    assert {row["state_bits"] for row in found["rows"]} == {0, 8, 12}
    assert found["config"] == CONFIG.to_dict()
    text = capsys.readouterr().out
    assert text.count("cycle") == 3
    assert "NARMA-10" in text


def test_train_then_cosim_with_the_decoder(small, tmp_path, capsys):
    decoder, result = str(tmp_path / "decoder.json"), tmp_path / "result.json"
    arguments = ["--config", small, "--steps", "1000", "--output", decoder]
    assert main.main(["reservoir", "train", *arguments]) == 0
    assert re.search(r"ridge.*0\.9\d+.*\n.*delta.*0\.9\d+", capsys.readouterr().out)
    arguments = ["--config", small, "--decoder", decoder, "--steps", "400"]
    assert main.main(["reservoir", "cosim", *arguments, "--json", str(result)]) == 0
    run = json.loads(result.read_text())["runs"][small]
    assert run["mismatches"] == 0
    assert run["compared"] >= 400 * (1 + 2) + 32
    assert run["r2"] > 0.9
    verilog = ["reservoir", "verilog", "--config", small, "--decoder", decoder]
    verilog += ["--output", str(tmp_path / "with.v")]
    assert main.main(verilog) == 0
    assert main.main([*verilog, "--seed", "5"]) == 2
    assert "must be of this configuration" in capsys.readouterr().err
    other = [*arguments, "--seed", "5"]
    assert main.main(["reservoir", "cosim", *other]) == 2
    assert "must be of this configuration" in capsys.readouterr().err


def test_verilog(small, tmp_path):
    path = tmp_path / "reservoir.v"
    assert main.main(["reservoir", "verilog", "--config", small, "--output", str(path)]) == 0
    text = path.read_text()
    assert "module hebbware_reservoir(" in text
    body = text.split("module hebbware_reservoir(")[1]
    told = re.findall(r"^//   (input|output) +(\d+)  (\w+)  +\S", text, re.MULTILINE)
    assert len(told) == 2 + 5 * 3
    for direction, width, name in told:
        bits = "" if width == "1" else rf"\[{int(width) - 1}:0\] "
        assert re.search(rf"^  {direction} {bits}{name} ?;", body, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none"], r"config must be a preset \(cycle, leaky, sparse, tanh\) or"),
        (["--figure", "x.bmp"], "--figure must end in one of .png, .svg, .pdf, not 'x.bmp'"),
        (["cosim", "--decoder", "x"], "--decoder must be for one --config, not 0"),
        (["cosim", "--config", "cycle", "--decoder", "none"], "decoder none: No such file"),
        (["verilog", "--output", "-", "--json", "-"], "cannot both be '-'"),
    ],
)
def test_bad_input(arguments, message, capsys):
    assert main.main(["reservoir", *arguments]) == 2
    out, err = capsys.readouterr()
    assert re.search(message, err)
    assert err.count("\n") == 1
    assert out == ""


def test_lanes_that_do_not_reach_the_units(tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text("units = 96\nlanes = 16\n")
    assert main.main(["reservoir", "verilog", "--config", str(path)]) == 2
    assert f"error: config {path}: units must be a power of two" in capsys.readouterr().err


def test_states_have_no_decoder_to_train(tmp_path, capsys):
    path = tmp_path / "states.toml"
    path.write_text('units = 16\noutput = "state"\n')
    assert main.main(["reservoir", "train", "--config", str(path)]) == 2
    assert "output must be readout to train one, not state" in capsys.readouterr().err
