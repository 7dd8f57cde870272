"""Co-simulation of the whole core: real samples into the RTL, every record compared with golden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hebbware.golden.config import NO_LABEL, CoreConfig
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.data.words import longest_run, word_bits, words_of
from hebbware.golden.errors import InputError
from hebbware.golden.program.traces import STREAMS, traces
from hebbware.golden.sequence import learned_ticks, ticks_with
from hebbware.golden.timing.schedule import Command, Prediction, given, predict
from hebbware.hdl.core import Core
from hebbware.hdl.loader import sample_width

from . import logs
from .bench import Bench
from .build import Model, build
from .records import unpack
from .run import RunResult, Stimulus, run

HOLD = {"commands": "results"}  # commands may wait until so many results have moved


def build_core(
    config: CoreConfig, *, waves: bool = False, core: Core | None = None, **options
) -> Model:
    """The simulation of the core of `config`, from the cache if it is there.

    `options` go to `hebbware.cosim.build.build`.
    """
    core = core or Core(config, trace=True)
    built = build(core, hold=HOLD, waves=waves, **options)
    return replace(built, config=config)


def stalls_of(stalls: dict[str, int] | int) -> dict[str, int]:
    """How often each of `STREAMS` stalls; `InputError` where that cannot be."""
    named = stalls if isinstance(stalls, dict) else dict.fromkeys(STREAMS, stalls)
    if unknown := named.keys() - {*STREAMS}:
        raise InputError(f"stalls must be for {', '.join(STREAMS)}, not {', '.join(unknown)}")
    for name, stall in named.items():
        whole = isinstance(stall, (int, np.integer)) and not isinstance(stall, bool)
        if not whole or not 0 <= stall <= 255:
            raise InputError(f"stalls of {name} must be a whole number in 0..255, not {stall!r}")
    return named


def sample_words(config: CoreConfig, x: np.ndarray, labels: Sequence[int | None]) -> np.ndarray:
    """The sample stream: for each row of `x`, or each tick of it, its inputs, then its label; of
    signals the targets of all outputs, then the number of one of them.

    Where there is none, any word that is no class. These are drawn, always alike; half of them are
    classes but for one bit too many.
    """
    rng, width = np.random.default_rng(0), sample_width(config)
    if config.signal:
        x, labels = _with_targets(config, rng, x, labels)
    elif config.recurrent:
        x, labels = np.reshape(x, (-1, config.inputs)), _of_ticks(config, labels)
    drawn = rng.integers(config.classes, 1 << width, len(x))
    first = (config.classes - 1).bit_length()
    if first < width:
        near = rng.integers(config.classes, size=len(x)) | 1 << rng.integers(first, width, len(x))
        drawn = np.where(rng.random(len(x)) < 0.5, near, drawn)
    pairs = zip(labels, drawn.tolist(), strict=True)
    column = [word if label is None else label for label, word in pairs]
    if config.input.runs:
        samples = (_spelled(config, words_of(config, row), rng) for row in x)
        parts = [np.append(words, label) for words, label in zip(samples, column, strict=True)]
        return np.concatenate([np.zeros(0, np.int64), *parts])
    return np.column_stack([x, column]).astype(np.int64).ravel()


def _spelled(config, words, rng):
    """As many words for the same inputs: single zeros are runs of one now and then, and runs that
    end a sample are longer than what is left of it.
    """
    longest, mark = longest_run(config), 1 << word_bits(config)
    words = np.where((words == config.x_zero) & (rng.random(words.size) < 0.5), mark | 1, words)
    if words.size and words[-1] > mark and rng.random() < 0.5:
        words[-1] = rng.integers(words[-1], mark + longest, endpoint=True)
    return words


def _with_targets(config, rng, x, targets):
    """Inputs and targets of each tick, any where it has none; then which output's number says that
    it has some.
    """
    targets = [ticks_with(config, each) for each in targets]
    none = np.full((config.neuron.ticks, config.classes), NO_LABEL)
    flat = np.array([none if t is None else t for t in targets], np.int64)
    flat = flat.reshape(-1, config.classes)
    learned = learned_ticks(flat)
    words = np.where(learned[:, None], flat & 255, rng.integers(0, 256, flat.shape))
    numbers = rng.integers(0, config.classes, len(flat)).tolist()
    labels = [n if learns else None for n, learns in zip(numbers, learned, strict=True)]
    return np.concatenate([np.reshape(x, (-1, config.inputs)), words], axis=1), labels


def _of_ticks(config, labels):
    """The label, if there is one, of each tick of all sequences."""
    ticks = [ticks_with(config, label) for label in labels]
    ticks = [np.full(config.neuron.ticks, NO_LABEL) if t is None else t for t in ticks]
    return [None if label == NO_LABEL else label for t in ticks for label in t.tolist()]


def stimulus(
    config: CoreConfig,
    x: np.ndarray,
    labels: Sequence[int | None],
    commands: Sequence[Command] = (),
) -> dict[str, Stimulus]:
    """Samples and commands as words for the sources of the core."""
    given = {"samples": Stimulus(sample_words(config, x, labels))}
    if commands:
        words = [command.word for command in commands]
        rows = np.array([[word & 0xFFFFFFFF, word >> 32] for word in words], np.uint32)
        given["commands"] = Stimulus(rows, np.array([c.after for c in commands]))
    return given


def expected_logs(
    config: CoreConfig, bench: Bench, prediction: Prediction
) -> dict[str, np.ndarray]:
    """A prediction in the layout of the bench's logs."""
    return logs.expected(traces(config), bench, prediction.channels)


