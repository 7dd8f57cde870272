"""One run: what it learns from, that it is what `train` gives, and its cost."""

import math
from typing import ClassVar

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.learn import controls, train
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.walk import Kind, Store
from hebbware.golden.timing import schedule
from hebbware.golden.timing.schedule import Schedule
from hebbware.study import cost, run, spec


def key_of(tmp_path, text, control=None):
    path = tmp_path / "spec.toml"
    path.write_text(text)
    (key,) = [key for key in spec.plan(path).keys.values() if key["control"] == control]
    return key


SPEC = 'base = "digits"\nseeds = [3]\nepochs = 2\ntest = true\n'


def test_run_is_what_train_gives(tmp_path):
    content = run.execute(key_of(tmp_path, SPEC))
    config = CoreConfig.from_dict({**load("digits").to_dict(), "seed": 3})
    expected = train.train(config, data.load("digits"), 2)
    assert content["status"] == "done"
    assert content["error"] is None
    assert content["result"] == {
        "train": expected.state.train,
        "validation": expected.state.validation,
        "test": expected.test,
    }


@pytest.mark.parametrize("name", ["linear", "codes", "frozen"])
def test_control_is_what_controls_give(tmp_path, name):
    content = run.execute(key_of(tmp_path, SPEC + f'controls = ["{name}"]', name))
    config = CoreConfig.from_dict({**load("digits").to_dict(), "seed": 3})
    expected = controls.run(config, data.load("digits"), 2)[name]
    assert content["result"]["validation"] == expected.validation
    assert content["result"]["test"] == expected.test
    assert (content["cost"] is None) == (name == "linear")


def test_float_reference_learns(tmp_path):
    content = run.execute(key_of(tmp_path, SPEC + 'controls = ["float"]', "float"))
    first, last = content["result"]["validation"]
    assert 0.5 < first <= 1
    assert 0.75 < last <= 1
    assert content["cost"] is None
    assert content["result"]["train"] == [None, None]


@pytest.mark.parametrize("memory", ["window", "trace", "codes", "none"])
def test_float_reference_of_every_memory(memory):
    config = CoreConfig.of((64, 16, 10), memory__kind=memory)
    seen = run.select(data.load("digits"), 300, 50, 0, False)
    validation, _ = run.train_float(config, seen, 2, 50)
    assert validation[-1] > (0.2 if memory == "none" else 0.3)


def test_float_reference_of_other_neurons_is_refused():
    config = CoreConfig.of((64, 16, 10), neuron__slope_shift=3)
    with pytest.raises(InputError, match="control float has static neurons without a slope below"):
        run.train_float(config, data.load("digits"), 1, 50)


def test_test_set_is_looked_at_only_where_asked(tmp_path, monkeypatch):
    key = key_of(tmp_path, SPEC.replace("test = true", "test = false"))
    tested = []
    infer = Core.infer_many
    dataset = data.load("digits")

    def watched(self, x):
        tested.append(len(x))
        return infer(self, x)

    from hebbware.golden.twin.core import Twin

    monkeypatch.setattr(Twin, "infer_many", lambda self, x: watched(self, x))
    content = run.execute(key)
    assert content["result"]["test"] is None
    assert tested == [key["validation"]] * 2 + [1]
    seen = run.select(dataset, 1000, 100, 0, False)
    assert seen.x_test.tolist() == seen.x_train[:1].tolist()


def test_fewer_samples_are_measured_on_the_same_held_back_ones():
    dataset = data.load("digits")
    whole = data.split_validation(dataset, 108, 5)
    part = data.split_validation(run.select(dataset, 300, 108, 5, True), 108, 5)
    assert np.array_equal(part.x_test, whole.x_test)
    assert np.array_equal(part.y_test, whole.y_test)
    assert np.array_equal(part.x_train, whole.x_train[:300])
    assert np.array_equal(part.y_train, whole.y_train[:300])
    everything = run.select(dataset, 1189, 108, 5, True)
    assert np.array_equal(everything.x_train, dataset.x_train)
    assert np.array_equal(everything.x_test, dataset.x_test)


