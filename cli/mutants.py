"""``hebbware mutants``: single bits of the core's netlist are changed, and must be noticed."""

from __future__ import annotations

import importlib.util
from collections import Counter
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates
from hebbware.cli.common import (
    CheckFailed,
    Output,
    common_options,
    examples,
    jobs_option,
    resolve_config,
)
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.cosim.mutants import Kill, Mutants


@click.command("mutants", epilog=examples("hebbware mutants --config xor --count 50"))
@common_options
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    metavar="N",
    help="Mutants.",
)
@click.option(
    "--draw",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="SEED",
    help="Draws the mutants.",
)
@jobs_option("Simulations at a time.", default=2)
def command(
    config: str, seed: int | None, output: Output, count: int, draw: int, jobs: int
) -> None:
    """Change single bits of the core's netlist, and see whether each change is noticed.

    Each mutant runs on what `hebbware cosim` runs by default, its samples drawn, and where that
    does not notice it on the stimuli of the co-simulation's tests. For those that are left it is
    tried to prove that the change has no effect. Exit code 1 where one is left then that is not in
    the list of those accepted for a reason (cosim/survivors.toml): a hole in the stimuli.
    """
    if importlib.util.find_spec("pysat") is None:
        raise InputError("mutants needs a SAT solver: pip install 'hebbware[dev]'")
    from hebbware.cosim import mutants
    from hebbware.cosim.survivors import accepted

    resolved = resolve_config(config, seed)
    output.log(f"1/3 {count} mutants of {config} in one simulation")
    about = {"about": estimates.building(resolved), "of": f"{resolved.fingerprint} {count}"}
    with output.progress("building the mutants", **about):
        model = mutants.build(resolved, count, draw)
    output.log("2/3 each on the stimuli, until one notices it")
    usual, kills = _run(model, jobs, output)
    left = [mutant.number for mutant in model.list if mutant.number not in kills]
    output.log(f"3/3 {len(left)} are left: have they an effect?")
    effects = {}
    if left:
        about["about"] = len(left) * estimates.PROOF
        with output.progress("proving", len(left), **about) as advance:
            effects = dict(mutants.differences(model, left, advance))
    by_number = {mutant.number: mutant for mutant in model.list}
    survivors = {str(by_number[n]): effect for n, effect in effects.items() if effect is not None}
    known, reasons = accepted(), {}
    for mutant in map(by_number.get, effects):
        if str(mutant) in survivors:
            why = [entry.reason for entry in known if entry.matches(mutant)]
            reasons |= {str(mutant): why[0]} if why else {}
    survivors = {name: effect for name, effect in survivors.items() if name not in reasons}
    noticed = Counter(kill.stimuli for kill in kills.values())
    output.table("noticed by", ("stimuli", "mutants"), noticed.most_common())
    for name, reason in reasons.items():
        output.log(f"accepted: {name}: {reason}")
    for name, effect in survivors.items():
        output.log(f"survived: {name}: {effect}")
    equivalent = len(left) - len(survivors) - len(reasons)
    able = max(len(kills) + len(survivors), 1)
    output.log(
        f"{len(model.list)} mutants: {len(kills)} noticed, {equivalent} proven to be equivalent, "
        f"{len(reasons)} accepted, {len(survivors)} survived\n"
        f"noticed of those neither equivalent nor accepted: {100 * len(kills) / able:.1f} %, "
        f"by the stimuli of hebbware cosim alone {100 * usual / able:.1f} %"
    )
    output.write(
        {
            "mutants": len(model.list),
            "killed": len(kills),
            "equivalent": equivalent,
            "accepted": reasons,
            "survivors": survivors,
            "share": len(kills) / able,
            "share_usual": usual / able,
            "noticed_by": dict(noticed),
            "draw": draw,
            "config": resolved.to_dict(),
        }
    )
    if survivors:
        raise CheckFailed(f"{len(survivors)} mutants survived, of {len(model.list)}")


def _run(model: Mutants, jobs: int, output: Output) -> tuple[int, dict[int, Kill]]:
    """How many the stimuli of `hebbware cosim` kill, and what kills each in the end."""
    from hebbware.cosim.mutants import run_all
    from hebbware.cosim.stimuli import learned, short, suite

    config, counts, kills = model.config, [], {}
    usual = [*short(config, config.seed), learned(config, config.seed)]
    for given in (usual, suite(config)):
        only = [mutant.number for mutant in model.list if mutant.number not in kills]
        about = {"about": len(only) * estimates.MUTANT / jobs, "of": f"{config.fingerprint} {jobs}"}
        with output.progress("simulating mutants", len(only), **about) as advance:
            found = run_all(model, given, only=only, jobs=jobs, done=advance)
            kills |= {number: kill for number, kill in found if kill}
        counts.append(len(kills))
    return counts[0], kills
