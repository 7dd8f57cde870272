"""The compiled twin against the plain core: weight for weight, after every call."""

from dataclasses import replace

import numpy as np
import pytest

from hebbware.golden import data
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.fields import derived
from hebbware.golden.twin import Twin, fits_32_bits

KINDS = ("gated", "window", "trace", "codes", "none")
ROUNDINGS = ("floor", "nearest", "stochastic")


def assert_same_state(twin, plain):
    for a, b in ((twin.weights, plain.weights), (twin.memories, plain.memories)):
        assert [w.tolist() for w in a] == [w.tolist() for w in b]
    if plain.kind.self_scaling:
        assert [g.tolist() for g in twin.gains] == [g.tolist() for g in plain.gains]
    assert twin.random_state == plain.random_state
    assert twin.learned == plain.learned
    assert twin.saturated == plain.saturated
    assert [(label, [z.tolist() for z in zs]) for label, zs in twin.past] == [
        (label, [z.tolist() for z in zs]) for label, zs in plain.past
    ]


def assert_same_answers(got, expected):
    for a, b in zip(got, expected, strict=True):
        assert a.tolist() == b.tolist()


def samples(config, count, seed=0):
    rng = np.random.default_rng(seed)
    top = config.x.max
    prototypes = rng.integers(0, top + 1, (config.classes, config.inputs))
    labels = rng.integers(0, config.classes, count)
    noise = rng.normal(0, 0.2 * top, (count, config.inputs))
    x = np.clip(np.rint(prototypes[labels] + noise), 0, top).astype(np.int64)
    x[rng.random(x.shape) < 0.3] = 0
    x[3 % count], x[5 % count] = 0, top
    return x, labels


def compare(config, count=60):
    twin, plain = Twin(config), Core(config)
    x, labels = samples(config, count)
    half = count // 2
    for part in (slice(0, half), slice(half, count)):
        assert_same_answers(
            twin.learn_many(x[part], labels[part]), plain.learn_many(x[part], labels[part])
        )
        assert_same_state(twin, plain)
        twin.extra = plain.extra = config.step_extra
    assert_same_answers(twin.infer_many(x), plain.infer_many(x))
    assert_same_state(twin, plain)


def test_digits_preset_over_2500_samples():
    digits, config = data.load("digits"), load("digits")
    twin, plain = Twin(config), Core(config)
    x = np.concatenate([digits.x_train, digits.x_train])[:2500]
    labels = np.concatenate([digits.y_train, digits.y_train])[:2500]
    for epoch, part in enumerate((slice(0, 1300), slice(1300, 2500))):
        twin.extra = plain.extra = config.extra(epoch)
        assert_same_answers(
            twin.learn_many(x[part], labels[part]), plain.learn_many(x[part], labels[part])
        )
        assert_same_state(twin, plain)
    assert_same_answers(twin.infer_many(digits.x_test), plain.infer_many(digits.x_test))
    assert (twin.infer_many(digits.x_test)[0] == digits.y_test).mean() > 0.8


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_memory_and_rounding(kind, rounding):
    fields = {"layers": (13, 12, 7, 5), "lanes": 5, "rounding": rounding}
    config = CoreConfig(**derived({**fields, "horizon": 8, "window": 16}, {"memory": kind}))
    assert fits_32_bits(config)
    compare(config)
    if kind in ("window", "trace"):
        compare(replace(config, kappa=0.5))


@pytest.mark.parametrize("lanes", [1, 3, 16, 33, 64, 128])
def test_lanes(lanes):
    compare(CoreConfig(layers=(9, 70, 34, 3), lanes=lanes), 30)


@pytest.mark.parametrize("layers", [(1, 2, 2), (30, 17, 6), (13, 7, 5, 6, 4)])
def test_depths(layers):
    compare(CoreConfig(layers=layers, lanes=4), 40)


