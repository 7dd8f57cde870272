"""The learning core: memories, lanes, statistics, softmax and sequencer put together."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden import commands
from ..golden.errors import InputError
from ..golden.layout import Layout, word_width
from ..golden.memory import KINDS
from ..golden.passes import KERNELS, pull_of, reservoir_of
from ..golden.program import done_latency, magnitudes_latency, stages
from ..golden.random import seed_state
from ..golden.readout import readout_weights
from ..golden.traces import traces
from ..golden.walk import Then
from .arrivals import Arrivals
from .clusters import Banks, Gather
from .commander import Commander
from .dense import Dense
from .hsic import Hsic
from .loader import Loader, sample_width
from .memory import ClassMemory
from .normalise import Normalise, Powers
from .operand import CommonOperand, source_shape
from .parameters import checking
from .random import Xorshift32
from .reservoir_memory import ReservoirMemory
from .results import Results, result_width
from .sequencer import Sequencer
from .softmax import Softmax
from .step import HOSTS, MEMORY_UPDATES, RANDOM, UPDATES, Kind, Step, is_any
from .weights import WeightMemory
from .window import Window


def event(address_shape, data_shape):
    """Signature of a trace port: one write per clock in which `en` is high."""
    return wiring.Signature({"en": Out(1), "address": Out(address_shape), "data": Out(data_shape)})


def word_shape(trace):
    """Shape of the data of a trace: a signed number, or a word of all lanes."""
    return signed(trace.width) if trace.single else unsigned(trace.lanes * trace.width)


class Core(wiring.Component):
    """Learns from a stream of samples, one at a time, on chip.

    Behaviour: `hebbware.golden.Core`, bit for bit; clock for clock `hebbware.golden.schedule`.

    Parameters
    ----------
    config : CoreConfig
    trace : bool
        Adds the ``trace`` ports: every write to a memory, for co-simulation.
    drop : bool
        Adds the port ``drop``.

    Members
    -------
    samples : In(stream of unsigned)
        ``inputs`` pixels, then the label (no class: infer only), for each sample.
    results : Out(stream of signed)
        Class, then scores, for each sample.
    commands : In(stream of `hebbware.golden.commands` words)
    responses : Out(stream of signed(32))
        One for each command.
    drop : In(1)
        What has come in of an unfinished sample is forgotten; no word of a sample is taken in this
        clock.
    trace : Out(events)
        One for each of `hebbware.golden.traces.traces`.

    Raises
    ------
    InputError
        The readout of the reservoirs has no hardware, or its file cannot be used.
    """

    def __init__(self, config, *, trace=False, drop=False):
        self.config, self.trace_ports, self.drops = config, trace, drop
        self.layout = layout = Layout(config)
        self.blocks = layout.vector_bases[-1]
        self.words = layout.words
        self.step_layout = Step(config, blocks=self.blocks, words=self.words)
        members = {
            "samples": In(stream.Signature(unsigned(sample_width(config)))),
            "results": Out(stream.Signature(signed(result_width(config)))),
            "commands": In(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
            "responses": Out(stream.Signature(signed(commands.DATA_BITS))),
        }
        if drop:
            members["drop"] = In(1)
        with checking(self):
            if KINDS[config.memory].projected and config.readout == "exact":
                raise InputError(
                    "readout must not be exact in hardware: that is a control without a reservoir"
                )
        if trace:
            ports = {
                name: Out(event(range(shown.depth), word_shape(shown)))
                for name, shown in traces(config).items()
            }
            members["trace"] = Out(wiring.Signature(ports))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        hidden, lanes, at = len(cfg.hidden), cfg.lanes, stages(cfg)
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
        if self.drops:
            m.d.comb += loader.drop.eq(self.drop)
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

        # stage 0: a step is issued
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
        m.d.comb += loader.address.eq(sequencer.list_address)

        # memories
        slots = cfg.window + 1 if KINDS[cfg.memory].windowed else 1

        def words(bits, depth=self.blocks):
            return Banks(lanes=lanes, width=bits, depth=depth)

        # activations z, and above each whether u > 0
        m.submodules.z_memory = z_memory = words(cfg.z_bits + 1, slots * self.blocks)
        m.submodules.a_memory = a_memory = words(cfg.u_bits)
        m.submodules.d_memory = d_memory = words(cfg.d_bits)
        m.submodules.weights = weights = WeightMemory(cfg)

        def late(value, clocks=1):
            """`value` so many clocks later."""
            for _ in range(clocks):
                register = Signal.like(value, name="late", reset_less=True)
                m.d.sync += register.eq(value)
                value = register
            return value

        # stage 1: or it is put in by the commander; lists are read, activations z are addressed
        # (stages are those of a core of one cluster; `step` counts clocks, which `at` tells)
        issued_1 = Signal(self.step_layout)
        step = {clock: Signal(self.step_layout) for clock in range(1, at.source + 5)}
        z_place_1 = Signal.like(z_memory.address)
        m.d.sync += [
            issued_1.eq(
                Mux(commander.step.valid, commander.step.as_value(), sequencer.step.as_value())
            ),
            z_place_1.eq(Mux(sequencer.old, z_old, z_now) + sequencer.source_place),
        ]
        memory_address = Signal.like(sequencer.memory_address)
        m.d.comb += [
            step[1].eq(issued_1),
            step[1].row.eq(sequencer.row),
            z_memory.address.eq(z_place_1),
            memory_address.eq(
                Mux(step[1].kind == Kind.HOST_MEMORY, step[1].address, sequencer.memory_address)
            ),
        ]

        # stage 2: rows are known
        rows, source = 2 + at.lag, 3 + at.source
        for clock in range(2, source + 2):
            m.d.sync += step[clock].eq(step[clock - 1])
        memory_address = late(memory_address, at.source)  # the class memory is addressed
        first_layer = (step[rows].layer == 0) & (
            (step[rows].kind == Kind.FORWARD) | (step[rows].kind == Kind.UPDATE)
        )
        entry = late(loader.index, at.lag)
        row_2 = Mux(first_layer, Mux(step[rows].bias, cfg.inputs, entry), 0)
        address_2 = Signal(range(self.words))
        m.d.comb += address_2.eq(step[rows].address + row_2)
        m.d.sync += step[rows + 1].address.eq(
            Mux(
                is_any(step[rows].kind, MEMORY_UPDATES),
                late(memory_address, 1 - at.gather),
                address_2,
            )
        )

        # stage 3: weights are addressed; the common operand is formed
        before, step_3, step_4 = step[source - 1], step[source], step[source + 1]
        source_3 = Signal(source_shape(cfg))
        ones = Array(Const(cfg.source(layer).one, len(source_3)) for layer in range(hidden + 1))
        m.submodules.own = own = Gather(cfg, cfg.z_bits + 1)
        m.d.comb += [
            own.word.eq(z_memory.data),
            own.lane.eq(late(sequencer.source_lane, 2)),
            softmax.query_job.eq(before.layer),
            softmax.query_row.eq(before.row),
        ]
        value_3 = late(loader.value)
        error_3, kept, done = (
            softmax.error,
            softmax,
            [softmax.done[job] for job in range(hidden + 1)],
        )
        counts = [softmax.counts.word_select(job, softmax.count_width) for job in range(hidden + 1)]
        if cfg.modulator != "hsic":
            m.d.comb += sequencer.label.eq(loader.label)
        else:
            m.submodules.hsic = kept = hsic = Hsic(cfg, self.step_layout)
            self._hsic(m, hsic, loader, sequencer, arrivals, before, step[3], value_3)
            m.d.comb += [
                hsic.learned.eq(finish & loader.has_label),
                hsic.clear.eq(commander.restart),
            ]
            error_3 = Mux(step_3.layer == hidden, softmax.error, hsic.error)
            done[:hidden] = [hsic.done[layer] for layer in range(hidden)]
            counts[:hidden] = [
                hsic.counts.word_select(layer, hsic.count_width) for layer in range(hidden)
            ]
        m.d.sync += source_3.eq(
            Mux(
                before.bias,
                ones[before.layer],
                Mux(
                    before.layer == 0,
                    late(loader.value, at.source),
                    own.part[: cfg.z_bits].as_signed(),
                ),
            )
        )

        # stage 4: vectors are addressed; stage 5: operands are there
        z_5 = late(z_memory.data, 3 + at.source)
        random_5 = late(random.word)
        scalar_4 = late(operand.scalar)
        jacobians = kept.jacobians
        if projected := KINDS[cfg.memory].projected:
            m.submodules.reservoir = reservoir = ReservoirMemory(cfg, readout_weights(cfg))
            jacobians = reservoir.jacobians
            m.d.comb += [
                reservoir.query.eq(before.row),
                reservoir.weighted.eq(softmax.jacobians),
                reservoir.label.eq(loader.label),
                reservoir.clear.eq(commander.restart),
                reservoir.put_error.eq(softmax.trace_en & (softmax.trace_job != hidden)),
                reservoir.error_layer.eq(softmax.trace_job),
                reservoir.error_row.eq(softmax.trace_row),
                reservoir.error.eq(softmax.trace_error),
                reservoir.errors_done.eq(softmax.done[:hidden]),
            ]
        m.d.sync += random.step.eq(before.valid & is_any(before.kind, RANDOM))
        m.d.comb += [
            random.set.eq(commander.set_random | commander.restart),
            random.value.eq(Mux(commander.restart, seed_state(cfg.seed), commander.value)),
            commander.random.eq(random.word),
            operand.step.eq(step_3),
            operand.source.eq(source_3),
            operand.error.eq(error_3),
            operand.mantissa.eq(normalise.mantissa),
            operand.jacobians.eq(jacobians),
            operand.extra.eq(commander.extra),
            weights.address.eq(step_3.address),
            a_memory.address.eq(step_4.place),
            d_memory.address.eq(step_4.place),
            dense.step.eq(step_4),
            dense.scalar.eq(scalar_4),
            dense.weights.eq(weights.word),
            dense.z.eq(Cat(word[: cfg.z_bits] for word in self._each(z_5))),
            dense.active.eq(Cat(word[-1] for word in self._each(z_5))),
            dense.a.eq(a_memory.data),
            dense.d.eq(d_memory.data),
            dense.mean.eq(normalise.mean),
            dense.random.eq(random_5),
            dense.host_data.eq(commander.value),
            dense.exponent.eq(normalise.exponent),
            dense.power.eq(powers.kept),
        ]

        if projected:
            with m.If(step_3.kind == Kind.DIRECTION):
                m.d.comb += operand.error.eq(reservoir.pull)

        # stage 10: words are written; decided a clock before, as they go far
        told = at.write - at.lag
        due, place = dense.steps[told - 1], dense.steps[told].place
        hosts = is_any(due.kind, HOSTS)
        host_reads = hosts & ~due.write
        m.d.sync += [
            weights.write_en.eq(due.valid & is_any(due.kind, UPDATES) & ~host_reads),
            a_memory.en.eq(due.valid & due.sum_last & (due.kind == Kind.FORWARD)),
            z_memory.en.eq(due.valid & (due.kind == Kind.NORMALISE)),
            d_memory.en.eq(due.valid & due.sum_last & (due.kind == Kind.DIRECTION)),
        ]
        vectors = self._each(dense.vector_out)
        z_written = zip(vectors, dense.active_out, strict=True)
        m.d.comb += [
            weights.write_address.eq(dense.steps[told].address),
            weights.written.eq(dense.weights_out),
            a_memory.place.eq(place),
            a_memory.written.eq(Cat(word[: cfg.u_bits] for word in vectors)),
            z_memory.place.eq(z_now + place),
            z_memory.written.eq(Cat(Cat(word[: cfg.z_bits], active) for word, active in z_written)),
            d_memory.place.eq(place),
            d_memory.written.eq(Cat(word[: cfg.d_bits] for word in vectors)),
        ]
        if cfg.leaky:
            m.submodules.potentials = potentials = words(cfg.potential.width)
            m.d.comb += [
                potentials.address.eq(step_4.place),
                dense.potentials.eq(potentials.data),
                potentials.en.eq(a_memory.en),
                potentials.place.eq(place),
                potentials.written.eq(dense.potentials_out),
            ]
        if word_width(cfg):
            m.submodules.memory = remembered = ClassMemory(cfg, self.step_layout)
            m.d.sync += remembered.writes.eq(
                due.valid & is_any(due.kind, MEMORY_UPDATES) & ~host_reads
            )
            m.d.comb += [
                remembered.address.eq(memory_address),
                remembered.layer.eq(step[1 + at.source].layer),
                remembered.row.eq(step[1 + at.source].row),
                dense.memory.eq(remembered.word),
                dense.read.eq(remembered.read),
                remembered.place.eq(dense.steps[told].address),
                remembered.written.eq(dense.memory_out),
                remembered.total_step.eq(dense.total_step),
                remembered.total.eq(dense.total),
                remembered.asks_gain.eq(commander.asks_gain),
                remembered.gain_place.eq(commander.gain_place),
                remembered.set_gain.eq(commander.set_gain),
                remembered.value.eq(commander.value),
                remembered.clear.eq(commander.restart),
                commander.gain.eq(remembered.gain),
            ]
        # what the host reads
        m.submodules.weight_read = weight_read = Gather(cfg, cfg.weight_bits)
        m.submodules.memory_read = memory_read = Gather(cfg, max(word_width(cfg), 1))
        back, last = dense.steps[at.read_back - 1], dense.steps[at.read_back]
        m.d.comb += [
            weight_read.word.eq(dense.weights_out),
            weight_read.lane.eq(dense.steps[told].lane),
            memory_read.word.eq(dense.memory_out),
            memory_read.lane.eq(dense.steps[told].lane),
        ]
        m.d.sync += [
            commander.ended.eq(back.valid & is_any(back.kind, HOSTS)),
            commander.result.eq(
                Mux(
                    last.kind == Kind.HOST_WEIGHT,
                    late(weight_read.part, at.gather).as_signed(),
                    late(memory_read.part, at.gather).as_signed(),
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
            powers.found.eq(normalise.found),
            powers.power.eq(normalise.power),
            powers.asked.eq(step_3.layer),
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
            at_end = done_latency(cfg, p.walk) - 1
            if p.walk.then is Then.STATISTICS:
                finished[p.name] = normalise.done
            elif p.walk.then is Then.GAINS:
                ends = self._ends(dense.total_step, Kind.MEMORY, p.layer)
                finished[p.name] = late(ends, at_end - magnitudes_latency(cfg))
            else:
                finished[p.name] = self._ends(dense.steps[at_end], Kind[p.kind.name], p.layer)
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

            def written(value):
                return late(value, at.lag)  # the clusters' copy

            self._trace(m, written, weights, z_memory, d_memory, a_memory, dense, softmax)
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
                    self.trace.memory.en.eq(written(remembered.writes)),
                    self.trace.memory.address.eq(dense.out.address),
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

    def _each(self, words):
        """The part of each lane."""
        lanes = self.config.lanes
        return [words.word_select(lane, len(words) // lanes) for lane in range(lanes)]

    def _hsic(self, m, hsic, loader, sequencer, arrivals, before, step_3, value_3):
        """Connect the HSIC modulator: what comes in, what is walked, similarities."""
        step = arrivals.step
        m.d.comb += [
            *(
                getattr(hsic, name).eq(getattr(loader, name))
                for name in ("put", "put_index", "put_value", "put_label", "put_class")
            ),
            hsic.index.eq(loader.index),
            hsic.step.eq(step_3),
            hsic.value.eq(value_3),
            hsic.label.eq(loader.label),
            hsic.arrive.eq(arrivals.arrive & (step.kind == Kind.SIMILARITY)),
            hsic.layer.eq(step.layer),
            hsic.row.eq(step.row),
            hsic.last.eq(step.end),
            hsic.similarity.eq(arrivals.value),
            hsic.query_layer.eq(before.layer),
            hsic.query_row.eq(before.row),
            sequencer.label.eq(hsic.slot),
        ]

    def _ends(self, step, kind, layer):
        """The step is the last one of the pass."""
        return step.valid & step.end & (step.kind == kind) & (step.layer == layer)

    def _trace(self, m, written, weights, z_memory, d_memory, a_memory, dense, softmax):
        trace, blocks, writes = self.trace, self.blocks, dense.out
        vectors = [written(memory.en) for memory in (a_memory, z_memory, d_memory)]
        m.d.comb += [
            trace.weights.en.eq(written(weights.write_en)),
            trace.weights.address.eq(writes.address),
            trace.weights.data.eq(weights.written),
            trace.vectors.en.eq(Cat(vectors).any()),
            trace.vectors.address.eq(
                writes.place + Mux(vectors[1], blocks, Mux(vectors[2], 2 * blocks, 0))
            ),
            trace.vectors.data.eq(dense.vector_out),
            trace.errors.en.eq(softmax.trace_en),
            trace.errors.address.eq(softmax.trace_job * self.config.classes + softmax.trace_row),
            trace.errors.data.eq(softmax.trace_error),
        ]
