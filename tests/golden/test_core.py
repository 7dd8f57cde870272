"""The whole core against a second implementation in plain Python numbers.

`Reference` is written from the learning rule's description and from golden's docstrings, one
number at a time, in integers, rationals and decimals; it shares no arithmetic with golden.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp, floor, pi, sqrt

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.layers.normalise import normalise
from hebbware.golden.modulators import class_memory as modulator
from hebbware.golden.program.walk import Store, latest

KINDS = ("gated", "window", "trace", "codes", "none")


def half_up(value) -> int:
    return floor(Fraction(value) + Fraction(1, 2))


def sat(value: int, bits: int) -> int:
    return min(max(value, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def divide(total: int, units: int) -> int:
    """Division by a layer's size through a constant of 17 bits."""
    shift = 16 + units.bit_length() - 1
    return half_up(Fraction(total * half_up(Fraction(2**shift, units)), 2**shift))


class Reference:
    def __init__(self, config):
        self.c, self.P = config, config.lanes
        x = (config.seed + 0x9E3779B9) % 2**32
        x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
        x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
        self.word = x ^ x >> 16 or 1
        self.past, self.extra, self.saturated = [], 0, 0
        self.hidden = config.sizes[1:-1]
        self.x_fraction = config.input.bits - config.input.centred
        self.slope = Fraction(1, 2**config.neuron.slope_shift) if config.neuron.slope_shift else 0
        self.start()

    def next(self) -> int:
        w = self.word
        w ^= (w << 13) % 2**32
        w ^= w >> 17
        w ^= (w << 5) % 2**32
        self.word = w
        return w

    def lane(self, word, unit) -> int:
        """The update_shift lowest bits of the word as the unit's lane sees it."""
        p = unit % self.P % 32
        return ((word << p | word >> (32 - p)) % 2**32) % 2**self.c.update_shift

    def blocks(self, units):
        return [range(s, min(s + self.P, units)) for s in range(0, units, self.P)]

    # -- start ------------------------------------------------------------------------------------

    def start(self):
        c, classes = self.c, self.c.sizes[-1]
        self.W = [[[0] * m for _ in range(n + 1)] for n, m in zip(c.sizes, self.hidden)]  # noqa: B905
        self.W.append([[0] * self.hidden[-1] for _ in range(classes)])
        self.M = [[[0] * m for _ in range(classes)] for m in self.hidden]
        self.code = [[[1] * m for _ in range(classes)] for m in self.hidden]
        walk = []
        for layer, m in enumerate(self.hidden):
            for block in self.blocks(m):
                walk += [(self.W[layer][row], block, layer) for row in range(len(self.W[layer]))]
        walk += [(row, b, len(self.hidden)) for row in self.W[-1] for b in self.blocks(len(row))]
        if c.memory.kind != "none":
            for code in self.code:
                walk += [(row, block, None) for row in code for block in self.blocks(len(row))]
        byte_std = sqrt((256**2 - 1) / 12)
        for group in range(0, self.P, 4):
            for row, block, layer in walk:
                octets = self.next().to_bytes(4, "little")
                for unit in block:
                    lane = unit % self.P
                    if not group <= lane < group + 4:
                        continue
                    byte = octets[lane - group]
                    if layer is None:
                        row[unit] = -1 if byte & 1 else 1
                        continue
                    signed = byte - 256 if byte > 127 else byte
                    one = 2 ** (c.weight.width - 2) * 2**c.update_shift
                    value = signed * round(c.layer[layer].init_std / byte_std * one)
                    row[unit] = sat(half_up(Fraction(value, 2**c.update_shift)), c.weight.width)
        for weights in self.W[:-1]:
            weights[-1] = [0] * len(weights[-1])

    # -- forward ----------------------------------------------------------------------------------

    def normalise(self, a):
        c, m = self.c, len(a)
        centre = divide(sum(a), m)
        var = max(divide(sum(v * v for v in a), m) - centre**2, 8)
        v, e = Fraction(var, 4**c.u.fraction), 0
        while v >= 4:
            v, e = v / 4, e + 1
        while v < 1:
            v, e = v * 4, e - 1
        size = 2**c.formats.rsqrt_bits
        middle = (floor(v * size / 4) + Fraction(1, 2)) * 4 / size
        with localcontext() as context:
            context.prec = 40
            root = (Decimal(middle.numerator) / Decimal(middle.denominator)).sqrt()
            mantissa = min(half_up(Fraction(1024 / root)), 1023)
        unit = Fraction(2**c.z.fraction, 2**c.u.fraction) / Fraction(2) ** (10 + e)
        z = [sat(half_up((value - centre) * mantissa * unit), c.z.width) for value in a]
        return z, e if mantissa >= 724 else e + 1

    def sums(self, inputs, fraction, columns):
        c = self.c
        one = Fraction(1, 2**fraction) / 2 ** (c.weight.width - 2) * 2**c.u.fraction
        return [
            sat(half_up(sum(z * w for z, w in zip(inputs, column, strict=True)) * one), c.u.width)
            for column in columns
        ]

    def forward(self, x):
        self.potential = [[Fraction(0)] * m for m in self.hidden]
        for _ in range(self.c.neuron.time_steps):
            fraction = self.time_step(x)
        return self.sums(self.z[-1], fraction, self.W[-1])

    def leak(self, layer, current):
        """Potentials are kept in units of u, in steps of ``2**-s``."""
        c, s = self.c, 2 ** max(self.c.neuron.leak_shifts)
        rate = sum(Fraction(1, 2**n) for n in c.neuron.leak_shifts)
        limit = 2 ** (c.u.width - 1)
        for i, (u, sum_) in enumerate(zip(self.potential[layer], current, strict=True)):
            u = u - Fraction(half_up(rate * u * s), s) + rate * sum_
            self.potential[layer][i] = min(max(u, -Fraction(limit)), limit - Fraction(1, s))
        return [sat(half_up(u), c.u.width) for u in self.potential[layer]]

    def time_step(self, x):
        c, fraction = self.c, self.x_fraction
        if c.input.centred:
            x = [value - 2**fraction for value in x]
        self.z, self.a, self.power = [list(x)], [], []
        for layer in range(len(self.hidden)):
            inputs = [*self.z[-1], 2**fraction]
            u = self.sums(inputs, fraction, zip(*self.W[layer], strict=True))
            if c.neuron.kind == "leaky":
                u = self.leak(layer, u)
            a = [value if value > 0 else half_up(value * self.slope) for value in u]
            z, power = self.normalise(a)
            self.z.append(z)
            self.a.append(a)
            self.power.append(power)
            fraction = c.z.fraction
        return fraction

    # -- errors -----------------------------------------------------------------------------------

    def softmax_error(self, t, label):
        """`t` are real numbers."""
        c = self.c
        one = 2**c.e.fraction
        steps = [min(half_up((max(t) - v) * 16), 2**c.formats.exp_bits - 1) for v in t]
        e = [half_up(Fraction(one * exp(-s / 16))) for s in steps]
        total, power = sum(e), 0
        while total >= 2 ** (power + 1):
            power += 1
        entries = 2**c.formats.reciprocal_bits
        index = half_up(Fraction(total * entries, 2**power)) - entries
        if index == entries:
            index, power = 0, power + 1
        reciprocal = half_up(one / (1 + Fraction(index, entries)))
        p = [half_up(Fraction(v * reciprocal, 2**power)) for v in e]
        return [v - one * (i == label) for i, v in enumerate(p)]

    def read(self, layer):
        c, one = self.c, 2**self.c.read.fraction
        rows = []
        for row, code in zip(self.M[layer], self.code[layer], strict=True):
            if c.memory.kind == "gated":
                size, g = sum(abs(v) for v in row), 0
                limit = len(row) * sqrt(2 / pi)
                while g < c.stored.width - 1 and size >= limit * 2 ** (g + 0.5):
                    g += 1
                unit = Fraction(1, 2**g)
            else:
                unit = {
                    "trace": Fraction(1, 2 ** (c.z.fraction + c.memory.horizon)),
                    "window": Fraction(8, c.memory.window * 2**c.z.fraction),
                }.get(c.memory.kind, 0)
            rows.append(
                [
                    sat(
                        half_up(m * unit * one) + half_up(Fraction(c.memory.kappa) * one * s),
                        c.read.width,
                    )
                    for m, s in zip(row, code, strict=True)
                ]
            )
        return rows

    def modulate(self, layer, label):
        c, z, E = self.c, self.z[layer + 1], self.read(layer)
        one, m = 2**c.e.fraction, len(self.z[layer + 1])
        shift = 16 + m.bit_length() - 1
        unit = Fraction(half_up(Fraction(2**shift, m)), 2**shift) * one
        unit /= 2 ** (c.z.fraction + c.read.fraction)
        k = [
            sat(half_up(sum(a * b for a, b in zip(z, e, strict=True)) * unit), c.e.fraction + 3)
            for e in E
        ]
        error = self.softmax_error([Fraction(v, one) * 2**c.modulator.beta_log2 for v in k], label)
        ek = sat(half_up(Fraction(sum(e * v for e, v in zip(error, k, strict=True)), one)),
                 c.e.fraction + 3)  # fmt: skip
        d = []
        for i in range(m):
            xi = sum(
                Fraction(e * row[i], one * 2**c.read.fraction)
                for e, row in zip(error, E, strict=True)
            )
            xi -= Fraction(ek, one) * Fraction(z[i], 2**c.z.fraction)
            xi /= Fraction(2) ** self.power[layer]
            clipped = sat(half_up(xi * 2**c.d.fraction), c.d.width)
            d.append(clipped if self.a[layer][i] > 0 else half_up(clipped * self.slope))
        return error, d

    # -- updates ----------------------------------------------------------------------------------

    def step(self, row, block, pre, post, step):
        """W -= 2**-step * pre * post, pre and post in units that make the product real."""
        c, word, shift, cut = self.c, self.next(), step, False
        for unit in block:
            if c.update.rounding == "stochastic":
                dither = Fraction(self.lane(word, unit) >> (c.update_shift - shift), 2**shift)
            else:
                dither = Fraction(1, 2) if c.update.rounding == "nearest" and shift else 0
            change = floor(Fraction(-pre * post[unit], 2**shift) + dither)
            if pre and post[unit]:
                moved = row[unit] + change
                row[unit] = sat(moved, c.weight.width)
                cut |= row[unit] != moved
        self.saturated += cut

    def update_hidden(self, layer, d, error):
        if not any(error):
            return
        c, fraction = self.c, self.c.z.fraction if layer else self.x_fraction
        inputs = [*self.z[layer], 2**fraction]
        shift = fraction + c.d.fraction + c.rates[layer] - (c.weight.width - 2) + self.extra
        for block in self.blocks(len(d)):
            for row, value in zip(self.W[layer], inputs, strict=True):
                if value or layer:
                    self.step(row, block, value, d, shift)

    def update_readout(self, error):
        if not any(error):
            return
        c = self.c
        shift = c.z.fraction + c.e.fraction + c.rates[-1] - (c.weight.width - 2) + self.extra
        for row, e in zip(self.W[-1], error, strict=True):
            for block in self.blocks(len(row)):
                self.step(row, block, e, self.z[-1], shift)

    def remember(self, layer, label, error):
        c, z = self.c, self.z[layer + 1]
        M = self.M[layer]
        if c.memory.kind == "window":
            if len(self.past) >= c.memory.window:
                old_label, old = self.past[-c.memory.window]
                for _ in self.blocks(len(z)):
                    self.next()
                M[old_label] = [m - v for m, v in zip(M[old_label], old[layer + 1], strict=True)]
            for _ in self.blocks(len(z)):
                self.next()
            M[label] = [m + v for m, v in zip(M[label], z, strict=True)]
        elif c.memory.kind in ("gated", "trace"):
            if c.memory.kind == "gated":  # e z kept with 3 fraction bits
                unit = Fraction(8, 2 ** (c.e.fraction + c.z.fraction))
                writes = [(row, -e * unit) for row, e in enumerate(error)]
            else:
                writes = [(label, Fraction(1))]
            for row, gain in writes:
                for block in self.blocks(len(z)):
                    word = self.next()
                    for i in block:
                        dither = Fraction(self.lane(word, i), 2**c.update_shift)
                        change = gain * z[i] - Fraction(M[row][i], 2**c.memory.horizon)
                        M[row][i] = sat(M[row][i] + floor(change + dither), c.stored.width)

    def learn(self, x, label):
        scores, layers = self.forward(x), range(len(self.hidden))
        readout = self.softmax_error([Fraction(s, 2**self.c.u.fraction) for s in scores], label)
        if self.c.memory.kind == "none":
            self.update_readout(readout)
            return scores
        errors, directions = zip(*(self.modulate(n, label) for n in layers), strict=True)
        for n in layers[:-1]:
            self.remember(n, label, errors[n])
        for n in layers[:-1]:
            self.update_hidden(n, directions[n], errors[n])
        n = layers[-1]
        self.remember(n, label, errors[n])
        self.update_readout(readout)
        self.update_hidden(n, directions[n], errors[n])
        self.past.append((label, self.z))
        return scores


