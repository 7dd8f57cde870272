"""The range of every signal of a network while it learns, against the format that has to hold it.

Two questions, answered for one configuration on real samples:

* **Which format is too small, or too wide?** `Recorder` is a bit-exact core that tallies each
  signal as it is before it is rounded and saturated: a histogram in powers of two, and the shares
  that the format then clips or rounds to zero.
* **Which signal parts from real arithmetic first?** The same samples go through a network in
  double precision (`hebbware.study.float_twin`), and every signal is compared after every sample.

Signals, their formats and how they are counted: `hebbware.study.tally`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.data.sets import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.learn.train import EPOCHS, check_fit, inputs, order, spread_halvings
from hebbware.study.float_twin import FloatTwin
from hebbware.study.recorder import Recorder
from hebbware.study.tally import FIELDS, Tally, formats

TOLERANCE = 16.0  # last bits


@dataclass
class Deviation:
    """How far a signal of a layer is from the float twin's, in last bits of its format.

    Members
    -------
    layer : int
    signal : str
    first : int or None
        First sample (from 0) at which it was beyond the tolerance.
    deviation : float
        There; 0 where it never was.
    worst : float
        Largest over all samples.
    """

    layer: int
    signal: str
    first: int | None = None
    deviation: float = 0.0
    worst: float = 0.0

    def add(self, sample: int, distance: float, tolerance: float) -> bool:
        """Take in a sample; return whether it is the first beyond the tolerance."""
        self.worst = max(self.worst, distance)
        if self.first is not None or distance <= tolerance:
            return False
        self.first, self.deviation = sample, distance
        return True


@dataclass(frozen=True)
class Profile:
    """What `profile` found.

    Members
    -------
    config : CoreConfig
        With the schedule that was used.
    samples : int
    tolerance : float
    tallies : list of Tally
    deviations : list of Deviation
        In the order in which a sample makes the signals.
    first : Deviation or None
        The signal that left the tolerance before all others.
    accuracy, accuracy_float : float
        While learning: each sample before it was learned; of the core, of the float twin.
    """

    config: CoreConfig
    samples: int
    tolerance: float
    tallies: list[Tally]
    deviations: list[Deviation]
    first: Deviation | None
    accuracy: float
    accuracy_float: float

    def layer_name(self, layer: int) -> str:
        """Return what people call a layer."""
        return "readout" if layer == len(self.config.hidden) else f"layer {layer + 1}"

    def flagged(self) -> list[tuple[Tally, str]]:
        """Return the tallies with a verdict."""
        found = [(tally, tally.verdict(self.config.update.rounding)) for tally in self.tallies]
        return [(tally, verdict) for tally, verdict in found if verdict]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        first = self.first
        return {
            "config": self.config.to_dict(),
            "samples": self.samples,
            "accuracy_while_learning": {"core": self.accuracy, "float": self.accuracy_float},
            "signals": [
                {
                    "layer": self.layer_name(tally.layer),
                    "signal": tally.signal,
                    "format": str(tally.format),
                    "fields": FIELDS[tally.signal],
                    "values": tally.values,
                    "zero": tally.zero,
                    "saturated": tally.saturated,
                    "saturated_share": tally.saturated_share,
                    "rounded_to_zero": tally.lost,
                    "rounded_to_zero_share": tally.lost_share,
                    "bias": tally.bias,
                    "largest": tally.largest,
                    "idle_bits": tally.idle_bits,
                    "histogram": tally.histogram,
                    "verdict": tally.verdict(self.config.update.rounding),
                }
                for tally in self.tallies
            ],
            "comparison": {
                "tolerance": self.tolerance,
                "first": None if first is None else self._plain(first),
                "signals": [self._plain(deviation) for deviation in self.deviations],
            },
        }

    def _plain(self, deviation: Deviation) -> dict[str, Any]:
        return {
            "layer": self.layer_name(deviation.layer),
            "signal": deviation.signal,
            "sample": deviation.first,
            "deviation": deviation.deviation,
            "worst": deviation.worst,
        }


def profile(
    config: CoreConfig,
    dataset: Dataset,
    samples: int,
    *,
    tolerance: float = TOLERANCE,
    progress: Callable[[int], None] | None = None,
) -> Profile:
    """Learn training samples, tally all signals, and compare them with real arithmetic.

    The samples come in the order of `hebbware.golden.learn.train`, all of the training set and none
    held back; more samples than it has are further epochs.

    Parameters
    ----------
    config : CoreConfig
    dataset : Dataset
    samples : int
        At least 1, at most 1000 epochs.
    tolerance : float
        Distance from the float twin, in last bits of a signal's format, that is still accepted.
    progress : callable, optional
        Called with 1 for each sample learned.

    Raises
    ------
    InputError
        Values out of range, or a data set that does not fit the network.
    """
    check_fit(config, dataset)
    each = len(dataset.y_train)
    if not 1 <= samples <= EPOCHS * each:
        raise InputError(
            f"samples must lie in 1..{EPOCHS * each}, at most {EPOCHS} epochs of {dataset.name}, "
            f"not {samples}"
        )
    if not 0 < tolerance < np.inf:
        raise InputError(f"tolerance must be a positive number of last bits, not {tolerance}")
    config = spread_halvings(config, -(-samples // each))
    core, twin = Recorder(config), FloatTwin(config)
    x, y = inputs(config, dataset.x_train), dataset.y_train
    deviations: dict[tuple[int, str], Deviation] = {}
    units = {signal: 2.0**fmt.fraction for signal, fmt in formats(config).items()}
    first, right, right_float = None, 0, 0
    for sample in range(samples):
        epoch, place = divmod(sample, each)
        if place == 0:
            rows = order(config.seed, epoch, each)
            core.extra = twin.extra = config.extra(epoch)
        label = int(y[rows[place]])
        found, _ = core.learn(x[rows[place]], label)
        real = twin.learn(x[rows[place]], label)
        for key, values in real.items():
            distance = float(np.abs(core.now[key] - values * units[key[1]]).max())
            deviation = deviations.setdefault(key, Deviation(*key))
            if deviation.add(sample, distance, tolerance) and first is None:
                first = deviation
        right += found == label
        right_float += int(real[len(config.hidden), "u"].argmax()) == label
        if progress:
            progress(1)
    return Profile(
        config,
        samples,
        tolerance,
        core.shares(),
        list(deviations.values()),
        first,
        right / samples,
        right_float / samples,
    )
