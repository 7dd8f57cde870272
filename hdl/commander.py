"""The command side: reads and writes of every stored number, between samples."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden import commands
from ..golden.commands import Op, Space, State
from ..golden.layout import Layout
from ..golden.memory import KINDS
from .places import below, holds
from .shapes import index
from .step import Kind


class Request(NamedTuple):
    """The command being carried out, and its response."""

    command: Value
    response: Value
    issue: Value  # its step, in the next clock
    ended: Value  # its step is over
    there: Value  # it names something that exists,
    states: Value  # or one of these registers
    takes_extra: Value  # its data fits into the register of halvings
    took_gain: Value  # a gain was set in the clock before

    @property
    def writes(self):
        return self.command.op == Op.WRITE

    @property
    def acts(self):
        """Reads or writes."""
        return (self.command.op == Op.READ) | (self.command.op == Op.WRITE)

    @property
    def on_weights(self):
        return self.command.space == Space.WEIGHT


class Commander(wiring.Component):
    """Carries out one command after another while no sample is worked on.

    Behaviour: `hebbware.golden.access`. A write to an address that holds nothing has no
    effect; the response is 0.

    Latency: a command is taken when the core is free and settled; its response is offered
    ``program.COMMAND_RESPONSE`` clocks later for gains and registers, that long after
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
        No command waits: a sample may start.
    step : Out
        A step to put into the pipeline.
    ended, result : In
        The step is in the last stage; what it read or wrote follows a clock later.
    restart : Out(1)
        Walk the start program.
    finished, finished_learning : In(1)
        A sample is finished; it was learned.
    saturated : In(1)
        High to count a step that saturated a weight, at the latest in the clock in which a command
        may be taken; see `State`.
    extra : Out
        How many times each learning rate is halved.
    value : Out
        Data of the command: what is written.
    random : In, set_random : Out(1)
        The generator's word; high to overwrite it with `value`.
    asks_gain, set_gain : Out(1)
        High to read `gain`; high to overwrite it with `value`.
    gain_place : Out, gain : In
        Which gain, ``layer * classes + row``; its value, two clocks later.
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
        issue, ended = Signal(), Signal()
        there, states = Signal(name="there"), Signal(len(State), name="states")
        takes_extra, took_gain = Signal(), Signal()
        request = Request(command, response, issue, ended, there, states, takes_extra, took_gain)
        counters = self._counters(m)
        m.d.comb += [
            self.value.eq(command.data),
            self.responses.payload.eq(response),
            self.gain_place.eq(command.address[: len(self.gain_place)]),
            self.step.eq(
                self.step_layout.pack(
                    valid=issue,
                    kind=Mux(request.on_weights, Kind.HOST_WEIGHT, Kind.HOST_MEMORY),
                    address=command.address,
                    lane=command.lane,
                    write=request.writes & there,
                )
            ),
        ]
        gain_there = self._gain_there(command)
        self._checks(m, request, gain_there)
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
                self._execute(m, request, gain_there)
            with m.State("LOOK"):
                m.next = "ANSWER"
                of_extra = states[list(State).index(State.EXTRA)]
                extra = (command.space == Space.STATE) & of_extra
                with m.If(request.writes & extra & takes_extra):
                    m.d.sync += self.extra.eq(command.data)
            with m.State("ANSWER"):
                self._answer(m, request, counters)
            with m.State("WAIT"):
                m.d.sync += response.eq(Mux(there, self.result, 0))
                with m.If(ended):
                    m.next = "RESPOND"
            with m.State("RESTART"):
                m.d.sync += [response.eq(0), self.extra.eq(0)]
                m.d.sync += [counter.eq(0) for counter in counters.values()]
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

    def _counters(self, m):
        """Samples learned and inferred, and weights saturated, by the state that they are."""
        learned = Signal(commands.DATA_BITS)
        inferred = Signal(commands.DATA_BITS)
        saturated = Signal(commands.DATA_BITS)
        finished_as = Signal(2)  # counted a clock later, as its source is far away
        m.d.sync += finished_as.eq(
            Cat(self.finished & self.finished_learning, self.finished & ~self.finished_learning)
        )
        m.d.sync += [
            learned.eq(learned + finished_as[0]),
            inferred.eq(inferred + finished_as[1]),
            saturated.eq(saturated + self.saturated),
        ]
        return {State.LEARNED: learned, State.INFERRED: inferred, State.SATURATED: saturated}

    def _checks(self, m, request, gain_there):
        """Registers of what is known of the command, and start values of what it may do."""
        command = request.command
        is_weight, is_memory = (
            holds(command.address, command.lane, lanes)
            for lanes in (self.layout.weight_lanes, self.layout.memory_lanes)
        )
        in_memory = Mux(command.space[1], gain_there, is_memory)
        states = Cat(command.address == state for state in State)
        m.d.sync += [
            request.issue.eq(0),
            request.ended.eq(self.ended),
            self.restart.eq(0),
            self.set_gain.eq(0),
            self.set_random.eq(0),
            request.took_gain.eq(self.set_gain),
            request.there.eq(request.acts & Mux(request.on_weights, is_weight, in_memory)),
            request.states.eq(Mux(request.acts, states, 0)),
            request.takes_extra.eq(below(command.data, self.config.step_extra + 1)),
        ]

    def _execute(self, m, request, gain_there):
        """Start what the command asks for."""
        command = request.command
        m.next = "LOOK"
        with m.If(command.op == Op.START):
            m.d.sync += self.restart.eq(1)
            m.next = "RESTART"
        with m.Elif(request.on_weights | (command.space == Space.MEMORY)):
            m.d.sync += request.issue.eq(1)
            m.next = "WAIT"
        with m.Elif(command.space == Space.GAIN):
            fits = below(command.data, self.config.memory_bits)
            m.d.sync += self.set_gain.eq(request.writes & gain_there & fits)
        with m.Else():
            random = command.address == State.RANDOM
            m.d.sync += self.set_random.eq(request.writes & random & command.data.any())

    def _answer(self, m, request, counters):
        """Respond with a gain or a register."""
        command, response, took_gain = request.command, request.response, request.took_gain
        m.next = "RESPOND"
        with m.If(command.space == Space.GAIN):
            # what was set in the clock before is not read yet
            gain = Mux(took_gain, command.data, self.gain)
            m.d.sync += response.eq(Mux(request.there, gain, 0))
        with m.Else():
            registers = counters | {State.EXTRA: self.extra, State.RANDOM: self.random}
            m.d.sync += response.eq(0)
            for number, state in enumerate(State):
                with m.If(request.states[number]):
                    m.d.sync += response.eq(registers[state])

    def _gain_there(self, command):
        """Whether the address is that of a gain."""
        if not KINDS[self.config.memory].self_scaling:
            return Const(0)
        return below(command.address, len(self.config.hidden) * self.config.classes)
