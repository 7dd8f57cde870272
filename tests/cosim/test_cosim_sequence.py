"""Cores of sequences: RTL and golden, value and clock of every record."""

import numpy as np
import pytest

from hebbware.cosim import stimuli
from hebbware.cosim.configurations import random_recurrent
from hebbware.cosim.core import build_core, cosimulate, sample_words
from hebbware.cosim.stimuli import random_samples
from hebbware.golden.config import NO_LABEL, CoreConfig, load
from hebbware.golden.data.sets import load as load_data
from hebbware.golden.learn import train
from hebbware.golden.program.commands import Command, Op, Space, State
from hebbware.golden.timing.schedule import predict

BASE = {
    "lanes": 3,
    "layer__kind": ["recurrent", "readout"],
    "layer__init_std": [0.9, 0.5],
    "layer__recurrent_init_std": [0.3, None],
    "layer__rate": [5, 6],
    "neuron__ticks": 7,
    "neuron__target": 3,
    "update__halvings": 2,
}
CASES = {
    "two leaks": {"neuron__second_leak_shifts": [2, 4], "lanes": 5, "input__centred": True},
    "random": {"modulator__kind": "random", "memory__kappa": 0.5, "lanes": 4},
    "surprise": {"modulator__kind": "surprise", "memory__horizon": 4, "lanes": 4},
    "clusters": {"lanes": 12, "modulator__kind": "random", "memory__kappa": 1.0},
    "one port": {"weight_ports": 1, "lanes": 9, "input__centred": True},
    "frozen": {"modulator__kind": "none", "neuron__readout_shift": 0},
    "one lane": {"lanes": 1, "neuron__target": 1},
    "signal": {"neuron__signal": True, "lanes": 9, "neuron__target": 7, "input__centred": True},
    "signal, surprise": {"neuron__signal": True, "modulator__kind": "surprise", "lanes": 4},
    "signal, one port": {"neuron__signal": True, "weight_ports": 1, "formats__u_fraction": 4},
}


def configuration(sizes=(7, 9, 3), **fields):
    return CoreConfig.of(sizes, **{**BASE, **fields})


def compare(config, model, each):
    run = cosimulate(config, each.x, each.labels, model=model, **each.options)
    assert run.message is None, f"{each.name}: {run.message}"
    return run


def test_rtl_equals_golden():
    """Digits row by row, learned and inferred; labels at all, the last, some and no ticks; commands
    in between; all ends stalled.
    """
    config = load("digits-rows").derive(lanes=2, layer__units=[6, 10])
    model = build_core(config, quick=True)
    digits = load_data("digits-rows")
    x, labels = train.inputs(config, digits.x_train[:14]), digits.y_train[:14].tolist()
    run = cosimulate(config, x, [*labels[:12], None, None], model=model, stalls=64)
    assert run.message is None, run.message
    for each in (
        stimuli.plain(config, 1, 8),
        stimuli.commanded(config, 1, 8),
        stimuli.after_each(config, 1, 6),
        stimuli.interrupted(config, 150),
    ):
        run = compare(config, model, each)
    wanted = {"results", "responses", *(f"trace.{n}" for n in ("weights", "vectors", "errors"))}
    assert wanted <= {name for name, log in run.result.logs.items() if len(log)}


def test_signals():
    """Targets at some, all and no ticks; results at each of the last ones; all ends stalled."""
    config = configuration(neuron__signal=True)
    model = build_core(config, quick=True)
    for each in (
        stimuli.plain(config, 1, 8),
        stimuli.commanded(config, 1, 8),
        stimuli.after_each(config, 1, 6),
        stimuli.interrupted(config, 150),
        stimuli.stalled(config, 250),
    ):
        run = compare(config, model, each)
        assert len(run.scores) == len(each.x) * config.neuron.target
    assert len(run.result.logs["trace.errors"])


# a build each: three minutes
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_rtl_equals_golden_in_each_form(case):
    config = configuration(**CASES[case])
    model = build_core(config, quick=True)
    for each in stimuli.suite(config):
        compare(config, model, each)


