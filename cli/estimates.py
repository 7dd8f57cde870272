"""Seconds that steps take on a usual machine, for `hebbware.cli.steps`: rough, by amount of work.

They were read off two cores of a server. What a step really took is known the next time, and
estimates of the same step are corrected by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig

LANE_CLOCKS = 4.5e6  # clocks times lanes that Verilator simulates in a second
SHORT_RUNS = 4.0  # their programs start, and golden predicts them
FETCHED = 10.0  # a published data set
LINE_BYTE = 2e-5  # over the serial line, at a million bits a second, with its answer
FRAME = 40  # bytes of a sample's request and answer beside its inputs
COMPILING = 60.0  # the twin of golden, for one kind of numbers
FUZZED = 20.0  # a configuration: a small simulation is built and run
MUTANT = 0.5  # on the stimuli, until one notices it
PROOF = 3.0  # that a mutant has no effect
STIMULI = 1.0  # a run with counters on lines and bits
RUN = 5.0  # of a study, on one core
FOLD = 1.0  # of small data sets, either learner
DRAWING = 8.0  # the figures of a report
DECODER = 5.0
RESERVOIR = 0.3  # a reservoir's measures, one seed
RESERVOIR_BUILD = 40.0


def building(config: CoreConfig, *, quick: bool = False) -> float:
    """A simulation: Verilog, Verilator, the C++ compiler."""
    return (30 + 3 * config.lanes) / (2 if quick else 1)


def simulating(config: CoreConfig, clocks: float) -> float:
    """A simulation that is built."""
    return clocks * config.lanes / LANE_CLOCKS


def predicting(config: CoreConfig, samples: int) -> float:
    """Golden's schedule, whose values are those of plain NumPy."""
    return learning(config, samples, "plain")


def learning(config: CoreConfig, samples: int, engine: str = "compiled") -> float:
    """Golden, so many samples."""
    from hebbware.golden.estimate.estimate import limit_clocks_per_sample

    if config.convolves:  # a weight is used at every position
        products = limit_clocks_per_sample(config, 0) * config.lanes / 2
        each = 3e-5 + 1.2e-9 * products if engine == "compiled" else 3e-3 + 2e-8 * products
        return samples * each
    weights = sum(a * b for a, b in zip(config.sizes, config.sizes[1:], strict=False))
    ticks = config.neuron.ticks if config.recurrent else 1
    each = 3e-5 + 5e-9 * weights if engine == "compiled" else 3e-3 + 2e-8 * weights
    return samples * ticks * each


def bitstream(luts: int) -> dict[str, float]:
    """The steps of `hebbware build`, by the beginning of their names."""
    return {
        "elaborate": 4.0,
        "synthesise": 10 + 0.012 * luts,
        "place and route": 5 + 0.012 * luts,
        "pack": 2.0,
    }
