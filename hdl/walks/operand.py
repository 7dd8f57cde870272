"""The operand that all lanes share."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.layers.init import init_scale
from ...golden.layers.normalise import MANTISSA_BITS
from ...golden.program import widths
from ...golden.program.layout import kept_width
from ...golden.program.walk import Common, Scale
from ..shapes import index
from .step import is_any, kinds_of


def error_width(config) -> int:
    """Bits of what the direction takes of each row: an error, or v of a reservoir memory."""
    return config.k.width if config.memory.projected else config.e.width


def source_shape(config):
    """Shape of a pre-synaptic activation: an input, an activation z, or the one of a bias."""
    return signed(max(config.input.bits + 2, kept_width(config), config.z.fraction + 2))


class CommonOperand(wiring.Component):
    """Chooses and scales what the lanes multiply with, as the kind of the step has it.

    Latency: none, combinational (stage 2), but for `ahead`. Read-modify-write passes are brought to
    the one ``update_shift`` here, and the sums of all layers to one fraction, by shifting this
    operand; that of a direction is negative, as `hebbware.hdl.lanes.dense` wants it.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    step : In
    source, error : In
        The pre-synaptic activation, and the softmax error that the step names (reservoir memory: in
        the direction, v).
    mantissa, jacobians : In
        Of the statistics; sum of e k of each layer (reservoir memory: J).
    extra : In
        Halvings of every step.
    ahead : In
        Of convolutions: the step that comes in the next clock.
    scalar : Out
    """

    def __init__(self, config, step_layout):
        self.config = config
        super().__init__(
            {
                "step": In(step_layout),
                "source": In(source_shape(config)),
                "error": In(signed(error_width(config))),
                "mantissa": In(unsigned(MANTISSA_BITS)),
                "jacobians": In(len(config.hidden) * config.k.width),
                "extra": In(index(config.update.halvings + 1)),
                "scalar": Out(signed(widths.operand_b(config))),
            }
            | ({"ahead": In(step_layout)} if config.convolves else {})
        )

    def elaborate(self, platform):
        m = Module()
        if self.config.convolves:
            self._shift(m)
        values = self._of_tick() if self.config.recurrent else self._of_sample()
        those = kinds_of(self.config).those
        with m.Switch(self.step.kind):
            for operand, value in values.items():
                kinds = those(lambda walk, of=operand: (walk.common, walk.scale) == of)
                if kinds:
                    with m.Case(*kinds):
                        m.d.comb += self.scalar.eq(value)
        return m

    def _of_tick(self):
        """Operands of a core of sequences; the last row of a sum adds nothing."""
        cfg, step, error = self.config, self.step, self.error
        scales, drop = widths.prescales(cfg), widths.forward_prescales(cfg)[0]
        start = Const(0)
        for layer, part in widths.start_parts(cfg):
            this = (step.layer == layer) & (step.part == part)
            start = Mux(this, -init_scale(cfg, layer, part), start)
        return {
            (Common.SOURCE, Scale.SUM): Mux(step.bias, 0, self.source << drop),
            (Common.ONE, Scale.SUM): Mux(step.bias, 0, cfg.source(0).one << drop),
            (Common.TRACE, Scale.STEP): (self.source << scales[0]) >> self.extra,
            (Common.ERROR, Scale.STEP): (error << scales[-1]) >> self.extra,
            (Common.ERROR, Scale.NONE): Mux(step.bias, 0, -error),
            (Common.WRITE, Scale.MEMORY): error << cfg.memory.scale(cfg),
            (Common.START, Scale.NONE): start,
        }

    def _of_sample(self):
        """Operands of other cores."""
        cfg, hidden = self.config, len(self.config.hidden)
        step, scalar = self.step, self.scalar
        scales, memory_kind = widths.prescales(cfg), cfg.memory
        pre = self.source
        align = cfg.read.fraction - cfg.z.fraction
        jacobian = self.jacobians.word_select(step.layer, cfg.k.width).as_signed()
        written = memory_kind.scale(cfg)
        start = Array(Const(-init_scale(cfg, layer), len(scalar)) for layer in range(hidden + 1))
        sums, steps = widths.forward_prescales(cfg), scales[:-1]
        values = {
            (Common.SOURCE, Scale.SUM): Array(pre << shift for shift in sums)[step.layer],
            (Common.SOURCE, Scale.STEP): Array(pre << shift for shift in steps)[step.layer]
            >> self.extra,
            (Common.ERROR, Scale.STEP): (self.error << scales[-1]) >> self.extra,
            (Common.ONE, Scale.NONE): 1,
            (Common.MANTISSA, Scale.NONE): self.mantissa,
            (Common.PULL, Scale.NONE): Mux(step.jacobian, jacobian << align, -self.error),
            (Common.ONE, Scale.MEMORY): 1 << written,
            (Common.WRITE, Scale.MEMORY): (
                self.error << written if memory_kind.by_error else -1 << written
            ),
            (Common.START, Scale.NONE): Mux(step.bias, 0, start[step.layer]),
        }
        if cfg.convolves:
            for common in (Common.SOURCE, Common.PATCH):
                values[common, Scale.SUM] = values[common, Scale.STEP] = self.shifted
            values[Common.PART, Scale.NONE] = self._part()
        if not memory_kind.windowed:
            del values[Common.ONE, Scale.MEMORY]
        return values

    def _shift(self, m):
        """`shifted`, the pre-synaptic number as sums and updates have it.

        By how much is known a clock before: halvings take bits back that steps have added, so that
        none is lost. What is summed up over positions is subtracted, then added to the weight.
        """
        cfg, ahead, kinds = self.config, self.ahead, kinds_of(self.config)
        steps, sums = widths.prescales(cfg)[:-1], widths.forward_prescales(cfg)
        stepped = is_any(ahead.kind, kinds.those(lambda walk: walk.scale is Scale.STEP))
        amount, negative = Signal(range(max(*steps, *sums) + 1)), Signal()
        m.d.sync += [
            amount.eq(
                Mux(stepped, Array(steps)[ahead.layer] - self.extra, Array(sums)[ahead.layer])
            ),
            negative.eq(
                is_any(
                    ahead.kind,
                    kinds.those(lambda w: w.common is Common.PATCH and w.scale is Scale.STEP),
                )
            ),
        ]
        self.shifted = Signal.like(self.scalar)
        m.d.comb += self.shifted.eq(Mux(negative, -self.source, self.source) << amount)

    def _part(self):
        """One part of an average over a square, or over a cell."""
        kinds, parts = kinds_of(self.config), widths.map_slices(self.config)
        square, cell = (Array(1 << of[n][1] for of in parts)[self.step.layer] for n in (0, 1))
        return Mux(is_any(self.step.kind, kinds.cells), cell, square)
