"""The figure of ``hebbware reservoir``: memory and errors against bits and size."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hebbware.study.drawing import COLOURS, MARKS, STYLE
from hebbware.study.reservoir import AHEAD, BITS

NAMES = {
    "capacity": "linear memory capacity, steps",
    "narma10": "NARMA-10, NRMSE",
    "mackey_glass": f"Mackey-Glass + {AHEAD}, NRMSE",
}


def draw(rows: Sequence[dict], title: str, file_format: str = "png") -> bytes:
    """The figure of the rows of `hebbware.study.reservoir.measured`: one line per topology."""
    with rc_context(STYLE):
        figure = Figure(figsize=(15, 8.6), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=14)
        grid = figure.subplots(2, 3)
        for axes, panel in zip(grid, ("bits", "units"), strict=True):
            for axis, measure in zip(axes, NAMES, strict=True):
                _panel(axis, rows, panel, measure)
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        buffer = io.BytesIO()
        figure.savefig(buffer, format=file_format, dpi=110)
    return buffer.getvalue()


def _panel(axis, rows, panel, measure):
    curves = sorted({(r["topology"], r["rounding"]) for r in rows if r["rounding"] != "none"})
    for number, (topology, rounding) in enumerate(curves):
        shown = [
            row
            for row in rows
            if panel in row["panels"]
            and row["topology"] == topology
            and row["rounding"] in (rounding, "none")
        ]
        if not any(row["rounding"] == rounding for row in shown):
            continue
        if panel == "bits":
            shown.sort(key=lambda row: BITS.index(row["state_bits"]), reverse=True)
            places = [len(BITS) - 1 - BITS.index(row["state_bits"]) for row in shown]
        else:
            shown.sort(key=lambda row: row["units"])
            places = [row["units"] for row in shown]
        axis.errorbar(
            places,
            [row[measure] for row in shown],
            [row[f"{measure}_std"] for row in shown],
            color=COLOURS[number],
            marker=MARKS[number],
            capsize=3,
            label=f"{topology}, {rounding}",
        )
    axis.set_ylabel(NAMES[measure])
    if panel == "bits":
        axis.set_xticks(range(len(BITS)), [str(b) if b else "float" for b in reversed(BITS)])
        axis.set_xlabel("state width, bits")
    else:
        sizes = sorted({row["units"] for row in rows if panel in row["panels"]})
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.set_xlabel("units R")
        if measure == "capacity":
            axis.plot(sizes, sizes, color="#999999", linestyle=":", zorder=0)
            axis.annotate("R", (sizes[-1], sizes[-1]), color="#777777", ha="right", va="bottom")
    axis.set_ylim(0, 1.06 * axis.dataLim.y1)
