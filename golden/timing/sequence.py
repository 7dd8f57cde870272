"""The clock of all that a core of sequences puts out or writes.

A tick takes the place of a sample in `hebbware.golden.timing.schedule`: its inputs and a word for
its label are loaded into a bank, which is released when its passes are through. Commands are
carried out between sequences: one that is on offer when the first tick of a sequence could start
goes first. Results are put out after the last tick, those of signals after each tick that has some.
"""

import numpy as np

from ..neurons.spiking import passing, threshold
from ..program.passes import SPIKES, TRACED, errors_of
from ..program.program import SQUARED, SQUARED_ERROR, list_latency
from ..program.walk import Common, Rows, Store
from ..sequence import learned_ticks, ticks_with
from .passes import Schedule


class SequenceSchedule(Schedule):
    """Walks the programs of ticks through time; see `hebbware.golden.timing.schedule.predict`."""

    VECTORS = (Store.A, Store.Z, Store.TRACES, Store.D)

    def __init__(self, core, **options):
        super().__init__(core, **options)
        self.ticks = 0  # loaded so far

    def load(self, index, x=None):
        """Clock in which the first tick of a sequence is complete in its bank."""
        return self._next()

    def _next(self):
        self.ticks += 1
        return super().load(self.ticks - 1)

    def sample(self, x, label, full):
        """Walk all ticks of a sequence, whose first one is complete at clock `full`."""
        neuron, clock, time = self.config.neuron, 0, None
        closes = neuron.ticks - (neuron.target if self.config.signal else 1)
        targets = ticks_with(self.config, label)
        self.spikes = 0  # of the tick before
        for made in self.core.walk(x, label):
            if made.time != time:
                if time is not None:
                    self._release(clock)
                    full = self._next()
                clock, time = max(self.free, full) + 1, made.time
                self.closes = time >= closes
                learn = targets is not None and bool(learned_ticks(targets)[time])
            clock = self._pass(made, clock, learn)
        self._release(clock)
        self.access.inferred += label is None
        return self.result

    def _release(self, clock):
        """The passes of a tick are through at `clock`."""
        self.spikes = self.fresh
        self.free = clock + 1
        self._until(self.free)
        self.banks[(self.ticks - 1) % 2] = self.free

    def release(self, index):
        """Nothing: the banks have been released tick by tick."""

    def _addresses(self, walk, rows):
        # rows of the units are walked from their own base on
        return walk.addresses(rows - self.config.inputs * walk.of_units)

    def _place(self, store, layer):
        layout = self.layout
        return {
            Store.A: 0,
            Store.Z: layout.vector_bases[-1],
            Store.TRACES: layout.vector_bases[-1] + layout.trace_bases[layer],
            Store.D: layout.vector_bases[-1] + layout.kept_blocks,
        }[store]

    def _follow(self, made, last, learn):
        super()._follow(made, last, learn)
        walk = made.of.walk
        # without spikes in the tick before the first of both passes makes the new ones
        alone = walk.leaks and Store.A in walk.writes and not self.spikes
        if walk.rows is Rows.SPIKES or alone:
            potentials = made.values(Store.A)
            spikes = self.layout.lanes_of(potentials >= threshold(self.config)).sum(axis=1)
            self._until(last + list_latency(self.config, spikes), SPIKES)
            self.fresh = int(spikes.sum())
        if Store.TRACES in walk.writes and learn and self.config.learns_hidden:
            rows = passing(made.values(Store.TRACES), self.config.lanes)
            found = np.bincount(rows // self.config.lanes)
            if walk.common is Common.SPIKE:  # of the units, after the inputs
                found = np.concatenate([self.traced, found])
                self._until(last + list_latency(self.config, found), TRACED)
            self.traced = found

    def _errors(self, made, arrived):
        if not self.config.signal:
            return super()._errors(made, arrived)
        layer, walk = made.of.layer, made.of.walk
        self._until(arrived + SQUARED, errors_of(layer))
        clocks = arrived + SQUARED_ERROR + walk.blocks * (np.arange(walk.count) - walk.count + 1)
        self._numbers(made, Store.ERRORS, "trace.errors", clocks, layer * walk.count)
        return arrived + SQUARED

    def _put_out(self, made, arrived):
        if self.closes:
            super()._put_out(made, arrived)
