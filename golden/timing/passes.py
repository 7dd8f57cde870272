"""The clock of all that the passes of a program put out or write, pass after pass."""

from collections import defaultdict

import numpy as np

from ..core import Core
from ..data.words import sample_words, words_of
from ..layers.init import GROUP, init_groups
from ..program.commands import Command, Op, Space
from ..program.passes import KERNELS, errors_of, pull_of, reservoir_of
from ..program.program import (
    ARRIVE,
    COEFFICIENT,
    COEFFICIENTS,
    COMMAND_RESPONSE,
    COMMAND_START,
    COMMAND_STEP,
    decoded_latencies,
    done_latency,
    kernels_latency,
    program,
    pull_latency,
    reservoir_latency,
    similarity_latency,
    softmax_latency,
    stages,
    start_program,
    total_latency,
)
from ..program.stalls import End
from ..program.traces import STREAMS, Channel, channels, traces
from ..program.walk import Store, Then
from .access import Access
from .beside import Beside


class Schedule:
    """Walks programs through time; see `hebbware.golden.timing.schedule.predict`."""

    VECTORS = (Store.A, Store.Z, Store.MAP, Store.CELLS, Store.D)

    def __init__(self, core: Core, *, seed=0, stalls=None):
        stalls = stalls or {}
        self.core, self.config, self.layout = core, core.config, core.layout
        self.access = Access(core)
        self.at = stages(core.config)
        self.channels = {name: Channel() for name in channels(core.config)}
        self.shown = {trace.space: trace.channel for trace in traces(core.config).values()}
        self.ends = {name: End(seed, name, stalls.get(name, 0)) for name in STREAMS}
        self.flags = {name for p in program(core.config) for name in p.waits}
        self.done = defaultdict(int)  # first clock in which a pass counts as done
        self.softmax_free = 0
        self.moved = []  # clocks of all result words
        self.banks = [0, 0]  # first clock in which each bank of the loader is free
        self.last_word = 0  # transfer of the latest word of the sample stream
        self.last_command = 0
        self.free = 0  # first clock in which the core may take a sample or a command
        self.settled = 0  # first clock in which no step is under way
        self.beside = Beside(self) if core.config.update.overlap else None
        self.latest = 0
        self.result = 0  # class of the latest sample
        # what follows from the last step of a pass whose totals, or inputs, something takes
        self.followers = {
            Then.KERNELS: self._kernels,
            Then.SOFTMAX: self._similar,
            Then.COEFFICIENTS: self._coefficients,
            Then.PROJECTED: self._projected,
            Then.RESULTS: self._results,
        }

    # -- input ------------------------------------------------------------------------------------

    def load(self, index: int, x=None) -> int:
        """Clock in which sample number `index` is complete in its bank; `x` of runs alone."""
        end, bank = self.ends["samples"], index % 2
        words = sample_words(self.config)
        if self.config.input.runs:
            words = words_of(self.config, x).size + 1
        for word in range(words):
            offered = end.go(self.last_word) + 1
            self.last_word = max(offered, self.banks[bank]) if word == 0 else offered
        return self.last_word + 1

    def release(self, index: int):
        """The bank of sample number `index`, which the core has just finished, is free."""
        self.banks[index % 2] = max(self.free, self.beside.listed if self.beside else 0)

    # -- one sample -------------------------------------------------------------------------------

    def sample(self, x, label, full: int) -> int:
        """Walk the program for a sample that is complete at clock `full`; returns its class."""
        clock = max(self.free, full) + 1
        if self.beside:
            self.beside.begin(x)
        for made in self.core.walk(x, label):
            clock = self._pass(made, clock, label is not None)
        self.free = clock + 1
        self._until(self.free)
        self.access.inferred += label is None
        return self.result

    def _pass(self, made, clock, learn):
        """A pass that may start at `clock`; returns when the next one may."""
        p, pace = made.of, made.of.walk.pace
        if p.walk.beside:
            self.beside.walk(made)
            return clock
        if p.walk.chases:
            return self._chase(made, clock)
        clock = max([clock, *(self.done[name] for name in p.waits)])
        steps = p.walk.steps(made.rows)
        if steps:
            last = clock + pace * steps - 1
            self._record(made, clock, pace * steps)
            self.settled = last + 1 + self.at.settled
            self._issued(made, clock, last)
            self._follow(made, last, learn)
        return clock + max(pace * steps, 1)

    def _chase(self, made, clock):
        """Each part of a block of a pass waits until a pass beside has changed its weights."""
        begun, lower = None, self.beside.lower
        for block, ready in enumerate(self.beside.passed):
            for part, steps in enumerate((lower, made.rows - lower)):
                if steps:
                    clock = max(clock, ready[part])
                    begun = clock if begun is None else begun
                    clock += steps
            for w in made.written:
                place = self._place(w.store, w.layer) + np.arange(block, block + 1)
                word = self.layout.form(w.store, w.layer, w.values.size).pack(w.values)[[block]]
                self._write("trace.vectors", clock - 1, place, word, 1)
        self.settled = clock + self.at.settled
        self._issued(made, begun, clock - 1)
        return clock

    def _issued(self, made, first, last):
        """The steps of a pass are issued from clock `first` to clock `last`."""
        p = made.of
        self._until(last + self.at.settled)
        self._until(last + done_latency(self.config, p.walk), p.name)
        if self.beside:
            self.beside.issued(p, last)

    def _follow(self, made, last, learn):
        """What takes the totals of a pass, whose last step is issued at clock `last`."""
        if made.of.walk.then in self.followers:
            self.followers[made.of.walk.then](made, last, learn)

    def _until(self, clock, *names):
        """The core is busy up to `clock`, in which what has these names is done."""
        self.done.update(dict.fromkeys(names, clock))
        self.latest = max(self.latest, clock)

    def _record(self, made, clock, clocks):
        """The words that a pass writes, evenly, in so many clocks from `clock` on."""
        walk, layout = made.of.walk, self.layout
        for store, layer, rows, values in made.written:
            if store not in walk.writes:
                continue  # by what follows
            if store in self.VECTORS:
                form, place = layout.form(store, layer, values.size), self._place(store, layer)
                addresses = np.arange(form.words)
                if store is Store.MAP and form.groups > 1:  # place by place, seen by all groups
                    addresses = np.arange(form.places) // form.groups
                    form = form._replace(groups=1)
                words = layout.copied(layer, form.pack(values.ravel()), form)
                self._write("trace.vectors", clock, place + addresses, words, clocks)
                continue
            coded, form = store is Store.MEMORY, layout.form_of(store, layer)
            words = self.access.coded(values, layer, rows) if coded else form.pack(values)
            words = layout.copied(layer, words, form)
            if walk.row_inner:
                words = words.swapaxes(0, 1)  # (blocks, rows, lanes)
            addresses = self._addresses(walk, rows)
            self._write(f"trace.{store}", clock, addresses, words, clocks)

    def _addresses(self, walk, rows):
        """Of the words that a pass writes into these rows of its layer."""
        return walk.addresses(rows)

    def _place(self, store, layer):
        """Address of a vector's first block in the trace of vectors."""
        layout = self.layout
        first = layout.vector_bases
        bases = {Store.MAP: layout.map_bases, Store.CELLS: layout.cell_bases}.get(store, first)
        before = {Store.A: 0, Store.D: first[-1] + layout.kept_blocks}.get(store, first[-1])
        return before + bases[layer]

    def _write(self, channel, clock, addresses, words, clocks):
        """Words written at the end of equal parts of so many clocks from `clock` on."""
        each = clocks // addresses.size
        ends = clock - 1 + self.at.write + each * (1 + np.arange(addresses.size))
        self.channels[channel].add(ends, addresses.ravel(), words.reshape(addresses.size, -1))

    # -- what follows from a pass, whose last step is issued at clock `last` -----------------------

    def _numbers(self, made, store, channel, clocks, base=0):
        """Records of single numbers that something has written, at these clocks."""
        for written in made.written:
            if written.store is store:
                rows = np.arange(clocks.size) if written.rows is None else written.rows
                self.channels[channel].add(clocks.ravel(), base + rows, written.values.ravel())

    def _kernels(self, made, last, learn):
        """The inputs have been walked once, in the first block's steps: kernels of the window."""
        if made.time or not learn:
            return
        samples, steps = self.config.memory.window, made.rows * made.of.walk.blocks
        finished = last - steps + made.rows + kernels_latency(self.config)
        self._until(finished, KERNELS)
        clocks = finished - samples + np.arange(samples)
        self._numbers(made, Store.KERNELS, "trace.kernels", clocks)

    def _arrived(self, last):
        """Clock in which the last total is in the buffer of what takes it."""
        return last + total_latency(self.config) + ARRIVE

    def _similar(self, made, last, learn):
        self._errors(made, self._arrived(last))

    def _errors(self, made, arrived):
        """Errors of a pass whose last similarity, or score, is there; when they are."""
        layer, count = made.of.layer, self.config.classes
        finished = max(arrived, self.softmax_free) + softmax_latency(self.config)
        self.softmax_free = finished
        self._until(finished, errors_of(layer))
        clocks = finished - count - 2 + np.arange(count)
        self._numbers(made, Store.ERRORS, "trace.errors", clocks, layer * count)
        return finished

    def _projected(self, made, last, learn):
        """Similarities of the projection, errors, v, then the reservoir's step and readout."""
        cfg, layer = self.config, made.of.layer
        arrived = self._arrived(last) + similarity_latency(cfg)
        pull = self._errors(made, arrived) + pull_latency(cfg)
        self._until(pull, pull_of(layer))
        self._until(pull + reservoir_latency(cfg), reservoir_of(layer))
        clocks = pull + np.add.outer(decoded_latencies(cfg), np.arange(cfg.memory.projection))
        self._numbers(made, Store.DECODED, f"trace.reservoir_{layer}", clocks)

    def _coefficients(self, made, last, learn):
        arrived, layer = self._arrived(last), made.of.layer
        rows, blocks = np.arange(self.config.memory.window), made.of.walk.blocks
        clocks = arrived + COEFFICIENT + blocks * (rows - rows[-1])
        self._numbers(made, Store.ERRORS, "trace.coefficients", clocks, layer * rows.size)
        self._until(arrived + COEFFICIENTS, errors_of(layer))

    def _results(self, made, last, learn):
        """The results are put out, and errors made if the sample is learned."""
        arrived = self._arrived(last)
        self._put_out(made, arrived)
        if learn:
            self._errors(made, arrived)

    def _put_out(self, made, offered):
        """The results are put out, from clock `offered` on."""
        moved = []
        for _ in range(self.config.classes + 1):
            moved.append(self.ends["results"].go(offered))
            offered = moved[-1] + 1
        self.moved += moved
        self._until(offered, "results")
        scores = made.values(Store.RESULTS)
        if scores is not None:
            self.result = int(scores.argmax())
            words = np.concatenate([[self.result], scores])
            self.channels["results"].add(moved, np.zeros(len(moved), np.int64), words)

    # -- commands ---------------------------------------------------------------------------------

    def offer(self, command: Command) -> int | None:
        """Clock from which `command` is on offer; None if its time depends on later samples."""
        if command.after > len(self.moved):
            return None
        held = self.moved[command.after - 1] + 1 if command.after else 0
        return self.ends["commands"].go(max(self.last_command, held)) + 1

    def command(self, command: Command, offered: int):
        """Carry out a command on offer from clock `offered`."""
        done = [self.done[name] for name in self.flags]
        taken = max([offered, self.free, self.settled, *done])
        self.last_command = taken
        response, written = self.access.execute(command)
        if command.op == Op.START:
            ready = self.start(taken + COMMAND_START) + 1
        elif command.space in (Space.WEIGHT, Space.MEMORY):
            ready = taken + self.at.read_back + COMMAND_RESPONSE
            if written is not None:
                clock = taken + COMMAND_STEP + self.at.write
                written = self._shown(command.space, command.address, written)
                self.channels[self.shown[command.space]].add(clock, command.address, [written])
        else:
            ready = taken + COMMAND_RESPONSE
        moved = self.ends["responses"].go(ready)
        self.channels["responses"].add(moved, 0, [[response]])
        self.free = moved + 1
        self.latest = max(self.latest, self.free)

    def _shown(self, space, address, word):
        """A word that a command has written, as all lanes have it."""
        store = Store.WEIGHTS if space == Space.WEIGHT else Store.MEMORY
        bases = self.layout.weight_bases if space == Space.WEIGHT else self.layout.memory_bases
        layer = int(np.searchsorted(bases, address, side="right")) - 1
        return self.layout.copied(layer, word, self.layout.form_of(store, layer))

    # -- start ------------------------------------------------------------------------------------

    def start(self, clock: int = 0) -> int:
        """Walk the start program from `clock`; returns the first clock in which the core is free.

        Lanes hold 0 until their group has its turn, whatever they held before.
        """
        words = {
            Store.WEIGHTS: self.access.weight_words(),
            Store.MEMORY: self.access.memory_words(),
        }
        for group in range(init_groups(self.config)):
            started = np.arange(self.config.lanes) < (group + 1) * GROUP
            for p in start_program(self.config):
                (store,), each, count = p.walk.writes, p.walk.pace, p.walk.count * p.walk.blocks
                addresses = p.walk.addresses(np.arange(p.walk.count)).ravel()
                form = self.layout.form_of(store, p.layer)
                final = words[store][addresses] * started
                final = self.layout.copied(p.layer, final, form)
                self._write(f"trace.{store}", clock, addresses, final, each * count)
                clock += each * count
            clock += self.at.settled
        self.free = clock
        self.latest = max(self.latest, clock)
        return clock
