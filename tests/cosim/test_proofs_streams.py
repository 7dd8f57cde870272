"""Proofs: no stream drops, repeats or changes a word, however the other end stalls."""

import pytest
from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.proofs import prove
from hebbware.golden.config import CoreConfig
from hebbware.golden.program.commands import Op
from hebbware.golden.program.layout import Layout
from hebbware.hdl.commander import Commander
from hebbware.hdl.errors.arrivals import Arrivals
from hebbware.hdl.loader import Loader
from hebbware.hdl.results import Results
from hebbware.hdl.walks.step import Step, kinds_of

pytestmark = pytest.mark.usefixtures("yosys")
CONFIG = CoreConfig.of((2, 2, 2), lanes=1)
Kind = kinds_of(CONFIG).Kind


def step_of(config):
    layout = Layout(config)
    words = max(layout.weight_bases[-1], layout.memory_bases[-1])
    return Step(config, blocks=layout.vector_bases[-1], words=words)


def steady(m, stream):
    """Whether a stream keeps what it offers until that has moved."""
    held, kept = Signal(), Signal.like(stream.payload)
    m.d.sync += [held.eq(stream.valid & ~stream.ready), kept.eq(stream.payload)]
    return ~held | (stream.valid & (stream.payload == kept))


class Collected(wiring.Component):
    """What the loader shows of a sample is what came in: each input that is not zero, once.

    Of one sample, `which` from the first one on, the words are kept as they come; when that sample
    is shown, each entry of its list must be the one in that place, and count and label right. Words
    come, samples are released and unfinished ones dropped at any time. `reached` where the second
    entry of that sample was looked at.
    """

    def __init__(self, which, loader=Loader):
        self.which, self.loader = which, loader(CONFIG)
        ports = {"word": In(8), "valid": In(1), "release": In(1), "entry": In(1)}
        ports |= {"drop": In(1)}
        super().__init__(ports | {"ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.loader = loader = self.loader
        samples, inputs = loader.samples, CONFIG.inputs
        came, shown, position = Signal(3), Signal(3), Signal(range(inputs + 1))
        words = Array(Signal(8, name=f"word_{n}") for n in range(inputs + 1))
        m.d.comb += [
            samples.payload.eq(self.word),
            samples.valid.eq(self.valid),
            loader.address.eq(self.entry),
            loader.release.eq(self.release & loader.full),
            loader.drop.eq(self.drop),
        ]
        with m.If(samples.valid & samples.ready):
            with m.If(came == self.which):
                m.d.sync += words[position].eq(self.word)
            m.d.sync += position.eq(position + 1)
            with m.If(position == inputs):
                m.d.sync += [position.eq(0), came.eq(came + 1)]
        with m.If(self.drop):
            m.d.sync += position.eq(0)
        with m.If(loader.release):
            m.d.sync += shown.eq(shown + 1)
        here = loader.full & (shown == self.which)
        nonzero = [words[n] != 0 for n in range(inputs)]
        first = Mux(nonzero[0], 0, 1)  # entry of the list, of two inputs
        entry_1, entry_2, here_1, here_2 = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            entry_1.eq(self.entry),
            entry_2.eq(entry_1),
            here_1.eq(here & (self.entry < loader.count)),
            here_2.eq(here_1),
        ]
        index = Mux(entry_2, 1, first)
        right = (loader.index == index) & (loader.value == words[index])
        told = (loader.count == sum(nonzero)) & (
            loader.has_label == (words[inputs] < CONFIG.classes)
        )
        told &= ~loader.has_label | (loader.label == words[inputs])
        m.d.comb += [
            self.ok.eq((~here | told) & (~here_2 | right) & (~loader.full | (shown < came))),
            self.reached.eq(here_2 & entry_2),
        ]
        return m


class PutOut(wiring.Component):
    """Class and scores of each sample come out once, in order, and stay until they are taken.

    Scores arrive with any pauses, those of the next sample when all words of this one are taken.
    `reached` where the second sample's last word is taken.
    """

    def __init__(self, results=Results):
        self.results = results(CONFIG)
        ports = {"score": In(CONFIG.u.width), "come": In(1), "ready": In(1)}
        super().__init__(ports | {"ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.results = results = self.results
        out, classes = results.results, CONFIG.classes
        scores = Array(Signal(CONFIG.u.width, name=f"score_{n}") for n in range(classes))
        row, position, samples = Signal(range(classes)), Signal(range(classes + 2)), Signal(2)
        giving = Signal()
        m.d.comb += [
            out.ready.eq(self.ready),
            results.value.eq(self.score),
            results.row.eq(row),
            results.arrive.eq(self.come & ~giving),
            results.last.eq(row == classes - 1),
        ]
        with m.If(results.arrive):
            m.d.sync += [scores[row].eq(self.score), row.eq(row + 1)]
            with m.If(results.last):
                m.d.sync += [row.eq(0), giving.eq(1), position.eq(0)]
        taken = out.valid & out.ready
        last = taken & (position == classes)
        with m.If(taken):
            m.d.sync += position.eq(position + 1)
        with m.If(last):
            m.d.sync += [giving.eq(0), samples.eq(samples + (samples != 3))]
        best = scores[1].as_signed() > scores[0].as_signed()
        right = Mux(position == 0, best, scores[(position - 1)[:1]].as_signed())
        m.d.comb += [
            self.ok.eq(
                (out.valid == giving)
                & (~out.valid | (out.payload == right))
                & (results.done == last)
                & steady(m, out)
            ),
            self.reached.eq(samples == 2),
        ]
        return m


class Answered(wiring.Component):
    """Each command that is taken gets one response, which stays until it is taken.

    The core may be free and settled at any time, steps end a while after they are issued. `reached`
    where two have been answered.
    """

    def __init__(self, commander=Commander):
        self.commander = commander(CONFIG, step_of(CONFIG))
        ports = {"op": In(2), "space": In(2), "data": In(4), "valid": In(1), "ready": In(1)}
        ports |= {"free": In(1), "settled": In(1), "ended": In(1), "result": In(4)}
        super().__init__(ports | {"ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.commander = commander = self.commander
        words, answers = commander.commands, commander.responses
        m.d.comb += [
            words.payload.op.eq(self.op),
            words.payload.space.eq(self.space),
            words.payload.data.eq(self.data),
            words.valid.eq(self.valid),
            answers.ready.eq(self.ready),
            commander.free.eq(self.free),
            commander.settled.eq(self.settled),
            commander.ended.eq(self.ended),
            commander.result.eq(self.result),
        ]
        taken, answered = words.valid & words.ready, answers.valid & answers.ready
        open_, number = Signal(), Signal(2)
        m.d.sync += open_.eq((open_ | taken) & ~answered)
        m.d.sync += number.eq(number + (answered & (number != 3)))
        m.d.comb += [
            self.ok.eq(
                ~(open_ & words.ready)  # the next one waits for this one's response
                & (~answers.valid | open_)
                & (~taken | (self.free & self.settled))
                & ~(commander.yields & (words.valid | open_))  # no sample goes before a command
                & (~commander.step.valid | open_)
                & steady(m, answers)
            ),
            self.reached.eq(number == 2),
        ]
        return m


class Arrived(wiring.Component):
    """Each total of a similarity or a score arrives three clocks later, once, with its step."""

    def __init__(self, arrivals=Arrivals):
        self.arrivals = arrivals(CONFIG, step_of(CONFIG))
        shape = self.arrivals.total.shape()
        layout = self.arrivals.step_layout
        ports = {"total": In(shape), "step": In(layout.size)}
        super().__init__(ports | {"ok": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.arrivals = arrivals = self.arrivals
        step = arrivals.total_step
        m.d.comb += [arrivals.total.eq(self.total), step.eq(self.step)]
        dot = (step.kind == Kind.SIMILARITY) | (step.kind == Kind.SCORES)
        wanted, seen = step.valid & step.sum_last & dot, self.step
        for n in range(3):
            late, late_step = Signal(name=f"late_{n}"), Signal.like(self.step, name=f"step_{n}")
            m.d.sync += [late.eq(wanted), late_step.eq(seen)]
            wanted, seen = late, late_step
        m.d.comb += self.ok.eq((arrivals.arrive == wanted) & (arrivals.step.as_value() == seen))
        return m


@pytest.mark.parametrize("which", [0, 1, 2])
def test_loader(which):
    """The first, second and third sample: both banks, and the first one again."""
    assert prove(Collected(which), clocks=9 + 3 * which).holds


def test_results():
    """Two samples."""
    assert prove(PutOut(), clocks=13).holds


def test_commander():
    """Two commands and more, in 16 clocks."""
    assert prove(Answered(), clocks=16).holds


def test_arrivals():
    """For all time, by induction."""
    assert prove(Arrived(), clocks=4, induction=True).holds


class Skips(Loader):
    """Takes a word of the value 7 without a place for it."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.samples.payload == 7):
            m.d.comb += self.samples.ready.eq(1)
        return m


class Changes(Results):
    """A word that waits becomes another one."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        waited = Signal()
        m.d.sync += waited.eq(self.results.valid & ~self.results.ready)
        with m.If(waited):
            m.d.comb += self.results.payload.eq(2)
        return m


class Withdraws(Commander):
    """A response that waits is no longer offered."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        waited = Signal(2)
        m.d.sync += waited.eq(Cat(self.responses.valid & ~self.responses.ready, waited[0]))
        with m.If(waited == 3):
            m.d.comb += self.responses.valid.eq(0)
        return m


class Jumps(Commander):
    """A sample may start although a command waits."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.free & (self.commands.payload.op == Op.START)):
            m.d.comb += self.yields.eq(1)
        return m


class Loses(Arrivals):
    """Nothing arrives a clock after something arrived."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        before = Signal()
        m.d.sync += before.eq(self.arrive)
        with m.If(before):
            m.d.sync += self.arrive.eq(0)
        return m


@pytest.mark.parametrize(
    ("faulty", "clocks"),
    [
        (lambda: Collected(0, Skips), 12),
        (lambda: PutOut(Changes), 13),
        (lambda: Answered(Withdraws), 16),
        (lambda: Answered(Jumps), 16),
        (lambda: Arrived(Loses), 8),
    ],
)
def test_faults_of_streams_are_found(faulty, clocks):
    assert not prove(faulty(), clocks=clocks).holds
