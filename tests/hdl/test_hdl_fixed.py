# amaranth: UnusedElaboratable=no
"""Fixed-point arithmetic in hardware against exact rationals."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from amaranth.hdl import Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.arithmetic import fixed as golden
from hebbware.golden.arithmetic.fixed import Format
from hebbware.hdl.lanes.fixed import saturate, shift_round, shift_round_by

SHIFTS = (-3, 0, 1, 4, 12)
LOWS = (-4, 0, 3)
CLIPS = [Format(width, 0) for width in (12, 5, 2, 16)]
CLIPS += [Format(width, 0, signed=False) for width in (6, 11, 1)]
WORDS = 2000


def nearest(raw, shift):
    """``raw * 2**-shift`` to nearest, half up, on rationals."""
    return floor(Fraction(int(raw)) / Fraction(2) ** int(shift) + Fraction(1, 2))


def clip(raw, fmt):
    return min(max(int(raw), fmt.min), fmt.max)


# by name the operations on plain integers, in hardware and exactly; the shift is known at run time
PLAIN = (
    {
        f"round_{i}": (lambda raw, _, n=n: shift_round(raw, n), lambda raw, _, n=n: nearest(raw, n))
        for i, n in enumerate(SHIFTS)
    }
    | {
        f"round_by_{i}": (
            lambda raw, shift, n=n: shift_round_by(raw, shift, n),
            lambda raw, shift, n=n: nearest(raw, n + int(shift)),
        )
        for i, n in enumerate(LOWS)
    }
    | {
        f"clip_{i}": (lambda raw, _, f=f: saturate(raw, f), lambda raw, _, f=f: clip(raw, f))
        for i, f in enumerate(CLIPS)
    }
)


class Arithmetic(wiring.Component):
    """All operations on plain integers, without a clock."""

    def __init__(self):
        self.results = {}
        members = {"raw": In(signed(11)), "positive": In(unsigned(9)), "shift": In(3)}
        for which in ("raw", "positive"):
            shape = members[which].shape
            for name, (operation, _) in PLAIN.items():
                dry = Value.cast(operation(Signal(shape), Signal(3)))
                self.results[f"{which}_{name}"] = dry.shape()
        super().__init__(members | {name: Out(shape) for name, shape in self.results.items()})

    def elaborate(self, platform):
        m = Module()
        for which in ("raw", "positive"):
            for name, (operation, _) in PLAIN.items():
                value = operation(getattr(self, which), self.shift)
                m.d.comb += getattr(self, f"{which}_{name}").eq(value)
        return m


def samples(rng, fmt):
    """Random raw values, and the corners."""
    values = rng.integers(fmt.min, fmt.max + 1, WORDS)
    corners = {fmt.min, fmt.min + 1, 0, 1, fmt.max - 1, fmt.max, -1, fmt.max // 2}
    corners = sorted(c for c in corners if fmt.min <= c <= fmt.max)
    return values, corners


def test_every_operation_equals_exact_arithmetic():
    block = Arithmetic()
    probe = Probe(block, {"seen": Event(tuple(block.results), lambda _, word: word.ask)})
    model = build(probe, quick=True)
    rng = np.random.default_rng(0)
    values = {"ask": np.ones(WORDS, int)}
    formats = {"raw": Format(11, 0), "positive": Format(9, 0, False), "shift": Format(3, 0, False)}
    corners = {}
    for name, fmt in formats.items():
        values[name], corners[name] = samples(rng, fmt)
    for name in ("raw", "positive"):
        pairs = [(v, s) for v in corners[name] for s in range(8)]
        at = slice(0, len(pairs)) if name == "raw" else slice(100, 100 + len(pairs))
        values[name][at], values["shift"][at] = zip(*pairs, strict=True)

    expected = {}
    for which in ("raw", "positive"):
        for name, (_, definition) in PLAIN.items():
            pairs = zip(values[which], values["shift"], strict=True)
            expected[f"{which}_{name}"] = [definition(raw, shift) for raw, shift in pairs]
    log = event_log(probe, model.bench.channels["seen"], FIRST + np.arange(WORDS), **expected)
    result = run(model, {"drive": drive(probe, values)}, {"seen": log})
    assert result.mismatch is None
    assert result.compared == WORDS


@pytest.mark.parametrize("shape", [signed(3), signed(7), signed(12), unsigned(3), unsigned(9)])
@pytest.mark.parametrize("fmt", [Format(7, 2), Format(7, 2, signed=False)])
def test_saturated_values_have_the_shape_of_the_format(shape, fmt):
    value = Value.cast(saturate(Signal(shape), fmt))
    assert value.shape() == Shape(fmt.width, fmt.signed)  # also where nothing can be clipped


def test_golden_rounds_and_clips_in_the_same_way():
    rng = np.random.default_rng(1)
    for raw in rng.integers(-5000, 5000, 200).tolist():
        for shift in (-3, 0, 1, 5, 12):
            assert golden.shift_round(raw, shift) == nearest(raw, shift)
        assert golden.saturate(raw, Format(7, 0)) == clip(raw, Format(7, 0))
