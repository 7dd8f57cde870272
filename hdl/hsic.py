"""The HSIC modulator: distances, kernels and coefficients around one table of exp."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden.hsic import exp_width
from ..golden.tables import exp_table
from .coefficients import Coefficients
from .distances import Distances, walks_inputs
from .kernels import Kernels
from .loader import value_shape
from .shapes import index


class Hsic(wiring.Component):
    """Stands where the softmax stands for hidden layers: what each past sample weighs.

    Behaviour: `hebbware.golden.hsic`; clocks: `hebbware.golden.program`. Similarities of a sample
    come after its kernels are done, so that one table serves both.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    put, put_index, put_value, put_label, put_class : In
        The sample that comes in, see `Distances`.
    index : In, step, value : In
        Stage 1: the input being walked. Stage 2: the step and the input.
    label : In, learned, clear : In(1)
        Class of the sample at hand; it is finished and was learned; the window is empty again.
    arrive, last : In(1), layer, row, similarity : In
        Similarities, see `Coefficients`.
    slot : Out
        Row of the class memory for the sample at hand.
    query_layer, query_row, error, list_job, list_entry, list_row, counts, jacobians, done
        See `Coefficients`.
    kernels_done : Out(1)
        In the next clock similarities may be asked for.
    trace_kernels_en, trace_slot, trace_weight, trace_en, trace_layer, trace_row, trace_error : Out
    """

    def __init__(self, config, step_layout):
        self.config = config
        self.count_width = config.window.bit_length()
        entries, hidden = index(config.inputs), len(config.hidden)
        rows, layers = range(config.window), index(hidden)
        error = signed(config.e.width)
        super().__init__(
            {
                "put": In(1),
                "put_index": In(entries),
                "put_value": In(value_shape(config)),
                "put_label": In(1),
                "put_class": In(1),
                "index": In(entries),
                "step": In(step_layout),
                "value": In(value_shape(config)),
                "label": In(range(config.classes)),
                "learned": In(1),
                "clear": In(1),
                "arrive": In(1),
                "layer": In(layers),
                "row": In(rows),
                "last": In(1),
                "similarity": In(signed(config.k.width)),
                "slot": Out(rows),
                "query_layer": In(layers),
                "query_row": In(rows),
                "error": Out(error),
                "list_job": In(index(hidden + 1)),
                "list_entry": In(rows),
                "list_row": Out(rows),
                "counts": Out(hidden * self.count_width),
                "jacobians": Out(hidden * config.k.width),
                "done": Out(hidden),
                "kernels_done": Out(1),
                "trace_kernels_en": Out(1),
                "trace_slot": Out(rows),
                "trace_weight": Out(error),
                "trace_en": Out(1),
                "trace_layer": Out(layers),
                "trace_row": Out(rows),
                "trace_error": Out(error),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.distances = distances = Distances(cfg)
        m.submodules.kernels = kernels = Kernels(cfg)
        m.submodules.coefficients = coefficients = Coefficients(cfg)
        m.submodules.table = table = memory.Memory(
            shape=exp_width(cfg),
            depth=1 << cfg.exp_bits,
            init=exp_table(cfg.exp_bits, exp_width(cfg)).tolist(),
        )
        look = table.read_port()
        walks = walks_inputs(cfg, self.step)
        start = Signal()
        m.d.sync += start.eq(walks & self.step.sum_last & self.step.learn)
        m.d.comb += [
            *(
                getattr(distances, name).eq(getattr(self, name))
                for name in ("put", "put_index", "put_value", "put_label", "put_class")
            ),
            distances.index.eq(self.index),
            distances.walks.eq(walks),
            distances.first.eq(self.step.sum_first),
            distances.value.eq(Mux(self.step.bias, 0, self.value)),
            distances.learned.eq(self.learned),
            distances.rewind.eq(kernels.rewind),
            distances.back.eq(kernels.back),
            kernels.start.eq(start),
            kernels.label.eq(self.label),
            kernels.learned.eq(self.learned),
            kernels.clear.eq(self.clear),
            kernels.distance.eq(distances.distance),
            kernels.found.eq(look.data),
            kernels.query.eq(coefficients.query),
            self.slot.eq(kernels.slot),
            self.kernels_done.eq(kernels.done),
            look.addr.eq(Mux(kernels.looks, kernels.look, coefficients.look)),
            coefficients.value.eq(self.similarity),
            coefficients.weight.eq(kernels.weight),
            coefficients.found.eq(look.data),
            *(
                getattr(coefficients, name).eq(getattr(self, name))
                for name in ("arrive", "layer", "row", "last")
                + ("query_layer", "query_row", "list_entry")
            ),
            coefficients.list_layer.eq(self.list_job),
            *(
                getattr(self, name).eq(getattr(coefficients, name))
                for name in ("error", "list_row", "counts", "jacobians", "done")
                + ("trace_en", "trace_layer", "trace_row", "trace_error")
            ),
            self.trace_kernels_en.eq(kernels.trace_en),
            self.trace_slot.eq(kernels.trace_slot),
            self.trace_weight.eq(kernels.trace_weight),
        ]
        return m
