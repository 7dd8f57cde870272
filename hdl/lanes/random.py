"""The random number generator of the core; `hebbware.golden.arithmetic.random`."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.random import xorshift_block


def xorshift(word):
    """The word after `word`, 32 bits."""
    word = word ^ (word << 13)[:32]
    word = word ^ (word >> 17)
    return word ^ (word << 5)[:32]


def moved_on(word, steps: int):
    """The word so many steps after `word`: each of its bits is a sum of bits, modulo 2."""
    if not steps:
        return word
    columns = [int(xorshift_block(1 << bit, steps)[-1]) for bit in range(32)]
    return Cat(
        Cat(word[bit] for bit in range(32) if columns[bit] >> row & 1).xor() for row in range(32)
    )


def of_lane(word, lane: int):
    """Random word of a lane: `word` rotated left by the number of the lane."""
    return word.rotate_left(lane % 32)


class Xorshift32(wiring.Component):
    """32-bit xorshift: `word` is the state.

    Latency: one clock from `step` to the next word. Resources: 32 flip-flops, three XOR levels, six
    with `twice`.

    Parameters
    ----------
    init : int
        State after reset, not 0.
    twice : bool
        Adds the member of that name.
    stride : int
        Adds the member `jump`, where it is not 0.

    Members
    -------
    step : In(1)
    twice : In(1)
        With `step`: to the word after the next one.
    jump : In(1)
        To the word `stride` words on, whatever `step` is.
    set : In(1)
        Load `value` instead.
    value : In(32)
    word : Out(32)
    """

    def __init__(self, init, *, twice=False, stride=0):
        if not 0 < init < 1 << 32:
            raise ValueError(f"init must be a 32-bit number other than 0, not {init!r}")
        self.init, self.twofold, self.stride = init, twice, stride
        more = {"twice": In(1)} if twice else {}
        more |= {"jump": In(1)} if stride else {}
        super().__init__({"step": In(1), "set": In(1), "value": In(32), "word": Out(32)} | more)

    def elaborate(self, platform):
        m = Module()
        state = Signal(32, init=self.init)
        with m.If(self.set):
            m.d.sync += state.eq(self.value)
        if self.stride:
            with m.Elif(self.jump):
                m.d.sync += state.eq(moved_on(state, self.stride))
        with m.Elif(self.step):
            following = xorshift(state)
            if self.twofold:
                following = Mux(self.twice, xorshift(following), following)
            m.d.sync += state.eq(following)
        m.d.comb += self.word.eq(state)
        return m
