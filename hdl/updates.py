"""Updates that are walked beside the other passes: their steps on the way to the lanes, what these
take with them, and the words of random numbers. See `hebbware.golden.program.overlap`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.arithmetic.random import seed_state
from ..golden.program.layout import kept_width
from ..golden.program.overlap import STRIDE, early_layers, words_between
from ..golden.program.passes import AHEAD, SEEN, UPDATES
from ..golden.program.pipeline import stages
from .errors.source import take
from .lanes.clusters import Gather
from .lanes.random import Xorshift32, moved_on
from .lanes.vectors import each_lane, z_width
from .primitives import late
from .walks.operand import CommonOperand, source_shape
from .walks.step import is_any, kinds_of
from .walks.updater import Updater


class Ahead(wiring.Component):
    """Moves a generator on over so many words, `STRIDE` in a clock, then one.

    Members
    -------
    go : In(1)
        `words` is there; from the next clock on the generator is moved.
    words : In
    step, jump : Out(1)
        To the next word; over `STRIDE` words.
    done : Out(1)
        In this clock nothing is left.
    """

    def __init__(self, most: int):
        shape = range(most + 1)
        members = {"go": In(1), "words": In(shape)}
        super().__init__(members | {name: Out(1) for name in ("step", "jump", "done")})

    def elaborate(self, platform):
        m = Module()
        left, busy = Signal.like(self.words), Signal()
        far = left >= STRIDE
        m.d.comb += [
            self.jump.eq(busy & far),
            self.step.eq(busy & ~far & (left != 0)),
            self.done.eq(busy & (left == 0)),
        ]
        with m.If(self.go):
            m.d.sync += [left.eq(self.words), busy.eq(1)]
        with m.Else():
            m.d.sync += [
                left.eq(left - Mux(self.jump, STRIDE, self.step)),
                busy.eq(busy & ~self.done),
            ]
        return m


class Updates:
    """The updates beside, as submodules of `m`; methods connect them with the parts of the core.

    Parameters
    ----------
    m : Module
    config : CoreConfig
    step_layout : Step
    sequencer : Sequencer

    Attributes
    ----------
    steps : dict of int to Signal
        The step, so many clocks after its issue; its weight address from stage 3 on.
    finished : dict of str to value
        What passes wait for.
    """

    def __init__(self, m, config, step_layout, sequencer):
        self.config, self.at, self.kinds = config, stages(config), kinds_of(config)
        m.submodules.updater = self.updater = updater = Updater(
            config, step_layout, sequencer.flags
        )
        self.steps = {clock: Signal(step_layout) for clock in range(1, self.at.write + 1)}
        self.finished = {SEEN: updater.seen, UPDATES: updater.returns}
        m.d.sync += self.steps[1].eq(updater.step)
        for clock in range(2, self.at.write + 1):
            m.d.sync += self.steps[clock].eq(self.steps[clock - 1])

    def stage(self, number):
        """The step in a stage, from stage 2 on, without the lag of the lanes."""
        return self.steps[number + self.at.source]

    def hand_over(self, m, sequencer, loader, handed):
        """From the sequencer's handover, and the step that is in stage 3, to the early and the late
        passes; `handed` is that step.
        """
        updater, hidden = self.updater, len(self.config.hidden)
        early = early_layers(self.config)
        issued, first = sequencer.step, 0 if early else hidden
        hands = handed.valid & is_any(handed.kind, self.kinds.handovers)
        taken = Signal()
        m.d.comb += [
            taken.eq(
                issued.valid & is_any(issued.kind, self.kinds.handovers) & (issued.layer == first)
            ),
            updater.take.eq(taken),
            *take(updater, loader, "count", "lower"),
            updater.late.eq(hands & (handed.layer == hidden)),
            *take(updater, sequencer, "counts"),
            updater.flags.eq(sequencer.complete),
            loader.take.eq(taken),
            loader.listed.eq(updater.listed),
            loader.beside.eq(updater.list_address),
            sequencer.passed.eq(updater.passed),
            sequencer.lower.eq(loader.lower),
        ]
        if early:
            m.d.comb += updater.early.eq(hands & (handed.layer == 0))

    def draw(self, m, random, handed):
        """Words of the updates, and what the core's own generator skips; `handed` as above.

        Returns
        -------
        value
            In stage 5.
        """
        updater, kinds = self.updater, self.kinds
        m.submodules.random_beside = own = Xorshift32(seed_state(self.config.seed))
        m.d.sync += own.step.eq(self.stage(2).valid)
        m.d.comb += [
            own.set.eq(updater.mirrors),
            own.value.eq(
                Mux(updater.early, moved_on(random.word, words_between(self.config)), random.word)
            ),
        ]
        self.word = own.word
        early = early_layers(self.config)
        if early:
            m.submodules.ahead = ahead = Ahead(updater.most)
            last = handed.valid & (
                handed.end & is_any(handed.kind, kinds.memories) & (handed.layer == early[-1])
                if words_between(self.config)
                else is_any(handed.kind, kinds.handovers) & (handed.layer == 0)
            )
            m.d.comb += [ahead.go.eq(last), ahead.words.eq(updater.words)]
            self.finished[AHEAD] = ahead.done
            self.ahead = ahead
        return late(m, own.word)

    def address(self, m, loader):
        """Stages 1 to 3: the row of a step is known, and with it the address of its weights."""
        rows = 2 + self.at.lag
        step, entry = self.steps[rows], late(m, loader.index_beside, self.at.lag)
        listed = (step.layer == 0) & ~is_any(step.kind, self.kinds.weighted)
        row = Mux(listed, Mux(step.bias, self.config.inputs, entry), 0)
        m.d.sync += self.steps[rows + 1].address.eq(step.address + row)

    def operands(self, m, step_layout, vectors, loader, errors, extra):
        """Stages 1 to 5: what the lanes multiply.

        Returns
        -------
        scalar : value
            Common operand, in stage 5.
        z : value
            Word of all lanes, in stage 5 of the lanes.
        """
        cfg, z = self.config, vectors.z_beside
        m.submodules.own_beside = own = Gather(cfg, z_width(cfg))
        m.submodules.operand_beside = operand = CommonOperand(cfg, step_layout)
        source = Signal(source_shape(cfg), name="source_beside")
        step = self.stage(2)
        ones = Array(
            Const(cfg.source(layer).one, len(source)) for layer in range(len(cfg.hidden) + 1)
        )
        value = Mux(
            step.layer == 0,
            late(m, loader.value_beside, self.at.source),
            own.part[: cfg.z.width].as_signed(),
        )
        m.d.sync += [
            z.address.eq(self.updater.source_place),
            source.eq(Mux(step.bias, ones[step.layer], value)),
        ]
        m.d.comb += [
            own.word.eq(z.data),
            own.lane.eq(late(m, self.updater.source_lane, 2)),
            operand.step.eq(self.stage(3)),
            operand.source.eq(source),
            operand.error.eq(errors.error),
            operand.extra.eq(extra),
            vectors.d.address.eq(self.stage(4).place),
        ]
        z_5 = late(m, z.data, 3 + self.at.source)
        words = Cat(word[: kept_width(cfg)] for word in each_lane(cfg, z_5))
        return late(m, operand.scalar, 2), words

    def of_errors(self):
        """The step in stage 2 takes an error: it asks for it."""
        step = self.stage(2)
        return step.valid & is_any(step.kind, self.kinds.weighted)
