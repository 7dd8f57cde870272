"""One lane: a multiplier, an accumulator, a rounding shifter and a read-modify-write path."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..golden import widths
from ..golden.fixed import Format, Rounding
from ..golden.memory import KINDS
from .fixed import saturate, shift_round
from .leaky import Leak
from .modulator import word_width
from .shapes import index
from .step import Kind


def vector_width(config) -> int:
    """Bits of one lane of a vector being written: a, z or d."""
    return max(config.u_bits, config.z_bits, config.d_bits)


def _of(direction, d, z, bits):
    """What holds of directions, or of z; one of them where they are equally wide."""
    return Mux(direction, d, z) if bits["d"] != bits["z"] else z


class Control(data.StructLayout):
    """What all lanes are told; the number is the stage in which it is used."""

    def __init__(self, config):
        super().__init__(
            {
                "kind_3": Kind,
                "jacobian_3": 1,
                "remember_3": 1,  # class memory: it leaks,
                "remember_4": 1,  # and rounds its own way
                "start_4": 1,  # start values are rounded to nearest
                "fresh_5": 1,  # the accumulator starts anew
                "slice_6": index(len(widths.slices(config))),  # where the vector's bits begin
                "forward_6": 1,
                "direction_6": 1,
                "start_6": 1,
                "host_6": 1,
            }
        )


class Lane(wiring.Component):
    """Operands in stage 3, product in stage 5, accumulator and rounding in 6, words out in 7.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the lane: the rotation of its random word.

    Members
    -------
    control : In
    chosen_6 : In(1)
        Host: this lane is meant. Start: its group is.
    present : In(1)
        Stage 3: the lane holds a unit of the layer in this block.
    scalar, weight, word, read, z, active, a, d, octet : In
        Stage 3; `word` is the lane's class-memory word, `octet` its byte of the random word.
    random : In(32)
        Stage 4.
    begin : In
        Stage 5: where a fresh accumulator starts: what rounds it to nearest, and the mean.
    host : In, host_writes : In(1)
        Stage 6.
    potential, rest : In
        Stage 3, leaky neurons: see `Leak`; `potential_out` in stage 7.
    product : Out
        Stage 5.
    weight_out, word_out, vector, active_out : Out
        Stage 7.
    cut : Out(1)
        Stage 7, of a step that learns: the weight was cut off by saturation.
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
                "chosen_6": In(1),
                "present": In(1),
                "scalar": In(signed(b_bits)),
                "weight": In(signed(config.weight_bits)),
                "word": In(width),
                "read": In(signed(config.read_bits)),
                "z": In(signed(config.z_bits)),
                "active": In(1),
                "a": In(signed(config.u_bits)),
                "d": In(signed(config.d_bits)),
                "octet": In(8),
                "random": In(32),
                "begin": In(signed(widths.accumulator(config))),
                "host": In(signed(32)),
                "host_writes": In(1),
                "product": Out(signed(a_bits + b_bits)),
                "weight_out": Out(signed(config.weight_bits)),
                "cut": Out(1),
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
        """Stages 3 to 5: the lane's own operand times the common one."""
        cfg, kind = self.config, self.control.kind_3
        own = Signal(signed(widths.operand_a(cfg)))
        with m.Switch(kind):
            with m.Case(Kind.FORWARD, Kind.SCORES):
                m.d.comb += own.eq(self.weight)
            with m.Case(Kind.SIMILARITY):
                m.d.comb += own.eq(self.read)
            with m.Case(Kind.DIRECTION):
                m.d.comb += own.eq(Mux(self.control.jacobian_3, self.z, self.read))
            with m.Case(Kind.SUM, Kind.SQUARES, Kind.NORMALISE):
                m.d.comb += own.eq(self.a)
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
        """Stages 5 to 7: accumulate, round, saturate: activations a, normalised z, directions d.

        The common operand has been shifted so that the vector's bits begin at one of few places,
        and the accumulator starts from the half that rounds: what is left to do is to choose the
        bits and to see whether they fit. Of a direction it holds the negative, less one.
        """
        cfg, control = self.config, self.control
        acc = Signal(signed(widths.accumulator(cfg)))
        m.d.sync += acc.eq(Mux(control.fresh_5, self.begin, acc) + self.product)
        forward, direction, sign = control.forward_6, control.direction_6, acc[-1]
        places, drop = widths.slices(cfg), widths.forward_drop(cfg)
        top = Signal()  # the sign of the result
        m.d.comb += top.eq(sign ^ direction)

        def bit(at):
            # below the accumulator there are zeros, less one in a direction
            return acc[min(at, len(acc) - 1)] if at >= 0 else direction

        # whether all bits from some place up are copies of the sign
        bits = {"u": cfg.u_bits, "z": cfg.z_bits, "d": cfg.d_bits}
        places_of = {"u": (drop,), "z": places, "d": places}
        limits = {place + bits[v] - 1 for v in bits for place in places_of[v]}
        fits, above, high = {}, Const(1, 1), len(acc) - 1
        for limit in sorted(limits, reverse=True):
            if limit < high:
                part = acc[max(limit, 0) : high]
                same = part == (sign if limit >= 0 else direction).replicate(len(part))
                if limit < 0:
                    same &= sign == direction
                flag = Signal(name=f"fits_{limit}" if limit >= 0 else f"fits_minus_{-limit}")
                m.d.comb += flag.eq(above & same)
                above, high = flag, max(limit, 0)
            fits[limit] = above
        of = {
            v: Array(fits[place + bits[v] - 1] for place in places_of[v])[
                control.slice_6 if len(places_of[v]) > 1 else 0
            ]
            for v in bits
        }
        fit = Signal()
        m.d.comb += fit.eq(Mux(forward, of["u"], _of(direction, of["d"], of["z"], bits)))

        low = Signal(max(cfg.z_bits, cfg.d_bits))
        m.d.comb += low.eq(
            Array(Cat(bit(place + n) for n in range(len(low))) for place in places)[control.slice_6]
        )
        vector = []
        for n in range(len(self.vector)):
            value = (low[n] ^ direction) if n < len(low) else bit(drop + n)
            inside = {v: n < bits[v] - 1 for v in bits}  # below the sign
            inside = Mux(forward, inside["u"], Mux(direction, inside["d"], inside["z"]))
            vector.append(Mux(inside, Mux(fit, value, ~top), top))

        active = self._delayed(m, self.active, 3, "active")
        present = self._delayed(m, self.present, 3, "present")
        positive = self._delayed(m, self.a > 0, 3, "positive")
        m.d.sync += self.active_out.eq(positive)
        value = Signal.like(self.vector)
        m.d.comb += value.eq(Cat(vector))
        u = value
        if cfg.leaky:
            m.submodules.leak = leak = Leak(cfg)
            m.d.comb += [
                leak.potential.eq(self.potential),
                leak.rest.eq(self.rest),
                leak.current.eq(value),
                self.potential_out.eq(leak.written),
            ]
            u = leak.u
        with m.If(forward):
            m.d.sync += self.vector.eq(Mux(u[-1], self._below(u), u))
        with m.Elif(~present):
            m.d.sync += self.vector.eq(0)
        with m.Elif(direction & ~active):
            m.d.sync += self.vector.eq(self._below(value))
        with m.Else():
            m.d.sync += self.vector.eq(value)

    def _below(self, value):
        """`value` times the slope below 0."""
        shift = self.config.slope_shift
        return shift_round(value, shift) if shift else Const(0)

    def _change(self, m):
        """Stages 3 to 6: ``floor((random - product - leak) / 2**update_shift)``."""
        cfg, shift, kind = self.config, self.config.update_shift, KINDS[self.config.memory]
        control = self.control
        random = Signal(shift)
        m.d.comb += random.eq(self.random.rotate_left(self.number % 32))
        half = Const(1 << (shift - 1), shift)
        weight_bits = {
            Rounding.FLOOR: Const(0, shift),
            Rounding.NEAREST: half,
            Rounding.STOCHASTIC: random,
        }[cfg.rounding]
        memory_bits = random if kind.stochastic else Const(0, shift)
        added = Mux(control.start_4, half, weight_bits)
        if kind.stochastic != (cfg.rounding is Rounding.STOCHASTIC):
            added = Mux(control.remember_4, memory_bits, added)
        if kind.leaks:
            leak = Signal(signed(cfg.memory_bits))
            with m.If(control.remember_3):
                m.d.sync += leak.eq(self.word[: cfg.memory_bits].as_signed())
            with m.Else():
                m.d.sync += leak.eq(0)
            added = added - (leak << (shift - cfg.horizon))
        rest = Signal(Value.cast(added).shape())
        m.d.sync += rest.eq(added)
        product = self.product[: widths.update_product(cfg)].as_signed()
        change = Signal(signed(widths.change(cfg)))
        m.d.sync += change.eq((rest - product) >> shift)
        return change

    def _write_weight(self, m, change):
        """Stages 6 to 7: the weight memory's word."""
        cfg, control = self.config, self.control
        old = self._delayed(m, self.weight, 3, "weight_old")
        total = Signal(signed(max(cfg.weight_bits, len(change)) + 1))
        m.d.comb += total.eq(Mux(control.start_6, 0, old) + change)
        above = total[cfg.weight_bits - 1 :]  # copies of the sign, where the weight fits
        m.d.sync += self.cut.eq(above.any() & ~above.all())
        with m.If(control.host_6):
            m.d.sync += self.weight_out.eq(Mux(self.chosen_6 & self.host_writes, self.host, old))
        with m.Elif(control.start_6 & ~self.chosen_6):
            m.d.sync += self.weight_out.eq(old)
        with m.Else():
            m.d.sync += self.weight_out.eq(saturate(total, cfg.weight))

    def _write_word(self, m, change):
        """Stages 6 to 7: the class memory's word; the code bit only changes at the start."""
        cfg, control, bits = self.config, self.control, self.config.memory_bits
        width = word_width(cfg)
        old = self._delayed(m, self.word, 3, "word_old")
        code = self._delayed(m, self.octet[0] & self.present, 3, "code")
        new = old
        if KINDS[cfg.memory].by_sample:
            new = self._delayed(m, self.z, 3, "replacing")
        elif cfg.writes_memory:
            total = Signal(signed(max(bits, len(change)) + 1))
            m.d.comb += total.eq(old[:bits].as_signed() + change)
            new = Cat(saturate(total, Format(bits, 0))[:bits], old[bits:])
        start = Cat(Const(0, width - 1), code) if cfg.kappa else Const(0, width)
        with m.If(control.host_6):
            m.d.sync += self.word_out.eq(
                Mux(self.chosen_6 & self.host_writes, self.host[:width], old)
            )
        with m.Elif(control.start_6):
            m.d.sync += self.word_out.eq(Mux(self.chosen_6, start, old))
        with m.Else():
            m.d.sync += self.word_out.eq(new)
