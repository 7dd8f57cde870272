"""What a layer must say, to golden and the RTL. A new one is a module in this folder and its row in
`LAYERS`; it brings the passes that it is walked in (`hebbware.golden.program.walk`).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..program.layout import Layout
from ..program.passes import make
from ..program.walk import Kind, Pass
from ..settings.tables import Table


class Part(NamedTuple):
    """Rows of weights that begin alike.

    Members
    -------
    first, rows : int
    std : float
        Standard deviation of their uniform start weights.
    """

    first: int
    rows: int
    std: float


@dataclass(frozen=True, kw_only=True)
class Layer(Table):
    """Base of all kinds. `number` is that of the weight layer, the readout's being the last.

    Parameters
    ----------
    rate : int, optional
        Weights move in steps of ``2**-rate``, 0..20; by default 7 in the first layer, 8 in the
        readout, 6 in others.
    init_std : float, optional
        Standard deviation of the uniform start weights; by default 0.1 in the first layer,
        ``n**-0.5`` of n inputs in others, half of that in the readout.
    """

    table = "layer"
    row_inner: ClassVar[bool]  # rows are walked, and lie, inside a block; else blocks inside a row
    bias: ClassVar[bool]  # the last row is the bias; it starts with 0

    def shape(self, config, number: int) -> tuple[int, int]:
        """Rows of the weights, and units that the lanes hold."""
        raise NotImplementedError

    def step_shift(self, config, number: int) -> int:
        """Shift that brings pre x post to weight units, before the schedule of the rates."""
        raise NotImplementedError

    def forward(self, config, number: int, *waits: str) -> list[Pass]:
        """Passes of its weighted sums, which begin when all of `waits` is done."""
        raise NotImplementedError

    def update(self, config, number: int, *waits: str) -> list[Pass]:
        """Passes that change its weights; none where they stay as they are."""
        raise NotImplementedError

    def parts(self, config, number: int) -> tuple[Part, ...]:
        """Parts of its weights, in the order in which they get their start values."""
        return (Part(0, self.shape(config, number)[0], self.init_std),)

    def start(self, config, number: int) -> list[Pass]:
        """Start values of its weights, for one group of lanes, a pass for each part."""
        rows, _ = self.shape(config, number)
        base = Layout(config).weight_bases[number]
        return [
            make(
                config, Kind.START_WEIGHTS, number,
                count=part.rows, row_inner=self.row_inner, stride=rows, base=base + part.first,
            )
            for part in self.parts(config, number)
        ]  # fmt: skip
