"""Convolutions: a small kernel at every position of a map, normalised and learned there.

Maps are arrays (rows, columns, channels). Weights have shape ``(kernel**2 * channels + 1,
features)``: rows are taps (row, column, channel of the patch), the last one is the bias, whose
input is always 1.0. Around the map lie zeros. Arithmetic of a whole map:
`hebbware.golden.layers.maps`.
"""

from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from ..errors import InputError
from ..program.layout import Form
from ..program.passes import make
from ..program.pipeline import CLUSTER, collects, stages
from ..program.walk import Kind
from ..settings.tables import choice_of, real, whole
from .base import Layer


class Window(NamedTuple):
    """How a convolution lies over the map that it reads.

    Members
    -------
    rows, columns, channels : int
        Of the map that it reads.
    kernel, stride : int
    down, across : int
        Rows and columns of positions.
    pool, grid : int
    """

    rows: int
    columns: int
    channels: int
    kernel: int
    stride: int
    down: int
    across: int
    pool: int
    grid: int

    @property
    def taps(self) -> int:
        """Numbers of a patch."""
        return self.kernel**2 * self.channels

    @property
    def positions(self) -> int:
        """Patches."""
        return self.down * self.across

    @property
    def pooled(self) -> tuple[int, int]:
        """Rows and columns of the pooled map."""
        return self.down // self.pool, self.across // self.pool

    @property
    def cell(self) -> tuple[int, int]:
        """Rows and columns of positions in a cell."""
        return self.down // self.grid, self.across // self.grid

    @property
    def pool_shift(self) -> int:
        """log2 of the positions of a square."""
        return 2 * (self.pool.bit_length() - 1)

    @property
    def cell_shift(self) -> int:
        """log2 of the positions of a cell, rounded up."""
        return (self.cell[0] * self.cell[1] - 1).bit_length()


