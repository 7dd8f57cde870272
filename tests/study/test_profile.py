"""The profile of a network: counts against a count by hand, and what the command says of it."""

import json
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.golden.arithmetic.fixed import Format, Rounding
from hebbware.golden.arithmetic.random import xorshift32
from hebbware.golden.config import CoreConfig, dense, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.layers.normalise import MANTISSA_BITS, statistics
from hebbware.golden.modulators import class_memory as modulator
from hebbware.golden.modulators.kinds import MODULATORS, ClassMemory
from hebbware.golden.neurons.kinds import NEURONS, Neuron
from hebbware.golden.program.walk import Store
from hebbware.golden.reference import class_memory
from hebbware.golden.reference.counterpart import Counterparts
from hebbware.golden.reference.network import Network
from hebbware.study.float_twin import FloatTwin
from hebbware.study.profile import profile
from hebbware.study.recorder import Recorder
from hebbware.study.run import train_float
from hebbware.study.tally import Tally, formats

TINY = CoreConfig.of(
    (3, 4, 2, 2), lanes=3, layer__rate=(3, 3, 0), memory__horizon=5, layer__init_std=(1, 1, 1)
)
KINDS = [
    {},
    {"update.rounding": "floor", "formats.weight_bits": 6, "memory.bits": 4},
    {
        "update.rounding": "nearest",
        "formats.u_bits": 8,
        "formats.u_fraction": 6,
        "formats.z_bits": 4,
        "formats.z_fraction": 2,
        "layer.rate": (3, 3, 0),
    },
    {
        "memory.kind": "trace",
        "memory.horizon": 3,
        "memory.kappa": 0.5,
        "formats.d_bits": 4,
        "formats.d_fraction": 3,
        "layer.rate": (3, 3, 0),
    },
    {
        "memory.kind": "window",
        "memory.window": 4,
        "memory.kappa": 0.25,
        "memory.read_bits": 5,
        "memory.read_fraction": 4,
    },
    {"memory.kind": "codes", "formats.error_fraction": 6, "update.rounding": "nearest"},
    {"memory.kind": "none", "update.rounding": "floor"},
]


def points(config, samples=60):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 1 << config.input.bits, (samples, config.inputs)).astype(np.uint8)
    x[rng.random(x.shape) < 0.2] = 0
    y = rng.integers(0, config.classes, samples)
    return Dataset("points", (config.inputs,), config.classes, x, y, x, y)


# -- by hand ----------------------------------------------------------------------------------


class Count:
    """One signal's counts, of exact fractions in last bits, one number at a time."""

    def __init__(self, fmt):
        self.fmt, self.values, self.zero, self.saturated, self.lost = fmt, 0, 0, 0, 0
        self.histogram, self.drift, self.size = {}, 0, 0

    def add(self, exact, rounded, stored=False):
        self.values += 1
        self.saturated += not self.fmt.min <= rounded <= self.fmt.max
        self.lost += rounded == 0 and exact != 0
        self.drift += rounded - exact
        self.size += abs(exact)
        shown = min(max(rounded, self.fmt.min), self.fmt.max) if stored else exact
        if shown == 0:
            self.zero += 1
            return
        shown, power = abs(Fraction(shown)) / Fraction(2) ** self.fmt.fraction, 0
        while shown >= 2:
            shown, power = shown / 2, power + 1
        while shown < 1:
            shown, power = shown * 2, power - 1
        self.histogram[power] = self.histogram.get(power, 0) + 1


def nearest(value):
    return math.floor(value + Fraction(1, 2))


def bounded(value, fmt):
    return min(max(value, fmt.min), fmt.max)


