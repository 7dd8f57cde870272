"""``hebbware mutants``: single bits of the core's netlist are changed, and must be noticed."""

from __future__ import annotations

import importlib.util
from collections import Counter

import click

from hebbware.cli.common import CheckFailed, Output, common_options, resolve_config
from hebbware.golden.errors import InputError


@click.command("mutants")
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
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    help="Simulations at a time.",
)
def command(
    config: str, seed: int | None, output: Output, count: int, draw: int, jobs: int
) -> None:
    """Change single bits of the core's netlist, and see whether each change is noticed.

    Each mutant runs on the stimuli of the co-simulation's tests until one of them differs from
    golden. For those that are left it is tried to prove that the change has no effect. Exit code 1
    where one has, and nothing noticed it: a hole in the stimuli.
    """
    if importlib.util.find_spec("pysat") is None:
        raise InputError("mutants needs a SAT solver: pip install 'hebbware[dev]'")
    from hebbware.cosim import mutants
    from hebbware.cosim.stimuli import learned, suite

    resolved = resolve_config(config, seed)
    output.log(f"1/3 {count} mutants of {config} in one simulation")
    with output.progress("building the simulation"):
        model = mutants.build(resolved, count, draw)
    output.log("2/3 each on the stimuli, until one notices it")
    with output.progress("simulating", len(model.list)) as advance:
        stimuli = [*suite(resolved), learned(resolved)]
        kills = dict(mutants.run_all(model, stimuli, jobs=jobs, done=advance))
    left = [number for number, kill in kills.items() if kill is None]
    output.log(f"3/3 {len(left)} are left: have they an effect?")
    with output.progress("proving", len(left)) as advance:
        effects = dict(mutants.differences(model, left, advance))
    survivors = {number: effect for number, effect in effects.items() if effect is not None}
    killed, equivalent = len(kills) - len(left), len(left) - len(survivors)
    noticed = Counter(kill.stimuli for kill in kills.values() if kill)
    output.table("noticed by", ("stimuli", "mutants"), noticed.most_common())
    by_number = {mutant.number: mutant for mutant in model.list}
    for number, effect in survivors.items():
        output.log(f"survived: {by_number[number]}: {effect}")
    share = killed / max(killed + len(survivors), 1)
    output.log(
        f"{len(kills)} mutants: {killed} noticed, {equivalent} proven to be equivalent, "
        f"{len(survivors)} survived; {100 * share:.1f} % of those not equivalent noticed"
    )
    output.write(
        {
            "mutants": len(kills),
            "killed": killed,
            "equivalent": equivalent,
            "survivors": {str(by_number[n]): effect for n, effect in survivors.items()},
            "share": share,
            "noticed_by": dict(noticed),
            "config": resolved.to_dict(),
        }
    )
    if survivors:
        raise CheckFailed(f"{len(survivors)} mutants survived, of {len(kills)}")
