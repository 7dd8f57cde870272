"""The HSIC modulator: distances, kernels and coefficients around one table of exp."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.tables import exp_table
from ...golden.modulators.hsic import exp_width
from ...golden.program.passes import KERNELS
from ..shapes import index, value_shape
from ..trace import show
from .coefficients import Coefficients
from .distances import Distances, walks_inputs
from .kernels import Kernels
from .softmax import Softmax
from .source import ErrorSource, take


class Hsic(ErrorSource):
    """Coefficients of the window's samples as errors of hidden layers; softmax for the readout.

    Behaviour: `hebbware.golden.modulators.hsic`; clocks: `hebbware.golden.program.program`.
    Similarities of a sample arrive after its kernels are done, so that one table of exp serves
    both. Lists and queries of hidden layers name slots of the window.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    put, put_index, put_value, put_label, put_class : In
        The sample that comes in, see `Distances`.
    index : In, walked, pixel : In
        Stage 1: number of the input being walked. Stage 2: the step and the input.
    learned, clear : In(1)
        The sample at hand is finished and was learned; the window is empty again.
    slot : Out
        Row of the class memory for the sample at hand.
    kernels_done : Out(1)
        In the next clock similarities may be asked for.
    kernels, coefficients : Out(event)
        Kernels and coefficients as they are written, for the trace.
    """

    name = "hsic"

    def __init__(self, config, step_layout):
        entries = index(config.inputs)
        super().__init__(
            config,
            rows=max(config.classes, config.memory.window),
            value=max(config.k.width, config.u.width),
            error=config.e.width,
            others={
                "put": In(1),
                "put_index": In(entries),
                "put_value": In(value_shape(config)),
                "put_label": In(1),
                "put_class": In(1),
                "index": In(entries),
                "walked": In(step_layout),
                "pixel": In(value_shape(config)),
                "learned": In(1),
                "clear": In(1),
                "slot": Out(range(config.memory.window)),
                "kernels_done": Out(1),
            },
            traces=("kernels", "coefficients"),
        )

    @property
    def memory_row(self):
        return self.slot

    def finished(self):
        return super().finished() | {KERNELS: self.kernels_done}

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.softmax = softmax = Softmax(cfg)
        m.submodules.distances = distances = Distances(cfg)
        m.submodules.kernels = kernels = Kernels(cfg)
        m.submodules.coefficients = coefficients = Coefficients(cfg)
        m.submodules.table = table = memory.Memory(
            shape=exp_width(cfg),
            depth=1 << cfg.formats.exp_bits,
            init=exp_table(cfg.formats.exp_bits, exp_width(cfg)).tolist(),
        )
        look = table.read_port()
        walks = walks_inputs(cfg, self.walked)
        start = Signal()
        m.d.sync += start.eq(walks & self.walked.sum_last & self.walked.learn)
        m.d.comb += [
            *take(distances, self, "put", "put_index", "put_value", "put_label", "put_class"),
            *take(distances, self, "index", "learned"),
            distances.walks.eq(walks),
            distances.first.eq(self.walked.sum_first),
            distances.value.eq(Mux(self.walked.bias, 0, self.pixel)),
            *take(distances, kernels, "rewind", "back"),
            *take(kernels, self, "label", "learned", "clear"),
            kernels.start.eq(start),
            kernels.distance.eq(distances.distance),
            kernels.found.eq(look.data),
            kernels.query.eq(coefficients.query),
            self.slot.eq(kernels.slot),
            self.kernels_done.eq(kernels.done),
            look.addr.eq(Mux(kernels.looks, kernels.look, coefficients.look)),
            coefficients.weight.eq(kernels.weight),
            coefficients.found.eq(look.data),
            *show(self.kernels, kernels.trace_en, kernels.trace_slot, kernels.trace_weight),
        ]
        self._jobs(m, softmax, coefficients)
        return m

    def _jobs(self, m, softmax, coefficients):
        """The readout's job goes to the softmax, all others to the coefficients."""
        readout = self.readout
        scores = self.job == readout
        queried = Signal.like(self.query_job)  # the error follows a clock later
        m.d.sync += queried.eq(self.query_job)
        address = coefficients.trace_layer * self.config.memory.window + coefficients.trace_row
        m.d.comb += [
            *take(softmax, self, "job", "row", "last", "value", "learn", "label"),
            *take(softmax, self, "query_job", "query_row"),
            softmax.arrive.eq(self.arrive & scores),
            *take(coefficients, self, "row", "last", "value", "query_row", "list_entry"),
            coefficients.arrive.eq(self.arrive & ~scores),
            coefficients.layer.eq(self.job),
            coefficients.query_layer.eq(self.query_job),
            coefficients.list_layer.eq(self.list_job),
            self.error.eq(Mux(queried == readout, softmax.error, coefficients.error)),
            *take(self, coefficients, "list_row", "jacobians"),
            self.done.eq(Cat(coefficients.done, softmax.done[readout])),
            *(self.count(layer).eq(coefficients.count(layer)) for layer in range(readout)),
            self.count(readout).eq(softmax.count(readout)),
            *take(self, softmax, "trace_en", "trace_job", "trace_row", "trace_error"),
            *show(self.coefficients, coefficients.trace_en, address, coefficients.trace_error),
        ]
