"""What the figures of this package are drawn with: one style, accuracy against samples."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from hebbware.study.drawing import COLOURS, MARKS, STYLE, bars_of, ordinate
from hebbware.study.results import Spread

SHADES = (*COLOURS, "#882255", "#44AA99", "#999933", "#AA4499")
SHAPES = MARKS + "<>hd"
SIZES = "l: a horizon of 2^l samples\nN: samples of a window\nR: units of a reservoir"
"""What the short names of memories mean, for legends."""
DASHED = (0, (4, 1.6))  # floating point; solid lines are bit-true


def png(draw, *arguments) -> tuple[bytes, dict]:
    """Draw a figure in the house's style; return the bytes of its PNG, and its JSON."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        canvas, summary = draw(*arguments)
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue(), summary


def canvas(rows: int = 1, columns: int = 1, width: float = 8.5, height: float = 5.2, **options):
    """Return a canvas and its axes, as an array of rows and columns."""
    made = Canvas(figsize=(width * columns, height * rows), layout="constrained")
    return made, made.subplots(rows, columns, squeeze=False, **options)


def line(
    axes: Axes,
    x: Sequence[float],
    spreads: Sequence[Spread],
    number: int,
    label: str,
    real: bool = False,
) -> None:
    """Draw accuracy with bars of one standard deviation; `number` gives colour and mark."""
    mean = 100 * np.array([spread.mean for spread in spreads])
    axes.errorbar(
        x,
        mean,
        bars_of(spreads),
        color=SHADES[number % len(SHADES)],
        marker=SHAPES[number % len(SHAPES)],
        ls=DASHED if real else "-",
        mfc="white" if real else None,
        lw=1.8,
        capsize=2.5,
        elinewidth=1,
        label=label,
    )


def samples_axis(axes: Axes, ticks: Sequence[int], text: str) -> None:
    """Set up a logarithmic axis of samples with ticks at those numbers."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    whole_numbers(axes)
    axes.set_xlabel(text)


def whole_numbers(axes: Axes) -> None:
    """Write the ticks of an axis as whole numbers, and none between them."""
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def accuracy_axis(axes: Axes, spreads: Iterable[Spread]) -> None:
    """Set up an axis for these accuracies, stretched towards 100 where they lie far apart."""
    axes.grid(axis="x", alpha=0.3, lw=0.8)
    ordinate(axes, list(spreads), "test accuracy")


def legend(axes: Axes, **options) -> None:
    """Write the legend beside the axes."""
    axes.legend(fontsize=10.5, loc="center left", bbox_to_anchor=(1.01, 0.5), **options)
