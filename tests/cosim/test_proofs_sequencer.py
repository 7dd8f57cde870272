"""Proofs: one step at a time, and no pass before what it waits for, as golden's program says."""

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim.proofs import prove
from hebbware.golden.config import CoreConfig
from hebbware.golden.program.layout import Layout
from hebbware.golden.program.passes import errors_of
from hebbware.golden.program.program import Kind, program, start_clocks, start_program
from hebbware.hdl.commander import Commander
from hebbware.hdl.walks.facts import Facts
from hebbware.hdl.walks.sequencer import Sequencer
from hebbware.hdl.walks.step import Step, kinds_of

pytestmark = pytest.mark.usefixtures("yosys")
CONFIG = CoreConfig.of((1, 2, 2), lanes=2)


def step_of(config):
    layout = Layout(config)
    words = max(layout.weight_bases[-1], layout.memory_bases[-1])
    return Step(config, blocks=layout.vector_bases[-1], words=words)


def makes(config, p, name):
    """Whether a pass makes what is waited for under `name`: by itself, or what it is for.

    "learning" where it does so only then.
    """
    if name == p.name:
        return "always"
    if p.kind is Kind.SIMILARITY and name == errors_of(p.layer):
        return "always"
    if p.kind is Kind.SCORES and name == "results":
        return "always"
    if p.kind is Kind.SCORES and name == errors_of(p.layer):
        return "learning"
    return None


