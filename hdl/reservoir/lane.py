"""One lane of the reservoir: a multiplier, the sum of a unit's step, and a weight's update."""

from amaranth.hdl import Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, enum, memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.fixed import Rounding
from ...golden.arithmetic.tables import TANH_RANGE, TANH_STEP, tanh_table
from ...golden.reservoir.cell import COUPLING_FRACTION
from ..lanes.fixed import saturate
from ..lanes.random import of_lane


class Kind(enum.Enum):
    """Kinds of steps in the lanes' pipeline."""

    LEAK = 0  # the unit's own state; begins a sum
    INPUT = 1  # one input, added or taken away
    TAP = 2  # one unit that is listened to
    DOT = 3  # state x weight, summed over the lanes
    UPDATE = 4  # state x error into the weight
    HOST = 5  # a weight is read, or written by a command


class Control(data.StructLayout):
    """Control signals broadcast to every lane; the suffix is the pipeline stage that uses them."""

    def __init__(self, config):
        super().__init__(
            {
                "kind_2": Kind,
                "kind_4": Kind,
                "host_5": 1,
                "write_5": 1,  # the host's word goes in
            }
        )


def right_bits(config) -> int:
    """Bits of the operand that the state is multiplied by."""
    bits = COUPLING_FRACTION + 2
    return max(bits, config.weight_bits, config.output_bits) if has_readout(config) else bits


def product_bits(config) -> int:
    """Bits of a lane's product."""
    return config.state_bits + right_bits(config)


def has_readout(config) -> bool:
    """Whether there are readout weights."""
    return config.output == "readout"


