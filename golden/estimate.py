"""Predicted clocks of a configuration without data; its memories; what it may need of a device.

Clocks come from `hebbware.golden.schedule` itself, walked with a stand-in for the network; they are
exact. Bits of memory are counted from the layout. LUTs, multipliers and block RAMs are
**estimates**, see `resources`.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from .config import CoreConfig
from .init import init_groups
from .layout import Layout
from .memory import KINDS
from .program import SETTLED, program, start_steps
from .schedule import Schedule

# -- clocks ----------------------------------------------------------------------------------------


class _Busy:
    """Stands in for `hebbware.golden.core.Core`: no arithmetic, every error is other than zero."""

    def __init__(self, config):
        self.config, self.layout, self.observer = config, Layout(config), None
        self.learned = 0

    def infer(self, x):
        return 0, np.zeros(self.config.classes, np.int64)

    def learn(self, x, label):
        cfg, hidden = self.config, len(self.config.hidden)
        errors = np.ones(cfg.classes, np.int64)
        full = cfg.memory == "window" and self.learned >= cfg.window
        writes = KINDS[cfg.memory].writes(cfg, 0, errors, 0 if full else None)
        for layer in range(hidden + 1):
            self.observer("error", layer, values=errors)
        for name, aged in (("forget", True), ("memory", False)):
            rows = [write.row for write in writes if bool(write.age) is aged]
            if rows:
                for layer in range(hidden):
                    self.observer(name, layer, rows=rows)
        self.learned += 1
        return self.infer(x)


class _Walk(Schedule):
    """A schedule that keeps no records."""

    steps: dict[str, int]

    def sample(self, x, label, full):
        self.steps = {}
        return super().sample(x, label, full)

    def _steps(self, p, x):
        self.steps[p.name] = super()._steps(p, x)
        return self.steps[p.name]

    def _record(self, *_):
        pass


def _inputs(config, nonzero):
    if not 0 <= nonzero <= config.inputs:
        raise ValueError(f"nonzero must lie in 0..{config.inputs}, not {nonzero!r}")
    return np.arange(config.inputs) < nonzero


def sample_clocks(config: CoreConfig, nonzero: Sequence[int], learn: Sequence[bool]) -> np.ndarray:
    """Clock in which each of a sequence of samples is finished, as `schedule.predict` gives it.

    No stream stalls, and every sample that is learned has errors other than zero.

    Parameters
    ----------
    nonzero : sequence of int
        Non-zero inputs of each sample.
    learn : sequence of bool
        Whether it has a label.
    """
    walk = _Walk(_Busy(config))
    walk.free = walk.latest = start_clocks(config)
    finished = []
    for index, (count, label) in enumerate(zip(nonzero, learn, strict=True)):
        full = walk.load(index)
        walk.sample(_inputs(config, count), 0 if label else None, full)
        walk.banks[index % 2] = walk.free
        finished.append(walk.free)
    return np.array(finished, np.int64)


def start_clocks(config: CoreConfig) -> int:
    """Clocks from reset to the first one in which a sample may be taken."""
    return start_steps(config) + init_groups(config) * SETTLED


def clocks_per_sample(config: CoreConfig, nonzero: int, learn: bool = True) -> int:
    """Clocks from one sample's end to the next one's in a long sequence of equal samples.

    The core takes the inputs of the next sample while it works on one, a word per clock: never
    less than ``inputs + 1``. Errors are other than zero; where they all are zero (a sample that
    teaches nothing), the passes that would write are left out.
    """
    count = (config.window if config.memory == "window" else 0) + 6
    finished = sample_clocks(config, [nonzero] * count, [learn] * count)
    return int(finished[-1] - finished[-2])


def pass_steps(config: CoreConfig, nonzero: int) -> list[tuple[str, int]]:
    """Name and steps (clocks of issue) of each pass of a learned sample, in the program's order."""
    walk = _Walk(_Busy(config))
    walk.core.learned = config.window
    walk.sample(_inputs(config, nonzero), 0, 0)
    return [(p.name, walk.steps[p.name]) for p in program(config)]


def limit_clocks_per_sample(config: CoreConfig, nonzero: int) -> int:
    """Clocks in which the lanes could do the multiplications of the weights of a learned sample.

    Forward and update of each weight layer, input after input, ``ceil(outputs / lanes)`` clocks
    each; zero inputs of the first layer skipped; no bias, no modulator, no latency. Layers that do
    not learn have no update.
    """
    rows = [nonzero, *config.hidden]
    blocks = [ceil(units / config.lanes) for units in config.layers[1:]]
    walks = [1 + config.learns_hidden] * len(config.hidden) + [2]
    return sum(r * b * w for r, b, w in zip(rows, blocks, walks, strict=True))