class Walked(wiring.Component):
    """The sequencer and, with `host`, the commander beside it, joined as in the core.

    Samples and commands come, and what is under way gets done, at any time. What a pass waits for
    is done when its first step is issued: it has been so from reset on, or `done` has been high
    since the pass that makes it last issued its first step. Steps of a pass come in the order of
    the program. With `straight`, there is always a sample, to be learned, its input not zero and
    none of its errors. `reached` at the first step of pass `goal` of a learned sample.
    """

    def __init__(
        self, config=CONFIG, goal="update0", *, host=False, straight=False,
        sequencer=Sequencer, commander=Commander,
    ):  # fmt: skip
        self.config, self.goal, self.host, self.straight = config, goal, host, straight
        layout = step_of(config)
        self.sequencer, self.commander = sequencer(config, layout), commander(config, layout)
        ports = {"full": In(1), "learn": In(1), "done": In(len(self.sequencer.flags))}
        ports |= {"op": In(2), "space": In(2), "command": In(1), "ready": In(1), "ended": In(1)}
        ports |= {"count": In(1), "counts": In(self.sequencer.counts.shape())}
        super().__init__(ports | {"ok": Out(1), "given": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.sequencer, m.submodules.commander = walk, host = self.sequencer, self.commander
        working, learning, go, finish = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            host.free.eq(walk.idle & ~working),
            host.settled.eq(walk.settled),
            go.eq(host.free & host.yields & self.full),
            finish.eq(working & walk.idle),
            walk.go.eq(go),
            walk.learn.eq(self.learn),
            walk.restart.eq(host.restart),
            walk.count.eq(self.count),
            walk.counts.eq(self.counts),
            walk.done.eq(self.done),
            host.commands.valid.eq(self.command & self.host),
            host.commands.payload.op.eq(self.op),
            host.commands.payload.space.eq(self.space),
            host.responses.ready.eq(self.ready),
            host.ended.eq(self.ended),
        ]
        m.d.sync += working.eq((working | go) & ~finish)
        with m.If(go):
            m.d.sync += learning.eq(self.learn)
        counts = [self.counts.word_select(n, walk.count_width) for n in range(2)]
        m.d.comb += self.given.eq(Cat(count <= cfg.classes for count in counts).all())
        if self.straight:
            straight = self.full & self.learn & self.count
            every = Cat(count == cfg.classes for count in counts).all()
            m.d.comb += self.given.eq(straight & every)

        step, fresh = walk.step, Signal(init=1)
        with m.If(step.valid):
            m.d.sync += fresh.eq(step.end)
        first = step.valid & fresh
        passes = program(cfg)
        here = [
            (step.kind == kinds_of(cfg).Kind[p.kind.name]) & (step.layer == p.layer) for p in passes
        ]
        # what is done
        complete = {name: Signal(init=1, name=f"{name}_done") for name in walk.flags}
        for number, name in enumerate(walk.flags):
            begins = []
            for p, it in zip(passes, here, strict=True):
                if made := makes(cfg, p, name):
                    begins.append(it & (learning | (made == "always")))
            with m.If(self.done[number]):
                m.d.sync += complete[name].eq(1)
            with m.Elif(first & Cat(begins).any()):
                m.d.sync += complete[name].eq(0)
        waits = [
            ~it | Cat(complete[name] for name in p.waits).all() if p.waits else 1
            for p, it in zip(passes, here, strict=True)
        ]
        # the order: the number of the last pass that began
        last = Signal(range(len(passes) + 1))
        for number, it in enumerate(here):
            with m.If(first & it):
                m.d.sync += last.eq(number + 1)
        with m.If(go):
            m.d.sync += last.eq(0)
        later = [~it | (last <= number) for number, it in enumerate(here)]
        kinds = {p.kind for p in (*passes, *start_program(cfg)) if p.walk.pace == 2}
        slow = (
            Cat(step.kind == kinds_of(cfg).Kind[kind.name] for kind in kinds).any() if kinds else 0
        )
        before = Signal()
        m.d.sync += before.eq(step.valid)
        m.d.comb += [
            self.ok.eq(
                ~(step.valid & host.step.valid)  # one step at a time
                & ~(step.valid & slow & before)
                & (~first | Cat(*waits, *later).all())
                & (
                    ~step.valid
                    | ~working
                    | learning
                    | Cat(~it for p, it in zip(passes, here, strict=True) if p.learn).all()
                )
                & ~(go & host.commands.valid)
            ),
            self.reached.eq(first & learning & here[[p.name for p in passes].index(self.goal)]),
        ]
        return m


def test_host_and_program_take_turns():
    assert prove(Walked(goal="sum0", host=True), clocks=26).holds


def test_passes_wait():
    assert prove(Walked(goal="normalise0"), clocks=30).holds


def test_passes_that_write_weights_take_two_clocks_a_step():
    """Where the weights have one port."""
    config = CONFIG.derive(weight_ports=1)
    assert prove(Walked(config, goal="forward0"), clocks=start_clocks(config) + 4).holds


@pytest.mark.slow  # two minutes each
@pytest.mark.parametrize(
    ("clocks", "goal", "straight"), [(36, "direction0", False), (44, "readout1", True)]
)
def test_later_passes_wait(clocks, goal, straight):
    assert prove(Walked(goal=goal, straight=straight), clocks=clocks).holds


class Hasty(Sequencer):
    """Does not wait for the activations before it sums them up."""

    class facts_class(Facts):  # noqa: N801
        def of(self, number):
            fact = super().of(number)
            return fact | {"waits": fact["waits"] & ~self._mask(["forward0"])}


class Even(Sequencer):
    """Writes weights in every clock."""

    class facts_class(Facts):  # noqa: N801
        def of(self, number):
            return super().of(number) | {"slow": False}


class Pushes(Commander):
    """Takes a command whenever there is one."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.commands.ready.eq(1)
        return m


@pytest.mark.parametrize(
    "fault",
    [
        {"goal": "sum0", "sequencer": Hasty},
        {"goal": "sum0", "host": True, "commander": Pushes},
        {"config": CONFIG.derive(weight_ports=1), "goal": "forward0", "sequencer": Even},
    ],
)
def test_faults_of_the_sequencer_are_found(fault):
    assert not prove(Walked(**fault), clocks=30).holds
