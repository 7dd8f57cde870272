"""Proofs: rounding and saturation in every format that a core uses, adder tree, random numbers.

All for every input; what has registers, at the clock in which its result is there.
"""

import sys
from collections import Counter

import numpy as np
import pytest
from amaranth.hdl import Cat, Const, Fragment, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.proofs import prove, prove_all
from hebbware.golden.arithmetic.fixed import Format
from hebbware.golden.arithmetic.random import rotate_lanes, xorshift_block
from hebbware.golden.config import load, presets
from hebbware.golden.program.pipeline import tree_latency
from hebbware.golden.reservoir import cell as golden_reservoir
from hebbware.hdl.core import Core
from hebbware.hdl.lanes import fixed
from hebbware.hdl.lanes.random import Xorshift32, of_lane
from hebbware.hdl.lanes.tree import AdderTree
from hebbware.hdl.reservoir.block import ReservoirBlock

pytestmark = pytest.mark.usefixtures("yosys")


# -- rounding and saturation ----------------------------------------------------------------------
#
# By what defines the result, not by another way to compute it: ``r`` is ``x / 2**s`` to nearest,
# half up, where ``-2**(s - 1) <= x - r * 2**s < 2**(s - 1)``.


class Rounded(wiring.Component):
    """`round_(x, shift)` of a number of some shape, for a constant shift."""

    def __init__(self, shape, shift, *, round_=fixed.shift_round):
        self.shift, self.round = shift, round_
        super().__init__({"x": In(shape), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        result, up = self.round(self.x, self.shift), max(1 - self.shift, 0)
        error = (self.x << up) - ((result << (self.shift + up)) if self.shift + up else result)
        half = 1 << self.shift - 1 + up
        m.d.comb += self.ok.eq((error >= -half) & (error < half))
        return m


class RoundedBy(wiring.Component):
    """`round_(x, shift, low)` for a shift that comes in, by `low` more."""

    def __init__(self, shape, shift, low=0, *, round_=fixed.shift_round_by):
        self.low, self.round = low, round_
        super().__init__({"x": In(shape), "shift": In(shift), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        result, up = self.round(self.x, self.shift, self.low), max(-self.low, 0)
        error = (self.x << up + 1) - (result << self.shift << self.low + up + 1)
        half = Const(1) << self.shift << self.low + up
        m.d.comb += self.ok.eq((error >= -half) & (error < half))
        return m


class Saturated(wiring.Component):
    """`saturate(x, form)` of a number of some shape."""

    def __init__(self, shape, form, *, saturate=fixed.saturate):
        self.form, self.saturate = form, saturate
        super().__init__({"x": In(shape), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        result, low, high = self.saturate(self.x, self.form), self.form.min, self.form.max
        right = Mux(self.x < low, low, Mux(self.x > high, high, self.x))
        m.d.comb += self.ok.eq(result == right)
        return m


class SaturatedBy(wiring.Component):
    """`operation`, which rounds and saturates for a shift that comes in; a clock later."""

    def __init__(self, shape, shift, low, form, first, *, operation=fixed.shift_saturate_by):
        self.low, self.form, self.first, self.operation = low, form, first, operation
        super().__init__({"x": In(shape), "shift": In(shift), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        result = self.operation(m, self.x, self.shift, self.low, self.form, "it", self.first)
        x, shift = Signal.like(self.x), Signal.like(self.shift)
        m.d.sync += [x.eq(self.x), shift.eq(self.shift)]
        up = max(-self.low, 0)
        error = (x << up + 1) - (result << shift << self.low + up + 1)
        half = Const(1) << shift << self.low + up
        m.d.comb += self.ok.eq(
            ((error >= -half) | (result == self.form.min))
            & ((error < half) | (result == self.form.max))
        )
        return m


PROPERTIES = {
    "shift_round": Rounded,
    "shift_round_by": RoundedBy,
    "saturate": Saturated,
    "shift_saturate_by": SaturatedBy,
}


def arguments(name, *given):
    """What a call of one of the functions means for its property."""
    if name == "shift_saturate_by":
        _, x, shift, low, form, _, first = given
        return Value.cast(x).shape(), Value.cast(shift).shape(), low, form, first
    x, *rest = given
    if name == "shift_round_by":
        rest[0] = Value.cast(rest[0]).shape()
    return Value.cast(x).shape(), *rest


def uses(monkeypatch, *components):
    """Each function's arguments wherever the components call it."""
    found = Counter()
    modules = [module for name, module in sys.modules.items() if name.startswith("hebbware.hdl")]
    for name in PROPERTIES:
        plain = getattr(fixed, name)

        def noted(*given, name=name, plain=plain):
            found[name, *arguments(name, *given)] += 1
            return plain(*given)

        for module in modules:
            if module is not fixed and getattr(module, name, None) is plain:
                monkeypatch.setattr(module, name, noted)
    for component in components:
        Fragment.get(component, None)
    return found


def check(found):
    """Prove each property; names those that do not hold."""
    for name, property_ in PROPERTIES.items():
        props = {key: property_(*key[1:]) for key in found if key[0] == name}
        late = int(name == "shift_saturate_by")
        proofs = prove_all(props, skip=late)
        assert [key for key, proof in proofs.items() if not proof.holds] == []


def test_formats_of_small_presets(monkeypatch):
    small = ("xor", "xor-leaky", "mnist-9k", "mnist-pooled")
    found = uses(
        monkeypatch,
        *(Core(load(name)) for name in small),
        *(Core(load(name).derive(lanes=2)) for name in ("digits-hsic", "digits-reservoir")),
        *(ReservoirBlock(golden_reservoir.load(name)) for name in golden_reservoir.presets()),
    )
    assert {name for name, *_ in found} == set(PROPERTIES)
    check(found)


@pytest.mark.slow  # 2 minutes
def test_formats_of_all_presets(monkeypatch):
    built = [
        config for config in map(load, presets()) if not (config.recurrent or config.convolves)
    ]
    check(uses(monkeypatch, *map(Core, built)))


SHAPES = [signed(1), unsigned(1), signed(2), signed(7), unsigned(9), signed(12)]
FORMATS = [Format(width, 0, sign) for width in (1, 2, 7, 12) for sign in (True, False)]


def test_edges():
    """One bit, equal widths, shifts to the left, by nothing, by all bits and by more."""
    check(
        [
            *(("shift_round", shape, shift) for shape in SHAPES for shift in (-3, 0, 1, 2, 7, 14)),
            *(("shift_round_by", shape, 3, low) for shape in SHAPES for low in (-4, 0, 3)),
            *(("saturate", shape, form) for shape in SHAPES for form in FORMATS),
            *(
                ("shift_saturate_by", shape, 3, low, Format(width, 0), first)
                for shape in (signed(1), signed(7))
                for low in (-4, 0, 3)
                for width in (1, 5, 9)
                for first in (1, 2, 3)
            ),
        ]
    )


def half_down(x, shift):
    return (x + (1 << (shift - 1)) - 1) >> shift


def one_sided(x, form):
    return Mux(x > form.max, form.max, x)[: form.width].as_signed()


def wraps(x, form):
    return x[: form.width].as_signed()


def overflows(m, x, shift, low, form, name, first):
    late = Signal.like(shift)
    m.d.sync += late.eq(shift)
    result = fixed.shift_saturate_by(m, x, shift, low, form, name, first)
    return Mux((late == 3) & (result == form.max), form.min, result)


FAULTS = {
    "one more": lambda: Rounded(signed(9), 3, round_=lambda x, s: fixed.shift_round(x, s) + 1),
    "half down": lambda: Rounded(signed(9), 3, round_=half_down),
    "floor": lambda: RoundedBy(signed(9), 3, 1, round_=lambda x, s, low: x >> (s + low)),
    "not below": lambda: Saturated(signed(9), Format(6, 0), saturate=one_sided),
    "wraps": lambda: Saturated(
        signed(9), Format(6, 0), saturate=lambda x, f: x[: f.width].as_signed()
    ),
    "wraps at a shift": lambda: SaturatedBy(signed(9), 3, 0, Format(6, 0), 2, operation=overflows),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(name):
    assert not prove(FAULTS[name](), skip=int(name == "wraps at a shift")).holds


def test_a_counterexample_of_rounding():
    found = prove(FAULTS["half down"]()).counterexample
    assert found["x"][0] % 8 == 4  # the halves, and they alone


# -- adder tree -----------------------------------------------------------------------------------


class Sum(wiring.Component):
    """The tree's total is the sum of its inputs, `tree_latency` clocks later."""

    def __init__(self, lanes, width, tree=AdderTree):
        self.lanes, self.width = lanes, width
        total_width = width + (lanes - 1).bit_length()
        self.tree = tree(lanes=lanes, width=width, total_width=total_width)
        super().__init__({"x": In(lanes * width), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = self.tree
        m.d.comb += self.tree.inputs.eq(self.x)
        parts = [self.x.word_select(n, self.width).as_signed() for n in range(self.lanes)]
        total = sum(parts[1:], parts[0])
        for _ in range(tree_latency(self.lanes)):
            late = Signal(total.shape())
            m.d.sync += late.eq(total)
            total = late
        m.d.comb += self.ok.eq(self.tree.total == total)
        return m


class Forgets(AdderTree):
    """Leaves out the last lane where all others are negative."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        late = Signal()
        every = Cat(self.inputs[n][-1] for n in range(self.lanes - 1)).all()
        m.d.sync += late.eq(every & (self.inputs[self.lanes - 1] == 1))
        with m.If(late):
            m.d.comb += self.total.eq(1 - self.lanes)
        return m


@pytest.mark.parametrize(("width", "lanes"), [(1, range(1, 18)), (2, range(1, 9))])
def test_adder_tree(width, lanes):
    for latency in sorted({tree_latency(n) for n in lanes}):
        props = {n: Sum(n, width) for n in lanes if tree_latency(n) == latency}
        proofs = prove_all(props, skip=latency)
        assert [n for n, proof in proofs.items() if not proof.holds] == []


def test_an_adder_tree_that_forgets():
    assert not prove(Sum(4, 2, Forgets), skip=1).holds


# -- random numbers -------------------------------------------------------------------------------


def linear(word, images):
    """The image of a word under the linear map with these images of its bits."""
    return Cat(
        Cat(word[bit] for bit in range(32) if int(images[bit]) >> out & 1).xor()
        for out in range(32)
    )


class Stepped(wiring.Component):
    """The word after a word is golden's map of it, where it is to step; else it stays or is set."""

    def __init__(self, generator=Xorshift32):
        self.generator = generator(1)
        super().__init__({"value": In(32), "set": In(1), "step": In(1), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.generator = generator = self.generator
        images = [xorshift_block(1 << bit, 1)[0] for bit in range(32)]
        right = Signal(32, init=1)
        m.d.comb += [
            generator.value.eq(self.value),
            generator.set.eq(self.set),
            generator.step.eq(self.step),
            self.ok.eq(generator.word == right),
        ]
        stepped = Mux(self.step, linear(generator.word, images), generator.word)
        m.d.sync += right.eq(Mux(self.set, self.value, stepped))
        return m


class Sticks(Xorshift32):
    """Does not step in the clock after a word was set."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        late = Signal()
        m.d.sync += late.eq(self.set)
        kept = Signal(32)
        m.d.sync += kept.eq(self.word)
        with m.If(late & self.step):
            m.d.comb += self.word.eq(kept)
        return m


class Turned(wiring.Component):
    """What each lane sees of a word is golden's rotation of it."""

    def __init__(self, lanes=70, turn=of_lane):
        self.lanes, self.turn = lanes, turn
        super().__init__({"word": In(32), "ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
        images = rotate_lanes(bits, self.lanes)  # (bits, lanes)
        seen = Cat(self.turn(self.word, lane) for lane in range(self.lanes))
        right = Cat(linear(self.word, images[:, lane]) for lane in range(self.lanes))
        m.d.comb += self.ok.eq(seen == right)
        return m


def test_random_words():
    """By induction, so for any number of steps."""
    assert prove(Stepped(), clocks=2, induction=True).holds
    assert prove(Turned()).holds


def test_other_random_words():
    assert not prove(Stepped(Sticks), clocks=5).holds
    assert not prove(Turned(turn=lambda word, lane: word.rotate_right(lane % 32))).holds