def test_without_validation(tmp_path):
    content = run.execute(key_of(tmp_path, SPEC + "validation = 0"))
    assert content["result"]["validation"] == [None, None]
    assert 0.5 < content["result"]["test"] < 1


def test_points_are_drawn_by_the_seed(tmp_path):
    text = 'base = "xor"\nseeds = [1, 2]\nepochs = 1\n'
    path = tmp_path / "xor.toml"
    path.write_text(text)
    keys = spec.plan(path).keys.values()
    assert len({key["dataset"]["sha256"] for key in keys}) == 2
    assert [run.execute(key)["status"] for key in keys] == ["done", "done"]


def test_error_of_a_run_is_its_result(tmp_path, monkeypatch):
    key = key_of(tmp_path, SPEC)

    def broken(*_, **__):
        raise ValueError("something\n  went wrong")

    monkeypatch.setattr(train, "train", broken)
    assert run.execute(key) == {
        "key": key,
        "status": "failed",
        "error": "ValueError: something went wrong",
        "result": None,
        "cost": None,
    }


def test_worker_with_other_code_or_data_is_no_place_for_a_run(tmp_path):
    key = key_of(tmp_path, SPEC)
    with pytest.raises(InputError, match="a worker has code version .*, the sweep v0"):
        run.execute(key | {"code": "v0"})
    with pytest.raises(InputError, match="a worker's data set digits has other samples"):
        run.execute(key | {"dataset": {"name": "digits", "sha256": "0"}})


# -- cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["gated", "window", "trace", "codes", "none"])
def test_entries_written_are_those_of_the_core(memory):
    config = CoreConfig.from_dict(
        derived({**dense((20, 16, 8, 5)), "memory.window": 4}, {"memory.kind": memory})
    )
    core = Core(config)
    x = np.zeros(20, np.int64)
    x[:13] = 200
    for label in range(5):
        core.learn(x, label)  # the window is full after this
    written = sum(
        w.values.size
        for made in core.walk(x, 0)
        for w in made.written
        if w.store in (Store.WEIGHTS, Store.MEMORY)
    )
    multiplies, reads, writes = cost.operations(config, 13)
    assert writes == written
    # by hand: 14 rows of 16 units, 17 of 8, readout 8 x 5; 24 units, 5 classes
    weights, readout, units = 14 * 16 + 17 * 8, 40, 24
    rows = {"gated": 5, "window": 2, "trace": 1, "codes": 0, "none": 0}[memory]
    if memory == "none":
        assert (multiplies, reads) == (weights + 2 * readout + 2 * units, weights + 2 * readout)
    else:
        assert multiplies == 2 * weights + 2 * readout + (2 + 5 + 6 + rows) * units + 2 * 5
        assert reads == 2 * weights + 2 * readout + (2 * 5 + rows) * units


class Walked(Schedule):
    """Keeps what is walked of the latest sample: pass, time step, and how many steps."""

    latest_walk: ClassVar[list] = []

    def sample(self, x, label, full):
        self.latest_walk.clear()
        return super().sample(x, label, full)

    def _record(self, made, clock, clocks):
        self.latest_walk.append((made.of, made.rows * made.of.walk.blocks))
        super()._record(made, clock, clocks)


WALKED = {
    "gated": {"memory.kind": "gated"},
    "window": {"memory.kind": "window", "memory.window": 4},
    "trace": {"memory.kind": "trace"},
    "codes": {"memory.kind": "codes"},
    "none": {"memory.kind": "none"},
    "reservoir": {"memory.kind": "reservoir", "reservoir.decoder": "zero", "memory.projection": 4},
    "hsic of 4": {"modulator.kind": "hsic", "memory.window": 4},
    "hsic of 8": {"modulator.kind": "hsic", "memory.window": 8},
    "leaky": {"neuron.kind": "leaky", "neuron.time_steps": 7},
    "single port": {"weight_ports": 1},
}


