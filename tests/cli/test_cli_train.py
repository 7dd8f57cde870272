"""``hebbware train``: what it prints and writes, and what it refuses before the work."""

import json
import statistics

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.config import dense, load
from hebbware.golden.data import sets as data
from hebbware.golden.data.streams import Stream
from hebbware.golden.learn import checkpoint, train

SMALL = ("--set", "layer.units=[8,6,10]", "--set", "lanes=8")
SMALLER = {**dense((64, 8, 6, 10)), "layer.init_std": [None] * 3, "lanes": 8}


def run(*arguments):
    return main.main(["train", *map(str, arguments)])


def result(capsys, *arguments):
    assert run(*arguments, "--json", "-") == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def untouched(monkeypatch):
    """Fail where training begins."""

    def begun(*_, **__):
        pytest.fail("the work was begun")

    monkeypatch.setattr(train, "train", begun)


def refused(capsys, tmp_path, message, *arguments):
    """Bad input: code 2, one line that says what, and no file made."""
    before = sorted(tmp_path.rglob("*"))
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before


# -- what it gives ----------------------------------------------------------------------------


def test_result_is_that_of_the_library(capsys):
    found = result(capsys, "--epochs", 2, "--seed", 3, *SMALL)
    digits = data.load("digits")
    config = load("digits").derive(**SMALLER, seed=3)
    expected = train.train(config, digits, 2)
    assert found["accuracy"] == {
        "train": expected.state.train,
        "validation": expected.state.validation,
        "test": expected.test,
    }
    assert found["validation"] == found["accuracy"]["validation"][-1]
    assert found["config"] == expected.state.core.config.to_dict()
    assert (found["dataset"], found["epochs"], found["seed"]) == ("digits", 2, 3)
    assert found["samples"] == {"train": 1189, "validation": 108, "test": 500}
    assert found["samples_per_second"] > 0
    assert found["controls"] == {}


def test_text_for_people(capsys):
    assert run("--epochs", 1, *SMALL) == 0
    out, err = capsys.readouterr()
    assert "digits: 64-8-6-10, gated memory, 12-bit weights, seed 0" in out
    assert "test accuracy" in out
    assert err == ""  # the bar shows on terminals only


def test_controls(capsys):
    found = result(capsys, "--epochs", 2, "--controls", *SMALL)["controls"]
    assert list(found) == ["linear", "frozen", "codes", "window"]
    for control in found.values():
        assert len(control["validation"]) == 2
        assert 0 <= control["test"] <= 1


@pytest.mark.parametrize("name", ["digits", "xor", "linear"])
def test_preset_names_its_data_set(capsys, name):
    assert result(capsys, "--config", name, "--epochs", 1)["dataset"] == name


def test_file_named_after_a_data_set(capsys, tmp_path):
    path = tmp_path / "xor-wide.toml"
    path.write_text("input.size = 2\nlayer.units = [32, 2]\nlanes = 8\n")
    found = result(capsys, "--config", path, "--epochs", 1)
    assert (found["dataset"], found["config"]["layer.units"]) == ("xor", [32, 2])
    assert result(capsys, "--config", path, "--dataset", "linear", "--epochs", 1)["dataset"] == (
        "linear"
    )


def test_set_takes_toml_and_bare_words(capsys):
    arguments = (
        "--set",
        "update.rounding=nearest",
        "--set",
        "layer.rate = [6, 5, 8]",
        "--set",
        'memory.kind="none"',
    )
    found = result(capsys, "--epochs", 1, *SMALL, *arguments)["config"]
    assert found["update.rounding"] == "nearest"
    assert found["layer.rate"] == [6, 5, 8]
    assert found["memory.kind"] == "none"
    assert found["layer.init_std"][1] == 8**-0.5  # defaults follow the layers that were set


def test_without_validation(capsys):
    found = result(capsys, "--epochs", 1, "--validation", 0, *SMALL)
    assert found["samples"]["train"] == 1297
    assert found["validation"] is None


