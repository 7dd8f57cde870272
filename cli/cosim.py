"""``hebbware cosim``: the RTL learns real samples, and every clock is compared with golden."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from hebbware.cli import estimates, prequential
from hebbware.cli.common import (
    CheckFailed,
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    forbid,
    resolve_config,
    stream_option,
)
from hebbware.cli.files import check_writable
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.cosim.build import Model
    from hebbware.cosim.core import CoreRun
    from hebbware.cosim.run import RunResult
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.data.streams import Stream

SAMPLES, INFER, STALLS = 500, 200, 64
SHARE = 0.4  # inferred for each one learned, at most, unless asked for


@click.command(
    "cosim",
    epilog=examples(
        "hebbware cosim",
        "hebbware cosim --config mnist --samples 50",
        "hebbware cosim --config wine.toml --dataset wine.csv --waves core.vcd",
    ),
)
@common_options
@dataset_options
@stream_option
@click.option(
    "--samples",
    type=int,
    default=SAMPLES,
    show_default=True,
    metavar="N",
    help="Training samples to learn, in an order drawn from the seed.",
)
@click.option(
    "--infer",
    type=int,
    metavar="N",
    help=f"Test samples to infer after that; by default {INFER}, or {SHARE} N if that is less.",
)
@click.option(
    "--stalls",
    type=click.IntRange(0, 255),
    default=STALLS,
    show_default=True,
    metavar="0..255",
    help="How often both ends of the streams pause at random while real samples pass: in so many "
    "of 256 clocks.",
)
@click.option(
    "--waves", type=Path, metavar="FILE", help="Write a waveform (VCD); large for long runs."
)
@click.pass_context
def command(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    stream: Stream,
    samples: int,
    infer: int | None,
    stalls: int,
    waves: Path | None,
) -> None:
    """Build the RTL, let it learn real samples, and compare every clock with the golden model.

    Short runs come first: commands of every sort, numbers at the ends of their ranges, streams that
    stall hard. Compared are all words of the output streams and all writes of weights, class
    memories, activations, directions and errors: their values and the clocks in which they come.
    All stops at the first difference.
    """
    if waves:
        waves = check_writable(waves, "--waves")
    resolved = resolve_config(config, seed)
    if resolved.signal:
        forbid(context, "neuron.signal: targets are signals", "stream")
    if stream.in_order:
        dataset, _ = prequential.load(config, resolved, source)
    else:
        dataset = source.load(config, resolved.seed, signal=True)
    x, y = pick(resolved, dataset, samples, infer, stream)
    result, message = simulate(resolved, x, y, samples, stalls, waves, output)
    output.write(
        {
            **result,
            "message": message,
            "dataset": dataset.name,
            "stream": str(stream),
            "seed": resolved.seed,
            "stalls": stalls,
            "config": resolved.to_dict(),
        }
    )
    if message:
        raise CheckFailed(message)


def pick(
    config: CoreConfig,
    dataset: Dataset,
    samples: int,
    infer: int | None,
    stream: Stream,
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and classes of the samples to learn, then of those to infer; of signals the
    targets at each tick.

    Raises
    ------
    InputError
        The data set does not fit the network or the stream, or has fewer samples.
    """
    from hebbware.golden.learn import signal, train

    train.check_fit(config, dataset, signal=True)
    stream.check(dataset)
    if stream.in_order:
        order = stream.sequence(dataset, config.seed)
    else:
        order = train.order(config.seed, 0, len(dataset.y_train))
    if config.signal:
        learned, labels = order, signal.targets(config, dataset.y_train[order])
    else:
        learned, labels = stream.passing(dataset.y_train, order, 0, dataset.classes)
    training = len(learned)
    if not 1 <= samples <= training:
        raise InputError(
            f"--samples must lie in 1..{training}, the training samples of {dataset.name}"
            f"{' in stream ' + str(stream) if stream.changes else ''}, not {samples}"
        )
    stream.check(dataset, samples)
    if config.signal:
        measured = np.arange(len(dataset.y_test))
        called = signal.targets(config, dataset.y_test)
    else:
        measured, called = stream.measured(dataset.y_test, samples, dataset.classes)
    test = len(measured)
    if infer is None:
        infer = min(INFER, int(SHARE * samples), test)
    if not 0 <= infer <= test:
        raise InputError(
            f"--infer must lie in 0..{test}, the test samples of {dataset.name}, not {infer}"
        )
    x = np.concatenate([dataset.x_train[learned[:samples]], dataset.x_test[measured[:infer]]])
    y = np.concatenate([labels[:samples], called[:infer]])
    return train.inputs(config, x), y