@dataclass(frozen=True)
class CoreRun:
    """A co-simulation of the core.

    Attributes
    ----------
    result : RunResult
    prediction : Prediction
    message : str or None
        The first mismatch in words.
    classes : array
        Class of each sample as the RTL put it out; of signals the largest output of each tick.
    scores : array (results, classes)
        Likewise.
    core : golden Core
        State after the last sample.
    """

    result: RunResult
    prediction: Prediction
    message: str | None
    classes: np.ndarray
    scores: np.ndarray
    core: GoldenCore


def cosimulate(
    config: CoreConfig,
    x: np.ndarray,
    labels: Sequence[int | None],
    *,
    model: Model | None = None,
    commands: Sequence[Command] = (),
    seed: int = 0,
    stalls: dict[str, int] | int = 0,
    waves=None,
    progress: Callable[[str, int], None] | None = None,
    **options,
) -> CoreRun:
    """Run golden and RTL on the same samples and commands and compare every record.

    Parameters
    ----------
    x : int array (n, inputs)
        Raw inputs; of sequences (n, ticks, inputs).
    labels : sequence of int or None
        None: infer only. Of sequences also arrays (ticks,), see
        `hebbware.golden.sequence.SequenceCore`.
    model : Model, optional
        From `build_core`, of the same configuration.
    stalls : int or dict
        How often the ends of the streams stall, see `hebbware.golden.program.stalls`: 0..255, for
        all of `hebbware.golden.program.traces.STREAMS` or by stream.
    progress : callable, optional
        Called with ("golden", samples done) and ("rtl", clocks done).
    options
        Others of `hebbware.cosim.run.run`: resets, start values, coverage.

    Raises
    ------
    InputError
        Samples or labels that the core does not take, a model of another configuration, stalls out
        of range; before anything is simulated.
    """
    x, labels = given(config, x, labels)
    stalls = stalls_of(stalls)
    if model is not None and model.config not in (None, config):
        raise InputError(
            f"model must be built of the same configuration ({config.fingerprint}), not of "
            f"{model.config.fingerprint}"
        )
    model = model or build_core(config, waves=waves is not None)
    golden = GoldenCore(config)
    tell = progress or (lambda stage, done: None)
    prediction = predict(
        config, x, labels, commands=commands, seed=seed, stalls=stalls, core=golden,
        progress=lambda done: tell("golden", done),
    )  # fmt: skip
    result = run(
        model, stimulus(config, x, labels, commands),
        expected_logs(config, model.bench, prediction), seed=seed, stalls=stalls, waves=waves,
        progress=lambda done: tell("rtl", done), **options,
    )  # fmt: skip
    message = None
    if result.mismatch:
        message = logs.message(traces(config), model.bench, result.mismatch)
    log = result.logs["results"]
    words = unpack(log[:, 1:], model.bench.channels["results"].width, signed=True)[:, 0]
    each = config.classes + 1
    words = words[: len(words) // each * each].reshape(-1, each)  # complete ones, up to a mismatch
    return CoreRun(result, prediction, message, words[:, 0], words[:, 1:], golden)
