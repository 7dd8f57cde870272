"""Kernels of the window and their centring: what each past sample weighs for the one at hand."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..golden import hsic
from .fixed import saturate, shift_round


def table_index(config, scaled, shift: int):
    """Address in the exp table of a scaled distance."""
    last = (1 << config.exp_bits) - 1
    steps = shift_round(scaled, shift)
    return Mux(steps > last, last, steps)[: config.exp_bits]


class Kernels(wiring.Component):
    """``A_0p`` of ``A = 2**-g H (Kx - gamma Ky) H``, as `hebbware.golden.hsic.Window.take`.

    Walks the window twice, from the sample at hand back: first the new row of G, the sums R of its
    rows and the sum of all, then the row of A. Sums are kept from sample to sample: a row changes
    by the new entry less the one of the sample that leaves.

    Latency: N + 7 clocks from `start` to the first entry of A, one each clock; `done` with the last
    one, see `hebbware.golden.program.kernels_latency`.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    start : In(1)
        Distances of the sample at hand are there from the next clock on.
    label : In
        Its class.
    learned, clear : In(1)
        It is finished and was learned; the window is empty again.
    rewind, back : Out(1), distance : In
        To and from `Distances`.
    looks : Out(1), look : Out, found : In
        Table of exp: whether it is asked, the address, and its entry in the next clock.
    slot : Out
        Where the sample at hand goes.
    query : In, weight : Out
        A of a slot, in the same clock.
    done : Out(1)
    trace_en, trace_slot, trace_weight : Out
        Each entry of A as it is written.
    """

    def __init__(self, config):
        self.config = config
        slots = range(config.window)
        super().__init__(
            {
                "start": In(1),
                "label": In(range(config.classes)),
                "learned": In(1),
                "clear": In(1),
                "rewind": Out(1),
                "back": Out(1),
                "distance": In(unsigned(hsic.distance_bits(config))),
                "looks": Out(1),
                "look": Out(config.exp_bits),
                "found": In(hsic.exp_width(config)),
                "slot": Out(slots),
                "query": In(slots),
                "weight": Out(signed(config.e.width)),
                "done": Out(1),
                "trace_en": Out(1),
                "trace_slot": Out(slots),
                "trace_weight": Out(signed(config.e.width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, n = self.config, self.config.window
        bits = n.bit_length() - 1
        entry = signed(hsic.kernel_format(cfg).width)
        row_sum = signed(entry.width + bits)
        all_sum = signed(entry.width + 2 * bits)
        m.submodules.labels = labels = memory.Memory(shape=range(cfg.classes), depth=n, init=[])
        m.submodules.kernels = kernels = memory.Memory(shape=entry, depth=n * n, init=[])
        m.submodules.sums = sums = memory.Memory(shape=row_sum, depth=n, init=[])
        m.submodules.weights = weights = memory.Memory(shape=signed(cfg.e.width), depth=n, init=[])
        label_put, label_get = labels.write_port(), labels.read_port(domain="comb")
        kernel_put, kernel_get = kernels.write_port(), kernels.read_port()
        sum_put, sum_get = sums.write_port(), sums.read_port(domain="comb")
        weight_put, weight_get = weights.write_port(), weights.read_port(domain="comb")

        # samples held
        held = Signal(range(n))  # without the one at hand
        full = held == n - 1
        with m.If(self.learned):
            m.d.sync += self.slot.eq(self.slot + 1)
            with m.If(~full):
                m.d.sync += held.eq(held + 1)
        with m.If(self.clear):
            m.d.sync += [self.slot.eq(0), held.eq(0)]

        # first walk: one sample of the window a clock, newest first
        walking, age, at = Signal(), Signal(range(n)), Signal(range(n))
        m.d.comb += [
            self.rewind.eq(self.start),
            self.back.eq(walking),
            label_put.en.eq(self.start),
            label_put.addr.eq(self.slot),
            label_put.data.eq(self.label),
            label_get.addr.eq(at),
        ]
        with m.If(walking):
            m.d.sync += [age.eq(age + 1), at.eq(at - 1)]
            with m.If(age == n - 1):
                m.d.sync += walking.eq(0)
        with m.If(self.start):
            m.d.sync += [walking.eq(1), age.eq(0), at.eq(self.slot)]
        fields = {
            "valid": walking,
            "age": age,
            "at": at,
            "same": label_get.data == self.label,
            "present": age <= held,
        }
        stages = [fields]
        for stage in range(1, 5):
            late = {
                key: Signal(len(value), name=f"{key}_{stage}") for key, value in stages[-1].items()
            }
            m.d.sync += [late[key].eq(value) for key, value in stages[-1].items()]
            stages.append(late)
        factor, shift = hsic.input_scale(cfg)
        distance = Signal.like(self.distance)
        scaled = Signal(unsigned(len(distance) + factor.bit_length()))
        g = Signal(entry)
        m.d.sync += [distance.eq(self.distance), scaled.eq(distance * factor)]
        m.d.comb += [
            self.looks.eq(stages[2]["valid"]),
            self.look.eq(table_index(cfg, scaled, shift)),
        ]
        term = Mux(stages[3]["same"], hsic.label_term(cfg), 0)
        m.d.sync += g.eq(Mux(stages[3]["present"], self.found - term, 0))

        # the entry of the sample that leaves is in the row of each later one
        second, age_2, at_2 = Signal(), Signal(range(n)), Signal(range(n))
        last = stages[4]
        own, rest = Signal(row_sum), Signal(all_sum)  # sums of the new row, of the others
        newest = last["age"] == 0
        change = Signal(row_sum)
        m.d.comb += [
            kernel_get.addr.eq(Mux(second, Cat(at_2, self.slot), Cat(self.slot, stages[3]["at"]))),
            kernel_put.en.eq(last["valid"]),
            kernel_put.addr.eq(Cat(last["at"], self.slot)),
            kernel_put.data.eq(g),
            change.eq(sum_get.data + g - kernel_get.data),
        ]
        with m.If(last["valid"]):
            with m.If(newest):
                m.d.sync += [own.eq(g), rest.eq(0)]
            with m.Elif(last["present"]):
                m.d.sync += [own.eq(own + g), rest.eq(rest + change)]
            with m.If(last["age"] == n - 1):
                m.d.sync += [second.eq(1), age_2.eq(0), at_2.eq(self.slot)]

        # second walk: the row of A
        with m.If(second):
            m.d.sync += [age_2.eq(age_2 + 1), at_2.eq(at_2 - 1)]
            with m.If(age_2 == n - 1):
                m.d.sync += second.eq(0)
        opens = second & (age_2 == 0)
        m.d.comb += [
            sum_put.en.eq(last["valid"] & ~newest & last["present"] | opens),
            sum_put.addr.eq(Mux(opens, self.slot, last["at"])),
            sum_put.data.eq(Mux(opens, own, change)),
        ]
        valid_3, valid_4 = Signal(), Signal()
        zero_3, zero_4, end_3, end_4 = Signal(), Signal(), Signal(), Signal()
        at_3, at_4 = Signal(range(n)), Signal(range(n))
        exact = Signal(signed(entry.width + 2 * bits + 3))
        m.d.sync += [
            valid_3.eq(second),
            at_3.eq(at_2),
            zero_3.eq((age_2 == 0) | ~full),
            end_3.eq(age_2 == n - 1),
            exact.eq((kernel_get.data << 2 * bits) - ((own + sum_get.data) << bits) + rest + own),
            valid_4.eq(valid_3),
            at_4.eq(at_3),
            zero_4.eq(zero_3),
            end_4.eq(end_3),
        ]
        m.d.comb += sum_get.addr.eq(Mux(valid_3, at_3, last["at"]))
        weight = Signal(signed(cfg.e.width))
        rounded = Signal(signed(len(exact) + 1))
        m.d.comb += [
            rounded.eq(shift_round(exact, 2 * bits + hsic.coefficient_shift(cfg))),
            weight.eq(Mux(zero_4, Const(0), saturate(rounded, cfg.e))),
            weight_put.en.eq(valid_4),
            weight_put.addr.eq(at_4),
            weight_put.data.eq(weight),
            weight_get.addr.eq(self.query),
            self.weight.eq(weight_get.data),
            self.done.eq(valid_4 & end_4),
            self.trace_en.eq(valid_4),
            self.trace_slot.eq(at_4),
            self.trace_weight.eq(weight),
        ]
        return m
