"""The sequencer of the passes that are walked beside the others."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.layout import Layout
from ...golden.program.overlap import PARTS, drawn_latency, early_layers
from ...golden.program.pipeline import stages
from ...golden.program.program import done_latency, program
from ...golden.program.walk import Common, Rows, Skip
from ..shapes import index
from .step import kinds_of, source_unit


class Updater(wiring.Component):
    """Issues the steps of updates, see `hebbware.golden.program.overlap`: those of the early passes
    after `early`, those of the late ones after `late`, one step per clock; a pass without steps
    takes one clock.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step
    flags : list of str
        Names of what passes wait for.

    Members
    -------
    take : In(1)
        The sample whose inputs are `count` and `lower` is handed over, `early` or `late` follows.
    count, lower : In
        Its non-zero inputs; how many of them lie in the lower half.
    early, late : In(1)
        The core's generator is at the word that is due.
    flags : In, one bit for each name
    counts : In
        How many errors of each softmax job are not zero.
    step : Out
        As that of `Sequencer`; `row` is there with it.
    list_address, source_place, source_lane : Out
        As of `Sequencer`.
    mirrors : Out(1)
        The generator beside is to take over the word.
    returns : Out(1)
        The core's generator is to take it back; everything is updated, from the next clock on.
    seen : Out(1)
        The last step, or none, is issued in this clock.
    listed : Out(1)
        The inputs are not needed from the next clock on.
    passed : Out
        How many parts of the first layer's blocks are updated.
    words : Out
        How many random words the early passes draw; from the second clock after `take` on.
    """

    def __init__(self, config, step_layout, flags):
        self.config, self.step_layout, self.names = config, step_layout, flags
        self.layout = layout = Layout(config)
        self.kinds = kinds_of(config)
        self.passes = [p for p in program(config) if p.walk.beside]
        # how many of them are early
        self.prompt = sum(p.layer in early_layers(config) for p in self.passes)
        rows = range(max(config.classes, layout.memory_rows))
        self.count_width = len(rows).bit_length()
        self.parts = PARTS * layout.weight_blocks(0)
        self.most = sum(
            layout.rows(n) * layout.weight_blocks(n) for n in early_layers(config)
        )  # words that the early passes draw
        inputs = range(config.inputs + 1)
        super().__init__(
            {
                "take": In(1),
                "count": In(inputs),
                "lower": In(inputs),
                "early": In(1),
                "late": In(1),
                "flags": In(len(flags)),
                "counts": In((len(config.hidden) + 1) * self.count_width),
                "step": Out(step_layout),
                "list_address": Out(index(config.inputs)),
                "source_place": Out(index(layout.kept_blocks)),
                "source_lane": Out(index(config.lanes)),
                "mirrors": Out(1),
                "returns": Out(1),
                "seen": Out(1),
                "listed": Out(1),
                "passed": Out(range(self.parts + 1), init=self.parts),
                "words": Out(index(self.most + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        s = SimpleNamespace()
        self._state(m, s)
        self._conditions(m, s)
        self._walk(m, s)
        self._turn(m, s)
        self._sources(m, s)
        self._step(m, s)
        self._follow(m, s)
        self._words(m, s)
        return m

    # -- parts of elaborate; `s` holds the signals that they share ---------------------------------

    def _fact(self, number):
        """What is known of a pass."""
        layout, p = self.layout, self.passes[number]
        walk = p.walk
        loops = walk.count - 1 if walk.rows is Rows.ALL else 0, walk.blocks - 1
        inner, outer = loops if walk.row_inner else loops[::-1]
        return {
            "kind": self.kinds.of_pass(p).value,
            "layer": p.layer,
            "row_inner": walk.row_inner,
            "inner": inner,
            "outer": outer,
            "strided": walk.rows is Rows.INPUTS,
            "base": walk.base,
            "place": layout.vector_bases[walk.units],
            "from_below": walk.common is Common.SOURCE,
            "source": walk.below,
            "empties": (walk.skip is Skip.NO_ERRORS) << p.layer,
            "waits": sum(1 << self.names.index(name) for name in set(p.waits)),
            "last": number in (self.prompt - 1, len(self.passes) - 1),
            "late": number >= self.prompt,
            "first_layer": walk.rows is Rows.INPUTS,
        }

    def _state(self, m, s):
        cfg, layout = self.config, self.layout
        s.facts = [self._fact(n) for n in range(len(self.passes))]
        extent = max(cfg.inputs, *(f["inner"] for f in s.facts))
        shapes = {"kind": self.kinds.Kind, "inner": range(extent + 1)}
        s.now = {
            name: Signal(shapes.get(name, index(max(int(f[name]) for f in s.facts) + 1)), name=name)
            for name in s.facts[0]
            if name != "base"
        }
        s.after = Signal(len(s.facts), init=1)  # which pass comes next: a bit for each
        s.active, s.begin, s.first = Signal(), Signal(init=1), Signal(init=1)
        s.inner = Signal(range(extent + 1))
        s.outer = Signal(range(max(*(f["outer"] for f in s.facts), 1) + 1))
        s.bound, s.left = Signal.like(s.inner), Signal.like(s.inner)  # last of a row; steps to it
        s.inner_last, s.outer_last = Signal(), Signal()
        s.linear = Signal(range(max(layout.weight_bases[-1], 2)))
        s.settled = stages(cfg).settled
        s.since = Signal(range(s.settled + 1), init=s.settled)  # clocks since a step was issued
        s.due, s.returning = Signal(), Signal()
        s.count, s.lower = Signal.like(self.count), Signal.like(self.lower)
        with m.If(self.take):
            m.d.sync += [s.count.eq(self.count), s.lower.eq(self.lower)]

    def _load(self, s, chosen):
        """Take over the facts of the pass that has its bit set in `chosen`."""

        def of(name, value=int):
            numbers = [int(value(fact[name])) for fact in s.facts]
            return Cat(
                Cat(chosen[n] for n, number in enumerate(numbers) if number >> bit & 1).any()
                for bit in range(max(max(numbers).bit_length(), 1))
            )

        single = of("inner", lambda number: number == 0)
        bound = Mux(of("strided"), s.count, of("inner"))
        return [
            *(register.eq(of(name)) for name, register in s.now.items()),
            s.linear.eq(of("base")),
            s.after.eq(Cat(chosen[-1], chosen[:-1]) if len(s.facts) > 1 else chosen),
            s.begin.eq(1),
            s.first.eq(1),
            s.bound.eq(bound),
            s.left.eq(bound),
            s.inner_last.eq(Mux(of("strided"), s.count == 0, single)),
            s.outer_last.eq(of("outer", lambda number: number == 0)),
        ]

    def _conditions(self, m, s):
        now = s.now
        jobs = range(len(self.config.hidden) + 1)
        s.zeros = Cat(self.counts.word_select(job, self.count_width) == 0 for job in jobs)
        ready, empty, s.issue, s.end, s.move = (
            Signal(name=name) for name in ("ready", "empty", "issue", "end", "move")
        )
        m.d.comb += [
            ready.eq((now["waits"] & ~self.flags) == 0),
            empty.eq((now["empties"] & s.zeros).any()),
            s.issue.eq(s.active & (ready | ~s.begin) & ~empty),
            s.end.eq(s.inner_last & s.outer_last),
            s.move.eq(s.active & (s.issue & s.end | s.begin & ready & empty)),
        ]

    def _walk(self, m, s):
        """Row, block and address from step to step."""
        strided, inner_last = s.now["strided"], s.inner_last
        stride = Mux(strided, self.layout.rows(0), 1)
        calm = s.since == s.settled
        with m.If(s.issue):
            m.d.sync += [
                s.inner.eq(Mux(inner_last, 0, s.inner + 1)),
                s.left.eq(Mux(inner_last, s.bound, s.left - 1)),
                s.outer.eq(Mux(s.end, 0, s.outer + inner_last)),
                s.linear.eq(Mux(inner_last, s.linear + stride, s.linear + ~strided)),
                s.first.eq(inner_last),
                s.begin.eq(0),
                s.since.eq(0),
                inner_last.eq(Mux(inner_last, s.bound == 0, s.left == 1)),
            ]
            with m.If(inner_last):
                m.d.sync += s.outer_last.eq(s.outer + 1 == s.now["outer"])
        with m.Elif(~calm):
            m.d.sync += s.since.eq(s.since + 1)

    def _turn(self, m, s):
        """From pass to pass; both parts begin when the word is there."""
        drawn = s.since >= drawn_latency(self.config) - 2
        starts = Signal()
        count = len(s.facts)
        m.d.comb += [
            starts.eq((self.late | s.due) & ~s.active & drawn),
            self.mirrors.eq(~s.active & drawn & ~s.returning),
            self.returns.eq(s.returning & (s.since == s.settled)),
            self.seen.eq(s.move & s.now["last"] & s.now["late"]),
            self.listed.eq(s.move & s.now["first_layer"]),
        ]
        m.d.sync += s.due.eq((self.late | s.due) & ~starts)
        with m.If(s.move):
            m.d.sync += self._load(s, s.after)
            with m.If(s.now["last"]):
                m.d.sync += s.active.eq(0)
        with m.If(self.seen):
            m.d.sync += s.returning.eq(1)
        with m.If(self.returns):
            m.d.sync += s.returning.eq(0)
        if self.prompt:
            with m.If(self.early):
                m.d.sync += [s.active.eq(1), *self._load(s, Const(1, count))]
        with m.If(starts):
            m.d.sync += [s.active.eq(1), *self._load(s, Const(1 << self.prompt, count))]

    def _sources(self, m, s):
        """The pre-synaptic activation of hidden rows: unit `row` of the layer below."""
        here_block, here_lane = source_unit(
            m, s, self.config.lanes, self.layout.widest, self.source_lane
        )
        row_inner = s.now["row_inner"]
        s.row, s.block = Mux(row_inner, s.inner, s.outer), Mux(row_inner, s.outer, s.inner)
        s.place = Signal.like(self.source_place)
        m.d.comb += [
            s.place.eq(s.now["place"] + s.block),
            self.source_place.eq(Mux(s.now["from_below"], s.now["source"] + here_block, s.place)),
            self.source_lane.eq(here_lane),
            self.list_address.eq(s.inner),
        ]

    def _step(self, m, s):
        fields = {
            "valid": s.issue,
            "kind": s.now["kind"],
            "layer": s.now["layer"],
            "row": s.row,
            "block": s.block,
            "place": s.place,
            "sum_last": s.inner_last,
            "end": s.end,
            "bias": s.now["row_inner"] & s.inner_last,
            "address": s.linear,
        }
        m.d.comb += self.step.eq(self.step_layout.pack(**fields))

    def _follow(self, m, s):
        """Parts of the first layer's blocks that are updated."""
        first = self.passes[next(n for n, f in enumerate(s.facts) if f["first_layer"])]
        ends = Signal()
        m.d.comb += ends.eq(s.issue & s.now["first_layer"])
        halves, wholes, block = ends & (s.inner + 1 == s.lower), ends & s.inner_last, s.outer
        for clock in range(1, done_latency(self.config, first.walk)):
            halves, wholes, block = (
                self._later(m, value, f"{of}_{clock}")
                for of, value in (("halves", halves), ("wholes", wholes), ("block", block))
            )
        with m.If(self.take):
            m.d.sync += self.passed.eq(0)
        with m.Elif(self.listed & ~s.issue):
            m.d.sync += self.passed.eq(self.parts)
        with m.Elif(wholes):
            m.d.sync += self.passed.eq(Cat(Const(0, 1), block + 1))
        with m.Elif(halves):
            m.d.sync += self.passed.eq(Cat(Const(1, 1), block))

    @staticmethod
    def _later(m, value, name):
        """A clock later; nothing is left of it after a reset."""
        register = Signal.like(value, name=name)
        m.d.sync += register.eq(value)
        return register

    def _words(self, m, s):
        """Random words that the early passes draw."""
        total = 0
        for n in early_layers(self.config):
            rows = self.layout.rows(n) if n else s.count + 1
            total += Mux(s.zeros[n], 0, rows * self.layout.weight_blocks(n))
        m.d.sync += self.words.eq(total)
