"""The clock of passes that are walked beside the others, see `hebbware.golden.program.overlap`."""

import numpy as np

from ..program.overlap import (
    ahead_latency,
    chased,
    drawn_latency,
    early_layers,
    half,
    handover_latency,
)
from ..program.passes import AHEAD, SEEN, UPDATES
from ..program.program import done_latency
from ..program.walk import Kind


class Beside:
    """Walks the updates of a sample through time.

    Parameters
    ----------
    schedule : Schedule

    Attributes
    ----------
    free : int
        First clock in which the next step beside may be issued.
    passed : list of (int, int)
        Of each block of the first layer, and of the lower half of its inputs and the upper one,
        first clock in which a step may read its weights.
    lower : int
        Inputs of the sample at hand other than 0 in the lower half.
    listed : int
        First clock in which the inputs of the sample that is updated are not needed.
    """

    def __init__(self, schedule):
        self.schedule, self.config = schedule, schedule.config
        self.free = self.settled = self.drawn = self.listed = self.lower = 0
        self.passed = [(0, 0)] * schedule.layout.weight_blocks(0)
        self.last = f"{Kind.UPDATE}{len(self.config.hidden) - 1}"

    def begin(self, x):
        """A sample is begun."""
        lower = np.asarray(x)[: half(self.config)] != self.config.x_zero
        self.lower = np.count_nonzero(lower)

    def issued(self, p, clock: int):
        """The last step of a pass is issued."""
        early = early_layers(self.config)
        if p.kind is Kind.HANDOVER:
            self._hand(p.layer, clock)
        if early and (p.kind, p.layer) in ((Kind.HANDOVER, 0), (Kind.MEMORY, early[-1])):
            self.handed, self.words = clock, 0
            self._move_on()

    def _hand(self, layer, clock):
        """The handover of that layer is issued: the first one, or that of the readout."""
        latency = handover_latency(self.config)
        if layer == chased(self.config):
            self.listed = clock + 1
        if layer == len(self.config.hidden):  # what was drawn before must be drawn
            self.free = max(clock + latency, self.free + 1, self.drawn)
        else:
            self.free = clock + latency

    def _move_on(self):
        done = self.handed + ahead_latency(self.config, self.words)
        self.schedule._until(done, AHEAD)

    def walk(self, made):
        """A pass beside, in the order of the program."""
        schedule, p = self.schedule, made.of
        clock = max([self.free, *(schedule.done[name] for name in p.waits)])
        steps = p.walk.steps(made.rows)
        self.free = clock + max(steps, 1)
        if steps:
            schedule._record(made, clock, steps)
            schedule._issued(made, clock, self.free - 1)
            self.settled = self.free + schedule.at.settled
            self.drawn = self.free - 1 + drawn_latency(self.config)
        if p.layer in early_layers(self.config):
            self.words += steps
            self._move_on()
        if p.layer == 0 and p.kind is Kind.UPDATE:
            self.listed = self.free
            self.passed = [self._passed(made, clock + block * made.rows) for block in self._blocks]
        if p.name == self.last:
            schedule._until(self.free, SEEN)
            schedule._until(max(self.free, self.settled) + 1, UPDATES)

    @property
    def _blocks(self):
        return range(len(self.passed))

    def _passed(self, made, first):
        """When both parts of a block may be read, whose first step is issued at clock `first`."""
        if not made.rows:
            return self.free, self.free
        ready = first - 1 + done_latency(self.config, made.of.walk)
        whole = ready + made.rows
        return ready + self.lower if self.lower else whole, whole
