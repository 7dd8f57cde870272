"""``hebbware export``: files of a trained network, and what it refuses before the work."""

import json
import re
from importlib.util import find_spec

import numpy as np
import pytest

from hebbware.cli import export, main, onnx_file
from hebbware.golden import HebbianClassifier
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.export.c import header
from hebbware.golden.export.images import weight_images
from hebbware.golden.export.network import Inference
from hebbware.golden.learn import checkpoint
from hebbware.golden.learn import train as training

SMALL = ("--set", "layer.units=[8,6,10]", "--set", "lanes=12", "--epochs", "1")
needs_onnx = pytest.mark.skipif(
    not (find_spec("onnx") and find_spec("onnxruntime")),
    reason="needs ONNX: pip install 'hebbware[onnx]'",
)


def run(*arguments):
    return main.main(["export", *map(str, arguments)])


def trained(path, *arguments):
    assert main.main(["train", *SMALL, "--checkpoint", str(path), *map(str, arguments)]) == 0
    return path


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run") / "run.npz")


@pytest.fixture
def table(tmp_path):
    """Data of one's own, with names for its classes."""
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    names = np.array(["Barolo", "Grignolino", "Barbera"])
    rows = [",".join([*map(str, row), names[label]]) for row, label in zip(x, y, strict=True)]
    path = tmp_path / "wine.csv"
    path.write_text("\n".join([",".join([*(f"f{n}" for n in range(13)), "wine"]), *rows]))
    (tmp_path / "wine.toml").write_text(
        "lanes = 4\n[input]\nsize = 13\n[layer]\nunits = [6, 3]\nkind = ['dense', 'readout']\n"
    )
    return path


def refused(capsys, folder, message, *arguments):
    """Bad input: code 2, one line that says what, and no file made."""
    before = sorted(folder.rglob("*"))
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(folder.rglob("*")) == before


@needs_onnx
def test_everything_of_a_checkpoint(learned, tmp_path, capsys):
    c, folder, model = (tmp_path / name for name in ("net.h", "images", "net.onnx"))
    asked = ("--c", c, "--memory", folder, "--onnx", model, "--samples", 7, "--json", "-")
    assert run("--from", learned, *asked) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    files = [folder / "weights_0.mem", folder / "weights_1.mem"]
    assert found["files"] == {"c": str(c), "memory": list(map(str, files)), "onnx": str(model)}
    assert (found["dataset"], found["epochs"], found["samples"]) == ("digits", 1, "test")
    assert "classes and scores of 500 samples equal" in err

    core = checkpoint.load(learned).core
    assert found["config"] == core.config.to_dict()
    assert [file.read_text() for file in files] == weight_images(core.config, core.weights)
    x = training.inputs(core.config, data.load("digits").x_test)
    text = header(
        Inference(core.config, core.weights), x[:7], core.infer_many(x[:7])[1],
        title="Exported by hebbware; learned digits.",
    )  # fmt: skip
    assert c.read_text() == text
    wanted = core.infer_many(x)
    for own, golden in zip(onnx_file.computed(model.read_bytes(), x), wanted, strict=True):
        np.testing.assert_array_equal(own, golden)


@needs_onnx
def test_network_trained_on_the_spot_is_that_of_train(table, tmp_path, capsys):
    """With data of one's own: names of classes and ranges of features are told."""
    import onnx

    config, c, model = table.with_suffix(".toml"), tmp_path / "net.h", tmp_path / "net.onnx"
    named = ("--config", config, "--dataset", table, "--encoding", "quantiles")
    assert run(*named, "--seed", 3, "--epochs", 2, "--c", c, "--onnx", model) == 0
    assert "test accuracy" in capsys.readouterr().out
    text = c.read_text()
    assert '{"Barbera", "Barolo", "Grignolino"}' in text
    wine = data.load(str(table), encoding="quantiles")
    low = re.search(r"double low\[HEBBWARE_INPUTS\] = {(.*)}", text)[1]
    assert list(map(float, low.split(", "))) == wine.encoding.low.tolist()
    properties = {p.key: p.value for p in onnx.load(model).metadata_props}
    assert json.loads(properties["labels"]) == list(wine.labels)
    encoding = json.loads(properties["encoding"])
    assert encoding["kind"] == "quantiles"
    assert encoding["high"] == wine.encoding.high.tolist()

    path = tmp_path / "run.npz"
    words = ["train", *named, "--seed", 3, "--epochs", 2, "--checkpoint", path]
    assert main.main(list(map(str, words))) == 0
    again = tmp_path / "again.h"
    assert run("--from", path, "--encoding", "quantiles", "--c", again) == 0
    assert again.read_text() == text


