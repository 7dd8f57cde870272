"""``hebbware study``: the studies that the documentation leads with, and a list of all of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hebbware.cli import values
from hebbware.cli.common import (
    CheckFailed,
    Output,
    data_option,
    dataset_option,
    examples,
    forbid,
    json_option,
)
from hebbware.cli.files import check_writable, write_file
from hebbware.cli.sweep import check_workers, run_progress, worker_options
from hebbware.golden.errors import InputError, Notice, one_of


@click.command(
    "study",
    epilog=examples(
        "hebbware study --all --results results",
        "hebbware study hardware --short --results results/short",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=values.studies)
@click.option(
    "--results",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Each study has a folder of its own in it; what is there already is not run again.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="List all shipped studies: which are there, which are missing, what a full run takes.",
)
@click.option(
    "--short",
    is_flag=True,
    help="One seed, few samples and small networks: minutes, to see that it works.",
)
@click.option(
    "--seeds", type=click.IntRange(min=1), metavar="N", help="Seeds of each run, by default 3."
)
@click.option(
    "--synthesis/--no-synthesis",
    default=True,
    help="Whether Yosys measures the cores of `hardware`.  [default: it does]",
)
@click.option("--drawn", is_flag=True, help="Run nothing; draw and tell what is finished.")
@worker_options
@dataset_option
@data_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    names: tuple[str, ...],
    results: Path,
    every: bool,
    short: bool,
    seeds: int | None,
    synthesis: bool,
    drawn: bool,
    jobs: int | None,
    scheduler: str | None,
    dataset_name: str | None,
    data_dir: Path | None,
    output: Output,
) -> None:
    """Run a study with its controls, and tell what it shows.

    There are hardware, permuted, unseen, depth and convolution.

    Steps are chosen for each rule on images held back. Differences are paired over the seeds, with
    their 95 % confidence interval. Writes DIR/NAME.png, .json and .csv (all runs); what was
    stopped, however, goes on from there. The data set is mnist, that of convolution cifar10, unless
    --dataset says otherwise.
    """
    from hebbware.study.claims import CLAIMS, cases, claim

    if every == bool(names):
        raise InputError(f"give --all, or what to run: {', '.join(CLAIMS)}")
    check_workers(jobs, scheduler)
    if every:
        forbid(context, "--all", "short", "seeds", "synthesis", "drawn", "jobs", "scheduler")
    if drawn:
        forbid(context, "--drawn", "jobs", "scheduler")
    for name in names:
        if name not in CLAIMS:
            raise one_of("NAME", name, CLAIMS)
    folder = None if data_dir is None else str(data_dir.absolute())
    if every:
        _list(output, results, dataset_name, folder)
        return
    where = {"jobs": jobs, "scheduler": scheduler, "data_dir": folder}
    summaries, failed = {}, 0
    settings = {
        name: cases.make(not short, _dataset(name, dataset_name), folder, seeds, claim(name))
        for name in names
    }
    _make_folder(results)
    for name, setting in settings.items():
        summaries[name], wrong = _run(output, name, setting, results, where, synthesis, drawn)
        failed += wrong
    output.write({"results": results, "failed": failed, "studies": summaries})
    if failed:
        raise CheckFailed(f"{failed} runs failed, the errors are in their files in {results}")


def _dataset(name: str, given: str | None) -> str:
    """Return the data set of a study."""
    from hebbware.study.claims import claim

    return given or getattr(claim(name), "DATASET", "mnist")


def _make_folder(results: Path) -> None:
    try:
        results.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--results: cannot write {results}: {error.strerror}") from None


def _run(output: Output, name: str, setting, results: Path, where: dict, synthesis: bool, drawn):
    """Make the runs of a study, then its files; return its summary and the number of failures."""
    from hebbware.study import sweep as sweeps
    from hebbware.study import synthesis as cores
    from hebbware.study.claims import cases, claim, runs, told
    from hebbware.study.paper.chart import png
    from hebbware.study.spec import Plan
    from hebbware.study.store import Store, run_name

    module = claim(name)
    for suffix in ("png", "json", "csv"):
        check_writable(results / f"{name}.{suffix}", "--results")
    store = Store(results / name, (runs.code_version(), cores.code_version()))
    failed = 0

    def work(what: str, keys: list[dict], execute) -> None:
        nonlocal failed
        plan = Plan(f"{name}-{what}", module.TITLE, keys={run_name(key): key for key in keys})
        left = len(sweeps.pending(plan, store))
        output.log(f"{name}, {what}: {len(plan.keys)} runs, {left} to do")
        if not drawn:
            with run_progress(what, left) as advance:
                done = sweeps.sweep(plan, store, progress=advance, execute=execute, **where)
            failed += done.failed

    made, choices, planned = module.cases(setting), {}, 0
    for group in cases.groups(made):
        hidden = "-".join(map(str, group[0].about["hidden"]))
        trials = [key for row in cases.trials(group, setting) for key in row.keys]
        work(f"{hidden}, choices of steps", trials, runs.execute)
        choices |= cases.choose(group, setting, store)
        whole = [key for row in cases.whole(group, setting, choices) for key in row.keys]
        work(f"{hidden}, runs", whole, runs.execute)
        planned += len(whole)
    wanted = module.syntheses(setting) if hasattr(module, "syntheses") and synthesis else []
    if wanted:
        work("synthesis", [key for _, key in wanted], cores.execute)
    costs = [
        (about, content["result"])
        for about, key in wanted
        if (content := store.read(run_name(key))) and content["status"] == "done"
    ]
    found = cases.collect(made, setting, choices, store)
    if not found:
        output.log(f"    no run is finished; what failed is told in {results / name}")
        return None, failed
    image, summary = png(module.draw, setting, found, costs)
    summary = {
        "study": name,
        "title": module.TITLE,
        "question": module.QUESTION,
        "dataset": setting.dataset,
        "code": runs.code_version(),
        "full": setting.full,
        "trial": vars(setting.trial),
        "whole": vars(setting.whole),
        "finished": sum(len(one.results) for one in found),
        "planned": planned,
        **summary,
        "findings": module.findings(summary),
    }
    write_file(results / f"{name}.png", image)
    write_file(results / f"{name}.csv", told.table(summary["rows"]))
    Output(str(results / f"{name}.json")).write(summary)
    for title, columns, lines in module.tables(summary):
        output.table(title, columns, lines)
    for line in summary["findings"]:
        output.log(f"    {line}")
    output.log(f"    {results / name}.png, .json, .csv: {summary['finished']} of {planned} runs")
    return summary, failed


# -- what there is ---------------------------------------------------------------------------------


def _list(output: Output, results: Path, dataset: str | None, folder: str | None) -> None:
    """Print all shipped studies, figures and sweeps, and how much of each is in the results."""
    rows, plain = [], []
    for entry in _entries(dataset, folder):
        done = sum((results / entry["folder"] / f"{run}.json").is_file() for run in entry["runs"])
        planned = len(entry["runs"])
        state = "there" if done == planned else f"{done} of {planned}" if done else "missing"
        minutes = entry["seconds"] / 60
        rows.append((entry["name"], entry["command"], planned, state, f"{minutes:,.0f}"))
        plain.append(
            {
                **{k: v for k, v in entry.items() if k != "runs"},
                "planned": planned,
                "done": done,
                "state": state,
            }
        )
    heads = (
        "study",
        "command (before --results DIR/FOLDER)",
        "runs",
        "in DIR",
        "core minutes, about",
    )
    output.table(f"shipped studies, results in {results}", heads, rows)
    missing = [entry for entry in plain if entry["done"] < entry["planned"]]
    hours = sum(entry["seconds"] for entry in plain) / 3600
    output.log(f"{len(missing)} of {len(plain)} not complete; all of them take about {hours:.1f} h")
    output.write({"results": results, "studies": plain, "missing": [m["name"] for m in missing]})


def _entries(dataset: str | None, folder: str | None) -> Iterator[dict[str, Any]]:
    """Yield name, command, folder, names of the runs and seconds of all that is shipped.

    Sweeps and convolutions whose data set is not at hand are left out, with a `Notice`.
    """
    from hebbware.study import effort, paper, spec
    from hebbware.study.claims import CLAIMS, cases, claim
    from hebbware.study.paper import setting as papers
    from hebbware.study.store import run_name

    def entry(name: str, call: str, where: str, keys: list[dict]) -> dict[str, Any]:
        runs = {run_name(key): key for key in keys}
        about = {"name": name, "command": call, "folder": where, "runs": list(runs)}
        return {**about, "seconds": effort.seconds(runs.values())}

    for name in CLAIMS:
        module, wanted = claim(name), _dataset(name, dataset)
        try:
            setting = cases.make(True, wanted, folder, module=module)
        except InputError as error:
            if wanted == (dataset or "mnist"):
                raise
            warnings.warn(f"{name} is left out: {error}", Notice, stacklevel=1)
            continue
        made = module.cases(setting)
        keys = [k for row in cases.trials(made, setting) for k in row.keys]
        choices = cases.choose(made, setting, None)
        keys += [k for row in cases.whole(made, setting, choices) for k in row.keys]
        keys += [key for _, key in getattr(module, "syntheses", lambda _: [])(setting)]
        yield entry(name, f"study {name}", name, keys)
    full = papers.make(True, dataset or "mnist", folder)
    for name in paper.FIGURES:
        keys = [key for row in paper.figure(name).plan(full) for key in row.keys]
        yield entry(f"paper {name}", f"paper --full --figure {name}", "paper", keys)
    for name in spec.shipped():
        try:
            keys = list(spec.plan(name, folder).keys.values())
        except InputError as error:
            warnings.warn(f"{name} is left out: {error}", Notice, stacklevel=1)
            continue
        yield entry(name, f"sweep {name}", name, keys)
