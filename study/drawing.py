"""What the figures of a report share: colours, names of axes, the accuracy axis, texts.

Colours are told apart by the colour-blind, and every line has its own mark besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from hebbware.study.results import Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A5C00")
"""Okabe and Ito's, the palest left out."""
MARKS = "osD^vP*X"
DASHES = {"float": (0, (1, 1.2)), "linear": (0, (6, 2)), "codes": (0, (3, 1.5)), "frozen": "-."}
GREY = "#555555"
STYLE = {
    "svg.hashsalt": "hebbware",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.markersize": 7,
    "path.simplify": False,
}

LABELS = {
    "input.size": "inputs",
    "layer.units": "units of each layer",
    "lanes": "lanes",
    "formats.weight_bits": "weight width, bits",
    "neuron.kind": "dynamics of a neuron",
    "neuron.time_steps": "time steps of a sample",
    "neuron.leak_shifts": "shifts of dt/tau",
    "neuron.slope_shift": "slope below 0, -log2",
    "input.centred": "inputs centred",
    "update.rounding": "rounding of the weight update",
    "input.bits": "input width, bits",
    "formats.u_bits": "width of sums, bits",
    "formats.u_fraction": "fraction of sums, bits",
    "formats.z_bits": "activation width, bits",
    "formats.z_fraction": "activation fraction, bits",
    "formats.d_bits": "update direction width, bits",
    "formats.d_fraction": "update direction fraction, bits",
    "memory.kind": "working memory",
    "memory.bits": "class memory width, bits",
    "memory.horizon": "memory horizon, log2 of samples",
    "memory.window": "window, samples",
    "memory.kappa": "weight of the codes (kappa)",
    "memory.read_bits": "width of memory as read, bits",
    "memory.read_fraction": "fraction of memory as read, bits",
    "formats.error_fraction": "error fraction, bits",
    "modulator.beta_log2": "softmax gain, log2",
    "layer.rate": "rate of each layer, -log2",
    "update.halve_every": "epochs between halvings of the rates",
    "update.halvings": "halvings of the rates",
    "layer.init_std": "standard deviation of start weights",
    "formats.exp_bits": "table of exp, log2 of entries",
    "formats.reciprocal_bits": "table of 1/x, log2 of entries",
    "formats.rsqrt_bits": "table of 1/sqrt(x), log2 of entries",
    "epochs": "epochs",
    "samples": "training samples",
}


def label(name: str) -> str:
    """Return what a field is called on an axis, with its unit."""
    words = name.replace("_bits", " width, bits").replace(".", " ").replace("_", " ")
    return LABELS.get(name, words)


def quantity(name: str) -> str:
    """Return what a field is called, without its unit."""
    return label(name).split(",")[0]


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 seed``, ``3 seeds``."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def shade(number: int, count: int) -> tuple:
    """Return the colour of one of many ordered lines, from dark to light."""
    return colormaps["viridis"](0.88 * number / max(count - 1, 1))


def bars_of(spreads: Sequence[Spread]) -> np.ndarray:
    """Return the lengths of the bars below and above the means, none beyond 0 and 100."""
    mean = np.array([100 * spread.mean for spread in spreads])
    bars = np.array([100 * (spread.deviation or 0.0) for spread in spreads])
    return np.array([np.minimum(bars, mean), np.minimum(bars, 100 - mean)])


# -- the accuracy axis -----------------------------------------------------------------------------

TICKS = (0, 20, 40, 60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.5, 100)
SOFT = 0.6  # per cent of errors that the stretched scale ends at


def _stretch(y: np.ndarray) -> np.ndarray:
    return -np.log10(np.maximum(100 - np.asarray(y, float), -0.9 * SOFT) + SOFT)


def _unstretch(v: np.ndarray) -> np.ndarray:
    return 100 + SOFT - 10 ** -np.asarray(v, float)


def mean_alone(spreads: Iterable[Spread | None]) -> list[Spread]:
    """Return the means without their spread, for what is drawn without bars."""
    return [Spread((spread.mean,)) for spread in spreads if spread]


