"""``hebbware bench``: every figure is there and belongs to the run; none is held to a time."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hebbware.cli import bench, main
from hebbware.cosim import core as cosim_core
from hebbware.cosim import edges
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data import sets as data
from hebbware.golden.estimate import estimate
from hebbware.golden.learn import train
from hebbware.golden.timing.schedule import predict
from hebbware.study import peers

CONFIG = CoreConfig.of((2, 5, 4, 2), lanes=3, memory__horizon=6)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "xor-small.toml"
    path.write_text(CONFIG.to_toml())
    return path


@pytest.fixture
def without_mnist(monkeypatch):
    monkeypatch.setattr(bench, "_at_hand", lambda *_: None)


def test_result(small, capsys, monkeypatch, without_mnist):
    monkeypatch.setattr(bench, "BARE_CLOCKS", 1000)
    monkeypatch.setattr(bench, "EDGE_CLOCKS", 300)
    monkeypatch.setattr(bench, "AMARANTH_CLOCKS", 100)
    monkeypatch.setattr(peers, "LONG", 0.001)
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    arguments = ["bench", "--config", str(small), "--samples", "50", "--peers", "--json", "-"]
    assert main.main(arguments) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert "clocks per learned sample" in err

    xor = data.load("xor")
    picked = train.order(0, 0, 1000)[:200]
    x, y = xor.x_train[picked], xor.y_train[picked]
    released = predict(CONFIG, x, y.tolist()).sample_clocks
    (clocks,) = found["clocks"]
    assert clocks["config"] == str(small)
    expected = (released[-1] - estimate.start_clocks(CONFIG)) / 200
    assert clocks["clocks_per_sample"] == pytest.approx(expected)
    # 2 (n ceil(5/3) + 5 ceil(4/3) + 4 ceil(2/3))
    limit = 2 * (np.count_nonzero(x, axis=1).mean() * 2 + 5 * 2 + 4)
    assert clocks["limit_clocks_per_sample"] == pytest.approx(limit)
    assert clocks["ratio"] == pytest.approx(expected / limit)

    golden = found["golden"]
    assert golden["ratio"] == pytest.approx(
        golden["samples_per_second_compiled"] / golden["samples_per_second_plain"]
    )
    beside = found["peers"]
    assert beside["learning"].keys() == {"own", "scikit-learn MLPClassifier"}
    assert beside["cosim"].keys() == {"own", "cocotb, awaiting every edge", "Amaranth's simulator"}
    assert beside["arithmetic"].keys() == {"own"}  # no other library is there
    for table in beside.values():
        for peer in table.keys() - {"own"}:
            assert table[peer]["ratio"] == pytest.approx(table["own"] / table[peer]["rate"])
    assert "apytypes is not installed, it is left out" in err
    cosim = found["cosim"]
    assert (cosim["samples"], cosim["mismatches"], cosim["trace"]) == (5, 0, True)
    assert cosim["ratio"] == pytest.approx(
        cosim["clocks_per_second"] / cosim["clocks_per_second_bare"]
    )


def test_others_simulate_the_same_core():
    x, y = np.zeros((4, 2), np.int64), [0, 1, 0, 1]
    model = cosim_core.build_core(CONFIG)  # that of the test above
    for found in (
        edges.edge_speed(model, CONFIG, x, y, 2000),
        edges.amaranth_speed(CONFIG, x, y, 1500),
    ):
        assert found[1] == len(y) * (1 + CONFIG.classes)  # a class and its scores for each sample
        assert found[0] > 0


def test_mnist_is_told_of_where_it_is_at_hand(capsys, monkeypatch):
    mnist = load("mnist")
    x = np.zeros((300, 784), np.uint8)
    x[:, :150] = 1
    files = data.Dataset("mnist", (28, 28), 10, x, np.arange(300) % 10, x[:1], np.zeros(1, int))
    monkeypatch.setattr(bench, "_at_hand", lambda *_: files)
    monkeypatch.setattr(bench, "_golden", lambda *_: {})
    monkeypatch.setattr(bench, "_cosim", lambda *_: {})
    assert main.main(["bench", "--json", "-"]) == 0
    digits, found = json.loads(capsys.readouterr().out)["clocks"]
    assert (digits["config"], found["config"]) == ("digits", "mnist")
    assert found["nonzero"] == 150
    assert found["limit_clocks_per_sample"] == 984
    assert found["clocks_per_sample"] <= estimate.clocks_per_sample(mnist, 150) + 1


def test_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBWARE_DATA", str(tmp_path))
    monkeypatch.delenv("HEBBWARE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("hebbware.golden.data.idx.urlopen", lambda *_, **__: pytest.fail("fetched"))
    assert bench._at_hand("mnist", None) is None


def test_mismatch(small, capsys, monkeypatch, without_mnist):
    run = cosim_core.cosimulate

    def differs(*arguments, **options):
        return replace(run(*arguments, **options), message="clock 7: weights")

    monkeypatch.setattr(cosim_core, "cosimulate", differs)
    monkeypatch.setattr(bench, "BARE_CLOCKS", 1000)
    assert main.main(["bench", "--config", str(small), "--samples", "10"]) == 1
    *announced, last = capsys.readouterr().err.splitlines()
    assert last == "failed: clock 7: weights"
    assert all(": about " in line for line in announced)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("'--samples': 0 is not in the range x>=10", ("--samples", "0")),
        ("config must be a preset", ("--config", "nothing")),
        ("data set must be one of", ("--dataset", "letters")),
        ("data set xor has 2 inputs", ("--dataset", "xor")),
        ("--json: cannot write", ("--json", "/nowhere/x")),
        ("data set mnist: looked in", ("--config", "mnist", "--data", ".")),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, message, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "_clocks", lambda *_: pytest.fail("it was begun"))
    assert main.main(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
