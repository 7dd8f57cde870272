"""Predicted clocks of the ticks of a sequence, without data.

Clocks come from `hebbware.golden.timing.sequence` itself, walked with a stand-in for the network.
"""

import numpy as np

from ..config import CoreConfig
from ..neurons.spiking import threshold
from ..program.layout import Layout
from ..program.program import passes_of_tick, start_clocks
from ..program.walk import Common, Made, Store, Written
from ..sequence import learned_ticks
from ..timing.sequence import SequenceSchedule

KINDS = ("settling", "inferred", "learned")
FEW = 6  # ticks after which all are alike


class _Busy:
    """Stands in for `hebbware.golden.sequence.SequenceCore`: no arithmetic, so many spikes in every
    tick, all traces and errors other than zero.
    """

    def __init__(self, config, nonzero, spikes):
        self.config, self.layout = config, Layout(config)
        self.nonzero, self.spikes, self.learned = nonzero, spikes, 0
        self._sizes, units = (config.inputs, config.hidden[0]), np.arange(config.hidden[0])
        self._potentials = np.where(units < spikes, threshold(config), 0)

    def walk(self, x, label):
        """Passes and rows walked, as of the core."""
        cfg, first = self.config, self.config.neuron.ticks - self.config.neuron.target
        for time in range(cfg.neuron.ticks):
            learn = label is not None and bool(learned_ticks(label)[time])
            spikes = self.spikes if time else 0
            for p in passes_of_tick(cfg, time >= first, learn):
                rows = p.walk.rows_walked(
                    self.nonzero, cfg.classes, False, spikes, self._sizes[p.walk.of_units]
                )
                yield Made(p, time, rows, self._written(p.walk))

    def _written(self, walk):
        """What the schedule counts."""
        if Store.A in walk.writes:
            return (Written(Store.A, 0, None, self._potentials),)
        if Store.TRACES in walk.writes:
            which = int(walk.common is Common.SPIKE)
            return (Written(Store.TRACES, which, None, np.ones(self._sizes[which], np.int64)),)
        return ()


def clocks_per_tick(config: CoreConfig, nonzero: int, spikes: int = 0) -> dict[str, int]:
    """Clocks of a tick, by what there is to do: settling alone, scores too, learning too.

    All traces and errors count as other than zero, and streams never pause; a core that waits for
    the words of its ticks takes ``inputs + 1`` clocks at least.

    Parameters
    ----------
    nonzero : int
        Non-zero inputs of a tick.
    spikes : int
        Units that spike in a tick.
    """
    for name, value, most in (
        ("nonzero", nonzero, config.inputs), ("spikes", spikes, config.hidden[0]),
    ):  # fmt: skip
        if not 0 <= value <= most:
            raise ValueError(f"{name} must lie in 0..{most}, not {value!r}")
    found = {}
    for kind in KINDS:
        ends = [_end(config, kind, ticks, nonzero, spikes) for ticks in (FEW, FEW + 1)]
        found[kind] = ends[1] - ends[0]
    return found


def steps(config: CoreConfig, nonzero: int, spikes: int = 0) -> list[tuple[str, int]]:
    """Name and steps of each pass of a learned tick."""
    stand_in = _Busy(config.derive(neuron__ticks=2, neuron__target=2), nonzero, spikes)
    walked = list(stand_in.walk(None, _labels(config, 2)))
    return [(made.of.name, made.rows * made.of.walk.blocks) for made in walked if made.time]


def _labels(config, ticks):
    """Targets of so many ticks."""
    return np.zeros((ticks, config.classes) if config.signal else ticks, np.int64)


def _end(config, kind, ticks, nonzero, spikes):
    """Clock in which a sequence of so many ticks of a kind is finished."""
    config = config.derive(neuron__ticks=ticks, neuron__target=1 if kind == "settling" else ticks)
    walk = SequenceSchedule(_Busy(config, nonzero, spikes))
    walk.free = walk.latest = start_clocks(config)
    labels = _labels(config, ticks) if kind == "learned" else None
    walk.sample(None, labels, walk.load(0))
    return walk.free


def clocks_per_sequence(config: CoreConfig, nonzero: int, spikes: int = 0, learn=True) -> int:
    """Clocks of a sequence that has its label, if any, at its target ticks."""
    each, n = clocks_per_tick(config, nonzero, spikes), config.neuron
    return (n.ticks - n.target) * each["settling"] + n.target * each[KINDS[1 + learn]]


def limit_clocks_per_tick(
    config: CoreConfig, nonzero: int, spikes: int = 0, traced: int | None = None
) -> dict[str, int]:
    """Clocks in which the lanes could do the multiplications of the weights, by kind of tick.

    Rows of non-zero inputs, of spikes and (`traced`, all by default) of traces that are not zero
    only; no latency, nothing that leaks.
    """
    blocks = Layout(config).blocks(0)
    traced = Layout(config).rows(0) if traced is None else traced
    settling = blocks * (nonzero + spikes)
    readout = blocks * config.classes
    learned = blocks * traced * config.learns_hidden + readout
    return dict(
        zip(KINDS, (settling, settling + readout, settling + readout + learned), strict=True)
    )
