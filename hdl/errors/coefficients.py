"""Coefficients of the window's activations, which replace softmax errors of hidden layers."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.modulators import hsic
from ..lanes.fixed import saturate, shift_round
from ..shapes import index
from .kernels import table_index


class Coefficients(wiring.Component):
    """``e_p = A_0p Kz_0p`` and ``sum_p e_p k_p``, as `hebbware.golden.modulators.hsic.errors`.

    Similarities arrive one after another, layer after layer, and are processed as they arrive.

    Latency: 3 clocks from an arrival to its coefficient; `done` 6 clocks after the last arrival,
    see `hebbware.golden.program.program.COEFFICIENTS`.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    arrive, last : In(1), layer, row, value : In
        The similarity of slot `row`; the last one of the layer.
    query : Out, weight : In
        A of a slot, in the same clock.
    look : Out, found : In
        Table of exp: the address, and its entry in the next clock.
    query_layer, query_row : In, error : Out
        A coefficient, one clock later.
    list_layer, list_entry : In, list_row : Out
        Entry of the list of coefficients that are not zero: its slot, one clock later.
    counts, jacobians : Out, arrays over the layers
        How many coefficients are not zero; ``sum_p e_p k_p``.
    done : Out, one bit for each layer
        High for one clock; the layer's results are complete in the next.
    trace_en, trace_layer, trace_row, trace_error : Out
        Each coefficient as it is written.
    """

    def __init__(self, config):
        self.config = config
        self.count_width = config.memory.window.bit_length()
        hidden, rows, layers = (
            len(config.hidden),
            range(config.memory.window),
            index(len(config.hidden)),
        )
        super().__init__(
            {
                "arrive": In(1),
                "layer": In(layers),
                "row": In(rows),
                "last": In(1),
                "value": In(signed(config.k.width)),
                "query": Out(rows),
                "weight": In(signed(config.e.width)),
                "look": Out(config.formats.exp_bits),
                "found": In(hsic.exp_width(config)),
                "query_layer": In(layers),
                "query_row": In(rows),
                "error": Out(signed(config.e.width)),
                "list_layer": In(layers),
                "list_entry": In(rows),
                "list_row": Out(rows),
                "counts": Out(hidden * self.count_width),
                "jacobians": Out(hidden * config.k.width),
                "done": Out(hidden),
                "trace_en": Out(1),
                "trace_layer": Out(layers),
                "trace_row": Out(rows),
                "trace_error": Out(signed(config.e.width)),
            }
        )

    def count(self, layer):
        """How many coefficients of `layer` are not zero."""
        return self.counts.word_select(layer, self.count_width)

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        stages = self._stages(m)
        factor, shift = hsic.activation_scale(cfg)

        # 0 to 3: the kernel times its weight
        far = Signal(signed(cfg.k.width + 1))
        scaled = Signal(unsigned(len(far) + factor.bit_length()))
        weight = Signal.like(self.weight)
        product = Signal(signed(len(weight) + len(self.found) + 1))
        m.d.comb += [
            far.eq((1 << cfg.e.fraction) - self.value),
            self.look.eq(table_index(cfg, scaled, shift)),
            self.query.eq(stages[1]["row"]),
        ]
        m.d.sync += [
            scaled.eq(Mux(far < 0, 0, far) * factor),
            weight.eq(self.weight),
            product.eq(weight * self.found),
        ]
        error = Signal(signed(cfg.e.width))
        m.d.comb += error.eq(shift_round(product, cfg.e.fraction))
        counted = self._keep(m, stages[3], error)
        self._finish(m, stages, error, counted)
        return m

    def _stages(self, m):
        """The arriving similarity, 0 to 6 clocks later."""
        names = ("arrive", "layer", "row", "last")
        stages = [
            {name: getattr(self, name) for name in names}
            | {"first": self.row == 0, "value": self.value}
        ]
        for stage in range(1, 7):
            late = {
                key: Signal(value.shape(), name=f"{key}_{stage}")
                for key, value in stages[-1].items()
            }
            m.d.sync += [late[key].eq(value) for key, value in stages[-1].items()]
            stages.append(late)
        return stages

    def _keep(self, m, here, error):
        """Stage 3: kept, and listed where it is not zero; returns how many are, this one too."""
        rows, depth = self.config.memory.window, len(self.config.hidden) * self.config.memory.window
        m.submodules.errors = errors = memory.Memory(
            shape=signed(self.config.e.width), depth=depth, init=[]
        )
        m.submodules.kept = kept = memory.Memory(shape=range(rows), depth=depth, init=[])
        keep, ask = errors.write_port(), errors.read_port()
        note, recall = kept.write_port(), kept.read_port()
        count = Signal(range(rows + 1))
        before = Mux(here["first"], 0, count)
        m.d.comb += [
            keep.en.eq(here["arrive"]),
            keep.addr.eq(here["layer"] * rows + here["row"]),
            keep.data.eq(error),
            ask.addr.eq(self.query_layer * rows + self.query_row),
            self.error.eq(ask.data),
            note.en.eq(here["arrive"] & (error != 0)),
            note.addr.eq(here["layer"] * rows + before),
            note.data.eq(here["row"]),
            recall.addr.eq(self.list_layer * rows + self.list_entry),
            self.list_row.eq(recall.data),
            self.trace_en.eq(keep.en),
            self.trace_layer.eq(here["layer"]),
            self.trace_row.eq(here["row"]),
            self.trace_error.eq(error),
        ]
        with m.If(here["arrive"]):
            m.d.sync += count.eq(before + note.en)
        return before + note.en

    def _finish(self, m, stages, error, counted):
        """Stages 4 to 6: the sum with the similarities."""
        cfg, here, end = self.config, stages[3], stages[6]
        late_error = Signal.like(error)
        part = Signal(signed(len(error) + cfg.k.width))
        weighted = Signal(signed(len(part) + cfg.memory.window.bit_length()))
        m.d.sync += [late_error.eq(error), part.eq(late_error * stages[4]["value"])]
        with m.If(stages[5]["arrive"]):
            m.d.sync += weighted.eq(Mux(stages[5]["first"], 0, weighted) + part)
        jacobian = saturate(shift_round(weighted, cfg.e.fraction), cfg.k)
        # the count may have begun anew by then: it is taken when the last coefficient is kept
        for layer in range(len(cfg.hidden)):
            count = Signal(range(cfg.memory.window + 1), name=f"count_{layer}")
            kept = Signal(signed(cfg.k.width), name=f"jacobian_{layer}")
            with m.If(here["arrive"] & here["last"] & (here["layer"] == layer)):
                m.d.sync += count.eq(counted)
            with m.If(end["arrive"] & end["last"] & (end["layer"] == layer)):
                m.d.sync += kept.eq(jacobian)
                m.d.comb += self.done[layer].eq(1)
            m.d.comb += [
                self.count(layer).eq(count),
                self.jacobians.word_select(layer, cfg.k.width).eq(kept),
            ]
