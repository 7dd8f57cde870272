"""Sequences on the command line: what trains, what is told of them, what is refused."""

import json

import pytest

from hebbware.cli import main

FIELDS = ["--set", "neuron.ticks=8", "--epochs", "1", "--config", "digits-rows"]


def test_bench_takes_no_sequences(capsys):
    assert main.main(["bench", "--config", "digits-rows"]) == 2
    message = "error: bench takes no sequences: layer.kind must be 'dense', not 'recurrent'"
    assert capsys.readouterr().err.splitlines()[-1] == message


def test_info_tells_clocks_of_ticks(capsys):
    """Of cores without spikes by hand: blocks of traces, of potentials twice, of what is seen."""
    assert main.main(["info", "--config", "cue-accumulation", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    first = found["clocks_by_spikes"][0]
    assert first["spikes"] == 0
    # 5 + 13 words of traces, 2 x 13 steps for an input, the pass without spikes, 13, start and end
    assert first["settling"] == 5 + 13 + 26 + 1 + 13 + 2
    assert first["inferred"] - first["settling"] == 2 * 13
    assert first["limit"] == 13 * (1 + 140 + 2 + 2)
    assert found["weights"] == 140 * 100 + 2 * 100
    assert any(need["fits"] for need in found["resources"])
    assert main.main(["info", "--config", "digits-rows"]) == 0
    text = capsys.readouterr().out
    assert "clocks per tick" in text
    assert "clocks per learned sequence of 8 ticks" in text


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


# -- signals ---------------------------------------------------------------------------------------

PATTERNS = [
    *("--config", "patterns", "--dataset", "patterns:ticks=40:inputs=8:train=8:test=2"),
    *("--set", "neuron.ticks=40", "--set", "input.size=8", "--set", "layer.units=[10,2]"),
]


def test_train_on_signals(capsys):
    arguments = ["train", *PATTERNS, "--epochs", "2", "--controls", "--validation", "2"]
    assert main.main([*arguments, "--json", "-"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["measure"] == "normalised mean squared error"
    assert [len(found[key][0]) for key in ("train", "validation")] == [2, 2]
    assert set(found["controls"]) == {"mean", "frozen", "random"}
    assert abs(found["controls"]["mean"][0] - 1) < 1e-9
    assert "on validation" in captured.err


def test_seeds_on_signals_beside_floating_point(capsys):
    arguments = ["train", *PATTERNS, "--epochs", "1", "--seeds", "2", "--reference"]
    assert main.main([*arguments, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seeds"] == [0, 1]
    assert len(set(found["error"])) == 2  # each has its own pattern
    assert {len(values) for values in found["controls"].values()} == {2}
    assert set(found["controls"]) == {"float, the same rule", "float, traces of single synapses"}


REFUSED = {
    ("train", "--config", "cue-accumulation", "--dataset", "patterns"): "has signals as targets",
    ("train", "--config", "digits-rows", "--seeds", "2", "--dataset", "patterns"): "signals as ta",
    ("train", "--config", "patterns", "--dataset", "digits"): "has classes as targets, but the con",
    ("train", "--config", "patterns", "--baselines"): "--baselines cannot be given with neuron.sig",
    ("train", "--config", "patterns", "--checkpoint", "x"): "--checkpoint cannot be given with neu",
    ("train", "--config", "patterns", "--stream", "in-order"): "--stream cannot be given with neur",
    ("cosim", "--config", "patterns", "--stream", "parts"): "--stream cannot be given with neuron",
    (
        "build",
        "--config",
        "patterns",
        "--board",
        "icebreaker",
    ): "neuron.signal must be false on a b",
    ("profile", "--config", "patterns"): "data set patterns is for train and cosim: its targets a",
    ("init", "--dataset", "patterns"): "data set patterns must have classes as targets, not signal",
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.items(), ids=REFUSED.values())
def test_what_makes_no_sense_with_signals(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.main([*arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
    assert error[-1].startswith("error: ")
    assert not any(tmp_path.iterdir())


def test_info_and_data_of_signals(capsys):
    assert main.main(["info", "--config", "patterns"]) == 0
    assert "clocks per tick" in capsys.readouterr().out
    assert main.main(["data", "patterns", "--seed", "3"]) == 0
    assert "2 outputs" in " ".join(capsys.readouterr().out.split())
