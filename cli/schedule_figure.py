"""``hebbware info --figure``: the passes of a sample over its clocks, and the memory map."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hebbware.golden.config import CoreConfig
    from hebbware.golden.estimate.timeline import Span

WIDTH = 9.0  # inches
ROW = 0.27  # of a pass
COLOURS = ("#3b6ea5", "#4f9d69", "#c8743a", "#8a63a8", "#b5485d", "#6b7f2f")  # of layers
OTHER = "#777777"
LATENCY = 0.3  # opacity of what is under way after the last step


def draw(config: CoreConfig, nonzero: int, places: list[dict[str, Any]], file_format: str) -> bytes:
    """Return the drawing.

    Parameters
    ----------
    config : CoreConfig
    nonzero : int
        Non-zero inputs of the sample.
    places : list of dict
        The memory map, as ``info --json`` has it.
    file_format : str
        ``svg``, ``png`` or ``pdf``.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from hebbware.golden.estimate.timeline import timeline

    spans, clocks = timeline(config, nonzero)
    rows = list(dict.fromkeys((span.name, span.layer) for span in spans))
    memories = list(dict.fromkeys(place["memory"] for place in places))
    heights = [ROW * len(rows) + 1.1, 0.95 * len(memories) + 0.25]
    # text stays text, and the same drawing gives the same bytes
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hebbware"}):
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        FigureCanvasAgg(figure)
        upper, lower = figure.subplots(2, height_ratios=heights)
        _passes(upper, config, spans, rows, clocks, nonzero)
        _map(lower, config, places, memories)
        buffer = io.BytesIO()
        metadata = {"Date": None} if file_format == "svg" else None
        figure.savefig(buffer, format=file_format, dpi=130, metadata=metadata)
    return buffer.getvalue()


def _passes(axes: Axes, config, spans: list[Span], rows, clocks: int, nonzero: int) -> None:
    """A row for each pass, a bar for each time that it is walked."""
    for number, row in enumerate(rows):
        mine = [span for span in spans if (span.name, span.layer) == row]
        colour = OTHER if row[1] is None else COLOURS[row[1] % len(COLOURS)]
        for span in mine:
            steps = span.last + 1 - span.first
            axes.barh(number, steps, left=span.first, height=0.62, color=colour)
            rest = max(span.done - span.last - 1, 0)
            axes.barh(
                number, rest, left=span.last + 1, height=0.62, color=colour, alpha=LATENCY, lw=0
            )
        if len(mine) == 1:
            (span,) = mine
            told = f"{span.first}" + (f" – {span.last}" if span.last > span.first else "")
            axes.annotate(
                told, (max(span.done, span.last + 1), number), (3, 0), fontsize=7, va="center",
                textcoords="offset points",
            )  # fmt: skip
        if number % 2:
            axes.axhspan(number - 0.5, number + 0.5, color="#f4f4f4", zorder=0, lw=0)
    axes.axvline(clocks, color="#222222", lw=1, ls=":")
    axes.set_yticks(range(len(rows)), [_label(config, *row) for row in rows], fontsize=8)
    end = max(clocks, *(span.done for span in spans))
    axes.set(xlim=(0, 1.1 * end), ylim=(len(rows) - 0.5, -0.5), xlabel="clock")
    axes.xaxis.label.set_size(8)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.35)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_title(
        f"One learned sample of {'-'.join(map(str, config.sizes))} on {config.lanes} lanes, "
        f"{nonzero} inputs other than zero: {clocks:,} clocks (dotted)\n"
        "full: clocks in which steps are issued; pale: until what they write can be read",
        fontsize=9, loc="left",
    )  # fmt: skip


def _label(config: CoreConfig, name: str, layer: int | None) -> str:
    where = None if layer is None else _layer(config, layer)
    return name if where in (None, name) else f"{name}, {where}"


def _layer(config: CoreConfig, layer: int) -> str:
    return "readout" if layer == len(config.hidden) else f"hidden {layer + 1}"


def _map(axes: Axes, config: CoreConfig, places: list[dict[str, Any]], memories: list[str]) -> None:
    """A strip for each memory, cut at its layers; all boxes of one are equally wide."""
    names = {_layer(config, n): n for n in range(len(config.hidden) + 1)}
    for number, memory in enumerate(memories):
        boxes = [place for place in places if place["memory"] == memory]
        for position, place in enumerate(boxes):
            words = place["blocks"] * place["rows"]
            colour = COLOURS[names[place["layer"]] % len(COLOURS)]
            left, width = position / len(boxes), 1 / len(boxes)
            axes.barh(
                number, width, left=left, height=0.56, align="center", color=colour,
                alpha=0.25, edgecolor="#222222", lw=0.8,
            )  # fmt: skip
            rows, blocks = _times(place["rows"], "row"), _times(place["blocks"], "block")
            inside = memory == "weights" and place["layer"] != "readout"
            held = f"{blocks} of {rows}" if inside else f"{rows} of {blocks}"
            axes.text(
                left + width / 2, number,
                f"{place['layer']}\n{_times(words, 'word')}: {held}\na row: {place['row']}",
                ha="center", va="center", fontsize=7,
            )  # fmt: skip
            axes.text(left, number + 0.3, f" {place['address']:,}", fontsize=7, va="top")
        last = boxes[-1]["address"] + boxes[-1]["blocks"] * boxes[-1]["rows"] - 1
        axes.text(1, number + 0.3, f"{last:,} ", fontsize=7, va="top", ha="right")
        axes.text(0, number - 0.32, f"{memory}, addresses of words", fontsize=8, va="bottom")
    axes.set(xlim=(0, 1), ylim=(len(memories) - 0.5, -0.6))
    axes.axis("off")
    axes.set_title(
        f"Memories, boxes not to scale; a word holds a number for each of {config.lanes} lanes",
        fontsize=9, loc="left",
    )  # fmt: skip


def _times(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
