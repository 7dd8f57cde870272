"""Softmax errors of similarities and scores, one class per clock, shared by all layers."""

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory

from ...golden.arithmetic.tables import EXP_STEP, exp_table, reciprocal_table
from ...golden.layers.softmax import exp_width
from ...golden.program.program import SOFTMAX_FIXED, softmax_latency
from ..lanes.fixed import saturate, shift_round, shift_round_by
from .source import ErrorSource

PAUSES = SOFTMAX_FIXED - 6  # between the walks; one clock for the choice, 5 after the second walk


class Walks:
    """Signals of the job at hand: which row of which walk is worked on."""

    def __init__(self, jobs, classes):
        self.job = Signal(range(jobs))
        self.row, self.next_row = (
            Signal(range(classes + 1), name=name) for name in ("row", "next_row")
        )
        # where the values of the job begin, and where that of `row` is
        self.base, self.at, self.next_at = (
            Signal(range((jobs + 1) * classes), name=name) for name in ("base", "at", "next_at")
        )
        self.busy = Signal()
        self.second = Signal()  # walking; the second walk makes the errors
        self.start = Signal()
        self.choice = Signal(range(jobs))  # the job that starts
        self.first_walk = Signal(4)
        self.second_walk = Signal(4)  # valid bits of the two pipelines
        self.rows = [Signal(range(classes), name=f"row_{n}") for n in range(1, 5)]
        self.ends = self.row == classes  # behind the last row


