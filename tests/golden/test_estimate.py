"""Clocks without data, memories, resources: against the schedule, the Verilog, and by hand."""

import copy
import re

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived, load
from hebbware.golden.core import Core
from hebbware.golden.estimate import devices, estimate
from hebbware.golden.program.walk import Store, latest
from hebbware.golden.timing.schedule import Schedule, predict
from hebbware.hdl import emit

KINDS = ("gated", "window", "trace", "codes", "none")
SIZES = {1: (13, 7, 5, 3), 3: (13, 7, 5, 3), 4: (16, 8, 4), 16: (13, 40, 5, 3)}


def small(memory, lanes):
    fields = {**dense(SIZES[lanes]), "lanes": lanes, "memory.window": 4, "memory.horizon": 6}
    return CoreConfig.from_dict(derived(fields, {"memory.kind": memory}))


def teaching(config, count):
    """Random samples of which every one that is learned has errors other than zero everywhere."""
    rng = np.random.default_rng(config.lanes)
    core, x, labels = Core(config), [], []
    while len(x) < count:
        row = rng.integers(0, 256, config.inputs) * (rng.random(config.inputs) < 0.6)
        if rng.random() < 0.3:
            x.append(row)
            labels.append(None)
            continue
        for label in rng.permutation(config.classes).tolist():
            trial = copy.deepcopy(core)
            seen = latest(trial.walk(row, label))
            if all(e.all() for (store, _), e in seen.items() if store is Store.ERRORS):
                core = trial
                x.append(row)
                labels.append(label)
                break
    return np.array(x), labels


@pytest.mark.parametrize("memory", KINDS)
@pytest.mark.parametrize("lanes", SIZES)
def test_clocks_are_those_of_the_schedule(memory, lanes):
    config = small(memory, lanes)
    x, labels = teaching(config, 24)
    assert sum(label is not None for label in labels) > 4  # more than the window holds
    expected = predict(config, x, labels).sample_clocks
    learn = [label is not None for label in labels]
    found = estimate.sample_clocks(config, np.count_nonzero(x, axis=1), learn)
    assert found.tolist() == expected.tolist()


def test_clocks_and_memories_of_leaky_neurons():
    config = small("gated", 4).derive(
        neuron__kind="leaky", neuron__time_steps=3, neuron__slope_shift=3, input__centred=True
    )
    x, labels = teaching(config, 12)
    expected = predict(config, x, labels).sample_clocks
    counts, learn = (x != 128).sum(axis=1), [label is not None for label in labels]
    assert estimate.sample_clocks(config, counts, learn).tolist() == expected.tolist()
    declared = re.findall(r"^  reg \[(\d+):0\] \S+ +\[(\d+):0\];", emit.core_verilog(config), re.M)
    found = sorted(
        (width - 1, ram.depth - 1) for ram in estimate.memories(config) for width in ram.banks
    )
    assert found == sorted((int(width), int(depth)) for width, depth in declared)
    steps = dict(estimate.pass_steps(config, 5))
    static = dict(estimate.pass_steps(config.derive(neuron__kind="static"), 5))
    for name in steps:
        often = name.startswith(("forward", "sum", "squares", "normalise"))
        assert steps[name] == static[name] * (3 if often else 1)
    once = estimate.limit_clocks_per_sample(small("gated", 4), 5)
    assert estimate.limit_clocks_per_sample(config, 5) == once + 2 * 5 * 2  # 8 units on 4 lanes


def test_clocks_of_equal_samples():
    config = small("gated", 4)
    steady = np.diff(estimate.sample_clocks(config, [9] * 20, [True] * 20))
    assert set(steady[3:].tolist()) == {estimate.clocks_per_sample(config, 9)}
    steady = np.diff(estimate.sample_clocks(config, [9] * 20, [False] * 20))
    assert set(steady[3:].tolist()) == {estimate.clocks_per_sample(config, 9, learn=False)}
    # a wide input that is nearly empty: bound by the stream, a word per clock and the label
    assert estimate.clocks_per_sample(load("mnist"), 1) == 785


def test_clocks_of_the_start():
    for name in ("digits", "mnist", "xor"):
        config = load(name)
        assert estimate.start_clocks(config) == Schedule(Core(config)).start()


def test_slot_limit():
    mnist = load("mnist")
    assert estimate.limit_clocks_per_sample(mnist, 150) == 984  # 2 (150 * 2 + 128 + 64)
    none = CoreConfig.of((10, 20, 30, 5), lanes=8, memory__kind="none")
    assert estimate.limit_clocks_per_sample(none, 7) == 7 * 3 + 20 * 4 + 2 * 30
    for nonzero in (0, 100, 150, 784):
        limit = estimate.limit_clocks_per_sample(mnist, nonzero)
        assert limit <= estimate.clocks_per_sample(mnist, nonzero)