def ordinate(axes: Axes, spreads: Sequence[Spread | None], what: str) -> None:
    """Set up the accuracy axis; stretched towards 100 where the means lie far apart."""
    spreads = [spread for spread in spreads if spread]
    means = [100 * spread.mean for spread in spreads]
    below, above = bars_of(spreads)
    low, high = min(means - below), max(means + above)
    stretched = min(means) < 85 and max(means) > 90
    axes.grid(axis="y", alpha=0.3, lw=0.8)
    axes.set_axisbelow(True)
    if axes.get_subplotspec().is_first_col():
        axes.set_ylabel(f"{what}, %" + "\n(stretched towards 100)" * stretched)
    if not stretched:
        margin = 0.06 * max(high - low, 1.0)
        axes.set_ylim(low - margin, min(high + margin, 100 + 0.5 * margin))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
        return
    axes.set_yscale("function", functions=(_stretch, _unstretch))
    ends = _stretch(np.array([low, high]))
    margin = 0.05 * (ends[1] - ends[0])
    bottom, top = _unstretch(np.array([ends[0] - margin, ends[1] + margin]))
    axes.set_ylim(bottom, min(top, 100 + SOFT / 2))
    kept: list[float] = []
    for tick in sorted((t for t in TICKS if bottom <= t <= top), key=lambda t: (t % 10 != 0, t)):
        gaps = np.abs(_stretch(np.array(kept)) - _stretch(np.array([tick]))) if kept else [1e9]
        if min(gaps) > 0.06 * (ends[1] - ends[0] + 2 * margin):
            kept.append(tick)
    axes.yaxis.set_major_locator(FixedLocator(sorted(kept)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


# -- texts -----------------------------------------------------------------------------------------


def label_right(axes: Axes, texts: list[tuple[float, str]]) -> None:
    """Write texts beside the right end of the axes at their heights, pushed apart."""
    if not texts:
        return
    texts = sorted(texts)
    low, high = axes.get_ylim()
    scale = axes.yaxis.get_transform().transform
    bottom, top = scale(np.array([low, high]))
    wanted = [(float(scale(np.array([y]))[0]) - bottom) / (top - bottom) for y, _ in texts]
    for y, (_, text), own in zip(_apart(wanted, 0.058), texts, wanted, strict=True):
        axes.annotate(
            text,
            (1.0, own),
            (1.035, y),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=11,
            color=GREY,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.8, "color": GREY, "shrinkA": 1, "shrinkB": 0},
        )


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Move sorted heights so that neighbours are `least` apart, each cluster about its middle."""
    clusters: list[list[float]] = []
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _low(clusters[-1], least) < _high(clusters[-2], least) + least:
            last = clusters.pop()
            clusters[-1] += last
    return [_low(c, least) + least * n for c in clusters for n in range(len(c))]


def _low(cluster: list[float], least: float) -> float:
    middle = sum(cluster) / len(cluster)
    # neither below the axes nor above them
    most = 1 - least * (len(cluster) - 1)
    return min(max(middle - least * (len(cluster) - 1) / 2, 0.0), most)


def _high(cluster: list[float], least: float) -> float:
    return _low(cluster, least) + least * (len(cluster) - 1)


WAYS = (
    (0, 9, "center", "bottom"),
    (-8, 6, "right", "bottom"),
    (8, -6, "left", "top"),
    (0, -9, "center", "top"),
    (10, 0, "left", "center"),
    (-10, 0, "right", "center"),
)
"""Where the text of a point may stand: points to the right and up, and how it is set there."""


def label_points(
    canvas: Canvas,
    axes: Axes,
    tags: list[tuple[tuple[float, float], str]],
    points: list[tuple[float, float]],
) -> None:
    """Write a text beside each tagged point where there is room; the others go without."""
    canvas.draw_without_rendering()
    renderer = canvas.canvas.get_renderer()
    half = 4 * canvas.dpi / 72
    taken = [(x - half, y - half, x + half, y + half) for x, y in axes.transData.transform(points)]
    frame = axes.get_window_extent(renderer)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    for at, text in tags:
        for dx, dy, across, up in WAYS:
            note = axes.annotate(
                text,
                at,
                (dx, dy),
                textcoords="offset points",
                ha=across,
                va=up,
                fontsize=11,
                path_effects=halo,
                zorder=4,
            )
            box = note.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
            if inside and all(
                box.x1 < a or c < box.x0 or box.y1 < b or d < box.y0 for a, b, c, d in taken
            ):
                taken.append((box.x0, box.y0, box.x1, box.y1))
                break
            note.remove()