# ten minutes
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_random_configurations(seed):
    config = random_recurrent(seed)
    model = build_core(config, quick=True)
    for each in (
        stimuli.plain(config, seed, 12),
        stimuli.commanded(config, seed, 12),
        stimuli.extreme(config, seed, 6, words=40),
        stimuli.stalled(config, 250, seed=seed),
    ):
        compare(config, model, each)


# needs the recordings: HEBBWARE_DATA; a minute
@pytest.mark.slow
def test_spoken_digits():
    """Twenty recordings learned, twenty others inferred, all ends stalled."""
    config, digits = load("spoken-digits"), load_data("spoken-digits")
    order = train.order(0, 0, len(digits.y_train))[:20]
    x = train.inputs(config, np.concatenate([digits.x_train[order], digits.x_test[:20]]))
    labels = [*digits.y_train[order].tolist(), *[None] * 20]
    run = cosimulate(config, x, labels, model=build_core(config), stalls=64)
    assert run.message is None, run.message
    assert run.result.mismatches == 0
    print(f"{run.result.clocks:,} clocks, {run.result.compared:,} records equal")


# -- what golden predicts, by hand -----------------------------------------------------------------


def test_a_command_waits_for_the_end_of_a_sequence():
    """It is on offer in the first tick, and answered after the result's last word."""
    config = configuration()
    x, _ = random_samples(config, np.random.default_rng(0), 2)
    read = Command(Op.READ, Space.STATE, State.LEARNED, after=1)
    found = predict(config, x, [1, 2], commands=[read])
    (clock,), _, (value,) = found.channels["responses"].arrays()
    results = found.channels["results"].arrays()[0]
    assert results.size == 2 * (1 + config.classes)
    assert found.sample_clocks[0] < clock < results[1 + config.classes]
    assert value == [1]


def test_sequences_with_and_without_labels_are_counted():
    config = configuration()
    x, _ = random_samples(config, np.random.default_rng(0), 4)
    nothing, some = np.full(7, NO_LABEL), np.array([NO_LABEL, 1, *[NO_LABEL] * 5])
    reads = [Command(Op.READ, Space.STATE, s, after=16) for s in (State.LEARNED, State.INFERRED)]
    found = predict(config, x, [None, nothing, some, 2], commands=reads)
    assert found.channels["responses"].arrays()[2].ravel().tolist() == [2, 2]


def test_a_tick_takes_the_place_of_a_sample_in_the_stream():
    config = configuration()
    x, _ = random_samples(config, np.random.default_rng(0), 2)
    words = sample_words(config, x, [None, 2]).reshape(2, 7, 8)
    assert (words[:, :, :-1] == x).all()
    assert (words[0, :, -1] >= config.classes).all()
    assert (words[1, :4, -1] >= config.classes).all()
    assert (words[1, 4:, -1] == 2).all()


def test_targets_of_signals_in_the_stream():
    """They lie between inputs and label, as bytes; a number of an output says that they count."""
    config = configuration(neuron__signal=True)
    x, _ = random_samples(config, np.random.default_rng(0), 2)
    targets = np.full((7, 3), NO_LABEL)
    targets[2] = -128, -1, 127
    words = sample_words(config, x, [None, targets]).reshape(2, 7, 7 + 3 + 1)
    assert (words[:, :, :7] == x).all()
    assert words[1, 2, 7:10].tolist() == [128, 255, 127]
    learned = words[:, :, -1] < config.classes
    assert np.argwhere(learned).tolist() == [[1, 2]]
    assert sample_words(config, x[:0], []).size == 0


def test_results_of_signals_by_hand():
    """Three sequences of seven ticks, of which three have results: a number and three scores."""
    config = configuration(neuron__signal=True)
    x, labels = random_samples(config, np.random.default_rng(0), 3)
    found = predict(config, x, labels)
    clocks, _, words = found.channels["results"].arrays()
    assert clocks.size == 3 * 3 * 4
    words = words.reshape(9, 4)
    assert (words[:, 0] == words[:, 1:].argmax(axis=1)).all()