class ByHand:
    """Counts of a whole run from the states of a plain core before and after each sample."""

    def __init__(self, config):
        self.config, self.core, self.counts = config, Core(config), {}
        self.formats = formats(config)
        self.written = []

    def count(self, layer, signal, exact, rounded=None, stored=False):
        rounded = nearest(exact) if rounded is None else rounded
        fmt = self.formats[signal]
        self.counts.setdefault((layer, signal), Count(fmt)).add(exact, rounded, stored)
        return bounded(rounded, fmt)

    def learn(self, x, label):
        cfg, core = self.config, self.core
        weights = [w.tolist() for w in core.weights]
        memories = [m.tolist() for m in core.memories]
        reads = [core.read(layer).tolist() for layer in range(len(cfg.hidden))]
        gains = [g.tolist() for g in core.gains]
        past, self.written, self.state = list(core.past), [], core.random_state
        for made in core.walk(x, label):
            for store, layer, rows, values in made.written:
                if store in (Store.MEMORY, Store.WEIGHTS):
                    self.written.append((made.of.kind, layer, rows, values))
        inputs, active, powers = [[int(v) for v in x]], [], []
        for layer, units in enumerate(cfg.hidden):
            source = cfg.source(layer)
            values = [*inputs[-1], source.one]
            scale = Fraction(2) ** (cfg.u.fraction - source.fraction - cfg.weight.fraction)
            u = [
                self.count(
                    layer,
                    "u",
                    scale * sum(v * w[i] for v, w in zip(values, weights[layer], strict=True)),
                )
                for i in range(units)
            ]
            a = [max(v, 0) for v in u]
            found = statistics(cfg, sum(a), sum(v * v for v in a), units)
            scale = Fraction(found.mantissa, 1 << MANTISSA_BITS) / Fraction(2) ** found.exponent
            scale *= Fraction(2) ** (cfg.z.fraction - cfg.u.fraction)
            inputs.append([self.count(layer, "z", scale * (v - found.mean)) for v in a])
            active.append([v > 0 for v in u])
            powers.append(found.power)
        last = len(cfg.hidden)
        scale = Fraction(2) ** (cfg.u.fraction - cfg.z.fraction - cfg.weight.fraction)
        scores = [
            self.count(last, "u", scale * sum(v * w for v, w in zip(inputs[-1], row, strict=True)))
            for row in weights[-1]
        ]
        errors, directions = [], []
        for layer in range(last if cfg.learns_hidden else 0):
            error, d = self.modulate(
                layer, memories[layer], gains[layer], reads[layer], inputs[layer + 1],
                active[layer], powers[layer], label,
            )  # fmt: skip
            errors.append(error)
            directions.append(d)
        error = modulator.softmax_error(cfg, np.array(scores), cfg.u.fraction, label).tolist()
        errors.append(error)
        for value in error:
            self.count(last, "e", value)
        self.writes(inputs, memories, weights, errors, directions, label, past)
        assert self.state == core.random_state

    def modulate(self, layer, memory, gains, read, z, active, power, label):
        cfg, core, units = self.config, self.core, len(z)
        for c in range(cfg.classes):
            shift = gains[c] - cfg.read.fraction
            if not core.kind.self_scaling:
                shift = core.kind.read_shift(cfg)
            for i in range(units):
                exact = memory[c][i] / Fraction(2) ** shift
                code = Fraction(cfg.memory.kappa) * cfg.read.one * int(core.codes[layer][c, i])
                kept = self.count(layer, "E", exact + code, nearest(exact) + int(code))
                assert kept == read[c][i]
        factor, shift = modulator.similarity_shift(cfg, units)
        k = [
            self.count(
                layer,
                "k",
                sum(v * e for v, e in zip(z, read[c], strict=True)) * factor / Fraction(2) ** shift,
            )
            for c in range(cfg.classes)
        ]
        error, jacobian = modulator.errors(cfg, np.array(k), label)
        error = error.tolist()
        for value in error:
            self.count(layer, "e", value)
        d = []
        for i in range(units):
            total = sum(e * read[c][i] for c, e in enumerate(error))
            total -= jacobian * z[i] << (cfg.read.fraction - cfg.z.fraction)
            xi = total / Fraction(2) ** modulator.direction_shift(cfg, power)
            self.count(layer, "xi", xi)
            d.append(self.count(layer, "d", xi if active[i] else 0, stored=True))
        return error, d

    def random(self, count):
        """The next words, drawn one by one; the core's own state is what it leaves behind."""
        words = []
        for _ in range(count):
            self.state = xorshift32(self.state)
            words.append(self.state)
        return words

    def bits(self, word, unit):
        """What the lane of a unit sees of a word."""
        turn = unit % self.config.lanes % 32
        turned = (word << turn | word >> (32 - turn)) & 0xFFFFFFFF
        return turned & ((1 << self.config.update_shift) - 1)

    def writes(self, inputs, memories, weights, errors, directions, label, past):
        """All read-modify-write passes, in the order in which the core carried them out."""
        for name, layer, rows, after in self.written:
            if name in ("forget", "memory"):
                before = memories[layer]
                self.memory_pass(
                    name, layer, rows, after, before, inputs, errors[layer], label, past
                )
            else:
                self.weight_pass(name, layer, weights[layer], inputs, errors, directions)

    def memory_pass(self, name, layer, rows, after, before, inputs, error, label, past):
        cfg, kind = self.config, self.core.kind
        blocks = -(-cfg.hidden[layer] // cfg.lanes)
        words = self.random(len(rows) * blocks)
        unit = Fraction(2) ** cfg.update_shift
        for n, row in enumerate(rows):
            for i, z in enumerate(inputs[layer + 1]):
                old = before[row][i]
                exact = -Fraction(old) / 2**cfg.memory.horizon if kind.leaks else Fraction(0)
                if cfg.memory.kind == "gated":
                    bits = cfg.e.fraction + cfg.z.fraction - 3
                    exact -= error[row] * Fraction(z) / 2**bits
                elif name == "forget":
                    exact -= int(past[0][1][layer][i])
                else:
                    assert row == label
                    exact += z
                random = self.bits(words[n * blocks + i // cfg.lanes], i) / unit
                rounded = math.floor(exact + random) if cfg.memory.kind != "window" else exact
                self.count(layer, "dM", exact, rounded)
                kept = self.count(layer, "M", old + rounded, stored=True)
                assert kept == after[n, i]
                before[row][i] = kept

    def weight_pass(self, name, layer, before, inputs, errors, directions):
        cfg = self.config
        shift = cfg.step_shifts[layer] + self.core.extra
        if name == "readout":
            pre, post, rows = errors[-1], inputs[-1], range(cfg.classes)
        else:
            pre, post = [*inputs[layer], cfg.source(layer).one], directions[layer]
            rows = [j for j, v in enumerate(pre) if v or layer]
        blocks = -(-len(post) // cfg.lanes)
        words = self.random(len(rows) * blocks)
        for n, j in enumerate(rows):
            for i, value in enumerate(post):
                exact, block = -pre[j] * value / Fraction(2) ** shift, i // cfg.lanes
                word = words[n * blocks + block if name == "readout" else block * len(rows) + n]
                offset = {
                    Rounding.FLOOR: 0,
                    Rounding.NEAREST: Fraction(1, 2),
                    Rounding.STOCHASTIC: (self.bits(word, i) >> (cfg.update_shift - shift))
                    / Fraction(2) ** shift,
                }[cfg.update.rounding]
                rounded = math.floor(exact + offset)
                self.count(layer, "dW", exact, rounded)
                kept = self.count(layer, "W", before[j][i] + rounded, stored=True)
                assert kept == self.core.weights[layer][j, i]


@pytest.mark.parametrize("fields", KINDS, ids=lambda fields: "-".join(map(str, fields.values())))
def test_counts_are_those_by_hand(fields):
    config = TINY.derive(**fields)
    dataset = points(config)
    by_hand, recorder = ByHand(config), Recorder(config)
    for core in (by_hand.core, recorder):
        for weights in core.weights:
            weights[0] = config.weight.max - 1  # so that some are clipped soon
    for sample, (x, label) in enumerate(zip(dataset.x_train, dataset.y_train, strict=True)):
        by_hand.core.extra = recorder.extra = sample // 15
        by_hand.learn(x, int(label))
        recorder.learn(x, int(label))
    found = {(tally.layer, tally.signal): tally for tally in recorder.shares()}
    assert set(found) == set(by_hand.counts)
    for key, count in by_hand.counts.items():
        tally = found[key]
        for name in ("values", "zero", "saturated", "lost", "histogram"):
            assert getattr(tally, name) == getattr(count, name), (key, name)
        assert tally.drift == pytest.approx(float(count.drift), abs=1e-6)
        assert tally.size == pytest.approx(float(count.size))
    for kind, names in ((1, ("E", "xi", "d", "M", "W")), (2, ("u", "E", "xi", "d", "W"))):
        if fields == KINDS[kind]:
            for name in names:
                assert any(found[key].saturated for key in found if key[1] == name)


def test_recorder_is_the_core():
    dataset = points(TINY)
    core, recorder = Core(TINY), Recorder(TINY)
    for x, label in zip(dataset.x_train, dataset.y_train, strict=True):
        core.learn(x, int(label))
        recorder.learn(x, int(label))
    for ours, theirs in zip(core.weights, recorder.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert core.random_state == recorder.random_state


# -- verdicts ---------------------------------------------------------------------------------


def verdicts(**fields):
    config = load("digits").derive(**fields)
    found = profile(config, data.load("digits"), 150)
    return {
        (found.layer_name(tally.layer), tally.signal): verdict for tally, verdict in found.flagged()
    }


def test_default_formats_are_not_too_small():
    assert all("idle" in verdict for verdict in verdicts().values())


@pytest.mark.parametrize(
    ("fields", "layer", "signal", "verdict"),
    [
        ({"formats.u_bits": 8, "formats.u_fraction": 7}, "layer 2", "u", "saturates"),
        ({"formats.z_bits": 5}, "layer 1", "z", "saturates"),
        ({"memory.read_bits": 5, "memory.read_fraction": 4}, "layer 1", "E", "saturates"),
        ({"formats.d_bits": 6, "formats.d_fraction": 5}, "layer 1", "d", "saturates"),
        ({"formats.weight_bits": 8, "update.rounding": "nearest"}, "readout", "dW", "coarse"),
        ({"formats.weight_bits": 8, "update.rounding": "floor"}, "layer 2", "dW", "biased"),
        ({"memory.bits": 18}, "layer 1", "M", "idle bits"),
    ],
    ids=str,
)
def test_wrong_format_is_flagged(fields, layer, signal, verdict):
    assert verdict in verdicts(**fields)[layer, signal]


def test_verdict_of_a_tally():
    def verdict(signal, values, rounding=Rounding.NEAREST, fmt=TINY.z):
        tally = Tally(0, signal, fmt)
        tally.add(np.array(values), 4)
        return tally.verdict(rounding)

    fitting = [16 * v for v in (100, -100, 50, -50, 20, -20, 10, -10, 5)]
    assert verdict("z", [*fitting, 16 * 128]) == ""  # one in ten clipped
    assert verdict("z", [*fitting[:-1], 16 * 128]) == "saturates"
    assert verdict("z", [16 * 127, 7, -7, 7, -7, 0]) == "coarse"
    assert verdict("z", [16 * 127, 7, -7, -16, 16, 0]) == ""
    assert verdict("z", [16 * 63, -16 * 63]) == ""
    assert verdict("z", [16 * 31, -16 * 31]) == "2 idle bits"
    assert verdict("z", [0, 0]) == ""
    assert verdict("z", [24, 24, 24, -16 * 64]) == ""
    assert verdict("z", [16 * 127, -16 * 127]) == ""
    assert verdict("z", [8, 8, 8, 8, -16, 16]) == "biased, 6 idle bits"
    clipped = [16 * 128, 16 * 128, -16]
    for signal in ("E", "xi", "d"):
        assert verdict(signal, clipped, fmt=Format(8, 6)) == ""  # the rule clips at 2 itself
    assert verdict("d", clipped, fmt=Format(8, 7)) == "saturates"
    assert verdict("dW", [7, -7, 7, -7]) == "coarse"
    assert verdict("dW", [7, -7, 7, -7], Rounding.STOCHASTIC) == ""
    assert verdict("dM", [7, -7, 7, -7]) == ""


# -- the float twin ---------------------------------------------------------------------------


class Gated(class_memory.Gated):
    """The reference, with the core's measure of a memory's size."""

    def read(self):
        size = np.abs(self.m).mean(axis=1, keepdims=True) * np.sqrt(np.pi / 2)
        return self.m / 2.0 ** np.round(np.log2(np.where(size > 0, size, 1.0)))


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"memory.kind": "codes", "memory.kappa": 1.0}, {}),
        (
            {"memory.kind": "window", "memory.window": 4, "memory.kappa": 0.25},
            {"samples": 4, "kappa": 0.25},
        ),
        (
            {"memory.kind": "trace", "memory.horizon": 3, "memory.kappa": 0.5},
            {"horizon": 3, "kappa": 0.5},
        ),
        ({"memory.kind": "gated", "memory.horizon": 3}, {"horizon": 3}),
    ],
    ids=["codes", "window", "trace", "gated"],
)
def test_float_twin_is_the_float_rule(monkeypatch, fields, options):
    """The float reference's network and rule, given the same weights and codes."""
    monkeypatch.setitem(class_memory.KINDS, "gated", Gated)
    config = TINY.derive(**dense((3, 8, 6, 2)), **fields, layer__rate=(8, 8, 8))
    dataset, twin = points(config), FloatTwin(config)
    network = Network(config.sizes)
    network.weights = [*(w[:-1].copy() for w in twin.weights[:-1]), twin.weights[-1].T.copy()]
    kind = fields["memory.kind"]
    beta = 2.0**config.modulator.beta_log2
    rule = class_memory.ClassMemoryRule(kind, config.hidden, 2, beta=beta, **options)
    for memory, codes in zip(rule.memories, twin.codes, strict=True):
        memory.codes = codes
    for x, label in zip(dataset.x_train[:15], dataset.y_train, strict=False):
        found = twin.learn(x, int(label))
        layers, scores = network.forward(x[None] / 256)
        np.testing.assert_allclose(found[2, "u"], scores[0], rtol=1e-3, atol=1e-3)
        for n, layer in enumerate(layers):
            np.testing.assert_allclose(found[n, "u"], layer.u[0], rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(found[n, "z"], layer.z[0], rtol=1e-3, atol=1e-3)
        network.learn(rule, x[None] / 256, np.eye(2)[[label]], [2.0**-8] * 3)
        network.biases[-1][:] = 0  # the core's readout has none
        for n, bias in enumerate(network.biases[:-1]):
            np.testing.assert_allclose(twin.weights[n][-1], bias, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(
                twin.weights[n][:-1], network.weights[n], rtol=1e-3, atol=1e-3
            )
        np.testing.assert_allclose(twin.weights[-1].T, network.weights[-1], rtol=1e-3, atol=1e-3)


WIDE = CoreConfig.of(
    (3, 4, 2, 2),
    lanes=3,
    formats__weight_bits=16,
    formats__z_bits=16,
    formats__z_fraction=10,
    formats__d_bits=16,
    formats__d_fraction=13,
    formats__u_fraction=12,
    memory__read_bits=16,
    memory__read_fraction=12,
    formats__error_fraction=14,
    memory__kind="codes",
    layer__rate=(5, 5, 5),
    layer__init_std=(0.5, 0.5, 0.5),
    formats__exp_bits=10,
    formats__reciprocal_bits=10,
    formats__rsqrt_bits=10,
)


def test_wide_formats_stay_near_the_float_network():
    """Two paths to one number: fine integers agree with float to some per cent of one."""
    found = profile(WIDE, points(WIDE), 3, tolerance=1.0)
    assert len(found.deviations) == 2 * 8 - 2 + 3  # codes are not written: no M
    assert found.first is not None
    for deviation in found.deviations:
        unit = formats(WIDE)[deviation.signal].one
        assert deviation.worst < 0.08 * unit


def test_first_to_leave_the_tolerance():
    config, dataset = TINY.derive(memory__kind="window", memory__window=4), points(TINY)
    core, twin = Recorder(config), FloatTwin(config)
    found = profile(config, dataset, 12, tolerance=5.0)
    rows = np.argsort(np.random.PCG64([0, 0]).random_raw(60), kind="stable")[:12]
    left, worst = {}, {}
    for sample, row in enumerate(rows):
        x, label = dataset.x_train[row], int(dataset.y_train[row])
        core.learn(x, label)
        for (layer, signal), real in twin.learn(x, label).items():
            lsb = 2.0 ** -formats(config)[signal].fraction
            away = max(
                abs(a * lsb - b) / lsb
                for a, b in zip(core.now[layer, signal].flat, real.flat, strict=True)
            )
            worst[layer, signal] = max(away, worst.get((layer, signal), 0))
            if away > 5 and (layer, signal) not in left:
                left[layer, signal] = (sample, away)
    assert list(left)[0] == (found.first.layer, found.first.signal)
    for deviation in found.deviations:
        key = (deviation.layer, deviation.signal)
        assert (deviation.first, deviation.deviation) == pytest.approx(left.get(key, (None, 0)))
        assert deviation.worst == pytest.approx(worst[key])


def test_profile_goes_on_for_epochs():
    dataset = points(TINY, samples=10)
    found = profile(TINY, dataset, 25)
    assert found.config == TINY
    recorder = Recorder(TINY)
    for sample in range(25):
        epoch, place = divmod(sample, 10)
        recorder.extra = TINY.extra(epoch)
        row = np.argsort(np.random.PCG64([0, epoch]).random_raw(10), kind="stable")[place]
        recorder.learn(dataset.x_train[row], int(dataset.y_train[row]))
    for ours, theirs in zip(found.tallies, recorder.shares(), strict=True):
        assert (ours.layer, ours.signal, ours.histogram) == (
            theirs.layer,
            theirs.signal,
            theirs.histogram,
        )


@pytest.mark.parametrize(
    ("samples", "tolerance", "message"),
    [
        (0, 1.0, "samples must lie in 1..60000, .* not 0"),
        (60001, 1.0, "samples must lie in 1..60000, at most 1000 epochs of points, not 60001"),
        (5, 0.0, "tolerance must be a positive number of last bits, not 0.0"),
        (5, math.nan, "tolerance must be .* not nan"),
        (5, math.inf, "tolerance must be .* not inf"),
    ],
)
def test_bad_values(samples, tolerance, message):
    with pytest.raises(InputError, match=message):
        profile(TINY, points(TINY), samples, tolerance=tolerance)


@pytest.mark.parametrize(
    "fields",
    [{"neuron.kind": "leaky"}, {"neuron.slope_shift": 3}, {"input.centred": True}],
    ids=str,
)
def test_neurons_that_it_cannot_follow(fields):
    with pytest.raises(InputError, match="a profile can be made of static neurons"):
        profile(TINY.derive(**fields), points(TINY), 5)


@dataclass(frozen=True, kw_only=True)
class OtherModulator(ClassMemory):
    """A modulator that nothing but a configuration knows."""

    kind = "other"


def test_modulators_of_other_kinds(monkeypatch):
    """Nothing in floating point computes what they do."""
    monkeypatch.setitem(MODULATORS, "other", OtherModulator)
    other = TINY.derive(modulator__kind="other")
    with pytest.raises(InputError, match="a profile cannot be made of the other modulator"):
        profile(other, points(other), 5)
    digits = CoreConfig.of((64, 16, 10), modulator__kind="other", memory__kind="trace")
    with pytest.raises(InputError, match="control float has no rule for the other modulator"):
        train_float(digits, data.load("digits"), 1, 50)
    with pytest.raises(InputError, match="the float reference has no 'other' modulator"):
        Counterparts(CoreConfig.of((4, 3, 2), modulator__kind="other"), [0])


@dataclass(frozen=True, kw_only=True)
class Other(Neuron):
    """Neurons that nothing but a configuration knows."""

    kind = "other"
    slope_shift = 0


def test_neurons_of_other_kinds(monkeypatch):
    """Neither the float twin nor the control computes what they do."""
    monkeypatch.setitem(NEURONS, "other", Other)
    other = TINY.derive(neuron__kind="other")
    with pytest.raises(InputError, match="a profile can be made of static neurons"):
        profile(other, points(other), 5)
    with pytest.raises(InputError, match="the float reference has no 'other' neuron"):
        Counterparts(CoreConfig.of((4, 3, 2), neuron__kind="other"), [0])
    with pytest.raises(InputError, match="control float has static neurons"):
        train_float(CoreConfig.of((64, 16, 10), neuron__kind="other"), data.load("digits"), 1, 50)


# -- the command ------------------------------------------------------------------------------


def run(*arguments):
    return main.main(["profile", *map(str, arguments)])


@pytest.fixture
def narrow(tmp_path):
    path = tmp_path / "digits-narrow.toml"
    path.write_text(
        "input.size = 64\nlayer.units = [32, 16, 10]\nformats.u_bits = 7\nformats.u_fraction = 6\n"
        'update.rounding = "nearest"\nformats.weight_bits = 8\n'
    )
    return path


def test_json_is_that_of_the_library(capsys, narrow):
    assert run("--config", narrow, "--samples", 40, "--seed", 2, "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    expected = profile(load(narrow).derive(seed=2), data.load("digits"), 40)
    assert found == {
        "dataset": "digits",
        "seed": 2,
        **json.loads(json.dumps(expected.to_dict())),
    }
    signals = {(entry["layer"], entry["signal"]): entry for entry in found["signals"]}
    entry = signals["layer 2", "u"]
    assert "saturates" in entry["verdict"]
    assert entry["fields"] == ["formats.u_bits", "formats.u_fraction"]
    assert entry["saturated_share"] == entry["saturated"] / entry["values"] > 0.1
    assert sum(entry["histogram"].values()) == entry["values"] - entry["zero"]
    assert set(found["comparison"]["first"]) == {"layer", "signal", "sample", "deviation", "worst"}


def test_text_names_the_fields(capsys, narrow):
    assert run("--config", narrow, "--samples", 120, "--tolerance", 3) == 0
    out, err = capsys.readouterr()
    assert "change formats.u_bits or formats.u_fraction: " in out
    assert "layer 2 u saturates" in out
    assert "change formats.weight_bits: " in out
    assert "first more than 3 last bits from the float network: u of " in out
    assert err == ""


def test_text_of_formats_that_do(capsys):
    assert run("--config", "linear", "--samples", 30, "--tolerance", 1e9) == 0
    out = capsys.readouterr().out
    assert "no format is too small" in out
    assert "no signal is more than 1e+09 last bits from the float network" in out


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_figure(tmp_path, suffix, magic):
    config, path = tmp_path / "linear-coarse.toml", tmp_path / f"ranges{suffix}"
    config.write_text(
        'input.size = 2\nlayer.units = [4, 2]\nmemory.kind = "none"\n'
        'formats.weight_bits = 6\nupdate.rounding = "floor"\n'
    )
    assert run("--config", config, "--samples", 20, "--figure", path) == 0
    assert path.read_bytes().startswith(magic)
    if suffix == ".svg":
        text = path.read_text()
        assert "layer 1: z (s8.4)" in text
        assert "readout: dW (s6.4)" in text
        assert "biased" in text


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("samples must lie in 1..1297000", ("--samples", 0)),
        ("tolerance must be a positive number", ("--tolerance", -1)),
        ("--figure must end in one of .png, .svg, .pdf", ("--figure", "a.jpg")),
        ("--figure: cannot write", ("--figure", "nowhere/a.png")),
        ("data set linear has 2 inputs", ("--dataset", "linear")),
        ("config must be a preset", ("--config", "nothing")),
        ("--samples", ("--samples", "many")),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, message, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