def samples(config, count, seed=0):
    """Noisy images of a prototype for each class, with zeros."""
    rng = np.random.default_rng(seed)
    top = 2**config.input.bits - 1
    prototypes = rng.integers(0, 2, (config.classes, config.inputs)) * top * 0.8
    labels = rng.integers(0, config.classes, count)
    x = prototypes[labels] + rng.normal(0, 0.1 * top, (count, config.inputs))
    x[rng.random(x.shape) < 0.1] = 0
    return np.clip(np.rint(x), 0, top).astype(np.int64), labels


CASES = [
    *(
        derived({"update.rounding": rounding, "memory.horizon": 8}, {"memory.kind": kind})
        for kind in KINDS
        for rounding in ("floor", "nearest", "stochastic")
    ),
    {"memory.kind": "window", "memory.window": 2, "memory.kappa": 0.5},
    {"memory.kind": "trace", "memory.horizon": 2, "memory.kappa": 0.25},
    {**dense((13, 7, 5, 3)), "lanes": 1},
    {**dense((9, 6, 5, 4, 3)), "lanes": 5},
    {**dense((11, 40, 2)), "lanes": 35},
    {
        **dense((8, 8, 8, 4)),
        "lanes": 8,
        "formats.weight_bits": 16,
        "formats.z_bits": 12,
        "formats.z_fraction": 6,
        "formats.d_bits": 12,
        "formats.d_fraction": 9,
        "memory.read_bits": 12,
        "memory.read_fraction": 9,
    },
    {"formats.weight_bits": 4, "layer.rate": (0, 0, 0), "memory.kind": "codes"},
    {
        "formats.weight_bits": 4,
        "layer.rate": (0, 0, 0),
        "update.rounding": "floor",
        "lanes": 5,
        "neuron.slope_shift": 3,
    },
    {
        "formats.weight_bits": 6,
        "input.bits": 3,
        "formats.u_bits": 10,
        "formats.u_fraction": 6,
        "formats.d_fraction": 5,
    },
    {
        "formats.error_fraction": 8,
        "formats.exp_bits": 5,
        "formats.reciprocal_bits": 4,
        "formats.rsqrt_bits": 5,
        "modulator.beta_log2": 2,
    },
    {"memory.bits": 6, "memory.horizon": 3},
    {"layer.rate": (3, 2, 3), "update.halvings": 2, "seed": 2**32 - 1},
    {"neuron.slope_shift": 2, "input.centred": True, "input.bits": 4},
    {"neuron.kind": "leaky", "neuron.time_steps": 7, "neuron.slope_shift": 3},
    {
        "neuron.kind": "leaky",
        "neuron.time_steps": 3,
        "neuron.leak_shifts": (1, 8),
        "input.centred": True,
        "formats.u_bits": 10,
    },
]


