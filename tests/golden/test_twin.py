"""The compiled twin against the plain core: weight for weight, after every call."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.twin.core import Twin, fits_32_bits

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
        twin.extra = plain.extra = config.update.halvings
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
    fields = {**dense((13, 12, 7, 5)), "lanes": 5, "update.rounding": rounding}
    config = CoreConfig.from_dict(
        derived({**fields, "memory.horizon": 8, "memory.window": 16}, {"memory.kind": kind})
    )
    assert fits_32_bits(config)
    compare(config)
    if kind in ("window", "trace"):
        compare(config.derive(memory__kappa=0.5))


@pytest.mark.parametrize("lanes", [1, 3, 16, 33, 64, 128])
def test_lanes(lanes):
    compare(CoreConfig.of((9, 70, 34, 3), lanes=lanes), 30)


@pytest.mark.parametrize("layers", [(1, 2, 2), (30, 17, 6), (13, 7, 5, 6, 4)])
def test_depths(layers):
    compare(CoreConfig.of(layers, lanes=4), 40)


WIDE = {
    "formats.weight_bits": 16,
    "formats.z_bits": 16,
    "formats.z_fraction": 10,
    "formats.d_bits": 16,
    "formats.d_fraction": 12,
    "memory.bits": 18,
    "memory.read_bits": 16,
    "memory.read_fraction": 12,
    "formats.error_fraction": 14,
    "formats.exp_bits": 9,
    "formats.reciprocal_bits": 8,
    "formats.rsqrt_bits": 8,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_formats_beyond_32_bits(kind, rounding):
    fields = {
        **dense((13, 12, 7, 5)),
        "lanes": 5,
        "update.rounding": rounding,
        "memory.window": 4,
        **WIDE,
    }
    config = CoreConfig.from_dict(derived(fields, {"memory.kind": kind}))
    assert not fits_32_bits(config)
    compare(config)


EDGES = {
    "sums of a layer": {**dense((300, 12, 5)), "formats.weight_bits": 16, "layer.rate": (9, 9)},
    "leak of a memory": {
        "memory.bits": 18,
        "memory.horizon": 1,
        "layer.rate": (9, 9, 9),
        "update.halvings": 8,
    },
    "step of a memory": {
        "layer.rate": (20, 20, 20),
        "formats.z_bits": 12,
        "formats.error_fraction": 12,
    },
    "memory as read": {"memory.bits": 18, "memory.read_bits": 16, "memory.read_fraction": 14},
    "similarity": {
        **dense((13, 2000, 5)),
        "memory.kind": "window",
        "memory.window": 2,
        "formats.z_bits": 13,
        "formats.z_fraction": 9,
        "memory.read_bits": 14,
        "memory.read_fraction": 9,
        "layer.rate": (2, 0),
        "update.halvings": 0,
        "formats.weight_bits": 4,
    },
    "direction": {
        "formats.z_bits": 14,
        "formats.z_fraction": 2,
        "memory.read_bits": 15,
        "memory.read_fraction": 11,
    },
}


@pytest.mark.parametrize("options", EDGES.values(), ids=EDGES)
def test_one_number_beyond_32_bits(options):
    """Everything at its largest: what needs more than 32 bits gets them."""
    config = CoreConfig.from_dict({**dense((13, 12, 7, 5)), "lanes": 5} | options)
    assert not fits_32_bits(config)
    twin, plain = Twin(config), Core(config)
    rng = np.random.default_rng(0)
    top = 2 ** (config.stored.width - 1) - 1
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
    config = CoreConfig.of((13, 12, 24, 3), layer__rate=(5, 5, 2), update__halve_every=0)
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
            "formats.weight_bits": pick(4, 16),
            "update.rounding": str(rng.choice(ROUNDINGS)),
            "memory.kind": str(rng.choice(KINDS)),
            "input.bits": pick(1, 8),
            "formats.u_bits": pick(8, 16),
            "formats.u_fraction": pick(4, 7),
            "formats.z_fraction": z,
            "formats.z_bits": min(16, max(3, z + pick(1, 5))),
            "formats.d_fraction": d,
            "formats.d_bits": min(16, max(2, d + pick(1, 4))),
            "memory.bits": pick(4, 18),
            "memory.horizon": pick(1, 14),
            "memory.window": 2 ** pick(1, 6),
            "memory.read_fraction": read,
            "memory.read_bits": min(16, read + pick(1, 4) + 1),
            "formats.error_fraction": pick(6, 14),
            "modulator.beta_log2": pick(0, 8),
            "update.halvings": pick(0, 6),
            "layer.rate": [pick(3, 12) for _ in range(3)],
            "layer.init_std": [float(rng.random())] * 3,
            "formats.exp_bits": pick(4, 10),
            "formats.reciprocal_bits": pick(3, 10),
            "formats.rsqrt_bits": pick(4, 10),
            "seed": pick(0, 2**32 - 1),
            "lanes": pick(1, 20),
            "neuron.slope_shift": pick(0, 7),
            "input.centred": bool(pick(0, 1)),
            "neuron.leak_shifts": sorted({pick(1, 8), pick(1, 8)}),
        }
        if pick(0, 1):
            values |= {"neuron.kind": "leaky", "neuron.time_steps": pick(1, 5)}
        try:
            values = derived(values, {"memory.kind": values["memory.kind"]})
            config = CoreConfig.of((12, 9, 6, 4), **values)
        except InputError:
            continue
        types[fits_32_bits(config)] += 1
        compare(config, 16)


@pytest.mark.parametrize("kind", ["gated", "window"])
def test_plain_and_compiled_calls_may_alternate(kind):
    """One state: samples learned one by one, in compiled blocks, and inferred in between."""
    fields = {**dense((13, 12, 7, 5)), "lanes": 5, "memory.window": 8}
    config = CoreConfig.from_dict(derived(fields, {"memory.kind": kind}))
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
    config = CoreConfig.of(
        (13, 12, 7, 5),
        lanes=5,
        formats__weight_bits=4,
        layer__rate=(0, 0, 0),
        update__rounding=rounding,
    )
    compare(config, 40)
    twin, (x, labels) = Twin(config), samples(config, 40)
    twin.learn_many(x, labels)
    assert twin.saturated > 50
    twin.saturated = 2**32 - 1
    twin.learn_many(x, labels)
    assert 0 < twin.saturated < 2**31  # it wraps


def test_no_samples():
    twin = Twin(CoreConfig.of((13, 12, 7, 5)))
    before = twin.random_state
    classes, scores = twin.learn_many(np.empty((0, 13), np.uint8), np.empty(0, np.int64))
    assert (classes.shape, scores.shape) == ((0,), (0, 5))
    assert twin.random_state == before


def test_arrays_of_the_caller_stay_untouched():
    twin = Twin(CoreConfig.of((13, 12, 7, 5)))
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
    twin = Twin(CoreConfig.of((13, 12, 7, 5)))
    x, _ = samples(twin.config, 6)
    with pytest.raises(InputError, match=message):
        twin.learn_many(*spoil(x, np.zeros(6, np.int64)))
    assert twin.learned == 0
