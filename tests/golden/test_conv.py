"""Convolutions in the plain core, against plain Python numbers, SciPy and their own rules.

`Maps` extends the reference of `test_core` position by position; it shares no arithmetic, no
layout and no order of words with golden. Lane groups (width, count) stand in each case.
"""

from fractions import Fraction
from math import floor, sqrt

import numpy as np
import pytest
from scipy.signal import correlate2d
from test_core import Reference, half_up, sat

from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.program import program
from hebbware.golden.program.walk import Kind, Store, latest
from hebbware.golden.twin.core import Twin


def network(*layers, shape=(6, 6, 1), classes=3, **values):
    """A configuration of these layers, convolutions being (features, fields), and a readout."""
    tables = [
        {"kind": "dense", "units": layer} if isinstance(layer, int)
        else {"kind": "conv", "features": layer[0]} | layer[1]
        for layer in layers
    ]  # fmt: skip
    tables.append({"kind": "readout", "units": classes, "rate": 6, "init_std": 0.2})
    return CoreConfig.from_dict({"input": {"shape": list(shape)}, "layer": tables} | values)


class Maps(Reference):
    def __init__(self, config, groups):
        self.groups = groups
        super().__init__(config)

    # -- where numbers lie: words of (lane, number) ----------------------------------------------

    def words(self, places, features, width, groups):
        found = {}
        blocks = -(-features // width)
        for i in range(places):
            for f in range(features):
                word = i // groups * blocks + f // width
                found.setdefault(word, []).append(
                    (i % groups * width + f % width, i * features + f)
                )
        return [found[n] for n in sorted(found)]

    def vector(self, units):
        return self.words(1, units, self.P, 1)

    def lane(self, word, lane):
        p = lane % min([self.P, *(w for w, _ in self.groups)]) % 32
        return ((word << p | word >> (32 - p)) % 2**32) % 2**self.c.update_shift

    # -- start -------------------------------------------------------------------------------------

    def start(self):
        c, shape = self.c, self.c.input.shape
        self.spec, inputs, below = [], c.inputs, self.vector(c.inputs)
        for n, layer in enumerate(c.layer[:-1]):
            if layer.kind == "dense":
                self.spec.append({"rows": inputs + 1, "units": layer.units,
                                  "cells": self.vector(layer.units)})  # fmt: skip
                inputs, below = layer.units, self.vector(layer.units)
                continue
            rows, columns, channels = shape
            down, across = -(-rows // layer.stride), -(-columns // layer.stride)
            self.spec.append({
                "map": shape, "down": down, "across": across, "units": layer.features,
                "rows": layer.kernel**2 * channels + 1,
                "cells": self.words(layer.grid**2, layer.features, self.groups[n][0], 1),
            })  # fmt: skip
            shape = down // layer.pool, across // layer.pool, layer.features
            inputs = shape[0] * shape[1] * shape[2]
            below = self.words(shape[0] * shape[1], shape[2], *self.groups[n])
        self.below = below
        self.W = [[[0] * s["units"] for _ in range(s["rows"])] for s in self.spec]
        self.W.append([[0] * inputs for _ in range(c.classes)])
        sizes = [sum(map(len, s["cells"])) for s in self.spec]
        self.M = [[[0] * m for _ in range(c.classes)] for m in sizes]
        self.code = [[[1] * m for _ in range(c.classes)] for m in sizes]
        walk = []
        for n, s in enumerate(self.spec):
            walk += [(row, w, n) for w in self.vector(s["units"]) for row in self.W[n]]
        walk += [(row, word, len(self.spec)) for row in self.W[-1] for word in below]
        if c.memory.kind != "none":
            for code, s in zip(self.code, self.spec, strict=True):
                walk += [(row, word, None) for row in code for word in s["cells"]]
        byte_std = sqrt((256**2 - 1) / 12)
        for group in range(0, self.P, 4):
            for row, word, layer in walk:
                octets = self.next().to_bytes(4, "little")
                for lane, number in word:
                    if not group <= lane < group + 4:
                        continue
                    byte = octets[lane - group]
                    if layer is None:
                        row[number] = -1 if byte & 1 else 1
                        continue
                    table = c.layer[layer]
                    one = 2 ** (c.weight.width - 2 + (table.narrow or 0) + c.update_shift)
                    value = (byte - 256 * (byte > 127)) * round(table.init_std / byte_std * one)
                    row[number] = sat(half_up(Fraction(value, 2**c.update_shift)), c.weight.width)
        for weights in self.W[:-1]:
            weights[-1] = [0] * len(weights[-1])

    # -- forward -----------------------------------------------------------------------------------

    def patch(self, layer, x, p):
        s, table = self.spec[layer], self.c.layer[layer]
        rows, columns, channels = s["map"]
        y, left = divmod(p, s["across"])
        found = []
        for ky in range(table.kernel):
            for kx in range(table.kernel):
                at = (
                    y * table.stride + ky - table.kernel // 2,
                    left * table.stride + kx - table.kernel // 2,
                )
                inside = 0 <= at[0] < rows and 0 <= at[1] < columns
                for channel in range(channels):
                    number = (at[0] * columns + at[1]) * channels + channel
                    found.append(x[number] if inside else 0)
        return found

    def weighted(self, layer, inputs, fraction):
        c = self.c
        columns = self.W[layer] if layer == len(self.spec) else zip(*self.W[layer], strict=True)
        one = Fraction(2**c.u.fraction, 2 ** (fraction + c.weight.width - 2))
        one /= 2 ** (c.layer[layer].narrow or 0)
        return [
            sat(half_up(sum(z * w for z, w in zip(inputs, column, strict=True)) * one), c.u.width)
            for column in columns
        ]

    def forward(self, x):
        c, fraction = self.c, self.x_fraction
        if c.input.centred:
            x = [value - 2**fraction for value in x]
        self.x, self.a, self.z, self.power, self.pre, self.v = [list(x)], [], [], [], [], []
        for n, s in enumerate(self.spec):
            positions = range(s["down"] * s["across"]) if "map" in s else None
            pre = [self.patch(n, self.x[n], p) for p in positions] if positions else [self.x[n]]
            pre = [[*row, 2**fraction] for row in pre]
            a = [[max(u, 0) for u in self.weighted(n, row, fraction)] for row in pre]
            z, power = zip(*(self.normalise(row) for row in a), strict=True)
            self.pre.append(pre)
            self.a.append(a)
            self.z.append(z)
            self.power.append(power)
            fraction = c.z.fraction
            if positions is None:
                self.x.append(z[0])
                self.v.append(z[0])
                continue
            pool, grid = c.layer[n].pool, c.layer[n].grid
            squares = self.tiles(s, z, pool, pool)
            self.x.append([half_up(Fraction(total, pool**2)) for total in squares])
            high, wide = s["down"] // grid, s["across"] // grid
            shift = 0
            while 2**shift < high * wide:
                shift += 1
            self.v.append([
                sat(half_up(Fraction(total * 2 ** c.layer[n].gain, 2**shift)), c.z.width)
                for total in self.tiles(s, z, high, wide)
            ])  # fmt: skip
        return self.weighted(len(self.spec), self.x[-1], fraction)

    def tiles(self, s, z, high, wide):
        """Sums over tiles, tile by tile, feature by feature."""
        return [
            sum(z[y * s["across"] + x][f] for y in range(top, top + high)
                for x in range(left, left + wide))
            for top in range(0, s["down"], high) for left in range(0, s["across"], wide)
            for f in range(s["units"])
        ]  # fmt: skip

    # -- learning ----------------------------------------------------------------------------------

    def modulate(self, n, label):
        c, E, v, F = self.c, self.read(n), self.v[n], self.spec[n]["units"]
        one, m = 2**c.e.fraction, len(v)
        shift = 16 + m.bit_length() - 1
        unit = Fraction(half_up(Fraction(2**shift, m)), 2**shift) * one
        unit /= 2 ** (c.z.fraction + c.read.fraction + getattr(c.layer[n], "gain", 0))
        k = [
            sat(half_up(sum(a * b for a, b in zip(v, e, strict=True)) * unit), c.e.fraction + 3)
            for e in E
        ]
        error = self.softmax_error([Fraction(x, one) * 2**c.modulator.beta_log2 for x in k], label)
        ek = sat(half_up(Fraction(sum(e * x for e, x in zip(error, k, strict=True)), one)),
                 c.e.fraction + 3)  # fmt: skip
        d = []
        for p, (z, a) in enumerate(zip(self.z[n], self.a[n], strict=True)):
            cell = 0
            if "map" in self.spec[n]:
                grid, s = c.layer[n].grid, self.spec[n]
                y, x = divmod(p, s["across"])
                cell = y * grid // s["down"] * grid + x * grid // s["across"]
            d.append([])
            for f in range(F):
                xi = sum(Fraction(e * row[cell * F + f], one * 2**c.read.fraction)
                         for e, row in zip(error, E, strict=True))  # fmt: skip
                xi -= Fraction(ek, one) * Fraction(z[f], 2**c.z.fraction)
                xi /= Fraction(2) ** self.power[n][p]
                d[-1].append(sat(half_up(xi * 2**c.d.fraction), c.d.width) if a[f] > 0 else 0)
        return error, d

    def move(self, row, word, change, shift):
        """Add ``change / 2**shift``, a list like the row, to the numbers of a word."""
        c, random, cut = self.c, self.next(), False
        for lane, number in word:
            dither = Fraction(self.lane(random, lane) >> (c.update_shift - shift), 2**shift)
            moved = row[number] + floor(Fraction(change[number], 2**shift) + dither)
            row[number] = sat(moved, c.weight.width)
            cut |= row[number] != moved
        self.saturated += cut

    def shift(self, n, fractions):
        width = self.c.weight.width - 2 + (self.c.layer[n].narrow or 0)
        return fractions + self.c.rates[n] - width + self.extra

    def update_hidden(self, n, d, error):
        if not any(error):
            return
        fraction = self.c.z.fraction if n else self.x_fraction
        shift = self.shift(n, fraction + self.c.d.fraction)
        for word in self.vector(self.spec[n]["units"]):
            for j, row in enumerate(self.W[n]):
                change = [-sum(pre[j] * post[f] for pre, post in zip(self.pre[n], d, strict=True))
                          for f in range(len(row))]  # fmt: skip
                self.move(row, word, change, shift)

    def update_readout(self, error):
        if not any(error):
            return
        shift = self.shift(len(self.spec), self.c.z.fraction + self.c.e.fraction)
        for row, e in zip(self.W[-1], error, strict=True):
            for word in self.below:
                self.move(row, word, [-e * z for z in self.x[-1]], shift)

    def remember(self, n, label, error):
        c = self.c
        if c.memory.kind == "gated":
            unit = Fraction(8, 2 ** (c.e.fraction + c.z.fraction))
            writes = [(row, -e * unit) for row, e in enumerate(error)]
        elif c.memory.kind == "trace":
            writes = [(label, Fraction(1))]
        else:
            return
        for row, gain in writes:
            for word in self.spec[n]["cells"]:
                random = self.next()
                for lane, i in word:
                    dither = Fraction(self.lane(random, lane), 2**c.update_shift)
                    old = self.M[n][row][i]
                    change = gain * self.v[n][i] - Fraction(old, 2**c.memory.horizon)
                    self.M[n][row][i] = sat(old + floor(change + dither), c.stored.width)

    def learn(self, x, label):
        scores, layers = self.forward(x), range(len(self.spec))
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
        return scores


CASES = {  # configuration; lanes of a position's features and positions of a word, layer by layer
    "one": (network((4, {"pool": 2, "grid": 3, "rate": 8}), lanes=4), [(4, 1)]),
    "features do not divide lanes": (
        network((5, {"stride": 2, "grid": 1, "rate": 9}), shape=(5, 7, 2), lanes=3,
                memory={"kind": "trace", "horizon": 8}),
        [(3, 1)],
    ),
    "groups": (
        network((5, {"pool": 2, "grid": 2, "rate": 9}), shape=(8, 8, 3), lanes=32),
        [(8, 4)],
    ),
    "groups that the cells limit": (
        network((4, {"pool": 1, "grid": 2, "rate": 9, "gain": 2}), shape=(4, 4, 1), lanes=32,
                input={"shape": [4, 4, 1], "bits": 4, "centred": True}),
        [(16, 2)],
    ),
    "codes": (
        network((3, {"kernel": 1, "grid": 1, "rate": 6}), shape=(2, 2, 3), lanes=8,
                memory={"kind": "codes"}),
        [(8, 1)],
    ),
    "two and a dense one": (
        network((6, {"kernel": 5, "pool": 2, "grid": 4, "rate": 10, "narrow": 2}),
                (10, {"grid": 2, "rate": 9, "narrow": 1}), 5, shape=(8, 8, 1), lanes=16),
        [(8, 2), (16, 1), (16, 1)],
    ),
    "none": (
        network((4, {}), (9, {"pool": 2}), shape=(4, 4, 1), lanes=16, memory={"kind": "none"}),
        [(8, 2), (16, 1)],
    ),
}  # fmt: skip


def samples(config, count, seed=0):
    rng = np.random.default_rng(seed)
    top = config.x.max
    prototypes = rng.integers(0, 2, (config.classes, config.inputs)) * top * 0.8
    labels = rng.integers(0, config.classes, count)
    x = prototypes[labels] + rng.normal(0, 0.1 * top, (count, config.inputs))
    return np.clip(np.rint(x), 0, top).astype(np.int64), labels


@pytest.mark.parametrize("name", CASES)
def test_every_number_is_that_of_the_reference(name):
    config, groups = CASES[name]
    core, reference = Core(config), Maps(config, groups)
    for got, wanted in zip(core.weights, reference.W, strict=True):
        assert got.tolist() == wanted
    x, labels = samples(config, 6)
    for n, (row, label) in enumerate(zip(x, labels, strict=True)):
        if n == 3:
            core.extra = reference.extra = 1
        _, scores = core.learn(row, int(label))
        assert scores.tolist() == reference.learn(row.tolist(), label)
        for got, wanted in zip(core.weights, reference.W, strict=True):
            assert got.tolist() == wanted
        if config.memory.written:
            assert [m.tolist() for m in core.memories] == reference.M
        assert core.random_state == reference.word
    assert core.saturated == reference.saturated
    assert any((w != s).any() for w, s in zip(core.weights, Core(config).weights, strict=True))


@pytest.mark.parametrize(
    ("kernel", "stride", "channels"), [(1, 1, 2), (3, 2, 3), (5, 1, 1), (5, 2, 2)]
)
def test_sums_are_a_correlation(kernel, stride, channels):
    config = network((4, {"kernel": kernel, "stride": stride, "pool": 1}), shape=(7, 6, channels))
    core, rng = Core(config), np.random.default_rng(kernel)
    core.weights[0] = rng.integers(-800, 800, core.weights[0].shape)
    x = rng.integers(0, 256, config.inputs)
    a = latest(core.walk(x))[Store.A, 0]
    image, kernels = x.reshape(7, 6, channels) / 256, core.weights[0] / 2**10
    for f in range(4):
        taps = kernels[:-1, f].reshape(kernel, kernel, channels)
        u = sum(correlate2d(image[:, :, c], taps[:, :, c], "same") for c in range(channels))
        u = np.maximum(u + kernels[-1, f], 0)[::stride, ::stride]
        assert np.abs(a[:, f] / 2**8 - u.ravel()).max() <= 0.5 / 2**8 + 1e-9


def test_weights_lie_in_the_first_group_and_come_back():
    config, _ = CASES["two and a dense one"]
    layout, core = Layout(config), Core(config)
    words = layout.weight_words(core.weights)
    assert len(words) == 26 + 55 + 161 + 3
    assert not words[:26, 6:].any()
    assert words[:25, :6].any()
    for got, wanted in zip(layout.weights_from(words), core.weights, strict=True):
        assert (got == wanted).all()
    # 16 cells of 6 features, a word each, for each of 3 classes
    assert layout.memory_bases[1] == 3 * 16
    assert layout.memory_places[0].tolist() == [True] * 6 + [False] * 10


def test_passes_in_the_order_of_the_walk():
    config, _ = CASES["groups"]
    found = {p.kind: p.walk for p in program(config)}
    convolve, correlate = found[Kind.CONVOLVE], found[Kind.CORRELATE]
    assert (convolve.positions, convolve.count, convolve.blocks) == (16, 28, 1)
    assert correlate.positions_inner
    # three steps more bring the groups together
    assert correlate.positions == 16 + 3
    assert (found[Kind.POOL].positions, found[Kind.POOL].count) == (16, 2 + 3)
    assert (found[Kind.CELLS].positions, found[Kind.CELLS].count) == (4, 4 + 3)
    assert found[Kind.DIRECTION].positions == 16
    assert found[Kind.MEMORY].positions == 1
    assert "pool0" in next(p for p in program(config) if p.kind is Kind.SCORES).waits
    frozen = network((5, {}), lanes=32, memory={"kind": "none"})
    kinds = [p.kind for p in program(frozen)]
    assert Kind.POOL in kinds
    assert not {Kind.CELLS, Kind.CORRELATE} & {*kinds}


BAD = [
    (
        {"kernel": 5},
        {"shape": (4, 6, 1)},
        r"layer.kernel must be at most 4 in layer 1, .* 4x6, not 5",
    ),
    ({}, {"shape": (1, 6, 1)}, r"layer.kernel must be at most 1 "),
    ({"stride": 2, "kernel": 1}, {"shape": (1, 6, 1)}, r"layer.stride must be at most 1 .*, not 2"),
    ({"pool": 4}, {}, r"layer.pool must divide the 6x6 positions of layer 1, .*, not 4"),
    ({"grid": 4}, {}, r"layer.grid must divide the 6x6 positions .*, not 4"),
    ({"grid": 8}, {}, r"layer.grid must be at most 6 .*, not 8"),
    ({"kernel": 2}, {}, r"layer.kernel must be 1, 3 or 5, not 2"),
    ({"kernel": True}, {}, r"layer.kernel must be a whole number, not True"),
    ({"pool": 3}, {}, r"layer.pool must be 1, 2 or 4, not 3"),
    ({"stride": 3}, {}, r"layer.stride must be 1 or 2, not 3"),
    ({"features": 1}, {}, r"layer.features must lie in 2..128, not 1"),
    ({"features": 129}, {}, r"layer.features must lie in 2..128, not 129"),
    ({"grid": 9}, {}, r"layer.grid must lie in 1..8, not 9"),
    ({"narrow": 7}, {}, r"layer.narrow must lie in 0..6, not 7"),
    ({"gain": 7}, {}, r"layer.gain must lie in 0..6, not 7"),
    ({"grid": 6, "gain": 1}, {}, r"layer.gain must be at most 0 .* 1x1 positions, not 1"),
    ({}, {"input": {"size": 36}}, r"input.shape must be given, .* layer.kind is 'conv'"),
    ({}, {"input": {"shape": [6, 6]}}, r"input.shape must be rows, .* not \[6, 6\]"),
    ({}, {"shape": (64, 64, 3)}, r"input.shape must be of at most 4096 numbers, not of 12288"),
    (
        {},
        {"input": {"shape": [6, 6, 1], "size": 35}},
        r"input.shape must be of input.size = 35 numbers, not of 36",
    ),
    (
        {},
        {"memory": {"kind": "window"}},
        r"memory.kind must be 'gated', 'trace', 'codes' or 'none' where layer.kind is 'conv', not",
    ),
    ({}, {"neuron": {"kind": "leaky"}}, r"neuron.kind must be 'static' where layer.kind is 'conv'"),
    (
        {},
        {"modulator": {"kind": "hsic"}},
        r"modulator.kind must be 'class-memory' or 'none' where layer.kind is 'conv', not 'hsic'",
    ),
]


@pytest.mark.parametrize(("fields", "values", "message"), BAD)
def test_rule(fields, values, message):
    with pytest.raises(InputError, match=message):
        network((4, fields), **values)


def test_rules_of_other_layers():
    with pytest.raises(InputError, match=r"layer.kernel must be at most 3 in layer 2"):
        network((4, {"pool": 2}), (4, {"kernel": 5}))
    with pytest.raises(InputError, match=r"convolutions before all others, not dense, conv, read"):
        network(5, (4, {}))


def test_lists_of_fields_that_some_layers_have():
    config = network((4, {}), (6, {"pool": 2}), 5, shape=(8, 8, 1))
    changed = config.derive(layer__features=[3, 7], layer__narrow=[1, 0, 2, 3])
    assert [layer.features for layer in changed.layer[:2]] == [3, 7]
    assert [layer.narrow for layer in changed.layer] == [1, 0, 2, 3]
    assert [layer.pool for layer in changed.layer[:2]] == [1, 2]
    for wrong in ([3], [3, 7, 2]):
        with pytest.raises(InputError, match="one entry for each of the 4 layers"):
            config.derive(layer__features=wrong)


def test_narrow_weights_of_dense_layers():
    config = CoreConfig.of(
        (12, 6, 5, 3), layer__narrow=[2, None, 3], layer__rate=[6, 5, 6], lanes=4
    )
    core, twin, reference = Core(config), Twin(config), Maps(config, [])
    x, labels = samples(config, 20)
    x = np.maximum(x, 1)  # the reference walks all rows
    for row, label in zip(x, labels, strict=True):
        scores = reference.learn(row.tolist(), label)
        assert core.learn(row, int(label))[1].tolist() == scores
    assert (twin.learn_many(x, labels)[1][-1] == scores).all()
    for number, wanted in enumerate(reference.W):
        assert core.weights[number].tolist() == wanted
        assert twin.weights[number].tolist() == wanted
    assert np.abs(core.weights[0]).max() / 2.0**12 < 0.5
    assert [core.weights[n].std() > 0 for n in range(3)] == [True] * 3


def test_values_that_follow_and_plain_values():
    config = network((4, {"narrow": 1}), (4, {}), shape=(8, 8, 3))
    assert config.rates == (14, 14, 6)
    assert config.sizes == (192, 256, 256, 3)
    assert config.layer[0].init_std == pytest.approx(27**-0.5)
    assert CoreConfig.from_dict(config.to_dict()) == config
    assert "narrow" in config.to_toml()
    assert "shape = [8, 8, 3]" in config.to_toml()
    smaller = config.derive(input__shape=[4, 4, 1])
    assert smaller.inputs == 16
    assert smaller.hidden == (4, 4)
