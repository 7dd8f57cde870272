"""Stages 1 to 4 of the core: steps on their way to the lanes, and the rows that they name."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Const, Mux, Signal

from ..golden.program.pipeline import stages
from ..golden.program.walk import Common, Own, Rows
from .lanes.clusters import Gather
from .lanes.vectors import z_width
from .primitives import late
from .walks.operand import source_shape
from .walks.step import is_any, kinds_of


class Pipeline:
    """Registers of the steps from issue to the lanes; methods add one stage each to a module.

    Stages are those of a core of one cluster; `steps` counts clocks after the issue of a step, and
    `hebbware.golden.program.program.Stages` gives the clocks of what a step does.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step
    words : int
        Words of the larger of weight and class memory.

    Attributes
    ----------
    steps : dict of int to Signal
        The step, so many clocks after its issue; its weight address from stage 3 on.
    memory_address : value
        Class-memory word of the step in the clock `Stages.read_memory`.
    source : Signal
        Pre-synaptic activation of the step in stage 3.
    """

    def __init__(self, config, step_layout, words):
        self.config, self.words, self.at = config, words, stages(config)
        self.kinds = kinds_of(config)
        self.steps = {clock: Signal(step_layout) for clock in range(1, self.at.source + 5)}

    def stage(self, number):
        """The step in a stage, from stage 2 on; in stage 1 its row is not that of a list yet."""
        return self.steps[number + self.at.source]

    def issue(self, m, commander, sequencer, z_memory, z_base, oldest_base, traced=None):
        """Stage 1: a step of the sequencer, or one put in by the commander, addresses z; of
        sequences also the list of rows that updates walk.
        """
        first = self.steps[1]
        issued_1 = Signal.like(first)
        z_place_1 = Signal.like(z_memory.address)
        m.d.sync += [
            issued_1.eq(
                Mux(commander.step.valid, commander.step.as_value(), sequencer.step.as_value())
            ),
            z_place_1.eq(Mux(sequencer.old, oldest_base, z_base) + sequencer.source_place),
        ]
        memory_address = Signal.like(sequencer.memory_address)
        m.d.comb += [
            first.eq(issued_1),
            first.row.eq(sequencer.row),
            z_memory.address.eq(self._listed(first, traced, z_place_1)),
            memory_address.eq(
                Mux(
                    first.kind == self.kinds.Kind.HOST_MEMORY,
                    first.address,
                    sequencer.memory_address,
                )
            ),
        ]
        self.memory_address = memory_address

    def _listed(self, step, traced, place):
        if traced is None:
            return place
        return Mux(is_any(step.kind, self._traced), traced.place, place)

    @property
    def _traced(self):
        """Kinds of steps that take a trace for each row."""
        return self.kinds.those(lambda walk: walk.rows is Rows.TRACED)

    def address(self, m, loader, spikes=None, traced=None):
        """Stage 2: the row is known, and with it the address of the weights."""
        named = self.kinds.memory_updates
        cfg, at, steps = self.config, self.at, self.steps
        rows = 2 + at.lag
        for clock in range(2, 5 + at.source):
            m.d.sync += steps[clock].eq(steps[clock - 1])
        self.memory_address = late(m, self.memory_address, at.source)
        step = steps[rows]
        entry = late(m, loader.index, at.lag)
        if cfg.recurrent:
            those = self.kinds.those
            named += those(lambda walk: walk.rows is Rows.ERRORS and walk.own is Own.WEIGHT)
            of_inputs = is_any(step.kind, those(lambda walk: walk.rows is Rows.INPUTS))
            of_units = is_any(step.kind, those(lambda walk: walk.rows is Rows.SPIKES))
            unit = late(m, spikes.row, at.lag)
            row_2 = Mux(step.bias, 0, Mux(of_inputs, entry, Mux(of_units, unit, 0)))
            if traced is not None:
                row_2 = Mux(is_any(step.kind, self._traced), late(m, traced.row, at.lag), row_2)
        elif cfg.convolves:
            row_2 = 0  # no list names rows
        else:
            sourced = reduce(or_, (step.kind == kind for kind in self.kinds.sourced))
            first_layer = (step.layer == 0) & sourced
            row_2 = Mux(first_layer, Mux(step.bias, cfg.inputs, entry), 0)
        address_2 = Signal(range(self.words))
        m.d.comb += address_2.eq(step.address + row_2)
        m.d.sync += steps[rows + 1].address.eq(
            Mux(
                is_any(step.kind, named),
                late(m, self.memory_address, 1 - at.lag),
                address_2,
            )
        )

    def gather(self, m, z_memory, source_lane, traced=None):
        """Stage 2: the lane of the pre-synaptic activation, or trace, is chosen."""
        m.submodules.own = self.own = Gather(self.config, z_width(self.config))
        m.d.comb += [
            self.own.word.eq(z_memory.data),
            self.own.lane.eq(late(m, source_lane, 2) if traced is None else late(m, traced.lane)),
        ]

    def choose(self, m, pixel):
        """Stage 3: an input, an activation z or the one of a bias."""
        cfg, step = self.config, self.stage(2)
        self.source = source_3 = Signal(source_shape(cfg), name="source_3")
        if cfg.recurrent:
            traced = is_any(step.kind, self.kinds.those(lambda walk: walk.common is Common.TRACE))
            trace = self.own.part[: cfg.trace.width].as_signed()
            m.d.sync += source_3.eq(Mux(traced, trace, late(m, pixel, self.at.source)))
            return
        layers = range(len(cfg.hidden) + 1)
        ones = Array(Const(cfg.source(layer).one, len(source_3)) for layer in layers)
        value = Mux(
            step.layer == 0,
            late(m, pixel, self.at.source),
            self.own.part[: cfg.z.width].as_signed(),
        )
        if cfg.convolves:
            value = Mux(step.inside, value, 0)  # zeros lie around the map
        m.d.sync += source_3.eq(Mux(step.bias, ones[step.layer], value))
