"""Where a step of a convolution reads: a tap of the patch at a position of a map."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .raster import Raster

# what is said of the map and of the walk over it, see `Window`
SIZES = ("rows", "columns", "pad", "wide", "channels", "share", "across", "along", "down")
ADDS = ("tap_next", "tap_row", "along_next", "down_next")
CELLS = ("cell_wide", "cell_across", "cell_down", "cell_next", "cell_back")


class Window(wiring.Component):
    """Address of the number that a step reads: that of its position plus that of its tap.

    Taps are walked channel by channel, then along a row of the patch, then row by row; positions
    along a row, then row by row. In most walks all taps come at one position; `crossed` ones take
    all positions at one tap.

    Latency: all that is put out holds from the clock after `issue` or `clear` on.

    Parameters
    ----------
    side : int
        Largest number of rows, or columns, of a map or a patch.
    channels : int
        Largest number of channels.
    lanes : int
    address : shape
    groups : int
        Groups of lanes that may read different numbers.

    Members
    -------
    issue, inner_last, turn : In(1)
        A step is issued; it is the last one of the innermost loop, of the two innermost ones.
    clear : In(1)
        A pass begins; the numbers of its map are there a clock later.
    crossed : In(1)
    single : In(1)
        Every number has an address of its own; else words of all lanes have.
    rows, columns, pad : In
        Of the map, and how many zeros lie around it.
    wide, channels : In
        Last column of the patch, and last channel.
    share : In
        Last of the positions that are walked at the same place.
    across, along, down : In
        Column of the last position of a row, columns from a position to the next, rows to the next
        row of positions.
    tap_next, tap_row : In
        What the address moves by with the next column of a patch, and with its next row.
    along_next, down_next : In
        The same with the next position, and with the next row of positions.
    cell_wide, cell_across, cell_down, cell_next, cell_back : In
        Last position across a cell, last cell across the map, last position down a cell; words of
        a cell, and what a row of cells takes back.
    shift_1, .. : In
        Columns by which the position of each other group of lanes lies further.
    address : Out
        Of the first group's position, relative to that of the first tap at the first position.
    share_now : Out
    lane : Out
    inside : Out, a bit for each group of lanes
        The number lies within the map; else it is 0.
    tail : Out(1)
        The channel is the last one.
    cell : Out
        First word of the position's cell.
    """

    def __init__(self, *, side, channels, lanes, address, groups=1):
        self.lanes, self.groups = lanes, range(1, groups)
        self.numbers = side.bit_length() + 1
        sizes = {name: In(self.numbers) for name in SIZES}
        sizes["channels"] = In(range(max(channels, 2)))
        cells = {name: In(self.numbers) for name in CELLS[:3]}
        bits = {"issue": 1, "inner_last": 1, "turn": 1, "clear": 1, "crossed": 1, "single": 1}
        super().__init__(
            {name: In(width) for name, width in bits.items()}
            | sizes
            | cells
            | {name: In(address) for name in (*ADDS, *CELLS[3:])}
            | {
                "address": Out(address),
                "lane": Out(range(max(lanes, 2))),
                "inside": Out(groups),
                "share_now": Out(self.numbers),
                "tail": Out(1),
                "cell": Out(address),
            }
            | {f"shift_{group}": In(self.numbers) for group in self.groups}
        )

    def elaborate(self, platform):
        m = Module()
        number, address = self.numbers, self.address.shape()
        channel = self.channels.shape()
        m.submodules.taps = taps = Raster([channel, number, number], address)
        m.submodules.cells = cells = Raster([number] * 4, address)
        turn = self.issue & self.turn
        full = Signal()  # the word's lanes are through
        m.d.comb += [
            full.eq(self.single | taps.ends[0] | (self.lane == self.lanes - 1)),
            taps.clear.eq(self.clear | self.issue & Mux(self.crossed, self.turn, self.inner_last)),
            taps.move.eq(self.issue & (~self.crossed | self.inner_last)),
            taps.last_0.eq(self.channels),
            taps.last_1.eq(self.wide),
            taps.last_2.eq(-1),
            taps.add_0.eq(full),
            taps.add_1.eq(self.tap_next),
            taps.add_2.eq(self.tap_row),
            cells.clear.eq(self.clear),
            cells.move.eq(turn),
            cells.last_0.eq(self.cell_wide),
            cells.last_1.eq(self.cell_across),
            cells.last_2.eq(self.cell_down),
            cells.last_3.eq(-1),
            cells.add_1.eq(self.cell_next),
            cells.add_2.eq(self.cell_back),
            cells.add_3.eq(self.cell_next),
            self.cell.eq(cells.address),
            self.tail.eq(taps.ends[0]),
        ]
        with m.If(taps.clear):
            m.d.sync += self.lane.eq(0)
        with m.Elif(taps.move):
            m.d.sync += self.lane.eq(Mux(full, 0, self.lane + 1))
        clears = self.clear | self.issue & self.crossed & self.inner_last
        self._position(m, taps, clears, Mux(self.crossed, self.issue, turn))
        return m

    def _position(self, m, taps, clears, moves):
        """Column and row of the position; whether the number lies within the map."""
        left, top = Signal(self.numbers), Signal(self.numbers)
        base, last = Signal.like(self.address), left == self.across
        with m.If(clears):
            m.d.sync += [left.eq(0), top.eq(0), base.eq(0), self.share_now.eq(0)]
        with m.Elif(moves & (self.share_now != self.share)):
            m.d.sync += self.share_now.eq(self.share_now + 1)
        with m.Elif(moves):
            m.d.sync += [
                self.share_now.eq(0),
                left.eq(Mux(last, 0, left + self.along)),
                top.eq(top + Mux(last, self.down, 0)),
                base.eq(base + Mux(last, self.down_next, self.along_next)),
            ]
        column, row = (Signal(signed(self.numbers + 2), name=name) for name in ("column", "row"))
        m.d.comb += [
            column.eq(left + taps.count_1 - self.pad),
            row.eq(top + taps.count_2 - self.pad),
            self.address.eq(base + taps.address),
        ]
        inside = [(column >= 0) & (column < self.columns)]
        for group in self.groups:
            shifted = column + getattr(self, f"shift_{group}")
            inside.append((shifted >= 0) & (shifted < self.columns))
        m.d.comb += self.inside.eq(Mux((row >= 0) & (row < self.rows), Cat(inside), 0))
