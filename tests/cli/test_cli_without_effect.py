"""Options that would have no effect are refused, in a line that says why."""

import sys

import pytest

from hebbware.cli import main
from hebbware.golden.data import sets

SMALL = "a,b,kind\n1,2,x\n2,3,y\n3,1,x\n5,3,y\n1,4,x\n7,3,y\n"
TRAIN = ("train", "--config", "xor", "--epochs", "2")


def refused(capsys, *arguments):
    assert main.main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRAIN, "--validation", "100", "--stream", "remap:1800:1"),
         "stream remap:1800:1: AT must be below the 1,800 samples that are learned, or nothing "
         "changes, not 1800"),
        (("cosim", "--config", "xor", "--samples", "40", "--stream", "remap:40:1"),
         "stream remap:40:1: AT must be below the 40 samples"),
        (("cosim", "--config", "digits", "--samples", "40", "--stream", "classes:40:5"),
         "stream classes:40:5: EVERY must be below the 40 samples"),
        (("train", "--config", "digits", "--stream", "in-order", "--epochs", "3"),
         "--epochs cannot be given with --stream in-order and no --warm"),
        (("train", "--seed", "3", "--set", "seed=4"),
         "--seed 3 and --set seed=4: give one of them"),
        (("train", "--config", "xor", "--data", "."),
         "--data must be for a data set of files (mnist"),
        (("data", "digits", "--data", "."), "not for digits"),
        (("data", "digits", "--seed", "1"), "--seed must be for a data set that is drawn"),
        (("export", "--memory", "images", "--samples", "3"),
         "--samples is for --c, which is not given"),
        (("build", "--list", "--clock", "20"), "--clock cannot be given with --list"),
        (("build", "--all", "--jobs", "2"), "--jobs cannot be given with one placement"),
        (("build", "--list", "--set", "lanes=2"), "--set cannot be given with --list"),
        (("board", "serve", "--noise", "3"), "--noise is for --corrupt, which is not given"),
        (("reservoir", "train", "--method", "delta"),
         "--method is for --output, which is not given"),
        (("sweep", "tiny", "--results", "r", "--dry-run", "--jobs", "1"),
         "--jobs cannot be given with --dry-run"),
        (("study", "--all", "--results", "r", "--short"), "--short cannot be given with --all"),
        (("study", "--all", "--results", "r", "--no-synthesis"),
         "--synthesis cannot be given with --all"),
        (("study", "depth", "--drawn", "--results", "r", "--jobs", "2"),
         "--jobs cannot be given with --drawn"),
        (("info", "--nonzero", "9", "--label", "kind"),
         "--label cannot be given with --nonzero and no --dataset"),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_refused(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)


def test_a_change_within_the_run_is_taken(capsys):
    options = ("--validation", "100", "--stream", "remap:1799:1")
    assert main.main([*TRAIN, *options]) == 0


def test_a_run_to_be_resumed_may_change_later(tmp_path, capsys):
    checkpoint = tmp_path / "run.npz"
    options = ("--stream", "remap:5000:1", "--checkpoint", str(checkpoint))
    assert main.main([*TRAIN, *options]) == 0
    assert checkpoint.exists()


def test_data_sets_with_a_folder():
    drawn = {name for name in sets.NAMES if sets.is_drawn(name)}
    folders = {name for name in sets.NAMES if sets.takes_folder(name)}
    assert drawn == {"xor", "linear", "cues", "patterns"}
    assert folders == set(sets.NAMES) - drawn - {"digits", "digits-rows"}
    assert [sets.fetched(n) for n in ("mnist-rows", "mnist-pooled", "fashion-mnist", "digits")] == [
        *("mnist", "mnist", "fashion-mnist", None)
    ]


# -- few samples ----------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path, monkeypatch, capsys):
    """A folder with a table whose classes are too small to hold a sample back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.csv").write_text(SMALL)
    assert main.main(["init", "--dataset", "small.csv"]) == 0
    assert "no accuracy can be told: small.csv has no test samples" in capsys.readouterr().out
    return "--config", "small.toml", "--dataset", "small.csv", "--epochs", "1"


def test_training_without_test_samples(small, capsys):
    assert main.main(["train", *small]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "no test accuracy: small.csv has no test samples: of a file without a test part they are "
        "a quarter of each class, rounded down; "
    )


def test_seeds_without_test_samples(small, capsys):
    message = "--seeds measures on test samples: small.csv has no test samples"
    assert message in refused(capsys, "train", *small, "--seeds", 2)


def test_export_without_test_samples(small, capsys, tmp_path):
    assert main.main(["export", *small, "--c", "net.h", "--json", "found.json"]) == 0
    out = capsys.readouterr().out
    assert "no test accuracy: small.csv has no test samples" in out
    assert "nan" not in out
    assert '"samples": "random"' in (tmp_path / "found.json").read_text()
    assert "16 samples to test itself" in out


# -- values and parameters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "value", "message"),
    [
        ("range", "nan", "x must be finite, not nan (sample 2, feature 2, b)"),
        ("log", "-3", "encoding log: x must be above 0, not -3 (sample 2, feature 2, b)"),
        ("bytes", "2.5", "x must be whole numbers in 0..255, not 2.5 (sample 2, feature 2, b)"),
        ("standard", "1e308", "deviation to be a number (feature 2, b)"),
    ],
)
def test_a_wrong_value_is_told_with_its_column(encoding, value, message, tmp_path, capsys):
    path = tmp_path / "table.csv"
    rows = [(1, 2, "x"), (2, value, "y"), (3, "1e308" if value == "1e308" else 4, "x")]
    path.write_text("a,b,kind\n" + "".join(f"{a},{b},{k}\n" for a, b, k in rows))
    options = ("--config", "xor", "--dataset", path, "--encoding", encoding)
    assert message in refused(capsys, "train", *options)


def test_pyserial_is_missed_before_any_waiting(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("hebbware.cli.line.Line._await", lambda line: pytest.fail("it waits"))
    monkeypatch.setitem(sys.modules, "serial", None)
    said = refused(capsys, "board", "ping", "--port", tmp_path / "none")
    assert said.startswith("error: the package pyserial is needed to talk to a board: pip install")


@pytest.mark.parametrize("command", [("sweep", "tiny"), ("sweep", "tiny", "--dry-run"), ("paper",)])
def test_results_that_are_a_file(command, tmp_path, capsys):
    (tmp_path / "file").touch()
    said = refused(capsys, *command, "--results", tmp_path / "file")
    assert said.startswith(f"error: results must be a folder, not the file {tmp_path / 'file'}")
