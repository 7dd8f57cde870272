"""Class memories against what they are meant to hold: exact sums, and leaky means in floats."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense
from hebbware.golden.core import Core
from hebbware.golden.layers.normalise import unit_thresholds
from hebbware.golden.memory import MEMORIES
from hebbware.golden.program.walk import Store, latest


def learn(count, spread=40, **options):
    """A core that learned noisy samples, and what each gave: label, and per layer z and error."""
    cfg = CoreConfig.from_dict({**dense((12, 10, 7, 4)), "lanes": 3} | options)
    core, log = Core(cfg), []
    rng = np.random.default_rng(1)
    means = rng.integers(0, 200, (4, 12))

    for label in rng.integers(0, 4, count).tolist():
        x = np.clip(means[label] + rng.integers(-spread, spread + 1, 12), 0, 255)
        seen, layers = latest(core.walk(x, label)), range(len(cfg.hidden))
        of = {"z": Store.Z, "e": Store.ERRORS}
        log.append({name: [seen.get((store, n)) for n in layers] for name, store in of.items()})
        log[-1]["label"] = label
    return core, log


@pytest.mark.parametrize("window", [2, 8, 32])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_window_holds_the_exact_sum_of_the_last_samples(window, rounding):
    for count in (1, window - 1, window, window + 1, 3 * window + 5):
        core, log = learn(
            count, memory__kind="window", memory__window=window, update__rounding=rounding
        )
        for layer, memory in enumerate(core.memories):
            expected = np.zeros_like(memory)
            for entry in log[-window:]:
                expected[entry["label"]] += entry["z"][layer]
            assert (memory == expected).all()


def test_window_is_exact_at_the_edge_of_its_format():
    """As many of the largest activations as the rule on memory.bits just lets in."""
    cfg = CoreConfig.of(
        (4, 2, 2), memory__kind="window", memory__window=32, formats__z_bits=8, memory__bits=13
    )
    core = Core(cfg)
    low = np.full(2, cfg.z.min)
    for _ in range(40):
        oldest = 1 if len(core.past) == 32 else None
        for write in core.kind.writes(cfg, 1, None, oldest):
            core._write_rows(0, [write], low)
        core.past.append((1, [low]))
        assert (core.memories[0][1] == len(core.past) * cfg.z.min).all()
    assert (core.memories[0][1] == -(2**12)).all()
    assert not core.memories[0][0].any()


@pytest.mark.parametrize("horizon", [2, 5, 8])
def test_trace_is_the_leaky_class_mean(horizon):
    core, log = learn(600, memory__kind="trace", memory__horizon=horizon)
    for layer, memory in enumerate(core.memories):
        mean = np.zeros(memory.shape)
        for entry in log:
            y = entry["label"]
            mean[y] += 2.0**-horizon * (entry["z"][layer] - mean[y])
        # each write is off by an unbiased error below one raw unit, of deviation at most 1/2; the
        # leak sums 2**horizon / 2 of their variances. 6 deviations
        bound = 6 * 0.5 * (2.0**horizon / 2) ** 0.5 + 1
        assert np.abs(memory - mean * 2**horizon).max() < bound


@pytest.mark.parametrize("horizon", [3, 6, 12])
def test_gated_is_the_leaky_sum_of_error_times_activation(horizon):
    core, log = learn(600, spread=255, memory__kind="gated", memory__horizon=horizon)
    cfg = core.config
    for layer, memory in enumerate(core.memories):
        total = np.zeros(memory.shape)
        for entry in log:
            e, z = cfg.e.real(entry["e"][layer]), cfg.z.real(entry["z"][layer])
            total += -(2.0**-horizon) * total - np.outer(e, z)
        real = memory / 2.0**3  # 3 fraction bits
        bound = 6 * 0.5 * min(2.0**horizon / 2, 600) ** 0.5 / 2**3 + 1 / 2**3
        assert np.abs(real - total).max() < bound
        assert np.corrcoef(real.ravel(), total.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("kind", ["codes", "none"])
def test_controls_have_no_memory(kind):
    core, _ = learn(30, memory__kind=kind)
    assert not any(memory.any() for memory in core.memories)
    assert not MEMORIES[kind].written


def test_codes_are_read_at_unit_scale():
    core, _ = learn(1, memory__kind="codes")
    for layer in (0, 1):
        assert (core.read(layer) == 64 * core.codes[layer]).all()


def test_kappa_adds_codes():
    plain, _ = learn(0, memory__kind="window", memory__kappa=0.0)
    mixed, _ = learn(0, memory__kind="window", memory__kappa=0.5)
    for core in (plain, mixed):
        core.memories[0][:] = np.arange(-20, 20).reshape(4, 10) * 8
    difference = mixed.read(0) - plain.read(0)
    inside = (np.abs(mixed.read(0)) < 127) & (np.abs(plain.read(0)) < 127)
    assert inside.sum() > 20
    assert (difference[inside] == 32 * mixed.codes[0][inside]).all()


def test_window_is_read_as_8_over_n_of_its_sum():
    core, _ = learn(0, memory__kind="window", memory__window=32)
    core.memories[0][0, :4] = [64, -64, 3, 2]  # sums with 4 fraction bits
    # 8 / 32 * 64 / 16 = 1, in 6 fraction bits
    assert core.read(0)[0, :4].tolist() == [64, -64, 3, 2]


def test_trace_is_read_as_itself():
    core, _ = learn(0, memory__kind="trace", memory__horizon=8)
    one = 2 ** (4 + 8)
    core.memories[0][0, :3] = [one, -one // 2, one // 64]
    assert core.read(0)[0, :3].tolist() == [64, -32, 1]


@pytest.mark.parametrize("units", [2, 7, 64, 300])
def test_unit_thresholds_bring_normal_rows_to_unit_scale(units):
    """The gain is round(log2 rms) for normally distributed rows, up to the rows' own scatter."""
    rng = np.random.default_rng(units)
    thresholds = unit_thresholds(units, 16)
    assert (np.diff(thresholds) > 0).all()
    for log_rms in np.arange(1.0, 14.0, 0.25):
        rows = np.rint(rng.normal(0, 2**log_rms, (200, units))).astype(np.int64)
        g = (np.abs(rows).sum(axis=1)[:, None] >= thresholds).sum(axis=1)
        # |log2| of the mean absolute value scatters by 0.76 / sqrt(units) / ln 2
        scatter = 5 * 0.76 / np.log(2) / units**0.5 if units >= 7 else 8
        assert np.abs(g - log_rms).max() <= 0.5 + scatter
        assert abs(np.median(g) - log_rms) <= 0.5 + 1.2 / units**0.5


def test_gated_rows_are_read_at_unit_scale():
    core, _ = learn(400, memory__kind="gated", memory__horizon=6)
    for layer in (0, 1):
        rms = np.sqrt((core.config.read.real(core.read(layer)) ** 2).mean(axis=1))
        assert (rms > 0.5).all()
        assert (rms < 1.6).all()
