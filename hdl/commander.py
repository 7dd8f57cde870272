"""The command side: reads and writes of every stored number, between samples."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden.program import commands
from ..golden.program.commands import Op, Space, State
from ..golden.program.layout import Layout
from .places import below, holds
from .shapes import index
from .walks.step import kinds_of


class Commander(wiring.Component):
    """Carries out one command after another while no sample is worked on.

    Behaviour: `hebbware.golden.timing.access`. A write to an address that holds nothing has no
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
                "extra": Out(index(config.update.halvings + 1)),
                "value": Out(signed(commands.DATA_BITS)),
                "random": In(32),
                "set_random": Out(1),
                "asks_gain": Out(1),
                "gain_place": Out(index(len(config.hidden) * config.classes)),
                "gain": In(range(config.stored.width)),
                "set_gain": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        command = Signal(self.commands.payload.shape())
        response = Signal(signed(commands.DATA_BITS))
        registers = self._registers(m)
        acts = (command.op == Op.READ) | (command.op == Op.WRITE)
        writes, on_weights = command.op == Op.WRITE, command.space == Space.WEIGHT
        issue, ended = Signal(), Signal()
        there = Signal()  # the command names something that exists,
        states = Signal(len(State))  # or one of these registers
        takes_extra, took_gain = Signal(), Signal()
        m.d.comb += [
            self.value.eq(command.data),
            self.responses.payload.eq(response),
            self.gain_place.eq(command.address[: len(self.gain_place)]),
            self.step.eq(
                self.step_layout.pack(
                    valid=issue,
                    kind=Mux(on_weights, *kinds_of(self.config).hosts),
                    address=command.address,
                    lane=command.lane,
                    write=writes & there,
                    **self._layer(command, on_weights),
                )
            ),
        ]
        gain_there = self._gain_there(command)
        m.d.sync += [
            issue.eq(0),
            ended.eq(self.ended),
            self.restart.eq(0),
            self.set_gain.eq(0),
            self.set_random.eq(0),
            took_gain.eq(self.set_gain),
            there.eq(acts & self._there(command, gain_there)),
            states.eq(Mux(acts, Cat(command.address == state for state in State), 0)),
            takes_extra.eq(below(command.data, self.config.update.halvings + 1)),
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
                self._execute(m, command, issue, gain_there)
            with m.State("LOOK"):
                m.next = "ANSWER"
                of_extra = states[list(State).index(State.EXTRA)]
                extra = (command.space == Space.STATE) & of_extra
                with m.If(writes & extra & takes_extra):
                    m.d.sync += self.extra.eq(command.data)
            with m.State("ANSWER"):
                m.next = "RESPOND"
                read = zip(states, (registers[state] for state in State), strict=True)
                self._answer(m, command, there, took_gain, read, response)
            with m.State("WAIT"):
                m.d.sync += response.eq(Mux(there, self.result, 0))
                with m.If(ended):
                    m.next = "RESPOND"
            with m.State("RESTART"):
                cleared = (State.EXTRA, State.LEARNED, State.INFERRED, State.SATURATED)
                m.d.sync += [response.eq(0), *(registers[state].eq(0) for state in cleared)]
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

    def _registers(self, m):
        """The registers that commands read, among them counters of samples and saturations."""
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
        return {
            State.EXTRA: self.extra,
            State.LEARNED: learned,
            State.INFERRED: inferred,
            State.RANDOM: self.random,
            State.SATURATED: saturated,
        }

    def _layer(self, command, on_weights):
        """The layer that an address belongs to, where lanes may hold copies of others."""
        layout, found = self.layout, []
        if layout.spans == 1:
            return {}
        for bases in (layout.weight_bases, layout.memory_bases):
            layer = Const(len(bases) - 2)
            for n in reversed(range(len(bases) - 2)):
                layer = Mux(below(command.address, bases[n + 1]), n, layer)
            found.append(layer)
        return {"layer": Mux(on_weights, *found)}

    def _there(self, command, gain_there):
        """Whether the command names a weight, a number of the class memory or a gain."""
        layout = self.layout
        known = layout.weight_lanes, layout.memory_lanes
        if layout.spans > 1:
            known = layout.weight_places, layout.memory_places
        is_weight, is_memory = (holds(command.address, command.lane, lanes) for lanes in known)
        in_memory = Mux(command.space[1], gain_there, is_memory)
        return Mux(command.space == Space.WEIGHT, is_weight, in_memory)

    def _execute(self, m, command, issue, gain_there):
        """Start what the command asks for."""
        writes = command.op == Op.WRITE
        m.next = "LOOK"
        with m.If(command.op == Op.START):
            m.d.sync += self.restart.eq(1)
            m.next = "RESTART"
        with m.Elif((command.space == Space.WEIGHT) | (command.space == Space.MEMORY)):
            m.d.sync += issue.eq(1)
            m.next = "WAIT"
        with m.Elif(command.space == Space.GAIN):
            fits = below(command.data, self.config.stored.width)
            m.d.sync += self.set_gain.eq(writes & gain_there & fits)
        with m.Else():
            random = command.address == State.RANDOM
            m.d.sync += self.set_random.eq(writes & random & command.data.any())

    def _answer(self, m, command, there, took_gain, registers, response):
        """Respond with a gain or with the register whose flag is set."""
        with m.If(command.space == Space.GAIN):
            # what was set in the clock before is not read yet
            gain = Mux(took_gain, command.data, self.gain)
            m.d.sync += response.eq(Mux(there, gain, 0))
        with m.Else():
            m.d.sync += response.eq(0)
            for flag, register in registers:
                with m.If(flag):
                    m.d.sync += response.eq(register)

    def _gain_there(self, command):
        """Whether the address is that of a gain."""
        if not self.config.memory.self_scaling:
            return Const(0)
        return below(command.address, len(self.config.hidden) * self.config.classes)