@pytest.mark.parametrize("options", CASES, ids=lambda o: " ".join(f"{k}={v}" for k, v in o.items()))
def test_equal_to_the_reference_weight_for_weight(options):
    cfg = CoreConfig.from_dict({**dense((10, 9, 6, 3)), "lanes": 4, "seed": 5} | options)
    core, reference = Core(cfg), Reference(cfg)
    x, labels = samples(cfg, 24)
    moved = [w.copy() for w in core.weights]
    assert [w.tolist() for w in core.weights] == reference.W
    if cfg.learns_hidden:
        assert [c.tolist() for c in core.codes] == reference.code
    for n, (row, label) in enumerate(zip(x, labels.tolist(), strict=True)):
        if n == 16:
            core.extra = reference.extra = cfg.update.halvings
        assert core.learn(row, label)[1].tolist() == reference.learn(row.tolist(), label)
        assert [w.tolist() for w in core.weights] == reference.W
        assert [m.tolist() for m in core.memories] == reference.M
        assert core.random_state == reference.word
        assert core.saturated == reference.saturated
    assert core.saturated > 20 or cfg.weight.width > 4
    changed = [(a != b).any() for a, b in zip(moved, core.weights, strict=True)]
    assert changed == [cfg.learns_hidden] * len(cfg.hidden) + [True]
    assert core.infer(x[0])[1].tolist() == reference.forward(x[0].tolist())


