"""``hebbware fuzz``: random configurations of the core, each compared with golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates
from hebbware.cli.common import CheckFailed, Output, examples, jobs_option, json_option
from hebbware.cli.files import check_writable

if TYPE_CHECKING:
    from hebbware.cosim.fuzz import Outcome


@click.command(
    "fuzz",
    epilog=examples(
        "hebbware fuzz --count 50 --jobs 2 --lines fuzz.jsonl",
        "hebbware fuzz --first 1234 --count 1",
    ),
)
@json_option
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="SEED",
    help="First seed: it stands for a configuration and what goes into it.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Seeds, one after another; ten to thirty seconds each.",
)
@jobs_option("Processes.")
@click.option(
    "--lines",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add an outcome a line, as JSON; seeds that are in there already, of the same sources, "
    "are not run again.",
)
def command(output: Output, first: int, count: int, jobs: int, lines: Path | None) -> None:
    """Draw configurations at random, build each, and compare every clock with the golden model.

    Drawn are sizes, memories, formats, tables, neurons and ports over all that a configuration may
    be, small sizes only; samples, streams, commands and pauses too.
    """
    from hebbware.cosim.fuzz import run_seeds
    from hebbware.cosim.toolchain import find

    if lines:
        lines = check_writable(lines, "--lines")
    find()  # what is missing is said once, not for each seed
    failed: list[Outcome] = []

    def done(outcome: Outcome) -> None:
        advance()
        if outcome.outcome != "equal":
            failed.append(outcome)
            output.log(_report(outcome))

    about = count * estimates.FUZZED / jobs
    with output.progress("comparing", count, about=about, of=f"{jobs} jobs") as advance:
        outcomes = run_seeds(range(first, first + count), jobs=jobs, lines=lines, done=done)
    total = {
        "configurations": len(outcomes),
        "clocks": sum(o.clocks for o in outcomes),
        "records": sum(o.records for o in outcomes),
        "mismatches": sum(o.outcome == "mismatch" for o in outcomes),
        "refused": sum(o.outcome == "refused" for o in outcomes),
        "crashed": sum(o.outcome == "crash" for o in outcomes),
    }
    text = ", ".join(f"{value:,} {name}" for name, value in total.items())
    output.log(f"seeds {first} to {first + count - 1}: {text}")
    output.write({**total, "first": first, "failed": [_entry(outcome) for outcome in failed]})
    if failed:
        seeds = ", ".join(str(o.seed) for o in sorted(failed, key=lambda o: o.seed))
        raise CheckFailed(f"not equal: seeds {seeds}")


def _report(outcome: Outcome) -> str:
    """A seed that failed: what happened, the configuration, and how to see it again."""
    return (
        f"seed {outcome.seed}: {outcome.outcome}: {outcome.message.strip()}\n"
        f"{outcome.config}again: hebbware fuzz --first {outcome.seed} --count 1\n"
    )


def _entry(outcome: Outcome) -> dict:
    return {name: getattr(outcome, name) for name in ("seed", "outcome", "message", "config")}
