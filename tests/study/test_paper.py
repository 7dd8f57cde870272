"""The paper's figures: what their runs are, that they are drawn from them, the command."""

import dataclasses
import json

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.learn import train
from hebbware.golden.learn.fidelity import in_loop
from hebbware.golden.program.walk import Store
from hebbware.golden.reference import hsic_modulator
from hebbware.golden.reference.baselines import Learner, centred
from hebbware.golden.reference.counterpart import Counterparts, encode
from hebbware.study.paper import (
    FIGURES,
    figure,
    memory,
    remap,
    reservoir_runs,
    runs,
    setting,
    synthetic_runs,
)
from hebbware.study.paper.setting import Row, choose, table
from hebbware.study.store import canonical, run_name


@pytest.fixture
def tiny(monkeypatch):
    """Few samples of digits, on a network that is already compiled elsewhere or never."""
    made = setting.make(False, "digits")
    made = dataclasses.replace(made, epoch=150, held=40)
    monkeypatch.setattr(setting, "make", lambda *_: made)
    return made


def part(seed):
    """The 150 samples that the tiny setting learns, and the 40 held back."""
    whole = data.load("digits")
    split = data.split_validation(whole, 40, seed)
    return dataclasses.replace(split, x_train=split.x_train[:150], y_train=split.y_train[:150])


# -- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("full", [False, True])
def test_plans(name, full):
    """Rows apart from each other, keys of plain values: another process finds the same names."""
    made = setting.make(full, "digits")
    rows = figure(name).plan(made)
    assert len({row.label for row in rows}) == len(rows)
    for row in rows:
        for key in row.keys:
            assert json.loads(canonical(key)) == key
        assert len({run_name(key) for key in row.keys}) == len(row.keys) > 0
    if not full:
        assert len({key["seed"] for row in rows for key in row.keys}) == 1


def test_course_of_the_core_is_learned_step_by_step(tiny):
    config = tiny.core(update__halve_every=0, memory__horizon=8)
    (key,) = tiny.course(config, [100, 170, 200], stream="remap:160:3", seeds=[1])
    found = runs.execute(key)["result"]
    own, whole = part(1), data.load("digits")
    core = Core(CoreConfig.from_dict({**config.to_dict(), "seed": 1}))
    rows = np.concatenate([train.order(1, epoch, 150) for epoch in (0, 1)])
    for t, row in enumerate(rows[:200]):
        label = (own.y_train[row] + 3) % 10 if t >= 160 else own.y_train[row]
        core.learn(own.x_train[row], int(label))
        if t + 1 in (100, 170, 200):
            place, shift = [100, 170, 200].index(t + 1), 3 * (t >= 160)
            for name, x, y in (
                ("validation", own.x_test, own.y_test),
                ("test", whole.x_test, whole.y_test),
            ):
                right = core.infer_many(x)[0] == (y + shift) % 10
                assert found[name][place] == right.mean()


@pytest.mark.parametrize("clear", [False, True])
def test_course_whose_hidden_layers_are_stopped(tiny, clear):
    config = tiny.core(update__halve_every=0, memory__horizon=8)
    stopped = {"at": 100, "rate": 5, "clear": clear}
    (key,) = tiny.course(config, [100, 150], stream="remap:100:3", seeds=[1], stopped=stopped)
    found = runs.execute(key)["result"]
    assert "stopped" not in tiny.course(config, [100], seeds=[1])[0]
    own, rows = part(1), train.order(1, 0, 150)
    core = Core(config.derive(seed=1))
    core.learn_many(own.x_train[rows[:100]], own.y_train[rows[:100]])
    hidden, readout = core.weights[:-1], core.weights[-1] * (not clear)
    alone = Core(config.derive(seed=1, memory__kind="none", layer__rate=(*config.rates[:-1], 5)))
    alone.weights, alone.random_state = [*hidden, readout], core.random_state
    alone.learn_many(own.x_train[rows[100:]], (own.y_train[rows[100:]] + 3) % 10)
    right = alone.infer_many(own.x_test)[0] == (own.y_test + 3) % 10
    assert found["validation"][1] == right.mean()
    assert all((a == b).all() for a, b in zip(hidden, alone.weights, strict=False))


def test_course_of_a_float_rule_is_the_learner(tiny):
    (key,) = tiny.course("trace", [150], steps=(0.02, 0.02, 0.01), horizon=6)
    found = runs.execute(key)["result"]
    learner, own = Learner("trace", (64, 32, 16, 10), steps=(0.02, 0.02, 0.01), horizon=6), part(0)
    rows = train.order(0, 0, 150)
    learner.learn(own.x_train[rows], own.y_train[rows])
    assert found["validation"] == [(learner.classify(own.x_test) == own.y_test).mean()]


