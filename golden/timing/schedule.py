"""The clock of all that the core puts out or writes, from configuration, data and handshakes.

`predict` runs a `Core` on a sequence of samples and commands and walks the program beside it. The
result holds, for each channel of the core, the clock, the address and the value of each record.
Clock numbers and the rules of the handshakes are those of `hebbware.golden.program.stalls`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core import Core
from ..data.samples import optional_labels, samples_of
from ..program.commands import Command
from ..program.traces import Channel
from ..sequence import of_sequences
from .passes import Schedule
from .sequence import SequenceSchedule


@dataclass(frozen=True)
class Prediction:
    """What the core will do.

    Attributes
    ----------
    channels : dict
        `Channel` by name, see `hebbware.golden.program.traces.channels`.
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


def schedule_of(core: Core, **options) -> Schedule:
    """The schedule of a core, whatever its samples are; `options` as of `Schedule`."""
    if core.config.recurrent:
        return SequenceSchedule(core, **options)
    return Schedule(core, **options)


def given(config, x, labels) -> tuple[np.ndarray, list]:
    """Samples and optional labels, checked; of sequences labels are arrays (ticks,) or None.

    Raises
    ------
    InputError
        Samples or labels that the core does not take (`hebbware.golden.data.samples`).
    """
    if not config.recurrent:
        x = samples_of(x, config.inputs, config.x.max)
        return x, optional_labels(labels, config.classes, len(x))
    return of_sequences(config, x, labels)


def predict(
    config,
    x,
    labels,
    *,
    commands: Sequence[Command] = (),
    seed=0,
    stalls=None,
    core=None,
    progress=None,
) -> Prediction:
    """Everything the core does with the samples `x` (rows) and `labels` (None: infer only).

    Parameters
    ----------
    config : CoreConfig
    x : int array (n, inputs)
        Of sequences (n, ticks, inputs).
    labels : sequence of int or None
        Of sequences also arrays (ticks,), see `hebbware.golden.sequence.SequenceCore`.
    commands : sequence of Command
        In the order in which they are offered.
    seed, stalls
        Of the streams' ends, see `hebbware.golden.program.stalls`.
    core : Core, optional
        Receives the state after the last sample.
    progress : callable, optional
        Called with the number of samples done.

    Raises
    ------
    InputError
        Samples or labels that the core does not take (`hebbware.golden.data.samples`).
    """
    x, labels = given(config, x, labels)
    schedule = schedule_of(core or Core(config), seed=seed, stalls=stalls)
    schedule.start()
    pending, classes, released = list(commands), [], []
    for index in range(len(x) + 1):
        last = index == len(x)
        full = None if last else schedule.load(index, x[index])
        while pending:
            offered = schedule.offer(pending[0])
            # a command that is on offer when the sample could start goes first
            if offered is None or not (last or offered <= max(schedule.free, full)):
                break
            schedule.command(pending.pop(0), offered)
        if last:
            break
        classes.append(schedule.sample(x[index], labels[index], full))
        schedule.release(index)
        released.append(schedule.free)
        if progress:
            progress(index + 1)
    return Prediction(
        schedule.channels, np.array(classes, int), schedule.latest, np.array(released)
    )