def test_nonzero_must_fit():
    with pytest.raises(ValueError, match=r"nonzero must lie in 0\.\.784, not 785"):
        estimate.clocks_per_sample(load("mnist"), 785)


def test_steps_of_passes():
    steps = dict(estimate.pass_steps(load("mnist"), 150))
    assert steps["forward0"] == steps["update0"] == 2 * 151
    assert steps["forward1"] == 129
    assert steps["scores2"] == steps["readout2"] == 10
    assert steps["direction0"] == 2 * 11
    window = dict(estimate.pass_steps(small("window", 4), 5))
    assert window["forget0"] == window["memory0"] == 2


@pytest.mark.parametrize(("memory", "lanes"), [*((kind, 3) for kind in KINDS), ("gated", 16)])
def test_memories_are_those_of_the_verilog(memory, lanes):
    config = small(memory, lanes)
    text = emit.core_verilog(config)
    declared = re.findall(r"^  reg \[(\d+):0\] \S+ +\[(\d+):0\];", text, re.MULTILINE)
    found = sorted(
        (width - 1, ram.depth - 1) for ram in estimate.memories(config) for width in ram.banks
    )
    assert found == sorted((int(width), int(depth)) for width, depth in declared)


SEQUENCES = {
    "lanes": 3,
    "layer__kind": ["recurrent", "readout"],
    "neuron__ticks": 7,
    "neuron__target": 3,
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"lanes": 9, "modulator__kind": "random", "memory__kappa": 0.5},
        {"modulator__kind": "none", "lanes": 1},
        {"neuron__signal": True},
    ],
    ids=["symmetric", "random", "none", "signal"],
)
def test_memories_of_sequences_are_those_of_the_verilog(fields):
    config = CoreConfig.of((7, 10, 3), **SEQUENCES | fields)
    declared = re.findall(r"^  reg \[(\d+):0\] \S+ +\[(\d+):0\];", emit.core_verilog(config), re.M)
    found = sorted(
        (width - 1, ram.depth - 1) for ram in estimate.memories(config) for width in ram.banks
    )
    assert found == sorted((int(width), int(depth)) for width, depth in declared)


def test_errors_of_signals_take_no_multiplier():
    """Products in the Verilog: one for each lane, and the softmax's, of which signals have none."""
    config = CoreConfig.of((7, 10, 3), **SEQUENCES)
    products, estimated = [], []
    for signal in (False, True):
        core = config.derive(neuron__signal=signal)
        products.append(len(re.findall(r" \* ", emit.core_verilog(core))))
        estimated.append(devices.multipliers(core, devices.FAMILIES["ecp5"]))
    assert products[0] - products[1] == estimated[0] - estimated[1] + 1  # errors times scores
    assert estimated[1] == config.lanes


def test_weights_are_those_of_the_network():
    for name in ("digits", "mnist", "digits-rows"):
        assert estimate.weights(load(name)) == sum(w.size for w in Core(load(name)).weights)


# `hebbware build`, Yosys 0.70 and nextpnr 0.11: LUTs, multipliers, block RAMs
BUILDS = [
    ("ecp5", "mnist", {}, (52659, 68, 91)),
    ("ecp5", "mnist-25f", {}, (12084, 16, 47)),
    ("ecp5", "mnist", {**dense((784, 32, 16, 10)), "lanes": 16}, (16163, 20, 25)),
    ("ice40", "mnist-pooled", {}, (5205, 6, 16)),
    ("ice40", "cue-accumulation", {"lanes": 2, "weight_ports": 1}, (5236, 5, 15)),
    ("gowin", "mnist-20k", {}, (14201, 12, 43)),
    ("gowin", "mnist-9k", {}, (6976, 10, 23)),
]


@pytest.mark.parametrize(("family", "preset", "fields", "built"), BUILDS)
def test_resources_against_builds(family, preset, fields, built):
    config = load(preset).derive(**fields)
    of = devices.FAMILIES[family]
    lut, dsp, ram = built
    assert devices.luts(config, of) == pytest.approx(lut, rel=0.05)
    assert abs(devices.multipliers(config, of) - dsp) <= 1
    assert abs(devices.block_rams(config, of) - ram) <= 3


def test_what_is_short_is_named():
    needs = {need.device: need for need in devices.resources(load("mnist"))}
    assert len(needs) == len(devices.DEVICES)
    small = needs["iCE40UP5K"]
    assert not small.fits
    assert small.short == "lut, dsp, ram"
    assert small.has == {"lut": 5280, "dsp": 8, "ram": 30, "spram": 4}
