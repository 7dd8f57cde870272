"""The lanes side by side: every multiplication of the core happens here."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.layers.init import GROUP
from ...golden.layers.normalise import exponent_range
from ...golden.program import widths
from ...golden.program.layout import Layout, kept_width, vector_width, word_width
from ...golden.program.pipeline import CLUSTER, stages, tree_latency
from ...golden.program.walk import Own
from ..neurons.lif import Leaking, leaking
from ..normalise import mean_shape
from ..primitives import late
from ..shapes import index
from ..walks.step import is_any, kinds_of
from . import groups
from .clusters import spread, spread_groups
from .control import Control, common_of, own_of
from .lane import Beside, Lane
from .tree import AdderTree


class Dense(wiring.Component):
    """Multiply, accumulate, sum over the lanes, round, saturate; all lanes in step.

    A step is in stage 4 at clock t + 4, with its common operand; its words are inputs of stage 5.
    Its products are valid at t + 7, its accumulators at t + 8, the words to write at t + 10 (`out`
    and the outputs that end in ``_out``) and its totals over the lanes at ``t + 8 + tree``
    (`total`, with the step in `total_step`). One step per clock. With several clusters, everything
    from stage 5 on is a clock later.

    Resources: one multiplier of ``operand_a x operand_b`` bits (`hebbware.golden.program.widths`),
    one accumulator and one rounding shifter for each lane; an adder tree.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    step, scalar, mean : In
        Stage 4: the step, the operand common to all lanes, and the mean subtracted from all a.
        The operands of a direction are negative: d comes from ``-sum scalar * own``. Those of a
        forward pass carry `hebbware.golden.program.widths.forward_prescales`.
    weights, memory, read, z, active, a, d, random : In
        Stage 5: words of all lanes; the random word, which does not lag.
    potentials : In
        Stage 5, leaky neurons only; `potentials_out` in stage 10.
    arriving, leak_random : In
        Stage 5, of sequences only: inputs as they lie in their traces, and the random word for all
        that leaks; `spikes_out` in stage 10.
    scalar_1, mean_1, exponent_1, power_1, .. : In
        The same for each other group of lanes, where positions of a convolution share a step.
    host_data : In
        Word that the host writes; stable while its step is under way.
    exponent, power : In
        Stage 3: of the layer being normalised, and of the one whose direction is made; the same
        for all steps of a pass.
    beside, random_beside, scalar_beside : In
        Stage 5, with updates beside: see `Beside`; the random word and the common operand of the
        step, which do not lag.
    weights_beside, z_beside : In
        Stage 5, likewise; `d` belongs to the same step.
    updated : In(1)
        Stage 10, likewise: the step updates weights.
    out, weights_out, memory_out, vector_out, active_out : Out
        Stage 10: the step and the words to write; the kind decides which of them are valid.
    saturated : Out(1)
        High one clock after `out` if that step updated weights and saturated at least one lane.
    total, total_step : Out
        Sum over the lanes, accumulated since `sum_first`, and the step that it ends with.
    """

    def __init__(self, config, step_layout):
        self.config, self.step_layout = config, step_layout
        self.kinds = kinds_of(config)
        lanes = config.lanes
        low, high = exponent_range(config)
        word = max(word_width(config), 1)
        leaky, potentials = config.leaky, lanes * config.potential.width
        self.layout, others = Layout(config), range(1, Layout(config).spans)
        scaled = {
            "scalar": signed(widths.operand_b(config)),
            "mean": mean_shape(config),
            "exponent": range(high - low + 1),
            "power": range(high - low + 2),
        }
        super().__init__(
            {
                "step": In(step_layout),
                "scalar": In(signed(widths.operand_b(config))),
                "weights": In(lanes * config.weight.width),
                "memory": In(lanes * word),
                "read": In(lanes * config.read.width),
                "z": In(lanes * kept_width(config)),
                "active": In(lanes),
                "a": In(lanes * config.u.width),
                "d": In(lanes * config.d.width),
                "mean": In(mean_shape(config)),
                "random": In(32),
                "host_data": In(signed(32)),
                "exponent": In(range(high - low + 1)),
                "power": In(range(high - low + 2)),
                "out": Out(step_layout),
                "weights_out": Out(lanes * config.weight.width),
                "memory_out": Out(lanes * word),
                "vector_out": Out(lanes * vector_width(config)),
                "active_out": Out(lanes),
                "saturated": Out(1),
                "total": Out(signed(widths.total(config))),
                "total_step": Out(step_layout),
            }
            | ({"potentials": In(potentials), "potentials_out": Out(potentials)} if leaky else {})
            | (self._ticks(config) if config.recurrent else {})
            | (self._beside(config) if config.update.overlap else {})
            | {f"{name}_{n}": In(shape) for n in others for name, shape in scaled.items()}
        )
        # the step, so many clocks after its issue
        self.at = stages(config)
        self.first = 4 + self.at.source
        clocks = range(self.first, self.at.read_back + 1)
        self.steps = {clock: Signal(step_layout, name=f"step_{clock}") for clock in clocks}

    @staticmethod
    def _ticks(config):
        """Members of cores of sequences."""
        return {
            "arriving": In(config.lanes * config.input.bits),
            "leak_random": In(32),
            "spikes_out": Out(config.lanes),
        }

    @staticmethod
    def _beside(config):
        """Members of cores with updates beside."""
        return {
            "beside": In(Beside),
            "random_beside": In(32),
            "scalar_beside": In(signed(widths.operand_b(config))),
            "weights_beside": In(config.lanes * config.weight.width),
            "z_beside": In(config.lanes * kept_width(config)),
            "updated": In(1),
        }

    def stage(self, number):
        """The step in a stage as the lanes count them, without their lag."""
        return self.steps[number + self.at.source]

    def elaborate(self, platform):
        m = Module()
        for clock, step in self.steps.items():
            if clock != self.first:
                m.d.sync += step.eq(self.steps[clock - 1])
        m.d.comb += [self.stage(4).eq(self.step), self.out.eq(self.steps[self.at.write])]
        control = self._control(m)
        scale = self._shift if self.config.recurrent else self.scale
        scalar, begin = scale(m, control)
        of_groups = [(control, scalar, begin)]
        of_groups += [groups.signals(m, self, control, n) for n in range(1, self.layout.spans)]
        shared = [control, scalar, begin, self.random, self.host_data, self._steps()]
        shared += [self.leak_random] if self.config.recurrent else []
        if self.config.update.overlap:
            words = (self.beside, self.random_beside, self.scalar_beside)
            view = data.StructLayout(
                {"beside": Beside, "random": 32, "scalar": self.scalar_beside.shape()}
            )
            shared += [data.View(view, Cat(*map(Value.cast, words)))]
        copies = [
            spread(m, value, self.config.lanes) for value in shared[3 * (len(of_groups) > 1) :]
        ]
        if len(of_groups) > 1:
            each = zip(*of_groups, strict=True)
            copies = [spread_groups(m, of, self.config.lanes) for of in each] + copies
        copies = zip(*copies, strict=True)
        shared = [self._cluster(m, *of_cluster) for of_cluster in copies]
        lanes = [
            self._lane(m, number, **shared[number // CLUSTER])
            for number in range(self.config.lanes)
        ]
        m.d.comb += [
            self.vector_out.eq(Cat(lane.vector for lane in lanes)),
            self.weights_out.eq(Cat(lane.weight_out for lane in lanes)),
            self.memory_out.eq(Cat(lane.word_out for lane in lanes)),
            self.active_out.eq(Cat(lane.active_out for lane in lanes)),
        ]
        if self.config.leaky:
            m.d.comb += self.potentials_out.eq(Cat(lane.potential_out for lane in lanes))
        if self.config.recurrent:
            m.d.comb += self.spikes_out.eq(Cat(lane.spike_out for lane in lanes))
        if len(of_groups) > 1:
            groups.gather(m, self, lanes)
        self._saturated(m, [lane.cut for lane in lanes])
        self._totals(m, [lane.product for lane in lanes], [lane.word_out for lane in lanes])
        return m

    def _control(self, m):
        """Decode the kinds once for all lanes, a clock early: signals that go far are registers."""
        control = Signal(Control(self.config))

        def register(field, value):
            m.d.sync += field.eq(value)

        own = own_of(m, self.config, self.stage(4))
        if self.config.update.overlap:  # a sum goes on after a wait in which nothing is added
            own = Mux(self.stage(4).valid, own, 0)
        register(control.own_5, groups.taking_part(self, own, 0))
        register(control.common_5, common_of(self.config, self.stage(4).kind))
        register(control.remember_5, is_any(self.stage(4).kind, self.kinds.memory_updates))
        register(control.remember_6, is_any(self.stage(5).kind, self.kinds.memory_updates))
        register(control.start_6, is_any(self.stage(5).kind, self.kinds.starts))
        fresh = self.stage(6).sum_first | is_any(self.stage(6).kind, self.kinds.normalises)
        if self.layout.spans > 1:
            fresh |= self.stage(6).grouped & self.stage(6).sum_last
        register(control.fresh_7, fresh)
        register(control.forward_8, is_any(self.stage(7).kind, self.kinds.forwards))
        register(control.direction_8, is_any(self.stage(7).kind, self.kinds.directions))
        register(control.start_8, is_any(self.stage(7).kind, self.kinds.starts))
        register(control.forward_9, control.forward_8)
        register(control.direction_9, control.direction_8)
        register(control.start_9, control.start_8)
        register(control.blank_9, self.stage(8).lane == 0)
        register(control.host_9, is_any(self.stage(8).kind, self.kinds.hosts))
        if self.config.recurrent:
            traced = self.kinds.those(lambda walk: walk.own is Own.TRACE)
            register(control.traces_9, is_any(self.stage(8).kind, traced))
        if self.config.convolves:
            register(control.correlates_7, is_any(self.stage(6).kind, self.kinds.correlates))
            register(control.correlates_8, is_any(self.stage(7).kind, self.kinds.correlates))
        if self.layout.spans > 1:
            register(control.bare_7, self.stage(6).grouped & ~self.stage(6).sum_last)
            register(control.gathers_7, self.stage(6).grouped & self.stage(6).sum_last)
        return control

    def _shift(self, m, control):
        """As `_scale`, in a core of sequences: sums and directions have one shift each."""
        cfg, places = self.config, widths.slices(self.config)
        drop, shift = widths.forward_drop(cfg), widths.vector_shifts(cfg)[1][0]
        scalar_5 = Signal.like(self.scalar, reset_less=True)
        begin_6, begin_7 = (
            Signal(signed(widths.accumulator(cfg)), reset_less=True, name=f"begin_{n}")
            for n in (6, 7)
        )
        halves = [1 << at >> 1 if at > 0 else 0 for at in (shift, drop)]
        direction = [is_any(self.stage(n).kind, self.kinds.directions) for n in (5, 7)]
        m.d.sync += [
            scalar_5.eq(self.scalar),
            begin_6.eq(Mux(direction[0], ~halves[0], halves[1])),
            begin_7.eq(begin_6),
            control.slice_8.eq(Mux(direction[1], places.index(shift), places.index(drop))),
        ]
        return scalar_5, begin_7

    def scale(self, m, control, given=None):
        """Where the vector's bits begin in the accumulator, the fine rest of the shift, and what
        the accumulator starts from.
        """
        cfg, given = self.config, given or self
        kind, places = self.step.kind, widths.slices(cfg)
        fine, drop = widths.fine_bits(cfg), widths.forward_drop(cfg)
        direction, normalise = (
            is_any(kind, self.kinds.directions),
            is_any(kind, self.kinds.normalises),
        )
        first = places[0] - (1 << fine) + 1
        for_z, for_d = (shifts[0] - first for shifts in widths.vector_shifts(cfg))
        d_shift, z_shift, shift = (
            Signal(range(places[-1] - places[0] + (1 << fine)), name=f"{of}shift")
            for of in ("d_", "z_", "")
        )
        place = {4: Signal(index(len(places)))}
        scalar, scalar_5 = Signal.like(given.scalar), Signal.like(given.scalar, reset_less=True)
        m.d.sync += [d_shift.eq(given.power + for_d), z_shift.eq(given.exponent + for_z)]
        m.d.comb += [
            shift.eq(Mux(direction, d_shift, z_shift)),
            place[4].eq(Mux(direction | normalise, shift >> fine, self._fixed(places.index(drop)))),
            scalar.eq(given.scalar),
        ]
        if fine:
            with m.If(direction | normalise):
                m.d.comb += scalar.eq(given.scalar << ~shift[:fine])
        for n in range(5, 8):
            place[n] = Signal.like(place[4], name=f"place_{n}")
            m.d.sync += place[n].eq(place[n - 1])
        m.d.sync += [control.slice_8.eq(place[7]), scalar_5.eq(scalar)]

        offset = Signal(signed(cfg.u.width + len(scalar)))
        left = Signal(index(1 << fine))  # by how much the operand was shifted
        begin_6, begin_7 = (
            Signal(signed(widths.accumulator(cfg)), reset_less=True, name=f"begin_{n}")
            for n in (6, 7)
        )
        half = Signal(signed(widths.accumulator(cfg)))
        m.d.comb += half.eq(Array(1 << at >> 1 if at > 0 else 0 for at in places)[place[5]])
        m.d.sync += [
            offset.eq(given.mean * given.scalar),
            left.eq(~shift[:fine] if fine else 0),
            begin_7.eq(begin_6),
        ]
        with m.Switch(self.stage(5).kind):
            with m.Case(*self.kinds.directions):
                m.d.sync += begin_6.eq(~half)
            with m.Case(*self.kinds.normalises):
                m.d.sync += begin_6.eq(half - (offset << left))
            with m.Default():
                m.d.sync += begin_6.eq(half)
        return scalar_5, begin_7

    def _fixed(self, forward):
        """Slice of all sums whose shift is known before: `forward`, or that of an average."""
        cfg, step = self.config, self.step
        if not cfg.convolves:
            return forward
        found = widths.map_slices(cfg)
        square, cell = (Array(of[n][0] for of in found)[step.layer] for n in (0, 1))
        squares, cells = is_any(step.kind, self.kinds.maps), is_any(step.kind, self.kinds.cells)
        return Mux(squares, square, Mux(cells, cell, forward))

    def _steps(self):
        """Fields of steps that the lanes use; the suffix is the stage."""
        hosts = is_any(self.stage(8).kind, self.kinds.hosts)
        fields = {
            "layer_4": self.stage(4).layer,
            "tail_4": self.stage(4).tail,
            "lane_8": self.stage(8).lane,
            "hosts_8": hosts,
            **({"layer_8": self.stage(8).layer} if self.layout.spans > 1 else {}),
            "writes_9": self.stage(9).write,
        }
        if self.config.leaky:
            fields["rest_5"] = self.stage(5).rest
        if self.config.recurrent:
            fields |= {f"{name}_5": v for name, v in leaking(self.config, self.stage(5)).items()}
        layout = data.StructLayout({name: Value.cast(v).shape() for name, v in fields.items()})
        return data.View(layout, Cat(fields.values()))

    def _cluster(self, m, control, scalar, begin, random, host, step, more=None):
        """Signals broadcast to the lanes of a cluster; `more` are those of some cores only."""
        random_6 = Signal(32, reset_less=True)
        m.d.sync += random_6.eq(random)
        if self.config.update.overlap:
            more = more, late(m, more.random, name="random_beside")
        return {
            "control": control, "scalar": scalar, "begin": begin, "octets": random,
            "random": random_6, "host": host, "step": step, "more": more,
        }  # fmt: skip

    def _lane(self, m, number, *, control, scalar, begin, octets, random, host, step, more):
        """Add a lane and connect it."""
        cfg = self.config
        lane = Lane(cfg, number)
        m.submodules[f"lane_{number}"] = lane
        units = Layout(cfg).normalised
        units = [*units, units[-1]]  # the readout's lanes hold the last hidden layer
        spaces = [self.layout.output_form(n).width for n in range(len(cfg.hidden))]
        spaces.append(spaces[-1])
        absent = [
            step.layer_4 == layer
            for layer, (size, space) in enumerate(zip(units, spaces, strict=True))
            if 0 < size % space <= number % space
        ]
        chosen, present = (
            Signal(name=f"{of}_{number}", reset_less=True) for of in ("chosen", "present")
        )
        target = Mux(step.hosts_8, number, number // GROUP)
        if self.layout.spans > 1:
            target = groups.target(self, number, step)
        m.d.sync += [
            chosen.eq(step.lane_8 == target),
            present.eq(~(step.tail_4 & Cat(absent).any())),
        ]
        m.d.comb += [
            lane.chosen_9.eq(chosen),
            # no register that stays 1: it would be one for all lanes
            lane.present.eq(present if absent else 1),
            lane.control.eq(control),
            lane.scalar.eq(scalar),
            lane.weight.eq(self.weights.word_select(number, cfg.weight.width)),
            lane.word.eq(self.memory.word_select(number, len(lane.word))),
            lane.read.eq(self.read.word_select(number, cfg.read.width)),
            lane.z.eq(self.z.word_select(number, kept_width(cfg))),
            lane.active.eq(self.active[number]),
            lane.a.eq(self.a.word_select(number, cfg.u.width)),
            lane.d.eq(self.d.word_select(number, cfg.d.width)),
            lane.octet.eq(octets.word_select(number % GROUP, 8)),
            lane.random.eq(random),
            lane.begin.eq(begin),
            lane.host.eq(host),
            lane.host_writes.eq(step.writes_9),
        ]
        if cfg.leaky:
            m.d.comb += [
                lane.potential.eq(self.potentials.word_select(number, cfg.potential.width)),
                lane.rest.eq(step.rest_5),
            ]
        if cfg.update.overlap:
            m.d.comb += [
                lane.beside.eq(more[0].beside),
                lane.random_beside.eq(more[1]),
                lane.scalar_beside.eq(more[0].scalar),
                lane.weight_beside.eq(self.weights_beside.word_select(number, cfg.weight.width)),
                lane.z_beside.eq(self.z_beside.word_select(number, kept_width(cfg))),
            ]
        if cfg.recurrent:
            m.d.comb += [
                lane.arriving.eq(self.arriving.word_select(number, cfg.input.bits)),
                lane.leak_random.eq(more),
                *(lane.leaking[n].eq(getattr(step, f"{n}_5")) for n, _ in Leaking()),
            ]
        return lane

    def _saturated(self, m, cuts):
        """Whether a lane saturated, collected from groups of lanes: no long path to a counter."""
        learns = Signal()
        changes = self.out.valid & is_any(self.out.kind, self.kinds.learns)
        if self.config.update.overlap:
            changes = self.updated
        if self.kinds.correlates:
            changes &= self.out.sum_last | ~is_any(self.out.kind, self.kinds.correlates)
        m.d.sync += learns.eq(changes)
        groups = []
        for at in range(0, len(cuts), 8):
            groups.append(Signal(name=f"cut_{at}"))
            m.d.sync += groups[-1].eq(Cat(cuts[at : at + 8]).any())
        m.d.comb += self.saturated.eq(learns & Cat(groups).any())

    def _totals(self, m, products, memories):
        """The tree, fed with products, or with magnitudes of written memory a clock later."""
        cfg = self.config
        scaling, width = cfg.memory.self_scaling, widths.dots(cfg)
        m.submodules.tree = tree = AdderTree(
            lanes=cfg.lanes, width=width, total_width=widths.total(cfg)
        )
        # products of the stage, unless magnitudes are valid: programs keep the two apart
        entering, remembered = Signal(self.step_layout), Signal(self.step_layout)
        remembering, chosen = Signal(), Signal()  # in step with the words, and a copy for all lanes
        written, early = self.steps[self.at.write], self.steps[self.at.write - self.at.lag]
        multiplied = self.steps[self.at.product]
        if scaling:
            m.d.sync += [
                remembered.eq(written),
                remembering.eq(written.valid & is_any(written.kind, self.kinds.remembers)),
                chosen.eq(early.valid & is_any(early.kind, self.kinds.remembers)),
            ]
        copies = spread(m, chosen, cfg.lanes)
        counted = groups.counted(m, self, early) if scaling and self.layout.spans > 1 else []
        for lane, (product, word) in enumerate(zip(products, memories, strict=True)):
            product = product[:width].as_signed()
            if scaling:
                stored = word[: cfg.stored.width].as_signed()
                magnitude = Signal(cfg.stored.width, reset_less=True, name=f"magnitude_{lane}")
                found = Mux(stored < 0, -stored, stored)
                if counted:
                    found = Mux(counted[lane // cfg.span], found, 0)
                m.d.sync += magnitude.eq(found)
                product = Mux(copies[lane // CLUSTER], magnitude, product)
            m.d.comb += tree.inputs[lane].eq(product)
        m.d.comb += entering.eq(Mux(remembering, remembered.as_value(), multiplied.as_value()))
        with m.If(~remembering & ~is_any(multiplied.kind, self.kinds.dots)):
            m.d.comb += entering.valid.eq(0)
        leaving = entering
        for n in range(tree_latency(cfg.lanes)):
            register = Signal(self.step_layout, name=f"in_tree_{n}")
            m.d.sync += register.eq(leaving)
            leaving = register
        m.d.sync += self.total_step.eq(leaving)
        with m.If(leaving.valid):
            m.d.sync += self.total.eq(Mux(leaving.sum_first, 0, self.total) + tree.total)