WIDE = {
    "weight_bits": 16, "z_bits": 16, "z_fraction": 10, "d_bits": 16, "d_fraction": 12,
    "memory_bits": 18, "read_bits": 16, "read_fraction": 12, "error_fraction": 14,
    "exp_bits": 9, "reciprocal_bits": 8, "rsqrt_bits": 8,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_formats_beyond_32_bits(kind, rounding):
    fields = {"layers": (13, 12, 7, 5), "lanes": 5, "rounding": rounding, "window": 4, **WIDE}
    config = CoreConfig(**derived(fields, {"memory": kind}))
    assert not fits_32_bits(config)
    compare(config)


EDGES = {
    "sums of a layer": {"layers": (300, 12, 5), "weight_bits": 16, "steps": (9, 9)},
    "leak of a memory": {"memory_bits": 18, "horizon": 1, "steps": (9, 9, 9), "step_extra": 8},
    "step of a memory": {"steps": (20, 20, 20), "z_bits": 12, "error_fraction": 12},
    "memory as read": {"memory_bits": 18, "read_bits": 16, "read_fraction": 14},
    "similarity": {
        "layers": (13, 2000, 5), "memory": "window", "window": 2, "z_bits": 13, "z_fraction": 9,
        "read_bits": 14, "read_fraction": 9, "steps": (2, 0), "step_extra": 0, "weight_bits": 4,
    },
    "direction": {"z_bits": 14, "z_fraction": 2, "read_bits": 15, "read_fraction": 11},
}  # fmt: skip


@pytest.mark.parametrize("options", EDGES.values(), ids=EDGES)
def test_one_number_beyond_32_bits(options):
    """Everything at its largest: what needs more than 32 bits gets them."""
    config = CoreConfig(**{"layers": (13, 12, 7, 5), "lanes": 5} | options)
    assert not fits_32_bits(config)
    twin, plain = Twin(config), Core(config)
    rng = np.random.default_rng(0)
    top = 2 ** (config.memory_bits - 1) - 1
    for core in (twin, plain):
        for memory in core.memories:
            memory[:] = np.where(np.arange(memory.size).reshape(memory.shape) % 2, top, -top - 1)
        for weights in core.weights:
            weights[:, 0], weights[:, 1] = config.weight.max, config.weight.min
    x = rng.integers(0, 256, (12, config.inputs))
    x[::2], x[6:] = 255, x[1]
    labels = np.array([0, 1, 2, 3, 4, 0, 1, 1, 1, 1, 1, 1])
    assert_same_answers(twin.learn_many(x, labels), plain.learn_many(x, labels))
    assert_same_state(twin, plain)


def test_passes_of_no_error_are_skipped_alike():
    config = CoreConfig(layers=(13, 12, 24, 3), steps=(5, 5, 2), step_epochs=0)
    twin, plain = Twin(config), Core(config)
    x, labels = samples(config, 400)
    x[10:] = x[10]  # one sample again and again, until nothing is left to learn
    labels[10:] = labels[10]
    assert_same_answers(twin.learn_many(x, labels), plain.learn_many(x, labels))
    assert_same_state(twin, plain)
    again = Core(config)
    passes = [m for row, c in zip(x, labels.tolist(), strict=True) for m in again.walk(row, c)]
    assert 10 < sum(m.of.kind == "readout" and m.rows > 0 for m in passes) < 390


def test_random_formats():
    """Accepted configurations of any format, in both integer types."""
    rng = np.random.default_rng(4)

    def pick(low, high):
        return int(rng.choice([low, high, rng.integers(low, high + 1)]))

    types = {True: 0, False: 0}
    while min(types.values()) < 25:
        z, d = pick(0, 8), pick(0, 10)
        read = max(z, pick(0, 10))
        values = {
            "weight_bits": pick(4, 16), "rounding": str(rng.choice(ROUNDINGS)),
            "memory": str(rng.choice(KINDS)), "x_bits": pick(1, 8), "u_bits": pick(8, 16),
            "u_fraction": pick(4, 7), "z_fraction": z, "z_bits": min(16, max(3, z + pick(1, 5))),
            "d_fraction": d, "d_bits": min(16, max(2, d + pick(1, 4))),
            "memory_bits": pick(4, 18), "horizon": pick(1, 14), "window": 2 ** pick(1, 6),
            "read_fraction": read, "read_bits": min(16, read + pick(1, 4) + 1),
            "error_fraction": pick(6, 14), "beta_log2": pick(0, 8), "step_extra": pick(0, 6),
            "steps": [pick(3, 12) for _ in range(3)], "init_std": [float(rng.random())] * 3,
            "exp_bits": pick(4, 10), "reciprocal_bits": pick(3, 10), "rsqrt_bits": pick(4, 10),
            "seed": pick(0, 2**32 - 1), "lanes": pick(1, 20),
            "slope_shift": pick(0, 7), "centred": bool(pick(0, 1)),
            "leak_shifts": sorted({pick(1, 8), pick(1, 8)}),
        }  # fmt: skip
        if pick(0, 1):
            values |= {"dynamics": "leaky", "time_steps": pick(1, 5)}
        try:
            values = derived(values, {"memory": values["memory"]})
            config = CoreConfig(layers=(12, 9, 6, 4), **values)
        except InputError:
            continue
        types[fits_32_bits(config)] += 1
        compare(config, 16)


@pytest.mark.parametrize("kind", ["gated", "window"])
def test_plain_and_compiled_calls_may_alternate(kind):
    """One state: samples learned one by one, in compiled blocks, and inferred in between."""
    fields = {"layers": (13, 12, 7, 5), "lanes": 5, "window": 8}
    config = CoreConfig(**derived(fields, {"memory": kind}))
    mixed, plain = Twin(config), Core(config)
    x, labels = samples(config, 90)
    start = 0
    for size in (1, 3, 20, 2, 7, 30, 1, 26):
        stop = start + size
        if size < 5:
            for n in range(start, stop):
                mixed.learn(x[n], int(labels[n]))
        else:
            mixed.learn_many(x[start:stop], labels[start:stop])
        mixed.infer_many(x[:4])
        plain.learn_many(x[start:stop], labels[start:stop])
        assert_same_state(mixed, plain)
        start = stop
    assert start == 90
    mixed.reset()
    assert_same_state(mixed, Core(config))


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_saturations_are_counted_alike(rounding):
    config = CoreConfig(
        layers=(13, 12, 7, 5), lanes=5, weight_bits=4, steps=(0, 0, 0), rounding=rounding
    )
    compare(config, 40)
    twin, (x, labels) = Twin(config), samples(config, 40)
    twin.learn_many(x, labels)
    assert twin.saturated > 50
    twin.saturated = 2**32 - 1
    twin.learn_many(x, labels)
    assert 0 < twin.saturated < 2**31  # it wraps


def test_no_samples():
    twin = Twin(CoreConfig(layers=(13, 12, 7, 5)))
    before = twin.random_state
    classes, scores = twin.learn_many(np.empty((0, 13), np.uint8), np.empty(0, np.int64))
    assert (classes.shape, scores.shape) == ((0,), (0, 5))
    assert twin.random_state == before


def test_arrays_of_the_caller_stay_untouched():
    twin = Twin(CoreConfig(layers=(13, 12, 7, 5)))
    x, labels = samples(twin.config, 20)
    copies = [w.copy() for w in twin.weights]
    given, x_copy = twin.weights, x.copy()
    twin.learn_many(x, labels)
    assert all((a == b).all() for a, b in zip(given, copies, strict=True))
    assert (x == x_copy).all()


BAD = [
    (lambda x, y: (x[:, :9], y), r"x must have shape \(samples, 13\), not \(6, 9\)"),
    (lambda x, y: (x + 256, y), r"x must lie in 0\.\.255"),
    (lambda x, y: (x, y + 5), r"labels must lie in 0\.\.4, not 5"),
    (lambda x, y: (x, y - 1), r"labels must lie in 0\.\.4, not -1"),
    (lambda x, y: (x, y[:2]), r"labels must have shape \(6,\)"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_samples_never_reach_the_compiled_loop(spoil, message):
    twin = Twin(CoreConfig(layers=(13, 12, 7, 5)))
    x, _ = samples(twin.config, 6)
    with pytest.raises(InputError, match=message):
        twin.learn_many(*spoil(x, np.zeros(6, np.int64)))
    assert twin.learned == 0
