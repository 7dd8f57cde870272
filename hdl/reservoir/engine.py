"""The reservoir without streams: jobs that walk units and outputs through the lanes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...golden.arithmetic.fixed import Rounding
from ...golden.arithmetic.random import xorshift32
from ...golden.reservoir.connections import GRANULE
from ...golden.timing import reservoir as schedule
from ..lanes.fixed import saturate, shift_round
from ..lanes.random import Xorshift32
from ..lanes.tree import AdderTree
from ..shapes import index
from .connections import GranuleWords, input_key, permuted, place_bits, source_block
from .lane import Control, Kind, Lane, has_readout, product_bits
from .step import Job, Step


class Engine(wiring.Component):
    """State, weights and lanes; one job at a time.

    A job is started by one of the four ``start_...`` inputs while none is under way; its operands
    must be there in that clock. How long jobs take, and when they write: see
    `hebbware.golden.timing.reservoir`. Without a readout (``output = state``) there are only the
    step, and the host's job that does nothing.

    Parameters
    ----------
    config : ReservoirConfig
    weights : int array (outputs, R), optional
        Raw readout weights that the memory holds after configuration; by default zeros.

    Members
    -------
    start_step : In(1)
        A step of the state; `count` inputs, stable until it is done, are asked for.
    input_address : Out
        Which of them; `input_index` and `input_value` are to follow in the next clock.
    start_readout : In(1)
        All outputs: `found` is high for each, with `found_output` and `found_value`.
    start_update : In(1)
        The delta rule of output `output` with `error`.
    start_host : In(1)
        Read or write (`host_write`) weight `output`, `unit`; `host_value` is valid with `done`.
    clear : In(1)
        State and rounding as after reset; while no job is under way.
    done : Out(1)
        High in the last clock of a job; its writes can be read from the next one on.
    state_address, state : In, Out
        A block of the state for others, one clock later; while no job is under way.
    state_write, state_write_address, state_write_data : Out
        Writes of the state, for traces.
    weight_write, weight_write_address, weight_write_data : Out
        Writes of the weights, for traces.
    """

    def __init__(self, config, *, weights=None):
        self.config, self.weights = config, weights
        lanes, blocks = config.lanes, config.blocks
        super().__init__(
            {
                "start_step": In(1),
                "count": In(range(config.inputs + 1)),
                "input_address": Out(index(config.inputs)),
                "input_index": In(index(config.inputs)),
                "input_value": In(signed(config.input_bits)),
                "start_readout": In(1),
                "found": Out(1),
                "found_output": Out(index(config.outputs)),
                "found_value": Out(signed(config.output_bits)),
                "start_update": In(1),
                "output": In(index(config.outputs)),
                "error": In(signed(config.output_bits)),
                "start_host": In(1),
                "host_write": In(1),
                "unit": In(range(config.units)),
                "host_data": In(signed(config.weight_bits)),
                "host_value": Out(signed(config.weight_bits)),
                "clear": In(1),
                "done": Out(1),
                "state_address": In(index(blocks)),
                "state": Out(lanes * config.state_bits),
                "state_write": Out(1),
                "state_write_address": Out(index(2 * blocks)),
                "state_write_data": Out(lanes * config.state_bits),
                "weight_write": Out(1),
                "weight_write_address": Out(index(blocks * config.outputs)),
                "weight_write_data": Out(lanes * config.weight_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg = self.config
        m.submodules.walk = walk = GranuleWords(cfg.walk_state)
        stages = {0: Signal(Step(cfg), name="step_0")}
        self._issue(m, stages[0], walk)
        depth = max(schedule.state_tail(cfg), schedule.decoder_tail(cfg))
        for stage in range(1, depth + 1):
            stages[stage] = Signal(Step(cfg), name=f"step_{stage}")
            m.d.sync += stages[stage].eq(stages[stage - 1])
        words = {0: walk.word}
        for stage in range(1, 4):
            words[stage] = Signal(32, name=f"word_{stage}")
            m.d.sync += words[stage].eq(words[stage - 1])

        lanes = [Lane(cfg, number) for number in range(cfg.lanes)]
        for number, lane in enumerate(lanes):
            m.submodules[f"lane_{number}"] = lane
        self._control(m, lanes, stages)
        self._states(m, lanes, stages, words)
        self._signs(m, lanes, stages, words)
        self._rounding(m, lanes, stages)
        done = stages[schedule.state_tail(cfg)]
        m.d.comb += self.done.eq(done.valid & done.end & (done.kind == Kind.TAP))
        host = stages[schedule.WRITE]
        with m.If(host.valid & host.end & (host.kind == Kind.HOST)):
            m.d.comb += self.done.eq(1)
        if has_readout(cfg):
            self._weights(m, lanes, stages)
            self._totals(m, lanes, stages)
        return m

    # -- issue ------------------------------------------------------------------------------------

    def _issue(self, m, step, walk):
        """Stage 0: one step per clock, from the clock after the start on."""
        cfg = self.config
        sub = place_bits(cfg)
        job, issuing = Signal(Job), Signal()
        block, output = Signal.like(step.block), Signal.like(step.output)
        place = Signal(range(cfg.inputs + cfg.taps + 1))
        taps_end = Signal.like(place)
        m.d.comb += taps_end.eq(self.count + cfg.taps)
        stepping = issuing & (job == Job.STEP)
        is_input = (place != 0) & (place <= self.count)
        ends = (job != Job.STEP) | (place == taps_end)
        last_block = block == cfg.blocks - 1
        granule_ends = block[:sub].all() if sub else Const(1)
        m.d.comb += [
            step.valid.eq(issuing),
            step.block.eq(block),
            step.output.eq(output),
            step.first.eq(Mux(job == Job.STEP, place == 0, block == 0)),
            step.last.eq(Mux(job == Job.STEP, ends, last_block)),
            step.end.eq(ends & (last_block | (job == Job.HOST))),
        ]
        with m.Switch(job):
            with m.Case(Job.STEP):
                m.d.comb += step.kind.eq(
                    Mux(place == 0, Kind.LEAK, Mux(is_input, Kind.INPUT, Kind.TAP))
                )
            with m.Case(Job.READOUT):
                m.d.comb += step.kind.eq(Kind.DOT)
                with m.If(output != cfg.outputs - 1):
                    m.d.comb += step.end.eq(0)
            with m.Case(Job.UPDATE):
                m.d.comb += step.kind.eq(Kind.UPDATE)
            with m.Case(Job.HOST):
                m.d.comb += step.kind.eq(Kind.HOST)

        with m.If(issuing):
            m.d.sync += place.eq(Mux(ends, 0, place + 1))
            with m.If(ends):
                m.d.sync += block.eq(Mux(last_block, 0, block + 1))
                with m.If(last_block):
                    m.d.sync += output.eq(output + 1)
            with m.If(step.end):
                m.d.sync += issuing.eq(0)
        starts = {
            Job.STEP: self.start_step,
            Job.READOUT: self.start_readout,
            Job.UPDATE: self.start_update,
            Job.HOST: self.start_host,
        }
        for which, start in starts.items():
            with m.If(start):
                m.d.sync += [job.eq(which), issuing.eq(1), place.eq(0), block.eq(0)]
        with m.If(self.start_readout):
            m.d.sync += output.eq(0)
        with m.If(self.start_update | self.start_host):
            m.d.sync += output.eq(self.output)
        if cfg.blocks > 1:
            with m.If(self.start_host):
                m.d.sync += block.eq(self.unit >> (cfg.lanes - 1).bit_length())

        # the word at hand is the granule's own until the first tap is issued
        tap = place > self.count
        if cfg.topology == "sparse":
            m.d.comb += walk.advance.eq(stepping & (tap | (place == self.count)))
        else:
            m.d.comb += walk.advance.eq(stepping & ends & granule_ends)
        m.d.comb += [
            walk.keep.eq(stepping & (place == 0)),
            walk.back.eq(stepping & ends & ~granule_ends),
            walk.restart.eq(stepping & step.end),
        ]
        number = Signal.like(place)
        m.d.sync += number.eq(place - 1)
        m.d.comb += self.input_address.eq(number)

    # -- lanes ------------------------------------------------------------------------------------

    def _control(self, m, lanes, stages):
        """Kinds of the steps, and operands of commands and updates."""
        cfg = self.config
        control = Signal(Control(cfg))
        m.d.comb += [
            control.kind_2.eq(stages[2].kind),
            control.kind_4.eq(stages[4].kind),
            control.host_5.eq(stages[5].kind == Kind.HOST),
        ]
        error, host = Signal.like(self.error), Signal.like(self.host_data)
        write, unit = Signal(), Signal.like(self.unit)
        with m.If(self.start_update):
            m.d.sync += error.eq(self.error)
        with m.If(self.start_host):
            m.d.sync += [host.eq(self.host_data), write.eq(self.host_write), unit.eq(self.unit)]
        m.d.comb += control.write_5.eq(write)
        lane_bits = (cfg.lanes - 1).bit_length()
        for number, lane in enumerate(lanes):
            chosen = unit[:lane_bits] == number if lane_bits else Const(1)
            m.d.comb += [
                lane.control.eq(control),
                lane.error.eq(error),
                lane.host.eq(host),
                lane.chosen.eq(chosen),
            ]
        self._unit, self._write = unit, write

    def _states(self, m, lanes, stages, words):
        """State memory: two banks, one read while the other is written."""
        cfg = self.config
        bits = (cfg.blocks - 1).bit_length()
        width = cfg.lanes * cfg.state_bits
        m.submodules.states = states = memory.Memory(shape=width, depth=2 * cfg.blocks, init=[])
        write, read = states.write_port(), states.read_port()
        bank, fresh = Signal(), Signal(init=1)

        one = stages[1]
        at = Signal(index(cfg.blocks))
        m.d.comb += at.eq(Mux(one.valid, one.block, self.state_address))
        with m.If(one.valid & (one.kind == Kind.TAP)):
            m.d.comb += at.eq(source_block(cfg, words[1], one.block))
        m.d.comb += [read.addr.eq(Cat(at[:bits], bank)), self.state.eq(read.data)]

        two = stages[2]
        found = [read.data.word_select(n, cfg.state_bits).as_signed() for n in range(cfg.lanes)]
        turned = permuted(cfg, words[2], two.block, found)
        for lane, own, other in zip(lanes, found, turned, strict=True):
            taken = Mux(two.kind == Kind.TAP, other, own)
            m.d.comb += lane.state.eq(Mux(fresh, 0, taken))

        tail = stages[schedule.state_tail(cfg)]
        m.d.comb += [
            write.en.eq(tail.valid & tail.last & (tail.kind == Kind.TAP)),
            write.addr.eq(Cat(tail.block[:bits], ~bank)),
            write.data.eq(Cat(lane.state_out for lane in lanes)),
            self.state_write.eq(write.en),
            self.state_write_address.eq(write.addr),
            self.state_write_data.eq(write.data),
        ]
        with m.If(write.en & tail.end):
            m.d.sync += [bank.eq(~bank), fresh.eq(0)]
        with m.If(self.clear):
            m.d.sync += fresh.eq(1)

    def _signs(self, m, lanes, stages, words):
        """Signs of taps and inputs."""
        cfg = self.config
        key, value = Signal(32), Signal(signed(cfg.input_bits))
        value_4 = Signal.like(value)
        m.d.sync += [
            key.eq(input_key(cfg, self.input_index)),
            value.eq(self.input_value),
            value_4.eq(value),
        ]
        turned = self._turned(words[3], stages[3].block)
        own, minus = Signal(32), Signal(cfg.lanes)
        m.d.comb += own.eq(turned)
        if cfg.topology == "sparse":
            # rotating left by the place of the block is choosing from the other end
            choice = words[3][:GRANULE].word_select(self._place(stages[3].block), cfg.lanes)
            m.d.comb += minus.eq(choice)
        for number, lane in enumerate(lanes):
            m.d.comb += [
                lane.key.eq(key),
                lane.own.eq(own),
                lane.tap_minus.eq(minus[number]),
                lane.value.eq(value_4),
            ]

    def _rounding(self, m, lanes, stages):
        """Stage 4: a random word for each granule, in steps and in updates."""
        cfg = self.config
        if cfg.rounding is not Rounding.STOCHASTIC:
            return
        init = xorshift32(cfg.random_state)
        m.submodules.random = random = Xorshift32(init)
        four = stages[4]
        sub = place_bits(cfg)
        draws = four.valid & ((four.kind == Kind.LEAK) | (four.kind == Kind.UPDATE))
        ends = four.block[:sub].all() if sub else Const(1)
        m.d.comb += [random.step.eq(draws & ends), random.set.eq(self.clear), random.value.eq(init)]
        turned = Signal(32)
        m.d.comb += turned.eq(self._turned(random.word, four.block))
        for lane in lanes:
            m.d.comb += lane.random.eq(turned)

    def _place(self, block) -> Value:
        """Number of a block within its granule."""
        sub = place_bits(self.config)
        return block[:sub] if sub else Const(0, 1)

    def _turned(self, word, block) -> Value:
        """A granule's word, rotated left to the first unit of a block."""
        cfg = self.config
        count = GRANULE // cfg.lanes
        return Array(word.rotate_left(cfg.lanes * n) for n in range(count))[self._place(block)]

    # -- readout ----------------------------------------------------------------------------------

    def _weights(self, m, lanes, stages):
        """Weight memory: output by output, a word of lanes for each block."""
        cfg = self.config
        bits = (cfg.blocks - 1).bit_length()
        width = cfg.lanes * cfg.weight_bits
        m.submodules.weights = weights = memory.Memory(
            shape=width, depth=max(cfg.blocks * cfg.outputs, 2), init=self._initial_words()
        )
        write, read = weights.write_port(), weights.read_port()

        def address(step):
            return Cat(step.block[:bits], step.output)[: len(read.addr)]

        six = stages[schedule.WRITE]
        updates = (six.kind == Kind.UPDATE) | ((six.kind == Kind.HOST) & self._write)
        m.d.comb += [
            read.addr.eq(address(stages[1])),
            write.en.eq(six.valid & updates),
            write.addr.eq(address(six)),
            write.data.eq(Cat(lane.weight_out for lane in lanes)),
            self.weight_write.eq(write.en),
            self.weight_write_address.eq(write.addr),
            self.weight_write_data.eq(write.data),
        ]
        for number, lane in enumerate(lanes):
            word = read.data.word_select(number, cfg.weight_bits)
            m.d.comb += lane.weight.eq(word.as_signed())
        lane_bits = (cfg.lanes - 1).bit_length()
        outs = Array(lane.weight_out for lane in lanes)
        m.d.comb += self.host_value.eq(outs[self._unit[:lane_bits]] if lane_bits else outs[0])
        with m.If(six.valid & six.end & (six.kind == Kind.UPDATE)):
            m.d.comb += self.done.eq(1)

    def _initial_words(self):
        """Readout weights as words of the lanes."""
        if self.weights is None:
            return []
        bits = self.config.weight_bits
        mask = (1 << bits) - 1
        return [
            sum((int(value) & mask) << number * bits for number, value in enumerate(word))
            for word in self.weights.reshape(-1, self.config.lanes)
        ]

    def _totals(self, m, lanes, stages):
        """Sum over the lanes and blocks of an output, rounded and clipped."""
        cfg = self.config
        m.submodules.tree = tree = AdderTree(
            lanes=cfg.lanes, width=product_bits(cfg), total_width=cfg.total_bits
        )
        for number, lane in enumerate(lanes):
            m.d.comb += tree.inputs[number].eq(lane.product)
        tail = schedule.decoder_tail(cfg)
        total, value = Signal(signed(cfg.total_bits)), Signal(signed(cfg.output_bits))
        m.d.sync += total.eq(Mux(stages[tail - 2].first, 0, total) + tree.total)
        drop = cfg.state.fraction + cfg.weight_fraction - cfg.output_fraction
        rounded = Signal(signed(cfg.total_bits + max(-drop, 0) + 1))
        m.d.comb += rounded.eq(shift_round(total, drop))
        m.d.sync += value.eq(saturate(rounded, cfg.u))
        last = stages[tail]
        m.d.comb += [
            self.found.eq(last.valid & last.last & (last.kind == Kind.DOT)),
            self.found_output.eq(last.output),
            self.found_value.eq(value),
        ]
        with m.If(self.found & last.end):
            m.d.comb += self.done.eq(1)