class Lane(wiring.Component):
    """Operands in stage 2, product in stage 4, sum in stage 5, words out in stage 6 (tanh: 9).

    Resources: a multiplier of ``state_bits x right_bits``, an adder of ``sum_bits``; with tanh a
    table of 512 words and a second multiplier.

    Parameters
    ----------
    config : ReservoirConfig
    number : int
        Of the lane: rotates its random words.

    Members
    -------
    control : In
    state : In
        Stage 2: the state that is multiplied, permuted for a tap.
    weight, error : In
        Stage 2.
    key, own : In(32)
        Stage 3: the input's key and the granule's word, rotated to the block.
    tap_minus : In(1)
        Stage 3.
    value : In
        Stage 4: the input.
    random : In(32)
        Stage 4, rotated to the block.
    chosen, host : In
        Stage 5: whether the host addresses this lane, and its word.
    product : Out
        Stage 4.
    state_out : Out
    weight_out : Out
        Stage 6.
    """

    def __init__(self, config, number):
        self.config, self.number = config, number
        super().__init__(
            {
                "control": In(Control(config)),
                "state": In(signed(config.state_bits)),
                "weight": In(signed(config.weight_bits)),
                "error": In(signed(config.output_bits)),
                "key": In(32),
                "own": In(32),
                "tap_minus": In(1),
                "value": In(signed(config.input_bits)),
                "random": In(32),
                "chosen": In(1),
                "host": In(signed(config.weight_bits)),
                "product": Out(signed(product_bits(config))),
                "state_out": Out(signed(config.state_bits)),
                "weight_out": Out(signed(config.weight_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, kind = self.config, self.control.kind_2
        left = Signal(signed(cfg.state_bits))
        right = Signal(signed(right_bits(cfg)))
        m.d.sync += [left.eq(self.state), right.eq(cfg.coupling), self.product.eq(left * right)]
        if has_readout(cfg):
            with m.If(kind == Kind.DOT):
                m.d.sync += right.eq(self.weight)
            with m.Elif(kind == Kind.UPDATE):
                m.d.sync += right.eq(self.error)
            self._update(m)
        total = self._sum(m, left)
        raw = Signal(signed(len(total) - cfg.shift))
        m.d.comb += raw.eq(total >> cfg.shift)
        if cfg.activation == "tanh":
            self._tanh(m, raw)
        else:
            m.d.sync += self.state_out.eq(saturate(raw, cfg.state))
        return m

    def _added(self, bits):
        """Number that rounding adds before the lowest `bits` bits are dropped."""
        if self.config.rounding is Rounding.STOCHASTIC:
            return of_lane(self.random, self.number)[:bits]
        return Const((1 << bits >> 1) if self.config.rounding is Rounding.NEAREST else 0, bits)

    def _sum(self, m, left):
        """Stages 3 to 5: own state, taps and inputs of one unit."""
        cfg, kind = self.config, self.control.kind_4
        leak = Signal(signed(cfg.state_bits + cfg.shift + 1))
        minus = Signal()
        parity = (self.own.rotate_left(self.number) & self.key).xor()
        # a tap's sign or an input's: which of the two, stage 4 knows from the kind
        seen = Signal()
        m.d.sync += [
            leak.eq((left << cfg.shift) - (left << (cfg.shift - cfg.leak))),
            minus.eq(self.tap_minus),
            seen.eq(parity),
        ]
        total = Signal(signed(cfg.sum_bits))
        term = Signal(signed(cfg.sum_bits))
        m.d.comb += term.eq(self.product << cfg.tap_shift)
        start = kind == Kind.LEAK
        with m.If(start):
            m.d.comb += term.eq(leak)
        with m.Elif(kind == Kind.INPUT):
            m.d.comb += term.eq(self.value << cfg.input_shift)
        before = Signal(signed(cfg.sum_bits))
        m.d.comb += before.eq(Mux(start, self._added(cfg.shift), total))
        taken = Mux(kind == Kind.INPUT, seen, minus) & ~start
        m.d.sync += total.eq(Mux(taken, before - term, before + term))
        return total

    def _tanh(self, m, raw):
        """Stages 5 to 9: size, table, slope times rest, sum."""
        cfg = self.config
        fraction = cfg.state.fraction
        values, slopes = (table.tolist() for table in tanh_table(fraction))
        rest_bits = max(fraction - TANH_STEP, 0)
        largest = (TANH_RANGE << fraction) - 1
        size = Signal(range(largest + 1))
        positive = Signal(unsigned(len(raw)))
        m.d.comb += positive.eq(Mux(raw < 0, -raw, raw))
        m.d.sync += size.eq(Mux(positive > largest, largest, positive))
        negative = raw < 0
        for stage in range(6, 9):
            register = Signal(name=f"negative_{stage}")
            m.d.sync += register.eq(negative)
            negative = register
        entry = data.StructLayout({"value": fraction, "slope": max(max(slopes).bit_length(), 1)})
        rows = [{"value": v, "slope": s} for v, s in zip(values, slopes, strict=True)]
        m.submodules.table = table = memory.Memory(shape=entry, depth=len(rows), init=rows)
        read = table.read_port()
        m.d.comb += read.addr.eq(size >> rest_bits << max(TANH_STEP - fraction, 0))
        value_8 = Signal(fraction)
        m.d.sync += value_8.eq(read.data.value)
        found = value_8
        if rest_bits:
            rest_7 = Signal(rest_bits)
            part_8 = Signal(len(read.data.slope) + rest_bits + 1)
            m.d.sync += [
                rest_7.eq(size[:rest_bits]),
                part_8.eq(read.data.slope * rest_7 + (1 << rest_bits >> 1)),
            ]
            found = value_8 + (part_8 >> rest_bits)
        m.d.sync += self.state_out.eq(Mux(negative, -found, found))

    def _update(self, m):
        """Stages 2 to 6: the weight's read-modify-write."""
        cfg = self.config
        old = self.weight
        for stage in range(3, 6):
            register = Signal.like(self.weight, name=f"weight_{stage}")
            m.d.sync += register.eq(old)
            old = register
        shift = cfg.update_shift
        change = Signal(signed(max(product_bits(cfg), shift + 1) + 1 - shift))
        m.d.sync += change.eq((self.product + self._added(shift)) >> shift)
        new = Signal(signed(max(len(old), len(change)) + 1))
        m.d.comb += new.eq(old + change)
        with m.If(self.control.host_5):
            m.d.sync += self.weight_out.eq(Mux(self.chosen & self.control.write_5, self.host, old))
        with m.Else():
            m.d.sync += self.weight_out.eq(saturate(new, cfg.weight))
