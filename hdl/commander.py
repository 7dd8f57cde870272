"""The command side: reads and writes of every stored number, between samples."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden import commands
from ..golden.commands import Op, Space, State
from ..golden.layout import Layout
from ..golden.memory import KINDS
from .places import below, holds
from .shapes import index
from .step import Kind


class Commander(wiring.Component):
    """Carries out one command after another while no sample is worked on.

    Behaviour: `hebbware.golden.access`. A write to where nothing is becomes a read, and is answered
    with 0.

    Latency: a command is taken when the core is free and settled; its response is offered
    ``program.COMMAND_RESPONSE`` clocks later for gains and registers, as much behind
    ``Stages.read_back`` for memories, and after the start program for ``START``.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step

    Members
    -------
    commands, responses : stream
    free, settled : In(1)
        No sample is being worked on; everything started is complete.
    yields : Out(1)
        No command is due: a sample may start.
    step : Out
        A step to put into the pipeline.
    ended, result : In
        The step is in the last stage; what it read or wrote follows a clock later.
    restart : Out(1)
        Walk the start program.
    finished, finished_learning : In(1)
        A sample is finished, and was learned.
    saturated : In(1)
        To be counted, at the latest in the clock in which a command may be taken; see `State`.
    extra : Out
        Halvings of every step.
    value : Out
        Data of the command: what is written.
    random : In, set_random : Out(1)
        The generator's word; it is to take `value`.
    asks_gain, set_gain : Out(1)
        `gain` is asked for; it is to take `value`.
    gain_place : Out, gain : In
        Which gain, ``layer * classes + row``, and what it is, two clocks later.
    """

    def __init__(self, config, step_layout):
        self.config, self.step_layout, self.layout = config, step_layout, Layout(config)
        super().__init__(
            {
                "commands": In(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
                "responses": Out(stream.Signature(signed(commands.DATA_BITS))),
                "free": In(1),
                "settled": In(1),
                "yields": Out(1),
                "step": Out(step_layout),
                "ended": In(1),
                "result": In(signed(commands.DATA_BITS)),
                "restart": Out(1),
                "finished": In(1),
                "finished_learning": In(1),
                "saturated": In(1),
                "extra": Out(index(config.step_extra + 1)),
                "value": Out(signed(commands.DATA_BITS)),
                "random": In(32),
                "set_random": Out(1),
                "asks_gain": Out(1),
                "gain_place": Out(index(len(config.hidden) * config.classes)),
                "gain": In(range(config.memory_bits)),
                "set_gain": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        command = Signal(self.commands.payload.shape())
        response = Signal(signed(commands.DATA_BITS))
        learned = Signal(commands.DATA_BITS)
        inferred = Signal(commands.DATA_BITS)
        saturated = Signal(commands.DATA_BITS)
        finished_as = Signal(2)  # counted a clock later: far from what tells it
        m.d.sync += finished_as.eq(
            Cat(self.finished & self.finished_learning, self.finished & ~self.finished_learning)
        )
        m.d.sync += [
            learned.eq(learned + finished_as[0]),
            inferred.eq(inferred + finished_as[1]),
            saturated.eq(saturated + self.saturated),
        ]
        acts = (command.op == Op.READ) | (command.op == Op.WRITE)
        writes, on_weights = command.op == Op.WRITE, command.space == Space.WEIGHT
        issue, ended = Signal(), Signal()
        there = Signal()  # what is meant exists,
        states = Signal(len(State))  # or which register
        takes_extra, took_gain = Signal(), Signal()
        m.d.comb += [
            self.value.eq(command.data),
            self.responses.payload.eq(response),
            self.gain_place.eq(command.address[: len(self.gain_place)]),
            self.step.eq(
                self.step_layout.pack(
                    valid=issue,
                    kind=Mux(on_weights, Kind.HOST_WEIGHT, Kind.HOST_MEMORY),
                    address=command.address,
                    lane=command.lane,
                    write=writes & there,
                )
            ),
        ]
        gain_there = self._gain_there(command)
        is_weight, is_memory = (
            holds(command.address, command.lane, lanes)
            for lanes in (self.layout.weight_lanes, self.layout.memory_lanes)
        )
        m.d.sync += [
            issue.eq(0),
            ended.eq(self.ended),
            self.restart.eq(0),
            self.set_gain.eq(0),
            self.set_random.eq(0),
            took_gain.eq(self.set_gain),
            there.eq(
                acts & Mux(on_weights, is_weight, Mux(command.space[1], gain_there, is_memory))
            ),
            states.eq(Mux(acts, Cat(command.address == state for state in State), 0)),
            takes_extra.eq(below(command.data, self.config.step_extra + 1)),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    self.yields.eq(~self.commands.valid),
                    self.commands.ready.eq(self.free & self.settled),
                ]
                m.d.sync += command.eq(self.commands.payload)
                with m.If(self.commands.valid & self.commands.ready):
                    m.d.sync += self.asks_gain.eq(self.commands.payload.space == Space.GAIN)
                    m.next = "EXECUTE"
            with m.State("EXECUTE"):
                m.next = "LOOK"
                with m.If(command.op == Op.START):
                    m.d.sync += self.restart.eq(1)
                    m.next = "RESTART"
                with m.Elif(on_weights | (command.space == Space.MEMORY)):
                    m.d.sync += issue.eq(1)
                    m.next = "WAIT"
                with m.Elif(command.space == Space.GAIN):
                    fits = below(command.data, self.config.memory_bits)
                    m.d.sync += self.set_gain.eq(writes & gain_there & fits)
                with m.Else():
                    random = command.address == State.RANDOM
                    m.d.sync += self.set_random.eq(writes & random & command.data.any())
            with m.State("LOOK"):
                m.next = "ANSWER"
                extra = (command.space == Space.STATE) & states[list(State).index(State.EXTRA)]
                with m.If(writes & extra & takes_extra):
                    m.d.sync += self.extra.eq(command.data)
            with m.State("ANSWER"):
                m.next = "RESPOND"
                with m.If(command.space == Space.GAIN):
                    # what was set in the clock before is not read yet
                    gain = Mux(took_gain, command.data, self.gain)
                    m.d.sync += response.eq(Mux(there, gain, 0))
                with m.Else():
                    registers = {
                        State.EXTRA: self.extra,
                        State.LEARNED: learned,
                        State.INFERRED: inferred,
                        State.RANDOM: self.random,
                        State.SATURATED: saturated,
                    }
                    m.d.sync += response.eq(0)
                    for number, state in enumerate(State):
                        with m.If(states[number]):
                            m.d.sync += response.eq(registers[state])
            with m.State("WAIT"):
                m.d.sync += response.eq(Mux(there, self.result, 0))
                with m.If(ended):
                    m.next = "RESPOND"
            with m.State("RESTART"):
                m.d.sync += [response.eq(0), self.extra.eq(0)]
                m.d.sync += [learned.eq(0), inferred.eq(0), saturated.eq(0)]
                m.next = "START"
            with m.State("START"):
                with m.If(self.free & self.settled):
                    m.next = "RESPOND"
            with m.State("RESPOND"):
                m.d.comb += self.responses.valid.eq(1)
                with m.If(self.responses.ready):
                    m.d.sync += self.asks_gain.eq(0)
                    m.next = "IDLE"
        return m

    def _gain_there(self, command):
        """Whether the address is that of a gain."""
        if not KINDS[self.config.memory].self_scaling:
            return Const(0)
        return below(command.address, len(self.config.hidden) * self.config.classes)