def simulate(
    config: CoreConfig,
    x: np.ndarray,
    y: np.ndarray,
    samples: int,
    stalls: int,
    waves: Path | None,
    output: Output,
) -> tuple[dict[str, Any], str | None]:
    """Learn the first `samples`, infer the others, compare; return the result and the mismatch.

    Short runs come before: faults of commands and handshakes are found in them, and soon.
    """
    model = _build(config, waves is not None, output)
    runs, message = _short_runs(config, model, waves, output)
    each = {"clocks_per_sample": None, "clocks_per_sample_inferred": None}
    accuracy = {"accuracy_rtl": None, "accuracy_golden": None}
    if not message:
        run = _long_run(config, model, x, y, samples, stalls, waves, output)
        runs["samples"], message = run.result, run.message and f"samples: {run.message}"
        each = _clocks_each(config, run, samples)
        accuracy = _errors(config, run, y, samples) if config.signal else _accuracy(run, y, samples)
    clocks = sum(found.clocks for found in runs.values())
    seconds = sum(found.seconds for found in runs.values())
    result = {
        "samples": samples,
        "inferred": len(x) - samples,
        "clocks": clocks,
        "compared": sum(found.compared for found in runs.values()),
        "commands": sum(len(found.logs["responses"]) for found in runs.values()),
        "mismatches": sum(found.mismatches for found in runs.values()),
        **accuracy,
        **each,
        "clocks_per_second": clocks / seconds if seconds else 0.0,
        "seconds": {"build": model.seconds, "simulation": seconds},
        "runs": [
            {"name": name, "clocks": found.clocks, "compared": found.compared}
            for name, found in runs.items()
        ],
        "build_cached": model.cached,
        "tools": str(model.toolchain),
    }
    _verdict(result, message, output)
    return result, message


def _accuracy(run: CoreRun, y: np.ndarray, samples: int) -> dict[str, float | None]:
    """Of the samples inferred."""
    rtl, golden = run.classes[samples:], run.prediction.classes[samples:]
    return {
        "accuracy_rtl": _share(rtl, y[samples:][: len(rtl)]),
        "accuracy_golden": _share(golden, y[samples:]),
    }


def _errors(
    config: CoreConfig, run: CoreRun, y: np.ndarray, samples: int
) -> dict[str, float | None]:
    """Of signals: the measure of the samples inferred (`hebbware.golden.learn.signal`)."""
    from hebbware.golden.learn import signal

    wanted, errors = signal.real_targets(config, y[samples:]), []
    words = run.prediction.channels["results"].arrays()[2].reshape(-1, config.classes + 1)
    for scores in (run.scores, words[:, 1:]):
        outputs = config.u.real(scores[samples * config.neuron.target :])
        whole = outputs.size == wanted.size > 0
        errors.append(signal.error(outputs.reshape(wanted.shape), wanted) if whole else None)
    return {"error_rtl": errors[0], "error_golden": errors[1]}


def _short_runs(
    config: CoreConfig, model: Model, waves: Path | None, output: Output
) -> tuple[dict[str, RunResult], str | None]:
    """Compare what `hebbware.cosim.stimuli.short` holds, up to a mismatch."""
    from hebbware.cosim import stimuli
    from hebbware.cosim.core import cosimulate

    runs, given = {}, stimuli.short(config, config.seed)
    output.log(f"2/4 {len(given)} short runs: {', '.join(each.name for each in given)}")
    about = {"about": estimates.SHORT_RUNS, "of": config.fingerprint}
    with output.progress("short runs", len(given), **about) as advance:
        for each in given:
            run = cosimulate(config, each.x, each.labels, model=model, waves=waves, **each.options)
            runs[each.name] = run.result
            if run.message:
                return runs, f"{each.name}: {run.message}"
            advance()
    return runs, None


