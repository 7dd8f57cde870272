"""``hebbware train``: bit-exact learning on a data set, with its curve and its controls."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli import prequential, signals
from hebbware.cli.common import (
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    forbid,
    resolve_config,
    stream_option,
    untested,
)
from hebbware.cli.files import FIGURES, check_writable, figure_path, write_file
from hebbware.cli.learning import learning
from hebbware.cli.spikes import told
from hebbware.golden.data.augment import Augment
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.data.streams import Stream
    from hebbware.golden.learn.controls import Control
    from hebbware.golden.learn.train import Result, State

EPOCHS = 10


@click.command(
    "train",
    epilog=examples(
        "hebbware train",
        "hebbware train --config mnist --epochs 3 --controls",
        "hebbware train --config wine.toml --dataset wine.csv --seeds 5",
        "hebbware train --set formats.weight_bits=8 --figure curve.png",
    ),
)
@common_options
@dataset_options
@stream_option
@click.option(
    "--epochs",
    type=int,
    metavar="N",
    help=f"Passes over the training samples, {EPOCHS} by default; the steps' halvings spread over "
    "them. With --resume: all passes, those done included.",
)
@click.option(
    "--validation",
    type=int,
    metavar="N",
    help="Training samples held back to measure each epoch, by default one in twelve; 0: none.",
)
@click.option(
    "--engine",
    default="compiled",
    show_default=True,
    metavar="compiled|plain",
    help="The compiled core, or the plain one in NumPy; both learn the same, bit for bit.",
)
@click.option(
    "--flip", is_flag=True, help="Turn every second image over while learning, by chance."
)
@click.option(
    "--shift",
    type=click.IntRange(0, 8),
    default=0,
    metavar="N",
    help="Move images by up to N rows and columns while learning, by chance.",
)
@click.option("--controls", is_flag=True, help="Train the controls too: linear, frozen, codes, ...")
@click.option("--checkpoint", type=Path, metavar="FILE", help="Save the run here every epoch.")
@click.option("--resume", type=Path, metavar="FILE", help="Continue the run of a checkpoint.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    metavar="N",
    help="Run with N seeds in a row and tell mean and standard deviation of the test accuracy.",
)
@click.option("--reference", is_flag=True, help="With --seeds: train the float reference too.")
@prequential.options
@click.option("--figure", type=Path, metavar="FILE", help=f"Draw the curve ({', '.join(FIGURES)}).")
@click.pass_context
def command(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    stream: Stream,
    epochs: int | None,
    validation: int | None,
    engine: str,
    flip: bool,
    shift: int,
    controls: bool,
    checkpoint: Path | None,
    resume: Path | None,
    seeds: int | None,
    reference: bool,
    setting: prequential.Setting,
    figure: Path | None,
) -> None:
    """Train the golden network, bit for bit what the hardware learns, and measure it.

    Accuracy is measured after each epoch on samples held back from training, and on the test set
    once, at the end. A stream in its own order (``--stream in-order``) is predicted sample by
    sample, each before it is learned.
    """
    from hebbware.golden.learn import checkpoint as checkpoints
    from hebbware.golden.learn import controls as control_runs
    from hebbware.golden.learn import train as training

    given = None if resume else resolve_config(config, seed)  # read once: it may be a pipe
    if given and given.signal:
        forbid(context, "neuron.signal: targets are signals", *signals.REFUSED, *prequential.NAMES)
        signals.run(
            *(given, config, source),
            epochs=EPOCHS if epochs is None else epochs,
            validation=validation,
            engine=engine,
            controls=controls,
            seeds=seeds,
            reference=reference,
            output=output,
        )
        return
    if seeds:
        lone = (
            "controls",
            "checkpoint",
            "resume",
            "figure",
            "stream",
            "flip",
            "shift",
            *prequential.NAMES,
        )
        forbid(context, "--seeds, which is many runs", *lone)
        from hebbware.cli.seeds import repeat

        repeat(
            *(given, config, source, seeds),
            epochs=EPOCHS if epochs is None else epochs,
            validation=validation,
            engine=engine,
            reference=reference,
            output=output,
        )
        return
    if reference:
        raise InputError("--reference needs --seeds")
    checkpoint, figure = _files(checkpoint, figure)
    state = None
    if resume:
        settled = ("config", "seed", "fields", "stream", "validation", "flip", "shift")
        forbid(context, "--resume: the checkpoint has it", *settled)
        state = checkpoints.load(resume)
        if not state.dataset:
            raise InputError(f"--resume: {resume} names no data set, it is of HebbianClassifier")
        resolved, stream, planned = state.core.config, state.stream, state.epochs
        source = replace(source, name=source.name or state.dataset, meaning=state.meaning)
        validation = state.held
    else:
        resolved, planned = given, EPOCHS
    epochs = planned if epochs is None else epochs
    if controls:
        control_runs.configurations(resolved)  # those that cannot be fail here
    if stream.in_order:
        forbid(context, f"--stream {stream}", "validation", "checkpoint", "resume", "flip", "shift")
        shown = {"engine": engine, "controls": controls, "figure": figure, "output": output}
        prequential.run(config, resolved, source, stream, setting, epochs=epochs, **shown)
        return
    forbid(context, f"--stream {stream}", *prequential.NAMES)
    dataset = source.load(config, resolved.seed, signal=True)  # what does not fit is told
    training.check_fit(resolved, dataset)
    held = training.held_back(dataset, validation)
    # a run that is to be resumed may come to the change later
    stream.check(dataset, None if checkpoint else epochs * (len(dataset.y_train) - held))
    augment = Augment(flip, shift)
    augment.check(dataset.shape)
    options = {"engine": engine, "validation": validation, "stream": stream, "augment": augment}
    result, compared = _train(
        output, resolved, dataset, epochs, state, checkpoint, controls, **options
    )
    fidelity = _fidelity(result.state, dataset) if controls else []
    _print(output, dataset, result, compared)
    if fidelity:
        _print_fidelity(output, fidelity)
    if figure:
        write_file(figure, _draw(figure.suffix[1:].lower(), dataset, result, compared))
    output.write(_content(dataset, result, compared, engine) | {"fidelity": fidelity})


def _files(checkpoint: Path | None, figure: Path | None) -> tuple[Path | None, Path | None]:
    """Refuse files that cannot be written, before the work."""
    if checkpoint:
        checkpoint = check_writable(checkpoint, "--checkpoint")
    return checkpoint, figure_path(figure)


def _train(
    output: Output,
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    state: State | None,
    checkpoint: Path | None,
    controls: bool,
    **options: Any,
) -> tuple[Result, dict[str, Control]]:
    """Train the network, and its controls if asked for; show the progress."""
    from hebbware.golden.learn import checkpoint as checkpoints
    from hebbware.golden.learn import controls as control_runs
    from hebbware.golden.learn import train as training

    samples = len(dataset.y_train) - training.held_back(dataset, options["validation"])
    runs = epochs - (state.epoch if state else 0)
    runs += controls * epochs * len(control_runs.names(config))

    def after_epoch(state: State) -> None:
        if checkpoint:
            checkpoints.save(checkpoint, state)

    title, total, engine = f"training on {dataset.name}", max(runs, 0) * samples, options["engine"]
    with learning(output, title, config, dataset, total, engine) as advance:
        options["progress"] = advance
        result = training.train(
            config, dataset, epochs, after_epoch=after_epoch, state=state, **options
        )
        config = result.state.core.config
        del options["augment"]
        compared = control_runs.run(config, dataset, epochs, **options) if controls else {}
    return result, compared


def _content(
    dataset: Dataset, result: Result, compared: dict[str, Control], engine: str
) -> dict[str, Any]:
    """Return what ``--json`` writes of a run."""
    state = result.state
    held, test = state.held, len(dataset.y_test)
    return {
        "dataset": dataset.name,
        "epochs": state.epoch,
        "seed": state.core.config.seed,
        "stream": str(state.stream),
        "accuracy": {"train": state.train, "validation": state.validation, "test": result.test},
        "validation": state.validation[-1],
        "samples": {"train": len(dataset.y_train) - held, "validation": held, "test": test},
        "samples_per_second": result.samples_per_second,
        "rate": result.rate,
        "engine": engine,
        "controls": {
            name: {"validation": control.validation, "test": control.test}
            for name, control in compared.items()
        },
        "config": state.core.config.to_dict(),
    }


def _fidelity(state: State, dataset: Dataset) -> list[dict[str, float]]:
    """How well the decoder of a reservoir memory reproduces it: held-out signals, in the loop."""
    from hebbware.golden.core import Core
    from hebbware.golden.learn import train as training
    from hebbware.golden.learn.fidelity import in_loop
    from hebbware.golden.reservoir.decoder import decoder_of
    from hebbware.golden.reservoir.memory import CONTROLS

    config = state.core.config
    if not state.core.reservoir or config.reservoir.decoder in CONTROLS:
        return []
    core = training.copy_state(state.core, Core(config))
    x, y = training.inputs(config, dataset.x_train), dataset.y_train
    held = decoder_of(config).r2
    return [
        {
            "layer": f.layer + 1,
            "held_out": held,
            "memory": f.memory,
            "rows": f.rows,
            "modulator": f.modulator,
        }
        for f in in_loop(core, x, y)
    ]


def _print_fidelity(output: Output, fidelity: list[dict[str, float]]) -> None:
    output.table(
        "R^2 of what is decoded from the reservoirs, against the exact memory",
        ("layer", "memory, held-out signals", "memory, in the loop", "at unit scale", "modulator"),
        [
            (
                row["layer"],
                *(f"{row[key]:.2f}" for key in ("held_out", "memory", "rows", "modulator")),
            )
            for row in fidelity
        ],
    )


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def _changing(state: State) -> str:
    return f", stream {state.stream}" if state.stream.changes else ""


def _print(output: Output, dataset: Dataset, result: Result, compared: dict[str, Control]) -> None:
    """Print the curve, the controls and the result."""
    state = result.state
    config = state.core.config
    output.log(
        f"{dataset.name}: {'-'.join(map(str, config.sizes))}, {config.rule}, "
        f"{config.weight.width}-bit weights, seed {config.seed}{_changing(state)}"
    )
    output.table(
        "accuracy",
        ("epoch", "% while learning", "% on validation", "halvings"),
        [
            (epoch + 1, _percent(train), _percent(validation), config.extra(epoch))
            for epoch, (train, validation) in enumerate(
                zip(state.train, state.validation, strict=True)
            )
        ],
    )
    if compared:
        output.table(
            "controls, same samples",
            ("control", "% on validation", "% on test"),
            [
                (name, _percent(control.validation[-1]), _percent(control.test))
                for name, control in compared.items()
            ],
        )
    speed = result.samples_per_second
    rate = "" if math.isnan(speed) else f"; {speed:,.0f} samples/s learned"
    if why := untested(dataset):
        output.log(f"no test accuracy: {why}{rate}")
    else:
        output.log(f"test accuracy {_percent(result.test)} % of {len(dataset.y_test):,}{rate}")
    if result.rate is not None:
        output.log(told(result.rate))


def _draw(
    file_format: str, dataset: Dataset, result: Result, compared: dict[str, Control]
) -> bytes:
    """Return the figure: accuracy against epochs; the test set and the controls at the end."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    state = result.state
    config = state.core.config
    epochs = range(1, state.epoch + 1)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(
        epochs, [100 * v for v in state.train], "o:", ms=4, color="C0", label="while learning"
    )
    if state.held:
        curve = [100 * v for v in state.validation]
        axes.plot(epochs, curve, "o-", ms=4, color="C0", label="validation")
    axes.plot(
        [state.epoch],
        [100 * result.test],
        "*",
        ms=13,
        color="C3",
        label=f"test {_percent(result.test)}",
    )
    for index, (name, control) in enumerate(compared.items()):
        axes.plot(  # one number, measured at the end: no line over epochs
            [state.epoch],
            [100 * control.test],
            "Dsv^<>"[index % 6],
            ms=7,
            mfc="none",
            mew=1.6,
            color=f"C{(1, 2, 4, 5)[index % 4]}",
            label=f"{name} {_percent(control.test)} (test)",
        )
    axes.set(
        xlabel="epoch",
        ylabel="accuracy, %",
        title=f"{dataset.name}, {'-'.join(map(str, config.sizes))}, {config.rule}, "
        f"{config.weight.width}-bit weights{_changing(state)}",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=10, loc="center left", bbox_to_anchor=(1.01, 0.5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, dpi=150)
    return buffer.getvalue()
