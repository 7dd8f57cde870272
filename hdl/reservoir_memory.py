"""The reservoir as working memory: `hebbware.golden.reservoir_memory` beside the lanes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden import reservoir_memory as golden
from ..golden.normalise import unit_thresholds
from .fixed import saturate, shift_round, shift_round_by
from .reservoir import Engine
from .shapes import index


class Decoder(wiring.Component):
    """The reservoir of one layer, its readout, and the memory E of what was decoded last.

    Latency: the step starts in the clock of `start`; `hebbware.golden.program.decoded_latencies`
    tells when each row of E is written, `done` is high in the clock of the last write.

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
        Writes a softmax error (only looked at where they gate the input).
    start : In(1), label : In
        Take in the sample whose q, errors and label are there; they stay until `done`.
    address : In, word : Out
        E of a class and a place, ``class * d + place``, one clock later; 0 before the first sample.
    q_address : In, q_word : Out, error_address : In, error_word : Out
        What was put, one clock later.
    done : Out(1)
    clear : In(1)
        All as after reset, while nothing is under way.
    write_en, write_address, write_data : Out
        Writes of E.
    """

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.reservoir = golden.reservoir_config(config)
        places, rows = range(config.projection), range(config.classes)
        words = range(config.projection * config.classes)
        super().__init__(
            {
                "put_q": In(1),
                "q_row": In(places),
                "q": In(signed(config.z_bits)),
                "put_error": In(1),
                "error_row": In(rows),
                "error": In(signed(config.e.width)),
                "start": In(1),
                "label": In(rows),
                "address": In(words),
                "word": Out(signed(config.read_bits)),
                "q_address": In(places),
                "q_word": Out(signed(config.z_bits)),
                "error_address": In(rows),
                "error_word": Out(signed(config.e.width)),
                "done": Out(1),
                "clear": In(1),
                "write_en": Out(1),
                "write_address": Out(words),
                "write_data": Out(signed(config.read_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.engine = engine = Engine(self.reservoir, weights=self.weights)
        m.submodules.q_store = q_store = memory.Memory(
            shape=signed(cfg.z_bits), depth=cfg.projection, init=[]
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
        place_bits = cfg.projection.bit_length() - 1
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
        if cfg.gating == "class":
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
        d = cfg.projection
        place_bits = d.bit_length() - 1
        value = engine.found_value
        place, row = engine.found_output[:place_bits], engine.found_output >> place_bits
        m.submodules.rows = rows = memory.Memory(
            shape=signed(cfg.memory_bits), depth=2 * d, init=[]
        )
        keep, take = rows.write_port(), rows.read_port()
        size = Signal(range((d << (cfg.memory_bits - 1)) + 1))
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
        gain, gain_late = Signal(range(cfg.memory_bits)), Signal(range(cfg.memory_bits))
        thresholds = unit_thresholds(d, cfg.memory_bits)
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
        scaled = Signal(signed(cfg.memory_bits + cfg.read_fraction + 1))
        m.d.comb += scaled.eq(shift_round_by(take.data, gain_late, -cfg.read_fraction))
        m.d.sync += self.write_data.eq(saturate(scaled, cfg.read))

        m.submodules.decoded = decoded = memory.Memory(
            shape=signed(cfg.read_bits), depth=cfg.classes * d, init=[]
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


class ReservoirMemory(wiring.Component):
    """The reservoirs of all layers, and the products of what they remember.

    The lanes project activations and project v back; what is in between happens here, with one
    multiplier for all layers: similarities k as soon as the last projected number has arrived,
    v as soon as the errors are there, then the reservoir of the layer takes its step, beside
    whatever the lanes do. Latencies: `similarity_latency`, `pull_latency` and `reservoir_latency`
    of `hebbware.golden.program`. The program keeps the products of two layers apart.

    Parameters
    ----------
    config : CoreConfig
    weights : int array (classes * d, R)
        W_o of all layers, raw.

    Members
    -------
    arrive : In(1), layer, row, last, q : In
        Projected number `row` of `layer` is here; `last` with the last one.
    similar : Out(1), similar_layer, similar_row, similar_last, similarity : Out
        A similarity is here.
    put_error : In(1), error_layer, error_row, error : In
        A softmax error of a hidden layer is being kept.
    errors_done : In, one bit for each hidden layer
        Its errors are complete in the next clock.
    label : In
        Class of the sample; looked at when a reservoir starts.
    weighted : In, jacobians : Out
        ``sum_c e_c k_c`` of each layer, and J, one clock later.
    query : In, pull : Out
        v_j of the layer whose errors came last, one clock later.
    pull_done, decoded_done : Out, one bit for each hidden layer
        v, or E, is complete in the next clock.
    clear : In(1)
        All as after reset, while nothing is under way.
    write_en, write_address, write_data : Out, beside each other for all layers
        Writes of E, for the trace.
    """

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        hidden = len(config.hidden)
        layers, places, rows = index(hidden), range(config.projection), range(config.classes)
        self.word_bits = (config.classes * config.projection - 1).bit_length()
        super().__init__(
            {
                "arrive": In(1),
                "layer": In(layers),
                "row": In(places),
                "last": In(1),
                "q": In(signed(config.z_bits)),
                "similar": Out(1),
                "similar_layer": Out(layers),
                "similar_row": Out(rows),
                "similar_last": Out(1),
                "similarity": Out(signed(config.k.width)),
                "put_error": In(1),
                "error_layer": In(layers),
                "error_row": In(rows),
                "error": In(signed(config.e.width)),
                "errors_done": In(hidden),
                "label": In(rows),
                "weighted": In(hidden * config.k.width),
                "jacobians": Out(hidden * config.k.width),
                "query": In(places),
                "pull": Out(signed(config.k.width)),
                "pull_done": Out(hidden),
                "decoded_done": Out(hidden),
                "clear": In(1),
                "write_en": Out(hidden),
                "write_address": Out(hidden * self.word_bits),
                "write_data": Out(hidden * config.read_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        hidden = len(cfg.hidden)
        decoders = [Decoder(cfg, self.weights) for _ in range(hidden)]
        for layer, decoder in enumerate(decoders):
            m.submodules[f"decoder_{layer}"] = decoder
            m.d.comb += [
                decoder.put_q.eq(self.arrive & (self.layer == layer)),
                decoder.q_row.eq(self.row),
                decoder.q.eq(self.q),
                decoder.put_error.eq(self.put_error & (self.error_layer == layer)),
                decoder.error_row.eq(self.error_row),
                decoder.error.eq(self.error),
                decoder.start.eq(self.pull_done[layer]),
                decoder.label.eq(self.label),
                decoder.clear.eq(self.clear),
                self.decoded_done[layer].eq(decoder.done),
                self.write_en[layer].eq(decoder.write_en),
                self.write_address.word_select(layer, self.word_bits).eq(decoder.write_address),
                self.write_data.word_select(layer, cfg.read_bits).eq(decoder.write_data),
            ]
        self._products(m, decoders)
        self._jacobians(m)
        return m

    def _products(self, m, decoders):
        """Walks E: class after class for the similarities, place after place for v."""
        cfg = self.config
        d, classes, hidden = cfg.projection, cfg.classes, len(decoders)
        place_bits = d.bit_length() - 1
        busy, pulling, layer = Signal(), Signal(), Signal.like(self.layer)
        row, place = Signal(range(classes)), Signal(place_bits)
        row_ends, place_ends = row == classes - 1, place == d - 1
        with m.If(busy):
            with m.If(pulling):
                m.d.sync += [row.eq(Mux(row_ends, 0, row + 1)), place.eq(place + row_ends)]
            with m.Else():
                m.d.sync += place.eq(place + 1)
                with m.If(place_ends):
                    m.d.sync += row.eq(Mux(row_ends, 0, row + 1))
            with m.If(row_ends & place_ends):
                m.d.sync += busy.eq(0)
        with m.If(self.arrive & self.last):
            m.d.sync += [busy.eq(1), pulling.eq(0), layer.eq(self.layer)]
        for number in range(hidden):
            with m.If(self.errors_done[number]):
                m.d.sync += [busy.eq(1), pulling.eq(1), layer.eq(number)]
        for decoder in decoders:
            m.d.comb += [
                decoder.address.eq(Cat(place, row)),
                decoder.q_address.eq(place),
                decoder.error_address.eq(row),
            ]

        # 1: operands, 2: product, 3: sum, 4: rounded
        tag = Cat(
            busy,
            pulling,
            Mux(pulling, row == 0, place == 0),
            Mux(pulling, row_ends, place_ends),
            row_ends & place_ends,
            layer,
            row,
            place,
        )
        tags = [tag]
        for stage in range(1, 5):
            register = Signal(len(tag), name=f"tag_{stage}")
            m.d.sync += register.eq(tags[-1])
            tags.append(register)

        def fields(stage):
            value, at = tags[stage], 0
            for width in (1, 1, 1, 1, 1, len(layer), len(row), len(place)):
                yield value[at : at + width]
                at += width

        _, pulls_1, _, _, _, layer_1, _, _ = fields(1)
        words, qs, errors = (
            Array(getattr(decoder, name) for decoder in decoders)
            for name in ("word", "q_word", "error_word")
        )
        read = Signal(signed(cfg.read_bits))
        other = Signal(signed(max(cfg.z_bits, cfg.e.width)))
        product = Signal(signed(len(read) + len(other)))
        bits = max((d - 1).bit_length(), (classes - 1).bit_length())
        total = Signal(signed(len(product) + bits))
        m.d.comb += [
            read.eq(words[layer_1]),
            other.eq(Mux(pulls_1, errors[layer_1], qs[layer_1])),
        ]
        _, _, first_2, _, _, _, _, _ = fields(2)
        m.d.sync += [
            product.eq(read * other),
            total.eq(Mux(first_2, 0, total) + product),
        ]
        _, pulls_3, _, _, _, _, _, _ = fields(3)
        kept = Signal(signed(cfg.k.width))
        similar, pull = (
            saturate(shift_round(total, shift), cfg.k)
            for shift in (
                golden.similarity_shift(cfg),
                cfg.read_fraction + golden.up_shift(cfg),
            )
        )
        m.d.sync += kept.eq(Mux(pulls_3, pull.as_signed(), similar.as_signed()))
        valid, pulls, _, ends, end, layer_4, row_4, place_4 = fields(4)
        m.d.comb += [
            self.similar.eq(valid & ends & ~pulls),
            self.similar_layer.eq(layer_4),
            self.similar_row.eq(row_4),
            self.similar_last.eq(end),
            self.similarity.eq(kept),
            self.pull_done.eq(Mux(valid & pulls & end, 1 << layer_4, 0)),
        ]
        m.submodules.pulls = store = memory.Memory(shape=signed(cfg.k.width), depth=d, init=[])
        write, ask = store.write_port(), store.read_port()
        m.d.comb += [
            write.en.eq(valid & ends & pulls),
            write.addr.eq(place_4),
            write.data.eq(kept),
            ask.addr.eq(self.query),
            self.pull.eq(ask.data),
        ]

    def _jacobians(self, m):
        """J of each layer: a constant times the errors' sum with the similarities."""
        cfg = self.config
        for layer, units in enumerate(cfg.hidden):
            factor, shift = golden.jacobian_factor(cfg, units)
            weighted = self.weighted.word_select(layer, cfg.k.width).as_signed()
            product = Signal(signed(cfg.k.width + 18), name=f"jacobian_{layer}")
            m.d.comb += product.eq(weighted * Const(factor, unsigned(17)))
            rounded = Signal(signed(len(product) + max(-shift, 0) + 1), name=f"rounded_{layer}")
            m.d.comb += rounded.eq(shift_round(product, shift))
            m.d.sync += self.jacobians.word_select(layer, cfg.k.width).eq(saturate(rounded, cfg.k))
