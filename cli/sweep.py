"""``hebbware sweep``: the runs of a study, on all cores or on a cluster, resumed any time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates, values
from hebbware.cli.common import CheckFailed, Output, examples, forbid, json_option
from hebbware.cli.steps import Clock
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.study.spec import Part


def worker_options(function: Callable) -> Callable:
    """``--jobs`` and ``--scheduler``: where runs are done."""
    jobs = click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Local processes; by default one for each core.",
    )
    scheduler = click.option(
        "--scheduler", metavar="ADDRESS", help="Run on the workers of this Dask scheduler."
    )
    return jobs(scheduler(function))


def check_workers(jobs: int | None, scheduler: str | None) -> None:
    """Raise UsageError where both are given."""
    if scheduler is not None and jobs is not None:
        raise click.UsageError("--jobs is for local processes; it cannot be with --scheduler")


@click.command(
    "sweep",
    epilog=examples(
        "hebbware sweep tiny --results results/tiny",
        "hebbware sweep study.toml --results results/own --jobs 4",
        "hebbware sweep digits --results results/digits --dry-run",
    ),
)
@click.argument("spec", metavar="SPEC", shell_complete=values.specifications)
@click.option(
    "--results",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the results; what is in it already is not run again.",
)
@worker_options
@click.option("--retry-failed", is_flag=True, help="Do runs again that failed.")
@click.option("--dry-run", is_flag=True, help="Only say what would be run.")
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the IDX files; by default $HEBBWARE_DATA, then the cache, then the network.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    spec: str,
    results: Path,
    jobs: int | None,
    scheduler: str | None,
    retry_failed: bool,
    dry_run: bool,
    data_dir: Path | None,
    output: Output,
) -> None:
    """Train all combinations that SPEC names, a TOML file or the name of a shipped one.

    Each run is stored as one file; a sweep that was stopped, however, goes on from there. Several
    sweeps may share a folder. Exit code 1 where runs failed: their files say why.
    """
    check_workers(jobs, scheduler)
    if dry_run:
        forbid(context, "--dry-run", "jobs", "scheduler")
    from hebbware.study import spec as specs
    from hebbware.study import sweep as sweeps
    from hebbware.study import synthesis
    from hebbware.study.run import code_version
    from hebbware.study.store import Store

    plan = specs.plan(spec, data_dir)
    if plan.impossible:
        for line in plan.impossible:
            click.echo(" ".join(line.split()), err=True)
        raise InputError(f"{len(plan.impossible)} combinations cannot be (listed above): none ran")
    if dry_run and not results.exists():
        statuses = []
    else:
        store = Store(results, (code_version(), synthesis.code_version()))
        statuses = [store.status(name) for name in plan.keys]
    left = len(plan.keys) - statuses.count("done")
    left -= 0 if retry_failed else statuses.count("failed")
    output.log(
        f"{plan.name}: {len(plan.keys)} runs, {statuses.count('done')} done before, "
        f"{statuses.count('failed')} failed before, {left} to run"
    )
    if dry_run:
        _print_parts(output, plan.parts)
        outcome = sweeps.Outcome(len(plan.keys), 0, len(statuses) - statuses.count(None))
        outcome.done, outcome.failed = statuses.count("done"), statuses.count("failed")
    else:
        with run_progress(plan.name, left, jobs) as advance:
            outcome = sweeps.sweep(
                plan,
                store,
                jobs=jobs,
                scheduler=scheduler,
                retry_failed=retry_failed,
                data_dir=None if data_dir is None else str(data_dir.absolute()),
                progress=advance,
            )
        rate = f", {outcome.runs / outcome.seconds:.2f} runs/s" if outcome.runs else ""
        output.log(
            f"{outcome.runs} runs in {outcome.seconds:.1f} s{rate}; "
            f"{outcome.done} of {outcome.planned} done, {outcome.failed} failed; in {results}"
        )
    output.write(
        {
            "planned": outcome.planned,
            "runs": outcome.runs,
            "done": outcome.done,
            "failed": outcome.failed,
            "skipped": outcome.skipped,
            "seconds": outcome.seconds,
            "results": results,
        }
    )
    if outcome.failed:
        raise CheckFailed(
            f"{outcome.failed} of {outcome.planned} runs failed, the errors are in their files; "
            "--retry-failed does them again"
        )


def _print_parts(output: Output, parts: list[Part]) -> None:
    output.table(
        "planned",
        ("part", "varies", "points", "runs", "controls", "cores"),
        [
            (
                part.name,
                ", ".join(part.fields) or "nothing",
                len(part.points),
                len({name for point in part.points for name in point.runs}),
                len({n for p in part.points for names in p.controls.values() for n in names}),
                len({name for point in part.points for name in point.syntheses.values()}),
            )
            for part in parts
        ],
    )


@contextmanager
def run_progress(name: str, total: int, jobs: int | None = None) -> Iterator[Callable[[str], None]]:
    """Show runs done, failures, rate and time left, where standard error is a terminal.

    Elsewhere say how long `total` runs take on `jobs` local processes, by default one for each
    core, where that is long.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    disable = not console.is_terminal
    about = total * estimates.RUN / (jobs or os.cpu_count() or 1)
    clock = Clock(f"runs of {name}", f"{jobs} jobs", about)
    if (announcement := clock.begin()) and disable:
        click.echo(announcement, err=True)
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(name, total=total, rate="", note="")
        failed = 0

        def advance(status: str) -> None:
            nonlocal failed
            failed += status == "failed"
            bar.advance(task)
            speed = bar.tasks[0].speed
            rate = f"{speed:.2f} runs/s" if speed else ""
            bar.update(task, rate=rate, note=f"{failed} failed" if failed else "")

        yield advance
        clock.end()
