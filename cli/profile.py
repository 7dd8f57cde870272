"""``hebbware profile``: the range of every signal over training against its format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates
from hebbware.cli.common import (
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    resolve_config,
)
from hebbware.cli.files import FIGURES, figure_path, write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hebbware.golden.data.sets import Dataset
    from hebbware.study.profile import Profile
    from hebbware.study.tally import Tally

STORED = ("d", "M", "W")  # histograms of what is stored, not of exact values
SAMPLES = 500


@click.command(
    "profile",
    epilog=examples(
        "hebbware profile", "hebbware profile --config mnist --samples 200 --figure formats.png"
    ),
)
@common_options
@dataset_options
@click.option(
    "--samples",
    type=int,
    default=SAMPLES,
    show_default=True,
    metavar="N",
    help="Training samples to learn; more than the data set has are further epochs.",
)
@click.option(
    "--tolerance",
    type=float,
    metavar="LSB",
    help="Distance from the float network that is still accepted, in last bits of a signal's "
    "format; 16 by default.",
)
@click.option(
    "--figure",
    type=Path,
    metavar="FILE",
    help=f"Draw all histograms ({', '.join(FIGURES)}).",
)
def command(
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    samples: int,
    tolerance: float | None,
    figure: Path | None,
) -> None:
    """Tell which format of a configuration is too small, too coarse or too wide.

    A bit-exact network learns real samples. Of each signal of each layer this counts how often its
    format clips it and how often it is rounded to zero, and keeps a histogram of its size. The
    same samples go through the network in double precision, and the first signal that parts from
    it by more than the tolerance is named.
    """
    from hebbware.study.profile import TOLERANCE, profile

    figure = figure_path(figure)
    resolved = resolve_config(config, seed)
    dataset = source.load(config, resolved.seed)
    title, count = f"profiling on {dataset.name}", max(samples, 0)
    about = 3 * estimates.learning(resolved, count, "plain")  # and the network in floating point
    with output.progress(title, count, about=about, of=resolved.fingerprint) as advance:
        found = profile(
            resolved,
            dataset,
            samples,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            progress=advance,
        )
    _print(output, dataset, found)
    if figure:
        write_file(figure, draw(figure.suffix[1:].lower(), dataset, found))
    output.write({"dataset": dataset.name, "seed": resolved.seed, **found.to_dict()})


def _print(output: Output, dataset: Dataset, found: Profile) -> None:
    config, rounding = found.config, found.config.update.rounding
    _print_summary(output, found)
    output.table(
        f"{dataset.name}, {'-'.join(map(str, config.sizes))}, {config.memory.kind} memory, "
        f"{found.samples:,} samples learned, seed {config.seed}",
        ("layer", "signal", "format", "% clipped", "% to zero", "bias", "largest", "verdict"),
        [
            (
                found.layer_name(tally.layer),
                tally.signal,
                str(tally.format),
                _percent(tally.saturated_share),
                _percent(tally.lost_share),
                f"{tally.bias:.2f}",
                f"{tally.largest:.4g}",
                tally.verdict(rounding),
            )
            for tally in found.tallies
        ],
    )
    output.log(
        "% to zero: of the values that are not zero; bias: what rounding adds on average, as a "
        "share of the mean size"
    )


def _print_summary(output: Output, found: Profile) -> None:
    """Print which formats to change, what parts from real arithmetic first, and the accuracy."""
    from hebbware.study.tally import FIELDS

    fields: dict[str, list[str]] = {}
    for tally, verdict in found.flagged():
        wrong = ", ".join(word for word in verdict.split(", ") if "idle" not in word)
        if wrong:
            at = f"{found.layer_name(tally.layer)} {tally.signal} {wrong}"
            fields.setdefault(" or ".join(FIELDS[tally.signal]), []).append(at)
    for names, where in fields.items():
        output.log(f"change {names}: {'; '.join(where)}")
    if not fields:
        output.log("change nothing: no format is too small")
    idle: dict[str, list[str]] = {}
    for tally, verdict in found.flagged():
        if "idle" in verdict:
            at = f"{found.layer_name(tally.layer)} {tally.signal} {tally.idle_bits}"
            idle.setdefault(" or ".join(FIELDS[tally.signal]), []).append(at)
    for names, where in idle.items():
        output.log(f"may be narrower, bits never used: {names}: {', '.join(where)}")
    output.log(_parting(found))
    output.log(
        f"right while learning: {_percent(found.accuracy)} % in integers, "
        f"{_percent(found.accuracy_float)} % in float"
    )


def _parting(found: Profile) -> str:
    """Say in a line what parts from the float network first."""
    first = found.first
    if first is None:
        return f"no signal is more than {found.tolerance:g} last bits from the float network"
    return (
        f"first more than {found.tolerance:g} last bits from the float network: {first.signal} of "
        f"{found.layer_name(first.layer)} in sample {first.first + 1}, by {first.deviation:.1f}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def draw(file_format: str, dataset: Dataset, found: Profile) -> bytes:
    """Return the figure: a histogram for each signal (rows) of each layer (columns)."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from hebbware.study.tally import SIGNALS

    config = found.config
    signals = [name for name in SIGNALS if any(tally.signal == name for tally in found.tallies)]
    columns = len(config.sizes) - 1
    figure = Figure(figsize=(3.6 * columns + 0.6, 1.7 * len(signals) + 1.1), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(signals), columns, squeeze=False, sharex="row", sharey=True)
    for axes in grid.flat:
        axes.set_visible(False)
    for tally in found.tallies:
        axes = grid[signals.index(tally.signal), tally.layer]
        axes.set_visible(True)
        _bars(axes, tally, found)
        if all(t.layer >= tally.layer for t in found.tallies if t.signal == tally.signal):
            axes.set_ylabel("% of non-zero", fontsize=8)
            axes.tick_params(labelleft=True)
    for axes in grid[-1]:
        axes.set_xlabel("log2 of the magnitude", fontsize=8)
    figure.suptitle(
        f"{dataset.name}, {'-'.join(map(str, config.sizes))}, {config.memory.kind} memory, "
        f"{config.weight.width}-bit weights ({config.update.rounding}), {found.samples:,} samples\n"
        "shaded: what the format holds, from its last bit to its largest value",
        fontsize=10,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, dpi=110)
    return buffer.getvalue()


def _bars(axes: Axes, tally: Tally, found: Profile) -> None:
    """One histogram, its format shaded; what the format does not hold in red."""
    from matplotlib.ticker import MaxNLocator

    fmt = tally.format
    low, high = -fmt.fraction, fmt.width - fmt.signed - fmt.fraction
    # what is stored fits: its largest magnitude is that of the smallest number, 2**high
    inside = range(low, high + (tally.signal in STORED))
    powers, counts = list(tally.histogram), list(tally.histogram.values())
    nonzero = max(tally.values - tally.zero, 1)
    axes.axvspan(low, high, color="C0", alpha=0.12, lw=0)
    axes.bar(
        powers,
        [100 * count / nonzero for count in counts],
        width=0.9,
        align="edge",
        color=["C0" if power in inside else "C3" for power in powers],
    )
    axes.set_title(
        f"{found.layer_name(tally.layer)}: {tally.signal} ({fmt}), "
        f"{100 * tally.zero / tally.values:.1f} % are 0\n"
        f"clipped {_percent(tally.saturated_share)} %, to zero {_percent(tally.lost_share)} %",
        fontsize=8,
        loc="left",
    )
    verdict = tally.verdict(found.config.update.rounding)
    axes.text(
        0.98, 0.93, verdict, transform=axes.transAxes, fontsize=8, va="top", ha="right", color="C3"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
