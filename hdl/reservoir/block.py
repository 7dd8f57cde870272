"""The reservoir on its own: inputs stream in, states or outputs stream out."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.traces import reservoir_traces
from ...golden.reservoir.machine import ADDRESS_BITS, DATA_BITS, OP_BITS, Op
from ..lanes.fixed import saturate
from ..shapes import index
from ..trace import event, show
from .engine import Engine
from .lane import has_readout


class CommandWord(data.StructLayout):
    """A word of the command stream."""

    def __init__(self):
        super().__init__({"op": OP_BITS, "address": ADDRESS_BITS, "data": signed(DATA_BITS)})


def result_width(config) -> int:
    """Bits of a word of results."""
    return config.output_bits if has_readout(config) else config.state_bits


def trace_signature(config):
    """The ports that show every write to a memory: `golden.program.traces.reservoir_traces`."""
    return wiring.Signature(
        {
            name: Out(event(index(trace.depth), trace.lanes * trace.width))
            for name, trace in reservoir_traces(config).items()
        }
    )


class ReservoirBlock(wiring.Component):
    """One step for each vector of inputs; `hebbware.golden.timing.reservoir` gives the clocks.

    Parameters
    ----------
    config : ReservoirConfig
    trace : bool
        Adds the ports that show every write to a memory.
    weights : int array (outputs, R), optional
        Raw readout weights that the block is built with, by default zeros.

    Members
    -------
    inputs : In(stream)
        For each step one word for each input, signed.
    targets : In(stream)
        While it learns, for each step one word for each output. Only with a readout.
    commands : In(stream)
        See `hebbware.golden.reservoir.machine`.
    results : Out(stream)
        For each step the states, or the outputs, signed.
    responses : Out(stream)
        One for each command.
    trace : Out(event)
        ``state``, ``weights``.
    """

    def __init__(self, config, *, trace=False, weights=None):
        self.config, self.traced, self.weights = config, trace, weights
        members = {"inputs": In(stream.Signature(signed(config.input_bits)))}
        if has_readout(config):
            members["targets"] = In(stream.Signature(signed(config.output_bits)))
        members |= {
            "commands": In(stream.Signature(CommandWord())),
            "results": Out(stream.Signature(signed(result_width(config)))),
            "responses": Out(stream.Signature(signed(DATA_BITS))),
        }
        if trace:
            members["trace"] = Out(trace_signature(config))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.engine = engine = Engine(cfg, weights=self.weights)
        readout = has_readout(cfg)
        position = Signal(index(cfg.inputs))
        shown = Signal(index(cfg.outputs if readout else cfg.units))
        looking, training = Signal(), Signal()
        taken = self.inputs.valid & self.inputs.ready
        moves = self.results.valid & self.results.ready
        last_shown = shown == (cfg.outputs if readout else cfg.units) - 1
        with m.If(taken):
            m.d.sync += position.eq(Mux(position == cfg.inputs - 1, 0, position + 1))
        with m.If(moves):
            m.d.sync += shown.eq(Mux(last_shown, 0, shown + 1))

        after_step = "READOUT" if readout else "OUT"
        with m.FSM():
            with m.State("LOAD"):
                commanded = self.commands.valid & (position == 0)
                m.d.comb += [
                    self.commands.ready.eq(position == 0),
                    self.inputs.ready.eq(~commanded),
                    engine.start_host.eq(commanded),
                ]
                with m.If(commanded):
                    m.next = "COMMAND"
                with m.Elif(self.inputs.valid & (position == cfg.inputs - 1)):
                    m.d.comb += engine.start_step.eq(1)
                    m.next = "STEP"
            with m.State("STEP"):
                with m.If(engine.done):
                    m.next = after_step
            with m.State("OUT"):  # the first word is looked up
                m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.results.valid.eq(1)
                with m.If(moves & last_shown):
                    m.next = "LOAD"
                    if readout:
                        with m.If(training):
                            m.next = "LOOK"
            if readout:
                with m.State("READOUT"):
                    m.d.comb += engine.start_readout.eq(1)
                    m.next = "READING"
                with m.State("READING"):
                    with m.If(engine.done):
                        m.next = "OUT"
                with m.State("LOOK"):  # the output that learns is looked up
                    m.d.comb += looking.eq(1)
                    m.next = "TARGET"
                with m.State("TARGET"):
                    m.d.comb += [looking.eq(1), self.targets.ready.eq(1)]
                    with m.If(self.targets.valid):
                        m.d.comb += engine.start_update.eq(1)
                        m.next = "LEARN"
                with m.State("LEARN"):
                    m.d.comb += looking.eq(1)
                    with m.If(engine.done):
                        m.next = "LOOK"
                        m.d.sync += shown.eq(Mux(last_shown, 0, shown + 1))
                        with m.If(last_shown):
                            m.next = "LOAD"
            with m.State("COMMAND"):
                with m.If(engine.done):
                    m.next = "RESPOND"
            with m.State("RESPOND"):
                m.d.comb += self.responses.valid.eq(1)
                with m.If(self.responses.ready):
                    m.next = "LOAD"
        self._inputs(m, engine, taken, position)
        self._commands(m, engine, training)
        if readout:
            self._outputs(m, engine, shown, moves & ~looking)
        else:
            self._states(m, engine, shown, moves)
        if self.traced:
            self._trace(m, engine)
        return m

    def _inputs(self, m, engine, taken, position):
        """List of the inputs that are not zero."""
        cfg = self.config
        entry = data.StructLayout({"index": index(cfg.inputs), "value": signed(cfg.input_bits)})
        m.submodules.entries = entries = memory.Memory(
            shape=entry, depth=max(cfg.inputs, 2), init=[]
        )
        write, read = entries.write_port(), entries.read_port()
        count = Signal.like(engine.count)
        before = Mux(position == 0, 0, count)
        m.d.comb += [
            write.en.eq(taken & (self.inputs.payload != 0)),
            write.addr.eq(before),
            write.data.index.eq(position),
            write.data.value.eq(self.inputs.payload),
            engine.count.eq(count),
            read.addr.eq(engine.input_address),
            engine.input_index.eq(read.data.index),
            engine.input_value.eq(read.data.value),
        ]
        with m.If(taken):
            m.d.sync += count.eq(before + write.en)

    def _commands(self, m, engine, training):
        """Commands; each is a job of the engine."""
        cfg = self.config
        word = self.commands.payload
        answer = Signal(signed(DATA_BITS))
        own = Signal()  # the answer is not a weight
        readout = has_readout(cfg)
        there = word.address < cfg.outputs * cfg.units if readout else Const(0)
        m.d.comb += self.responses.payload.eq(answer)
        with m.If(engine.start_host):
            m.d.sync += [own.eq(~there), answer.eq(0)]
            with m.Switch(word.op):
                with m.Case(Op.CLEAR):
                    m.d.comb += engine.clear.eq(1)
                    m.d.sync += own.eq(1)
                with m.Case(Op.TRAIN):
                    m.d.sync += own.eq(1)
                    if readout:
                        m.d.sync += [answer.eq(word.data[0]), training.eq(word.data[0])]
        if not readout:
            return
        unit_bits = (cfg.units - 1).bit_length()
        with m.If(engine.start_host):
            m.d.comb += engine.output.eq(word.address >> unit_bits)
        m.d.comb += [
            engine.host_write.eq((word.op == Op.WRITE) & there),
            engine.unit.eq(word.address[:unit_bits]),
            engine.host_data.eq(word.data[: cfg.weight_bits].as_signed()),
        ]
        with m.If(engine.done & ~own):
            m.d.sync += answer.eq(engine.host_value)

    def _states(self, m, engine, shown, moves):
        """Results are the states: a block is looked up while the lane before is shown."""
        cfg = self.config
        lane_bits = (cfg.lanes - 1).bit_length()
        ahead = Signal.like(shown)
        m.d.comb += [
            ahead.eq(shown + moves),
            engine.state_address.eq(ahead >> lane_bits),
        ]
        words = Array(
            engine.state.word_select(n, cfg.state_bits).as_signed() for n in range(cfg.lanes)
        )
        m.d.comb += self.results.payload.eq(words[shown[:lane_bits]] if lane_bits else words[0])

    def _outputs(self, m, engine, shown, moves):
        """Results are the outputs: kept until they are shown, and while they learn."""
        cfg = self.config
        m.submodules.outputs = outputs = memory.Memory(
            shape=signed(cfg.output_bits), depth=max(cfg.outputs, 2), init=[]
        )
        write, read = outputs.write_port(), outputs.read_port()
        ahead = Signal.like(shown)
        m.d.comb += [
            write.en.eq(engine.found),
            write.addr.eq(engine.found_output),
            write.data.eq(engine.found_value),
            ahead.eq(Mux(moves, Mux(shown == cfg.outputs - 1, 0, shown + 1), shown)),
            read.addr.eq(ahead),
            self.results.payload.eq(read.data),
            engine.error.eq(saturate(self.targets.payload - read.data, cfg.u)),
        ]
        with m.If(~engine.start_host):
            m.d.comb += engine.output.eq(shown)

    def _trace(self, m, engine):
        shown = {"state": self.trace.state}
        if has_readout(self.config):
            shown["weight"] = self.trace.weights
        for name, port in shown.items():
            written = (getattr(engine, f"{name}_write{part}") for part in ("", "_address", "_data"))
            m.d.comb += show(port, *written)
