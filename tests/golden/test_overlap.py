"""Updates beside the next sample: the same numbers as without, in fewer clocks; runs of zeros."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.data.sets import load as load_set
from hebbware.golden.data.words import word_bits, words_of
from hebbware.golden.errors import InputError
from hebbware.golden.estimate.estimate import clocks_per_sample, limit_clocks_per_sample
from hebbware.golden.program.overlap import ahead_latency, words_between
from hebbware.golden.program.program import program
from hebbware.golden.program.walk import Kind, Store
from hebbware.golden.timing.schedule import predict
from hebbware.golden.twin.core import Twin

SIZES = [(6, 5, 3), (7, 6, 5, 3), (5, 4, 9, 4, 3)]
KINDS = [{}, {"memory__kind": "trace", "memory__kappa": 0.5}, {"memory__kind": "codes"}]
LEAKY = {"neuron__kind": "leaky", "neuron__time_steps": 3, "input__centred": True}


def samples(config, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, config.x.max + 1, (count, config.inputs))
    x[rng.random(x.shape) < 0.5] = config.x_zero
    labels = rng.integers(0, config.classes, count).tolist()
    return x, [label if n % 5 else None for n, label in enumerate(labels)]


def state(core):
    return [*core.weights, *core.memories, *core.gains, core.random_state, core.saturated]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("values", [*KINDS, LEAKY])
def test_all_numbers_are_those_of_a_core_without(sizes, values):
    config = CoreConfig.of(sizes, lanes=3, **values)
    beside = config.derive(update__overlap=True)
    x, labels = samples(config, 40)
    cores = [Core(config), Core(beside), Twin(beside)]
    for row, label in zip(x, labels, strict=True):
        found = [core.infer(row) if label is None else core.learn(row, label) for core in cores]
        assert found[0][0] == found[1][0] == found[2][0]
    for one, other, third in zip(*map(state, cores), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)


@pytest.mark.parametrize("sizes", SIZES)
def test_weights_are_written_in_the_old_order_and_sooner(sizes):
    config = CoreConfig.of(sizes, lanes=2)
    x, labels = samples(config, 12)
    old, new = (
        predict(config.derive(update__overlap=overlap), x, labels) for overlap in (False, True)
    )
    for name in ("trace.weights", "trace.memory", "results"):
        (early, *same), (late, *numbers) = (p.channels[name].arrays() for p in (new, old))
        assert early[-1] < late[-1]
        for one, other in zip(same, numbers, strict=True):
            np.testing.assert_array_equal(one, other)


def test_digits_are_learned_in_at_most_1_3_of_the_limit():
    config, data = load("digits"), load_set("digits")
    beside = config.derive(update__overlap=True)
    x, labels = data.x_train[:120], data.y_train[:120].tolist()
    clocks = predict(beside, x, labels).sample_clocks
    limit = np.mean([limit_clocks_per_sample(config, np.count_nonzero(row)) for row in x])
    assert (clocks[-1] - clocks[0]) / (len(clocks) - 1) <= 1.3 * limit


def test_mnist_takes_less_than_its_words_do_without_runs():
    config = load("mnist").derive(update__overlap=True)
    assert clocks_per_sample(config, 150) == 785
    assert clocks_per_sample(config.derive(input__runs=True), 150) <= 680


def test_what_is_walked_beside():
    passes = program(CoreConfig.of((7, 6, 5, 4, 3), lanes=3, update__overlap=True))
    beside = [p.name for p in passes if p.walk.beside]
    assert beside == ["update0", "update1", "readout3", "update2"]
    assert [p.layer for p in passes if p.kind is Kind.HANDOVER] == [0, 3]
    assert [p.name for p in passes if p.walk.chases] == ["forward0"]
    for p in passes:
        assert (Store.WEIGHTS in p.walk.writes) == p.walk.beside
        assert p.learn or not p.walk.beside


def test_words_that_are_skipped():
    config = CoreConfig.of((7, 6, 5, 3), lanes=4, update__overlap=True)
    assert words_between(config) == 3 * 2  # a row for each class, two blocks
    assert words_between(config.derive(memory__kind="codes")) == 0
    one, many = ahead_latency(config, 1), ahead_latency(config, 8 * 5 + 3)
    assert many - one == 5 + 3 - 1


REFUSED = [
    ({"weight_ports": 1}, "update.overlap must be false where weight_ports is 1"),
    ({"memory__kind": "window"}, "update.overlap must be false where memory.kind is 'window'"),
    ({"memory__kind": "reservoir"}, "update.overlap must be .* memory.kind is 'reservoir'"),
    ({"modulator__kind": "hsic"}, "update.overlap must be .* memory.kind is 'samples'"),
    ({"modulator__kind": "none"}, "update.overlap must be .* modulator.kind is 'none'"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_refused(values, message):
    with pytest.raises(InputError, match=message):
        CoreConfig.of((7, 6, 3), update__overlap=True, **values)


@pytest.mark.parametrize("preset", ["digits-conv", "digits-rows"])
def test_refused_where_layers_are_not_dense(preset):
    for name in ("update.overlap", "input.runs"):
        with pytest.raises(InputError, match=f"{name} must be false where"):
            load(preset).derive(**{name: True})


def test_runs_are_refused_where_every_input_is_seen():
    with pytest.raises(
        InputError, match=r"input.runs must be false where modulator.kind is 'hsic'"
    ):
        CoreConfig.of((7, 6, 3), input__runs=True, modulator__kind="hsic")


def test_neither_is_part_of_a_configuration_without():
    config = load("digits")
    for name in ("update.overlap", "input.runs"):
        assert name not in config.to_dict()
        changed = config.derive(**{name: True})
        assert changed.fingerprint != config.fingerprint
        assert CoreConfig.from_dict(changed.to_dict()) == changed
        assert changed.derive(**{name: False}) == config


# -- runs ------------------------------------------------------------------------------------------


def read(config, words):
    """Inputs that words of a sample stand for."""
    found, mark = [], 1 << word_bits(config)
    for word in words.tolist():
        found += [config.x_zero] * (word - mark) if word >= mark else [word]
    return found


@pytest.mark.parametrize("centred", [False, True])
def test_runs_stand_for_the_inputs(centred):
    config = CoreConfig.of((600, 4, 3), input__runs=True, input__centred=centred)
    rng = np.random.default_rng(0)
    for share in (0, 0.01, 0.2, 0.9, 1):
        x = np.where(rng.random(600) < share, rng.integers(0, 256, 600), config.x_zero)
        words = words_of(config, x)
        assert read(config, words) == x.tolist()
        nonzero = np.count_nonzero(x != config.x_zero)
        assert words.size <= min(600, 2 * nonzero + 1 + 600 // 255)
    assert words_of(config, np.full(600, config.x_zero)).tolist() == [511, 511, 256 + 90]


def test_without_runs_words_are_the_inputs():
    config = CoreConfig.of((3, 4, 3))
    assert words_of(config, [0, 0, 7]).tolist() == [0, 0, 7]


def test_a_kind_that_they_do_not_go_with_drops_them():
    """So controls of a configuration need no change of their own."""
    config = CoreConfig.of((7, 6, 3), update__overlap=True, input__runs=True)
    for changes in ({"memory__kind": "window"}, {"modulator__kind": "none"}):
        changed = config.derive(**changes)
        assert not changed.update.overlap
        assert changed.input.runs
    changed = config.derive(modulator__kind="hsic")
    assert not changed.update.overlap
    assert not changed.input.runs
    assert config.derive(memory__kind="codes").update.overlap
    with pytest.raises(InputError, match="update.overlap must be false"):
        config.derive(memory__kind="window", update__overlap=True)
