"""What a layer must say, to golden and the RTL. A new one is a module in this folder and its row in
`LAYERS`; it brings the passes that it is walked in (`hebbware.golden.program.walk`).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..program.layout import Form, Layout
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
    narrow : int, optional
        Weights span ``-2 .. 2`` times ``2**-narrow``, in steps as much finer; 0..6, by default 0.
    """

    table = "layer"
    narrow: ClassVar[int | None] = None  # of layers that do not have the field
    gain: ClassVar[int] = 0
    row_inner: ClassVar[bool]  # rows are walked, and lie, inside a block; else blocks inside a row
    bias: ClassVar[bool]  # the last row is the bias; it starts with 0

    def shape(self, config, number: int) -> tuple[int, int]:
        """Rows of the weights, and units that the lanes hold."""
        raise NotImplementedError

    def outputs(self, config, number: int) -> int:
        """Numbers that the next layer reads."""
        return self.units

    def remembered(self, config, number: int) -> int:
        """Numbers that the class memory sees of a hidden layer."""
        return self.units

    def map_form(self, config, number: int) -> Form:
        """How its activations, z and directions lie in words."""
        return Layout(config).vector(self.units)

    def memory_form(self, config, number: int) -> Form:
        """How a row of its class memory lies in words."""
        return Layout(config).vector(self.remembered(config, number))

    def output_form(self, config, number: int) -> Form:
        """How what the next layer reads lies in words."""
        return Layout(config).vector(self.outputs(config, number))

    def weight_form(self, config, number: int) -> Form:
        """How a row of its weights lies in words."""
        return Layout(config).vector(self.shape(config, number)[1])

    def usual_rate(self, config, number: int) -> int:
        """The rate where none is given."""
        return 6 if number else 7

    def usual_std(self, config, number: int) -> float:
        """The standard deviation of start weights where none is given."""
        return config.sizes[number] ** -0.5 if number else 0.1

    def check(self, config, number: int):
        """Raise InputError for fields that do not fit `config`."""

    def step_shift(self, config, number: int) -> int:
        """Shift that brings pre x post to weight units, before the schedule of the rates."""
        raise NotImplementedError

    def forward(self, config, number: int, *waits: str) -> list[Pass]:
        """Passes of its weighted sums, which begin when all of `waits` is done."""
        raise NotImplementedError

    def finish(self, config, number: int) -> list[Pass]:
        """Passes between its normalised activations and what others read; see `output`, `seen`."""
        return []

    def output(self, number: int) -> str:
        """Name of the pass after which its output may be read."""
        return f"normalise{number}"

    def seen(self, number: int) -> str:
        """Name of the pass after which what the class memory sees may be read."""
        return f"normalise{number}"

    def positions(self, config, number: int) -> dict:
        """Facts of walks over all its positions that differ from those over a vector."""
        return {}

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
                blocks=self.weight_form(config, number).words,
            )
            for part in self.parts(config, number)
        ]  # fmt: skip
