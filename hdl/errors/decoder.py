"""The reservoir of one layer with its readout, and the memory of what was decoded last."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.layers.normalise import unit_thresholds
from ...golden.reservoir import memory as golden
from ..lanes.fixed import saturate, shift_round_by
from ..reservoir import Engine


class Decoder(wiring.Component):
    """The reservoir of one layer, its readout, and the memory E of what was decoded last.

    Latency: the step starts in the clock of `start`;
    `hebbware.golden.program.program.decoded_latencies` gives the clocks in which rows of E are
    written, `done` is high in the clock of the last write.

    Parameters
    ----------
    config : CoreConfig
    weights : int array (classes * d, R)
        W_o, raw: the contents of the readout's memory.

    Members
    -------
    put_q : In(1), q_row : In, q : In
        Writes a projected activation.
    put_error : In(1), error_row : In, error : In
        Writes a softmax error (read only where errors gate the input).
    start : In(1), label : In
        Take the sample whose q, errors and label are valid; they stay until `done`.
    address : In, word : Out
        E of a class and a place, ``class * d + place``, one clock later; 0 before the first sample.
    q_address : In, q_word : Out, error_address : In, error_word : Out
        The activation or error that was written, one clock later.
    done : Out(1)
    clear : In(1)
        Same state as after reset; only while nothing is under way.
    write_en, write_address, write_data : Out
        Writes of E.
    """

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.reservoir = golden.reservoir_config(config)
        places, rows = range(config.memory.projection), range(config.classes)
        words = range(config.memory.projection * config.classes)
        super().__init__(
            {
                "put_q": In(1),
                "q_row": In(places),
                "q": In(signed(config.z.width)),
                "put_error": In(1),
                "error_row": In(rows),
                "error": In(signed(config.e.width)),
                "start": In(1),
                "label": In(rows),
                "address": In(words),
                "word": Out(signed(config.read.width)),
                "q_address": In(places),
                "q_word": Out(signed(config.z.width)),
                "error_address": In(rows),
                "error_word": Out(signed(config.e.width)),
                "done": Out(1),
                "clear": In(1),
                "write_en": Out(1),
                "write_address": Out(words),
                "write_data": Out(signed(config.read.width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.engine = engine = Engine(self.reservoir, weights=self.weights)
        m.submodules.q_store = q_store = memory.Memory(
            shape=signed(cfg.z.width), depth=cfg.memory.projection, init=[]
        )
        m.submodules.error_store = error_store = memory.Memory(
            shape=signed(cfg.e.width), depth=cfg.classes, init=[]
        )
        self._put(m, q_store, self.put_q, self.q_row, self.q)
        self._put(m, error_store, self.put_error, self.error_row, self.error)
        q_read, error_read = q_store.read_port(), error_store.read_port()
        m.d.comb += [
            q_read.addr.eq(self.q_address),
            self.q_word.eq(q_read.data),
            error_read.addr.eq(self.error_address),
            self.error_word.eq(error_read.data),
        ]
        self._jobs(m, engine, q_store, error_store)
        self._scale(m, engine)
        return m

    def _put(self, m, store, put, row, value):
        write = store.write_port()
        m.d.comb += [write.en.eq(put), write.addr.eq(row), write.data.eq(value)]

    def _jobs(self, m, engine, q_store, error_store):
        """The step, then the readout; inputs in order of class and place, zeros as well."""
        cfg = self.config
        place_bits = cfg.memory.projection.bit_length() - 1
        reading, step_done = Signal(), Signal()
        label = Signal.like(self.label)
        m.d.sync += step_done.eq(engine.done & ~reading)
        with m.If(self.start):
            m.d.sync += [reading.eq(0), label.eq(self.label)]
        with m.If(step_done):
            m.d.sync += reading.eq(1)
        m.d.comb += [
            engine.start_step.eq(self.start),
            engine.start_readout.eq(step_done),
            engine.clear.eq(self.clear),
            engine.count.eq(golden.reservoir_inputs(cfg)),
        ]
        q_read = q_store.read_port()
        place = engine.input_address[:place_bits]
        m.d.comb += q_read.addr.eq(place)
        if cfg.memory.gating == "class":
            place_1 = Signal(place_bits)
            m.d.sync += place_1.eq(place)
            m.d.comb += [
                engine.input_index.eq(Cat(place_1, label)),
                engine.input_value.eq(q_read.data),
            ]
        else:
            error_read = error_store.read_port()
            number = Signal.like(engine.input_address)
            m.d.sync += number.eq(engine.input_address)
            m.d.comb += [
                error_read.addr.eq(engine.input_address >> place_bits),
                engine.input_index.eq(number),
                engine.input_value.eq(-(error_read.data * q_read.data)),
            ]

    def _scale(self, m, engine):
        """Rows of M as they are found, brought to unit scale, into the memory of E."""
        cfg = self.config
        d = cfg.memory.projection
        place_bits = d.bit_length() - 1
        value = engine.found_value
        place, row = engine.found_output[:place_bits], engine.found_output >> place_bits
        m.submodules.rows = rows = memory.Memory(
            shape=signed(cfg.stored.width), depth=2 * d, init=[]
        )
        keep, take = rows.write_port(), rows.read_port()
        size = Signal(range((d << (cfg.stored.width - 1)) + 1))
        ended, ended_row = Signal(), Signal(range(cfg.classes))
        m.d.comb += [
            keep.en.eq(engine.found),
            keep.addr.eq(Cat(place, row[0])),
            keep.data.eq(value),
        ]
        m.d.sync += ended.eq(engine.found & (place == d - 1))
        with m.If(engine.found):
            m.d.sync += [
                size.eq(Mux(place == 0, 0, size) + Mux(value < 0, -value, value)),
                ended_row.eq(row),
            ]
        gain, gain_late = Signal(range(cfg.stored.width)), Signal(range(cfg.stored.width))
        thresholds = unit_thresholds(d, cfg.stored.width)
        m.d.sync += gain_late.eq(gain)
        with m.If(ended):  # the next row's numbers come while this one's are still scaled
            m.d.sync += gain.eq(sum(size >= int(threshold) for threshold in thresholds))

        walking, walk_row, position = Signal(), Signal.like(ended_row), Signal(place_bits)
        with m.If(ended):
            m.d.sync += [walking.eq(1), position.eq(0), walk_row.eq(ended_row)]
        with m.Elif(walking):
            m.d.sync += [position.eq(position + 1), walking.eq(position != d - 1)]
        m.d.comb += take.addr.eq(Cat(position, walk_row[0]))
        words = [(walking, Cat(position, walk_row))]
        for n in range(2):
            valid, at = Signal(name=f"valid_{n}"), Signal(len(self.address), name=f"at_{n}")
            m.d.sync += [valid.eq(words[-1][0]), at.eq(words[-1][1])]
            words.append((valid, at))
        scaled = Signal(signed(cfg.stored.width + cfg.read.fraction + 1))
        m.d.comb += scaled.eq(shift_round_by(take.data, gain_late, -cfg.read.fraction))
        m.d.sync += self.write_data.eq(saturate(scaled, cfg.read))

        m.submodules.decoded = decoded = memory.Memory(
            shape=signed(cfg.read.width), depth=cfg.classes * d, init=[]
        )
        write, read = decoded.write_port(), decoded.read_port()
        fresh = Signal(init=1)
        m.d.comb += [
            self.write_en.eq(words[-1][0]),
            self.write_address.eq(words[-1][1]),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            read.addr.eq(self.address),
            self.word.eq(Mux(fresh, 0, read.data)),
            self.done.eq(self.write_en & (self.write_address == cfg.classes * d - 1)),
        ]
        with m.If(self.done):
            m.d.sync += fresh.eq(0)
        with m.If(self.clear):
            m.d.sync += fresh.eq(1)