@dataclass(frozen=True, kw_only=True)
class Conv(Layer):
    """Every feature has a weight for each number of a patch; learns by the class memory.

    Parameters
    ----------
    features : int
        2..128; normalised at every position over the features.
    kernel : int
        Rows and columns of a patch: 1, 3 or 5.
    stride : int
        Rows and columns from a patch to the next one, 1 or 2.
    pool : int
        What comes out is averaged over squares of so many positions: 1, 2 or 4.
    grid : int
        The class memory sees averages over so many times so many cells of the map, 1..8.
    rate : int, optional
        By default 11 and half of log2 of the positions: the changes of all are added up.
    init_std : float, optional
        By default ``n**-0.5`` of the n numbers of a patch, within the range of the weights.
    narrow : int
        Weights span ``-2 .. 2`` times ``2**-narrow``, in steps as much finer; 0..6.
    gain : int
        Those averages are multiplied by ``2**gain`` before they are rounded, 0..6; similarities
        stay what they are.
    """

    kind = "conv"
    row_inner = True
    bias = True
    features: int = whole(2, 2, 128)
    kernel: int = choice_of(3, (1, 3, 5))
    stride: int = choice_of(1, (1, 2))
    pool: int = choice_of(1, (1, 2, 4))
    grid: int = whole(1, 1, 8)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)
    narrow: int = whole(0, 0, 6)
    gain: int = whole(0, 0, 6)

    def window(self, rows: int, columns: int, channels: int) -> Window:
        """How it lies over a map of that shape."""
        down, across = -(-rows // self.stride), -(-columns // self.stride)
        return Window(
            rows, columns, channels, self.kernel, self.stride, down, across, self.pool, self.grid
        )

    def check(self, config, number):
        w = self.window(*config.map_shape(number))
        where = f"layer {number + 1}, which reads a map of {w.rows}x{w.columns}"
        side, least = min(w.rows, w.columns), min(w.down, w.across)
        limits = (("kernel", side), ("stride", side), ("pool", least), ("grid", least))
        for name, most in limits:
            if getattr(self, name) > most:
                raise InputError(
                    f"layer.{name} must be at most {most} in {where}, not {getattr(self, name)}"
                )
        for name in ("pool", "grid"):
            if w.down % getattr(self, name) or w.across % getattr(self, name):
                raise InputError(
                    f"layer.{name} must divide the {w.down}x{w.across} positions of {where}, "
                    f"not {getattr(self, name)}"
                )
        if self.gain > w.cell_shift:
            raise InputError(
                f"layer.gain must be at most {w.cell_shift} in {where}, where a cell has "
                f"{w.cell[0]}x{w.cell[1]} positions, not {self.gain}"
            )

    # -- sizes and forms ---------------------------------------------------------------------------

    def shape(self, config, number):
        return config.windows[number].taps + 1, self.features

    def outputs(self, config, number):
        rows, columns = config.windows[number].pooled
        return rows * columns * self.features

    def remembered(self, config, number):
        return self.grid**2 * self.features

    def _form(self, config, number, places):
        width, groups = self.groups(config, number)
        return Form(places, self.features, groups, width, config.lanes)

    def groups(self, config, number) -> tuple[int, int]:
        """Lanes for a position's features, and positions that share a word.

        A power of two of whole clusters each, of a power of two of lanes. Positions of a word lie
        in the same cell, and its groups are filled by the pooled map too.
        """
        lanes, w, groups = config.lanes, config.windows[number], 1
        if lanes & (lanes - 1):
            return lanes, 1
        while (
            lanes // (2 * groups) >= max(self.features, CLUSTER)
            and w.cell[1] % (2 * groups) == 0
            and w.pooled[0] * w.pooled[1] % (2 * groups) == 0
        ):
            groups *= 2
        return lanes // groups, groups

    def map_form(self, config, number):
        return self._form(config, number, config.windows[number].positions)

    def memory_form(self, config, number):
        """A cell's word is the same in all groups: what a position reads of it is at hand."""
        width, _ = self.groups(config, number)
        return Form(self.grid**2, self.features, 1, width, config.lanes)

    def weight_form(self, config, number):
        width, _ = self.groups(config, number)
        return Form(1, self.features, 1, width, config.lanes)

    def output_form(self, config, number):
        rows, columns = config.windows[number].pooled
        return self._form(config, number, rows * columns)

    # -- start and steps ---------------------------------------------------------------------------

    def usual_rate(self, config, number):
        return min(11 + round(log2(config.windows[number].positions) / 2), 20)

    def usual_std(self, config, number):
        return min(config.windows[number].taps ** -0.5, 2.0**-self.narrow)

    def step_shift(self, config, number):
        product = config.source(number).fraction + config.d.fraction
        return product + self.rate - config.weight_fraction(number)

    # -- passes ------------------------------------------------------------------------------------

    def forward(self, config, number, *waits):
        return [make(config, Kind.CONVOLVE, number, *waits, **self._facts(config, number))]

    def update(self, config, number, *waits):
        facts, form = self._facts(config, number), self.map_form(config, number)
        facts["positions"] += collects(config, form)
        # the weight is read with the last position only
        at = stages(config)
        meets = (at.write - at.read_weights) % facts["positions"] == 0
        pace = 2 if config.weight_ports == 1 and meets else 1
        return [make(config, Kind.CORRELATE, number, *waits, pace=pace, **facts)]

    def _facts(self, config, number):
        rows, _ = self.shape(config, number)
        return {"count": rows, **self.positions(config, number)}

    def positions(self, config, number):
        form = self.map_form(config, number)
        return {"blocks": form.blocks, "positions": form.words // form.blocks}

    def finish(self, config, number):
        form, w = self.map_form(config, number), config.windows[number]
        targets = (
            (Kind.POOL, w.pooled[0] * w.pooled[1], w.pool, w.pool),
            (Kind.CELLS, w.grid**2, *w.cell),
        )
        found = []
        for kind, places, rows, columns in targets:
            if kind is Kind.CELLS and not config.learns_hidden:
                continue
            steps = rows * max(columns // form.groups, 1) + collects(config, form)
            found.append(
                make(
                    config, kind, number, f"normalise{number}",
                    count=steps, blocks=form.blocks, positions=places,
                )
            )  # fmt: skip
        return found

    def output(self, number):
        return f"{Kind.POOL}{number}"

    def seen(self, number):
        return f"{Kind.CELLS}{number}"