def test_resumed_run_is_the_whole_run(capsys, tmp_path):
    path, second = tmp_path / "run.npz", tmp_path / "second.npz"
    whole = result(capsys, "--epochs", 4, "--seed", 2, *SMALL)

    # a run of four epochs that is stopped after two: the state carries its plan
    config = train.spread_halvings(load("digits"), 4)
    config = config.derive(**SMALLER, seed=2)

    class Stop(Exception):
        pass

    def stop(state):
        if state.epoch == 2:
            checkpoint.save(path, state)
            raise Stop

    with pytest.raises(Stop):
        train.train(config, data.load("digits"), 4, after_epoch=stop)
    resumed = result(capsys, "--resume", path, "--checkpoint", second)
    assert resumed["accuracy"] == whole["accuracy"]
    assert resumed["config"] == whole["config"]
    assert checkpoint.load(second).epoch == 4


def test_checkpoint_is_saved_every_epoch(capsys, tmp_path, monkeypatch):
    epochs = []
    save = checkpoint.save

    def spy(path, state):
        epochs.append(state.epoch)
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", spy)
    assert run("--epochs", 3, "--checkpoint", tmp_path / "run.npz", *SMALL) == 0
    assert epochs == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_figure(capsys, tmp_path, suffix, magic):
    path = tmp_path / f"curve{suffix}"
    assert run("--epochs", 2, "--controls", "--figure", path, *SMALL) == 0
    assert path.read_bytes().startswith(magic)
    assert list(tmp_path.iterdir()) == [path]


def test_figure_shows_the_accuracies(capsys, tmp_path):
    path = tmp_path / "curve.svg"
    found = result(capsys, "--epochs", 2, "--controls", "--figure", path, *SMALL)
    text = path.read_text()
    assert f"test {100 * found['accuracy']['test']:.2f}" in text
    for name, control in found["controls"].items():
        assert f"{name} {100 * control['test']:.2f} (test)" in text


# -- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("data set linear has 2 inputs", ("--dataset", "linear")),
        ("data set xor has 2 classes", ("--dataset", "xor", "--set", "input.size=2")),
        ("data set must be one of", ("--dataset", "letters")),
        ("config must be a preset", ("--config", "nothing")),
        ("epochs must lie in 1..1000, not 0", ("--epochs", 0)),
        ("validation samples must lie in 0..1296, not 1297", ("--validation", 1297)),
        ("engine must be one of", ("--engine", "fast")),
        ("--set must be FIELD=VALUE", ("--set", "lanes")),
        ("--set must be FIELD=VALUE", ("--set", "layer.rate=[1,")),
        ("unknown configuration key 'lames'", ("--set", "lames=4")),
        ("lanes must lie in 1..128, not 0", ("--set", "lanes=0")),
        ("window must be at most", ("--controls", "--set", "memory.bits=12")),
        ("--figure must end in one of .png, .svg, .pdf", ("--figure", "curve.jpg")),
        ("cannot read checkpoint", ("--resume", "none.npz")),
        ("--epochs", ("--epochs", "many")),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, message, arguments):
    monkeypatch.chdir(tmp_path)
    refused(capsys, tmp_path, message, *arguments, "--checkpoint", "run.npz")


@pytest.mark.parametrize("option", ["--checkpoint", "--figure", "--json"])
def test_unwritable_output(capsys, tmp_path, untouched, option):
    missing = tmp_path / "nowhere" / "file.png"
    refused(capsys, tmp_path, f"{option}: cannot write {missing}", option, missing)
    folder = tmp_path / "folder.png"
    folder.mkdir()
    refused(capsys, tmp_path, f"{option} must name a file, not the folder", option, folder)


def test_missing_data(capsys, tmp_path, untouched):
    arguments = ("--config", "mnist", "--data", tmp_path)
    refused(capsys, tmp_path, f"data set mnist: looked in {tmp_path}", *arguments)


def test_file_that_names_no_data_set(capsys, tmp_path, untouched):
    path = tmp_path / "mine.toml"
    path.write_text("input.size = 64\nlayer.units = [8, 10]\n")
    refused(capsys, tmp_path, "give one with --dataset", "--config", path)


@pytest.mark.parametrize("content", [b"", b"weights", b"\x93NUMPY", b"PK\x03\x04"])
def test_broken_checkpoint(capsys, tmp_path, untouched, content):
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    refused(capsys, tmp_path, f"{path} is no checkpoint", "--resume", path)


def test_foreign_checkpoint(capsys, tmp_path, untouched):
    path = tmp_path / "run.npz"
    np.savez(path, weights=np.zeros(3))
    refused(capsys, tmp_path, f"{path} is no checkpoint of this program", "--resume", path)