def test_network_of_a_checkpoint_is_encoded_as_it_learned(table, tmp_path, capsys):
    path, found = tmp_path / "run.npz", tmp_path / "net.h"
    words = ["--config", table.with_suffix(".toml"), "--dataset", table, "--encoding", "quantiles"]
    words = ["train", *words, "--epochs", 1, "--checkpoint", path]
    assert main.main(list(map(str, words))) == 0
    assert run("--from", path, "--c", found) == 0
    kept = data.load(str(table), encoding="quantiles")

    def told():
        low = re.search(r"double low\[HEBBWARE_INPUTS\] = {(.*)}", found.read_text())[1]
        return list(map(float, low.split(", ")))

    assert told() == kept.encoding.low.tolist()
    capsys.readouterr()
    wrong = ("--from", path, "--encoding", "range", "--c", tmp_path / "a")
    refused(capsys, tmp_path, "encoding must be quantiles", *wrong)
    table.unlink()
    found.unlink()
    assert run("--from", path, "--c", found) == 0
    assert told() == kept.encoding.low.tolist()
    assert '{"Barbera", "Barolo", "Grignolino"}' in found.read_text()


def test_network_of_the_estimator(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (40, 3)), np.array(["no", "yes"])[rng.integers(0, 2, 40)]
    network = HebbianClassifier(hidden_layers=(4,), lanes=4, epochs=2).fit(x, y)
    network.save(tmp_path / "net")
    assert run("--from", tmp_path / "net", "--c", tmp_path / "net.h", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["samples"] == "random"
    text = (tmp_path / "net.h").read_text()
    low = re.search(r"double low\[HEBBWARE_INPUTS\] = {(.*)}", text)[1]
    assert list(map(float, low.split(", "))) == network.low_.tolist()
    assert '{"no", "yes"}' in text


def test_checkpoint_whose_data_set_is_gone(table, tmp_path, capsys):
    path = trained(tmp_path / "run.npz", "--dataset", table, "--config", table.with_suffix(".toml"),
                   "--set", "layer.units=[6,5,3]")  # fmt: skip
    table.unlink()
    capsys.readouterr()
    assert run("--from", path, "--c", tmp_path / "net.h", "--samples", 300, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["samples"] == "random"
    assert "x[300][HEBBWARE_INPUTS]" in (tmp_path / "net.h").read_text()
    refused(capsys, tmp_path, "wine.csv", "--from", path, "--dataset", table, "--c", tmp_path / "a")


def test_images_of_few_lanes_are_one(table, tmp_path, capsys):
    named = ("--config", table.with_suffix(".toml"), "--dataset", table, "--epochs", 1)
    assert run(*named, "--memory", tmp_path / "images") == 0
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["weights_0.mem"]


@needs_onnx
def test_model_that_computes_something_else_is_not_written(learned, tmp_path, capsys, monkeypatch):
    def wrong(self, x):
        classes, scores = infer_many(self, x)
        scores[30:32, 4] += 1
        return classes, scores

    infer_many = Core.infer_many
    monkeypatch.setattr(Core, "infer_many", wrong)
    assert run("--from", learned, "--onnx", tmp_path / "net.onnx") == 1
    assert "failed: onnx: 2 of 500 samples" in (err := capsys.readouterr().err)
    assert "the first one is sample 31" in err
    assert not list(tmp_path.iterdir())


# -- bad input -------------------------------------------------------------------------------------


@pytest.fixture
def untouched(monkeypatch):
    """Fail where training begins."""

    def begun(*_, **__):
        pytest.fail("the work was begun")

    monkeypatch.setattr(training, "train", begun)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("at least one of --c, --memory and --onnx", []),
        ("--c must name a file, not the folder", ["--c", "."]),
        ("--onnx: cannot write", ["--onnx", "nowhere/net.onnx"]),
        ("--memory: cannot write", ["--memory", "nowhere/images"]),
        ("--memory must name a folder, not the file", ["--memory", "file"]),
        ("cannot read checkpoint", ["--from", "nowhere.npz", "--c", "net.h"]),
        ("file is no checkpoint", ["--from", "file", "--c", "net.h"]),
        ("--samples", ["--samples", "0", "--c", "net.h"]),
        ("--epochs cannot be given with --from", ["--from", "file", "--epochs", "3", "--c", "n.h"]),
        (
            "data set digits has 64 inputs",
            ["--config", "xor", "--dataset", "digits", "--memory", "m"],
        ),
    ],
)
def test_bad_input(message, arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("text")
    refused(capsys, tmp_path, message, *arguments)


@pytest.mark.usefixtures("untouched")
def test_kinds_that_are_not_known_are_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("hebbware.golden.export.network.NEURONS", ("static",))
    refused(
        capsys, tmp_path, "neuron.kind must be static, not 'leaky'",
        "--config", "xor-leaky", "--c", tmp_path / "net.h",
    )  # fmt: skip


@pytest.mark.usefixtures("untouched")
def test_package_that_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    monkeypatch.setitem(__import__("sys").modules, "onnx", __import__("json"))
    refused(
        capsys, tmp_path, "--onnx needs the package onnxruntime: pip install 'hebbware[onnx]'",
        "--onnx", tmp_path / "net.onnx",
    )  # fmt: skip


def test_random_samples_fit_the_inputs(learned):
    state = checkpoint.load(learned)
    core = Core(state.core.config.derive(input__bits=3))
    state.core = core
    x = export._samples(state, None, 400)
    assert x.shape == (400, 64)
    assert set(np.unique(x)) == set(range(8))
