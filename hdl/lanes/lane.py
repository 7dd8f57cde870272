"""One lane: a multiplier, an accumulator, a rounding shifter and a read-modify-write path."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.fixed import Format, Rounding
from ...golden.layers.init import init_groups
from ...golden.program import widths
from ...golden.program.layout import Layout, kept_width, vector_width, word_width
from ..neurons.activation import activate, active, below
from ..neurons.leaky import Leak
from ..neurons.lif import Leaking, Lif, near
from ..primitives import Multiplier, late
from ..shapes import value_shape
from .control import Common, Control, Own
from .fixed import saturate
from .random import of_lane


def _of(direction, d, z, bits):
    """`d` in a direction, else `z`; no choice where both have equally many bits."""
    return Mux(direction, d, z) if bits["d"] != bits["z"] else z


class Beside(data.Struct):
    """Control signals of an update beside; the suffix is the pipeline stage that uses them."""

    own_z_5: 1  # the lane's own operand is z, else d
    valid_9: 1


GROUPED = (("gathered", In), ("held", Out))


class Lane(wiring.Component):
    """Operands in stage 5, product in stage 7, accumulator in 8, rounded in 9, words out in 10.

    Registers of the data path have no reset: steps alone decide which words are written.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the lane: the rotation of its random word.

    Members
    -------
    control : In
    chosen_9 : In(1)
        Host: the command addresses this lane. Start: this lane's group gets its values; the other
        lanes keep theirs, or get 0 while the first group does.
    present : In(1)
        Stage 5: the lane holds a unit of the layer in this block.
    scalar, weight, word, read, z, active, a, d, octet : In
        Stage 5; `word` is the lane's class-memory word, `octet` its byte of the random word.
    random : In(32)
        Stage 6.
    begin : In
        Stage 7: start value of a fresh accumulator: the half that rounds, and the mean.
    host : In, host_writes : In(1)
        Stage 9.
    held : Out, gathered : In
        Where positions share a word: the accumulator, in stage 8; the sum of those of all groups
        of lanes, in stage 7.
    potential, rest : In
        Stage 5, leaky neurons: see `Leak`; `potential_out` in stage 10.
    leaking, arriving, leak_random : In
        Stage 5, of sequences: see `Lif`; `spike_out` in stage 10. `z` holds traces too.
    beside, scalar_beside, weight_beside, z_beside : In
        With updates beside, stage 5 but for what `beside` says; `d` belongs to the same step.
    random_beside : In(32)
        Likewise, stage 6.
    product : Out
        Stage 7.
    weight_out, word_out, vector, active_out : Out
        Stage 10.
    cut : Out(1)
        Stage 10, in a step that learns: the weight was saturated.
    """

    def __init__(self, config, number):
        self.config, self.number = config, number
        self.grouped = Layout(config).spans > 1
        width = max(word_width(config), 1)
        a_bits, b_bits = widths.operand_a(config), widths.operand_b(config)
        potential = signed(config.potential.width)
        leaky = {"potential": In(potential), "rest": In(1), "potential_out": Out(potential)}
        leaky = leaky if config.leaky else {}
        if config.recurrent:
            leaky = {
                "leaking": In(Leaking()),
                "arriving": In(value_shape(config)),
                "leak_random": In(32),
                "spike_out": Out(1),
            }
        if config.update.overlap:
            leaky |= {
                "beside": In(Beside),
                "scalar_beside": In(signed(b_bits)),
                "weight_beside": In(signed(config.weight.width)),
                "z_beside": In(signed(kept_width(config))),
                "random_beside": In(32),
            }
        if self.grouped:
            leaky = {name: port(signed(widths.accumulator(config))) for name, port in GROUPED}
        super().__init__(
            {
                "control": In(Control(config)),
                "chosen_9": In(1),
                "present": In(1),
                "scalar": In(signed(b_bits)),
                "weight": In(signed(config.weight.width)),
                "word": In(width),
                "read": In(signed(config.read.width)),
                "z": In(signed(kept_width(config))),
                "active": In(1),
                "a": In(signed(config.u.width)),
                "d": In(signed(config.d.width)),
                "octet": In(8),
                "random": In(32),
                "begin": In(signed(widths.accumulator(config))),
                "host": In(signed(32)),
                "host_writes": In(1),
                "product": Out(signed(a_bits + b_bits)),
                "weight_out": Out(signed(config.weight.width)),
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

    def _multiply(self, m):
        """Stages 5 to 7: the lane's own operand times the common one."""
        cfg, control = self.config, self.control
        own = Signal(signed(widths.operand_a(cfg)))
        octet = Mux(self.present, self.octet.as_signed(), 0)
        sources = {
            Own.WEIGHT: self.weight, Own.READ: self.read, Own.Z: self.z, Own.A: self.a,
            Own.D: self.d, Own.BYTE: octet,
        }  # fmt: skip
        if cfg.update.overlap:
            del sources[Own.D]  # it is multiplied beside
        # a bit for each: two levels of logic before the multiplier
        chosen = [Mux(control.own_5[of.value], value, 0) for of, value in sources.items()]
        m.d.comb += own.eq(reduce(or_, chosen))
        common = Signal(signed(widths.operand_b(cfg)))
        with m.Switch(control.common_5):
            with m.Case(Common.Z):
                m.d.comb += common.eq(self.z)
            with m.Case(Common.A):
                m.d.comb += common.eq(self.a)
            with m.Default():
                m.d.comb += common.eq(self.scalar)
        m.submodules.multiplier = multiplier = Multiplier(len(own), len(common))
        m.d.comb += [
            multiplier.a.eq(own),
            multiplier.b.eq(common),
            self.product.eq(multiplier.product),
        ]

    def _vector(self, m):
        """Stages 7 to 10: accumulate, round, saturate: activations a, normalised z, directions d.

        The common operand has been shifted so that the vector's bits begin at one of few places,
        and the accumulator starts from the half that rounds: it remains to choose the bits and to
        check whether they fit. In a direction the accumulator holds the negative, less one.
        """
        cfg, control = self.config, self.control
        acc = Signal(signed(widths.accumulator(cfg)), reset_less=True)
        begin = self.begin
        if cfg.convolves:
            self.acc, self.rest = acc, Signal(cfg.update_shift)
            begin = Mux(control.correlates_7, self.rest, begin)
        product = self.product
        if self.grouped:
            begin = Mux(control.bare_7, 0, begin)
            product = Mux(control.gathers_7, self.gathered, product)
            m.d.comb += self.held.eq(acc)
        m.d.sync += acc.eq(Mux(control.fresh_7, begin, acc) + product)
        direction = control.direction_8
        places, drop = widths.slices(cfg), widths.forward_drop(cfg)
        top = Signal()  # the sign of the result
        m.d.comb += top.eq(acc[-1] ^ direction)

        def bit(at):
            # below the accumulator there are zeros, less one in a direction
            return acc[min(at, len(acc) - 1)] if at >= 0 else direction

        bits = {"u": cfg.u.width, "z": cfg.z.width, "d": cfg.d.width}
        fit = self._fit(m, acc, bits)
        low = Signal(max(cfg.z.width, cfg.d.width))
        m.d.comb += low.eq(
            Array(Cat(bit(place + n) for n in range(len(low))) for place in places)[control.slice_8]
        )
        # stage 9: the bits chosen, whether they fit, and the sign
        chosen = [
            Mux(control.forward_8, bit(drop + n), low[n] ^ direction if n < len(low) else top)
            for n in range(len(self.vector))
        ]
        chosen = late(m, Cat(chosen), name="chosen_bits")
        fit, top = late(m, fit, name="fit_9"), late(m, top, name="top_9")
        forward, direction = control.forward_9, control.direction_9
        vector = []
        for n in range(len(self.vector)):
            inside = {v: n < bits[v] - 1 for v in bits}  # below the sign
            inside = Mux(forward, inside["u"], Mux(direction, inside["d"], inside["z"]))
            vector.append(Mux(inside, Mux(fit, chosen[n], ~top), top))

        if cfg.recurrent:
            self._spiking(m, Cat(vector))
            return
        whole = late(m, self.active, 4, name="active_{}")
        present = late(m, self.present, 4, name="present_{}")
        positive = late(m, active(cfg, self.a), 5, name="positive_{}")
        m.d.comb += self.active_out.eq(positive)
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
        written = Signal.like(self.vector)
        with m.If(forward):
            m.d.comb += written.eq(activate(cfg, u))
        with m.Elif(~present):
            m.d.comb += written.eq(0)
        with m.Elif(direction & ~whole):
            m.d.comb += written.eq(below(cfg, value))
        with m.Else():
            m.d.comb += written.eq(value)
        m.d.comb += self.vector.eq(late(m, written, name="vector_10"))

    def _spiking(self, m, vector):
        """Stages 5 to 10 of a lane whose units spike: potentials, traces, directions."""
        cfg, control = self.config, self.control
        value = Signal.like(self.vector)
        m.submodules.lif = lif = Lif(cfg, self.number)
        m.d.comb += [
            value.eq(vector),
            lif.step.eq(self.leaking),
            lif.potential.eq(self.a),
            lif.kept.eq(self.z),
            lif.arriving.eq(self.arriving),
            lif.random.eq(of_lane(self.leak_random, self.number)),
            lif.current.eq(value),
            self.spike_out.eq(late(m, lif.spike)),
        ]
        present = late(m, self.present, 4, name="present_{}")
        learns = late(m, near(cfg, self.a), 4, name="near_{}")
        written = Signal.like(self.vector)
        with m.If(control.forward_9):
            m.d.comb += written.eq(lif.u)
        with m.Elif(control.traces_9):
            m.d.comb += written.eq(lif.trace)
        with m.Elif(present & learns):
            m.d.comb += written.eq(value)
        m.d.comb += self.vector.eq(late(m, written, name="vector_10"))

    def _fit(self, m, acc, bits):
        """Stage 8: whether the chosen bits hold the sum: all above are copies of the sign."""
        control, sign, direction = self.control, acc[-1], self.control.direction_8
        places, drop = widths.slices(self.config), widths.forward_drop(self.config)
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
                control.slice_8 if len(places_of[v]) > 1 else 0
            ]
            for v in bits
        }
        fit = Signal()
        vector = _of(direction, of["d"], of["z"], bits)
        m.d.comb += fit.eq(Mux(control.forward_8, of["u"], vector))
        return fit

    def _change(self, m):
        """Stages 5 to 8: ``floor((random - product - leak) / 2**update_shift)``."""
        cfg, shift, kind = self.config, self.config.update_shift, self.config.memory
        control = self.control
        random = Signal(shift)
        m.d.comb += random.eq(of_lane(self.random, self.number % cfg.span))
        half = Const(1 << (shift - 1), shift)
        weight_bits = {
            Rounding.FLOOR: Const(0, shift),
            Rounding.NEAREST: half,
            Rounding.STOCHASTIC: random,
        }[cfg.update.rounding]
        memory_bits = random if kind.stochastic else Const(0, shift)
        added = Mux(control.start_6, half, weight_bits)
        if kind.stochastic != (cfg.update.rounding is Rounding.STOCHASTIC):
            added = Mux(control.remember_6, memory_bits, added)
        if kind.leaks:
            leaks = Mux(control.remember_5, self.word[: cfg.stored.width].as_signed(), 0)
            leak = late(m, leaks, name="leak")
            added = added - (leak << (shift - cfg.memory.horizon))
        rest = late(m, added, name="rest_7")
        product = self.product[: widths.update_product(cfg)].as_signed()
        change = Signal(signed(widths.change(cfg)), reset_less=True)
        m.d.sync += change.eq((rest - product) >> shift)
        if not cfg.convolves:
            return change
        m.d.comb += self.rest.eq(rest)
        return Mux(control.correlates_8, self.acc >> shift, change)

    def _start(self, start, old):
        """`start` while the lane's group gets its values, else the old value."""
        if init_groups(self.config) == 1:
            return start
        return Mux(self.chosen_9, start, Mux(self.control.blank_9, 0, old))

    def _write_weight(self, m, change):
        """Stages 8 to 10: the weight memory's word."""
        cfg, control = self.config, self.control
        old = late(m, self.weight, 3, name="weight_old_{}")
        if cfg.update.overlap:  # start weights alone come this way
            learned, total = self._update(m), late(m, change, name="total")
        else:
            total = Signal(signed(max(cfg.weight.width, len(change)) + 1), reset_less=True)
            m.d.sync += total.eq(Mux(control.start_8, 0, old) + change)
            learned = total
        above = learned[cfg.weight.width - 1 :]  # copies of the sign, where the weight fits
        m.d.comb += self.cut.eq(late(m, above.any() & ~above.all(), name="cut_10"))
        old = late(m, old, name="weight_9")
        written = Signal.like(self.weight_out)
        new = saturate(total, cfg.weight)
        if cfg.update.overlap:
            new, started = saturate(learned, cfg.weight), new
            with m.If(self.beside.valid_9):
                m.d.comb += written.eq(new)
            with m.Elif(control.host_9):
                m.d.comb += written.eq(Mux(self.chosen_9 & self.host_writes, self.host, old))
            with m.Else():
                m.d.comb += written.eq(self._start(started, old))
            m.d.comb += self.weight_out.eq(late(m, written, name="weight_10"))
            return
        with m.If(control.host_9):
            m.d.comb += written.eq(Mux(self.chosen_9 & self.host_writes, self.host, old))
        with m.Elif(control.start_9):
            m.d.comb += written.eq(self._start(new, old))
        with m.Else():
            m.d.comb += written.eq(new)
        m.d.comb += self.weight_out.eq(late(m, written, name="weight_10"))

    def _update(self, m):
        """Stages 5 to 9: the new weight of an update beside, not saturated."""
        cfg, shift = self.config, self.config.update_shift
        own = Mux(self.beside.own_z_5, self.z_beside, self.d)
        m.submodules.multiplier_beside = multiplier = Multiplier(len(own), len(self.scalar_beside))
        added = {
            Rounding.FLOOR: Const(0, shift),
            Rounding.NEAREST: Const(1 << (shift - 1), shift),
            Rounding.STOCHASTIC: of_lane(self.random_beside, self.number)[:shift],
        }[cfg.update.rounding]
        rest = Signal(shift, name="rest_beside")
        m.d.comb += [
            multiplier.a.eq(own),
            multiplier.b.eq(self.scalar_beside),
            rest.eq(added),
        ]
        rest = late(m, rest, name="rest_beside_7")
        product = multiplier.product[: widths.update_product(cfg)].as_signed()
        change = Signal(signed(widths.change(cfg)), reset_less=True, name="change_beside")
        total = Signal(
            signed(max(cfg.weight.width, len(change)) + 1), reset_less=True, name="total_beside"
        )
        old = late(m, self.weight_beside, 3, name="weight_beside_{}")
        m.d.sync += [change.eq((rest - product) >> shift), total.eq(old + change)]
        return total

    def _write_word(self, m, change):
        """Stages 8 to 10: the class memory's word; the code bit only changes at the start."""
        cfg, control, bits = self.config, self.control, self.config.stored.width
        width = word_width(cfg)
        old_8 = late(m, self.word, 3, name="word_old_{}")
        old = late(m, old_8, name="word_9")
        code = late(m, self.octet[0] & self.present, 4, name="code_{}")
        new = old
        if cfg.memory.by_sample:
            new = late(m, self.z, 4, name="replacing_{}")
        elif cfg.writes_memory:
            total = late(m, old_8[:bits].as_signed() + change, name="word_total")
            new = Cat(saturate(total, Format(bits, 0))[:bits], old[bits:])
        start = Cat(Const(0, width - 1), code) if cfg.memory.kappa else Const(0, width)
        written = Signal.like(self.word_out)
        with m.If(control.host_9):
            m.d.comb += written.eq(Mux(self.chosen_9 & self.host_writes, self.host[:width], old))
        with m.Elif(control.start_9):
            m.d.comb += written.eq(self._start(start, old))
        with m.Else():
            m.d.comb += written.eq(new)
        m.d.comb += self.word_out.eq(late(m, written, name="word_10"))