@pytest.mark.parametrize("rule", ["core", "class-memory", "hsic"])
def test_synthetic_runs(rule, monkeypatch):
    """HSIC by the definition before learning; both it and the accuracy move with learning."""
    monkeypatch.setattr(synthetic_runs, "SEEN", 40)
    config = {k: v for k, v in load("xor-leaky").to_dict().items() if k != "seed"}
    config |= {"neuron.time_steps": 3, "update.rounding": "stochastic"}
    sigmas = [0.5, 0.25, 1.0]
    key = {
        **{"kind": "synthetic", "seed": 2, "rule": rule, "config": config, "epochs": 1},
        **{"gamma": 10.0, "sigmas": sigmas, "window": 8, "steps": [0.5, 0.5, 0.1]},
    }
    dataset = data.load("xor", seed=2)
    few = dataclasses.replace(dataset, x_train=dataset.x_train[:300], y_train=dataset.y_train[:300])
    found = synthetic_runs.synthetic(key, few)
    assert [len(found[name]) for name in ("test", "hsic_xz", "hsic_yz")] == [2, 2, 2]
    assert found["test"][1] != found["test"][0]
    assert found["hsic_xz"][1] != found["hsic_xz"][0]

    config = CoreConfig.from_dict({**config, "seed": 2})
    x, y = encode(config, dataset.x_test[:40]), np.eye(2)[dataset.y_test[:40]]
    if rule == "core":
        seen, core = [], Core(config)
        for row in dataset.x_test[:40]:
            seen += [m.values(Store.Z) for m in core.walk(row) if m.of.name == "normalise0"]
        z = np.array(seen[2::3]) / 16  # last of three steps; 4 fraction bits
    else:
        z = Counterparts(config, [2]).forward(x[None])[0][0].z[0]

    def kernel(a, sigma):
        apart = ((a[:, None] - a[None]) ** 2).sum(axis=2)
        return np.exp(-apart / (2 * sigma**2 * a.shape[1]))

    h = np.eye(40) - 1 / 40
    for name, other, sigma in (("hsic_xz", x, 0.5), ("hsic_yz", y, 0.25)):
        wanted = np.trace(kernel(other, sigma) @ h @ kernel(z, 1.0) @ h) / 39**2
        assert found[name][0][0] == pytest.approx(wanted, rel=1e-9)
        assert len(found[name][0]) == 2


def reservoir_key(**fields):
    return {
        **{"kind": "paper-reservoir", "seed": 0, "units": 60, "samples": 3000, "window": 4},
        **{"form": "gradient", "layers": [64, 12, 8, 10], "rate": 0.5, **fields},
    }


def test_reservoir_learns_what_it_can_and_nothing_of_noise(monkeypatch):
    """A leaky sum of its input is in its state; noise that it has not seen is not."""
    rng = np.random.default_rng(0)
    drive, noise = rng.normal(0, 0.3, (3000, 2)), rng.normal(0, 1, (3000, 1))
    sums = np.zeros((3000, 1))
    for t in range(1, 3000):
        sums[t] = 0.8 * sums[t - 1] + drive[t - 1, :1]
    turned = np.where(
        np.arange(3000)[:, None] < 2250, sums, -sums
    )  # what is held out is not learned
    cases = ((sums / sums.std(), 0.8, 1.0), (noise, -0.3, 0.05), (turned / sums.std(), -4, -2))
    for wanted, low, high in cases:
        monkeypatch.setattr(reservoir_runs, "_signals", lambda *_, w=wanted: (w, drive))
        found = reservoir_runs.paper_reservoir(reservoir_key(), None)
        assert low < found["r2_held_out"] < high
        assert np.array(found["target"])[0] == pytest.approx(wanted[-120:, 0])


@pytest.mark.parametrize("form", ["gradient", "released"])
def test_reservoir_is_taught_the_modulator(form):
    """The target is xi of the last hidden layer over the window, as the network learns."""
    digits = data.load("digits")
    targets, drive = reservoir_runs._signals(reservoir_key(samples=30, form=form), digits)
    learner, seen = Learner(f"hsic-{form}", (64, 12, 8, 10), samples=4), []
    rows, xi = train.order(0, 0, len(digits.y_train))[:30], []
    for row in rows:
        x, y = centred(digits.x_train[row]), np.eye(10)[digits.y_train[row]]
        seen = [*seen, (x, y, learner.network.forward(x[None])[0][1].z[0])][-4:]
        learner.learn(digits.x_train[[row]], digits.y_train[[row]])
        window = [np.stack(column) for column in zip(*seen, strict=True)]
        none = np.zeros(8)
        xi.append(hsic_modulator(*window, 2.0, (0.5, 0.1, 1.0), form) if len(seen) > 1 else none)
    assert targets == pytest.approx(np.array(xi) / np.std(xi), abs=1e-12)
    assert drive[-1] == pytest.approx(np.concatenate(seen[-1]), abs=1e-12)


def test_reservoir_of_the_core_is_compared_as_it_learns(monkeypatch):
    """Beside the core trained by hand and `in_loop`, which is tested on its own."""
    monkeypatch.setattr(reservoir_runs, "COMPARED", 40)
    config = load("digits-reservoir").derive(memory__horizon=4, reservoir__units=32)
    plain = {k: v for k, v in config.to_dict().items() if k != "seed"}
    key = {"kind": "own-reservoir", "seed": 0, "config": plain, "samples": 200}
    digits = data.load("digits")
    found = reservoir_runs.own_reservoir(key, digits)
    rows, core = train.order(0, 0, len(digits.y_train)), Core(config)
    for row in rows[:200]:
        core.learn(digits.x_train[row], int(digits.y_train[row]))
    told = in_loop(core, digits.x_train[rows[200:]], digits.y_train[rows[200:]], 40)[-1]
    assert (found["r2_memory"], found["r2_held_out"]) == (told.memory, told.modulator)
    assert np.shape(found["target"]) == np.shape(found["output"]) == (3, 40)


