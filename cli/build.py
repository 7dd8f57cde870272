"""``hebbware build``: a bitstream for a board, and what the device gives for it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli import estimates, values
from hebbware.cli.common import (
    CheckFailed,
    Output,
    examples,
    forbid,
    jobs_option,
    json_option,
    resolve_config,
    seed_option,
    set_option,
)
from hebbware.cli.files import write_file
from hebbware.cli.info import nonzero_inputs
from hebbware.golden.errors import InputError, ToolError

if TYPE_CHECKING:
    from hebbware.boards.board import Board
    from hebbware.boards.build import Result


@click.command(
    "build",
    epilog=examples(
        "hebbware build --board icebreaker",
        "hebbware build --board ulx3s-85f --config wine.toml --seeds 4 --jobs 2",
        "hebbware build --list",
    ),
)
@click.option("--board", "name", metavar="NAME", shell_complete=values.boards,
              help="Board; --list prints them.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="All boards, each with its own preset.")
@click.option("--list", "listing", is_flag=True, help="List the boards.")
@set_option
@click.option(
    "--config",
    default=None,
    metavar="FILE|PRESET",
    shell_complete=values.presets,
    help="Configuration: a TOML file or the name of a preset; by default the board's.",
)
@seed_option
@json_option
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where all files go; by default build/NAME.",
)
@click.option("--overwrite", is_flag=True, help="Build in a folder that holds something else.")
@click.option(
    "--clock",
    type=click.FloatRange(min=1),
    metavar="MHZ",
    help="Clock of the core; by default the board's.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Placements to try; the fastest becomes the bitstream.",
)
@jobs_option("Placements at a time.")
@click.option(
    "--memory",
    metavar="KIB|CHIP",
    help="Where samples lie for `board train --on-board`: block RAM, or a chip of the board, sdram "
    "(ULX3S, Tang Nano 20K) or flash (iCEBreaker); by default as --list says.",
)
@click.pass_context
def command(
    context: click.Context,
    name: str | None,
    every: bool,
    listing: bool,
    config: str | None,
    seed: int | None,
    output: Output,
    folder: Path | None,
    overwrite: bool,
    clock: float | None,
    seeds: int,
    jobs: int,
    memory: str | None,
) -> None:
    """Build the bitstream of a board: synthesise, place, route, pack, and report.

    Exit code 1 where the core's clock is not reached; the bitstream is written all the same.
    """
    from hebbware.boards import board as boards
    from hebbware.boards import build

    if sum((name is not None, every, listing)) != 1:
        raise InputError("give one of --board, --all and --list")
    if listing:
        others = (p.name for p in context.command.params if p.name not in ("listing", "output"))
        forbid(context, "--list", *others)
        _list(output, list(boards.BOARDS.values()))
        return
    if seeds == 1:
        forbid(context, "one placement", "jobs")
    if every and (config or clock or folder):
        raise InputError("--all takes each board's own preset, clock and folder")
    chosen = list(boards.BOARDS.values()) if every else [boards.find(name)]
    chosen = [board.with_memory(memory) for board in chosen]
    wanted = []
    for board in chosen:
        preset = config or board.preset
        resolved = resolve_config(preset, seed)
        nonzero, _ = nonzero_inputs(preset, resolved)
        build.check_fits(board, resolved)
        wanted.append((board, resolved, nonzero))
    results, summaries, failed = [], [], []
    for board, resolved, nonzero in wanted:
        output.log(f"{board.title}: {board.device}, {_network(resolved)}")
        try:
            result = _build(output, board, resolved, folder, clock, seeds, jobs, overwrite)
        except ToolError as error:
            if not every:
                raise
            failed.append(f"{board.name}: {error}")  # the other boards are built all the same
            output.log(failed[-1])
            continue
        results.append(result)
        summaries.append(build.summary(result, nonzero))
        _print(output, result, summaries[-1])
    if every:
        table = markdown(results, summaries)
        write_file(Path("build/boards.md").absolute(), table)
        output.log(table)
        output.write({"boards": summaries, "failed": failed})
    else:
        output.write(summaries[0])
    late = [_late(result) for result in results if not result.met]
    if failed:
        raise ToolError("; ".join(failed + late))
    if late:
        raise CheckFailed("; ".join(late))


def _build(output, board, config, folder, clock, seeds, jobs, overwrite) -> Result:
    from hebbware.boards import build

    hertz = None if clock is None else round(clock * 1e6)
    target = folder or Path("build") / board.name
    seconds = estimates.bitstream(build.devices.need(config, board.device).lut)
    of = f"{board.name} {config.fingerprint} {hertz or board.clock_hz}"

    with ExitStack() as bars:
        now = None

        def tell(number, count, name, step):
            nonlocal now
            if step is None:
                bars.close()
                kind = name.partition(",")[0]
                about = seconds[kind] * (-(-seeds // jobs) if kind == "place and route" else 1)
                now = bars.enter_context(output.progress(name, about=about, of=of))
            else:
                output.log(f"  {number}/{count} {name}: {step.seconds:.1f} s ({step.tool})")

        return build.build(
            board, config, target, clock_hz=hertz, seeds=seeds, jobs=jobs, overwrite=overwrite,
            tell=tell, doing=lambda text: now.doing(text),
        )  # fmt: skip


def _late(result: Result) -> str:
    return (
        f"{result.board.name} reaches {result.best.fmax_mhz:.1f} of {result.clock_mhz:.1f} MHz "
        f"(--clock {int(result.best.fmax_mhz)} would pass); worst path {result.best.path}"
    )


def _network(config) -> str:
    return (
        f"{'-'.join(map(str, config.sizes))}, {config.weight.width}-bit weights, "
        f"{config.lanes} lanes, {config.rule}"
    )


def _print(output: Output, result: Result, facts: dict[str, Any]) -> None:
    rows = []
    for key, name in (
        ("lut", "logic cells" if result.board.family == "ice40" else "LUTs"),
        ("ff", "flip-flops"),
        ("bram", "block RAMs"),
        ("dsp", "multipliers"),
        ("spram", "single-port RAMs"),
    ):
        has = facts["available"].get(key)
        if not facts[key] and key == "spram":
            continue
        guess = facts["estimate"].get(key)
        rows.append(
            (
                name,
                f"{facts[key]:,}" + (f" of {has:,}" if has else ""),
                f"{guess['estimate']:,} ({guess['error']:+.0%})" if guess else "",
            )
        )
    output.table("resources", ("of", "in use", "estimated before (error)"), rows)
    if len(facts["placements"]) > 1:
        for placement in facts["placements"]:
            output.log(f"  seed {placement['seed']}: {placement['fmax_mhz']:.2f} MHz")
        output.log(f"  median: {facts['median_fmax_mhz']:.2f} MHz")
    sample, inputs = "sample", f"{facts['nonzero']} non-zero inputs"
    if result.config.recurrent:
        sample, inputs = "sequence", f"{inputs} a tick, no spikes"
    output.log(
        f"clock: {facts['fmax_mhz']:.2f} MHz after routing, {facts['clock_mhz']:.2f} MHz wanted\n"
        f"worst path: {result.best.path}\n"
        f"{facts['clocks_per_sample']:,} clocks per learned {sample} ({inputs}): "
        f"{facts['samples_per_second']:,.0f} {sample}s/s at the core's clock, "
        f"{facts['samples_per_second_at_fmax']:,.0f} at the clock reached\n"
        f"end to end about {facts['end_to_end']['line']:,.0f} {sample}s/s over the serial line"
        + (
            ""
            if facts["end_to_end"]["memory"] is None
            else f", {facts['end_to_end']['memory']:,.0f} from the board's memory"
        )
        + "\n"
        + _real_time(facts)
        + f"bitstream: {facts['bitstream']}\n"
        f"onto the board: {result.board.flash} {facts['bitstream']}"
    )


def _real_time(facts: dict[str, Any]) -> str:
    """How fast ticks of a sequence are, a line; nothing for other samples."""
    if "real_time" not in facts:
        return ""
    each, times = facts["clocks_per_tick"], facts["real_time"]
    return (
        f"a tick takes {each['settling']:,} clocks, {each['learned']:,} with a target: "
        f"{times['mean']:,.0f} times faster than real time at 1 ms a tick, the slowest tick "
        f"{times['slowest']:,.1f} times\n"
    )


def markdown(results: list[Result], facts: list[dict[str, Any]]) -> str:
    """The table of all boards."""
    lines = [
        "| board | network | lanes | LUT | FF | block RAM | multipliers "
        "| core clock (reached), MHz | clocks per sample | samples/s "
        "| end to end, samples/s: from memory | over the line |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result, of in zip(results, facts, strict=True):
        config = result.config
        rams = f"{of['bram']}" + (f" + {of['spram']} single-port" if of["spram"] else "")
        lines.append(
            f"| {result.board.title} | {'-'.join(map(str, config.sizes))} W{config.weight.width} "
            f"| {config.lanes} | {of['lut']:,} | {of['ff']:,} | {rams} | {of['dsp']} "
            f"| {of['clock_mhz']:.1f} ({of['fmax_mhz']:.1f}) | {of['clocks_per_sample']:,} "
            f"| {of['samples_per_second']:,.0f} "
            f"| {_memory(result.board, of)} | {of['end_to_end']['line']:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def _memory(board: Board, facts: dict[str, Any]) -> str:
    """Samples a second from the board's memory, and what that is; nothing where there is none."""
    found = facts["end_to_end"]["memory"]
    return "none" if found is None else f"{found:,.0f} ({_samples(board)})"


def _samples(board: Board) -> str:
    """What samples lie in."""
    return board.chip or (f"{board.memory} KiB of block RAM" if board.memory else "")


def _list(output: Output, boards: list[Board]) -> None:
    output.table(
        "boards",
        ("name", "board", "device", "preset", "core clock, MHz", "serial port", "samples in"),
        [
            (b.name, b.title, b.device, b.preset, f"{b.clock_hz / 1e6:g}", b.serial, _samples(b))
            for b in boards
        ],
    )
    known = [{**vars(b), "family": b.family, "chips": list(b.chips)} for b in boards]
    output.write({"boards": known})