def _long_run(
    config: CoreConfig,
    model: Model,
    x: np.ndarray,
    y: np.ndarray,
    samples: int,
    stalls: int,
    waves: Path | None,
    output: Output,
) -> CoreRun:
    """Learn the first `samples` and infer the others."""
    from hebbware.cosim.core import cosimulate
    from hebbware.cosim.stimuli import words_of_sample
    from hebbware.golden.estimate.estimate import sample_clocks

    output.log(f"3/4 {samples} samples to learn, {len(x) - samples} to infer: golden, then the RTL")
    learn = np.arange(len(x)) < samples
    labels = [label if learns else None for label, learns in zip(y, learn, strict=True)]
    # about as long as it takes: the core without pauses, or the input stream with them
    core = 0
    if not config.recurrent:
        core = sample_clocks(config, np.count_nonzero(x != config.x_zero, axis=1), learn)[-1]
    words = words_of_sample(config)
    total = max(int(core), int(len(x) * words * 256 / (256 - stalls)))
    with ExitStack() as bars:
        about = {"about": estimates.predicting(config, len(x)), "of": config.fingerprint}
        advance = bars.enter_context(output.progress("predicting", len(x), **about))
        reached = 0

        def progress(stage: str, now: int) -> None:
            nonlocal advance, reached
            advance(now - reached)
            reached = now
            if stage == "golden" and now == len(x):
                bars.close()
                about["about"] = estimates.simulating(config, total)
                bar = output.progress("simulating", total, **about)
                advance, reached = bars.enter_context(bar), 0

        return cosimulate(
            config, x, labels, model=model, seed=config.seed,
            stalls=stalls, waves=waves, progress=progress,
        )  # fmt: skip


def _clocks_each(config: CoreConfig, run: CoreRun, samples: int) -> dict[str, float | None]:
    """Clocks for each sample learned, and for each one inferred; of sequences also per tick."""
    from hebbware.golden.estimate.estimate import start_clocks

    each = np.diff(run.prediction.sample_clocks, prepend=start_clocks(config))
    learned = each[:samples].mean()
    ticks = {"clocks_per_tick": learned / config.neuron.ticks} if config.recurrent else {}
    return {
        "clocks_per_sample": learned,
        "clocks_per_sample_inferred": _mean(each[samples:]),
        **ticks,
    }


def _build(config: CoreConfig, waves: bool, output: Output) -> Model:
    output.log(
        f"1/4 RTL of {'-'.join(map(str, config.sizes))}, {config.lanes} lanes, "
        f"{config.rule}: Verilog, then Verilator"
    )
    from hebbware.cosim.core import build_core
    from hebbware.cosim.toolchain import find

    find()  # what is missing is told before the Verilog is made
    about = {"about": estimates.building(config), "of": config.fingerprint}
    with output.progress("building the simulation", later=True, **about) as step:
        model = build_core(config, waves=waves, tell=step.begin)
    found = "in the cache, found" if model.cached else "built"
    output.log(f"    {found} in {model.seconds:.1f} s: {model.toolchain}")
    return model


def _verdict(result: dict[str, Any], message: str | None, output: Output) -> None:
    if message:
        output.log(f"4/4 the RTL parts from the golden model after {result['clocks']:,} clocks")
        return
    output.log(
        f"4/4 equal: {result['clocks']:,} clocks, {result['compared']:,} records and "
        f"{result['commands']:,} commands compared, 0 mismatches; "
        f"{result['clocks_per_second']:,.0f} clocks/s"
    )
    inferred, tick = result["clocks_per_sample_inferred"], result.get("clocks_per_tick")
    sample = "sample" if tick is None else f"sequence, {tick:,.1f} per tick"
    if inferred is None:
        output.log(f"    {result['clocks_per_sample']:,.1f} clocks per learned {sample}")
        return
    output.log(
        f"    {result['clocks_per_sample']:,.1f} clocks per learned {sample}, "
        f"{inferred:,.1f} per inferred one\n    {_told(result)}"
    )


def _told(result: dict[str, Any]) -> str:
    """What came of the samples inferred."""
    if "error_rtl" in result:
        return (
            "normalised mean squared error of the samples inferred "
            f"{result['error_rtl']:.4f} on the RTL, {result['error_golden']:.4f} in golden"
        )
    return (
        f"of the samples inferred, {100 * result['accuracy_rtl']:.1f} % right on the RTL, "
        f"{100 * result['accuracy_golden']:.1f} % in golden"
    )


def _share(found: np.ndarray, wanted: np.ndarray) -> float | None:
    """Return the share of equal entries, None of none."""
    return _mean(found == wanted)


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None
