"""The learning core: connects memories, lanes, statistics, error source and sequencer."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden.arithmetic.random import seed_state
from ..golden.neurons.spiking import rest_word
from ..golden.program import commands
from ..golden.program.layout import Layout, kept_width, word_width
from ..golden.program.overlap import STRIDE, early_layers
from ..golden.program.passes import SPIKES, TRACED
from ..golden.program.pipeline import stages
from ..golden.program.program import done_latency, magnitudes_latency
from ..golden.program.walk import Then
from . import maps, ticks
from .commander import Commander
from .errors.arrivals import Arrivals
from .errors.source import take
from .errors.sources import source_of
from .lanes.clusters import Gather
from .lanes.dense import Dense
from .lanes.random import Xorshift32
from .lanes.vectors import Vectors, each_lane
from .loader import Loader, sample_width
from .memory.class_memory import ClassMemory
from .memory.weights import WeightMemory
from .memory.window import ActivationRing
from .neurons.listed import Spikes, Traced
from .normalise import Normalise, Powers
from .parameters import checking
from .pipeline import Pipeline
from .primitives import late
from .results import Results, result_width
from .trace import show, trace_ports
from .updates import Updates
from .walks.operand import CommonOperand
from .walks.positions import PositionSequencer
from .walks.sequencer import Sequencer
from .walks.step import Step, is_any, kinds_of

# members of the loader that show the sample that comes in
ARRIVING = ("put", "put_index", "put_value", "put_label", "put_class")


class Core(wiring.Component):
    """Learns from a stream of samples, one at a time, on chip.

    Behaviour: `hebbware.golden.Core`, bit for bit; clock for clock
    `hebbware.golden.timing.schedule`.

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
        ``inputs`` pixels, then the label (no class: infer only), for each sample, or each tick of
        a sequence; of signals the targets of all outputs before the label.
    results : Out(stream of signed)
        Class, then scores, for each sample; for each sequence after its last tick, of signals
        after each tick that has results.
    commands : In(stream of `hebbware.golden.program.commands` words)
    responses : Out(stream of signed(32))
        One for each command.
    drop : In(1)
        Discards the words of an unfinished sample; no word of a sample is taken in this clock. Of a
        sequence its ticks that are complete are worked on, but it ends with them.
    trace : Out(events)
        One for each of `hebbware.golden.program.traces.traces`.

    Raises
    ------
    InputError
        The decoder of the reservoirs, or a layer, has no hardware, or a file cannot be used.
    """

    def __init__(self, config, *, trace=False, drop=False):
        self.config, self.trace_ports, self.drops = config, trace, drop
        self.at = stages(config)
        self.layout = layout = Layout(config)
        self.blocks = layout.vector_bases[-1]
        self.words = layout.words
        self.kinds = kinds_of(config)
        self.step_layout = Step(config, blocks=layout.kept_blocks, words=self.words)
        members = {
            "samples": In(stream.Signature(unsigned(sample_width(config)))),
            "results": Out(stream.Signature(signed(result_width(config)))),
            "commands": In(stream.Signature(data.StructLayout(dict(commands.FIELDS)))),
            "responses": Out(stream.Signature(signed(commands.DATA_BITS))),
        }
        if drop:
            members["drop"] = In(1)
        with checking(self):
            source_of(config).check(config)
        if trace:
            members["trace"] = Out(wiring.Signature(trace_ports(config)))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        parts = self._parts(m)
        self._streams(m, parts)
        finish = self._sample(m, parts)
        parts.learned = finish & parts.loader.has_label
        self._ring(m, parts)
        m.d.comb += parts.loader.address.eq(parts.sequencer.list_address)
        parts.vectors = Vectors(m, self.config, self.blocks)
        m.submodules.weights = parts.weights = WeightMemory(self.config)
        parts.pipeline = Pipeline(self.config, self.step_layout, self.words)
        self._issue(m, parts)
        self._operands(m, parts)
        self._write(m, parts)
        self._read_back(m, parts)
        if not self.config.recurrent:
            self._totals(m, parts)
        self._values(m, parts)
        self._finished(m, parts)
        if self.trace_ports:
            self._trace(m, parts)
        return m

    def _parts(self, m):
        """The components, by name."""
        cfg, layout, parts = self.config, self.step_layout, SimpleNamespace()
        parts.spikes = parts.traced = None
        parts.step_layout, parts.spans = layout, self.layout.spans
        m.submodules.loader = parts.loader = Loader(cfg)
        sequencer = PositionSequencer if cfg.convolves else Sequencer
        m.submodules.sequencer = parts.sequencer = sequencer(cfg, layout)
        m.submodules.dense = parts.dense = Dense(cfg, layout)
        m.submodules.operand = parts.operand = CommonOperand(cfg, layout)
        m.submodules.arrivals = parts.arrivals = Arrivals(cfg, layout)
        if not cfg.recurrent:
            m.submodules.normalise = parts.normalise = Normalise(cfg)
        if not cfg.recurrent and not cfg.convolves:
            m.submodules.powers = parts.powers = Powers(cfg)
        parts.errors = source_of(cfg)(cfg, layout)
        m.submodules[parts.errors.name] = parts.errors
        m.submodules.results = parts.results = Results(cfg)
        m.submodules.commander = parts.commander = Commander(cfg, layout)
        twice = cfg.recurrent and cfg.learns_hidden
        m.submodules.random = parts.random = Xorshift32(
            seed_state(cfg.seed), twice=twice, stride=_stride(cfg)
        )
        if cfg.update.overlap:
            parts.updates = Updates(m, cfg, layout, parts.sequencer)
        if cfg.recurrent:
            m.submodules.ticks = parts.ticks = ticks.Ticks(cfg)
            m.submodules.spikes = parts.spikes = Spikes(cfg)
            if cfg.learns_hidden:
                m.submodules.traced = parts.traced = Traced(cfg)
            m.submodules.leaks = parts.leaks = Xorshift32(rest_word(cfg))
        return parts

    def _streams(self, m, parts):
        wiring.connect(m, wiring.flipped(self.samples), parts.loader.samples)
        if self.drops:
            m.d.comb += parts.loader.drop.eq(self.drop)
        if self.drops and self.config.recurrent:
            m.d.comb += [
                parts.ticks.drop.eq(self.drop),
                parts.loader.drop.eq(self.drop | parts.ticks.dropping),
            ]
        wiring.connect(m, wiring.flipped(self.results), parts.results.results)
        wiring.connect(m, wiring.flipped(self.commands), parts.commander.commands)
        wiring.connect(m, wiring.flipped(self.responses), parts.commander.responses)

    def _sample(self, m, parts):
        """Start a sample, or a tick of one, when nothing else is due; free its bank when all steps
        are issued. Returns whether it is finished.
        """
        loader, sequencer, commander = parts.loader, parts.sequencer, parts.commander
        working = Signal()
        go = Signal()
        finish = Signal()
        free, starts = sequencer.idle & ~working, commander.free & commander.yields
        ends, learned = finish, loader.has_label
        if self.config.recurrent:
            free, starts, ends, learned = ticks.between(m, parts, free, go, finish)
        m.d.comb += [
            commander.free.eq(free),
            commander.settled.eq(sequencer.settled),
            go.eq(starts & loader.full),
            finish.eq(working & sequencer.idle),
            sequencer.go.eq(go),
            sequencer.learn.eq(loader.has_label),
            sequencer.restart.eq(commander.restart),
            sequencer.count.eq(loader.count),
            loader.release.eq(finish),
            parts.errors.label.eq(self._label(m, parts)),
            commander.finished.eq(ends),
            commander.finished_learning.eq(learned),
            commander.saturated.eq(parts.dense.saturated),
        ]
        with m.If(go):
            m.d.sync += working.eq(1)
        with m.If(finish):
            m.d.sync += working.eq(0)
        return finish

    def _label(self, m, parts):
        """The label that errors are made with. Where updates go on beside the next sample, it is
        the one before's until the first activations are normalised: by then its errors are there.
        """
        if not self.config.update.overlap:
            return parts.loader.label
        step, kept = parts.sequencer.step, Signal.like(parts.loader.label)
        taken = step.valid & is_any(step.kind, self.kinds.normalises) & (step.layer == 0)
        with m.If(taken):
            m.d.sync += kept.eq(parts.loader.label)
        return kept

    def _ring(self, m, parts):
        """Slots of the activations z: the current one and that of the oldest sample."""
        parts.z_base, parts.oldest_base = Const(0), Const(0)
        if not self.config.memory.windowed:
            return
        m.submodules.window = ring = ActivationRing(self.config, self.blocks)
        parts.z_base, parts.oldest_base = ring.base, ring.oldest_base
        m.d.comb += [
            ring.learned.eq(parts.learned),
            ring.label.eq(parts.loader.label),
            ring.clear.eq(parts.commander.restart),
            *take(parts.sequencer, ring, "oldest", "has_oldest"),
        ]

    def _issue(self, m, parts):
        """Stages 0 to 3: a step is issued, its row and its errors are looked up."""
        loader, sequencer, errors = parts.loader, parts.sequencer, parts.errors
        pipeline, z_memory = parts.pipeline, parts.vectors.z
        queried = pipeline.stage(2)
        bases = parts.z_base, parts.oldest_base
        pipeline.issue(m, parts.commander, sequencer, z_memory, *bases, parts.traced)
        pipeline.address(m, loader, parts.spikes, parts.traced)
        pipeline.gather(m, z_memory, sequencer.source_lane, parts.traced)
        offered = {
            "index": loader.index,
            "pixel": late(m, loader.value),
            "target": getattr(loader, "target", None),
            "walked": pipeline.steps[3],
            "learned": parts.learned,
            "clear": parts.commander.restart,
            **{name: getattr(loader, name) for name in ARRIVING},
        }
        job = errors.readout if self.config.recurrent else queried.layer
        row = queried.row
        if self.config.update.overlap:
            handed = pipeline.stage(3)
            parts.updates.hand_over(m, sequencer, loader, handed)
            parts.random_beside = parts.updates.draw(m, parts.random, handed)
            parts.updates.address(m, loader)
            asks = parts.updates.of_errors()
            job = Mux(asks, errors.readout, job)
            row = Mux(asks, parts.updates.stage(2).row, row)
        m.d.comb += [
            errors.query_job.eq(job),
            errors.query_row.eq(row),
            *errors.offered(offered),
            sequencer.label.eq(errors.memory_row),
        ]
        if parts.spans > 1:
            parts.sources = maps.sources(m, parts)
        else:
            pipeline.choose(m, loader.value)
            parts.sources = [pipeline.source]

    def _operands(self, m, parts):
        """Stages 3 to 5: vectors are addressed, operands go to the lanes."""
        cfg, dense, operand, random = self.config, parts.dense, parts.operand, parts.random
        commander, vectors, weights = parts.commander, parts.vectors, parts.weights
        queried, step_3, step_4 = (parts.pipeline.stage(number) for number in (2, 3, 4))
        sample = not cfg.recurrent
        if sample:
            statistics = self._statistics(m, parts)
            mean, mantissa, exponent, power = statistics[0]
        z_5 = late(m, vectors.z.data, 3 + self.at.source)
        random_5 = late(m, random.word)
        scalar_4 = late(m, operand.scalar)
        draws = queried.valid & is_any(queried.kind, self.kinds.random)
        if self.kinds.correlates:  # one word for all positions
            correlates = is_any(queried.kind, self.kinds.correlates)
            draws &= Mux(queried.grouped, queried.sum_last, queried.sum_first) | ~correlates
        if _stride(cfg):
            draws |= parts.updates.ahead.step
        m.d.sync += random.step.eq(draws)
        takes, taken = commander.set_random, commander.value
        if cfg.update.overlap:
            takes, taken = self._beside(m, parts)
        m.d.comb += [
            random.set.eq(takes | commander.restart),
            random.value.eq(Mux(commander.restart, seed_state(cfg.seed), taken)),
            commander.random.eq(random.word),
            operand.step.eq(step_3),
            *_if(cfg.convolves, lambda: operand.ahead.eq(parts.pipeline.stage(2))),
            operand.source.eq(parts.sources[0]),
            operand.error.eq(parts.errors.error),
            *_if(sample, lambda: operand.mantissa.eq(mantissa)),
            operand.jacobians.eq(parts.errors.jacobians),
            operand.extra.eq(commander.extra),
            weights.address.eq(step_3.address),
            vectors.a.address.eq(step_4.block if cfg.recurrent else step_4.place),
            *_if(not cfg.update.overlap, lambda: vectors.d.address.eq(step_4.place)),
            dense.step.eq(step_4),
            dense.scalar.eq(scalar_4),
            dense.weights.eq(weights.word),
            dense.z.eq(Cat(word[: kept_width(cfg)] for word in each_lane(cfg, z_5))),
            *_if(sample, lambda: dense.active.eq(Cat(w[-1] for w in each_lane(cfg, z_5)))),
            dense.a.eq(vectors.a.data),
            dense.d.eq(vectors.d.data),
            *_if(sample, lambda: dense.mean.eq(mean)),
            dense.random.eq(random_5),
            dense.host_data.eq(commander.value),
            *_if(sample, lambda: dense.exponent.eq(exponent)),
            *_if(sample, lambda: dense.power.eq(power)),
        ]
        if cfg.recurrent:
            ticks.leak(m, parts, self.kinds)
        if parts.spans > 1:
            maps.operands(m, parts, operand, statistics)

    def _beside(self, m, parts):
        """Updates beside: operands go to the lanes. Returns when the core's generator takes over a
        word, and that.
        """
        updates, dense, random, commander = (
            parts.updates, parts.dense, parts.random, parts.commander
        )  # fmt: skip
        scalar, z = updates.operands(
            m, self.step_layout, parts.vectors, parts.loader, parts.errors, commander.extra
        )
        m.d.sync += [
            dense.beside.own_z_5.eq(is_any(updates.stage(4).kind, self.kinds.weighted)),
            dense.beside.valid_9.eq(updates.stage(8).valid),
        ]
        m.d.comb += [
            dense.random_beside.eq(parts.random_beside),
            dense.scalar_beside.eq(scalar),
            dense.weights_beside.eq(parts.weights.word_beside),
            dense.z_beside.eq(z),
            dense.updated.eq(updates.steps[self.at.write].valid),
            parts.weights.beside.eq(updates.stage(3).address),
        ]
        if early_layers(self.config):
            m.d.comb += random.jump.eq(updates.ahead.jump)
        returns = updates.updater.returns
        return commander.set_random | returns, Mux(returns, updates.word, commander.value)

    def _statistics(self, m, parts):
        """Mean, mantissa, exponent and power with which each group of lanes scales its sums."""
        if self.config.convolves:
            return maps.kept(m, parts)
        found = parts.normalise
        return [(found.mean, found.mantissa, found.exponent, parts.powers.kept)]

    def _write(self, m, parts):
        """Stage 10: words are written; decided a clock before, as they go far."""
        dense, weights, vectors = parts.dense, parts.weights, parts.vectors
        clock = self.at.write - self.at.lag  # when the decision reaches all clusters
        due, step = dense.steps[clock - 1], dense.steps[clock]
        host_reads = is_any(due.kind, self.kinds.hosts) & ~due.write
        updates = due.valid & is_any(due.kind, self.kinds.updates) & ~host_reads
        if self.kinds.correlates:
            updates &= due.sum_last | ~is_any(due.kind, self.kinds.correlates)
        address = step.address
        if self.config.update.overlap:
            beside = parts.updates.steps
            updates |= beside[clock - 1].valid
            address = Mux(beside[clock].valid, beside[clock].address, address)
        m.d.sync += weights.write_en.eq(updates)
        m.d.comb += [
            weights.write_address.eq(address),
            weights.written.eq(dense.weights_out),
        ]
        vectors.write(m, due, step.place, parts.z_base, dense)
        maps.copy(m, parts, due)
        if self.config.leaky:
            vectors.potentials(m, parts.pipeline.stage(4).place, step.place, dense)
        if word_width(self.config):
            writes = due.valid & is_any(due.kind, self.kinds.memory_updates) & ~host_reads
            self._memory(m, parts, writes, step.address)

    def _memory(self, m, parts, writes, address):
        """The class memory, written at `address` in the clock after `writes`."""
        dense, commander, at = parts.dense, parts.commander, self.at
        m.submodules.memory = parts.memory = memory = ClassMemory(self.config, self.step_layout)
        read = parts.pipeline.steps[1 + at.source]
        m.d.sync += memory.writes.eq(writes)
        m.d.comb += [
            memory.address.eq(parts.pipeline.memory_address),
            *take(memory, read, "layer", "row"),
            dense.memory.eq(memory.word),
            dense.read.eq(memory.read),
            memory.place.eq(address),
            memory.written.eq(dense.memory_out),
            *take(memory, dense, "total_step", "total"),
            *take(memory, commander, "asks_gain", "gain_place", "set_gain", "value"),
            memory.clear.eq(commander.restart),
            commander.gain.eq(memory.gain),
        ]

    def _read_back(self, m, parts):
        """What the host reads or has written, on its way to the commander."""
        cfg, at, dense, commander = self.config, self.at, parts.dense, parts.commander
        m.submodules.weight_read = weight_read = Gather(cfg, cfg.weight.width)
        m.submodules.memory_read = memory_read = Gather(cfg, max(word_width(cfg), 1))
        lane = dense.steps[at.write - at.lag].lane
        back, last = dense.steps[at.read_back - 1], dense.steps[at.read_back]
        m.d.comb += [
            weight_read.word.eq(dense.weights_out),
            weight_read.lane.eq(lane),
            memory_read.word.eq(dense.memory_out),
            memory_read.lane.eq(lane),
        ]
        m.d.sync += [
            commander.ended.eq(back.valid & is_any(back.kind, self.kinds.hosts)),
            commander.result.eq(
                Mux(
                    last.kind == self.kinds.Kind.HOST_WEIGHT,
                    late(m, weight_read.part, at.lag).as_signed(),
                    late(m, memory_read.part, at.lag).as_signed(),
                )
            ),
        ]

    def _totals(self, m, parts):
        """Totals over the lanes go to the statistics."""
        normalise, step = parts.normalise, parts.dense.total_step
        ends = step.valid & step.sum_last
        m.d.comb += [
            normalise.total.eq(parts.dense.total),
            normalise.layer.eq(step.layer),
            normalise.sum.eq(ends & (step.kind == self.kinds.Kind.SUM)),
            normalise.squares.eq(ends & (step.kind == self.kinds.Kind.SQUARES)),
        ]
        if self.config.convolves:
            return
        powers = parts.powers
        m.d.comb += [
            powers.squares.eq(normalise.squares),
            powers.layer.eq(step.layer),
            *take(powers, normalise, "found", "power"),
            powers.asked.eq(parts.pipeline.stage(3).layer),
        ]

    def _values(self, m, parts):
        """Similarities and scores go to the error source, scores to the results as well."""
        arrivals, errors, results = parts.arrivals, parts.errors, parts.results
        readout, step = len(self.config.hidden), parts.arrivals.step
        sequences = self.config.recurrent
        of_results = arrivals.arrive & (step.layer == readout)
        m.d.comb += [
            *take(arrivals, parts.dense, "total", "total_step"),
            errors.arrive.eq(arrivals.arrive & (errors.similarities | (step.layer == readout))),
            errors.job.eq(step.layer),
            errors.row.eq(step.row),
            errors.last.eq(step.end),
            errors.learn.eq(step.learn),
            errors.value.eq(arrivals.value),
            *_if(self.config.signal, lambda: parts.loader.target_row.eq(step.row)),
            results.arrive.eq(of_results & step.summed if sequences else of_results),
            results.row.eq(step.row),
            results.last.eq(step.end),
            results.value.eq(arrivals.value),
            *_if(sequences, lambda: [results.opens.eq(step.opens), results.closes.eq(step.closes)]),
        ]

    def _finished(self, m, parts):
        """What passes wait for, and the list of errors that the direction walks."""
        cfg, sequencer, errors, dense = self.config, parts.sequencer, parts.errors, parts.dense
        finished = errors.finished() | {"results": parts.results.done}
        if cfg.recurrent:
            finished[SPIKES] = parts.spikes.done
        if parts.traced is not None:
            finished[TRACED] = parts.traced.done
        for p in sequencer.program:
            clock = done_latency(cfg, p.walk) - 1
            if p.walk.then is Then.STATISTICS:
                finished[p.name] = parts.normalise.done
            elif p.walk.then is Then.GAINS:
                ends = _ends(dense.total_step, self.kinds.Kind[p.kind.name], p.layer)
                finished[p.name] = late(m, ends, clock - magnitudes_latency(cfg))
            else:
                finished[p.name] = _ends(dense.steps[clock], self.kinds.Kind[p.kind.name], p.layer)
        if cfg.update.overlap:
            finished |= parts.updates.finished
        m.d.comb += [
            sequencer.done.eq(Cat(finished[name] for name in sequencer.flags)),
            *(
                sequencer.counts.word_select(job, sequencer.count_width).eq(errors.count(job))
                for job in range(errors.jobs)
            ),
            errors.list_job.eq(sequencer.kept_job),
            errors.list_entry.eq(sequencer.kept_entry),
            sequencer.kept_row.eq(errors.list_row),
        ]

    def _trace(self, m, parts):
        """Show every write to a memory."""
        dense, weights, vectors = parts.dense, parts.weights, parts.vectors

        def written(value):
            return late(m, value, self.at.lag)  # the clusters' copy

        z_en = vectors.z.en.any() if parts.spans > 1 else vectors.z.en
        which = [written(en) for en in (vectors.a.en, z_en, vectors.d.en)]
        directions = self.blocks + self.layout.kept_blocks
        base = Mux(which[1], self.blocks, Mux(which[2], directions, 0))
        address = dense.out.address
        if self.config.update.overlap:
            step = parts.updates.steps[self.at.write]
            address = Mux(step.valid, step.address, address)
        m.d.comb += show(self.trace.weights, written(weights.write_en), address, weights.written)
        m.d.comb += show(
            self.trace.vectors, Cat(which).any(), dense.out.place + base, dense.vector_out
        )
        for name, shown in parts.errors.events().items():
            m.d.comb += show(getattr(self.trace, name), *shown)
        if word_width(self.config):
            writes = written(parts.memory.writes)
            m.d.comb += show(self.trace.memory, writes, dense.out.address, parts.memory.written)


def _stride(config) -> int:
    """Random words that the generator may move on in a clock, beside one; 0: none."""
    return STRIDE if config.update.overlap and early_layers(config) else 0


def _if(holds, statements) -> list:
    """Statements, made only where a core has them."""
    return [statements()] if holds else []


def _ends(step, kind, layer):
    """Whether the step is the last one of the pass."""
    return step.valid & step.end & (step.kind == kind) & (step.layer == layer)
