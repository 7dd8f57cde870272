"""The operand that all lanes share."""

from amaranth.hdl import Array, Const, Module, Mux, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden import widths
from ..golden.init import init_scale
from ..golden.memory import KINDS
from ..golden.normalise import MANTISSA_BITS
from .shapes import index
from .step import Kind


def error_width(config) -> int:
    """Bits of what the direction takes of each row: an error, or v of a reservoir memory."""
    return config.k.width if KINDS[config.memory].projected else config.e.width


def source_shape(config):
    """Shape of a pre-synaptic activation: an input, an activation z, or the one of a bias."""
    return signed(max(config.x_bits + 2, config.z_bits, config.z_fraction + 2))


class CommonOperand(wiring.Component):
    """Chooses and scales what the lanes multiply with, by the kind of the step.

    Latency: none, combinational (stage 2). Read-modify-write passes are brought to the one
    ``update_shift`` here, and the sums of all layers to one fraction, by shifting this operand;
    that of a direction is negative, as `hebbware.hdl.dense` wants it.

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
                "extra": In(index(config.step_extra + 1)),
                "scalar": Out(signed(widths.operand_b(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, hidden = self.config, len(self.config.hidden)
        step, scalar, extra = self.step, self.scalar, self.extra
        scales, memory_kind = widths.prescales(cfg), KINDS[cfg.memory]
        pre = self.source
        with m.Switch(step.kind):
            with m.Case(Kind.FORWARD):
                shifts = widths.forward_prescales(cfg)
                m.d.comb += scalar.eq(Array(pre << shift for shift in shifts)[step.layer])
            with m.Case(Kind.UPDATE):
                m.d.comb += scalar.eq(
                    Array(pre << scale for scale in scales[:-1])[step.layer] >> extra
                )
            with m.Case(Kind.READOUT):
                m.d.comb += scalar.eq((self.error << scales[-1]) >> extra)
            with m.Case(Kind.SUM):
                m.d.comb += scalar.eq(1)
            with m.Case(Kind.NORMALISE):
                m.d.comb += scalar.eq(self.mantissa)
            with m.Case(Kind.DIRECTION):
                align = cfg.read_fraction - cfg.z_fraction
                jacobian = self.jacobians.word_select(step.layer, cfg.k.width).as_signed()
                m.d.comb += scalar.eq(Mux(step.jacobian, jacobian << align, -self.error))
            if memory_kind.windowed:
                with m.Case(Kind.FORGET):
                    m.d.comb += scalar.eq(1 << memory_kind.scale(cfg))
            with m.Case(Kind.MEMORY):
                scale = memory_kind.scale(cfg)
                m.d.comb += scalar.eq(self.error << scale if memory_kind.by_error else -1 << scale)
            with m.Case(Kind.START_WEIGHTS):
                start = Array(
                    Const(-init_scale(cfg, layer), len(scalar)) for layer in range(hidden + 1)
                )
                m.d.comb += scalar.eq(Mux(step.bias, 0, start[step.layer]))
        return m
