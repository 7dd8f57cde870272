"""Sequences on the command line: what trains, what the RTL does, what is refused without a link."""

import json

import pytest

from hebbware.cli import main

WITHOUT = (
    "error: layer.kind must be 'dense' for boards and estimates, not 'recurrent': the core of such "
    "layers has no serial link so far"
)
FIELDS = ["--set", "neuron.ticks=8", "--epochs", "1", "--config", "digits-rows"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--board", "icebreaker"],
        ["bench"],
    ],
)
def test_what_needs_a_board_is_refused(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.main([*arguments, "--config", "digits-rows"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == WITHOUT
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["verilog", "cosim"])
def test_what_is_no_hardware_is_refused(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--config", "digits-rows", "--set", "modulator.kind=surprise"]
    assert main.main([command, *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: modulator.kind must be 'none' or 'symmetric' or 'random' in hardware, not "
        "'surprise': its core exists in software only"
    )
    assert not list(tmp_path.iterdir())


def test_info_shows_the_fields(capsys):
    assert main.main(["info", "--config", "digits-rows"]) == 0
    assert 'kind = "recurrent"' in capsys.readouterr().out


def test_train_with_controls(capsys):
    assert main.main(["train", *FIELDS, "--controls", "--json", "-"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert set(found["controls"]) == {"linear", "frozen", "random"}
    assert 0.001 < found["rate"] < 0.5
    assert "warning" not in captured.err


def test_a_silent_layer_is_told(capsys):
    assert main.main(["train", *FIELDS, "--set", "layer.init_std=[0.001, 0.1]"]) == 0
    assert "a unit spikes in 0 % of the ticks: warning, the layer is silent" in " ".join(
        capsys.readouterr().out.split()
    )


def test_seeds_beside_floating_point(capsys):
    """A silent layer is told of each seed; without spikes nothing is learned, in no arithmetic."""
    silent = ["--set", "layer.init_std=[0.001, 0.1]"]
    seeds = ["--seeds", "2", "--reference", "--json", "-"]
    assert main.main(["train", *FIELDS, *silent, *seeds]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["rates"] == [0, 0]
    chance = found["accuracy"]["test"][0]
    assert chance < 0.2
    for name in ("reference", "reference_synapses"):
        assert found[name]["test"] == [chance] * 2
    text = " ".join(captured.err.split())
    for seed in (0, 1):
        assert f"seed {seed}: a unit spikes in 0 % of the ticks: warning, the layer is si" in text
