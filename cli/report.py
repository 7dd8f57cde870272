"""``hebbware report``: figures and one page that say what a folder of results holds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates
from hebbware.cli.common import Output, examples, json_option
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.study.panels import Panel


@click.command(
    "report",
    epilog=examples("hebbware report results/tiny", "hebbware report results/tiny --output page"),
)
@click.argument("results", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the page and its figures go, by default DIR/report.",
)
@click.option(
    "--code",
    metavar="VERSION",
    help="Take the results of this code version, where DIR holds those of several.",
)
@json_option
def command(results: Path, target: Path | None, code: str | None, output: Output) -> None:
    """Draw what the results in DIR say: index.html, which opens without a network, and figures.

    DIR is a folder that `hebbware sweep` wrote, finished or not; runs.csv has all its runs. Figures
    are written as PNG and SVG. The same results give the same bytes.
    """
    from hebbware.study import report

    study = report.load(results, code)
    target = _check_folder(target or results / "report")
    with output.progress("drawing", about=estimates.DRAWING, of=str(results.absolute())) as advance:
        files = report.render(study, advance)
    write_folder(target, files)
    for panel in study.panels:
        if panel.points:
            _print(output, panel)
    summary = report.summary(study)
    output.log(
        f"{summary['done']} of {summary['planned']} runs done, {summary['failed']} failed; "
        f"{len(files) - 2} figure files, {report.TABLE} and {target / report.PAGE}"
    )
    output.write(
        {**summary, "page": target / report.PAGE, "files": [target / name for name in files]}
    )


def _print(output: Output, panel: Panel) -> None:
    """Print the accuracy of every setting and control."""
    from hebbware.study.axes import show

    def row(point, name=""):
        alone = name and len(panel.controls[name]) == 1
        shown = ["" if alone else show(value[0]) for value in point.at]
        spreads = [point.spread(measure) for measure in panel.measures]
        return [*shown, name, len(point.runs), *map(_percent, spreads)]

    columns = [axis.name for axis in panel.axes] + ["control", "seeds"]
    columns += [f"% on {measure}" for measure in panel.measures]
    rows = [row(point) for point in panel.points]
    rows += [row(p, name) for name, points in panel.controls.items() for p in points]
    output.table(f"{panel.title}: {panel.dataset}", columns, rows)


def _percent(spread) -> str:
    if spread is None:
        return "-"
    bar = "" if spread.deviation is None else f" +- {100 * spread.deviation:.2f}"
    return f"{100 * spread.mean:.2f}{bar}"


# -- a folder of files -----------------------------------------------------------------------------


def _check_folder(folder: Path) -> Path:
    """Return a folder that can be written; nothing is left behind.

    Raises
    ------
    InputError
    """
    folder = folder.absolute()
    try:
        made = _missing(folder)
        trial = folder / f".report.{os.getpid()}"
        try:
            trial.mkdir(parents=True)
            trial.rmdir()
        finally:
            for path in made:
                if path.is_dir():
                    path.rmdir()
    except OSError as error:
        raise InputError(f"--output: cannot write {folder}: {error.strerror}") from None
    return folder


def _missing(folder: Path) -> list[Path]:
    """Return the folders that would have to be made for this one, itself first."""
    found = []
    while not folder.exists():
        found.append(folder)
        folder = folder.parent
    return found


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder: all of them beside it first, then each gets its name.

    Other files in the folder stay.

    Parameters
    ----------
    folder : path
        Made where it is not there.
    files : dict of bytes
        By their paths in the folder; the last one gets its name last.

    Raises
    ------
    InputError
        They cannot be written; older ones are left as they were.
    """
    made = _missing(folder)
    stage = folder / f".report.{os.getpid()}"
    done = False
    try:
        for name, content in files.items():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).write_bytes(content)
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for name in files:
            os.replace(stage / name, folder / name)
        done = True
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if not done:
            for path in made:
                shutil.rmtree(path, ignore_errors=True)
