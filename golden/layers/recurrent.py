"""The recurrent layer of spiking units: inputs and its own last spikes are rows of one matrix.

Weights have shape ``(inputs + units, units)``; there is no bias. What a tick computes:
`hebbware.golden.neurons.spiking`; what it learns: `hebbware.golden.modulators.feedback`.
"""

from dataclasses import dataclass

from ..program.layout import Layout
from ..program.passes import SPIKES, TRACED, errors_of, make
from ..program.walk import Kind, Own, Rows, Skip, Store, Then
from ..settings.tables import real, whole
from .base import Layer, Part


@dataclass(frozen=True, kw_only=True)
class Recurrent(Layer):
    """Every unit has a weight for each input, and for each unit's last spike.

    Parameters
    ----------
    units : int
        2..4096.
    recurrent_init_std : float
        Standard deviation of the uniform start weights from the units' own spikes.
    """

    kind = "recurrent"
    row_inner = True
    bias = False
    units: int = whole(2, 2, 4096)
    rate: int | None = whole(None, 0, 20)
    init_std: float | None = real(None, 0, 1)
    recurrent_init_std: float = real(0.0, 0, 1)

    def shape(self, config, number):
        return config.sizes[number] + self.units, self.units

    def parts(self, config, number):
        inputs = config.sizes[number]
        return Part(0, inputs, self.init_std), Part(inputs, self.units, self.recurrent_init_std)

    def step_shift(self, config, number):
        product = config.trace.fraction + config.d.fraction
        return product + self.rate - config.weight.fraction

    def forward(self, config, number, *waits):
        """Traces, potentials and spikes of a tick, and what the readout sees."""
        inputs, units = self._places(config, number)
        layout, learns = Layout(config), config.learns_hidden
        places = layout.trace_bases
        traces = [
            make(
                config, kind, number, *waits, count=1, blocks=layout.blocks_of(rows), base=0,
                below=below, clears_learned=(TRACED,) if learns else (),
            )
            for kind, rows, below in (
                (Kind.TRACE_INPUTS, config.sizes[number], places[0]),
                (Kind.TRACE_UNITS, self.units, places[1]),
            )
        ]  # fmt: skip
        learned = [p.name for p in self.update(config, number)] if learns else []
        waits = (*waits, *learned, SPIKES)
        first = make(config, Kind.FORWARD_INPUTS, number, *waits, clears=(SPIKES,), **inputs)
        second = make(config, Kind.FORWARD_UNITS, number, first.name, **units)
        seen = make(config, Kind.FILTER, number, first.name, second.name, count=1, base=0)
        return [*traces, first, second, seen]

    def update(self, config, number, *waits):
        kinds, waits = (Kind.UPDATE_INPUTS, Kind.UPDATE_UNITS), (*waits, TRACED)
        places = self._places(config, number)
        return [
            make(config, kind, number, *waits, **place)
            for kind, place in zip(kinds, places, strict=True)
        ]

    def feedback(self, config, number, *waits):
        """Pass from the readout's errors to directions."""
        if config.writes_memory:
            waits = (*waits, f"{Kind.MEMORY}{number}")
        facts = (
            {"reads": (Store.MEMORY,), "own": Own.READ}
            if config.has_memory
            else {
                "reads": (Store.WEIGHTS,),
                "own": Own.WEIGHT,
                "base": Layout(config).weight_bases[-2],
            }
        )
        return make(
            config, Kind.FEEDBACK, number, errors_of(number + 1), *waits,
            count=config.classes + 1, **facts,
        )  # fmt: skip

    def remember(self, config, number):
        """Pass from the readout's errors, and what it sees, into the class memory."""
        return make(
            config, Kind.MEMORY, number, errors_of(number + 1), f"filter{number}",
            rows=Rows.ALL, count=Layout(config).memory_rows, skip=Skip.NO_ERRORS, then=Then.GAINS,
        )  # fmt: skip

    def _places(self, config, number):
        """Where the rows of the inputs, and of the units, lie."""
        stride, first = self.shape(config, number)[0], Layout(config).weight_bases[number]
        found = []
        for part in self.parts(config, number):
            base = first + part.first
            found.append({"count": part.rows, "stride": stride, "base": base})
        return found