def any_configuration(rng):
    """A configuration from the whole range of every field, its ends most often; or None."""

    def pick(low, high):
        return int(
            rng.choice([low, high, rng.integers(low, high + 1), rng.integers(low, high + 1)])
        )

    layers = (pick(1, 9), *(pick(2, 9) for _ in range(pick(1, 3))), pick(2, 6))
    z, d, u, read = pick(0, 12), pick(0, 14), pick(4, 12), pick(0, 14)
    values = {
        **dense(layers),
        "lanes": pick(1, 40),
        "formats.weight_bits": pick(4, 16),
        "update.rounding": str(rng.choice(["floor", "nearest", "stochastic"])),
        "input.bits": pick(1, 8),
        "formats.u_bits": pick(max(6, u + 1), 16),
        "formats.u_fraction": u,
        "formats.z_bits": pick(max(3, z + 1), 16),
        "formats.z_fraction": z,
        "formats.d_bits": pick(max(2, d + 1), 16),
        "formats.d_fraction": d,
        "memory.kind": str(rng.choice(KINDS)),
        "memory.bits": pick(4, 18),
        "memory.horizon": pick(1, 20),
        "memory.window": 2 ** pick(1, 8),
        "memory.kappa": float(rng.choice([0, 0, 0.5, 1])),
        "memory.read_bits": pick(max(2, read + 1), 16),
        "memory.read_fraction": read,
        "formats.error_fraction": pick(6, 14),
        "modulator.beta_log2": pick(0, 8),
        "layer.rate": tuple(pick(0, 20) for _ in layers[1:]),
        "update.halvings": pick(0, 8),
        "layer.init_std": tuple(float(rng.choice([0, 1, rng.random()])) for _ in layers[1:]),
        "formats.exp_bits": pick(4, 10),
        "formats.reciprocal_bits": pick(3, 10),
        "formats.rsqrt_bits": pick(4, 10),
        "seed": pick(0, 2**32 - 1),
        "neuron.slope_shift": pick(0, 7),
        "input.centred": bool(pick(0, 1)),
        "neuron.leak_shifts": tuple(sorted({pick(1, 8), pick(1, 8)})),
    }
    if pick(0, 1):
        values |= {"neuron.kind": "leaky", "neuron.time_steps": pick(1, 4)}
    try:
        return CoreConfig.from_dict(derived(values, {"memory.kind": values["memory.kind"]}))
    except InputError:
        return None


