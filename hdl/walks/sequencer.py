"""The sequencer: walks the program of `hebbware.golden.program.program`, one step per clock."""

from functools import reduce
from operator import or_
from types import SimpleNamespace

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.layers.init import init_groups
from ...golden.program.layout import Layout
from ...golden.program.overlap import PARTS
from ...golden.program.pipeline import stages
from ...golden.program.program import program, start_program
from ...golden.program.walk import Rows
from ..shapes import index
from .facts import CONDITIONAL, Facts
from .step import is_any, kinds_of, source_unit

TICK = ("opens", "summed", "closes", "first")  # what is known of a tick of a sequence


class Sequencer(wiring.Component):
    """Issues steps: a pass starts when the one before it has issued its last step and what it waits
    for is done; a pass without steps takes one clock. A step takes ``walk.pace`` clocks. Of several
    time steps, all but the last walk only the settling passes.

    Latency: one clock from `go` to the first step; `idle` in the clock after the last step.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    go, learn, restart : In(1)
        While `idle`: walk the program for one sample; or the start program, as after reset.
    idle : Out(1)
    count : In
        Non-zero inputs of the sample.
    label, oldest, has_oldest : In
        Class of the sample and of the one learned ``memory.window`` samples ago. Where rows of the
        class memory are samples, `label` is the row of this one.
    done : In, one bit for each name in `flags`
        The pass (or softmax) of that name is complete, from the next clock on.
    counts : In
        How many errors of each softmax job are not zero.
    kept_job, kept_entry : Out
        With `step`: entry of a job's list of such errors; `kept_row` is its class a clock later.
    settled : Out(1)
        Everything that was started is complete.
    step : Out
        ``valid`` with each step issued; its address is that of row 0 of the block where the list of
        inputs names the rows.
    row, memory_address : Out
        One clock after `step`: its row, and its class-memory word.
    source_place, source_lane : Out
        With `step`: which word of the activations it reads, and the lane of the pre-synaptic one.
    list_address : Out
        Entry of the input list, for the first layer.
    old : Out(1)
        With `step`: the activation is the oldest sample's.
    opens, summed, closes, first : In(1)
        Of sequences, with `go`: the tick's scores are the first that are summed, are summed, or
        are the last ones; it is the first tick.
    spikes : In
        Of sequences: how many units spiked in the tick before.
    traced_inputs, traced_units : In
        Of sequences: how many rows an update walks.
    of_units : Out(1)
        Of sequences: `list_address` counts rows of the units.
    silent : In(1)
        Of sequences: no unit spiked in the tick before.
    lower, passed : In
        With updates beside: how many non-zero inputs of the sample lie in the lower half; how many
        parts of the first layer's blocks are updated.
    complete : Out, one bit for each name in `flags`
        With updates beside: what is complete.
    """

    facts_class = Facts
    conditional = CONDITIONAL

    def __init__(self, config, step_layout):
        self.config, self.step_layout = config, step_layout
        self.kinds = kinds_of(config)
        self.layout = layout = Layout(config)
        self.program = tuple(p for p in program(config) if not p.walk.beside)
        self.start = start_program(config)
        self.flags = sorted({name for p in program(config) for name in p.waits})
        classes = range(config.classes)
        self.rows = rows = range(max(config.classes, layout.memory_rows))
        self.count_width = len(rows).bit_length()
        self.addresses = range(max(layout.weight_bases[-1], layout.memory_bases[-1], 2))
        words, listed, ticks = layout.memory_bases[-1], config.inputs, {}
        if config.recurrent:
            words = max(words, layout.weight_bases[-1])  # of the feedback
            listed = layout.rows(0)
            ticks = {name: In(1) for name in (*TICK, "silent")}
            ticks |= {
                "spikes": In(range(config.hidden[0] + 1)),
                "traced_inputs": In(range(config.inputs + 1)),
                "traced_units": In(range(config.hidden[0] + 1)),
                "of_units": Out(1),
            }
        if config.update.overlap:
            ticks = {
                "lower": In(range(config.inputs + 1)),
                "passed": In(range(PARTS * layout.weight_blocks(0) + 1)),
                "complete": Out(len(self.flags)),
            }
        super().__init__(
            {
                "go": In(1),
                "learn": In(1),
                "restart": In(1),
                "idle": Out(1),
                "count": In(range(config.inputs + 1)),
                "label": In(rows),
                "oldest": In(classes),
                "has_oldest": In(1),
                "done": In(len(self.flags)),
                "counts": In((len(config.hidden) + 1) * self.count_width),
                "kept_job": Out(index(len(config.hidden) + 1)),
                "kept_entry": Out(rows),
                "kept_row": In(rows),
                "settled": Out(1),
                "step": Out(step_layout),
                "row": Out(range(len(self.rows) + 1)),
                "memory_address": Out(index(words)),
                "source_place": Out(index(layout.kept_blocks)),
                "source_lane": Out(index(config.lanes)),
                "list_address": Out(index(listed)),
                "old": Out(1),
            }
            | ticks
        )

    def elaborate(self, platform):
        m = Module()
        s = self._state()
        self._conditions(m, s)
        self._walk(m, s)
        self._turn(m, s)
        self._sources(m, s)
        self._memory_rows(m, s)
        self._step(m, s)
        return m

    # -- parts of elaborate; `s` holds the signals that they share ---------------------------------

    def _state(self):
        """Registers: where the walk is, and the facts of the pass at hand."""
        cfg, s = self.config, SimpleNamespace()
        s.first_start, s.groups = len(self.program), init_groups(cfg)
        of = self.facts_class(self)
        s.facts = facts = [of.of(n) for n in range(s.first_start + len(self.start))]
        begins, extent = facts[s.first_start], max(cfg.inputs, len(self.rows))
        if cfg.recurrent:
            extent = max(extent, self.layout.rows(0))
            s.tick = {name: Signal(name=name) for name in TICK}
        extent = max(extent, *(f["inner"] for f in facts))
        s.running = Signal(init=1)
        s.starting = Signal(init=1)
        s.learning = Signal()
        s.time = Signal(range(cfg.neuron.time_steps)) if cfg.neuron.time_steps > 1 else Const(0)
        s.group = Signal(range(s.groups)) if s.groups > 1 else Const(0)
        s.inner = Signal(range(extent + 1))
        s.outer = Signal(range(max(*(f["outer"] for f in facts), 1) + 1))
        s.most = stages(cfg).settled
        s.since = Signal(range(s.most + 1), init=s.most)  # clocks since a step was issued
        s.flags = Signal(len(self.flags), init=-1)
        s.first, s.begin = Signal(init=1), Signal(init=1)  # `inner` is 0, and `outer` as well
        # facts of the pass at hand: registers, loaded from a table when the one before it ends
        s.now = {
            name: Signal(len(s.flags) if name in ("waits", "clears") else shape, name=name, init=at)
            for (name, at), shape in zip(begins.items(), self._shapes(facts, extent), strict=True)
            if name not in self.conditional
        }
        # which pass comes next: a bit for each
        s.after = Signal(len(facts), init=1 << begins["learned"])
        s.linear = Signal(self.addresses, init=begins["base"])
        # `inner` and `outer` are the last of their loops
        s.inner_last = Signal(init=begins["inner"] == 0)
        s.outer_last = Signal(init=begins["outer"] == 0)
        s.length, s.count = Signal(self.count_width), Signal.like(self.count)
        s.upper = Signal()  # `inner` is one of the upper half, where blocks are followed by halves
        return s

    @staticmethod
    def _chosen(s, chosen):
        """From the name of a fact to what it is of the pass that has its bit set in `chosen`."""

        def of(name, value=lambda number: number):
            numbers = [int(value(fact[name])) for fact in s.facts]
            return Cat(
                Cat(chosen[n] for n, number in enumerate(numbers) if number >> bit & 1).any()
                for bit in range(max(max(numbers).bit_length(), 1))
            )

        return of

    def _load(self, s, chosen, learn, time, count, tick):
        """Take over the facts of the pass that has its bit set in `chosen`, for a sample to learn
        or not, at a time step, with so many inputs; of a sequence, at such a tick.
        """
        of = self._chosen(s, chosen)
        settling = (
            time != self.config.neuron.time_steps - 1
            if self.config.neuron.time_steps > 1
            else Const(0)
        )
        clears = of("clears") | Mux(learn, of("clears_learned"), 0)
        clears |= Mux(learn & (time == 0), of("clears_first"), 0)
        if self.config.recurrent:
            settling = ~learn & ~tick["summed"]
            clears |= Mux(tick["closes"], of("clears_last"), 0)
            count = Mux(of("tracing"), self._traced(of("of_units")), count)
            count = Mux(of("spiking"), self.spikes, count)
        nexts = "settled", "learned", "inferred"
        following = [of(name, lambda number: 1 << number) for name in nexts]
        one_row = of("inner", lambda number: number == 0) & ~of("counted")
        return [
            *(
                register.eq(clears if name == "clears" else of(name))
                for name, register in s.now.items()
            ),
            s.linear.eq(of("base")),
            s.after.eq(Mux(settling, following[0], Mux(learn, *following[1:]))),
            s.first.eq(1),
            s.begin.eq(1),
            s.inner_last.eq(Mux(of("strided"), count == 0, one_row)),
            s.outer_last.eq(of("outer", lambda number: number == 0)),
            s.length.eq(self._length(of("empties"))),
        ]

    def _conditions(self, m, s):
        """Whether a step is issued, and whether the pass ends."""
        now = s.now
        # a list's length is more than 0, and there a clock before the flag that lets its pass begin
        m.d.sync += [s.length.eq(self._length(now["empties"])), s.count.eq(self.count)]
        s.limit = limit = Signal.like(s.inner)
        counted = Mux(now["counted"], s.length, now["inner"])
        listed = s.count
        if self.config.recurrent:
            listed = Mux(now["tracing"], self._traced(now["of_units"]), s.count)
            listed = Mux(now["spiking"], self.spikes, listed)
        m.d.comb += limit.eq(Mux(now["strided"], listed, counted))
        row_inner = now["row_inner"]
        s.row, s.block = Mux(row_inner, s.inner, s.outer), Mux(row_inner, s.outer, s.inner)
        zeros = Cat(self._count(job) == 0 for job in range(len(self.config.hidden) + 1))
        s.calm = s.since == s.most
        ready, empty, wanted, s.issue, s.end, s.move = (
            Signal(name=name) for name in ("ready", "empty", "wanted", "issue", "end", "move")
        )
        second = Signal()  # the second of the two clocks that a step of a slow pass takes
        m.d.comb += [
            ready.eq(((now["waits"] & ~s.flags) == 0) & (~now["settles"] | s.calm)),
            empty.eq((now["empties"] & zeros).any() | self._nothing(now)),
            wanted.eq(self._passed(s, s.running & (ready | ~s.begin) & ~empty)),
            s.issue.eq(wanted & (second | ~now["slow"])),
            s.end.eq(self._end(s)),
            s.move.eq(s.running & (s.issue & s.end | ready & empty)),
        ]
        if any(fact["slow"] for fact in s.facts):
            m.d.sync += second.eq(wanted & now["slow"] & ~second)

    def _passed(self, s, wanted):
        """`wanted`, if the weights of the step's part of a block are updated."""
        if not self.config.update.overlap:
            return wanted
        return wanted & (~s.now["chases"] | (Cat(s.upper, s.outer) < self.passed))

    def _nothing(self, now):
        """Whether a pass is left out for another reason than that all errors are zero."""
        found = now["forgets"] & ~self.has_oldest
        if not self.config.recurrent:
            return found
        return found | now["spiking"] & self.silent

    def _traced(self, of_units):
        """The last of the rows that an update walks."""
        rows = Mux(of_units, self.traced_units, self.traced_inputs)
        return (rows - 1)[: len(rows)]

    def _end(self, s):
        """Whether the step is the last one of its pass."""
        return s.inner_last & s.outer_last

    def _walk(self, m, s):
        """Row, block and address from step to step."""
        strided, inner_last = s.now["strided"], s.inner_last
        stride = Mux(strided, self.layout.rows(0), 1)
        if self.config.recurrent:
            stride = s.now["jump"]
        with m.If(s.issue):
            m.d.sync += [
                s.inner.eq(Mux(inner_last, 0, s.inner + 1)),
                s.outer.eq(Mux(s.end, 0, s.outer + inner_last)),
                # rows named by the list: the address stays at row 0 of the block
                s.linear.eq(Mux(inner_last, s.linear + stride, s.linear + ~strided)),
                s.first.eq(inner_last),
                s.begin.eq(0),
                s.since.eq(0),
                inner_last.eq(Mux(inner_last, s.limit == 0, s.inner + 1 == s.limit)),
            ]
            if self.config.update.overlap:
                m.d.sync += s.upper.eq(
                    Mux(inner_last, self.lower == 0, s.upper | (s.inner + 1 == self.lower))
                )
            with m.If(inner_last):
                m.d.sync += s.outer_last.eq(s.outer + 1 == s.now["outer"])
        with m.Elif(~s.calm):
            m.d.sync += s.since.eq(s.since + 1)
        if self.config.recurrent:  # the list may grow until it may be walked
            with m.If(s.begin & ~s.issue & (s.now["spiking"] | s.now["tracing"])):
                m.d.sync += inner_last.eq(s.limit == 0)

    def _turn(self, m, s):
        """From pass to pass, time step to time step, sample to sample; flags of what is done."""
        facts, timed = s.facts, self.config.neuron.time_steps > 1
        last_pass, next_pass = s.after[s.first_start], s.after[0]  # of the program; of a time step
        next_time, now, given = s.time, {}, {}
        if self.config.recurrent:
            now, given = s.tick, {name: getattr(self, name) for name in TICK}
        if timed:
            next_time = Signal.like(s.time)
            m.d.comb += next_time.eq(s.time + (~s.starting & next_pass))
        with m.If(s.move):
            with m.If(last_pass):  # of the start program: once for each group of lanes
                m.d.sync += s.running.eq(s.starting & (s.group != s.groups - 1))
            if s.groups > 1:
                with m.If(s.starting & last_pass):
                    m.d.sync += s.group.eq(Mux(s.group == s.groups - 1, 0, s.group + 1))
            if timed:
                m.d.sync += s.time.eq(next_time)
            m.d.sync += self._load(s, s.after, s.learning, next_time, s.count, now)
        m.d.comb += [
            self.idle.eq(~s.running & (~s.starting | s.calm)),
            self.settled.eq(~s.running & s.calm & s.flags.all()),
        ]
        with m.If(self.idle & self.go):
            m.d.sync += [s.running.eq(1), s.starting.eq(0), s.learning.eq(self.learn)]
            if timed:
                m.d.sync += s.time.eq(0)
            first = Const(1, len(facts))
            m.d.sync += self._load(s, first, self.learn, Const(0), self.count, given)
            m.d.sync += [now[name].eq(value) for name, value in given.items()]
            if self.config.update.overlap:
                m.d.sync += s.upper.eq(self.lower == 0)
        with m.If(self.idle & self.restart):
            m.d.sync += [s.running.eq(1), s.starting.eq(1)]
            start = Const(1 << s.first_start, len(facts))
            m.d.sync += self._load(s, start, s.learning, s.time, s.count, now)
        clears = Mux(s.issue & s.begin, s.now["clears"], 0)
        m.d.sync += s.flags.eq((s.flags & ~clears) | self.done)
        if self.config.update.overlap:
            m.d.comb += self.complete.eq(s.flags)

    def _sources(self, m, s):
        """The pre-synaptic activation of hidden rows: unit `row` of the layer below."""
        here_block, here_lane = source_unit(
            m, s, self.config.lanes, self.layout.widest, self.source_lane
        )
        s.place = place = Signal.like(self.source_place)
        below = s.now["source"] + here_block
        m.d.comb += [
            place.eq(s.now["place"] + s.block),
            self.source_place.eq(Mux(s.now["from_below"], below, place)),
            self.source_lane.eq(here_lane),
            self.list_address.eq(s.inner),
            self.old.eq(s.now["forgets"]),
        ]
        if self.config.recurrent:
            m.d.comb += self.of_units.eq(s.now["of_units"])

    def _memory_rows(self, m, s):
        """Class-memory rows: `row`, or the class that a write names; those of a direction stand in
        a list, which is read in the next clock.
        """
        now, layer = s.now, s.now["layer"]
        target = Signal(range(len(self.rows) + 1))
        m.d.comb += target.eq(s.row)
        if not self.config.memory.by_error:
            with m.If(is_any(now["kind"], self.kinds.those(lambda walk: walk.rows is Rows.LABEL))):
                m.d.comb += target.eq(self.label)
            with m.Elif(now["forgets"]):
                m.d.comb += target.eq(self.oldest)
        listed = Signal()
        named = Signal.like(target)
        layer_1 = Signal.like(layer)
        word_1 = Signal.like(self.memory_address)
        m.d.sync += [
            listed.eq(now["counted"]),
            named.eq(target),
            layer_1.eq(layer),
            word_1.eq(now["memory_base"] + self._word(s)),
        ]
        # a recurrent layer's are those of the readout
        job = len(self.config.hidden) if self.config.recurrent else layer
        m.d.comb += [self.kept_job.eq(job), self.kept_entry.eq(s.inner)]
        m.d.comb += self.row.eq(Mux(listed, self.kept_row, named))
        # times a constant of each layer: no multiplier in the way of the address
        layers = range(len(self.config.hidden))
        before = Array(self.row * self.layout.blocks(n) for n in layers)[layer_1]
        m.d.comb += self.memory_address.eq(word_1 + before)

    def _word(self, s):
        """Word within a row of the class memory."""
        return s.block

    def _step(self, m, s):
        """The step that is issued."""
        kind, row_inner = s.now["kind"], s.now["row_inner"]
        fields = {
            "valid": s.issue,
            "kind": kind,
            "layer": s.now["layer"],
            "block": s.block,
            "place": s.place,
            "sum_first": s.first,
            "sum_last": s.inner_last,
            "end": s.end,
            "learn": s.learning,
            "bias": row_inner & s.inner_last,
            "jacobian": is_any(kind, self.kinds.those(lambda walk: walk.jacobian)) & s.inner_last,
            "tail": Mux(row_inner, s.outer_last, s.inner_last),
            "lane": s.group,
            "address": s.linear,
        }
        m.d.comb += self.step.eq(self.step_layout.pack(**fields | self._more(s)))

    def _more(self, s):
        """Fields of steps that only some cores have, or have otherwise."""
        if self.config.leaky:
            return {"rest": s.time == 0}
        return self._tick(s) if self.config.recurrent else {}

    def _tick(self, s):
        """What a step of a sequence has beside."""
        tick = s.tick
        return {
            "rest": tick["first"],
            "opens": tick["opens"],
            "summed": tick["summed"],
            "closes": tick["closes"],
            "part": s.now["part"],
        }

    def _length(self, chosen):
        """How many errors of the layer that has its bit set are not zero."""
        width = self.count_width
        return reduce(or_, (self._count(job) & b.replicate(width) for job, b in enumerate(chosen)))

    def _count(self, job):
        return self.counts.word_select(job, self.count_width)

    def _shapes(self, facts, extent):
        """Shape of the register of each fact."""
        for name in facts[0]:
            if name == "kind":
                yield self.kinds.Kind
            elif name == "inner":
                yield range(extent + 1)
            else:
                yield index(max(int(fact[name]) for fact in facts) + 1)
