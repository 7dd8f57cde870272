"""Convolutions from the command line: what trains, and what is refused before any work."""

import json

import pytest

from hebbware.cli import main


def test_digits_conv_trains_and_goes_on(capsys, tmp_path):
    run, curve = tmp_path / "run.npz", tmp_path / "curve.svg"
    arguments = ["train", "--config", "digits-conv", "--epochs", "2", "--shift", "1"]
    more = ["--checkpoint", str(run), "--figure", str(curve), "--json", "-"]
    assert main.main([*arguments, *more]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"]["test"] > 0.8
    assert found["config"]["input.shape"] == [8, 8, 1]
    assert curve.stat().st_size
    assert main.main(["train", "--resume", str(run), "--epochs", "3", "--json", "-"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["accuracy"]["train"][:2] == found["accuracy"]["train"]
    assert again["epochs"] == 3


BAD = [
    (["train", "--config", "digits-conv", "--dataset", "xor"], "data set xor has 2 inputs"),
    (
        ["train", "--config", "cifar10", "--dataset", "digits"],
        "data set digits has images of 8x8x1, but the configuration takes input.shape = [32, ",
    ),
    (["train", "--config", "xor", "--flip"], "flip and shift need a data set of images"),
    (["train", "--config", "digits", "--shift", "8"], "shift must be at most 7 for these images"),
    (
        ["train", "--config", "digits-conv", "--set", "layer.kernel=[7,3]"],
        "layer.kernel must be 1, 3 or 5, not 7",
    ),
    (
        ["train", "--config", "digits-conv", "--set", "memory.kind=window"],
        "memory.kind must be 'gated', 'trace', 'codes' or 'none' where layer.kind is 'conv'",
    ),
    (["profile", "--config", "digits-conv"], "a profile can be made of dense layers"),
    (["export", "--config", "digits-conv", "--c", "n.h"], "layer 1 must be dense or readout, not"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=str)
def test_what_is_refused(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not [*tmp_path.iterdir()]
