"""The clock of all that a core of sequences puts out or writes.

A tick takes the place of a sample in `hebbware.golden.timing.schedule`: its inputs and a word for
its label are loaded into a bank, which is released when its passes are through. Commands are
carried out between sequences: one that is on offer when the first tick of a sequence could start
goes first. Results are put out after the last tick.
"""

import numpy as np

from ..neurons.spiking import threshold
from ..program.passes import SPIKES
from ..program.program import spikes_latency
from ..program.walk import Rows, Store
from .passes import Schedule


class SequenceSchedule(Schedule):
    """Walks the programs of ticks through time; see `hebbware.golden.timing.schedule.predict`."""

    VECTORS = (Store.A, Store.Z, Store.TRACES, Store.D)

    def __init__(self, core, **options):
        super().__init__(core, **options)
        self.ticks = 0  # loaded so far

    def load(self, index):
        """Clock in which the first tick of a sequence is complete in its bank."""
        return self._next()

    def _next(self):
        self.ticks += 1
        return super().load(self.ticks - 1)

    def sample(self, x, label, full):
        """Walk all ticks of a sequence, whose first one is complete at clock `full`."""
        last, clock, time = self.config.neuron.ticks - 1, 0, None
        for made in self.core.walk(x, label):
            if made.time != time:
                if time is not None:
                    self._release(clock)
                    full = self._next()
                clock, time = max(self.free, full) + 1, made.time
                self.closes = time == last
            clock = self._pass(made, clock, made.values(Store.ERRORS) is not None)
        self._release(clock)
        self.access.inferred += label is None
        return self.result

    def _release(self, clock):
        """The passes of a tick are through at `clock`."""
        self.free = clock + 1
        self._until(self.free)
        self.banks[(self.ticks - 1) % 2] = self.free

    def release(self, index):
        """Nothing: the banks have been released tick by tick."""

    def _addresses(self, walk, rows):
        # a pass may walk a part of the rows, from its base on, but then all of these
        return walk.addresses(np.arange(rows.size))

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
        if made.of.walk.rows is Rows.SPIKES:
            potentials = made.values(Store.A)
            spikes = self.layout.lanes_of(potentials >= threshold(self.config)).sum(axis=1)
            self._until(last + spikes_latency(self.config, spikes), SPIKES)

    def _put_out(self, made, arrived):
        if self.closes:
            super()._put_out(made, arrived)
