"""The clock of all that the core puts out or writes, from configuration, data and handshakes.

`predict` runs a `Core` on a sequence of samples and commands and walks the program beside it. The
result holds, for each channel of the core, the clock, the address and the value of each record.
Clock numbers and the rules of the handshakes are those of `hebbware.golden.stalls`.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from .access import Access
from .commands import Command, Op, Space
from .core import Core
from .init import GROUP, init_groups
from .memory import KINDS
from .passes import KERNELS, errors_of, pull_of, reservoir_of
from .program import (
    ARRIVE,
    COEFFICIENT,
    COEFFICIENTS,
    COMMAND_RESPONSE,
    COMMAND_START,
    COMMAND_STEP,
    decoded_latencies,
    done_latency,
    kernels_latency,
    passes_of_sample,
    program,
    pull_latency,
    reservoir_latency,
    similarity_latency,
    softmax_latency,
    stages,
    start_program,
    total_latency,
)
from .samples import optional_labels, samples_of
from .stalls import End
from .traces import STREAMS, channels, traces
from .walk import Skip, Store, Then

VECTORS = (Store.A, Store.Z, Store.D)


@dataclass
class Channel:
    """Records of one channel: clocks ``(n,)``, addresses ``(n,)``, values ``(n, lanes)``."""

    parts: list = field(default_factory=list)

    def add(self, clocks, addresses, values):
        """Append records; `values` has one row for each."""
        values = np.asarray(values, np.int64)
        clocks = np.atleast_1d(np.asarray(clocks, np.int64))
        self.parts.append((clocks, np.atleast_1d(addresses), values.reshape(clocks.size, -1)))

    def arrays(self):
        """Everything, in the order of the clocks."""
        if not self.parts:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 1), np.int64)
        clocks, addresses, values = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        order = np.argsort(clocks, kind="stable")
        return clocks[order], addresses[order], values[order]


@dataclass(frozen=True)
class Prediction:
    """What the core will do.

    Attributes
    ----------
    channels : dict
        `Channel` by name, see `hebbware.golden.traces.channels`.
    classes : array
        Class of each sample.
    clocks : int
        First clock after everything.
    sample_clocks : array
        Clock in which each sample's bank is released: differences are clocks per sample.
    """

    channels: dict[str, Channel]
    classes: np.ndarray
    clocks: int
    sample_clocks: np.ndarray


class Schedule:
    """Walks programs through time; see `predict`."""

    def __init__(self, core: Core, *, seed=0, stalls=None):
        stalls = stalls or {}
        self.core, self.config, self.layout = core, core.config, core.layout
        self.access = Access(core)
        self.at = stages(core.config)
        self.program = program(core.config)
        self.channels = {name: Channel() for name in channels(core.config)}
        self.shown = {trace.space: trace.channel for trace in traces(core.config).values()}
        self.ends = {name: End(seed, name, stalls.get(name, 0)) for name in STREAMS}
        self.projected = KINDS[core.config.memory].projected
        self.flags = {name for p in self.program for name in p.waits}
        self.done = defaultdict(int)  # first clock in which a pass counts as done
        self.softmax_free = 0
        self.moved = []  # clocks of all result words
        self.banks = [0, 0]  # first clock in which each bank of the loader is free
        self.last_word = 0  # transfer of the latest word of the sample stream
        self.last_command = 0
        self.free = 0  # first clock in which the core may take a sample or a command
        self.settled = 0  # first clock in which no step is under way
        self.latest = 0
        core.observer = self._observe
        self.seen = {}

    def _observe(self, name, layer, **arrays):
        """Keep what the golden core's pass produced, copied, until the program comes to it."""
        seen = {key: np.array(value) for key, value in arrays.items()}
        self.seen.setdefault(f"{name}{layer}", []).append(seen)  # one for each time step

    # -- input ------------------------------------------------------------------------------------

    def load(self, index: int) -> int:
        """Clock in which sample number `index` is complete in its bank."""
        end, bank = self.ends["samples"], index % 2
        for word in range(self.config.inputs + 1):
            offered = end.go(self.last_word) + 1
            self.last_word = max(offered, self.banks[bank]) if word == 0 else offered
        return self.last_word + 1

    # -- one sample -------------------------------------------------------------------------------

    def sample(self, x, label, full: int) -> int:
        """Walk the program for a sample that is complete at clock `full`; returns its class."""
        learn = label is not None
        self.seen = {}
        self.slot = self.core.learned % self.config.window  # of the sample, where there are slots
        result, scores = self.core.learn(x, label) if learn else self.core.infer(x)
        clock = max(self.free, full) + 1
        for time, p in passes_of_sample(self.config, learn):
            clock = max([clock, *(self.done[name] for name in p.waits)])
            steps, pace = self._steps(p, x), p.walk.pace
            if steps:
                if p.walk.then is Then.KERNELS and time == 0 and learn:
                    self._weigh(clock + steps // p.walk.blocks - 1)
                self._record(p, clock + pace - 1, steps, time)
                self._finish(p, clock + pace * steps - 1, learn, result, scores)
                self.settled = clock + pace * steps + self.at.settled
            clock += max(pace * steps, 1)
        self.free = clock + 1
        self.latest = max(self.latest, self.free)
        self.access.inferred += not learn
        return result

    def _steps(self, p, x) -> int:
        inputs = np.count_nonzero(x != self.config.x_zero)
        skip = p.walk.skip
        errors = np.count_nonzero(self._errors(p.layer)) if skip is Skip.NO_ERRORS else 0
        return p.walk.blocks * p.walk.rows_walked(inputs, errors, p.name in self.seen)

    def _weigh(self, last):
        """The kernels of a sample whose inputs have been walked once, up to clock `last`."""
        samples, finished = self.config.window, last + kernels_latency(self.config)
        self.done[KERNELS] = finished
        slots = (self.slot - np.arange(samples)) % samples
        clocks = finished - samples + np.arange(samples)
        weights = self.seen[f"{KERNELS}0"][0]["weights"]
        self.channels["trace.kernels"].add(clocks, slots, weights[slots])
        self.latest = max(self.latest, finished)

    def _errors(self, layer):
        return self.seen[f"error{layer}"][0]["values"]

    def _record(self, p, first, steps, time):
        """The writes of pass `p` in step `time`; the first of its `steps` is issued at `first`."""
        layout, walk = self.layout, p.walk
        if not walk.writes:
            return
        seen = self.seen[p.name][min(time, len(self.seen[p.name]) - 1)]
        (store,) = walk.writes
        if store in VECTORS:
            words = layout.lanes_of(seen[store])
            each = steps // len(words)  # steps from one block's word to the next
            clocks = first + self.at.write + each * np.arange(1, len(words) + 1) - 1
            place = VECTORS.index(store) * layout.vector_bases[-1] + layout.vector_bases[p.layer]
            self.channels["trace.vectors"].add(clocks, place + np.arange(len(words)), words)
            return
        rows = np.asarray(seen.get("rows", np.arange(walk.count)))
        if store is Store.MEMORY:
            words = self.access.coded(seen["memory"], p.layer)[rows]
        else:
            words = layout.lanes_of(seen["weights"][rows])
        addresses = walk.addresses(rows)
        if walk.row_inner:
            words = words.swapaxes(0, 1)  # (blocks, rows, lanes)
        self._write(f"trace.{store}", first, addresses, words, walk.pace)

    def _write(self, channel, first, addresses, words, each=1):
        addresses = addresses.ravel()
        clocks = first + self.at.write + each * np.arange(addresses.size)
        self.channels[channel].add(clocks, addresses, words.reshape(addresses.size, -1))

    def _finish(self, p, last, learn, result, scores):
        """When pass `p`, its last step issued at clock `last`, is done; what follows from it."""
        cfg = self.config
        self.done[p.name] = last + done_latency(cfg, p.walk)
        self.latest = max(self.latest, last + self.at.settled, self.done[p.name])
        if not p.walk.total or p.walk.then is Then.STATISTICS or p.walk.then is Then.NOTHING:
            return
        arrived = last + total_latency(cfg) + ARRIVE
        if p.walk.then is Then.COEFFICIENTS:
            self._coefficients(p, arrived)
            return
        if p.walk.then is Then.PROJECTED:
            arrived += similarity_latency(cfg)
        if p.walk.then is Then.RESULTS:
            self._emit(arrived, result, scores)
            if not learn:
                return
        finished = max(arrived, self.softmax_free) + softmax_latency(cfg)
        self.softmax_free = self.done[errors_of(p.layer)] = finished
        classes = np.arange(cfg.classes)
        clocks = finished - cfg.classes - 2 + classes
        self.channels["trace.errors"].add(
            clocks, p.layer * cfg.classes + classes, self._errors(p.layer)
        )
        self.latest = max(self.latest, finished)
        if p.walk.then is Then.PROJECTED:
            self._reservoir(p.layer, finished)

    def _reservoir(self, layer, errors):
        """What follows from the errors' being there: v, then the reservoir's step and readout."""
        cfg = self.config
        pull = errors + pull_latency(cfg)
        self.done[pull_of(layer)] = pull
        self.done[reservoir_of(layer)] = pull + reservoir_latency(cfg)
        self.latest = max(self.latest, self.done[reservoir_of(layer)])
        if seen := self.seen.get(reservoir_of(layer)):
            read = seen[0]["read"]
            clocks = pull + np.add.outer(decoded_latencies(cfg), np.arange(cfg.projection))
            self.channels[f"trace.reservoir_{layer}"].add(
                clocks.ravel(), np.arange(read.size), read.ravel()
            )

    def _coefficients(self, p, arrived):
        """The coefficients of layer `p.layer`, whose last similarity is there at `arrived`."""
        rows, blocks = np.arange(self.config.window), self.layout.blocks(p.layer)
        clocks = arrived + COEFFICIENT + blocks * (rows - rows[-1])
        self.channels["trace.coefficients"].add(
            clocks, p.layer * rows.size + rows, self._errors(p.layer)
        )
        self.done[errors_of(p.layer)] = arrived + COEFFICIENTS
        self.latest = max(self.latest, arrived + COEFFICIENTS)

    def _emit(self, offered, result, scores):
        moved = []
        for _ in range(self.config.classes + 1):
            moved.append(self.ends["results"].go(offered))
            offered = moved[-1] + 1
        self.moved += moved
        self.channels["results"].add(
            moved, np.zeros(len(moved), np.int64), [[result], *([s] for s in scores)]
        )
        self.done["results"] = moved[-1] + 1
        self.latest = max(self.latest, offered)

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
                self.channels[self.shown[command.space]].add(clock, command.address, [written])
        else:
            ready = taken + COMMAND_RESPONSE
        moved = self.ends["responses"].go(ready)
        self.channels["responses"].add(moved, 0, [[response]])
        self.free = moved + 1
        self.latest = max(self.latest, self.free)

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
                addresses = p.walk.base + np.arange(count)
                final = words[store][addresses] * started
                self._write(f"trace.{store}", clock + each - 1, addresses, final, each)
                clock += each * count
            clock += self.at.settled
        self.free = clock
        self.latest = max(self.latest, clock)
        return clock


def predict(
    config, x, labels, *, commands=(), seed=0, stalls=None, core=None, progress=None
) -> Prediction:
    """Everything the core does with the samples `x` (rows) and `labels` (None: infer only).

    Parameters
    ----------
    config : CoreConfig
    x : int array (n, inputs)
    labels : sequence of int or None
    commands : sequence of Command
        In the order in which they are offered.
    seed, stalls
        Of the streams' ends, see `hebbware.golden.stalls`.
    core : Core, optional
        Receives the state after the last sample.
    progress : callable, optional
        Called with the number of samples done.

    Raises
    ------
    InputError
        Samples or labels that the core does not take (`hebbware.golden.samples`).
    """
    x = samples_of(x, config.inputs, config.x.max)
    labels = optional_labels(labels, config.classes, len(x))
    schedule = Schedule(core or Core(config), seed=seed, stalls=stalls)
    schedule.start()
    pending, classes, released = list(commands), [], []
    for index in range(len(x) + 1):
        last = index == len(x)
        full = None if last else schedule.load(index)
        while pending:
            offered = schedule.offer(pending[0])
            # a command that is on offer when the sample could start goes first
            if offered is None or not (last or offered <= max(schedule.free, full)):
                break
            schedule.command(pending.pop(0), offered)
        if last:
            break
        classes.append(schedule.sample(x[index], labels[index], full))
        schedule.banks[index % 2] = schedule.free
        released.append(schedule.free)
        if progress:
            progress(index + 1)
    schedule.core.observer = None
    return Prediction(
        schedule.channels, np.array(classes, int), schedule.latest, np.array(released)
    )
