"""Studies with controls: their runs, the choice of steps, the files, the list of all."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.config import load
from hebbware.golden.data import sets
from hebbware.golden.data.dataset import order, permutation
from hebbware.golden.estimate.estimate import memory_bits
from hebbware.golden.learn.train import CoreLearner, inputs
from hebbware.golden.reference.maps import MapNetwork
from hebbware.study import run, spec
from hebbware.study.claims import CLAIMS, cases, claim, convolution, hardware, rules, runs
from hebbware.study.store import Store, run_name


@pytest.fixture(scope="module")
def setting():
    return cases.make(False, "digits")


def parts(setting, seed, samples):
    dataset, _ = run.load("digits", None, 0)
    seen = run.select(dataset, samples, setting.held, seed, True)
    return sets.split_validation(seen, setting.held, seed), seen


def key_of(setting, kind, **fields):
    config = rules.network(setting, (6,), "gated", steps=(6, 7))
    scale = cases.Scale(200, (1,))
    return setting.key(kind, 1, scale, learner=rules.core(config), **fields), config.derive(seed=1)


def test_worlds_are_permutations_and_are_predicted_before_they_are_learned(setting):
    key, config = key_of(setting, "permuted", worlds=3, each=40)
    part, _ = parts(setting, 1, 200)
    found = runs.execute(key)["result"]
    core = CoreLearner(config).core
    for world, share in enumerate(found["worlds"]):
        seed = 1_000_003 + world
        places = permutation(64, seed) if world else np.arange(64)
        assert sorted(places) == list(range(64))
        rows = permutation(len(part.y_train), seed + 500_009)[:40]
        x, right = inputs(config, part.x_train[rows][:, places]), []
        for row, label in zip(x, part.y_train[rows].tolist(), strict=True):
            right.append(core.infer(row)[0] == label)
            core.learn(row, label)
        assert share == np.mean(right)
    assert found["score"] == pytest.approx(np.mean(found["worlds"][1:]))


def test_unseen_classes_come_after_the_first_ones(setting):
    key, config = key_of(setting, "unseen", first=8, marks=[30, 60])
    part, seen = parts(setting, 1, 200)
    found = runs.execute(key)["result"]
    core, passed = CoreLearner(config), order(1, 0, len(part.y_train))
    old = [row for row in passed if part.y_train[row] < 8]
    core.learn(part.x_train[old], part.y_train[old])
    of_old = seen.y_test < 8
    right = core.classify(seen.x_test) == seen.y_test
    assert found["before"] == right[of_old].mean()
    rows = order(1, 1, len(part.y_train))
    for mark, earlier, test, new in zip(
        (30, 60), (0, 30), found["test"], found["new"], strict=True
    ):
        core.learn(part.x_train[rows[earlier:mark]], part.y_train[rows[earlier:mark]])
        right = core.classify(seen.x_test) == seen.y_test
        assert (test, new) == (right.mean(), right[~of_old].mean())


def test_choice_is_the_best_on_the_samples_held_back(setting, tmp_path):
    (case,) = [c for c in hardware.cases(setting) if c.label == "gated, 8, W8"]
    store = Store(tmp_path, runs.code_version())
    scores = dict(zip(case.choices, (0.3, 0.9, 0.5, 0.1, 0.2, 0.4), strict=True))
    assert cases.choose([case], setting, store)[case.label] == case.choices[3]  # nothing known
    for choice, score in scores.items():
        for key in case.keys(choice, setting.trial):
            assert not key["test"]  # the test set takes no part
            result = {"validation": score, "test": None, "score": score}
            store.write({"key": key, "status": "done", "error": None, "result": result})
    assert cases.choose([case], setting, store) == {case.label: case.choices[1]}


@pytest.mark.parametrize("bits", [6, 12])
def test_codes_of_the_same_bits_are_no_smaller_than_the_gated_network(setting, bits):
    for hidden in ((8,), (32, 16)):
        larger = hardware.as_large(setting, hidden, bits)
        wanted = memory_bits(rules.network(setting, hidden, "gated", bits=bits))
        one_less = (larger[0] - 1, *larger[1:])
        assert memory_bits(rules.network(setting, larger, "codes", bits=bits)) >= wanted
        assert memory_bits(rules.network(setting, one_less, "codes", bits=bits)) < wanted


def test_convolutions_with_features_and_steps_of_their_own():
    setting = cases.make(False, "digits", module=convolution)
    assert setting.config == load("digits-conv")
    config = convolution.network(setting, (16,), "codes", (-1, 1))
    assert [layer.features for layer in config.layer[:-1]] == [16]
    assert config.rates == (12, 9)
    assert config.memory.kind == "codes"
    assert [config.extra(epoch) for epoch in range(3)] == [0, 1, 2]
    full = replace(setting, full=True)
    labels = [case.label for case in convolution.cases(full)]
    assert labels[:4] == ["gated, 8", "codes, 8", "readout only, 8", "back-propagation, 8"]
    assert len(labels) == 4 * len(convolution.FEATURES)


def test_back_propagation_of_a_convolution_takes_a_sample_a_step():
    setting = cases.make(False, "digits", module=convolution)
    (case,) = [c for c in convolution.cases(setting) if c.label == "back-propagation, 8"]
    (key,) = case.keys(0.03, cases.Scale(60, (1,)))
    found = runs.execute(key)["result"]
    part, seen = parts(setting, 1, 60)
    config = load("digits-conv").derive(layer__features=[8, None], layer__init_std=[None, None])
    made = MapNetwork(config, "backprop", steps=(0.03, 0.03), seed=1)
    for epoch in range(3):
        made.scale = 0.5**epoch
        for n in order(1, epoch, len(part.y_train)):
            made.learn(part.x_train[n : n + 1], part.y_train[n : n + 1])
    assert found["test"] == (made.classify(seen.x_test) == seen.y_test).mean()
    assert found["score"] == (made.classify(part.x_test) == part.y_test).mean()
    assert found["test"] > 0.3  # it learns


def test_study_of_convolutions_draws_each_rule(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(convolution, "EPOCHS", 1)
    monkeypatch.setattr(
        convolution, "cases", lambda setting, full=convolution.cases: full(setting)[1:4]
    )
    arguments = ["study", "convolution", "--short", "--dataset", "digits", "--jobs", "1"]
    assert main.main([*arguments, "--results", str(tmp_path), "--json", "-"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)["studies"].values()
    assert [row["rule"] for row in summary["rows"]] == ["codes", "readout only", "back-propagation"]
    assert (tmp_path / "convolution.png").read_bytes().startswith(b"\x89PNG")


def test_study_writes_figure_numbers_and_all_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(hardware, "cases", lambda setting, full=hardware.cases: full(setting)[:4])
    arguments = ["study", "hardware", "--short", "--dataset", "digits", "--results", str(tmp_path)]
    arguments += ["--seeds", "2", "--no-synthesis", "--json", "-"]
    assert main.main([*arguments, "--jobs", "1"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)["studies"].values()
    assert (
        summary["finished"] == summary["planned"] == 8
    )  # gated, codes (twice), readout: two seeds
    assert (tmp_path / "hardware.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "hardware.json").read_text())["rows"] == summary["rows"]
    with (tmp_path / "hardware.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    values = [value for row in summary["rows"] for value in row["values"]]
    assert [float(line["value"]) for line in lines] == values
    for gap in summary["differences"]:
        rows = {row["rule"]: row for row in summary["rows"]}
        ahead = np.subtract(rows["gated"]["values"], rows[gap["against"]]["values"])
        assert gap["mean"] == pytest.approx(ahead.mean())
        assert gap["decided"] == (gap["low"] > 0 or gap["high"] < 0)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "hardware").glob("*.json")}
    assert main.main([*arguments, "--drawn"]) == 0
    assert before == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "hardware").glob("*.json")}


def test_accuracy_is_drawn_against_what_yosys_measured(setting):
    made = [one for one in hardware.cases(setting) if one.like is None]
    found = [cases.Chosen(one, one.choices[0], [0], [{"test": 0.9}]) for one in made]
    costs = [
        ({"rule": rule, "hidden": hidden, "bits": 12, "family": family}, {"lut": lut, "bram": 3})
        for rule, hidden, family, lut in (
            *(("gated", (8,), "ecp5", 2100), ("gated", (16,), "ecp5", 2200)),
            *(("gated", (8,), "ice40", 9), ("codes", (8,), "ecp5", 1900)),
        )
    ]
    canvas, _ = hardware.draw(setting, found, costs)
    luts = next(a for a in canvas.axes if a.get_xlabel() == hardware.MEASURED["lut"])
    drawn = {box.get_label(): box.lines[0].get_xdata() for box in luts.containers}
    assert list(drawn["gated, 12 bits"]) == [2100, 2200]
    assert list(drawn["codes, 12 bits"]) == [1900]
    assert len(drawn) == 2
    assert len(hardware.draw(setting, found, [])[0].axes) == 1


def test_list_says_what_is_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(spec, "shipped", lambda: ["tiny"])
    keys = spec.plan("tiny").keys
    store = Store(tmp_path / "tiny", run.code_version())
    for name in list(keys)[:5]:
        assert store.write({"key": keys[name], "status": "done", "error": None}) == name
    arguments = ["study", "--all", "--dataset", "digits", "--results", str(tmp_path), "--json", "-"]
    assert main.main(arguments) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["studies"]}
    assert found["tiny"]["state"] == "5 of 18"
    assert {*CLAIMS, "paper remap"} <= found.keys()
    assert found["hardware"]["state"] == "missing"
    assert all(one["seconds"] > 0 for one in found.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --all, or what to run"),
        (["depht"], "did you mean depth"),
        (["convolution", "--data", "nowhere"], "data set cifar10: no folder holds"),
    ],
)
def test_what_cannot_be_run(arguments, words, tmp_path, capsys):
    assert main.main(["study", *arguments, "--results", str(tmp_path / "results")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", CLAIMS)
def test_runs_have_different_keys_for_different_cases(name):
    setting = cases.make(False, "digits", module=claim(name))
    made = claim(name).cases(setting)
    rows = cases.whole(made, setting, cases.choose(made, setting, None))
    names = [run_name(key) for row in rows for key in row.keys]
    assert len(names) == len(set(names))
    assert len({case.label for case in made}) == len(made)
