"""The learning core: memories, lanes, statistics, softmax and sequencer put together."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden import commands
from ..golden.errors import InputError
from ..golden.layout import Layout
from ..golden.memory import KINDS
from ..golden.program import KERNELS, pull_of, reservoir_of
from ..golden.program import Kind as Pass
from ..golden.random import seed_state
from ..golden.readout import readout_weights
from .arrivals import Arrivals
from .commander import Commander
from .dense import Dense
from .hsic import Hsic
from .lane import vector_width
from .leaky import Potentials
from .loader import Loader, sample_width
from .memory import ClassMemory
from .modulator import word_width
from .normalise import Normalise, Powers
from .operand import CommonOperand
from .parameters import checking
from .random import Xorshift32
from .reservoir_memory import ReservoirMemory
from .results import Results, result_width
from .sequencer import Sequencer
from .shapes import index
from .softmax import Softmax
from .step import MEMORY_UPDATES, RANDOM, UPDATES, Kind, Step, is_any
from .storage import Storage
from .weights import WeightMemory
from .window import Window


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
    trace.kernels, trace.coefficients : Out(event)
        Of the HSIC modulator: what each slot of the window weighs, address = slot; what its
        activations are multiplied with, address = layer * window + slot.
    trace.reservoir_0, ... : Out(event)
        Where the memory is a reservoir: numbers decoded for each layer, at unit scale; address =
        class * projection + place.

    Raises
    ------
    InputError
        The readout of the reservoirs has no hardware, or its file cannot be used.
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
        with checking(self):
            if KINDS[config.memory].projected and config.readout == "exact":
                raise InputError(
                    "readout must not be exact in hardware: that is a control without a reservoir"
                )
        if trace:
            lanes, error = config.lanes, signed(config.e.width)
            ports = {
                "weights": Out(event(range(self.words), lanes * config.weight_bits)),
                "memory": Out(event(range(self.words), max(lanes * word_width(config), 1))),
                "vectors": Out(event(range(3 * self.blocks), lanes * vector_width(config))),
                "errors": Out(event(range((len(config.hidden) + 1) * config.classes), error)),
            }
            if config.modulator == "hsic":
                slots = range(len(config.hidden) * config.window)
                ports |= {
                    "kernels": Out(event(range(config.window), error)),
                    "coefficients": Out(event(slots, error)),
                }
            if KINDS[config.memory].projected:
                words = range(config.classes * config.projection)
                ports |= {
                    f"reservoir_{layer}": Out(event(words, signed(config.read_bits)))
                    for layer in range(len(config.hidden))
                }
            members["trace"] = Out(wiring.Signature(ports))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        cfg, layout = self.config, self.layout
        hidden, lanes = len(cfg.hidden), cfg.lanes
        m.submodules.loader = loader = Loader(cfg)
        m.submodules.sequencer = sequencer = Sequencer(cfg, self.step_layout)
        m.submodules.dense = dense = Dense(cfg, self.step_layout)
        m.submodules.operand = operand = CommonOperand(cfg, self.step_layout)
        m.submodules.arrivals = arrivals = Arrivals(cfg, self.step_layout)
        m.submodules.normalise = normalise = Normalise(cfg)
        m.submodules.powers = powers = Powers(cfg)
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
            loader.release.eq(finish),
            softmax.label.eq(loader.label),
            commander.finished.eq(finish),
            commander.finished_learning.eq(loader.has_label),
            commander.saturated.eq(dense.saturated),
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
        bases = Array([*layout.vector_bases[:-1], layout.vector_bases[-2]])
        place_0 = bases[step_0.layer] + step_0.block
        z_now, z_old = Const(0), Const(0)
        if KINDS[cfg.memory].windowed:
            m.submodules.window = window = Window(cfg, self.blocks)
            z_now, z_old = window.base, window.oldest_base
            m.d.comb += [
                window.learned.eq(finish & loader.has_label),
                window.label.eq(loader.label),
                window.clear.eq(commander.restart),
                sequencer.oldest.eq(window.oldest),
                sequencer.has_oldest.eq(window.has_oldest),
            ]
        from_below = (step_0.kind == Kind.FORWARD) | (step_0.kind == Kind.UPDATE)
        m.d.comb += loader.address.eq(sequencer.list_address)

        # memories
        slots = cfg.window + 1 if KINDS[cfg.memory].windowed else 1
        # activations z, and above them whether u > 0
        m.submodules.z_memory = z_memory = Storage(lanes * (cfg.z_bits + 1), slots * self.blocks)
        m.submodules.a_memory = a_memory = Storage(lanes * cfg.u_bits, self.blocks)
        m.submodules.d_memory = d_memory = Storage(lanes * cfg.d_bits, self.blocks)
        m.submodules.weights = weights = WeightMemory(cfg)
        m.d.comb += z_memory.address.eq(
            Mux(sequencer.old, z_old, z_now) + Mux(from_below, sequencer.source_block, place_0)
        )

        # stage 1: the list names the row; the class memory is addressed
        issued_1, step_1 = Signal(self.step_layout), Signal(self.step_layout)
        place_1 = Signal(index(self.blocks))
        memory_address_1 = Signal(range(self.words))
        lane_1 = Signal.like(sequencer.source_lane)
        m.d.sync += [
            issued_1.eq(step_0),
            place_1.eq(place_0),
            lane_1.eq(sequencer.source_lane),
        ]
        m.d.comb += [
            step_1.eq(issued_1),
            step_1.row.eq(sequencer.row),
            memory_address_1.eq(
                Mux(step_1.kind == Kind.HOST_MEMORY, step_1.address, sequencer.memory_address)
            ),
        ]
        on_memory = is_any(step_1.kind, MEMORY_UPDATES)
        first_layer = (step_1.layer == 0) & (
            (step_1.kind == Kind.FORWARD) | (step_1.kind == Kind.UPDATE)
        )
        row_1 = Mux(first_layer, Mux(step_1.bias, cfg.inputs, loader.index), 0)
        address_1 = Signal(range(self.words))
        m.d.comb += [
            address_1.eq(step_1.address + row_1),
            softmax.query_job.eq(step_1.layer),
            softmax.query_row.eq(step_1.row),
        ]

        # stage 2: weights and vectors are addressed; the common operand is formed
        step_2 = Signal(self.step_layout)
        place_2 = Signal.like(place_1)
        m.d.sync += [
            step_2.eq(step_1),
            step_2.address.eq(Mux(on_memory, memory_address_1, address_1)),
        ]
        value_2 = Signal.like(loader.value)
        own_2 = Signal(signed(cfg.z_bits))
        error_2, kept, done = (
            softmax.error,
            softmax,
            [softmax.done[job] for job in range(hidden + 1)],
        )
        counts = [softmax.counts.word_select(job, softmax.count_width) for job in range(hidden + 1)]
        if cfg.modulator != "hsic":
            m.d.comb += sequencer.label.eq(loader.label)
        else:
            m.submodules.hsic = kept = hsic = Hsic(cfg, self.step_layout)
            self._hsic(m, hsic, loader, sequencer, arrivals, step_1, step_2, value_2)
            m.d.comb += [
                hsic.learned.eq(finish & loader.has_label),
                hsic.clear.eq(commander.restart),
            ]
            error_2 = Mux(step_2.layer == hidden, softmax.error, hsic.error)
            done[:hidden] = [hsic.done[layer] for layer in range(hidden)]
            counts[:hidden] = [
                hsic.counts.word_select(layer, hsic.count_width) for layer in range(hidden)
            ]
        z_2 = Signal.like(z_memory.data)
        m.d.sync += [
            place_2.eq(place_1),
            value_2.eq(loader.value),
            own_2.eq(z_memory.data.word_select(lane_1, cfg.z_bits)),
            z_2.eq(z_memory.data),
        ]

        # stage 3: operands are there
        step_3 = Signal(self.step_layout)
        z_3 = Signal.like(z_2)
        random_3 = Signal.like(random.word)
        scalar_3 = Signal.like(operand.scalar)
        m.d.sync += [
            step_3.eq(step_2),
            z_3.eq(z_2),
            random_3.eq(random.word),
            scalar_3.eq(operand.scalar),
        ]
        jacobians = kept.jacobians
        if projected := KINDS[cfg.memory].projected:
            m.submodules.reservoir = reservoir = ReservoirMemory(cfg, readout_weights(cfg))
            jacobians = reservoir.jacobians
            m.d.comb += [
                reservoir.query.eq(step_1.row),
                reservoir.weighted.eq(softmax.jacobians),
                reservoir.label.eq(loader.label),
                reservoir.clear.eq(commander.restart),
                reservoir.put_error.eq(softmax.trace_en & (softmax.trace_job != hidden)),
                reservoir.error_layer.eq(softmax.trace_job),
                reservoir.error_row.eq(softmax.trace_row),
                reservoir.error.eq(softmax.trace_error),
                reservoir.errors_done.eq(softmax.done[:hidden]),
            ]
        m.d.sync += random.step.eq(step_0.valid & is_any(step_0.kind, RANDOM))
        m.d.comb += [
            random.set.eq(commander.set_random | commander.restart),
            random.value.eq(Mux(commander.restart, seed_state(cfg.seed), commander.value)),
            commander.random.eq(random.word),
            operand.step.eq(step_2),
            operand.input.eq(value_2),
            operand.own.eq(own_2),
            operand.error.eq(error_2),
            operand.mantissa.eq(normalise.mantissa),
            operand.jacobians.eq(jacobians),
            operand.extra.eq(commander.extra),
            weights.address.eq(step_2.address),
            a_memory.address.eq(place_2),
            d_memory.address.eq(place_2),
            dense.step.eq(step_3),
            dense.scalar.eq(scalar_3),
            dense.weights.eq(weights.word),
            dense.z.eq(z_3[: lanes * cfg.z_bits]),
            dense.active.eq(z_3[lanes * cfg.z_bits :]),
            dense.a.eq(a_memory.data),
            dense.d.eq(d_memory.data),
            dense.mean.eq(normalise.mean),
            dense.random.eq(random_3),
            dense.host_data.eq(commander.value),
            dense.exponent.eq(normalise.exponent),
            dense.power.eq(powers.kept),
        ]

        if projected:
            with m.If(step_2.kind == Kind.DIRECTION):
                m.d.comb += operand.error.eq(reservoir.pull)

        # stage 7: words are written
        out = dense.out
        host_reads = is_any(out.kind, (Kind.HOST_WEIGHT, Kind.HOST_MEMORY)) & ~out.write
        place_7 = Signal(index(self.blocks))
        m.d.comb += [
            place_7.eq(bases[out.layer] + out.block),
            weights.write_en.eq(out.valid & is_any(out.kind, UPDATES) & ~host_reads),
            weights.write_address.eq(out.address),
            weights.written.eq(dense.weights_out),
            a_memory.en.eq(out.valid & out.sum_last & (out.kind == Kind.FORWARD)),
            a_memory.place.eq(place_7),
            a_memory.written.eq(self._lanes(dense.vector_out, cfg.u_bits)),
            z_memory.en.eq(out.valid & (out.kind == Kind.NORMALISE)),
            z_memory.place.eq(z_now + place_7),
            z_memory.written.eq(Cat(self._lanes(dense.vector_out, cfg.z_bits), dense.active_out)),
            d_memory.en.eq(out.valid & out.sum_last & (out.kind == Kind.DIRECTION)),
            d_memory.place.eq(place_7),
            d_memory.written.eq(self._lanes(dense.vector_out, cfg.d_bits)),
        ]
        if cfg.leaky:
            m.submodules.potentials = potentials = Potentials(cfg, self.blocks)
            m.d.comb += [
                potentials.address.eq(place_2),
                dense.potentials.eq(potentials.word),
                potentials.write.eq(a_memory.en),
                potentials.place.eq(place_7),
                potentials.written.eq(dense.potentials_out),
            ]
        if word_width(cfg):
            m.submodules.memory = remembered = ClassMemory(cfg, self.step_layout)
            m.d.comb += [
                remembered.address.eq(memory_address_1),
                remembered.layer.eq(step_1.layer),
                remembered.row.eq(step_1.row),
                dense.memory.eq(remembered.word),
                dense.read.eq(remembered.read),
                remembered.out.eq(out),
                remembered.writes.eq(out.valid & ~host_reads),
                remembered.written.eq(dense.memory_out),
                remembered.total_step.eq(dense.total_step),
                remembered.total.eq(dense.total),
                remembered.asks_gain.eq(commander.asks_gain),
                remembered.gain_layer.eq(commander.gain_layer),
                remembered.gain_row.eq(commander.gain_row),
                remembered.set_gain.eq(commander.set_gain),
                remembered.value.eq(commander.value),
                remembered.clear.eq(commander.restart),
                commander.gain.eq(remembered.gain),
            ]
        m.d.comb += [
            commander.ended.eq(out.valid & is_any(out.kind, (Kind.HOST_WEIGHT, Kind.HOST_MEMORY))),
            commander.result.eq(
                Mux(
                    out.kind == Kind.HOST_WEIGHT,
                    dense.weights_out.word_select(out.lane, cfg.weight_bits).as_signed(),
                    dense.memory_out.word_select(out.lane, max(word_width(cfg), 1)).as_signed(),
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
            powers.squares.eq(normalise.squares),
            powers.layer.eq(done_step.layer),
            powers.done.eq(normalise.done),
            powers.power.eq(normalise.power),
            powers.asked.eq(step_2.layer),
        ]
        arrived = arrivals.step
        m.d.comb += [
            arrivals.total.eq(dense.total),
            arrivals.total_step.eq(done_step),
            # similarities of another modulator are not for the softmax
            softmax.arrive.eq(arrivals.arrive & ((kept is softmax) | (arrived.layer == hidden))),
            softmax.job.eq(arrived.layer),
            softmax.row.eq(arrived.row),
            softmax.last.eq(arrived.end),
            softmax.learn.eq(arrived.learn),
            softmax.value.eq(arrivals.value),
            results.arrive.eq(arrivals.arrive & (arrived.layer == hidden)),
            results.row.eq(arrived.row),
            results.last.eq(arrived.end),
            results.value.eq(arrivals.value),
        ]
        finished = {f"error{job}": done[job] for job in range(hidden + 1)}
        finished["results"] = results.done
        if kept is not softmax:
            finished[KERNELS] = hsic.kernels_done
        if projected:
            numbers = arrived.kind == Kind.SIMILARITY
            m.d.comb += [
                reservoir.arrive.eq(arrivals.arrive & numbers),
                reservoir.layer.eq(arrived.layer),
                reservoir.row.eq(arrived.row),
                reservoir.last.eq(arrived.end),
                reservoir.q.eq(arrivals.value),
            ]
            with m.If(numbers):
                m.d.comb += softmax.arrive.eq(0)
            with m.If(reservoir.similar):
                m.d.comb += [
                    softmax.arrive.eq(1),
                    softmax.job.eq(reservoir.similar_layer),
                    softmax.row.eq(reservoir.similar_row),
                    softmax.last.eq(reservoir.similar_last),
                    softmax.learn.eq(1),
                    softmax.value.eq(reservoir.similarity),
                ]
            for layer in range(hidden):
                finished[pull_of(layer)] = reservoir.pull_done[layer]
                finished[reservoir_of(layer)] = reservoir.decoded_done[layer]
        for p in sequencer.program:
            if p.kind is Pass.SQUARES:
                finished[p.name] = normalise.done
            elif p.kind is Pass.MEMORY and KINDS[cfg.memory].self_scaling:
                # the gain is found in two clocks more
                ends, finished[p.name] = (Signal(name=f"{p.name}_{n}") for n in ("total", "gain"))
                m.d.sync += [
                    ends.eq(self._total_ends(dense, Kind.MEMORY, p.layer)),
                    finished[p.name].eq(ends),
                ]
            else:
                finished[p.name] = (
                    out.valid & out.end & (out.kind == Kind[p.kind.name]) & (out.layer == p.layer)
                )
        m.d.comb += [
            sequencer.done.eq(Cat(finished[name] for name in sequencer.flags)),
            *(
                sequencer.counts.word_select(job, sequencer.count_width).eq(count)
                for job, count in enumerate(counts)
            ),
            kept.list_job.eq(sequencer.kept_job),
            kept.list_entry.eq(sequencer.kept_entry),
            sequencer.kept_row.eq(kept.list_row),
        ]
        if self.trace_ports:
            self._trace(m, weights, z_memory, d_memory, a_memory.en, dense, softmax, place_7)
            if kept is not softmax:
                m.d.comb += [
                    self.trace.kernels.en.eq(hsic.trace_kernels_en),
                    self.trace.kernels.address.eq(hsic.trace_slot),
                    self.trace.kernels.data.eq(hsic.trace_weight),
                    self.trace.coefficients.en.eq(hsic.trace_en),
                    self.trace.coefficients.address.eq(
                        hsic.trace_layer * cfg.window + hsic.trace_row
                    ),
                    self.trace.coefficients.data.eq(hsic.trace_error),
                ]
            if word_width(cfg):
                m.d.comb += [
                    self.trace.memory.en.eq(remembered.write_en),
                    self.trace.memory.address.eq(remembered.write_address),
                    self.trace.memory.data.eq(remembered.written),
                ]
            if projected:
                for layer in range(hidden):
                    port = getattr(self.trace, f"reservoir_{layer}")
                    bits = reservoir.word_bits
                    m.d.comb += [
                        port.en.eq(reservoir.write_en[layer]),
                        port.address.eq(reservoir.write_address.word_select(layer, bits)),
                        port.data.eq(reservoir.write_data.word_select(layer, cfg.read_bits)),
                    ]
        return m

    # -- parts of elaborate -----------------------------------------------------------------------

    def _lanes(self, words, width):
        """The low `width` bits of each lane of a vector."""
        step = vector_width(self.config)
        return Cat(words.word_select(lane, step)[:width] for lane in range(self.config.lanes))

    def _hsic(self, m, hsic, loader, sequencer, arrivals, step_1, step_2, value_2):
        """Connect the HSIC modulator: what comes in, what is walked, similarities."""
        step = arrivals.step
        m.d.comb += [
            *(
                getattr(hsic, name).eq(getattr(loader, name))
                for name in ("put", "put_index", "put_value", "put_label", "put_class")
            ),
            hsic.index.eq(loader.index),
            hsic.step.eq(step_2),
            hsic.value.eq(value_2),
            hsic.label.eq(loader.label),
            hsic.arrive.eq(arrivals.arrive & (step.kind == Kind.SIMILARITY)),
            hsic.layer.eq(step.layer),
            hsic.row.eq(step.row),
            hsic.last.eq(step.end),
            hsic.similarity.eq(arrivals.value),
            hsic.query_layer.eq(step_1.layer),
            hsic.query_row.eq(step_1.row),
            sequencer.label.eq(hsic.slot),
        ]

    def _total_ends(self, dense, kind, layer):
        """The total of the last step of the pass is there."""
        step = dense.total_step
        return step.valid & step.end & (step.kind == kind) & (step.layer == layer)

    def _trace(self, m, weights, z_memory, d_memory, a_written, dense, softmax, place):
        trace, blocks = self.trace, self.blocks
        m.d.comb += [
            trace.weights.en.eq(weights.write_en),
            trace.weights.address.eq(weights.write_address),
            trace.weights.data.eq(weights.written),
            trace.vectors.en.eq(a_written | z_memory.en | d_memory.en),
            trace.vectors.address.eq(
                place + Mux(z_memory.en, blocks, Mux(d_memory.en, 2 * blocks, 0))
            ),
            trace.vectors.data.eq(dense.vector_out),
            trace.errors.en.eq(softmax.trace_en),
            trace.errors.address.eq(softmax.trace_job * self.config.classes + softmax.trace_row),
            trace.errors.data.eq(softmax.trace_error),
        ]
