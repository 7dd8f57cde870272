# amaranth: UnusedElaboratable=no
"""Fixed-point arithmetic in hardware against exact rationals."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden import fixed as golden
from hebbware.golden.fixed import Format
from hebbware.hdl.fixed import Fixed, FixedValue, saturate, shift_round, shift_round_by

# formats of the operands, and the format that results are squeezed into
PAIRS = [
    (Format(8, 4), Format(8, 4), Format(6, 2)),
    (Format(12, 10), Format(5, 1), Format(8, 6)),
    (Format(9, 9, signed=False), Format(7, 5), Format(8, 3)),
    (Format(4, -2), Format(6, 3, signed=False), Format(5, 0, signed=False)),
    (Format(1, 0), Format(3, 5), Format(2, 4)),
    (Format(6, 0, signed=False), Format(5, 2, signed=False), Format(9, 2)),
]
SHIFTS = (-3, 0, 1, 4, 12)
LOWS = (-4, 0, 3)
CLIPS = [Format(width, 0) for width in (12, 5, 2, 16)]
CLIPS += [Format(width, 0, signed=False) for width in (6, 11, 1)]
WORDS = 2000


def operations(a, b, target):
    """By name the result of each operation on two fixed-point values."""
    return {
        "sum": a + b,
        "difference": a - b,
        "product": a * b,
        "rounded": (a * b).round_to(target.fraction),
        "clipped": (a * b).round_to(target.fraction).saturate(target),
        "refined": a.round_to(a.format.fraction + 2),
    }


def exact(name, a, b, target):
    """The same on rationals, by the definitions."""
    results = {"sum": a + b, "difference": a - b, "product": a * b, "refined": a}
    if name in results:
        return results[name]
    unit = Fraction(1, 2) ** target.fraction
    steps = floor(a * b / unit + Fraction(1, 2))  # to nearest, half up
    if name == "clipped":
        steps = min(max(steps, target.min), target.max)
    return steps * unit


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
    """All operations on all pairs of formats, and on plain integers, without a clock."""

    def __init__(self):
        self.results = {}
        members = {"raw": In(signed(11)), "positive": In(unsigned(9)), "shift": In(3)}
        for n, (a, b, target) in enumerate(PAIRS):
            members |= {f"a{n}": In(Fixed(a)), f"b{n}": In(Fixed(b))}
            dry = operations(Fixed(a)(Signal(Fixed(a).as_shape())), _signal(b), target)
            self.results |= {f"{name}_{n}": value.shape() for name, value in dry.items()}
        for which in ("raw", "positive"):
            shape = members[which].shape
            for name, (operation, _) in PLAIN.items():
                dry = Value.cast(operation(Signal(shape), Signal(3)))
                self.results[f"{which}_{name}"] = dry.shape()
        super().__init__(members | {name: Out(shape) for name, shape in self.results.items()})

    def elaborate(self, platform):
        m = Module()
        for n, (_, _, target) in enumerate(PAIRS):
            pair = getattr(self, f"a{n}"), getattr(self, f"b{n}")
            for name, value in operations(*pair, target).items():
                m.d.comb += getattr(self, f"{name}_{n}").eq(value)
        for which in ("raw", "positive"):
            for name, (operation, _) in PLAIN.items():
                value = operation(getattr(self, which), self.shift)
                m.d.comb += getattr(self, f"{which}_{name}").eq(value)
        return m


def _signal(fmt):
    return Fixed(fmt)(Signal(Fixed(fmt).as_shape()))


def samples(rng, fmt):
    """Random raw values, and at the beginning all pairs of corners."""
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
    formats = {f"{side}{n}": PAIRS[n][i] for n in range(len(PAIRS)) for i, side in enumerate("ab")}
    formats |= {"raw": Format(11, 0), "positive": Format(9, 0, False), "shift": Format(3, 0, False)}
    corners = {}
    for name, fmt in formats.items():
        values[name], corners[name] = samples(rng, fmt)
    for n in range(len(PAIRS)):
        pairs = [(a, b) for a in corners[f"a{n}"] for b in corners[f"b{n}"]]
        values[f"a{n}"][: len(pairs)], values[f"b{n}"][: len(pairs)] = zip(*pairs, strict=True)
    for name in ("raw", "positive"):
        pairs = [(v, s) for v in corners[name] for s in range(8)]
        at = slice(0, len(pairs)) if name == "raw" else slice(100, 100 + len(pairs))
        values[name][at], values["shift"][at] = zip(*pairs, strict=True)

    expected = {}
    for n, (fa, fb, target) in enumerate(PAIRS):
        for name in ("sum", "difference", "product", "rounded", "clipped", "refined"):
            fraction = block.results[f"{name}_{n}"].fmt.fraction
            column = []
            for a, b in zip(values[f"a{n}"].tolist(), values[f"b{n}"].tolist(), strict=True):
                real = [Fraction(v) / Fraction(2) ** f.fraction for v, f in ((a, fa), (b, fb))]
                raw = exact(name, *real, target) * Fraction(2) ** fraction
                assert raw.denominator == 1, "the format of the result is too coarse"
                column.append(int(raw))
            fmt = block.results[f"{name}_{n}"].fmt
            assert fmt.min <= min(column) <= max(column) <= fmt.max
            expected[f"{name}_{n}"] = column
    for which in ("raw", "positive"):
        for name, (_, definition) in PLAIN.items():
            pairs = zip(values[which], values["shift"], strict=True)
            expected[f"{which}_{name}"] = [definition(raw, shift) for raw, shift in pairs]
    log = event_log(probe, model.bench.channels["seen"], FIRST + np.arange(WORDS), **expected)
    result = run(model, {"drive": drive(probe, values)}, {"seen": log})
    assert result.mismatch is None
    assert result.compared == WORDS


def test_widths_are_just_enough():
    a, b = _signal(Format(8, 4)), _signal(Format(8, 4))
    assert (a + b).format == Format(9, 4)
    assert (a * b).format == Format(16, 8)
    u = _signal(Format(4, 2, signed=False))
    assert (u + u).format == Format(5, 2, signed=False)
    assert (u - u).format == Format(5, 2)
    assert (a * b).round_to(4).format == Format(13, 4)  # 32767 / 16 rounds up
    assert (a * b).saturate(Format(3, 8)).format == Format(3, 8)


@pytest.mark.parametrize("shape", [signed(3), signed(7), signed(12), unsigned(3), unsigned(9)])
@pytest.mark.parametrize("fmt", [Format(7, 2), Format(7, 2, signed=False)])
def test_saturated_values_have_the_shape_of_the_format(shape, fmt):
    value = Value.cast(saturate(Signal(shape), fmt))
    assert value.shape() == Fixed(fmt).as_shape()  # also where nothing can be clipped


def test_golden_rounds_and_clips_in_the_same_way():
    rng = np.random.default_rng(1)
    for raw in rng.integers(-5000, 5000, 200).tolist():
        for shift in (-3, 0, 1, 5, 12):
            assert golden.shift_round(raw, shift) == nearest(raw, shift)
        assert golden.saturate(raw, Format(7, 0)) == clip(raw, Format(7, 0))


def test_constants_and_equality():
    fmt = Format(6, 3)
    shape = Fixed(fmt)
    assert shape == Fixed(Format(6, 3))
    assert shape != Fixed(Format(6, 2))
    assert hash(shape) == hash(Fixed(Format(6, 3)))
    assert repr(shape) == "Fixed(s6.3)"
    assert shape.const(-32).value == -32
    assert shape.const(None).value == 0
    assert shape.from_bits(0b111111).value == -1
    assert Fixed(Format(6, 3, signed=False)).from_bits(0b111111).value == 63
    assert isinstance(Signal(shape), FixedValue)


@pytest.mark.parametrize("raw", [32, -33])
def test_constant_out_of_range(raw):
    with pytest.raises(ValueError, match=rf"raw value must lie in -32..31, not {raw}"):
        Fixed(Format(6, 3)).const(raw)


def test_losing_bits_is_an_error():
    narrow, wide, finer = (Signal(Fixed(Format(*f))) for f in ((8, 4), (9, 4), (8, 5)))
    wide.eq(narrow)
    with pytest.raises(TypeError, match=r"assigning s9.4 to s8.4 would lose bits"):
        narrow.eq(wide)
    with pytest.raises(TypeError, match=r"assigning s8.5 to s8.4 would lose bits"):
        narrow.eq(finer)
    with pytest.raises(TypeError, match="must be assigned from another, not 3"):
        narrow.eq(3)
    with pytest.raises(TypeError, match=r"saturating s8.5 to s8.4 changes the fraction"):
        finer.saturate(Format(8, 4))
    with pytest.raises(TypeError, match="fmt must be a Format, not 8"):
        Fixed(8)
