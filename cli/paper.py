"""``hebbware paper``: the counterparts of the paper's figures."""

from __future__ import annotations

from pathlib import Path

import click

from hebbware.cli import values
from hebbware.cli.common import (
    CheckFailed,
    Output,
    data_option,
    dataset_option,
    examples,
    json_option,
)
from hebbware.cli.files import check_writable, write_file
from hebbware.cli.sweep import run_progress
from hebbware.golden.errors import one_of


@click.command(
    "paper",
    epilog=examples(
        "hebbware paper --results results/paper --dataset digits",
        "hebbware paper --results results/paper --figure synthetic",
    ),
)
@click.option(
    "--results",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the runs; what is in it already is not run again. The figures go there too.",
)
@click.option(
    "--full",
    is_flag=True,
    help="All samples and three seeds, an hour and more on two cores; by default one seed and "
    "fewer samples, minutes.",
)
@click.option(
    "--figure",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=values.figures,
    help="Only this figure; may be given more than once. By default all of them.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Seeds of each run, from 0; by default 1, with --full 3.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Local processes; by default one for each core.",
)
@dataset_option
@data_option
@json_option
def command(
    results: Path,
    full: bool,
    names: tuple[str, ...],
    seeds: int | None,
    jobs: int | None,
    dataset_name: str | None,
    data_dir: Path | None,
    output: Output,
) -> None:
    """Make the paper's figures from this project's rule and from the float references.

    Each run is stored as one file; what was stopped, however, goes on from there. Each figure is
    written as NAME.png, NAME.json and NAME.csv (all runs). The data set is mnist unless --dataset
    says otherwise: digits needs no download.
    """
    from hebbware.study import sweep as sweeps
    from hebbware.study.paper import FIGURES, figure, runs, setting
    from hebbware.study.paper.chart import png
    from hebbware.study.spec import Plan
    from hebbware.study.store import Store, run_name

    for name in names:
        if name not in FIGURES:
            raise one_of("--figure", name, FIGURES)
    folder = None if data_dir is None else str(data_dir.absolute())
    made = setting.make(full, dataset_name or "mnist", folder, seeds)
    store = Store(results, runs.code_version())
    summaries, failed = {}, 0
    for name in names or FIGURES:
        module = figure(name)
        for suffix in ("png", "json", "csv"):
            check_writable(results / f"{name}.{suffix}", "--results")
        rows = module.plan(made)
        plan = Plan(name, module.TITLE, keys={run_name(k): k for row in rows for k in row.keys})
        left = len(sweeps.pending(plan, store))
        output.log(f"{name}: {len(plan.keys)} runs, {left} to do")
        with run_progress(name, left) as advance:
            outcome = sweeps.sweep(
                plan, store, jobs=jobs, data_dir=folder, progress=advance, execute=runs.execute
            )
        failed += outcome.failed
        found = setting.finished(rows, store)
        if not found:
            output.log(f"    every run failed; the errors are in {results}")
            continue
        image, summary = png(module.draw, made, found)
        summary = {"figure": name, "title": module.TITLE, "full": full, **summary}
        write_file(results / f"{name}.png", image)
        write_file(results / f"{name}.csv", setting.csv_text(found))
        summaries[name] = summary
        _json(results / f"{name}.json", summary)
        for title, columns, lines in module.tables(made, summary):
            output.table(title, columns, lines)
        output.log(f"    {results / name}.png in {outcome.seconds:.1f} s")
    output.write({"results": results, "failed": failed, "figures": summaries})
    if failed:
        raise CheckFailed(f"{failed} runs failed, the errors are in their files in {results}")


def _json(path: Path, summary: dict) -> None:
    Output(str(path)).write(summary)