@pytest.mark.parametrize("name", WALKED)
@pytest.mark.parametrize("lanes", [1, 5, 16])
def test_operations_are_those_that_the_schedule_walks(name, lanes, monkeypatch):
    """Counted from the records of a sample that is really learned, not from a stand-in."""
    fine = {
        "formats.error_fraction": 14,
        "modulator.beta_log2": 0,
    }  # so that hardly any error is zero
    fields = {**dense((20, 16, 8, 5)), "lanes": lanes, **fine}
    config = CoreConfig.from_dict(derived(fields, WALKED[name]))
    monkeypatch.setattr(schedule, "Schedule", Walked)
    rng, core, layout = np.random.default_rng(0), Core(config), Layout(config)
    x = rng.integers(1, 256, (12, 20)) * (np.arange(20) < 13)
    prediction = schedule.predict(config, x, rng.integers(0, 5, 12))
    written = 0
    for channel, words in (
        ("trace.weights", layout.weight_words([np.ones_like(w) for w in core.weights])),
        ("trace.memory", layout.memory_words([np.ones_like(m) for m in core.memories])),
    ):
        clocks, addresses, _ = prediction.channels[channel].arrays()
        own = clocks > prediction.sample_clocks[-2] + 13  # words are written so long after a step
        written += int(words.sum(axis=1)[addresses[own]].sum())
    found = dict.fromkeys(Kind, 0)  # products of all units
    zero = 0  # those that this sample leaves out, as some of its errors happen to be zero
    hsic = config.modulator.kind == "hsic"
    for p, steps in Walked.latest_walk:
        units = config.hidden[min(p.layer, 1)]
        rows = steps // layout.blocks(min(p.layer, 1))
        found[p.kind] += rows * units
        if p.kind is Kind.DIRECTION:  # z itself is a row, the sample's own coefficient is zero
            zero += (layout.memory_rows - hsic + 1 - rows) * units
    beside = {  # 13 inputs other than zero, 2 layers, 5 classes
        "none": 0,
        "reservoir": 2 * (5 + (5 * 4) * (256 + 2)),
        "hsic of 4": 20 + 5 * 13 + 2 * (4 + 4),
        "hsic of 8": 20 + 9 * 13 + 2 * (8 + 8),
    }.get(name, 2 * 5)
    multiplies, reads, writes = cost.operations(config, 13)
    assert writes == written
    assert multiplies == sum(found.values()) - found[Kind.SUM] + zero + beside
    unread = [Kind.SUM, Kind.SQUARES, Kind.NORMALISE, *[Kind.MEMORY] * hsic]
    own_rows = sum(config.hidden) * config.learns_hidden  # the rows that are z itself
    assert reads == sum(n for kind, n in found.items() if kind not in unread) + zero - own_rows


def test_counts_grow_with_time_steps_and_window():
    leaky = [CoreConfig.of((20, 8, 5), neuron__kind="leaky", neuron__time_steps=n) for n in (1, 20)]
    window = [CoreConfig.of((20, 8, 5), modulator__kind="hsic", memory__window=n) for n in (8, 32)]
    for few, many in (leaky, window):
        counts = zip(cost.operations(few, 13), cost.operations(many, 13), strict=True)
        assert all(less < more for less, more in list(counts)[:2])
    assert cost.operations(leaky[1], 13)[0] - cost.operations(leaky[0], 13)[0] == 19 * (14 + 2) * 8


def test_cost_of_a_result(tmp_path):
    content = run.execute(key_of(tmp_path, SPEC))
    found = content["cost"]
    config = load("digits")
    dataset = data.load("digits")
    assert found["weight_bits_total"] == 12 * (65 * 32 + 33 * 16 + 16 * 10)
    assert found["memory_bits"] > found["weight_bits_total"]
    mean = np.count_nonzero(dataset.x_train) / len(dataset.x_train)
    assert found["nonzero_inputs"] == round(mean)
    assert found["estimate"]["marked"] == "estimate"
    assert run.nonzero_inputs(CoreConfig.of(config.sizes, input__bits=1), dataset) < round(mean)
    assert not math.isnan(found["clocks_per_sample"])
