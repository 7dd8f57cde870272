"""Nested counters, and an address that moves along with them."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Raster(wiring.Component):
    """Counts through nested levels; the address moves by an amount of the level that counts.

    Level 0 is the innermost. With a move, the first level that is not at its last number goes on
    by one, and all below it return to 0; behind the last one of all, everything returns to 0.
    Addresses are numbers modulo a power of two.

    Latency: all that is put out holds from the clock after `move` or `clear` on.

    Parameters
    ----------
    shapes : sequence of shape
        Of the number of each level.
    address : shape

    Members
    -------
    move : In(1)
    clear : In(1)
        Return to 0; goes before `move`.
    last_0, last_1, .. : In
        Last number of each level.
    add_0, add_1, .. : In
        What the address moves by where that level goes on.
    count_0, count_1, .. : Out
    ends : Out, a bit for each level
        The level, and all below it, are at their last numbers.
    address : Out
    """

    def __init__(self, shapes, address):
        self.levels = range(len(shapes))
        members = {"move": In(1), "clear": In(1), "ends": Out(len(shapes))}
        for level, shape in enumerate(shapes):
            members |= {
                f"last_{level}": In(shape),
                f"add_{level}": In(address),
                f"count_{level}": Out(shape),
            }
        super().__init__(members | {"address": Out(address)})

    def elaborate(self, platform):
        m = Module()
        counts, lasts, adds = (
            [getattr(self, f"{of}_{level}") for level in self.levels]
            for of in ("count", "last", "add")
        )
        at_last = [count == last for count, last in zip(counts, lasts, strict=True)]
        m.d.comb += self.ends.eq(Cat(Cat(at_last[: level + 1]).all() for level in self.levels))
        moved = self.address + adds[-1]
        for level in reversed(self.levels[:-1]):
            moved = Mux(self.ends[level], moved, self.address + adds[level])
        with m.If(self.clear | self.move & self.ends[-1]):
            m.d.sync += [*(count.eq(0) for count in counts), self.address.eq(0)]
        with m.Elif(self.move):
            m.d.sync += self.address.eq(moved)
            for level, count in enumerate(counts):
                with m.If(self.ends[level - 1] if level else 1):
                    m.d.sync += count.eq(Mux(self.ends[level], 0, count + 1))
        return m
