"""The learning core: memories, lanes, statistics, softmax and sequencer put together."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden import commands, widths
from ..golden.init import init_scale
from ..golden.layout import Layout
from ..golden.memory import KINDS
from ..golden.modulator import similarity_shift
from ..golden.program import Kind as Pass
from ..golden.random import seed_state
from .commander import Commander
from .dense import Dense
from .fixed import saturate, shift_round
from .lane import vector_width
from .loader import Loader, sample_width
from .modulator import Gains, ReadScale, word_width
from .normalise import Normalise
from .random import Xorshift32
from .results import Results, result_width
from .sequencer import Sequencer
from .shapes import index
from .softmax import Softmax
from .step import MEMORY_UPDATES, RANDOM, UPDATES, Kind, Step, is_any


def event(address_shape, data_shape):
    """Signature of a trace port: one write per clock in which `en` is high."""
    return wiring.Signature({"en": Out(1), "address": Out(address_shape), "data": Out(data_shape)})


class Core(wiring.Component):
    """Learns from a stream of samples, one at a time, on chip.

    Behaviour: `hebbware.golden.Core`, bit for bit; clock for clock `hebbware.golden.schedule`.

    Parameters
    ----------
    config : CoreConfig
    trace : bool
        Adds the ``trace`` ports: every write to a memory, for co-simulation.

    Members
    -------
    samples : In(stream of unsigned)
        ``inputs`` pixels, then the label (no class: infer only), for each sample.
    results : Out(stream of signed)
        Class, then scores, for each sample.
    commands : In(stream of `hebbware.golden.commands` words)
    responses : Out(stream of signed(32))
        One for each command.
    trace.weights, trace.memory : Out(event)
        Writes of the weight and of the class memory: address and word of all lanes.
    trace.vectors : Out(event)
        Writes of activations a, z and directions d; address = kind * blocks + block.
    trace.errors : Out(event)
        Softmax errors; address = job * classes + class.
    """

    def __init__(self, config, *, trace=False):
        self.config, self.trace_ports = config, trace
        self.layout = layout = Layout(config)
        self.blocks = layout.vector_bases[-1]
        self.words = max(layout.weight_bases[-1], layout.memory_bases[-1], 2)
        self.step_layout = Step(config, blocks=self.blocks, words=self.words)
        members = {
            "samples": In(stream.Signature(unsigned(sample_width(config)))),
            "results": Out(stream.Signature(signed(result_width(config)))),
            "commands": In(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
            "responses": Out(stream.Signature(signed(commands.DATA_BITS))),
        }
        if trace:
            lanes = config.lanes
            members["trace"] = Out(
                wiring.Signature(
                    {
                        "weights": Out(event(range(self.words), lanes * config.weight_bits)),
                        "memory": Out(event(range(self.words), max(lanes * word_width(config), 1))),
                        "vectors": Out(event(range(3 * self.blocks), lanes * vector_width(config))),
                        "errors": Out(
                            event(
                                range((len(config.hidden) + 1) * config.classes),
                                signed(config.e.width),
                            )
                        ),
                    }
                )
            )
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        cfg, layout = self.config, self.layout
        hidden, lanes = len(cfg.hidden), cfg.lanes
        m.submodules.loader = loader = Loader(cfg)
        m.submodules.sequencer = sequencer = Sequencer(cfg, self.step_layout)
        m.submodules.dense = dense = Dense(cfg, self.step_layout)
        m.submodules.normalise = normalise = Normalise(cfg)
        m.submodules.softmax = softmax = Softmax(cfg)
        m.submodules.results = results = Results(cfg)
        m.submodules.commander = commander = Commander(cfg, self.step_layout)
        m.submodules.random = random = Xorshift32(seed_state(cfg.seed))
        wiring.connect(m, wiring.flipped(self.samples), loader.samples)
        wiring.connect(m, wiring.flipped(self.results), results.results)
        wiring.connect(m, wiring.flipped(self.commands), commander.commands)
        wiring.connect(m, wiring.flipped(self.responses), commander.responses)

        # one sample: go when nothing else is due, release its bank when all is issued
        working = Signal()
        go = Signal()
        finish = Signal()
        m.d.comb += [
            commander.free.eq(sequencer.idle & ~working),
            commander.settled.eq(sequencer.settled),
            go.eq(commander.free & commander.yields & loader.full),
            finish.eq(working & sequencer.idle),
            sequencer.go.eq(go),
            sequencer.learn.eq(loader.has_label),
            sequencer.restart.eq(commander.restart),
            sequencer.count.eq(loader.count),
            sequencer.label.eq(loader.label),
            loader.release.eq(finish),
            softmax.label.eq(loader.label),
            commander.finished.eq(finish),
            commander.finished_learning.eq(loader.has_label),
        ]
        with m.If(go):
            m.d.sync += working.eq(1)
        with m.If(finish):
            m.d.sync += working.eq(0)

        # stage 0: a step is issued, or put in by the commander
        step_0 = Signal(self.step_layout)
        m.d.comb += step_0.eq(
            Mux(commander.step.valid, commander.step.as_value(), sequencer.step.as_value())
        )
        on_memory = is_any(step_0.kind, MEMORY_UPDATES)
        with m.If(sequencer.step.valid & on_memory):
            m.d.comb += step_0.address.eq(sequencer.memory_address)
        memory_address_0 = Mux(
            commander.step.valid, commander.step.address, sequencer.memory_address
        )
        bases = Array([*layout.vector_bases[:-1], layout.vector_bases[-2]])
        place_0 = bases[step_0.layer] + step_0.block
        z_now, z_old = self._window(
            m, sequencer, loader, finish & loader.has_label, commander.restart
        )
        from_below = (step_0.kind == Kind.FORWARD) | (step_0.kind == Kind.UPDATE)
        m.d.comb += loader.address.eq(sequencer.list_address)

        # memories
        z_word = data.StructLayout({"z": lanes * cfg.z_bits, "active": lanes})
        slots = cfg.window + 1 if KINDS[cfg.memory].windowed else 1
        m.submodules.z_memory = z_memory = memory.Memory(
            shape=z_word, depth=max(slots * self.blocks, 2), init=[]
        )
        m.submodules.a_memory = a_memory = memory.Memory(
            shape=lanes * cfg.u_bits, depth=max(self.blocks, 2), init=[]
        )
        m.submodules.d_memory = d_memory = memory.Memory(
            shape=lanes * cfg.d_bits, depth=max(self.blocks, 2), init=[]
        )
        m.submodules.weights = weights = memory.Memory(
            shape=lanes * cfg.weight_bits, depth=layout.weight_bases[-1], init=[]
        )
        z_read, a_read, d_read, w_read = (
            mem.read_port() for mem in (z_memory, a_memory, d_memory, weights)
        )
        m.d.comb += z_read.addr.eq(
            Mux(sequencer.old, z_old, z_now) + Mux(from_below, sequencer.source_block, place_0)
        )

        # stage 1: the list names the row; weights, class memory and vectors are addressed
        step_1 = Signal(self.step_layout)
        place_1 = Signal(index(self.blocks))
        memory_address_1 = Signal(range(self.words))
        lane_1 = Signal.like(sequencer.source_lane)
        m.d.sync += [
            step_1.eq(step_0),
            place_1.eq(place_0),
            memory_address_1.eq(memory_address_0),
            lane_1.eq(sequencer.source_lane),
        ]
        first_layer = (step_1.layer == 0) & (
            (step_1.kind == Kind.FORWARD) | (step_1.kind == Kind.UPDATE)
        )
        row_1 = Mux(first_layer, Mux(step_1.bias, cfg.inputs, loader.index), 0)
        address_1 = Signal(range(self.words))
        m.d.comb += [
            address_1.eq(step_1.address + row_1),
            w_read.addr.eq(address_1),
            a_read.addr.eq(place_1),
            d_read.addr.eq(place_1),
            softmax.query_job.eq(step_1.layer),
            softmax.query_row.eq(step_1.row),
        ]

        # stage 2: operands are there
        step_2 = Signal(self.step_layout)
        m.d.sync += [step_2.eq(step_1), step_2.address.eq(address_1)]
        value_2 = Signal(unsigned(cfg.x_bits))
        own_2 = Signal(signed(cfg.z_bits))
        error_2 = Signal(signed(cfg.e.width))
        z_2 = Signal(z_word)
        m.d.sync += [
            value_2.eq(loader.value),
            own_2.eq(z_read.data.z.word_select(lane_1, cfg.z_bits)),
            z_2.eq(z_read.data),
            error_2.eq(softmax.error),
        ]
        m.d.sync += random.step.eq(step_0.valid & is_any(step_0.kind, RANDOM))
        m.d.comb += [
            random.set.eq(commander.set_random | commander.restart),
            random.value.eq(Mux(commander.restart, seed_state(cfg.seed), commander.value)),
            commander.random.eq(random.word),
            dense.step.eq(step_2),
            dense.scalar.eq(
                self._scalar(
                    m, step_2, value_2, own_2, error_2, softmax, normalise, commander.extra
                )
            ),
            dense.weights.eq(w_read.data),
            dense.z.eq(z_2.z),
            dense.active.eq(z_2.active),
            dense.a.eq(a_read.data),
            dense.d.eq(d_read.data),
            dense.mean.eq(normalise.mean),
            dense.random.eq(random.word),
            dense.host_data.eq(commander.value),
            dense.exponent.eq(normalise.exponent),
            dense.power.eq(self._power(m, normalise, dense)),
        ]

        # stage 6: words are written
        out = dense.out
        w_write, z_write, a_write, d_write = (
            mem.write_port() for mem in (weights, z_memory, a_memory, d_memory)
        )
        host_reads = is_any(out.kind, (Kind.HOST_WEIGHT, Kind.HOST_MEMORY)) & ~out.write
        place_6 = Signal(index(self.blocks))
        m.d.comb += [
            place_6.eq(bases[out.layer] + out.block),
            w_write.en.eq(out.valid & is_any(out.kind, UPDATES) & ~host_reads),
            w_write.addr.eq(out.address),
            w_write.data.eq(dense.weights_out),
            a_write.en.eq(out.valid & out.sum_last & (out.kind == Kind.FORWARD)),
            a_write.addr.eq(place_6),
            a_write.data.eq(self._lanes(dense.vector_out, cfg.u_bits)),
            z_write.en.eq(out.valid & (out.kind == Kind.NORMALISE)),
            z_write.addr.eq(z_now + place_6),
            z_write.data.z.eq(self._lanes(dense.vector_out, cfg.z_bits)),
            z_write.data.active.eq(dense.active_out),
            d_write.en.eq(out.valid & out.sum_last & (out.kind == Kind.DIRECTION)),
            d_write.addr.eq(place_6),
            d_write.data.eq(self._lanes(dense.vector_out, cfg.d_bits)),
        ]
        word_out = self._class_memory(
            m, dense, softmax, commander, step_1, memory_address_1, out.valid & ~host_reads
        )
        m.d.comb += [
            commander.ended.eq(out.valid & is_any(out.kind, (Kind.HOST_WEIGHT, Kind.HOST_MEMORY))),
            commander.result.eq(
                Mux(
                    out.kind == Kind.HOST_WEIGHT,
                    dense.weights_out.word_select(out.lane, cfg.weight_bits).as_signed(),
                    word_out.word_select(out.lane, max(word_width(cfg), 1)).as_signed(),
                )
            ),
        ]

        # totals go to the statistics, the softmax and the results
        done_step = dense.total_step
        m.d.comb += [
            normalise.total.eq(dense.total),
            normalise.layer.eq(done_step.layer),
            normalise.sum.eq(done_step.valid & done_step.sum_last & (done_step.kind == Kind.SUM)),
            normalise.squares.eq(
                done_step.valid & done_step.sum_last & (done_step.kind == Kind.SQUARES)
            ),
        ]
        self._arrivals(m, dense, softmax, results)
        finished = {f"error{job}": softmax.done[job] for job in range(hidden + 1)} | {
            "results": results.done
        }
        for p in sequencer.program:
            if p.kind is Pass.SQUARES:
                finished[p.name] = normalise.done
            elif p.kind is Pass.MEMORY and KINDS[cfg.memory].self_scaling:
                finished[p.name] = self._total_ends(dense, Kind.MEMORY, p.layer)
            else:
                finished[p.name] = (
                    out.valid & out.end & (out.kind == Kind[p.kind.name]) & (out.layer == p.layer)
                )
        m.d.comb += [
            sequencer.done.eq(Cat(finished[name] for name in sequencer.flags)),
            sequencer.counts.eq(softmax.counts),
            softmax.list_job.eq(sequencer.kept_job),
            softmax.list_entry.eq(sequencer.kept_entry),
            sequencer.kept_row.eq(softmax.list_row),
        ]
        if self.trace_ports:
            self._trace(m, w_write, a_write, z_write, d_write, dense, softmax, place_6)
        return m

    # -- parts of elaborate -----------------------------------------------------------------------

    def _lanes(self, words, width):
        """The low `width` bits of each lane of a vector."""
        step = vector_width(self.config)
        return Cat(words.word_select(lane, step)[:width] for lane in range(self.config.lanes))

    def _window(self, m, sequencer, loader, learned, restart):
        """Base addresses of the current and of the oldest activations; labels of the window."""
        if not KINDS[self.config.memory].windowed:
            return Const(0), Const(0)
        slots = self.config.window + 1
        m.submodules.labels = labels = memory.Memory(
            shape=range(self.config.classes), depth=slots, init=[]
        )
        put, get = labels.write_port(), labels.read_port(domain="comb")
        slot = Signal(range(slots))
        following = Signal(range(slots))
        held = Signal(range(slots))
        base, next_base = (
            Signal(range(slots * self.blocks), name=name) for name in ("slot_base", "next_base")
        )
        last = slot == slots - 1
        m.d.comb += [
            following.eq(Mux(last, 0, slot + 1)),
            next_base.eq(Mux(last, 0, base + self.blocks)),
            put.en.eq(learned),
            put.addr.eq(slot),
            put.data.eq(loader.label),
            get.addr.eq(following),
            sequencer.oldest.eq(get.data),
            sequencer.has_oldest.eq(held == self.config.window),
        ]
        with m.If(learned):
            m.d.sync += [slot.eq(following), base.eq(next_base)]
            with m.If(held != self.config.window):
                m.d.sync += held.eq(held + 1)
        with m.If(restart):
            m.d.sync += held.eq(0)
        return base, next_base

    def _scalar(self, m, step, value, own, error, softmax, normalise, extra):
        """The operand that all lanes share (stage 2)."""
        cfg, hidden = self.config, len(self.config.hidden)
        scales, memory_kind = widths.prescales(cfg), KINDS[cfg.memory]
        scalar = Signal(signed(widths.operand_b(cfg)))
        pre = Signal(signed(max(cfg.x_bits + 2, cfg.z_bits, cfg.z_fraction + 2)))
        ones = Array(Const(cfg.source(layer).one, len(pre)) for layer in range(hidden + 1))
        m.d.comb += pre.eq(Mux(step.bias, ones[step.layer], Mux(step.layer == 0, value, own)))
        with m.Switch(step.kind):
            with m.Case(Kind.FORWARD):
                m.d.comb += scalar.eq(pre)
            with m.Case(Kind.UPDATE):
                m.d.comb += scalar.eq(
                    Array(pre << scale for scale in scales[:-1])[step.layer] >> extra
                )
            with m.Case(Kind.READOUT):
                m.d.comb += scalar.eq((error << scales[-1]) >> extra)
            with m.Case(Kind.SUM):
                m.d.comb += scalar.eq(1)
            with m.Case(Kind.NORMALISE):
                m.d.comb += scalar.eq(normalise.mantissa)
            with m.Case(Kind.DIRECTION):
                align = cfg.read_fraction - cfg.z_fraction
                jacobian = softmax.jacobians.word_select(step.layer, cfg.k.width).as_signed()
                m.d.comb += scalar.eq(Mux(step.jacobian, -(jacobian << align), error))
            with m.Case(Kind.FORGET):
                m.d.comb += scalar.eq(1 << memory_kind.scale(cfg))
            with m.Case(Kind.MEMORY):
                scale = memory_kind.scale(cfg)
                m.d.comb += scalar.eq(error << scale if memory_kind.by_error else -1 << scale)
            with m.Case(Kind.START_WEIGHTS):
                start = Array(
                    Const(-init_scale(cfg, layer), len(scalar)) for layer in range(hidden + 1)
                )
                m.d.comb += scalar.eq(Mux(step.bias, 0, start[step.layer]))
        return scalar

    def _power(self, m, normalise, dense):
        """Power of the layer whose direction is being rounded: kept from its own statistics."""
        powers = Array(
            Signal.like(normalise.power, name=f"power_{layer}")
            for layer in range(len(self.config.hidden))
        )
        layer = Signal(index(len(self.config.hidden)))
        with m.If(dense.total_step.valid & (dense.total_step.kind == Kind.SQUARES)):
            m.d.sync += layer.eq(dense.total_step.layer)
        settled = Signal()  # the statistics are there
        m.d.sync += settled.eq(normalise.done)
        with m.If(settled):
            m.d.sync += powers[layer].eq(normalise.power)
        layers = [dense.step.layer]
        for n in range(3, 6):  # to stage 5
            register = Signal.like(dense.step.layer, name=f"layer_{n}")
            m.d.sync += register.eq(layers[-1])
            layers.append(register)
        return powers[layers[-1]]

    def _total_ends(self, dense, kind, layer):
        """The total of the last step of the pass is there."""
        step = dense.total_step
        return step.valid & step.end & (step.kind == kind) & (step.layer == layer)

    def _class_memory(self, m, dense, softmax, commander, step_1, address_1, writes):
        """The class memory with its read scaling; returns the word being written."""
        cfg = self.config
        width = word_width(cfg)
        if not width:
            return Const(0, 1)
        m.submodules.memory = store = memory.Memory(
            shape=cfg.lanes * width, depth=self.layout.memory_bases[-1], init=[]
        )
        read, write = store.read_port(), store.write_port()
        m.submodules.read_scale = scale = ReadScale(cfg)
        out, total = dense.out, dense.total_step
        m.d.comb += [
            read.addr.eq(address_1),
            dense.memory.eq(read.data),
            scale.word.eq(read.data),
            dense.read.eq(scale.read),
            write.en.eq(writes & is_any(out.kind, MEMORY_UPDATES)),
            write.addr.eq(out.address),
            write.data.eq(dense.memory_out),
        ]
        self._memory_write = write
        if KINDS[cfg.memory].self_scaling:
            m.submodules.gains = gains = Gains(cfg)
            gain_2 = Signal.like(gains.gain)
            asks = commander.asks_gain
            m.d.sync += gain_2.eq(gains.gain)
            m.d.comb += [
                gains.found.eq(total.valid & total.sum_last & (total.kind == Kind.MEMORY)),
                gains.total.eq(dense.total),
                gains.layer.eq(total.layer),
                gains.row.eq(total.row),
                gains.query_layer.eq(Mux(asks, commander.gain_layer, step_1.layer)),
                gains.query_row.eq(Mux(asks, commander.gain_row, step_1.row)),
                gains.set.eq(commander.set_gain),
                gains.value.eq(commander.value),
                gains.clear.eq(commander.restart),
                commander.gain.eq(gains.gain),
                scale.gain.eq(gain_2),
            ]
        return write.data

    def _arrivals(self, m, dense, softmax, results):
        """Totals of dot products, scaled and rounded, into the softmax and the result buffer."""
        cfg = self.config
        step, hidden = dense.total_step, len(cfg.hidden)
        constants = [similarity_shift(cfg, units) for units in cfg.hidden]
        factors = Array(Const(factor, unsigned(17)) for factor, _ in constants)
        similar = step.kind == Kind.SIMILARITY
        wanted = step.valid & step.sum_last & (similar | (step.kind == Kind.SCORES))
        # 1: times 1/m (similarities); 2: rounded, saturated
        product = Signal(signed(widths.total(cfg) + 18))
        first = Signal(self.step_layout)
        second = Signal(self.step_layout)
        is_first = Signal()
        is_second = Signal()
        m.d.sync += [
            product.eq(dense.total * Mux(similar, factors[step.layer], 1)),
            first.eq(step),
            is_first.eq(wanted),
            second.eq(first),
            is_second.eq(is_first),
        ]
        similarity = Array(saturate(shift_round(product, shift), cfg.k) for _, shift in constants)[
            first.layer
        ]
        score = saturate(
            shift_round(product, cfg.z_fraction + cfg.weight.fraction - cfg.u_fraction), cfg.u
        )
        value = Signal(signed(max(cfg.k.width, cfg.u_bits)))
        m.d.sync += value.eq(
            Mux(first.kind == Kind.SIMILARITY, similarity.as_signed(), score.as_signed())
        )
        m.d.comb += [
            softmax.arrive.eq(is_second),
            softmax.job.eq(second.layer),
            softmax.row.eq(second.row),
            softmax.last.eq(second.end),
            softmax.learn.eq(second.learn),
            softmax.value.eq(value),
            results.arrive.eq(is_second & (second.layer == hidden)),
            results.row.eq(second.row),
            results.last.eq(second.end),
            results.value.eq(value),
        ]

    def _trace(self, m, w_write, a_write, z_write, d_write, dense, softmax, place):
        trace, blocks = self.trace, self.blocks
        m.d.comb += [
            trace.weights.en.eq(w_write.en),
            trace.weights.address.eq(w_write.addr),
            trace.weights.data.eq(w_write.data),
            trace.vectors.en.eq(a_write.en | z_write.en | d_write.en),
            trace.vectors.address.eq(
                place + Mux(z_write.en, blocks, Mux(d_write.en, 2 * blocks, 0))
            ),
            trace.vectors.data.eq(dense.vector_out),
            trace.errors.en.eq(softmax.trace_en),
            trace.errors.address.eq(softmax.trace_job * self.config.classes + softmax.trace_row),
            trace.errors.data.eq(softmax.trace_error),
        ]
        if word_width(self.config):
            write = self._memory_write
            m.d.comb += [
                trace.memory.en.eq(write.en),
                trace.memory.address.eq(write.addr),
                trace.memory.data.eq(write.data),
            ]
