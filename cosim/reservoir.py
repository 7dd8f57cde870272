"""Co-simulation of the reservoir block: streams into the RTL, every record compared with golden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hebbware.golden.errors import InputError
from hebbware.golden.reservoir import ReservoirConfig
from hebbware.golden.reservoir_schedule import Command, Prediction, predict, stream_words
from hebbware.hdl.reservoir.block import ReservoirBlock

from .bench import Bench
from .build import Model, build
from .records import Channel, pack, records, unpack
from .run import RunResult, Stimulus, run

HOLD = {"commands": "results"}  # commands may wait until so many results have moved
STREAMS = ("inputs", "targets", "commands", "results", "responses")


def build_reservoir(
    config: ReservoirConfig, *, weights=None, waves: bool = False, quick: bool = False
) -> Model:
    """The simulation of the block of `config`, from the cache if it is there."""
    block = ReservoirBlock(config, trace=True, weights=weights)
    return build(block, hold=HOLD, waves=waves, quick=quick)


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
    logs = {}
    for name, channel in bench.channels.items():
        if channel.kind == "source":
            continue
        clocks, addresses, values = prediction.channels[name].arrays()
        if channel.kind == "sink":
            logs[name] = records(channel, clocks, pack((values[:, 0], channel.width)))
            continue
        width = config.state_bits if name == "trace.state" else config.weight_bits
        if not len(clocks):
            values = np.zeros((0, config.lanes), np.int64)
        logs[name] = records(channel, clocks, pack((values, width)), addresses)
    return logs


def decoder(config: ReservoirConfig) -> Callable:
    """Puts a mismatch in words: unit, output, raw values."""

    def decode(channel: Channel, expected, got) -> str:
        if channel.kind != "event":
            return f"stream {channel.name}"
        row, block = divmod((expected or got)[1], config.blocks)
        weights = channel.name == "trace.weights"
        what = f"weight of output {row}" if weights else f"state in bank {row}"
        first = block * config.lanes
        if expected is None or got is None or expected[:2] != got[:2]:
            return f"at {what}, units {first}..{first + config.lanes - 1}"
        width = config.weight_bits if weights else config.state_bits
        want, have = (
            unpack(
                np.array([record[channel.data_columns]], np.uint32),
                width,
                lanes=config.lanes,
                signed=True,
            )[0]
            for record in (expected, got)
        )
        lane = int(np.flatnonzero(want != have)[0])
        return f"{what}, unit {first + lane}: expected {want[lane]}, got {have[lane]}"

    return decode


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
        How often the ends of the streams stall, see `hebbware.golden.stalls`.
    progress : callable, optional
        Called with ("golden", steps done) and ("rtl", clocks done).

    Raises
    ------
    InputError
        As `hebbware.golden.reservoir_schedule.predict`, or stalls out of range.
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
        channel = model.bench.channels[result.mismatch.channel]
        message = result.mismatch.message(channel, decoder(config))
    return ReservoirRun(result, prediction, message)
