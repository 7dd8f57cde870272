"""Softmax errors of similarities and scores, one class per clock, shared by all layers."""

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden.program import SOFTMAX_FIXED, softmax_latency
from ..golden.softmax import exp_width
from ..golden.tables import EXP_STEP, exp_table, reciprocal_table
from .fixed import saturate, shift_round, shift_round_by


class Softmax(wiring.Component):
    """``e_c = softmax(t)_c - [c = y]`` and ``sum_c e_c k_c``; as in `hebbware.golden.softmax`.

    Values arrive class after class: similarities of hidden layers (job = layer, logits
    ``t = beta k``) and scores (job = number of hidden layers, ``t = o``). When the last class of a
    job has arrived, the job is worked on; two jobs may wait, scores go first. Errors are kept per
    job until the job runs again.

    Latency: `softmax_latency` = 2 C + const clocks from the clock after the last arrival to the one
    in which the errors are complete; jobs do not overlap.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    arrive : In(1)
        `value` of class `row` of `job` is here; `last` with the last class.
    learn : In(1)
        Arriving scores are wanted as errors too.
    label : In
        Must be stable while jobs run.
    done : Out, one bit for each job
        High for one clock; the job's errors are complete in the next.
    query_job, query_row : In
        Error to read; `error` follows a clock later.
    jacobians : Out, array over hidden layers
        ``sum_c e_c k_c`` of the layer's job.
    counts : Out, array over jobs
        How many errors of the job are not zero; there in the clock of `done`.
    list_job, list_entry : In
        Entry of the list of errors that are not zero; `list_row`, its class, follows one clock
        later.
    trace_en, trace_job, trace_row, trace_error : Out
        Each error as it is written.
    """

    def __init__(self, config):
        self.config = config
        self.jobs = len(config.hidden) + 1
        self.value_width = max(config.k.width, config.u_bits)
        self.count_width = config.classes.bit_length()
        rows, jobs = range(config.classes), range(self.jobs)
        super().__init__(
            {
                "arrive": In(1),
                "job": In(jobs),
                "row": In(rows),
                "last": In(1),
                "value": In(signed(self.value_width)),
                "learn": In(1),
                "label": In(rows),
                "done": Out(self.jobs),
                "query_job": In(jobs),
                "query_row": In(rows),
                "error": Out(signed(config.e.width)),
                "jacobians": Out(config.k.width * len(config.hidden)),
                "counts": Out(self.jobs * self.count_width),
                "list_job": In(jobs),
                "list_entry": In(range(config.classes)),
                "list_row": Out(rows),
                "trace_en": Out(1),
                "trace_job": Out(jobs),
                "trace_row": Out(rows),
                "trace_error": Out(signed(config.e.width)),
            }
        )

    @property
    def latency(self):
        """Clocks of one job."""
        return softmax_latency(self.config)

    def elaborate(self, platform):
        m = Module()
        cfg, readout = self.config, self.jobs - 1
        width, classes = exp_width(cfg), cfg.classes

        # where the rows of a job begin: a table, as a multiplier would be slow
        first = Array(n * classes for n in range(self.jobs))

        # arrivals: value buffer, running maximum, jobs waiting
        m.submodules.values = values = memory.Memory(
            shape=signed(self.value_width), depth=self.jobs * classes, init=[]
        )
        store, fetch = values.write_port(), values.read_port()
        tops = Array(
            Signal(signed(self.value_width), name=f"top_{job}") for job in range(self.jobs)
        )
        waiting = Signal(self.jobs)
        m.d.comb += [
            store.en.eq(self.arrive),
            store.addr.eq(first[self.job] + self.row),
            store.data.eq(self.value),
        ]
        for number, top in enumerate(tops):  # one comparison each: a choice before it would be slow
            larger = (self.row == 0) | (self.value > top)
            with m.If(self.arrive & (self.job == number) & larger):
                m.d.sync += top.eq(self.value)

        # work on one job
        job = Signal(range(self.jobs))
        row, next_row = (Signal(range(classes + 1), name=name) for name in ("row", "next_row"))
        # where the values of the job begin, and where that of `row` is
        base, at, next_at = (
            Signal(range((self.jobs + 1) * classes), name=name)
            for name in ("base", "at", "next_at")
        )
        busy = Signal()
        second = Signal()  # walking; the second walk makes the errors
        start = Signal()
        m.d.comb += start.eq(~busy & waiting.any())
        arrived = Signal(self.jobs)
        m.d.comb += arrived.eq(
            Mux(self.arrive & self.last & (self.learn | (self.job != readout)), 1 << self.job, 0)[
                : self.jobs
            ]
        )
        choice = Signal(range(self.jobs))
        for candidate in range(readout):
            with m.If(waiting[candidate]):
                m.d.comb += choice.eq(candidate)
        with m.If(waiting[readout]):
            m.d.comb += choice.eq(readout)
        m.d.sync += waiting.eq((waiting & ~Mux(start, 1 << choice, 0)[: self.jobs]) | arrived)

        walking = busy & (row < classes)
        first_walk = Signal(4)
        second_walk = Signal(4)  # valid bits of the two pipelines
        m.d.sync += [
            first_walk.eq(first_walk << 1 | (walking & ~second)),
            second_walk.eq(second_walk << 1 | (walking & second)),
        ]
        m.d.sync += row.eq(next_row)
        m.d.comb += [
            next_row.eq(Mux(walking & ~start, row + 1, row)),
            # the value of `row` of `job` is there in the clock in which these name it
            fetch.addr.eq(next_at),
            next_at.eq(Mux(walking, at + 1, at)),
        ]
        m.d.sync += at.eq(next_at)
        rows = [Signal(range(classes), name=f"row_{n}") for n in range(1, 5)]
        m.d.sync += [a.eq(b) for a, b in zip(rows, [row, *rows[:-1]], strict=True)]

        # first walk: exponentials and their sum
        m.submodules.exp = exp = _rom(exp_table(cfg.exp_bits, width), width)
        m.submodules.exps = exps = memory.Memory(shape=unsigned(width), depth=classes, init=[])
        look, put, get = exp.read_port(), exps.write_port(), exps.read_port()
        logit_shift = Mux(job == readout, 0, cfg.beta_log2)
        distance = Signal(unsigned(self.value_width + cfg.beta_log2))
        top, late = Signal.like(self.value), Signal.like(self.value)
        gap = Signal(unsigned(self.value_width))  # `top` is the largest
        m.d.sync += [top.eq(tops[job]), late.eq(fetch.data), gap.eq(top - late)]
        m.d.comb += distance.eq(gap << logit_shift)
        steps = Mux(
            job == readout,
            shift_round(distance, cfg.u_fraction - EXP_STEP),
            shift_round(distance, cfg.error_fraction - EXP_STEP),
        )
        far = (1 << cfg.exp_bits) - 1
        index = Signal(cfg.exp_bits)
        total = Signal(range((classes << cfg.error_fraction) + 1))
        m.d.sync += index.eq(Mux(steps > far, far, steps))
        m.d.comb += [
            look.addr.eq(index),
            put.addr.eq(rows[3]),
            put.data.eq(look.data),
            put.en.eq(first_walk[3]),
        ]
        with m.If(start):
            m.d.sync += [total.eq(0), busy.eq(1), second.eq(0), job.eq(choice)]
            m.d.sync += base.eq(first[choice])
            m.d.comb += [next_row.eq(0), next_at.eq(first[choice])]
        with m.If(first_walk[3]):
            m.d.sync += total.eq(total + look.data)

        # between the walks: reciprocal of the sum; `total` is complete when the pipeline is empty
        m.submodules.reciprocal = reciprocal = _rom(
            reciprocal_table(cfg.reciprocal_bits, width), width
        )
        invert = reciprocal.read_port()
        lowest = cfg.error_fraction
        powers = range(lowest, len(total))
        power = Signal(range(len(total) - lowest + 1))
        rounded_up = Signal()
        found = Signal.like(power)
        entry = Signal(cfg.reciprocal_bits + 1)
        leading = Array(
            (shift_round(total, p - cfg.reciprocal_bits) - (1 << cfg.reciprocal_bits))[: len(entry)]
            for p in powers
        )
        for p in powers:
            with m.If(total >> p != 0):
                m.d.comb += found.eq(p - lowest)
        m.d.sync += [entry.eq(leading[found]), power.eq(found)]
        m.d.comb += [rounded_up.eq(entry[-1]), invert.addr.eq(entry[:-1])]
        scale_power = Signal.like(power)
        m.d.sync += scale_power.eq(power + rounded_up)
        # as long as it takes; another clock for the choice, and 5 for what follows the second walk
        pauses = SOFTMAX_FIXED - 6
        pause = Signal(range(pauses))
        with m.If(busy & ~second & (row == classes)):
            m.d.sync += pause.eq(pause + 1)
            with m.If(pause == pauses - 1):
                m.d.sync += [second.eq(1), pause.eq(0)]
                m.d.comb += [next_row.eq(0), next_at.eq(base)]

        # second walk: probabilities, errors, and their sum with the similarities
        one = 1 << width - 1  # of both tables, their largest number
        product = Signal(range(one * one + 1))
        values_late = [Signal(signed(self.value_width), name=f"value_{n}") for n in range(1, 4)]
        m.d.comb += get.addr.eq(row)
        m.d.sync += [
            product.eq(get.data * invert.data),
            *(a.eq(b) for a, b in zip(values_late, [fetch.data, *values_late[:-1]], strict=True)),
        ]
        error = Signal(signed(cfg.e.width))
        probability = shift_round_by(product, scale_power, lowest)
        m.d.sync += error.eq(probability - Mux(rows[1] == self.label, cfg.e.one, 0))
        m.submodules.errors = errors = memory.Memory(
            shape=signed(cfg.e.width), depth=self.jobs * classes, init=[]
        )
        keep, ask = errors.write_port(), errors.read_port()
        m.d.comb += [
            keep.en.eq(second_walk[2]),
            keep.addr.eq(first[job] + rows[2]),
            keep.data.eq(error),
            ask.addr.eq(first[self.query_job] + self.query_row),
            self.error.eq(ask.data),
            self.trace_en.eq(keep.en),
            self.trace_job.eq(job),
            self.trace_row.eq(rows[2]),
            self.trace_error.eq(error),
        ]
        weighted = Signal(signed(self.value_width + cfg.e.width + classes.bit_length()))
        m.submodules.kept = kept = memory.Memory(
            shape=range(classes), depth=self.jobs * classes, init=[]
        )
        note, recall = kept.write_port(), kept.read_port()
        count = Signal(self.count_width)
        m.d.comb += [
            note.en.eq(second_walk[2] & (error != 0)),
            note.addr.eq(first[job] + count),
            note.data.eq(rows[2]),
            recall.addr.eq(first[self.list_job] + self.list_entry),
            self.list_row.eq(recall.data),
        ]
        with m.If(second & (row == 0)):
            m.d.sync += [weighted.eq(0), count.eq(0)]
        term = Signal(signed(self.value_width + cfg.e.width))
        m.d.sync += term.eq(error * values_late[2])
        with m.If(second_walk[2]):
            m.d.sync += count.eq(count + note.en)
        with m.If(second_walk[3]):
            m.d.sync += [
                weighted.eq(weighted + term),
                self.counts.word_select(job, self.count_width).eq(count),
            ]

        # finish: second_walk[2] was the last error, `weighted` is complete two clocks later
        finish = Signal()
        m.d.comb += finish.eq(busy & second & (row == classes) & ~second_walk.any())
        jacobian = saturate(shift_round(weighted, cfg.error_fraction), cfg.k)
        with m.If(finish):
            m.d.sync += [busy.eq(0), second.eq(0)]
            for layer in range(readout):
                with m.If(job == layer):
                    m.d.sync += self.jacobians.word_select(layer, cfg.k.width).eq(jacobian)
        m.d.comb += self.done.eq(Mux(finish, 1 << job, 0)[: self.jobs])
        return m


def _rom(table, width):
    return memory.Memory(shape=unsigned(width), depth=len(table), init=table.tolist())
