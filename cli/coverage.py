"""``hebbware coverage``: which lines, branches and bits of the core co-simulations reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli import estimates, values
from hebbware.cli.common import (
    CheckFailed,
    Output,
    examples,
    forbid,
    json_option,
    resolve_config,
    seed_option,
    set_option,
)

if TYPE_CHECKING:
    from hebbware.cosim.coverage import Coverage

SHOWN = 40  # points that were not reached, at most, in the text


@click.command("coverage", epilog=examples("hebbware coverage", "hebbware coverage --config plain"))
@set_option
@click.option(
    "--config",
    metavar="FILE|PRESET|CORE",
    shell_complete=values.covered,
    help="One core only: one of those of the suite, by name, or a configuration.",
)
@seed_option
@json_option
@click.pass_context
def command(context: click.Context, config: str | None, seed: int | None, output: Output) -> None:
    """Run the stimuli of the suite on cores that together have every feature; say what they reach.

    Each core is built with counters on its lines, branches and bits, and compared with golden as
    always. What cannot be reached is exempted by name, with the reason (cosim/coverage.toml).
    """
    from hebbware.cosim import coverage
    from hebbware.cosim.toolchain import find

    find()
    if config is None or config in coverage.CORES:
        forbid(context, "cores of the suite", "fields", "seed")
        cores = {name: c for name, c in coverage.CORES.items() if config in (None, name)}
        targets = coverage.TARGETS
    else:
        cores, targets = {Path(config).stem: resolve_config(config, seed)}, {}
    found = []
    for name, core in cores.items():
        suite = coverage.stimuli_of(core)
        about = estimates.building(core, quick=True) + len(suite) * estimates.STIMULI
        title = f"core {name}: building it, then {len(suite)} runs"
        with output.progress(title, len(suite), about=about, of=core.fingerprint) as advance:
            found.append(coverage.measure(name, core, suite, lambda _, step=advance: step()))
        output.log(_line(found[-1]))
    modules = sorted({module for core in found for module in core.modules})
    rows = [(m, *_cells(found, m)) for m in modules]
    output.table("by block, over all cores", ["block", *coverage.KINDS], rows)
    _exemptions(found, output)
    missing = [(core.core, point) for core in found for point in core.missing]
    for core, point in missing[:SHOWN]:
        output.log(f"not reached: {core}: {point}")
    if len(missing) > SHOWN:
        output.log(f"not reached: {len(missing) - SHOWN} more; --json lists all")
    output.write({"cores": {core.core: _json(core) for core in found}})
    if short := [
        f"{core.core}: {kind} {_percent(*core.reached(kind))}"
        for core in found
        for kind, target in targets.items()
        if not _meets(*core.reached(kind), target)
    ]:
        raise CheckFailed(f"coverage is too low: {', '.join(short)}")


def _meets(hit: int, total: int, target: float) -> bool:
    return hit >= target * total


def _percent(hit: int, total: int) -> str:
    return f"{100 * hit / total:.1f} %" if total else "-"


def _line(core: Coverage) -> str:
    from hebbware.cosim.coverage import KINDS

    parts = [
        f"{kind} {_percent(*core.reached(kind))} of {core.reached(kind)[1]:,}" for kind in KINDS
    ]
    return f"{core.core}: {', '.join(parts)}; {len(core.exempted)} exempted; {core.clocks:,} clocks"


def _cells(found: list[Coverage], module: str) -> list[str]:
    from hebbware.cosim.coverage import KINDS

    cells = []
    for kind in KINDS:
        pairs = [core.reached(kind, module) for core in found]
        hit, total = (sum(part) for part in zip(*pairs, strict=True))
        cells.append(f"{_percent(hit, total)} of {total:,}" if total else "")
    return cells


def _exemptions(found: list[Coverage], output: Output) -> None:
    """How many points each entry exempts, and its reason."""
    count: dict[str, int] = {}
    for core in found:
        for entry in core.exempted.values():
            count[entry.reason] = count.get(entry.reason, 0) + 1
    for reason, points in count.items():
        output.log(f"exempted: {points}: {reason}")


def _json(core: Coverage) -> dict[str, Any]:
    from hebbware.cosim.coverage import KINDS

    blocks = {
        module: {kind: core.reached(kind, module) for kind in KINDS} for module in core.modules
    }
    return {
        "clocks": core.clocks,
        "total": {kind: core.reached(kind) for kind in KINDS},
        "blocks": blocks,
        "missing": [str(point) for point in core.missing],
        "exempted": {str(point): entry.reason for point, entry in core.exempted.items()},
    }