class Softmax(ErrorSource):
    """``e_c = softmax(t)_c - [c = y]`` and ``sum_c e_c k_c``: `hebbware.golden.layers.softmax`.

    Values arrive class after class: similarities of hidden layers (logits ``t = beta k``) and
    scores (``t = o``). When the last class of a job has arrived, the job is worked on; two jobs may
    wait, scores go first.

    Latency: `softmax_latency` = 2 C + const clocks from the clock after the last arrival to the one
    in which the errors are complete; jobs do not overlap.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step, optional
        Not used; all error sources are constructed alike.
    """

    name = "softmax"

    def __init__(self, config, step_layout=None):
        self.value_width = max(config.k.width, config.u.width)
        super().__init__(config, rows=config.classes, value=self.value_width, error=config.e.width)
        # where the rows of a job begin: a table, as a multiplier would be slow
        self.first = Array(n * config.classes for n in range(self.jobs))

    @property
    def latency(self):
        """Clocks of one job."""
        return softmax_latency(self.config)

    def elaborate(self, platform):
        m = Module()
        walks = Walks(self.jobs, self.config.classes)
        fetch, tops = self._arrivals(m)
        self._jobs(m, walks)
        self._walks(m, walks, fetch)
        get, total = self._exponentials(m, walks, fetch, tops)
        invert, power = self._reciprocal(m, walks, total)
        error, values = self._errors(m, walks, fetch, get, invert, power)
        count, counted = self._list(m, walks, error)
        self._finish(m, walks, error, values, count, counted)
        return m

    def _arrivals(self, m):
        """Value buffer, and the running maximum of each job."""
        classes = self.config.classes
        m.submodules.values = values = memory.Memory(
            shape=signed(self.value_width), depth=self.jobs * classes, init=[]
        )
        store, fetch = values.write_port(), values.read_port()
        tops = Array(
            Signal(signed(self.value_width), name=f"top_{job}") for job in range(self.jobs)
        )
        m.d.comb += [
            store.en.eq(self.arrive),
            store.addr.eq(self.first[self.job] + self.row),
            store.data.eq(self.value),
        ]
        for number, top in enumerate(tops):  # one comparison each: a choice before it would be slow
            larger = (self.row == 0) | (self.value > top)
            with m.If(self.arrive & (self.job == number) & larger):
                m.d.sync += top.eq(self.value)
        return fetch, tops

    def _jobs(self, m, walks):
        """Jobs that wait; which of them starts."""
        readout, start = self.readout, walks.start
        waiting = Signal(self.jobs)
        m.d.comb += start.eq(~walks.busy & waiting.any())
        arrived = Signal(self.jobs)
        m.d.comb += arrived.eq(
            Mux(self.arrive & self.last & (self.learn | (self.job != readout)), 1 << self.job, 0)[
                : self.jobs
            ]
        )
        choice = walks.choice
        for candidate in range(readout):
            with m.If(waiting[candidate]):
                m.d.comb += choice.eq(candidate)
        with m.If(waiting[readout]):
            m.d.comb += choice.eq(readout)
        m.d.sync += waiting.eq((waiting & ~Mux(start, 1 << choice, 0)[: self.jobs]) | arrived)

    def _walks(self, m, walks, fetch):
        """Both walks over the values of a job."""
        row, rows, at = walks.row, walks.rows, walks.at
        walking = walks.busy & (row < self.config.classes)
        m.d.sync += [
            walks.first_walk.eq(walks.first_walk << 1 | (walking & ~walks.second)),
            walks.second_walk.eq(walks.second_walk << 1 | (walking & walks.second)),
        ]
        m.d.sync += row.eq(walks.next_row)
        m.d.comb += [
            walks.next_row.eq(Mux(walking & ~walks.start, row + 1, row)),
            # the value of `row` of `job` is there in the clock in which these name it
            fetch.addr.eq(walks.next_at),
            walks.next_at.eq(Mux(walking, at + 1, at)),
        ]
        m.d.sync += at.eq(walks.next_at)
        m.d.sync += [a.eq(b) for a, b in zip(rows, [row, *rows[:-1]], strict=True)]

    def _exponentials(self, m, walks, fetch, tops):
        """First walk: exponentials and their sum."""
        cfg, width, job = self.config, exp_width(self.config), walks.job
        scores = job == self.readout
        m.submodules.exp = exp = _rom(exp_table(cfg.formats.exp_bits, width), width)
        m.submodules.exps = exps = memory.Memory(shape=unsigned(width), depth=cfg.classes, init=[])
        look, put, get = exp.read_port(), exps.write_port(), exps.read_port()
        logit_shift = Mux(scores, 0, cfg.modulator.beta_log2)
        distance = Signal(unsigned(self.value_width + cfg.modulator.beta_log2))
        top, late = Signal.like(self.value), Signal.like(self.value)
        gap = Signal(unsigned(self.value_width))  # `top` is the largest
        m.d.sync += [top.eq(tops[job]), late.eq(fetch.data), gap.eq(top - late)]
        m.d.comb += distance.eq(gap << logit_shift)
        steps = Mux(
            scores,
            shift_round(distance, cfg.u.fraction - EXP_STEP),
            shift_round(distance, cfg.e.fraction - EXP_STEP),
        )
        far = (1 << cfg.formats.exp_bits) - 1
        index = Signal(cfg.formats.exp_bits)
        total = Signal(range((cfg.classes << cfg.e.fraction) + 1))
        m.d.sync += index.eq(Mux(steps > far, far, steps))
        m.d.comb += [
            look.addr.eq(index),
            put.addr.eq(walks.rows[3]),
            put.data.eq(look.data),
            put.en.eq(walks.first_walk[3]),
        ]
        with m.If(walks.start):
            m.d.sync += [total.eq(0), walks.busy.eq(1), walks.second.eq(0), job.eq(walks.choice)]
            m.d.sync += walks.base.eq(self.first[walks.choice])
            m.d.comb += [walks.next_row.eq(0), walks.next_at.eq(self.first[walks.choice])]
        with m.If(walks.first_walk[3]):
            m.d.sync += total.eq(total + look.data)
        return get, total

    def _reciprocal(self, m, walks, total):
        """Between the walks: `total` is complete when the pipeline is empty."""
        cfg, width = self.config, exp_width(self.config)
        m.submodules.reciprocal = reciprocal = _rom(
            reciprocal_table(cfg.formats.reciprocal_bits, width), width
        )
        invert = reciprocal.read_port()
        lowest = cfg.e.fraction
        powers = range(lowest, len(total))
        power = Signal(range(len(total) - lowest + 1))
        rounded_up = Signal()
        found = Signal.like(power)
        entry = Signal(cfg.formats.reciprocal_bits + 1)
        leading = Array(
            (
                shift_round(total, p - cfg.formats.reciprocal_bits)
                - (1 << cfg.formats.reciprocal_bits)
            )[: len(entry)]
            for p in powers
        )
        for p in powers:
            with m.If(total >> p != 0):
                m.d.comb += found.eq(p - lowest)
        m.d.sync += [entry.eq(leading[found]), power.eq(found)]
        m.d.comb += [rounded_up.eq(entry[-1]), invert.addr.eq(entry[:-1])]
        scale_power = Signal.like(power)
        m.d.sync += scale_power.eq(power + rounded_up)
        pause = Signal(range(PAUSES))
        with m.If(walks.busy & ~walks.second & walks.ends):
            m.d.sync += pause.eq(pause + 1)
            with m.If(pause == PAUSES - 1):
                m.d.sync += [walks.second.eq(1), pause.eq(0)]
                m.d.comb += [walks.next_row.eq(0), walks.next_at.eq(walks.base)]
        return invert, scale_power

    def _errors(self, m, walks, fetch, get, invert, power):
        """Second walk: probabilities and errors; also the values, in step with the errors."""
        cfg, rows = self.config, walks.rows
        one = 1 << exp_width(cfg) - 1  # of both tables, their largest number
        product = Signal(range(one * one + 1))
        values_late = [Signal(signed(self.value_width), name=f"value_{n}") for n in range(1, 4)]
        m.d.comb += get.addr.eq(walks.row)
        m.d.sync += [
            product.eq(get.data * invert.data),
            *(a.eq(b) for a, b in zip(values_late, [fetch.data, *values_late[:-1]], strict=True)),
        ]
        error = Signal(signed(cfg.e.width))
        probability = shift_round_by(product, power, cfg.e.fraction)
        m.d.sync += error.eq(probability - Mux(rows[1] == self.label, cfg.e.one, 0))
        m.submodules.errors = errors = memory.Memory(
            shape=signed(cfg.e.width), depth=self.jobs * cfg.classes, init=[]
        )
        keep, ask = errors.write_port(), errors.read_port()
        m.d.comb += [
            keep.en.eq(walks.second_walk[2]),
            keep.addr.eq(self.first[walks.job] + rows[2]),
            keep.data.eq(error),
            ask.addr.eq(self.first[self.query_job] + self.query_row),
            self.error.eq(ask.data),
            self.trace_en.eq(keep.en),
            self.trace_job.eq(walks.job),
            self.trace_row.eq(rows[2]),
            self.trace_error.eq(error),
        ]
        return error, values_late[2]

    def _list(self, m, walks, error):
        """List of the errors that are not zero: their number so far, and whether one is added."""
        classes = self.config.classes
        m.submodules.kept = kept = memory.Memory(
            shape=range(classes), depth=self.jobs * classes, init=[]
        )
        note, recall = kept.write_port(), kept.read_port()
        count = Signal(self.count_width)
        m.d.comb += [
            note.en.eq(walks.second_walk[2] & (error != 0)),
            note.addr.eq(self.first[walks.job] + count),
            note.data.eq(walks.rows[2]),
            recall.addr.eq(self.first[self.list_job] + self.list_entry),
            self.list_row.eq(recall.data),
        ]
        return count, note.en

    def _finish(self, m, walks, error, value, count, counted):
        """Sum of the errors with the similarities; the end of the job."""
        cfg, job = self.config, walks.job
        weighted = Signal(signed(self.value_width + cfg.e.width + cfg.classes.bit_length()))
        with m.If(walks.second & (walks.row == 0)):
            m.d.sync += [weighted.eq(0), count.eq(0)]
        term = Signal(signed(self.value_width + cfg.e.width))
        m.d.sync += term.eq(error * value)
        with m.If(walks.second_walk[2]):
            m.d.sync += count.eq(count + counted)
        with m.If(walks.second_walk[3]):
            m.d.sync += [
                weighted.eq(weighted + term),
                self.counts.word_select(job, self.count_width).eq(count),
            ]

        # second_walk[2] was the last error, `weighted` is complete two clocks later
        finish = Signal()
        m.d.comb += finish.eq(walks.busy & walks.second & walks.ends & ~walks.second_walk.any())
        jacobian = saturate(shift_round(weighted, cfg.e.fraction), cfg.k)
        with m.If(finish):
            m.d.sync += [walks.busy.eq(0), walks.second.eq(0)]
            for layer in range(self.readout):
                with m.If(job == layer):
                    m.d.sync += self.jacobians.word_select(layer, cfg.k.width).eq(jacobian)
        m.d.comb += self.done.eq(Mux(finish, 1 << job, 0)[: self.jobs])


def _rom(table, width):
    return memory.Memory(shape=unsigned(width), depth=len(table), init=table.tolist())