def test_whatever_is_accepted_learns_without_overflow():
    """Python's numbers have no width: equality with the reference rules out overflow."""
    rng = np.random.default_rng(8)
    accepted = 0
    while accepted < 150:
        cfg = any_configuration(rng)
        if cfg is None:
            continue
        accepted += 1
        core, reference = Core(cfg), Reference(cfg)
        x = rng.integers(0, cfg.x.max + 1, (4, cfg.inputs))
        x[1], x[2] = 0, cfg.x.max
        for n, row in enumerate(x):
            core.extra = reference.extra = cfg.update.halvings * (n % 2)
            label = int(rng.integers(cfg.classes))
            scores = core.learn(row, label)[1].tolist()
            assert scores == reference.learn(row.tolist(), label), cfg
        assert [w.tolist() for w in core.weights] == reference.W, cfg
        assert [m.tolist() for m in core.memories] == reference.M, cfg


def test_largest_network_of_widest_formats_stays_within_64_bits():
    """Sums over 4096 units of the largest magnitudes, through their divisions."""
    cfg = CoreConfig.of(
        (2, 4096, 2),
        lanes=128,
        formats__z_bits=16,
        formats__z_fraction=12,
        memory__read_bits=16,
        memory__read_fraction=14,
        memory__kind="codes",
        formats__u_bits=16,
        formats__weight_bits=16,
        layer__rate=(12, 12),
        formats__error_fraction=14,
    )
    low, high = np.full(4096, -(2**15)), np.full((1, 4096), 2**15 - 1)
    exact = Fraction(-(2**15) * (2**15 - 1), 2 ** (12 + 14)) * 2**14
    assert modulator.similarities(cfg, low, high)[0] == max(half_up(exact), cfg.k.min)
    z, scale = normalise(cfg, np.where(np.arange(4096) % 2, 32767, 0))
    # half of the units at 128, half at 0: all one deviation of 64 off the mean
    assert np.abs(np.abs(z) / cfg.z.one - 1).max() < 1 / 64
    assert scale.power == 6


