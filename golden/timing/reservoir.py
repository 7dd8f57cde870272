"""The clock of all that the reservoir block puts out or writes.

Clock numbers and the rules of the handshakes are those of `hebbware.golden.program.stalls`. With
``b`` blocks (R / lanes), ``k`` non-zero inputs and ``t`` taps, a *job* that is started in clock s
issues one step per clock into the lane pipeline from s + 1 on and is done, its last write included,
in clock ``s + steps + tail``:

======== ================== ============================ =========================================
job      steps              tail                         writes
======== ================== ============================ =========================================
step     b (1 + k + t)      `WRITE`, tanh `TANH_WRITE`   each block's state, `tail` after its last
                                                         step was issued
decoder  b outputs          `WRITE` + tree               (each output, `tail` after its last step)
update   b                  `WRITE`                      a word of weights `WRITE` after its issue
command  1                  `WRITE`                      the same
======== ================== ============================ =========================================

A step of the reservoir is: its inputs are taken, one word in each clock in which one is offered;
the step job is started by the last of them; the decoder job in the clock after that one is done;
output words are offered from the second clock after the last job was done, one per clock; from the
clock after the last of them has moved, if it is learning: for each output one clock to look up what
it was, then its target is awaited, whose transfer starts the update job, which is awaited. In the
clock after all that the next inputs may be taken.

Before the first input word of a step, a command that is offered is taken first. Its transfer starts
the command job; the response is offered from the clock after that is done.
"""

from dataclasses import dataclass

import numpy as np

from ..data.samples import raw
from ..errors import InputError
from ..program.pipeline import tree_latency
from ..program.stalls import End
from ..program.traces import Channel, reservoir_traces
from ..reservoir.cell import ReservoirConfig
from ..reservoir.machine import Machine, Op, pack

WRITE = 6  # from the issue of a step to the clock in which its word is written
TANH_WRITE = 9  # the same for the state where tanh is looked up


def state_tail(config: ReservoirConfig) -> int:
    """From the issue of a block's last step to the clock in which its state is written."""
    return TANH_WRITE if config.activation == "tanh" else WRITE


def decoder_tail(config: ReservoirConfig) -> int:
    """From the issue of an output's last step to the clock in which it is known."""
    return WRITE + tree_latency(config.lanes)


def step_clocks(config: ReservoirConfig, used: int | None = None) -> int:
    """Clocks of a step whose streams never wait, without learning; `used` inputs are not zero."""
    used = config.inputs if used is None else used
    clocks = config.inputs + config.blocks * (1 + used + config.taps) + state_tail(config)
    if config.output == "state":
        return clocks + 1 + config.units
    clocks += 1 + config.blocks * config.outputs + decoder_tail(config)
    return clocks + 1 + config.outputs


@dataclass(frozen=True)
class Command:
    """A command of the stimulus: the fields of its word, see `hebbware.golden.reservoir.machine`.

    It is not offered before `after` words of `results` have been transferred in total.

    Raises
    ------
    InputError
        A number that its field cannot hold.
    """

    op: int
    address: int = 0
    data: int = 0
    after: int = 0

    def __post_init__(self):
        _ = self.word

    @property
    def word(self) -> int:
        """The command as the block gets it."""
        return pack(self.op, self.address, self.data)


@dataclass(frozen=True)
class Prediction:
    """What the block will do.

    Attributes
    ----------
    channels : dict
        `hebbware.golden.program.traces.Channel` by name: ``results``, ``responses``, and those of
        `hebbware.golden.program.traces.reservoir_traces`.
    results : int array (steps, R or outputs)
    machine : Machine
        As the run leaves it.
    clocks : int
        First clock after everything.
    """

    channels: dict[str, Channel]
    results: np.ndarray
    machine: Machine
    clocks: int


class _Source:
    """The words of a source, one after the other: when each is offered."""

    def __init__(self, end: End, holds):
        self.end, self.holds, self.next, self.last = end, holds, 0, 0

    def offered(self, moved) -> int | None:
        """First clock in which the next word is offered; None: not before more words `moved`."""
        if self.next >= len(self.holds):
            return None
        hold = self.holds[self.next]
        if hold > len(moved):
            return None
        after = moved[hold - 1] + 1 if hold else 0
        return self.end.go(max(self.last, after)) + 1

    def take(self, clock):
        self.last = clock
        self.next += 1


def stream_words(config: ReservoirConfig, inputs, targets=None) -> tuple[np.ndarray, np.ndarray]:
    """Raw inputs (steps, inputs) and targets (n, outputs), none by default, as arrays.

    Raises
    ------
    InputError
        Another shape, type or range.
    """
    inputs = raw("inputs", inputs, ("steps", config.inputs), config.input.min, config.input.max)
    targets = np.zeros((0, config.outputs), np.int64) if targets is None else targets
    targets = raw("targets", targets, ("steps", config.outputs), config.u.min, config.u.max)
    return inputs, targets