def test_stream_is_followed_and_told(capsys, tmp_path):
    """Also by a run that is resumed."""
    path, stream = tmp_path / "run.npz", "remap:1000:2"
    found = result(capsys, "--epochs", 1, "--stream", stream, "--checkpoint", path, *SMALL)
    config = load("digits").derive(**SMALLER)
    expected = train.train(config, data.load("digits"), 1, stream=Stream("remap", 1000, 2))
    assert (found["stream"], found["accuracy"]["test"]) == (stream, expected.test)
    assert run("--resume", path, "--epochs", 1) == 0
    out = capsys.readouterr().out
    assert f"seed 0, stream {stream}" in out
    assert f"test accuracy {100 * expected.test:.2f} %" in out


def test_checkpoint_settles_the_run(capsys, tmp_path):
    path = tmp_path / "run.npz"
    assert run("--epochs", 2, "--checkpoint", path, *SMALL) == 0
    capsys.readouterr()
    for option, value in (
        ("--config", "digits"),
        ("--seed", 0),
        ("--set", "lanes=4"),
        ("--validation", 10),
        ("--stream", "remap:9"),
    ):
        message = f"{option} cannot be given with --resume"
        refused(capsys, tmp_path, message, "--resume", path, option, value)
    refused(capsys, tmp_path, "epochs must be at least 2", "--resume", path, "--epochs", 1)


def test_resumed_run_encodes_as_the_checkpoint_does(capsys, tmp_path):
    """The file is scaled beside it: the kept encoding is used, so its bytes are others."""
    rng = np.random.default_rng(0)
    path, file, y = tmp_path / "run.npz", tmp_path / "mine.npz", rng.integers(0, 3, 90)
    x = rng.normal(0, 1, (90, 64)) + y[:, None]
    np.savez(file, x=x, y=y)
    network = ("--set", "layer.units=[8,6,3]", "--set", "lanes=8", "--dataset", file)
    assert run("--epochs", 1, "--checkpoint", path, *network) == 0
    assert run("--resume", path, "--epochs", 2) == 0
    capsys.readouterr()
    moved = tmp_path / "moved.npz"
    np.savez(moved, x=x, y=y)
    assert run("--resume", path, "--epochs", 2, "--dataset", moved) == 0
    capsys.readouterr()
    np.savez(moved, x=x[::-1], y=y[::-1])
    message = "the checkpoint was made with other samples"
    refused(capsys, tmp_path, message, "--resume", path, "--epochs", 2, "--dataset", moved)
    message = f"data set {file}: encoding must be range, as the network learned it, not standard"
    refused(capsys, tmp_path, message, "--resume", path, "--encoding", "standard")
    np.savez(file, x=2 * x, y=y)
    message = "the checkpoint was made with other samples"
    refused(capsys, tmp_path, message, "--resume", path, "--epochs", 2)
    message = "encoding of feature 1 must be "
    refused(capsys, tmp_path, message, "--resume", path, "--encoding", "range")


def test_seeds_in_a_row(capsys):
    """Each as if it had been run alone; sample standard deviation by the statistics module."""
    options = ("--config", "linear-leaky", "--epochs", 1)
    found = result(capsys, *options, "--seeds", 3, "--seed", 4, "--reference")
    alone = [result(capsys, *options, "--seed", s)["accuracy"]["test"] for s in (4, 5, 6)]
    assert found["accuracy"]["test"] == alone
    assert len(set(alone)) > 1
    assert found["accuracy"]["mean"] == pytest.approx(statistics.fmean(alone))
    assert found["accuracy"]["deviation"] == pytest.approx(statistics.stdev(alone))
    assert found["accuracy"]["least"] == min(alone)
    assert len(found["reference"]["test"]) == 3
    assert found["reference"]["mean"] > 0.8
    assert found["published"] == "about 93"


@pytest.mark.parametrize("options", [("--controls",), ("--checkpoint", "x"), ("--figure", "x.png")])
def test_many_runs_refuse_what_belongs_to_one(capsys, tmp_path, options):
    message = f"{options[0]} cannot be given with --seeds"
    refused(capsys, tmp_path, message, "--seeds", 2, *options)
    refused(capsys, tmp_path, "--reference needs --seeds", "--reference")