def test_infer_changes_nothing():
    cfg = CoreConfig.of((10, 9, 6, 3), memory__kind="window", memory__window=4)
    core = Core(cfg)
    x, labels = samples(cfg, 20)
    core.learn_many(x[:10], labels[:10])

    def state():
        arrays = [*core.weights, *core.memories, *core.gains, *core.codes]
        past = [(label, [z.tolist() for z in zs]) for label, zs in core.past]
        return [a.tolist() for a in arrays], past, core.random_state, core.learned, core.extra

    before = state()
    classes, scores = core.infer_many(x)
    assert state() == before
    assert (classes == scores.argmax(axis=1)).all()
    one = core.infer(x[3])
    assert one[0] == classes[3]
    assert (one[1] == scores[3]).all()


def test_learn_answers_with_the_scores_before_learning():
    cfg = CoreConfig.of((10, 9, 6, 3))
    core = Core(cfg)
    x, labels = samples(cfg, 5)
    before = core.infer(x[0])[1]
    assert (core.learn(x[0], int(labels[0]))[1] == before).all()
    assert (core.infer(x[0])[1] != before).any()


def test_reset_starts_over():
    cfg = CoreConfig.of(
        (10, 9, 6, 3),
        memory__kind="window",
        memory__window=4,
        formats__weight_bits=4,
        layer__rate=(0, 0, 0),
    )
    core, fresh = Core(cfg), Core(cfg)
    x, labels = samples(cfg, 12)
    core.learn_many(x, labels)
    core.extra = 2
    core.reset()
    assert (core.learn_many(x, labels)[1] == fresh.learn_many(x, labels)[1]).all()
    assert core.random_state == fresh.random_state
    assert core.saturated == fresh.saturated > 0


def test_saturations_wrap():
    """By hand: of two words of a row, both of two units, one of two lanes and both lanes."""
    core = Core(CoreConfig.of((2, 3, 2), lanes=2, formats__weight_bits=4))
    core.saturated = 2**32 - 2
    assert core._stored(np.array([[-9, 7, -8], [0, 0, 8]])).tolist() == [[-8, 7, -8], [0, 0, 7]]
    assert core.saturated == 0
    core._stored(np.array([[8, -9, 99]]))
    assert core.saturated == 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_memory_learns_xor(kind):
    """Two noisy bits and their complements: no linear readout of the inputs can do it."""
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, (1600, 2))
    labels = bits[:, 0] ^ bits[:, 1]
    on = np.concatenate([bits, 1 - bits], axis=1)
    x = np.clip(np.rint(on * 200 + rng.normal(0, 15, on.shape)), 0, 255).astype(np.int64)
    fields = {
        **dense((4, 24, 2)),
        "layer.rate": (5, 6),
        "layer.init_std": (1.0, 0.25),
        "update.halve_every": 0,
    }
    cfg = CoreConfig.from_dict(derived({**fields, "memory.horizon": 8}, {"memory.kind": kind}))
    core = Core(cfg)
    core.learn_many(x[:1200], labels[:1200])
    assert (core.infer_many(x[1200:])[0] == labels[1200:]).mean() > 0.9


