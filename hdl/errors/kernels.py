"""Kernels of the window and their centring: the weight of each past sample."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.modulators import hsic
from ..lanes.fixed import saturate, shift_round


def table_index(config, scaled, shift: int):
    """Address in the exp table of a scaled distance."""
    last = (1 << config.formats.exp_bits) - 1
    steps = shift_round(scaled, shift)
    return Mux(steps > last, last, steps)[: config.formats.exp_bits]


class SecondWalk:
    """Which sample of the window the second walk is at, and a clock later."""

    def __init__(self, window):
        self.valid, self.valid_3 = Signal(name="second"), Signal()
        self.age = Signal(range(window), name="age_2")
        self.at, self.at_3 = Signal(range(window), name="at_2"), Signal(range(window))


class Kernels(wiring.Component):
    """``A_0p`` of ``A = 2**-g H (Kx - gamma Ky) H``, as `golden.modulators.hsic.Window.take`.

    Walks the window twice, from the sample at hand back: first the new row of G, the sums R of its
    rows and the sum of all, then the row of A. Sums are kept from sample to sample: a row changes
    by the new entry less the one of the sample that leaves.

    Latency: N + 7 clocks from `start` to the first entry of A, one each clock; `done` with the last
    one, see `hebbware.golden.program.program.kernels_latency`.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    start : In(1)
        Distances of the sample at hand are valid from the next clock on.
    label : In
        Its class.
    learned, clear : In(1)
        The sample is finished and was learned; empties the window.
    rewind, back : Out(1), distance : In
        To and from `Distances`.
    looks : Out(1), look : Out, found : In
        Table of exp: whether it is read, the address, and its entry in the next clock.
    slot : Out
        Slot of the sample at hand.
    query : In, weight : Out
        A of a slot, in the same clock.
    done : Out(1)
    trace_en, trace_slot, trace_weight : Out
        Each entry of A as it is written.
    """

    def __init__(self, config):
        self.config = config
        slots = range(config.memory.window)
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
                "look": Out(config.formats.exp_bits),
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
        cfg, n = self.config, self.config.memory.window
        bits = n.bit_length() - 1
        entry = signed(hsic.kernel_format(cfg).width)
        row_sum, all_sum = signed(entry.width + bits), signed(entry.width + 2 * bits)
        m.submodules.labels = labels = memory.Memory(shape=range(cfg.classes), depth=n, init=[])
        m.submodules.kernels = kernels = memory.Memory(shape=entry, depth=n * n, init=[])
        m.submodules.sums = sums = memory.Memory(shape=row_sum, depth=n, init=[])
        m.submodules.weights = weights = memory.Memory(shape=signed(cfg.e.width), depth=n, init=[])
        held = self._held(m)
        stages = self._first_walk(m, labels, held)
        g = self._kernel(m, stages, entry)
        second = SecondWalk(n)
        own, rest = Signal(row_sum), Signal(all_sum)  # sums of the new row, of the others
        change = Signal(row_sum)
        old, total = kernels.read_port(), sums.read_port(domain="comb")
        at_3, at_4 = stages[3]["at"], stages[4]["at"]
        put, put_sum = kernels.write_port(), sums.write_port()
        self._rows(m, put, put_sum, stages, second, change, g, own, rest)
        m.d.comb += [
            old.addr.eq(Mux(second.valid, Cat(second.at, self.slot), Cat(self.slot, at_3))),
            total.addr.eq(Mux(second.valid_3, second.at_3, at_4)),
            change.eq(total.data + g - old.data),
        ]
        exact = Signal(signed(entry.width + 2 * bits + 3))
        m.d.sync += exact.eq((old.data << 2 * bits) - ((own + total.data) << bits) + rest + own)
        self._weights(m, weights, second, exact, held == n - 1)
        return m

    def _held(self, m):
        """Number of samples held, without the one at hand."""
        most = self.config.memory.window - 1
        held = Signal(range(most + 1))
        with m.If(self.learned):
            m.d.sync += self.slot.eq(self.slot + 1)
            with m.If(held != most):
                m.d.sync += held.eq(held + 1)
        with m.If(self.clear):
            m.d.sync += [self.slot.eq(0), held.eq(0)]
        return held

    def _first_walk(self, m, labels, held):
        """One sample of the window a clock, newest first; its fields in each of five stages."""
        n = self.config.memory.window
        put, get = labels.write_port(), labels.read_port(domain="comb")
        walking, age, at = Signal(), Signal(range(n)), Signal(range(n))
        m.d.comb += [
            self.rewind.eq(self.start),
            self.back.eq(walking),
            put.en.eq(self.start),
            put.addr.eq(self.slot),
            put.data.eq(self.label),
            get.addr.eq(at),
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
            "same": get.data == self.label,
            "present": age <= held,
        }
        stages = [fields]
        for stage in range(1, 5):
            late = {
                key: Signal(len(value), name=f"{key}_{stage}") for key, value in stages[-1].items()
            }
            m.d.sync += [late[key].eq(value) for key, value in stages[-1].items()]
            stages.append(late)
        return stages

    def _kernel(self, m, stages, entry):
        """Stages 0 to 4: the new entry of G, from the distance and the labels."""
        cfg = self.config
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
        return g

    def _rows(self, m, kernels, sums, stages, second, change, g, own, rest):
        """Rows of G and their sums; the second walk follows the first one.

        Each row changes by its new entry less the one of the sample that leaves.
        """
        n, last = self.config.memory.window, stages[4]
        newest = last["age"] == 0
        with m.If(last["valid"]):
            with m.If(newest):
                m.d.sync += [own.eq(g), rest.eq(0)]
            with m.Elif(last["present"]):
                m.d.sync += [own.eq(own + g), rest.eq(rest + change)]
            with m.If(last["age"] == n - 1):
                m.d.sync += [second.valid.eq(1), second.age.eq(0), second.at.eq(self.slot)]
        with m.If(second.valid):
            m.d.sync += [second.age.eq(second.age + 1), second.at.eq(second.at - 1)]
            with m.If(second.age == n - 1):
                m.d.sync += second.valid.eq(0)
        opens = second.valid & (second.age == 0)
        m.d.comb += [
            kernels.en.eq(last["valid"]),
            kernels.addr.eq(Cat(last["at"], self.slot)),
            kernels.data.eq(g),
            sums.en.eq(last["valid"] & ~newest & last["present"] | opens),
            sums.addr.eq(Mux(opens, self.slot, last["at"])),
            sums.data.eq(Mux(opens, own, change)),
        ]

    def _weights(self, m, weights, second, exact, full):
        """Second walk: the row of A, rounded; 0 until the window is full, or for the newest one."""
        cfg, n = self.config, self.config.memory.window
        bits = n.bit_length() - 1
        put, get = weights.write_port(), weights.read_port(domain="comb")
        zero_3, zero_4, end_3, end_4 = Signal(), Signal(), Signal(), Signal()
        valid_4, at_4 = Signal(), Signal(range(n))
        m.d.sync += [
            second.valid_3.eq(second.valid),
            second.at_3.eq(second.at),
            zero_3.eq((second.age == 0) | ~full),
            end_3.eq(second.age == n - 1),
            valid_4.eq(second.valid_3),
            at_4.eq(second.at_3),
            zero_4.eq(zero_3),
            end_4.eq(end_3),
        ]
        weight = Signal(signed(cfg.e.width))
        rounded = Signal(signed(len(exact) + 1))
        m.d.comb += [
            rounded.eq(shift_round(exact, 2 * bits + hsic.coefficient_shift(cfg))),
            weight.eq(Mux(zero_4, Const(0), saturate(rounded, cfg.e))),
            put.en.eq(valid_4),
            put.addr.eq(at_4),
            put.data.eq(weight),
            get.addr.eq(self.query),
            self.weight.eq(get.data),
            self.done.eq(valid_4 & end_4),
            self.trace_en.eq(valid_4),
            self.trace_slot.eq(at_4),
            self.trace_weight.eq(weight),
        ]
