"""The reservoir as working memory: similarities with what it remembers, and the pull on z."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory
from amaranth.lib.wiring import In, Out

from ...golden.errors import InputError
from ...golden.program.passes import pull_of, reservoir_of
from ...golden.reservoir import memory as golden
from ...golden.reservoir.decoder import decoder_weights
from ..lanes.fixed import saturate, shift_round
from ..shapes import index
from ..trace import show
from .arrivals import value_width
from .decoder import Decoder
from .softmax import Softmax
from .source import ErrorSource, take


class Product(data.StructLayout):
    """A product on its way: which sum it belongs to, and where in it."""

    def __init__(self, config):
        super().__init__(
            {
                "valid": 1,
                "pulling": 1,  # E times errors, for v; else E times q, for the similarities
                "first": 1,  # of its sum
                "last": 1,
                "end": 1,  # last one of the walk
                "layer": index(len(config.hidden)),
                "row": range(config.classes),
                "place": config.memory.projection.bit_length() - 1,
            }
        )


class ReservoirMemory(ErrorSource):
    """The reservoirs of all layers, and the products of what they remember.

    The lanes project activations and project v back; everything in between happens here, with one
    multiplier for all layers: similarities k as soon as the last projected number has arrived, v as
    soon as their softmax errors are complete, then the reservoir of the layer takes its step,
    beside whatever the lanes do. Latencies: `similarity_latency`, `pull_latency` and
    `reservoir_latency` of `hebbware.golden.program.program`. The program keeps the products of two
    layers apart.

    The error of a hidden layer's row j is v_j, of the layer whose errors came last; its jacobian is
    J, one clock after ``sum_c e_c k_c``.

    Parameters
    ----------
    config : CoreConfig
    step_layout : Step, optional
        Not used; all error sources are constructed alike.

    Members
    -------
    clear : In(1)
        All as after reset, while nothing is under way.
    pull_done, decoded_done : Out, one bit for each hidden layer
        v, or E, is complete in the next clock.
    reservoir_0, ... : Out(event)
        Writes of each layer's E, for the trace.

    Raises
    ------
    InputError
        The file of the decoder cannot be used.
    """

    name = "reservoir"

    def __init__(self, config, step_layout=None):
        self.weights = decoder_weights(config)  # W_o of all layers, raw: (classes * d, R)
        super().__init__(
            config,
            rows=max(config.classes, config.memory.projection),
            value=value_width(config),
            error=config.k.width,
            others={
                "clear": In(1),
                "pull_done": Out(len(config.hidden)),
                "decoded_done": Out(len(config.hidden)),
            },
            traces=[f"reservoir_{layer}" for layer in range(len(config.hidden))],
        )

    @classmethod
    def check(cls, config):
        if config.reservoir.decoder == "exact":
            raise InputError(
                "reservoir.decoder must not be exact in hardware: that is a control without a "
                "reservoir"
            )

    def finished(self):
        flags = super().finished()
        for layer in range(self.readout):
            flags[pull_of(layer)] = self.pull_done[layer]
            flags[reservoir_of(layer)] = self.decoded_done[layer]
        return flags

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.softmax = softmax = Softmax(cfg)
        decoders = [Decoder(cfg, self.weights) for _ in range(self.readout)]
        for layer, decoder in enumerate(decoders):
            m.submodules[f"decoder_{layer}"] = decoder
            m.d.comb += [
                decoder.put_q.eq(self.arrive & (self.job == layer)),
                decoder.q_row.eq(self.row),
                decoder.q.eq(self.value),
                decoder.put_error.eq(softmax.trace_en & (softmax.trace_job == layer)),
                decoder.error_row.eq(softmax.trace_row),
                decoder.error.eq(softmax.trace_error),
                decoder.start.eq(self.pull_done[layer]),
                *take(decoder, self, "label", "clear"),
                self.decoded_done[layer].eq(decoder.done),
                *show(
                    getattr(self, f"reservoir_{layer}"),
                    decoder.write_en,
                    decoder.write_address,
                    decoder.write_data,
                ),
            ]
        self._softmax(m, softmax)
        stages = self._walk(m, softmax, decoders)
        self._results(m, softmax, stages[4], self._products(m, decoders, stages))
        self._jacobians(m, softmax)
        return m

    def _softmax(self, m, softmax):
        """The softmax works on scores as they arrive; similarities follow, see `_results`."""
        m.d.comb += [
            *take(softmax, self, "job", "row", "last", "value", "learn", "label"),
            *take(softmax, self, "query_job", "query_row", "list_job", "list_entry"),
            softmax.arrive.eq(self.arrive & (self.job == self.readout)),
            *take(self, softmax, "done", "list_row"),
            *(self.count(job).eq(softmax.count(job)) for job in range(self.jobs)),
            *take(self, softmax, "trace_en", "trace_job", "trace_row", "trace_error"),
        ]

    def _walk(self, m, softmax, decoders):
        """Walk E: class after class for the similarities, place after place for v.

        Returns the product issued, and those issued 1 to 4 clocks before.
        """
        cfg = self.config
        stages = [Signal(Product(cfg), name=f"product_{stage}") for stage in range(5)]
        m.d.sync += [late.eq(product) for product, late in zip(stages, stages[1:], strict=False)]
        busy, pulling, layer = Signal(), Signal(), Signal(index(self.readout))
        row, place = Signal(range(cfg.classes)), Signal(cfg.memory.projection.bit_length() - 1)
        row_ends, place_ends = row == cfg.classes - 1, place == cfg.memory.projection - 1
        with m.If(busy):
            with m.If(pulling):
                m.d.sync += [row.eq(Mux(row_ends, 0, row + 1)), place.eq(place + row_ends)]
            with m.Else():
                m.d.sync += place.eq(place + 1)
                with m.If(place_ends):
                    m.d.sync += row.eq(Mux(row_ends, 0, row + 1))
            with m.If(row_ends & place_ends):
                m.d.sync += busy.eq(0)
        with m.If(self.arrive & self.last & (self.job != self.readout)):
            m.d.sync += [busy.eq(1), pulling.eq(0), layer.eq(self.job)]
        for number in range(self.readout):
            with m.If(softmax.done[number]):
                m.d.sync += [busy.eq(1), pulling.eq(1), layer.eq(number)]
        issued = stages[0]
        m.d.comb += [
            issued.valid.eq(busy),
            issued.pulling.eq(pulling),
            issued.first.eq(Mux(pulling, row == 0, place == 0)),
            issued.last.eq(Mux(pulling, row_ends, place_ends)),
            issued.end.eq(row_ends & place_ends),
            issued.layer.eq(layer),
            issued.row.eq(row),
            issued.place.eq(place),
        ]
        for decoder in decoders:
            m.d.comb += [
                decoder.address.eq(Cat(place, row)),
                decoder.q_address.eq(place),
                decoder.error_address.eq(row),
            ]
        return stages

    def _products(self, m, decoders, stages):
        """Stages 1 to 4: operands, product, sum, rounded; returns the rounded sum."""
        cfg = self.config
        words, qs, errors = (
            Array(getattr(decoder, name) for decoder in decoders)
            for name in ("word", "q_word", "error_word")
        )
        read = Signal(signed(cfg.read.width))
        other = Signal(signed(max(cfg.z.width, cfg.e.width)))
        product = Signal(signed(len(read) + len(other)))
        bits = max((cfg.memory.projection - 1).bit_length(), (cfg.classes - 1).bit_length())
        total = Signal(signed(len(product) + bits))
        layer = stages[1].layer
        m.d.comb += [
            read.eq(words[layer]),
            other.eq(Mux(stages[1].pulling, errors[layer], qs[layer])),
        ]
        m.d.sync += [
            product.eq(read * other),
            total.eq(Mux(stages[2].first, 0, total) + product),
        ]
        rounded = Signal(signed(cfg.k.width))
        similar, pull = (
            saturate(shift_round(total, shift), cfg.k)
            for shift in (
                golden.similarity_shift(cfg),
                cfg.read.fraction + golden.up_shift(cfg),
            )
        )
        m.d.sync += rounded.eq(Mux(stages[3].pulling, pull.as_signed(), similar.as_signed()))
        return rounded

    def _results(self, m, softmax, product, rounded):
        """Similarities go to the softmax, v is kept; `product` was the last one of `rounded`."""
        cfg = self.config
        ready = product.valid & product.last
        with m.If(ready & ~product.pulling):
            m.d.comb += [
                softmax.arrive.eq(1),
                softmax.job.eq(product.layer),
                softmax.row.eq(product.row),
                softmax.last.eq(product.end),
                softmax.learn.eq(1),
                softmax.value.eq(rounded),
            ]
        m.submodules.pulls = pulls = memory.Memory(
            shape=signed(cfg.k.width), depth=cfg.memory.projection, init=[]
        )
        write, ask = pulls.write_port(), pulls.read_port()
        queried = Signal.like(self.query_job)  # the error follows a clock later
        m.d.sync += queried.eq(self.query_job)
        pulled = product.valid & product.pulling & product.end
        m.d.comb += [
            self.pull_done.eq(Mux(pulled, 1 << product.layer, 0)),
            write.en.eq(ready & product.pulling),
            write.addr.eq(product.place),
            write.data.eq(rounded),
            ask.addr.eq(self.query_row),
            self.error.eq(Mux(queried == self.readout, softmax.error, ask.data)),
        ]

    def _jacobians(self, m, softmax):
        """J of each layer: a constant times the errors' sum with the similarities."""
        cfg = self.config
        for layer, units in enumerate(cfg.hidden):
            factor, shift = golden.jacobian_factor(cfg, units)
            weighted = softmax.jacobians.word_select(layer, cfg.k.width).as_signed()
            product = Signal(signed(cfg.k.width + 18), name=f"jacobian_{layer}")
            m.d.comb += product.eq(weighted * Const(factor, unsigned(17)))
            rounded = Signal(signed(len(product) + max(-shift, 0) + 1), name=f"rounded_{layer}")
            m.d.comb += rounded.eq(shift_round(product, shift))
            m.d.sync += self.jacobians.word_select(layer, cfg.k.width).eq(saturate(rounded, cfg.k))