# -- what is made of them -------------------------------------------------------------------------


def test_steps_are_chosen_without_the_test_set():
    rows = [Row("a", [], {"rule": "r"}), Row("b", [], {"rule": "r"}), Row("c", [], {"rule": "s"})]
    results = [
        [{"validation": [0.1, 0.6], "test": [0.9, 0.9]}],
        [{"validation": [0.5, 0.5], "test": [0.1, 0.1]}] * 2,
        [{"validation": [0.0, 0.0], "test": [0.2, 0.2]}],
    ]
    found = list(zip(rows, results, strict=True))
    assert choose(found[:2], 0)[0].label == "b"
    assert choose(found[:2], 1)[0].label == "a"
    assert [row.label for row, _ in remap.best(found, 0)] == ["b", "c"]


def test_working_bits():
    """By hand: 10 classes, 48 units; 16 bits an entry, a bit more with codes; 8-bit z."""
    digits = load("digits")
    assert memory.working_bits(digits) == 10 * 48 * 16
    window = digits.derive(memory__kind="window", memory__window=32, memory__kappa=0.5)
    assert memory.working_bits(window) == 10 * 48 * 17 + 32 * (48 * 8 + 4)
    assert memory.working_bits(digits.derive(memory__kind="codes")) == 480
    reservoir = load("digits-reservoir")  # 64 units of 8 bits for each of two layers, d = 8
    assert (
        memory.working_bits(reservoir)
        == 2 * (64 * 8 + 80 * 64 * 8 + 80 * reservoir.memory.read_bits) + 8 * 48
    )


def test_seeds():
    assert setting.make(False, "digits").seeds == (0,)
    assert setting.make(True, "digits").seeds == (0, 1, 2)
    assert setting.make(True, "digits", None, 5).seeds == (0, 1, 2, 3, 4)


def test_table_of_means_and_deviations():
    row = {"label": "r", "test": [0.5, 0.75], "test_deviation": [None, 0.01]}
    columns, lines = table({"rows": [row]}, "rows", [1, 0], ["late", "early"])
    assert columns == ("rule", "late", "early")
    assert lines == [("r", "75.00 ± 1.00", "50.00")]


def paper(capsys, *arguments):
    code = main.main(["paper", *map(str, arguments), "--json", "-"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def test_command_draws_what_the_runs_gave_and_resumes(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(remap, "SHORT", ("gated, l = 8", "codes"))
    monkeypatch.setattr(remap, "AFTER", (60, 100))
    monkeypatch.setattr(remap, "CHOSEN_AT", 100)
    monkeypatch.setattr(setting.Setting, "marks", lambda self, *_: [50, 150])
    names = ("--figure", "remap", "--figure", "mnist")
    arguments = ("--results", tmp_path, "--jobs", 1, *names)
    code, result, err = paper(capsys, *arguments)
    assert code == 0
    assert list(result["figures"]) == ["remap", "mnist"]
    for name in ("remap", "mnist"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert json.loads((tmp_path / f"{name}.json").read_text()) == result["figures"][name]
    mnist = result["figures"]["mnist"]
    (key,) = figure("mnist").plan(tiny)[0].keys
    assert mnist["rows"][0]["test"] == runs.execute(key)["result"]["test"]
    assert mnist["marks"] == [50, 150]

    images = [(tmp_path / f"{name}.png").read_bytes() for name in ("remap", "mnist")]
    monkeypatch.setattr(runs, "_compute", lambda *_: pytest.fail("it was run again"))
    code, again, err = paper(capsys, *arguments)
    assert code == 0
    assert again == result
    assert "0 to do" in err
    assert [(tmp_path / f"{name}.png").read_bytes() for name in ("remap", "mnist")] == images


def test_runs_that_fail_are_told(tiny, tmp_path, capsys, monkeypatch):
    compute = runs._compute

    def broken(key, dataset):
        if key["rule"] != "core":
            raise ValueError("no such number")
        return compute(key, dataset)

    monkeypatch.setattr(runs, "_compute", broken)
    arguments = ("--results", tmp_path, "--jobs", 1, "--figure", "mnist")
    code, result, err = paper(capsys, *arguments)
    assert code == 1
    assert "3 runs failed" in err
    assert [row["label"] for row in result["figures"]["mnist"]["rows"]] == [
        "gated, W12",
        "gated, W8",
        "codes, W12",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--figure", "cifar"), "--figure must be one of"),
        (("--dataset", "xor"), "the figures need a data set of images: mnist, "),
        (("--dataset", "mnist", "--data", "."), "data set mnist: looked in"),
        (("--jobs", 0), "'--jobs'"),
    ],
)
def test_bad_input(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = paper(capsys, "--results", "results", *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
