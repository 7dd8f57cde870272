"""The random number generator of the core; `hebbware.golden.arithmetic.random`."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


def xorshift(word):
    """The word after `word`, 32 bits."""
    word = word ^ (word << 13)[:32]
    word = word ^ (word >> 17)
    return word ^ (word << 5)[:32]


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

    Members
    -------
    step : In(1)
    twice : In(1)
        With `step`: to the word after the next one.
    set : In(1)
        Load `value` instead.
    value : In(32)
    word : Out(32)
    """

    def __init__(self, init, *, twice=False):
        if not 0 < init < 1 << 32:
            raise ValueError(f"init must be a 32-bit number other than 0, not {init!r}")
        self.init, self.twofold = init, twice
        more = {"twice": In(1)} if twice else {}
        super().__init__({"step": In(1), "set": In(1), "value": In(32), "word": Out(32)} | more)

    def elaborate(self, platform):
        m = Module()
        state = Signal(32, init=self.init)
        with m.If(self.set):
            m.d.sync += state.eq(self.value)
        with m.Elif(self.step):
            following = xorshift(state)
            if self.twofold:
                following = Mux(self.twice, xorshift(following), following)
            m.d.sync += state.eq(following)
        m.d.comb += self.word.eq(state)
        return m