def test_passes_are_walked_in_the_order_of_the_hardware():
    """By hand, with what each writes."""
    cfg = CoreConfig.of(
        (10, 9, 6, 3), memory__kind="window", memory__window=2, modulator__beta_log2=0
    )
    core = Core(cfg)
    x, labels = samples(cfg, 3)
    core.learn_many(x[:2], labels[:2])
    walked = [
        (made.of.name, [(w.store, w.layer) for w in made.written])
        for made in core.walk(x[2], int(labels[2]))
    ]
    assert walked == [
        ("forward0", [("a", 0)]), ("sum0", []), ("squares0", []), ("normalise0", [("z", 0)]),
        ("similarity0", [("errors", 0)]),
        ("forward1", [("a", 1)]), ("direction0", [("d", 0)]), ("forget0", [("memory", 0)]),
        ("sum1", []), ("squares1", []), ("memory0", [("memory", 0)]), ("normalise1", [("z", 1)]),
        ("scores2", [("results", 2), ("errors", 2)]), ("similarity1", [("errors", 1)]),
        ("update0", [("weights", 0)]), ("direction1", [("d", 1)]), ("forget1", [("memory", 1)]),
        ("memory1", [("memory", 1)]), ("readout2", [("weights", 2)]), ("update1", [("weights", 1)]),
    ]  # fmt: skip
    assert core.learned == 3


def test_walk_is_learn_and_infer():
    cfg = CoreConfig.of((10, 9, 6, 3), seed=5)
    core, other = Core(cfg), Core(cfg)
    x, labels = samples(cfg, 12)
    for row, label in zip(x, labels.tolist(), strict=True):
        found = latest(core.walk(row, label))
        assert (found[Store.RESULTS, 2] == other.learn(row, label)[1]).all()
        assert (latest(core.walk(row))[Store.RESULTS, 2] == other.infer(row)[1]).all()
        for layer, (mine, wanted) in enumerate(zip(core.weights, other.weights, strict=True)):
            assert (mine == wanted).all()
            if layer == 2 and (Store.WEIGHTS, 2) in found:
                assert (found[Store.WEIGHTS, 2] == wanted).all()
    assert core.random_state == other.random_state
    with pytest.raises(InputError, match="label"):
        core.walk(x[0], 3)


def test_passes_of_no_error_are_not_walked():
    """Nothing to change: no direction, no update; the memory forgets all the same."""
    cfg = CoreConfig.of((10, 9, 6, 3), layer__rate=(5, 5, 4), update__halve_every=0)
    core, walked, skipped = Core(cfg), 0, 0
    x, labels = samples(cfg, 300)
    for row, label in zip(x, labels.tolist(), strict=True):
        errors, heard = {}, set()
        for made in core.walk(row, label):
            assert bool(made.rows) or not made.written
            if made.rows:
                heard.add((made.of.kind, made.of.layer))
            if (values := made.values(Store.ERRORS)) is not None:
                errors[made.of.layer] = values.any()
        for layer, any_error in errors.items():
            passes = {("readout", 2)} if layer == 2 else {("direction", layer), ("update", layer)}
            assert heard & passes == (passes if any_error else set())
            assert layer == 2 or ("memory", layer) in heard
            walked, skipped = walked + any_error, skipped + (not any_error)
    assert walked > 20
    assert skipped > 20


BAD = [
    (lambda x, y: (x[:, :9], y), r"x must have shape \(samples, 10\), not \(6, 9\)"),
    (lambda x, y: (x[0], y), r"x must have shape \(samples, 10\), not \(10,\)"),
    (lambda x, y: (x, y[:5]), r"labels must have shape \(6,\), not \(5,\)"),
    (lambda x, y: (x / 256, y), "x must be integers, not float64"),
    (lambda x, y: (x + 256, y), r"x must lie in 0\.\.255, not 2"),
    (lambda x, y: (x - 1, y), r"x must lie in 0\.\.255, not -1"),
    (lambda x, y: (x, y + 3), r"labels must lie in 0\.\.2, not 3"),
    (lambda x, y: (x, y - 3), r"labels must lie in 0\.\.2, not -3"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_samples_are_named(spoil, message):
    cfg = CoreConfig.of((10, 9, 6, 3))
    core = Core(cfg)
    x, _ = samples(cfg, 6)
    with pytest.raises(InputError, match=message):
        core.learn_many(*spoil(x, np.array([0, 1, 2, 0, 1, 2])))
    assert core.learned == 0
