"""Co-simulation of the reservoir block: streams into the RTL, every record compared with golden."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbware.golden.errors import InputError
from hebbware.golden.program.traces import reservoir_traces
from hebbware.golden.reservoir.cell import ReservoirConfig
from hebbware.golden.timing.reservoir import Command, Prediction, predict, stream_words
from hebbware.hdl.reservoir.block import ReservoirBlock

from . import logs
from .bench import Bench
from .build import Model, build
from .records import pack
from .run import RunResult, Stimulus, run

HOLD = {"commands": "results"}  # commands may wait until so many results have moved
STREAMS = ("inputs", "targets", "commands", "results", "responses")


def build_reservoir(config: ReservoirConfig, *, weights=None, **options) -> Model:
    """The simulation of the block of `config`, from the cache if it is there.

    `options` go to `hebbware.cosim.build.build`.
    """
    return build(ReservoirBlock(config, trace=True, weights=weights), hold=HOLD, **options)


def stimulus(
    config: ReservoirConfig,
    inputs: np.ndarray,
    targets: np.ndarray | None = None,
    commands: Sequence[Command] = (),
) -> dict[str, Stimulus]:
    """Inputs, targets and commands as words for the sources of the block."""
    given = {"inputs": Stimulus(pack((inputs.ravel(), config.input_bits)))}
    if targets is not None and len(targets):
        given["targets"] = Stimulus(pack((targets.ravel(), config.output_bits)))
    if commands:
        words = [command.word for command in commands]
        rows = np.array([[word & 0xFFFFFFFF, word >> 32] for word in words], np.uint32)
        given["commands"] = Stimulus(rows, np.array([c.after for c in commands]))
    return given


def expected_logs(
    config: ReservoirConfig, bench: Bench, prediction: Prediction
) -> dict[str, np.ndarray]:
    """A prediction in the layout of the bench's logs."""
    return logs.expected(reservoir_traces(config), bench, prediction.channels)


@dataclass(frozen=True)
class ReservoirRun:
    """A co-simulation of the reservoir.

    Attributes
    ----------
    result : RunResult
    prediction : Prediction
    message : str or None
        The first mismatch in words.
    """

    result: RunResult
    prediction: Prediction
    message: str | None


def cosimulate(
    config: ReservoirConfig,
    inputs: np.ndarray,
    targets: np.ndarray | None = None,
    *,
    weights: np.ndarray | None = None,
    model: Model | None = None,
    commands: Sequence[Command] = (),
    seed: int = 0,
    stalls: int = 0,
    waves=None,
    progress=None,
) -> ReservoirRun:
    """Run golden and RTL on the same streams and compare every record.

    Parameters
    ----------
    inputs : int array (steps, inputs)
        Raw.
    targets : int array (n, outputs), optional
        Raw.
    weights : int array (outputs, R), optional
        Decoder that the block is built with.
    model : Model, optional
        From :func:`build_reservoir`, with the same weights.
    stalls : int
        How often the ends of the streams stall, see `hebbware.golden.program.stalls`.
    progress : callable, optional
        Called with ("golden", steps done) and ("rtl", clocks done).

    Raises
    ------
    InputError
        As `hebbware.golden.timing.reservoir.predict`, or stalls out of range.
    """
    if isinstance(stalls, bool) or not isinstance(stalls, int) or not 0 <= stalls <= 255:
        raise InputError(f"stalls must be a whole number in 0..255, not {stalls!r}")
    inputs, targets = stream_words(config, inputs, targets)
    model = model or build_reservoir(config, weights=weights, waves=waves is not None)
    tell = progress or (lambda stage, done: None)
    names = [c.name for c in model.bench.channels.values() if c.kind != "event"]
    prediction = predict(
        config, inputs, targets, weights=weights, commands=commands, seed=seed,
        stalls=dict.fromkeys(names, stalls), progress=lambda done: tell("golden", done),
    )  # fmt: skip
    result = run(
        model, stimulus(config, inputs, targets, commands),
        expected_logs(config, model.bench, prediction), seed=seed,
        stalls=dict.fromkeys(names, stalls), waves=waves, progress=lambda done: tell("rtl", done),
    )  # fmt: skip
    message = None
    if result.mismatch:
        message = logs.message(reservoir_traces(config), model.bench, result.mismatch)
    return ReservoirRun(result, prediction, message)
