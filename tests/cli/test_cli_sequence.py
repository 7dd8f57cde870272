"""Sequences on the command line: what trains, what is told of them, what is refused."""

import json

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
