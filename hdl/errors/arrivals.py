"""Totals of dot products on their way into the softmax and the result buffer."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.modulators.class_memory import similarity_shifts
from ...golden.program import widths
from ...golden.program.walk import Own
from ...golden.reservoir.memory import down_shift
from ..lanes.fixed import saturate, shift_round
from ..walks.step import is_any, kinds_of


def value_width(config) -> int:
    """Bits of a similarity, a projected activation or a score."""
    return max(config.k.width, config.u.width, config.z.width)


class Arrivals(wiring.Component):
    """Similarities ``k_c = total / m`` and scores ``o_c``, rounded and saturated.

    Where the memory is a reservoir, projected activations ``q_j`` instead of similarities.

    Latency: `arrive` three clocks after the total; with the softmax's buffer, ``program.ARRIVE``.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    total, total_step : In
    arrive : Out(1)
        `value` is valid; it belongs to the step `step`.
    """

    def __init__(self, config, step_layout):
        self.config, self.step_layout = config, step_layout
        super().__init__(
            {
                "total": In(signed(widths.total(config))),
                "total_step": In(step_layout),
                "arrive": Out(1),
                "step": Out(step_layout),
                "value": Out(signed(value_width(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, step = self.config, self.total_step
        constants, form = similarity_shifts(cfg), cfg.k
        if cfg.memory.projected:
            constants = [(1, cfg.read.fraction + down_shift(units)) for units in cfg.hidden]
            form = cfg.z
        factors = Array(Const(factor, unsigned(17)) for factor, _ in constants)
        kinds = kinds_of(cfg)
        similarities = kinds.those(lambda walk: walk.total and walk.own is Own.READ)
        scores = kinds.those(lambda walk: walk.total and walk.own is Own.WEIGHT)
        similar = is_any(step.kind, similarities)
        wanted = step.valid & step.sum_last & (similar | is_any(step.kind, scores))
        # 1: times 1/m (similarities), a shift alone for powers of two; 2: rounded; 3: saturated
        product = Signal(signed(widths.total(cfg) + 18))
        first, second = Signal(self.step_layout), Signal(self.step_layout)
        is_first, is_second = Signal(), Signal()
        scaled = self.total
        if any(factor != 1 for factor, _ in constants):
            scaled = self.total * Mux(similar, factors[step.layer], 1)
        similarity = Array(shift_round(product, shift) for _, shift in constants)[first.layer]
        score = shift_round(product, cfg.sum_shift(len(cfg.hidden)))
        rounded = Signal(signed(max(len(similarity), len(score))))
        m.d.sync += [
            product.eq(scaled),
            first.eq(step),
            is_first.eq(wanted),
            rounded.eq(Mux(is_any(first.kind, similarities), similarity, score)),
            second.eq(first),
            is_second.eq(is_first),
            self.step.eq(second),
            self.arrive.eq(is_second),
            self.value.eq(
                Mux(
                    is_any(second.kind, similarities),
                    saturate(rounded, form).as_signed(),
                    saturate(rounded, cfg.u).as_signed(),
                )
            ),
        ]
        return m
