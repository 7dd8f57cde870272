"""The lanes: one multiplier each, shared in time by every pass of the core.

What a step does follows from its `Kind`; `OPERAND_A` says where each kind finds the lane's own
operand. The common operand `scalar` goes to all lanes, except in dot products and squares.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from ..golden import widths
from ..golden.fixed import Format, Rounding
from ..golden.init import GROUP
from ..golden.memory import KINDS
from ..golden.modulator import direction_shift
from ..golden.normalise import MANTISSA_BITS, exponent_range
from ..golden.program import Kind as GoldenKind
from ..golden.program import tree_latency
from .fixed import saturate, shift_round, shift_round_by
from .modulator import word_width
from .tree import AdderTree
from .shapes import index

Kind = enum.Enum(
    "Kind",
    {kind.name: number for number, kind in enumerate([*GoldenKind])} | {"HOST_WEIGHT": 14, "HOST_MEMORY": 15},
)
UPDATES = (Kind.UPDATE, Kind.READOUT, Kind.START_WEIGHTS, Kind.HOST_WEIGHT)  # write the weight memory
MEMORY_UPDATES = (Kind.FORGET, Kind.MEMORY, Kind.START_MEMORY, Kind.HOST_MEMORY)  # write the class memory
VECTORS = (Kind.FORWARD, Kind.NORMALISE, Kind.DIRECTION)  # write a vector memory
DOTS = (Kind.SUM, Kind.SQUARES, Kind.SIMILARITY, Kind.SCORES)  # give a total
RANDOM = (Kind.UPDATE, Kind.READOUT, Kind.FORGET, Kind.MEMORY, Kind.START_WEIGHTS, Kind.START_MEMORY)  # draw a word


def is_any(kind, kinds):
    """Whether `kind` is one of `kinds`."""
    return Cat(kind == k for k in kinds).any()


def vector_width(config) -> int:
    """Bits of one lane of a vector being written: a, z or d."""
    return max(config.u_bits, config.z_bits, config.d_bits)


class Step(data.StructLayout):
    """What travels with a step through the pipeline.

    ``first`` and ``last`` delimit a sum over the steps that belong together (`sum_first`,
    `sum_last`); ``end`` marks the last step of a pass.
    """

    def __init__(self, config, addresses):
        super().__init__(
            {
                "valid": 1,
                "kind": Kind,
                "layer": range(len(config.hidden) + 1),
                "row": index(config.classes + 1),
                "block": index(addresses["blocks"]),
                "sum_first": 1,
                "sum_last": 1,
                "end": 1,
                "bias": 1,
                "jacobian": 1,
                "write": 1,
                "learn": 1,  # the sample has a label
                "tail": 1,  # last block of a layer: some lanes may be empty
                "lane": index(config.lanes),  # host: the lane; start: the group of lanes
                "address": range(addresses["words"]),
            }
        )

    def pack(self, **values):
        """A step with the given fields; all others are 0."""
        fields = []
        for name, field in self:
            value = Value.cast(values.pop(name, 0))[: field.width]
            fields.append(Cat(value, Const(0, field.width - len(value))))
        if values:
            raise TypeError(f"a step has no fields {sorted(values)}")
        return Cat(fields)


class Dense(wiring.Component):
    """Multiply, accumulate, sum over the lanes, round, saturate; all lanes in step.

    Operands of a step are given in stage 2 (`step`, ..., `random`); with the step in stage 2 at
    clock t + 2, products are there at t + 4, accumulators at t + 5, words to write at t + 6
    (`out`, `weights_out`, `memory_out`, `vector_out`), totals over the lanes at
    ``t + 5 + tree`` (`total`, with its step in `total_step`). One step per clock.

    Resources: one multiplier of ``operand_a x operand_b`` bits (`hebbware.golden.widths`), one
    accumulator and one rounding shifter for each lane; an adder tree.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step
    """

    def __init__(self, config, step_layout):
        self.config, self.step_layout = config, step_layout
        self.tree_latency = tree_latency(config.lanes)
        lanes, low_high = config.lanes, exponent_range(config)
        super().__init__(
            {
                "step": In(step_layout),
                "scalar": In(signed(widths.operand_b(config))),
                "weights": In(lanes * config.weight_bits),
                "memory": In(max(lanes * word_width(config), 1)),
                "read": In(lanes * config.read_bits),
                "z": In(lanes * config.z_bits),
                "active": In(lanes),
                "a": In(lanes * config.u_bits),
                "d": In(lanes * config.d_bits),
                "mean": In(unsigned(config.u_bits - 1)),
                "random": In(32),
                "host_data": In(signed(32)),
                "exponent": In(range(low_high[1] - low_high[0] + 2)),
                "power": In(range(low_high[1] - low_high[0] + 2)),
                "out": Out(step_layout),
                "weights_out": Out(lanes * config.weight_bits),
                "memory_out": Out(max(lanes * word_width(config), 1)),
                "vector_out": Out(lanes * vector_width(config)),
                "active_out": Out(lanes),
                "total": Out(signed(widths.total(config))),
                "total_step": Out(step_layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, lanes = self.config, self.config.lanes
        stages = {2: self.step}
        for n in range(3, 7):
            stages[n] = Signal(self.step_layout, name=f"step_{n}")
            m.d.sync += stages[n].eq(stages[n - 1])
        m.d.comb += self.out.eq(stages[6])
        self._tail_lanes = {
            layer: units % lanes for layer, units in enumerate([*cfg.hidden, cfg.hidden[-1]]) if units % lanes
        }
        random = {2: self.random}
        for n in (3, 4):
            random[n] = Signal(32, name=f"random_{n}")
            m.d.sync += random[n].eq(random[n - 1])

        products, words = [], []
        for lane in range(lanes):
            product, vector, weight, memory, active = self._lane(m, lane, stages, random)
            products.append(product)
            words.append((vector, weight, memory, active))
        vectors, weights, memories, actives = zip(*words, strict=True)
        m.d.comb += [
            self.vector_out.eq(Cat(vectors)),
            self.weights_out.eq(Cat(weights)),
            self.memory_out.eq(Cat(memories)),
            self.active_out.eq(Cat(actives)),
        ]
        self._totals(m, stages, products, memories)
        return m

    # -- one lane ---------------------------------------------------------------------------------

    def _lane(self, m, lane, stages, random):
        cfg = self.config
        weight = self.weights.word_select(lane, cfg.weight_bits).as_signed()
        read = self.read.word_select(lane, cfg.read_bits).as_signed()
        z = self.z.word_select(lane, cfg.z_bits).as_signed()
        a = self.a.word_select(lane, cfg.u_bits).as_signed()
        d = self.d.word_select(lane, cfg.d_bits).as_signed()
        octet = self.random.word_select(lane % GROUP, 8)
        present = Signal(name=f"present_{lane}")
        m.d.comb += present.eq(~self._absent(lane, stages[2]))

        # stage 2 -> 3: operands
        left = Signal(signed(widths.operand_a(cfg)), name=f"left_{lane}")
        right = Signal(signed(widths.operand_b(cfg)), name=f"right_{lane}")
        kind = stages[2].kind
        own = Signal.like(left, name=f"own_{lane}")
        with m.Switch(kind):
            with m.Case(Kind.FORWARD, Kind.SCORES):
                m.d.comb += own.eq(weight)
            with m.Case(Kind.SIMILARITY):
                m.d.comb += own.eq(read)
            with m.Case(Kind.DIRECTION):
                m.d.comb += own.eq(Mux(stages[2].jacobian, z, read))
            with m.Case(Kind.SUM, Kind.SQUARES):
                m.d.comb += own.eq(a)
            with m.Case(Kind.NORMALISE):
                m.d.comb += own.eq(a - self.mean)
            with m.Case(Kind.UPDATE):
                m.d.comb += own.eq(d)
            with m.Case(Kind.READOUT, Kind.FORGET, Kind.MEMORY):
                m.d.comb += own.eq(z)
            with m.Case(Kind.START_WEIGHTS):
                m.d.comb += own.eq(Mux(present, octet.as_signed(), 0))
        common = Signal.like(right, name=f"common_{lane}")
        with m.Switch(kind):
            with m.Case(Kind.SIMILARITY, Kind.SCORES):
                m.d.comb += common.eq(z)
            with m.Case(Kind.SQUARES):
                m.d.comb += common.eq(a)
            with m.Default():
                m.d.comb += common.eq(self.scalar)
        m.d.sync += [left.eq(own), right.eq(common)]

        # stage 3 -> 4: the product
        product = Signal(signed(len(left) + len(right)), name=f"product_{lane}")
        m.d.sync += product.eq(left * right)

        weight_new = self._write_back(m, lane, stages, random, product, weight, cfg.weight, "weight", present, octet)
        memory_new = self._memory_back(m, lane, stages, random, product, present, octet)
        vector, active = self._vector(m, lane, stages, product, present)
        return product, vector, weight_new, memory_new, active

    def _absent(self, lane, step):
        """Whether the lane holds no unit of the step's layer in its block."""
        return step.tail & Cat(
            step.layer == layer for layer, used in self._tail_lanes.items() if lane >= used
        ).any()

    def _delayed(self, m, value, clocks, name):
        for n in range(clocks):
            register = Signal.like(value, name=f"{name}_{n}")
            m.d.sync += register.eq(value)
            value = register
        return value

    def _random_bits(self, word, lane):
        """The lane's random operand: the word rotated left by its number, the low bits of it."""
        return word.rotate_left(lane % 32)[: self.config.update_shift]

    def _write_back(self, m, lane, stages, random, product, old, fmt, name, present, octet):
        """``sat(old + floor((r - product) / 2**update_shift))`` for the weight memory."""
        cfg, shift = self.config, self.config.update_shift
        half = Const(1 << (shift - 1), shift)
        by_mode = {
            Rounding.FLOOR: Const(0, shift),
            Rounding.NEAREST: half,
            Rounding.STOCHASTIC: self._random_bits(random[4], lane),
        }
        kind = stages[4].kind
        change = Signal(signed(len(product) + 1), name=f"{name}_change_{lane}")
        m.d.sync += change.eq(Mux(kind == Kind.START_WEIGHTS, half, by_mode[cfg.rounding]) - product)
        old = self._delayed(m, old, 3, f"{name}_old_{lane}")  # stage 5
        kind, step = stages[5].kind, stages[5]
        base = Mux(kind == Kind.START_WEIGHTS, 0, old)
        new = saturate(base + (change >> shift), fmt)
        result = Signal(fmt.width, name=f"{name}_new_{lane}")
        with m.If(kind == Kind.HOST_WEIGHT):
            m.d.sync += result.eq(Mux(step.write & (step.lane == lane), self.host_data, old))
        with m.Elif((kind == Kind.START_WEIGHTS) & (step.lane != lane // GROUP)):
            m.d.sync += result.eq(old)
        with m.Else():
            m.d.sync += result.eq(new)
        return result

    def _memory_back(self, m, lane, stages, random, product, present, octet):
        """The same for the class memory, with its leak; the code bit never changes after the start."""
        cfg, shift, kind_of = self.config, self.config.update_shift, KINDS[self.config.memory]
        width = word_width(cfg)
        if not width:
            return Const(0, 0)
        result = Signal(width, name=f"memory_new_{lane}")
        word = self._delayed(m, self.memory.word_select(lane, width), 2, f"memory_old_{lane}")  # stage 4
        after = self._delayed(m, word, 1, f"memory_older_{lane}")  # stage 5
        code = self._delayed(m, octet[0] & present, 3, f"code_{lane}")  # stage 5
        step = stages[5]
        start = Cat(Const(0, width - 1), code) if cfg.kappa else Const(0, width)
        new = after
        if cfg.writes_memory:
            bits = cfg.memory_bits
            change = -product
            if kind_of.leaks:
                change = change - (word[:bits].as_signed() << (shift - cfg.horizon))
            if kind_of.stochastic:
                change = change + self._random_bits(random[4], lane)
            change_5 = Signal(signed(max(len(product), bits + shift) + 3), name=f"memory_change_{lane}")
            m.d.sync += change_5.eq(change)
            stored = saturate(after[:bits].as_signed() + (change_5 >> shift), Format(bits, 0))
            new = Cat(stored[:bits], after[bits:])
        with m.If(step.kind == Kind.HOST_MEMORY):
            m.d.sync += result.eq(Mux(step.write & (step.lane == lane), self.host_data[:width], after))
        with m.Elif(step.kind == Kind.START_MEMORY):
            m.d.sync += result.eq(Mux(step.lane == lane // GROUP, start, after))
        with m.Else():
            m.d.sync += result.eq(new)
        return result

    def _vector(self, m, lane, stages, product, present):
        """Accumulate, round, saturate: activations a, normalised z, directions d."""
        cfg = self.config
        acc = Signal(signed(widths.accumulator(cfg)), name=f"acc_{lane}")
        fresh = stages[4].sum_first | (stages[4].kind == Kind.NORMALISE)
        m.d.sync += acc.eq(Mux(fresh, 0, acc) + product)

        active = self._delayed(m, self.active[lane], 3, f"active_{lane}")  # stage 5
        has_unit = self._delayed(m, present, 3, f"has_unit_{lane}")
        positive = self._delayed(m, self.a.word_select(lane, cfg.u_bits) != 0, 3, f"positive_{lane}")
        step = stages[5]
        forward = Array(
            saturate(
                shift_round(acc, cfg.source(layer).fraction + cfg.weight.fraction - cfg.u_fraction), cfg.u
            ).as_signed()
            for layer in range(len(cfg.hidden))
        )[step.layer]
        low = exponent_range(cfg)[0]
        directing = step.kind == Kind.DIRECTION
        # both shifts are a constant and an exponent; one shifter serves, aligned by a constant
        down = {
            "z": MANTISSA_BITS + low + cfg.u_fraction - cfg.z_fraction,
            "d": direction_shift(cfg, low),
        }
        base = min(down.values())
        shift = Mux(directing, self.power + (down["d"] - base), self.exponent + (down["z"] - base))
        scaled = shift_round_by(acc, shift, base)
        result = Signal(vector_width(cfg), name=f"vector_{lane}")
        gate = Signal(name=f"gate_{lane}")
        with m.If(step.kind == Kind.FORWARD):
            m.d.sync += result.eq(Mux(forward < 0, 0, forward))
        with m.Elif(directing):
            m.d.sync += result.eq(Mux(active & has_unit, saturate(scaled, cfg.d), 0))
        with m.Else():
            m.d.sync += [result.eq(Mux(has_unit, saturate(scaled, cfg.z), 0)), gate.eq(positive)]
        return result, gate

    # -- sums over the lanes ----------------------------------------------------------------------

    def _totals(self, m, stages, products, memories):
        """The tree, fed with products (stage 4) or with magnitudes of written memory (stage 6)."""
        cfg = self.config
        scaling = KINDS[cfg.memory].self_scaling
        width = max(len(products[0]), cfg.memory_bits + 1) if scaling else len(products[0])
        m.submodules.tree = tree = AdderTree(lanes=cfg.lanes, width=width, total_width=widths.total(cfg))
        remembering = stages[6].valid & (stages[6].kind == Kind.MEMORY) if scaling else Const(0)
        for lane, (product, word) in enumerate(zip(products, memories, strict=True)):
            stored = word[: cfg.memory_bits].as_signed() if scaling else Const(0)
            magnitude = Mux(stored < 0, -stored, stored)
            m.d.comb += tree.inputs[lane].eq(Mux(remembering, magnitude, product))
        entering = Signal(self.step_layout)
        m.d.comb += entering.eq(Mux(remembering, stages[6].as_value(), stages[4].as_value()))
        with m.If(~remembering & ~is_any(stages[4].kind, DOTS)):
            m.d.comb += entering.valid.eq(0)
        leaving = entering
        for n in range(self.tree_latency):
            register = Signal(self.step_layout, name=f"in_tree_{n}")
            m.d.sync += register.eq(leaving)
            leaving = register
        m.d.sync += self.total_step.eq(leaving)
        with m.If(leaving.valid):
            m.d.sync += self.total.eq(Mux(leaving.sum_first, 0, self.total) + tree.total)
