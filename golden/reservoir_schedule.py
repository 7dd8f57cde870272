"""The clock of all that the reservoir block puts out or writes.

Clock numbers and the rules of the handshakes are those of `hebbware.golden.stalls`. With ``b``
blocks (R / lanes), ``k`` non-zero inputs and ``t`` taps, a *job* that is started in clock s issues
one step per clock into the lane pipeline from s + 1 on and is done, its last write included, in
clock ``s + steps + tail``:

======== ================== ============================ =========================================
job      steps              tail                         writes
======== ================== ============================ =========================================
step     b (1 + k + t)      `WRITE`, tanh `TANH_WRITE`   each block's state, `tail` after its last
                                                         step was issued
readout  b outputs          `WRITE` + tree               (each output, `tail` after its last step)
update   b                  `WRITE`                      a word of weights `WRITE` after its issue
command  1                  `WRITE`                      the same
======== ================== ============================ =========================================

A step of the reservoir is: its inputs are taken, one word in each clock in which one is offered;
the step job is started by the last of them; the readout job in the clock after that one is done;
output words are offered from the second clock after the last job was done, one per clock; from the
clock after the last of them has moved, if it is learning: for each output one clock to look up what
it was, then its target is awaited, whose transfer starts the update job, which is awaited. In the
clock after all that the next inputs may be taken.

Before the first input word of a step, a command that is offered is taken first. Its transfer starts
the command job; the response is offered from the clock after that is done.
"""

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .program import tree_latency
from .reservoir import ReservoirConfig
from .reservoir_readout import Machine, Op, pack
from .samples import raw
from .schedule import Channel
from .stalls import End

WRITE = 6  # from the issue of a step to the clock in which its word is written
TANH_WRITE = 9  # the same for the state where tanh is looked up
CHANNELS = ("results", "responses", "trace.state", "trace.weights")


def state_tail(config: ReservoirConfig) -> int:
    """From the issue of a block's last step to the clock in which its state is written."""
    return TANH_WRITE if config.activation == "tanh" else WRITE


def readout_tail(config: ReservoirConfig) -> int:
    """From the issue of an output's last step to the clock in which it is known."""
    return WRITE + tree_latency(config.lanes)


def step_clocks(config: ReservoirConfig, used: int | None = None) -> int:
    """Clocks of a step whose streams never wait, without learning; `used` inputs are not zero."""
    used = config.inputs if used is None else used
    clocks = config.inputs + config.blocks * (1 + used + config.taps) + state_tail(config)
    if config.output == "state":
        return clocks + 1 + config.units
    clocks += 1 + config.blocks * config.outputs + readout_tail(config)
    return clocks + 1 + config.outputs


@dataclass(frozen=True)
class Command:
    """A command of the stimulus: the fields of its word, see `hebbware.golden.reservoir_readout`.

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
        `hebbware.golden.schedule.Channel` by name of `CHANNELS`.
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
    """Run a reservoir on a stream of inputs and tell the clock of each record.

    Parameters
    ----------
    inputs : int array (steps, inputs)
        Raw.
    targets : int array (n, outputs), optional
        Raw; those of the steps that learn, in order.
    weights : int array (outputs, R), optional
        Readout that the block is built with, by default zeros.
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
    ends = {
        name: End(seed, name, stalls.get(name, 0))
        for name in ("inputs", "targets", "commands", "results", "responses")
    }
    given = _Source(ends["inputs"], np.zeros(inputs.size, np.int64))
    wanted = _Source(ends["targets"], np.zeros(targets.size, np.int64))
    orders = _Source(ends["commands"], [command.after for command in commands])
    machine, channels = Machine(config), {name: Channel() for name in CHANNELS}
    if weights is not None:
        machine.load(weights)
    moved, results, free = [], [], 0
    blocks, lanes = config.blocks, config.lanes
    block = np.arange(blocks)
    bank, learned = 1, 0

    def command_first(clock):
        order, word = orders.offered(moved), given.offered(moved)
        return order is not None and (word is None or max(order, clock) <= max(word, clock))

    def carry_out(free):
        command = commands[orders.next]
        clock = max(orders.offered(moved), free)
        orders.take(clock)
        response = machine.command(command.op, command.address, command.data)
        done = clock + 1 + WRITE
        if command.op == Op.WRITE and machine.holds(command.address):
            output, unit = divmod(command.address, config.units)
            at = unit // lanes
            word = machine.weights[output].reshape(blocks, lanes)[at].copy()
            channels["trace.weights"].add(done, output * blocks + at, word)
        answered = ends["responses"].go(done + 1)
        channels["responses"].add(answered, 0, [response])
        return answered + 1

    for number, row in enumerate(inputs):
        while command_first(free):
            free = carry_out(free)
        for _ in row:
            free = max(given.offered(moved), free)
            given.take(free)
        each = 1 + np.count_nonzero(row) + config.taps
        state = machine.step(row).reshape(blocks, lanes)
        channels["trace.state"].add(
            free + (block + 1) * each + state_tail(config), bank * blocks + block, state
        )
        bank ^= 1
        clock = free + blocks * each + state_tail(config)
        if config.output == "state":
            result = machine.r.copy()
        else:
            result = machine.read()
            clock += 1 + blocks * config.outputs + readout_tail(config)
        clock += 1  # the first word is looked up
        for _ in result:
            clock = ends["results"].go(clock + 1)
            moved.append(clock)
        channels["results"].add(moved[-result.size :], np.zeros(result.size, int), result)
        results.append(result)
        free = clock + 1
        if machine.training:
            if learned == len(targets):
                raise InputError(f"targets must be for each step that learns, not {len(targets)}")
            machine.learn(targets[learned])
            learned += 1
            for output in range(config.outputs):
                clock = max(wanted.offered(moved), free + 1)
                wanted.take(clock)
                channels["trace.weights"].add(
                    clock + 1 + block + WRITE,
                    output * blocks + block,
                    machine.weights[output].reshape(blocks, lanes),
                )
                free = clock + blocks + WRITE + 1
        if progress:
            progress(number + 1)
    while orders.offered(moved) is not None:
        free = carry_out(free)
    return Prediction(channels, np.array(results), machine, free)
