"""Class memories as read, and their gains, in hardware against exact arithmetic."""

from fractions import Fraction
from math import floor, log2, pi, sqrt

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.normalise import unit_thresholds
from hebbware.hdl.memory.gains import Gains, ReadScale, word_width

READ = {
    "gated": CoreConfig.of((4, 8, 3), lanes=3),
    "gated_fine": CoreConfig.of(
        (4, 8, 3), lanes=2, memory__bits=8, memory__read_bits=12, memory__read_fraction=9
    ),
    "window": CoreConfig.of(
        (4, 8, 3), lanes=2, memory__kind="window", memory__window=32, memory__kappa=0.5,
    ),
    "window_plain": CoreConfig.of((4, 8, 3), lanes=1, memory__kind="window", memory__window=2),
    "trace": CoreConfig.of(
        (4, 8, 3), lanes=3, memory__kind="trace", memory__horizon=8, memory__read_bits=5,
        memory__read_fraction=4, memory__kappa=0.25,
    ),
    "codes": CoreConfig.of(
        (4, 8, 3), lanes=3, memory__kind="codes", memory__kappa=0.125, memory__read_bits=11,
        memory__read_fraction=6,
    ),
}  # fmt: skip
WORDS = 500


@pytest.fixture(scope="module")
def probes():
    reads = {
        name: Probe(ReadScale(c, c.lanes), {"seen": Event(("read",))}) for name, c in READ.items()
    }
    gains = {name: Probe(Gains(c), {"seen": Event(("gain",))}) for name, c in GAINS.items()}
    return reads | gains


@pytest.fixture(scope="module")
def model(probes):
    return build(Probes(probes), quick=True)


def read_exactly(config, stored, code, gain):
    """``sat(round(M 2**-shift) + kappa code)`` in units of the read format."""
    kind = config.memory
    shift = gain - config.read.fraction if kind.self_scaling else kind.read_shift(config)
    value = floor(Fraction(stored) / Fraction(2) ** shift + Fraction(1, 2))
    value += Fraction(config.memory.kappa) * config.read.one * code
    return int(min(max(value, config.read.min), config.read.max))


@pytest.mark.parametrize("name", READ)
def test_read_scale(probes, model, name):
    config, probe = READ[name], probes[name]
    rng = np.random.default_rng(0)
    bits = config.stored.width if config.writes_memory else 0
    high = 1 << bits >> 1
    scale = 2.0 ** rng.uniform(0, max(bits - 1, 0), (WORDS, config.lanes))
    stored = np.clip(np.rint(rng.normal(0, scale)), -high, max(high - 1, 0)).astype(int)
    stored[:2] = [[-high], [max(high - 1, 0)]]
    code = rng.choice([-1, 1], stored.shape) if config.memory.kappa else np.zeros_like(stored)
    gain = rng.integers(0, config.stored.width, WORDS)
    words = (stored & ((1 << bits) - 1)) | (code < 0) << bits
    # one clock later; the register begins with 0
    expected = np.zeros((FIRST + WORDS, config.lanes), int)
    expected[FIRST] = [read_exactly(config, 0, int(bool(config.memory.kappa)), 0)] * config.lanes
    for n in range(WORDS - 1):
        for lane in range(config.lanes):
            expected[FIRST + n + 1, lane] = read_exactly(
                config, int(stored[n, lane]), int(code[n, lane]), int(gain[n])
            )
    assert word_width(config) == bits + bool(config.memory.kappa)
    check(probe, model, name, drive(probe, {"word": words, "gain": gain}), read=expected)


def check(probe, model, name, words, **outputs):
    channel = model.bench.channels[f"{name}.seen"]
    clocks = FIRST + WORDS
    log = event_log(probe, channel, np.arange(clocks), **outputs)
    result = run(model, {f"{name}.drive": words}, {channel.name: log}, clocks=clocks)
    assert result.mismatch is None, result.mismatch
    assert result.compared == clocks


GAINS = {
    "gains": CoreConfig.of((4, 8, 13, 3)),
    "gains_few": CoreConfig.of((4, 2, 2), memory__bits=6),
}


@pytest.mark.parametrize("name", GAINS)
def test_gains(probes, model, name):
    config, probe = GAINS[name], probes[name]
    rng = np.random.default_rng(1)
    layers, classes = len(config.hidden), config.classes
    state = np.zeros((layers, classes), int)
    columns = {key: [] for key in probe.inputs}
    expected, late = [0] * FIRST, [None, None]
    for n in range(WORDS):
        layer, row, asked, of = (int(rng.integers(top)) for top in (layers, classes) * 2)
        units = config.hidden[layer]
        thresholds = unit_thresholds(units, config.stored.width).tolist()
        if n % 2:  # at a border, or one below it
            total = thresholds[int(rng.integers(len(thresholds)))] - int(rng.integers(2))
        else:
            total = int(units * 2 ** rng.uniform(0, config.stored.width - 1))
        word = {
            "found": rng.random() < 0.5, "total": total, "layer": layer, "row": row,
            "query": asked * classes + of, "set": rng.random() < 0.2,
            "value": int(rng.integers(config.stored.width)), "clear": rng.random() < 0.02,
        }  # fmt: skip
        for key, value in word.items():
            columns[key].append(value)
        expected.append(int(state[asked, of]))
        late.append(None)
        if found := late.pop(0):  # two clocks before
            state[found[0], found[1]] = found[2]
        if word["found"]:
            late[-1] = layer, row, sum(total >= border for border in thresholds)
            rms = log2(max(total, 1) / units * sqrt(pi / 2))
            if abs(rms - floor(rms) - 0.5) > 0.05:  # not at a border: by definition
                assert late[-1][2] == np.clip(round(rms), 0, config.stored.width - 1)
        if word["set"]:
            state[asked, of] = word["value"]
        if word["clear"]:
            state[:] = 0
    check(probe, model, name, drive(probe, columns), gain=expected)
