"""Connections of the units, generated during the walk as in `hebbware.golden.reservoir.cell`."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.random import xorshift32
from ...golden.reservoir.connections import GRANULE, INPUT_KEY_BITS, fixed_words, reversed_decrement
from ..lanes.random import xorshift


class GranuleWords(wiring.Component):
    """The words that the granules draw, one after the other; each granule's can be drawn again.

    Latency: one clock from a command to the next word. Resources: 64 flip-flops.

    Parameters
    ----------
    init : int
        State before the first word.

    Members
    -------
    advance : In(1)
        Draw the next word.
    keep : In(1)
        The word at hand is the first of a granule.
    back : In(1)
        Return to that word.
    restart : In(1)
        Return to the first word of all.
    word : Out(32)
    """

    def __init__(self, init):
        self.init = init
        super().__init__(
            {
                "advance": In(1),
                "keep": In(1),
                "back": In(1),
                "restart": In(1),
                "word": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        first = xorshift32(self.init)
        word, kept = Signal(32, init=first), Signal(32)
        m.d.comb += self.word.eq(word)
        with m.If(self.keep):
            m.d.sync += kept.eq(word)
        with m.If(self.restart):
            m.d.sync += word.eq(first)
        with m.Elif(self.back):
            m.d.sync += word.eq(kept)
        with m.Elif(self.advance):
            m.d.sync += word.eq(xorshift(word))
        return m


def place_bits(config) -> int:
    """Bits of the number of a block within its granule."""
    return (GRANULE // config.lanes).bit_length() - 1


def input_key(config, index) -> Value:
    """The key of an input's number, 32 bits."""
    first, *basis = (int(word) for word in fixed_words(config.seed))
    index = Value.cast(index)
    word = first
    for bit in range(min(INPUT_KEY_BITS, len(index))):
        word = word ^ Mux(index[bit], basis[bit], 0)
    word = Value.cast(word)[:32]
    return word ^ (word.rotate_left(1) & word.rotate_left(8))


def source_block(config, word, block) -> Value:
    """Block of lanes that a tap of `block` reads, given the tap's word."""
    sub, bits = place_bits(config), (config.blocks - 1).bit_length()
    low, high = block[:sub], block[sub:bits]
    if config.topology == "sparse":
        lane_bits = (config.lanes - 1).bit_length()
        where = word[GRANULE:]
        granule = where[lane_bits + sub :][: bits - sub]
        return Cat(low ^ where[lane_bits : lane_bits + sub], granule) if sub else granule
    # a granule back; from the first one to the last, and there a block on
    first = high == 0 if bits > sub else Const(1)
    if not sub:
        return high - 1
    table = Array(int(reversed_decrement(n, sub)) for n in range(1 << sub))
    return Cat(Mux(first, table[low], low)[:sub], (high - 1)[: bits - sub])


def permuted(config, word, block, lanes) -> list[Value]:
    """State that each lane takes from the word that a tap of `block` reads."""
    bits, count = (config.blocks - 1).bit_length(), config.lanes
    if config.topology == "sparse":
        for bit in range((count - 1).bit_length()):
            swap = word[GRANULE + bit]
            lanes = [Mux(swap, lanes[lane ^ 1 << bit], lanes[lane]) for lane in range(count)]
        return lanes
    turned = [lanes[int(reversed_decrement(n, (count - 1).bit_length()))] for n in range(count)]
    wraps = (
        block[:bits] == 0 if bits else Const(1)
    )  # granule 0, and the borrow leaves the number of the block
    return [Mux(wraps, other, own) for other, own in zip(turned, lanes, strict=True)]
