"""The whole core against golden, in value and clock: corners, stalls and commands."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbware.cosim.build import build
from hebbware.cosim.commands import edge_command, places, random_commands
from hebbware.cosim.core import build_core, cosimulate, sample_words
from hebbware.cosim.stimuli import STREAMS, after_each, random_samples
from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import NO_LABEL, CoreConfig, dense, load
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.data.sets import load as load_data
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.program.layout import Layout
from hebbware.golden.timing.schedule import Command
from hebbware.hdl.core import Core

MNIST = Path(os.environ.get("HEBBWARE_DATA", "nowhere")) / "mnist"


def small(config):
    """A simulation of few clocks: quick to build."""
    model = build(Core(config, trace=True), hold={"commands": "results"}, quick=True)
    assert "[-1:0]" not in (model.directory / "dut.v").read_text()  # a vector of no bits
    return model


def check(config, model, x, labels, **options):
    run = cosimulate(config, x, labels, model=model, **options)
    assert run.message is None, f"{run.message}\n{config.to_dict()}"
    log = run.result.logs
    assert run.result.compared == sum(
        len(log[name]) for name, c in model.bench.channels.items() if c.kind != "source"
    )
    assert len(log["results"]) == len(x) * (config.classes + 1)
    assert len(log["responses"]) == len(options.get("commands", ()))
    return run


SMALL = CoreConfig.of((4, 3, 5, 3), lanes=2, memory__horizon=3)
CORNERS = {
    "one input": SMALL.derive(**dense((1, 2, 2))),
    "two classes": SMALL.derive(**dense((3, 5, 2))),
    "64 classes": SMALL.derive(**dense((3, 4, 64))),
    "more lanes than units": SMALL.derive(lanes=9),
    "no stored fraction": SMALL.derive(formats__z_fraction=0, memory__read_fraction=0),
}


@pytest.mark.parametrize("name", CORNERS)
def test_corner(name):
    config = CORNERS[name]
    model = small(config)
    rng = np.random.default_rng(7)
    x, labels = random_samples(config, rng, 20)
    commands = random_commands(config, rng, len(x), 10)
    check(config, model, x, labels)
    check(config, model, x, labels, commands=commands, stalls=100, seed=1)


HSIC = {
    2: {**dense([9, 16, 4]), "lanes": 16, "layer.rate": [5, 5], "input.centred": True},
    4: {**dense([13, 7, 5, 3]), "lanes": 3, "modulator.sigmas": [0.3, 0.4, 0.9], "weight_ports": 1},
    8: {
        **dense([6, 7, 3, 3]),
        "lanes": 4,
        "neuron.kind": "leaky",
        "neuron.time_steps": 3,
        "modulator.gamma": 5.5,
    },
    32: {
        **dense([1, 4, 2]),
        "lanes": 1,
        "layer.rate": [4, 4],
        "formats.z_bits": 6,
        "formats.error_fraction": 8,
    },
}


# the largest takes half a minute
@pytest.mark.parametrize(
    "window", [pytest.param(n, marks=pytest.mark.slow if n == 32 else ()) for n in HSIC]
)
def test_hsic_modulator(window):
    values = {
        "modulator.kind": "hsic",
        "memory.window": window,
        "layer.rate": [5, 5, 6],
        "seed": window,
    }
    config = CoreConfig.from_dict(values | HSIC[window])
    model = small(config)
    rng = np.random.default_rng(window)
    x, labels = random_samples(config, rng, 2 * window + 25)
    run = check(config, model, x, labels)
    each = after_each(config)
    check(config, model, each.x, each.labels, **each.options)
    for name in ("trace.kernels", "trace.coefficients"):
        assert np.count_nonzero(run.prediction.channels[name].arrays()[2]) > 10
    commands = random_commands(config, rng, len(x), 12)
    check(config, model, x, labels, commands=commands, stalls=100, seed=1)


@pytest.mark.parametrize("ports", [1, 2])
def test_saturations_are_counted_up_to_the_last_step(ports, monkeypatch):
    """Read as soon as a sample allows it; what the host writes does not count; START clears.

    The host drives the word that is written last to an end of its range, so that many samples
    end with a word that counts.
    """
    config = SMALL.derive(
        formats__weight_bits=4, layer__rate=(0, 0, 0), layer__init_std=(0.9,) * 3,
        memory__kind="codes", formats__d_bits=5, formats__d_fraction=2, weight_ports=ports,
    )  # fmt: skip
    stored, ended = GoldenCore._stored, []

    def spy(core, moved, *of):
        if moved.shape == (4, 5):  # the last layer's update, all rows
            ended.append(moved[-1, -1] != np.clip(moved[-1, -1], -8, 7))
        return stored(core, moved, *of)

    monkeypatch.setattr(GoldenCore, "_stored", spy)
    model, rng = small(config), np.random.default_rng(5)
    x, _ = random_samples(config, rng, 40)
    labels = rng.integers(0, config.classes, 40).tolist()
    last = Layout(config).weight_bases[2] - 1
    commands = [Command(Op.WRITE, Space.WEIGHT, last, 0, 7)]
    for n in range(1, len(x) + 1):
        after = n * (config.classes + 1)
        commands.append(Command(Op(n % 2), Space.STATE, State.SATURATED, data=9, after=after))
        if n == 25:
            commands.append(Command(Op.START, after=after))
            commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=after))
        commands.append(Command(Op.WRITE, Space.WEIGHT, last, 0, (7, -8)[n // 2 % 2], after))
    for stalls in (0, 100):
        run = check(config, model, x, labels, commands=commands, stalls=stalls)
        found = run.result.logs["responses"][:, 1].tolist()
        counts = [count for count, c in zip(found, commands, strict=True) if c.space is Space.STATE]
        assert counts[:25] == sorted(counts[:25])
        assert counts[25] == 0
        assert counts[26:] == sorted(counts[26:])
        assert counts[24] > 20
        assert counts[-1] == run.core.saturated > 10
    assert sum(ended) > 10


@pytest.fixture(scope="module")
def model():
    return small(SMALL)


@pytest.mark.parametrize("share", [0, 1])
def test_empty_and_full_samples(model, share):
    x = np.full((12, SMALL.inputs), share * SMALL.x.max)
    check(SMALL, model, x, [0, 1, 2, None] * 3)


@pytest.mark.parametrize(
    "stalls", [{"results": 255}, {"samples": 255}, {"commands": 255, "responses": 255}, 255]
)
def test_ends_that_nearly_stand_still(model, stalls):
    rng = np.random.default_rng(3)
    x, labels = random_samples(SMALL, rng, 10)
    commands = random_commands(SMALL, rng, len(x), 8)
    check(SMALL, model, x, labels, commands=commands, stalls=stalls, seed=9)


def test_commands_only(model):
    rng = np.random.default_rng(4)
    commands = [replace(c, after=0) for c in random_commands(SMALL, rng, 1, 60)]
    check(SMALL, model, np.zeros((0, SMALL.inputs), int), [], commands=commands, stalls=120)


def test_a_write_answers_what_a_read_answers_next(model):
    """At every edge of what there is; what the core answers is compared with itself."""
    rng, commands = np.random.default_rng(10), []
    for _ in range(250):
        command = replace(edge_command(SMALL, rng), op=Op.WRITE)
        commands += [command, replace(command, op=Op.READ)]
    run = check(SMALL, model, np.zeros((0, SMALL.inputs), int), [], commands=commands)
    answers = run.result.logs["responses"][:, 1]
    assert answers[0::2].tolist() == answers[1::2].tolist()
    assert np.count_nonzero(answers) > 50


def test_any_word_is_answered(model):
    rng = np.random.default_rng(11)
    words = [(1 << 64) - 1, *rng.integers(0, 1 << 64, 60, dtype=np.uint64).tolist()]
    commands = [Command.of(word, n // 5 * 4) for n, word in enumerate(words)]
    x, labels = random_samples(SMALL, rng, 12)
    check(SMALL, model, x, labels, commands=commands)


def test_every_word_of_both_memories_can_be_read_and_written(model):
    rng, commands = np.random.default_rng(5), []
    for space, bits in ((Space.WEIGHT, 12), (Space.MEMORY, 16)):
        for address, lane in places(SMALL, space).tolist():
            data = int(rng.integers(-(1 << bits - 1), 1 << bits - 1))
            commands += [Command(Op.WRITE, space, address, lane, data)]
            commands += [Command(Op.READ, space, address, lane)]
    run = check(SMALL, model, np.zeros((0, SMALL.inputs), int), [], commands=commands)
    responses = run.result.logs["responses"][:, 1].astype(np.int32)
    assert responses[0::2].tolist() == responses[1::2].tolist() == [c.data for c in commands[::2]]


def test_a_command_waits_until_a_short_update_has_settled():
    """Where the class memory, and not the weights, is done last: its gains come from a total."""
    config = CoreConfig.of((1, 2, 2), lanes=9, layer__rate=(0, 0), layer__init_std=(1.0, 1.0))
    model, rng = small(config), np.random.default_rng(1)
    x, labels = rng.integers(0, 256, (40, 1)), rng.integers(0, 2, 40).tolist()
    for space, address in ((Space.STATE, State.LEARNED), (Space.GAIN, 1)):
        commands = [
            Command(Op(n % 2), space, address, data=n % 7, after=n // 2 * 3) for n in range(80)
        ]
        check(config, model, x, labels, commands=commands)


def test_words_in_the_place_of_no_label_are_of_every_sort():
    labels = [1, *[None] * 60, 0]
    words = sample_words(SMALL, np.zeros((62, SMALL.inputs), int), labels).reshape(62, -1)[:, -1]
    assert (words[0], words[-1]) == (1, 0)
    assert words[1:-1].min() >= SMALL.classes
    assert np.bitwise_or.reduce(words[1:-1]) == 255
    assert len(set(words.tolist())) > 40


@pytest.mark.parametrize("word", [SMALL.classes, 4, 100, NO_LABEL])
def test_any_word_that_is_no_class_means_infer_only(model, word, monkeypatch):
    def words(config, x, labels):
        stream = sample_words(config, x, labels).reshape(len(x), -1)
        stream[[label is None for label in labels], -1] = word
        return stream.ravel()

    monkeypatch.setattr("hebbware.cosim.core.sample_words", words)
    x, labels = random_samples(SMALL, np.random.default_rng(6), 12)
    assert None in labels
    check(SMALL, model, x, labels)


def test_a_difference_is_found_and_named(model):
    wrong = SMALL.derive(update__rounding=Rounding.NEAREST)
    x, labels = random_samples(SMALL, np.random.default_rng(8), 8)
    run = cosimulate(wrong, x, labels, model=model)
    assert run.result.mismatch.channel == "trace.weights"
    first, second = run.message.split("\n")
    assert first.startswith(f"clock {run.result.mismatch.clock}: trace.weights, record ")
    assert " weight " in second
    assert ": expected " in second


def preset(name, count, inferred, **options):
    config = load(name)
    data = load_data(name.partition("-")[0], seed=0)
    x = data.x_train[: count + inferred].astype(np.int64)
    labels = [int(y) for y in data.y_train[:count]] + [None] * inferred
    return check(config, build_core(config), x, labels, **options)


@pytest.mark.parametrize(
    ("name", "data"),
    # a minute
    [("xor-leaky", "xor"), pytest.param("linear-leaky", "linear", marks=pytest.mark.slow)],
)
def test_leaky_preset(name, data):
    """At least 100 samples of 20 time steps each, without and with stalls."""
    config, found = load(name), load_data(data, seed=1)
    assert config.neuron.time_steps == 20
    model = build_core(config)
    x = found.x_train[:140].astype(np.int64)
    labels = [*found.y_train[:110].tolist(), *[None] * 30]
    run = check(config, model, x, labels)
    vectors = run.result.logs["trace.vectors"]
    assert len(vectors) > 140 * 20 * 2 * len(config.hidden)  # a and z in each time step
    check(config, model, x, labels, stalls=100, seed=3)


def test_digits_with_stalls():
    run = preset("digits", 100, 20, stalls=dict.fromkeys(STREAMS, 90), seed=2)
    assert run.result.compared > 15_000


@pytest.mark.slow  # a core of 16 lanes takes half a minute to build
def test_digits_hsic():
    preset("digits-hsic", 100, 20, stalls=dict.fromkeys(STREAMS, 90), seed=4)


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not in $HEBBWARE_DATA/mnist")
def test_mnist():
    preset("mnist", 20, 5, stalls={"samples": 20, "results": 100}, seed=3)


@pytest.mark.slow
def test_128_lanes():
    config = SMALL.derive(**dense((4, 130, 3)), lanes=128)
    x, labels = random_samples(config, np.random.default_rng(9), 12)
    check(config, small(config), x, labels, stalls=50)
