"""The sequencer: walks the program of `hebbware.golden.program`, one step per clock."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.init import init_groups
from ..golden.layout import Layout
from ..golden.memory import KINDS
from ..golden.program import (
    KERNELS,
    READS_WEIGHTS,
    SETTLING,
    errors_of,
    pace,
    program,
    pull_of,
    reservoir_of,
    stages,
    start_program,
)
from .shapes import index
from .step import Kind

# facts that decide what is loaded, and are no registers themselves
CONDITIONAL = (
    "base",
    "clears_learned",
    "clears_first",
    "settled",
    "learned",
    "inferred",
)
BLOCK_OUTER = (
    Kind.FORWARD,
    Kind.UPDATE,
    Kind.DIRECTION,
    Kind.START_WEIGHTS,
)  # rows are walked inside a block


class Sequencer(wiring.Component):
    """Issues steps: a pass starts when the one before it has issued its last step and what it waits
    for is done; a pass without steps takes one clock. A step takes ``program.pace`` clocks. Where a
    sample takes several time steps, the program is walked once for each; all but the last time only
    its `SETTLING` passes.

    Latency: one clock from `go` to the first step; `idle` in the clock after the last step.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    go, learn : In(1)
        Walk the program for one sample (while `idle`).
    restart : In(1)
        Walk the start program (while `idle`); also done after reset.
    idle : Out(1)
    count : In
        Non-zero inputs of the sample.
    label, oldest, has_oldest : In
        Class of the sample and of the one learned ``window`` samples ago. Where rows of the class
        memory are samples, `label` is the row of this one.
    done : In, one bit for each name in `flags`
        The pass (or softmax) of that name is complete, from the next clock on.
    counts : In
        How many errors of each softmax job are not zero.
    kept_job, kept_entry : Out
        With `step`: entry of a job's list of such errors; `kept_row` is its class, one clock later.
    settled : Out(1)
        Everything that was started is complete.
    step : Out
        ``valid`` with each step issued.
        Its address is that of row 0 of the block where the list of inputs names the rows.
    row, memory_address : Out
        One clock after `step`: its row, and its class-memory word.
    source_place, source_lane : Out
        With `step`: which word of the activations it reads, and the lane of the pre-synaptic one.
    list_address : Out
        Entry of the input list, for the first layer.
    old : Out(1)
        With `step`: the activation is that of the oldest sample of the window.
    """

    def __init__(self, config, step_layout):
        self.config, self.step_layout = config, step_layout
        self.layout = layout = Layout(config)
        self.program, self.start = program(config), start_program(config)
        self.flags = sorted({name for p in self.program for name in p.waits})
        classes = range(config.classes)
        self.rows = rows = range(max(config.classes, layout.memory_rows))
        self.count_width = len(rows).bit_length()
        self.addresses = range(max(layout.weight_bases[-1], layout.memory_bases[-1], 2))
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
                "memory_address": Out(index(layout.memory_bases[-1])),
                "source_place": Out(index(layout.vector_bases[-1])),
                "source_lane": Out(index(config.lanes)),
                "list_address": Out(index(config.inputs)),
                "old": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, layout = self.config, self.layout
        first_start, groups = len(self.program), init_groups(cfg)
        facts = [self._facts(number) for number in range(first_start + len(self.start))]
        extent = max(cfg.inputs, len(self.rows), *(f["inner"] for f in facts))
        running = Signal(init=1)
        starting = Signal(init=1)
        learning = Signal()
        time = Signal(range(cfg.time_steps)) if cfg.time_steps > 1 else Const(0)
        group = Signal(range(groups)) if groups > 1 else Const(0)
        inner = Signal(range(extent + 1))
        outer = Signal(range(max(*(f["outer"] for f in facts), 1) + 1))
        settled = stages(cfg).settled
        since = Signal(range(settled + 1), init=settled)  # clocks since a step was issued
        flags = Signal(len(self.flags), init=-1)
        first, begin = Signal(init=1), Signal(init=1)  # `inner` is 0, and `outer` as well

        # facts of the pass at hand: registers, loaded from a table when the one before it ends
        now = {
            name: Signal(len(flags) if name in ("waits", "clears") else shape, name=name, init=init)
            for (name, init), shape in zip(
                facts[first_start].items(), self._shapes(facts, extent), strict=True
            )
            if name not in CONDITIONAL
        }
        # which pass comes next: a bit for each
        after = Signal(len(facts), init=1 << facts[first_start]["learned"])
        linear = Signal(self.addresses, init=facts[first_start]["base"])
        # `inner` and `outer` are the last of their loops
        inner_last = Signal(init=facts[first_start]["inner"] == 0)
        outer_last = Signal(init=facts[first_start]["outer"] == 0)
        length, count = Signal(self.count_width), Signal.like(self.count)
        last_pass, next_pass = after[first_start], after[0]  # of the program; of another time step

        def load(chosen, learn, time, count):
            """Take over the facts of the pass that has its bit set in `chosen`, for a sample to
            learn or not, at a time step, with so many inputs.
            """

            def of(name, value=lambda number: number):
                numbers = [int(value(fact[name])) for fact in facts]
                return Cat(
                    Cat(chosen[n] for n, number in enumerate(numbers) if number >> bit & 1).any()
                    for bit in range(max(max(numbers).bit_length(), 1))
                )

            settling = time != cfg.time_steps - 1 if cfg.time_steps > 1 else Const(0)
            clears = of("clears") | Mux(learn, of("clears_learned"), 0)
            clears |= Mux(learn & (time == 0), of("clears_first"), 0)
            following = [
                of(name, lambda number: 1 << number) for name in ("settled", "learned", "inferred")
            ]
            one_row = of("inner", lambda number: number == 0) & ~of("counted")
            return [
                *(
                    register.eq(clears if name == "clears" else of(name))
                    for name, register in now.items()
                ),
                linear.eq(of("base")),
                after.eq(Mux(settling, following[0], Mux(learn, *following[1:]))),
                first.eq(1),
                begin.eq(1),
                inner_last.eq(Mux(of("strided"), count == 0, one_row)),
                outer_last.eq(of("outer", lambda number: number == 0)),
                length.eq(self._length(of("empties"))),
            ]

        # walk
        row_inner, slow = now["row_inner"], now["slow"]
        # a list's length is more than 0, and there a clock before the flag that lets its pass begin
        m.d.sync += [length.eq(self._length(now["empties"])), count.eq(self.count)]
        limit = Signal.like(inner)
        m.d.comb += limit.eq(Mux(now["strided"], count, Mux(now["counted"], length, now["inner"])))
        row, block = Mux(row_inner, inner, outer), Mux(row_inner, outer, inner)
        zeros = Cat(self._count(job) == 0 for job in range(len(cfg.hidden) + 1))
        calm = since == settled
        ready, empty, wanted, issue, end, move = (
            Signal(name=name) for name in ("ready", "empty", "wanted", "issue", "end", "move")
        )
        second = Signal()  # the second of the two clocks that a step of a slow pass takes
        m.d.comb += [
            ready.eq(((now["waits"] & ~flags) == 0) & (~now["settles"] | calm)),
            empty.eq((now["empties"] & zeros).any() | now["forgets"] & ~self.has_oldest),
            wanted.eq(running & (ready | ~begin) & ~empty),
            issue.eq(wanted & (second | ~slow)),
            end.eq(inner_last & outer_last),
            move.eq(running & (issue & end | ready & empty)),
        ]
        if any(fact["slow"] for fact in facts):
            m.d.sync += second.eq(wanted & slow & ~second)
        strided = now["strided"]
        with m.If(issue):
            m.d.sync += [
                inner.eq(Mux(inner_last, 0, inner + 1)),
                outer.eq(Mux(end, 0, outer + inner_last)),
                # rows named by the list: the address stays at row 0 of the block
                linear.eq(
                    Mux(
                        inner_last,
                        linear + Mux(strided, layout.rows(0), 1),
                        linear + ~strided,
                    )
                ),
                first.eq(inner_last),
                begin.eq(0),
                since.eq(0),
                inner_last.eq(Mux(inner_last, limit == 0, inner + 1 == limit)),
            ]
            with m.If(inner_last):
                m.d.sync += outer_last.eq(outer + 1 == now["outer"])
        with m.Elif(~calm):
            m.d.sync += since.eq(since + 1)
        next_time = time
        if cfg.time_steps > 1:
            next_time = Signal.like(time)
            m.d.comb += next_time.eq(time + (~starting & next_pass))
        with m.If(move):
            with m.If(last_pass):  # of the start program: once for each group of lanes
                m.d.sync += running.eq(starting & (group != groups - 1))
            if groups > 1:
                with m.If(starting & last_pass):
                    m.d.sync += group.eq(Mux(group == groups - 1, 0, group + 1))
            if cfg.time_steps > 1:
                m.d.sync += time.eq(next_time)
            m.d.sync += load(after, learning, next_time, count)
        m.d.comb += [
            self.idle.eq(~running & (~starting | calm)),
            self.settled.eq(~running & calm & flags.all()),
        ]
        with m.If(self.idle & self.go):
            m.d.sync += [running.eq(1), starting.eq(0), learning.eq(self.learn)]
            if cfg.time_steps > 1:
                m.d.sync += time.eq(0)
            m.d.sync += load(Const(1, len(facts)), self.learn, Const(0), self.count)
        with m.If(self.idle & self.restart):
            m.d.sync += [running.eq(1), starting.eq(1)]
            m.d.sync += load(Const(1 << first_start, len(facts)), learning, time, count)
        m.d.sync += flags.eq((flags & ~Mux(issue & begin, now["clears"], 0)) | self.done)

        # the pre-synaptic activation of hidden rows: unit `row` of the layer below
        source_block = Signal(index(layout.most_blocks))
        source_lane = Signal.like(self.source_lane)
        here_block, here_lane = Mux(first, 0, source_block), Mux(first, 0, source_lane)
        with m.If(issue):
            wrap = here_lane == cfg.lanes - 1
            m.d.sync += [
                source_lane.eq(Mux(wrap, 0, here_lane + 1)),
                source_block.eq(here_block + wrap),
            ]
        place = Signal.like(self.source_place)
        m.d.comb += [
            place.eq(now["place"] + block),
            self.source_place.eq(Mux(now["from_below"], now["source"] + here_block, place)),
            self.source_lane.eq(here_lane),
            self.list_address.eq(inner),
            self.old.eq(now["forgets"]),
        ]

        # class-memory rows: `row`, or the classes that the kind writes; those of a direction stand
        # in a list, which is read in the next clock
        kind, layer = now["kind"], now["layer"]
        target = Signal(range(len(self.rows) + 1))
        m.d.comb += target.eq(row)
        if not KINDS[cfg.memory].by_error:
            with m.If(kind == Kind.MEMORY):
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
            word_1.eq(now["memory_base"] + block),
        ]
        m.d.comb += [self.kept_job.eq(layer), self.kept_entry.eq(inner)]
        m.d.comb += self.row.eq(Mux(listed, self.kept_row, named))
        # times a constant of each layer: no multiplier in the way of the address
        before = Array(self.row * layout.blocks(n) for n in range(len(cfg.hidden)))[layer_1]
        m.d.comb += self.memory_address.eq(word_1 + before)
        m.d.comb += self.step.eq(
            self.step_layout.pack(
                valid=issue,
                kind=kind,
                layer=layer,
                block=block,
                place=place,
                sum_first=first,
                sum_last=inner_last,
                end=end,
                learn=learning,
                bias=row_inner & inner_last,
                jacobian=(kind == Kind.DIRECTION) & inner_last,
                tail=Mux(row_inner, outer_last, inner_last),
                lane=group,
                address=linear,
                **({"rest": time == 0} if cfg.leaky else {}),
            )
        )
        return m

    def _length(self, chosen):
        """How many errors of the layer that has its bit set are not zero."""
        each = [
            self._count(job) & bit.replicate(self.count_width) for job, bit in enumerate(chosen)
        ]
        return reduce(or_, each)

    def _count(self, job):
        return self.counts.word_select(job, self.count_width)

    def _shapes(self, facts, extent):
        """Shape of the register of each fact."""
        for name in facts[0]:
            if name == "kind":
                yield Kind
            elif name == "inner":
                yield range(extent + 1)
            else:
                yield index(max(int(fact[name]) for fact in facts) + 1)

    def _facts(self, number):
        """What is known of a pass: sizes, bases, what it waits for, what follows."""
        cfg, layout, program = self.config, self.layout, self.program
        start = number >= len(program)
        p = self.start[number - len(program)] if start else program[number]
        kind, hidden, memory = Kind[p.kind.name], len(cfg.hidden), KINDS[cfg.memory]
        layer = min(p.layer, hidden - 1)  # whose units the lanes hold
        from_below = kind in (Kind.FORWARD, Kind.UPDATE)
        on_inputs = from_below and p.layer == 0
        counted = kind is Kind.DIRECTION and not memory.projected
        rows = 1
        if from_below:
            rows = 1 if on_inputs else layout.rows(p.layer)
        elif kind is Kind.START_WEIGHTS:
            rows = layout.rows(p.layer) if p.layer < hidden else cfg.classes
        elif kind is Kind.DIRECTION and memory.projected:
            rows = layout.memory_rows + 1
        elif kind is Kind.MEMORY and memory.by_error:
            rows = cfg.classes
        elif kind in (Kind.SIMILARITY, Kind.START_MEMORY):
            rows = layout.memory_rows
        elif kind in (Kind.SCORES, Kind.READOUT):
            rows = cfg.classes
        row_inner = kind in BLOCK_OUTER and not (kind is Kind.START_WEIGHTS and p.layer == hidden)
        walk = (rows, layout.blocks(layer)) if row_inner else (layout.blocks(layer), rows)
        bases = layout.weight_bases if p.kind in READS_WEIGHTS else layout.memory_bases
        fact = {
            "kind": kind.value,
            "layer": p.layer,
            "slow": pace(cfg, p.kind) == 2,  # each step takes two clocks
            "row_inner": row_inner,
            "inner": walk[0] - 1,  # last number of the inner loop, and of the outer one
            "outer": walk[1] - 1,
            "counted": counted,  # rows are the errors that are not zero
            "base": bases[p.layer if p.layer < len(bases) - 1 else 0],
            "strided": on_inputs,  # rows are the inputs that are not zero
            "memory_base": layout.memory_bases[layer],
            "place": layout.vector_bases[layer],
            "from_below": from_below,
            "source": layout.vector_bases[p.layer - 1] if 0 < p.layer < hidden else 0,
            "empties": 1 << p.layer  # left out where all errors of that layer are zero
            if kind in (Kind.DIRECTION, Kind.UPDATE, Kind.READOUT)
            else 0,
            "forgets": kind is Kind.FORGET,
            "settles": number == len(program),  # waits until nothing is under way
            "waits": self._mask(p.waits),
        }
        if start:
            follower = number + 1 if number + 1 < len(program) + len(self.start) else len(program)
            followers = dict.fromkeys(("settled", "learned", "inferred"), follower)
            return fact | dict.fromkeys(("clears", "clears_learned", "clears_first"), 0) | followers
        return fact | self._clears(p, kind) | self._followers(number)

    def _mask(self, names):
        return sum(1 << self.flags.index(name) for name in set(names) if name in self.flags)

    def _clears(self, p, kind):
        """Flags of what the pass produces: always, while learning, in the first time step then."""
        always, learned, first = {p.name}, (), ()
        if kind is Kind.SIMILARITY:
            always |= {errors_of(p.layer), pull_of(p.layer), reservoir_of(p.layer)}
        elif kind is Kind.SCORES:
            # the errors of the readout are only made while learning, but results always
            always, learned = {p.name, "results"}, (errors_of(p.layer),)
        elif kind is Kind.FORWARD and p.layer == 0:
            first = (KERNELS,)
        masks = (self._mask(names) for names in (always, learned, first))
        return dict(zip(("clears", "clears_learned", "clears_first"), masks, strict=True))

    def _followers(self, number):
        """The pass after this one: where time steps follow, while learning, while inferring."""
        later = [(n, p) for n, p in enumerate(self.program) if n > number]
        end = len(self.program)
        return {
            "settled": next((n for n, p in later if p.kind in SETTLING), 0),
            "learned": number + 1,
            "inferred": next((n for n, p in later if not p.learn), end),
        }
