"""Configurations proposed for data and devices, and the command that writes them."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_wine

from hebbware.boards.board import BOARDS
from hebbware.cli import main
from hebbware.golden import config
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.estimate import devices
from hebbware.golden.learn.propose import FORMATS, MARGIN, propose


def dataset(inputs, classes, samples=400):
    rng = np.random.default_rng(inputs)
    x = rng.integers(0, 256, (samples, inputs), dtype=np.uint8)
    return Dataset.from_arrays(x, np.arange(samples) % classes, name="made")


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(("inputs", "classes"), [(2, 2), (13, 3), (128, 6), (784, 10)])
def test_what_is_proposed_fits_the_board(board, inputs, classes):
    device = BOARDS[board].device
    found = propose(dataset(inputs, classes), device)
    assert (found.config.inputs, found.config.classes) == (inputs, classes)
    need = devices.need(found.config, device)
    assert need.fits
    assert need.lut <= MARGIN * need.has["lut"]
    for field in ("layer.units", "lanes", "formats", "memory.horizon", "layer.rate"):
        assert all(found.reasons[field])


def test_a_larger_device_gets_no_narrower_network():
    made = dataset(784, 10)
    devices = ("ECP5 LFE5U-25F", "ECP5 LFE5U-45F", "ECP5 LFE5U-85F")
    found = [propose(made, device).config for device in devices]
    for smaller, larger in zip(found, found[1:], strict=False):
        assert smaller.hidden[0] <= larger.hidden[0]
        assert smaller.lanes <= larger.lanes
        assert smaller.weight.width <= larger.weight.width
    assert found[-1].hidden == (128, 64)


def test_without_a_device_it_is_quick_to_simulate():
    found = propose(dataset(784, 10))
    assert found.need is None
    assert found.config.lanes == 16
    assert found.config.weight.width == FORMATS["12-bit weights"]["formats.weight_bits"]


def test_small_sets_are_seen_more_often():
    assert propose(dataset(4, 2, 130)).epochs == 100
    assert propose(dataset(4, 2, 4000)).epochs == 4
    assert propose(dataset(4, 2, 40_000)).epochs == 1


def test_nothing_fits(monkeypatch):
    monkeypatch.setattr(devices, "DEVICES", (("toy", "ice40", 500, 1, 1),))
    with pytest.raises(
        InputError, match="toy is too small for 20 inputs and 2 classes, also with 8"
    ):
        propose(dataset(20, 2), "toy")


@pytest.fixture
def wine(tmp_path, monkeypatch):
    """The 178 wines as a table in the working folder."""
    monkeypatch.chdir(tmp_path)
    found = load_wine()
    lines = [",".join([*found.feature_names, "cultivar"])]
    for x, y in zip(found.data.tolist(), found.target.tolist(), strict=True):
        lines.append(",".join([*map(str, x), f"class {y}"]))
    (tmp_path / "wine.csv").write_text("\n".join(lines))
    return tmp_path


def test_from_a_table_to_a_trained_network(wine, capsys):
    assert main.main(["init", "--dataset", "wine.csv", "--board", "icebreaker"]) == 0
    printed = capsys.readouterr().out
    following = [line.split()[1:] for line in printed.splitlines() if line.startswith("    hebb")]
    assert [words[0] for words in following] == ["train", "cosim", "build"]
    assert config.load("wine.toml").sizes == (13, 32, 16, 3)
    assert main.main([*following[0], "--json", "train.json"]) == 0
    found = json.loads((wine / "train.json").read_text())
    assert found["accuracy"]["test"] > 0.9  # the test set is 43 wines


def test_nothing_is_replaced_unasked(wine, capsys):
    (wine / "wine.toml").write_text("mine")
    assert main.main(["init", "--dataset", "wine.csv"]) == 2
    assert "wine.toml is there" in capsys.readouterr().err
    assert (wine / "wine.toml").read_text() == "mine"
    assert main.main(["init", "--dataset", "wine.csv", "--overwrite"]) == 0
    assert config.load("wine.toml").classes == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "none.csv"], "none.csv: no such file"),
        (["--dataset", "wine.csv", "--label", "hue2"], "--label must be a column"),
        (["--dataset", "wine.csv", "--board", "pynq"], "board must be one of"),
    ],
)
def test_bad_input(wine, capsys, options, message):
    assert main.main(["init", *options, "--output", "made.toml"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (wine / "made.toml").exists()