class _Schedule:
    """Walks the steps of a reservoir block through time; see `predict`."""

    def __init__(self, config, inputs, targets, commands, ends):
        self.config, self.commands, self.targets, self.ends = config, commands, targets, ends
        self.given = _Source(ends["inputs"], np.zeros(inputs.size, np.int64))
        self.wanted = _Source(ends["targets"], np.zeros(targets.size, np.int64))
        self.orders = _Source(ends["commands"], [command.after for command in commands])
        self.machine = Machine(config)
        traces = (trace.channel for trace in reservoir_traces(config).values())
        self.channels = {name: Channel() for name in ("results", "responses", *traces)}
        self.moved = []  # clocks of all result words
        self.free = 0  # first clock in which an input or a command may be taken
        self.bank, self.learned = 1, 0
        self.block = np.arange(config.blocks)

    def words(self, values):
        """Values of all units as words of the lanes."""
        return values.reshape(self.config.blocks, self.config.lanes)

    def carry_out(self):
        """Take the command that is on offer, and answer it."""
        command = self.commands[self.orders.next]
        clock = max(self.orders.offered(self.moved), self.free)
        self.orders.take(clock)
        response = self.machine.command(command.op, command.address, command.data)
        done = clock + 1 + WRITE
        if command.op == Op.WRITE and self.machine.holds(command.address):
            output, unit = divmod(command.address, self.config.units)
            at = unit // self.config.lanes
            word = self.words(self.machine.weights[output])[at].copy()
            self.channels["trace.weights"].add(done, output * self.config.blocks + at, word)
        answered = self.ends["responses"].go(done + 1)
        self.channels["responses"].add(answered, 0, [response])
        self.free = answered + 1

    def commands_first(self):
        """Carry out the commands that are on offer before the next input."""
        while (order := self.orders.offered(self.moved)) is not None:
            word = self.given.offered(self.moved)
            if word is not None and max(order, self.free) > max(word, self.free):
                break
            self.carry_out()

    def step(self, row):
        """Take an input, step and put out; return the result."""
        config, blocks = self.config, self.config.blocks
        for _ in row:
            self.free = max(self.given.offered(self.moved), self.free)
            self.given.take(self.free)
        each = 1 + np.count_nonzero(row) + config.taps
        written = self.free + (self.block + 1) * each + state_tail(config)
        state = self.words(self.machine.step(row))
        self.channels["trace.state"].add(written, self.bank * blocks + self.block, state)
        self.bank ^= 1
        clock = self.free + blocks * each + state_tail(config)
        if config.output == "state":
            result = self.machine.r.copy()
        else:
            result = self.machine.read()
            clock += 1 + blocks * config.outputs + decoder_tail(config)
        clock += 1  # the first word is looked up
        for _ in result:
            clock = self.ends["results"].go(clock + 1)
            self.moved.append(clock)
        clocks = self.moved[-result.size :]
        self.channels["results"].add(clocks, np.zeros(result.size, int), result)
        self.free = clock + 1
        return result

    def learn(self):
        """Take the targets of a step that learns, and update the weights of each output."""
        if self.learned == len(self.targets):
            raise InputError(f"targets must be for each step that learns, not {len(self.targets)}")
        self.machine.learn(self.targets[self.learned])
        self.learned += 1
        blocks = self.config.blocks
        for output, weights in enumerate(self.machine.weights):
            clock = max(self.wanted.offered(self.moved), self.free + 1)
            self.wanted.take(clock)
            self.channels["trace.weights"].add(
                clock + 1 + self.block + WRITE, output * blocks + self.block, self.words(weights)
            )
            self.free = clock + blocks + WRITE + 1


def predict(
    config: ReservoirConfig,
    inputs: np.ndarray,
    targets: np.ndarray | None = None,
    *,
    weights: np.ndarray | None = None,
    commands=(),
    seed: int = 0,
    stalls: dict[str, int] | None = None,
    progress=None,
) -> Prediction:
    """Run a reservoir on a stream of inputs and predict the clock of each record.

    Parameters
    ----------
    inputs : int array (steps, inputs)
        Raw.
    targets : int array (n, outputs), optional
        Raw; those of the steps that learn, in order.
    weights : int array (outputs, R), optional
        Decoder that the block is built with, by default zeros.
    commands : sequence of Command
    seed, stalls
        Of the ends of the streams ``inputs``, ``targets``, ``commands``, ``results``,
        ``responses``.
    progress : callable, optional
        Called with the number of steps done.

    Raises
    ------
    InputError
        Inputs, targets or weights of another shape, type or range, or too few targets.
    """
    stalls = stalls or {}
    inputs, targets = stream_words(config, inputs, targets)
    names = ("inputs", "targets", "commands", "results", "responses")
    ends = {name: End(seed, name, stalls.get(name, 0)) for name in names}
    schedule = _Schedule(config, inputs, targets, commands, ends)
    if weights is not None:
        schedule.machine.load(weights)
    results = []
    for number, row in enumerate(inputs):
        schedule.commands_first()
        results.append(schedule.step(row))
        if schedule.machine.training:
            schedule.learn()
        if progress:
            progress(number + 1)
    while schedule.orders.offered(schedule.moved) is not None:
        schedule.carry_out()
    return Prediction(schedule.channels, np.array(results), schedule.machine, schedule.free)
