"""One lane: a multiplier, an accumulator, a rounding shifter and a read-modify-write path."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..golden import widths
from ..golden.fixed import Format, Rounding
from ..golden.memory import KINDS
from ..golden.modulator import direction_shift
from ..golden.normalise import MANTISSA_BITS, exponent_range
from .fixed import saturate, shift_round, shift_round_by
from .leaky import Leak
from .modulator import word_width
from .normalise import mean_shape
from .step import Kind


def vector_width(config) -> int:
    """Bits of one lane of a vector being written: a, z or d."""
    return max(config.u_bits, config.z_bits, config.d_bits)


def rounding_shifts(config) -> tuple[int, int, int]:
    """Constant parts of the shifter that makes z and d: (common, added for z, added for d)."""
    low = exponent_range(config)[0]
    for_z = MANTISSA_BITS + low + config.u_fraction - config.z_fraction
    for_d = direction_shift(config, low)
    common = min(for_z, for_d)
    return common, for_z - common, for_d - common


class Control(data.StructLayout):
    """What all lanes are told; the number is the stage in which it is used."""

    def __init__(self, config):
        common, for_z, for_d = rounding_shifts(config)
        low, high = exponent_range(config)
        super().__init__(
            {
                "kind_2": Kind,
                "jacobian_2": 1,
                "fresh_4": 1,  # the accumulator starts anew
                "start_4": 1,  # start values are rounded to nearest
                "remember_4": 1,  # class memory: it leaks, and rounds its own way
                "shift_5": range(high - low + 2 + max(for_z, for_d)),
                "forward_5": 1,
                "first_5": 1,  # of the first layer
                "direction_5": 1,
                "start_5": 1,
                "host_5": 1,
            }
        )


class Lane(wiring.Component):
    """Operands in stage 2, product in stage 4, accumulator and rounding in 5, words out in 6.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the lane: the rotation of its random word.

    Members
    -------
    control : In
    chosen_5 : In(1)
        Host: this lane is meant. Start: its group is.
    present : In(1)
        Stage 2: the lane holds a unit of the layer in this block.
    scalar, weight, word, read, z, active, a, d, mean, octet : In
        Stage 2; `word` is the lane's class-memory word, `octet` its byte of the random word.
    random : In(32)
        Stage 4.
    host : In, host_writes : In(1)
        Stage 5.
    potential, rest : In
        Stage 2, leaky neurons: see `Leak`; `potential_out` in stage 6.
    product : Out
        Stage 4.
    weight_out, word_out, vector, active_out : Out
        Stage 6.
    """

    def __init__(self, config, number):
        self.config, self.number = config, number
        width = max(word_width(config), 1)
        a_bits, b_bits = widths.operand_a(config), widths.operand_b(config)
        potential = signed(config.potential.width)
        leaky = {"potential": In(potential), "rest": In(1), "potential_out": Out(potential)}
        leaky = leaky if config.leaky else {}
        super().__init__(
            {
                "control": In(Control(config)),
                "chosen_5": In(1),
                "present": In(1),
                "scalar": In(signed(b_bits)),
                "weight": In(signed(config.weight_bits)),
                "word": In(width),
                "read": In(signed(config.read_bits)),
                "z": In(signed(config.z_bits)),
                "active": In(1),
                "a": In(signed(config.u_bits)),
                "d": In(signed(config.d_bits)),
                "mean": In(mean_shape(config)),
                "octet": In(8),
                "random": In(32),
                "host": In(signed(32)),
                "host_writes": In(1),
                "product": Out(signed(a_bits + b_bits)),
                "weight_out": Out(signed(config.weight_bits)),
                "word_out": Out(width),
                "vector": Out(signed(vector_width(config))),
                "active_out": Out(1),
            }
            | leaky
        )

    def elaborate(self, platform):
        m = Module()
        self._multiply(m)
        self._vector(m)
        change = self._change(m)
        self._write_weight(m, change)
        if word_width(self.config):
            self._write_word(m, change)
        return m

    def _delayed(self, m, value, clocks, name):
        for n in range(clocks):
            register = Signal.like(value, name=f"{name}_{n}")
            m.d.sync += register.eq(value)
            value = register
        return value

    def _multiply(self, m):
        """Stages 2 to 4: the lane's own operand times the common one."""
        cfg, kind = self.config, self.control.kind_2
        own = Signal(signed(widths.operand_a(cfg)))
        with m.Switch(kind):
            with m.Case(Kind.FORWARD, Kind.SCORES):
                m.d.comb += own.eq(self.weight)
            with m.Case(Kind.SIMILARITY):
                m.d.comb += own.eq(self.read)
            with m.Case(Kind.DIRECTION):
                m.d.comb += own.eq(Mux(self.control.jacobian_2, self.z, self.read))
            with m.Case(Kind.SUM, Kind.SQUARES):
                m.d.comb += own.eq(self.a)
            with m.Case(Kind.NORMALISE):
                m.d.comb += own.eq(self.a - self.mean)
            with m.Case(Kind.UPDATE):
                m.d.comb += own.eq(self.d)
            with m.Case(Kind.READOUT, Kind.FORGET, Kind.MEMORY):
                m.d.comb += own.eq(self.z)
            with m.Case(Kind.START_WEIGHTS):
                m.d.comb += own.eq(Mux(self.present, self.octet.as_signed(), 0))
        common = Signal(signed(widths.operand_b(cfg)))
        with m.Switch(kind):
            with m.Case(Kind.SIMILARITY, Kind.SCORES):
                m.d.comb += common.eq(self.z)
            with m.Case(Kind.SQUARES):
                m.d.comb += common.eq(self.a)
            with m.Default():
                m.d.comb += common.eq(self.scalar)
        left, right = Signal.like(own, name="left"), Signal.like(common, name="right")
        m.d.sync += [left.eq(own), right.eq(common), self.product.eq(left * right)]

    def _vector(self, m):
        """Stages 4 to 6: accumulate, round, saturate: activations a, normalised z, directions d."""
        cfg, control = self.config, self.control
        acc = Signal(signed(widths.accumulator(cfg)))
        m.d.sync += acc.eq(Mux(control.fresh_4, 0, acc) + self.product)

        # u: the inputs' fraction bits differ between the first layer and the others
        drops = [
            cfg.source(layer).fraction + cfg.weight.fraction - cfg.u_fraction for layer in (0, 1)
        ]
        rounded = Signal(signed(widths.accumulator(cfg) + max(0, *(-drop for drop in drops)) + 1))
        if len(cfg.hidden) > 1:
            m.d.comb += rounded.eq(
                Mux(control.first_5, *(shift_round(acc, drop) for drop in drops))
            )
        else:
            m.d.comb += rounded.eq(shift_round(acc, drops[0]))
        u = Signal(signed(cfg.u_bits))
        m.d.comb += u.eq(saturate(rounded, cfg.u))
        if cfg.leaky:
            m.submodules.leak = leak = Leak(cfg)
            m.d.comb += [
                leak.potential.eq(self.potential),
                leak.rest.eq(self.rest),
                leak.current.eq(u),
                self.potential_out.eq(leak.written),
            ]
            u = leak.u

        # z and d: a constant and an exponent; one shifter serves both
        common, _, _ = rounding_shifts(cfg)
        scaled = Signal(signed(widths.accumulator(cfg) + max(-common, 0) + 1))
        m.d.comb += scaled.eq(shift_round_by(acc, control.shift_5, common))
        z, d = Signal(signed(cfg.z_bits)), Signal(signed(cfg.d_bits))
        m.d.comb += [z.eq(saturate(scaled, cfg.z)), d.eq(saturate(scaled, cfg.d))]

        active = self._delayed(m, self.active, 3, "active")
        present = self._delayed(m, self.present, 3, "present")
        positive = self._delayed(m, self.a > 0, 3, "positive")
        with m.If(control.forward_5):
            m.d.sync += self.vector.eq(Mux(u < 0, self._below(u), u))
        with m.Elif(control.direction_5):
            m.d.sync += self.vector.eq(Mux(present, Mux(active, d, self._below(d)), 0))
        with m.Else():
            m.d.sync += [self.vector.eq(Mux(present, z, 0)), self.active_out.eq(positive)]

    def _below(self, value):
        """`value` times the slope below 0."""
        shift = self.config.slope_shift
        return shift_round(value, shift) if shift else Const(0)

    def _change(self, m):
        """Stages 4 to 5: ``floor((random - product - leak) / 2**update_shift)``."""
        cfg, shift, kind = self.config, self.config.update_shift, KINDS[self.config.memory]
        random = Signal(shift)
        m.d.comb += random.eq(self.random.rotate_left(self.number % 32))
        half = Const(1 << (shift - 1), shift)
        weight_bits = {
            Rounding.FLOOR: Const(0, shift),
            Rounding.NEAREST: half,
            Rounding.STOCHASTIC: random,
        }
        added = Mux(self.control.start_4, half, weight_bits[cfg.rounding])
        memory_added = random if kind.stochastic else Const(0, shift)
        total = Mux(self.control.remember_4, memory_added, added) - self.product
        if kind.leaks:
            stored = self._delayed(m, self.word[: cfg.memory_bits], 2, "leaking").as_signed()
            total = total - Mux(self.control.remember_4, stored << (shift - cfg.horizon), 0)
        change = Signal(signed(max(len(self.product), cfg.memory_bits + shift) + 2 - shift))
        m.d.sync += change.eq(total >> shift)
        return change

    def _write_weight(self, m, change):
        """Stages 5 to 6: the weight memory's word."""
        cfg, control = self.config, self.control
        old = self._delayed(m, self.weight, 3, "weight_old")
        total = Signal(signed(max(cfg.weight_bits, len(change)) + 1))
        m.d.comb += total.eq(Mux(control.start_5, 0, old) + change)
        with m.If(control.host_5):
            m.d.sync += self.weight_out.eq(Mux(self.chosen_5 & self.host_writes, self.host, old))
        with m.Elif(control.start_5 & ~self.chosen_5):
            m.d.sync += self.weight_out.eq(old)
        with m.Else():
            m.d.sync += self.weight_out.eq(saturate(total, cfg.weight))

    def _write_word(self, m, change):
        """Stages 5 to 6: the class memory's word; the code bit only changes at the start."""
        cfg, control, bits = self.config, self.control, self.config.memory_bits
        width = word_width(cfg)
        old = self._delayed(m, self.word, 3, "word_old")
        code = self._delayed(m, self.octet[0] & self.present, 3, "code")
        new = old
        if cfg.writes_memory:
            total = Signal(signed(max(bits, len(change)) + 1))
            m.d.comb += total.eq(old[:bits].as_signed() + change)
            new = Cat(saturate(total, Format(bits, 0))[:bits], old[bits:])
        start = Cat(Const(0, width - 1), code) if cfg.kappa else Const(0, width)
        with m.If(control.host_5):
            m.d.sync += self.word_out.eq(
                Mux(self.chosen_5 & self.host_writes, self.host[:width], old)
            )
        with m.Elif(control.start_5):
            m.d.sync += self.word_out.eq(Mux(self.chosen_5, start, old))
        with m.Else():
            m.d.sync += self.word_out.eq(new)
