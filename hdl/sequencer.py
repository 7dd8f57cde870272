"""The sequencer: walks the program of `hebbware.golden.program`, one step per clock."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.init import init_groups
from ..golden.layout import Layout
from ..golden.memory import KINDS
from ..golden.program import (
    KERNELS,
    SETTLED,
    SETTLING,
    errors_of,
    pace,
    program,
    pull_of,
    reservoir_of,
    start_program,
)
from .shapes import index
from .step import Kind

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
    source_block, source_lane : Out
        With `step`: block and lane of the pre-synaptic activation.
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
                "memory_address": Out(self.addresses),
                "source_block": Out(index(layout.vector_bases[-1])),
                "source_lane": Out(index(config.lanes)),
                "list_address": Out(index(config.inputs)),
                "old": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, layout = self.config, self.layout
        passes = [*self.program, *self.start]
        first_start, groups = len(self.program), init_groups(cfg)
        at = Signal(range(len(passes) + 1), init=first_start)
        running = Signal(init=1)
        learning = Signal()
        time = Signal(range(max(cfg.time_steps, 2)))
        settling = time != cfg.time_steps - 1 if cfg.time_steps > 1 else Const(0)
        group = Signal(index(groups))
        inner = Signal(self.addresses)
        outer = Signal(self.addresses)
        linear = Signal(self.addresses)
        since = Signal(range(SETTLED + 1), init=SETTLED)  # clocks since a start pass issued
        flags = Signal(len(self.flags), init=-1)

        begin = Signal()
        m.d.comb += begin.eq((inner == 0) & (outer == 0))

        # facts of the pass at hand
        row_last = Signal(range(max(*cfg.layers, layout.memory_rows) + 2))
        block_last = Signal(range(max(layout.vector_bases[-1], 1) + 1))
        base = Signal(self.addresses)
        memory_base = Signal(self.addresses)
        row_inner = Signal()
        ready = Signal()
        empty = Signal()
        source_base = Signal.like(self.source_block)
        strided = Signal()
        after = Signal.like(at)
        clears = Signal(len(self.flags))
        kind = Signal(Kind)
        slow = Signal()  # each step takes two clocks
        layer = Signal(range(len(cfg.hidden) + 1))
        with m.Switch(at):
            for number, p in enumerate(passes):
                with m.Case(number):
                    self._facts(
                        m, p, number, passes, learning, settling, kind=kind, layer=layer,
                        row_last=row_last, block_last=block_last, row_inner=row_inner,
                        base=base, memory_base=memory_base,
                        ready=ready, empty=empty, source_base=source_base, strided=strided,
                        after=after, clears=clears, flags=flags, since=since, slow=slow,
                        fresh=time == 0,
                    )  # fmt: skip

        # walk
        inner_last = inner == Mux(row_inner, row_last, block_last)
        outer_last = outer == Mux(row_inner, block_last, row_last)
        row, block = Mux(row_inner, inner, outer), Mux(row_inner, outer, inner)
        issue = Signal()
        wanted = Signal()
        second = Signal()  # the second of the two clocks that a step of a slow pass takes
        end = Signal()
        address = Signal(self.addresses)
        m.d.comb += [
            wanted.eq(running & (ready | ~begin) & ~empty),
            issue.eq(wanted & (second | ~slow)),
            end.eq(inner_last & outer_last),
            address.eq(Mux(begin, base, linear)),
        ]
        if any(pace(cfg, p.kind) == 2 for p in passes):
            m.d.sync += second.eq(wanted & slow & ~second)
        starting = at >= first_start
        with m.If(issue):
            m.d.sync += [
                inner.eq(Mux(inner_last, 0, inner + 1)),
                outer.eq(Mux(end, 0, outer + inner_last)),
                # rows named by the list: the address stays at row 0 of the block
                linear.eq(address + Mux(strided, Mux(inner_last, layout.rows(0), 0), 1)),
            ]
        move = running & (issue & end | ready & empty)
        m.d.sync += since.eq(Mux(issue & starting, 0, Mux(since == SETTLED, since, since + 1)))
        with m.If(move):
            m.d.sync += at.eq(after)
            with m.If(starting & (after == first_start)):
                m.d.sync += group.eq(group + 1)
                with m.If(group == groups - 1):
                    m.d.sync += [group.eq(0), running.eq(0)]
            with m.If(~starting & (after == first_start)):
                m.d.sync += running.eq(0)
            if cfg.time_steps > 1:  # else it stays 0
                with m.If(settling & (after == 0)):
                    m.d.sync += time.eq(time + 1)
        m.d.comb += [
            self.idle.eq(~running & (since == SETTLED)),
            self.settled.eq(self.idle & flags.all()),
        ]
        with m.If(self.idle & self.go):
            m.d.sync += [running.eq(1), at.eq(0), learning.eq(self.learn), time.eq(0)]
        with m.If(self.idle & self.restart):
            m.d.sync += [running.eq(1), at.eq(first_start)]
        m.d.sync += flags.eq((flags & ~Mux(issue & begin, clears, 0)) | self.done)

        # the pre-synaptic activation of hidden rows: unit `row` of the layer below
        source_block = Signal.like(self.source_block)
        source_lane = Signal.like(self.source_lane)
        here_block, here_lane = Mux(inner == 0, 0, source_block), Mux(inner == 0, 0, source_lane)
        with m.If(issue):
            wrap = here_lane == cfg.lanes - 1
            m.d.sync += [
                source_lane.eq(Mux(wrap, 0, here_lane + 1)),
                source_block.eq(here_block + wrap),
            ]
        m.d.comb += [
            self.source_block.eq(source_base + here_block),
            self.source_lane.eq(here_lane),
            self.list_address.eq(inner),
        ]

        # class-memory rows: `row`, or the classes that the kind writes; those of a direction stand
        # in a list, which is read in the next clock
        target = Signal(range(len(self.rows) + 1))
        m.d.comb += target.eq(row)
        if not KINDS[cfg.memory].by_error:
            with m.If(kind == Kind.MEMORY):
                m.d.comb += target.eq(self.label)
            with m.Elif(kind == Kind.FORGET):
                m.d.comb += [target.eq(self.oldest), self.old.eq(1)]
        listed = Signal()
        named = Signal.like(target)
        block_1, layer_1 = Signal.like(block_last), Signal.like(layer)
        memory_base_1 = Signal.like(memory_base)
        m.d.sync += [
            listed.eq(0 if KINDS[cfg.memory].projected else kind == Kind.DIRECTION),
            named.eq(target),
            block_1.eq(block),
            layer_1.eq(layer),
            memory_base_1.eq(memory_base),
        ]
        m.d.comb += [self.kept_job.eq(layer), self.kept_entry.eq(inner)]
        m.d.comb += self.row.eq(Mux(listed, self.kept_row, named))
        # times a constant of each layer: no multiplier in the way of the address
        before = Array(self.row * layout.blocks(n) for n in range(len(cfg.hidden)))[layer_1]
        m.d.comb += self.memory_address.eq(memory_base_1 + before + block_1)
        m.d.comb += self.step.eq(
            self.step_layout.pack(
                valid=issue,
                kind=kind,
                layer=layer,
                block=block,
                sum_first=inner == 0,
                sum_last=inner_last,
                end=end,
                learn=learning,
                bias=row_inner & inner_last,
                jacobian=(kind == Kind.DIRECTION) & inner_last,
                tail=block == block_last,
                lane=group,
                address=address,
                **({"rest": time == 0} if cfg.leaky else {}),
            )
        )
        return m

    def _count(self, job):
        return self.counts.word_select(job, self.count_width)

    def _facts(self, m, p, number, passes, learning, settling, **s):
        """Drive what is known of pass `p`: sizes, bases, what it waits for, what follows."""
        cfg, layout = self.config, self.layout
        kind, hidden = Kind[p.kind.name], len(cfg.hidden)
        layer = min(p.layer, hidden - 1)  # whose units the lanes hold
        blocks = layout.blocks(layer)
        start = number >= len(self.program)
        if kind in (Kind.FORWARD, Kind.UPDATE):
            last = self.count if p.layer == 0 else layout.rows(p.layer) - 1
        elif kind is Kind.START_WEIGHTS:
            last = (layout.rows(p.layer) if p.layer < hidden else cfg.classes) - 1
        elif kind is Kind.DIRECTION and KINDS[cfg.memory].projected:
            last = layout.memory_rows
        elif kind is Kind.DIRECTION:
            last = self._count(p.layer)
        elif kind is Kind.MEMORY:
            last = cfg.classes - 1 if KINDS[cfg.memory].by_error else 0
        elif kind in (Kind.SIMILARITY, Kind.START_MEMORY):
            last = layout.memory_rows - 1
        elif kind in (Kind.SCORES, Kind.READOUT):
            last = cfg.classes - 1
        else:
            last = 0
        on_weights = kind in (
            Kind.FORWARD,
            Kind.UPDATE,
            Kind.SCORES,
            Kind.READOUT,
            Kind.START_WEIGHTS,
        )
        bases = layout.weight_bases if on_weights else layout.memory_bases
        at = p.layer if p.layer < len(bases) - 1 else 0
        block_outer = kind in BLOCK_OUTER and not (kind is Kind.START_WEIGHTS and p.layer == hidden)
        m.d.comb += [
            s["kind"].eq(kind),
            s["slow"].eq(pace(cfg, p.kind) == 2),
            s["layer"].eq(p.layer),
            s["row_last"].eq(last),
            s["block_last"].eq(blocks - 1),
            s["base"].eq(bases[at]),
            s["memory_base"].eq(layout.memory_bases[layer]),
            s["row_inner"].eq(block_outer),
            s["source_base"].eq(layout.vector_bases[p.layer - 1] if 0 < p.layer < hidden else 0),
            s["strided"].eq(p.layer == 0 and kind in (Kind.FORWARD, Kind.UPDATE)),
        ]
        if start:
            m.d.comb += s["ready"].eq((s["since"] == SETTLED) if number == len(self.program) else 1)
            follower = number + 1 if number + 1 < len(passes) else len(self.program)
            m.d.comb += s["after"].eq(follower)
            return
        waits = [self.flags.index(name) for name in p.waits]
        m.d.comb += s["ready"].eq(Cat(s["flags"][flag] for flag in waits).all())
        if kind in (Kind.DIRECTION, Kind.UPDATE, Kind.READOUT):
            m.d.comb += s["empty"].eq(self._count(p.layer) == 0)
        if kind is Kind.FORGET:
            m.d.comb += s["empty"].eq(~self.has_oldest)
        produced = {p.name}
        if kind in (Kind.SIMILARITY, Kind.SCORES):
            produced.add(errors_of(p.layer))
        if kind is Kind.SIMILARITY:
            produced |= {pull_of(p.layer), reservoir_of(p.layer)}
        cleared = sum(1 << self.flags.index(name) for name in produced if name in self.flags)
        if kind is Kind.SCORES:
            # the errors of the readout are only made while learning, but results always
            only = 1 << self.flags.index(f"error{p.layer}")
            results = 1 << self.flags.index("results")
            m.d.comb += s["clears"].eq((cleared & ~only) | results | Mux(learning, only, 0))
        elif kind is Kind.FORWARD and p.layer == 0 and KERNELS in self.flags:
            # made when a sample that is learned is walked for the first time
            kernels = 1 << self.flags.index(KERNELS)
            m.d.comb += s["clears"].eq(cleared | Mux(learning & s["fresh"], kernels, 0))
        else:
            m.d.comb += s["clears"].eq(cleared)
        follow_learn = number + 1
        follow_infer = next(
            (n for n in range(number + 1, len(self.program)) if not self.program[n].learn), None
        )
        if follow_infer is None:
            follow_infer = len(self.program)
        follow_settle = next(
            (n for n in range(number + 1, len(self.program)) if self.program[n].kind in SETTLING),
            0,  # the next time step
        )
        m.d.comb += s["after"].eq(
            Mux(settling, follow_settle, Mux(learning, follow_learn, follow_infer))
        )
