"""``hebbware reservoir``: what a reservoir remembers; its RTL against golden; its decoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hebbware.cli import estimates, values
from hebbware.cli.common import (
    CheckFailed,
    Output,
    changes_given,
    examples,
    json_option,
    needs,
    seed_option,
    set_option,
)
from hebbware.cli.files import FIGURES, check_writable, figure_path, write_file
from hebbware.cli.verilog import verilog_file, write_verilog
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.reservoir.cell import ReservoirConfig
    from hebbware.golden.reservoir.training import Trained

STEPS, STALLS = 10_000, 64
TRAINING = 20_000


class DefaultGroup(click.Group):
    """A group that takes what is none of its commands for arguments of ``measure``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the default command in front where none is given."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["measure", *args]
        return super().parse_args(ctx, args)


@click.group("reservoir", cls=DefaultGroup)
def command() -> None:
    """Measure a reservoir, check its RTL, train its decoder, write its Verilog.

    Without a command: measure.
    """


def _set_option(function: Callable) -> Callable:
    return set_option(function, "state_bits=8, topology=cycle", values.reservoir_fields)


def _config_option(function: Callable) -> Callable:
    return click.option(
        "--config",
        default="cycle",
        show_default=True,
        metavar="FILE|PRESET",
        shell_complete=values.reservoir_presets,
        help="Reservoir: a TOML file or the name of a preset (cycle, sparse, tanh, leaky).",
    )(_set_option(function))


def _resolve(config: str, seed: int | None) -> ReservoirConfig:
    from hebbware.golden.reservoir.cell import load

    found = load(config, changes_given(seed))
    return found if seed is None else dataclasses.replace(found, seed=seed)


@command.command(
    "measure",
    epilog=examples(
        "hebbware reservoir", "hebbware reservoir measure --config sparse --figure reservoirs.png"
    ),
)
@_config_option
@seed_option
@json_option
@click.option("--full", is_flag=True, help="More sizes, both roundings, three seeds: some minutes.")
@click.option("--seeds", type=click.IntRange(1, 100), help="Seeds per point; 1, with --full 3.")
@click.option(
    "--figure", type=Path, metavar="FILE", help=f"Draw the measures ({', '.join(FIGURES)})."
)
def measure(
    config: str,
    seed: int | None,
    output: Output,
    full: bool,
    seeds: int | None,
    figure: Path | None,
) -> None:
    """Memory capacity, NARMA-10 and Mackey-Glass against state bits, topology and size.

    The capacity is the sum, over delays 0 to 2R, of the squared correlations between input and
    decoder, inputs uniform in -0.8 to 0.8; what a shuffled target reaches counts as 0. The errors
    are NRMSE: root mean squared error over the target's standard deviation. Topology, state bits
    and size are varied from those of the configuration.
    """
    target = figure_path(figure)
    base = _resolve(config, seed)
    from hebbware.study import reservoir as study

    points = study.sweep(base, full=full)
    count = seeds or (3 if full else 1)
    rows = []
    about = {"about": len(points) * count * estimates.RESERVOIR, "of": f"{count} seeds"}
    with output.progress("measuring reservoirs", len(points), **about) as advance:
        for row in study.measured(points, count, base.seed):
            rows.append(row)
            advance()
    output.table(
        f"{base.activation}, rho {base.rho:g}, leak {base.leak}; "
        f"{count} seed{'s' * (count != 1)}; errors: NRMSE",
        (
            "topology",
            "R",
            "state bits",
            "rounding",
            "memory bits",
            "capacity",
            "NARMA-10",
            "Mackey-Glass",
        ),
        [
            (
                row["topology"],
                row["units"],
                row["state_bits"] or "float",
                row["rounding"],
                row["state_memory_bits"] or "-",
                f"{row['capacity']:.1f}",
                f"{row['narma10']:.3f}",
                f"{row['mackey_glass']:.3f}",
            )
            for row in rows
        ],
    )
    if target:
        from hebbware.study.reservoir_figure import draw

        title = f"Reservoirs: {base.activation}, rho {base.rho:g}, gain 2^{base.gain}"
        write_file(target, draw(rows, title, target.suffix[1:]))
        output.log(f"figure: {target}")
    output.write({"rows": rows, "seeds": count, "full": full, "config": base.to_dict()})


def _decoder(config: ReservoirConfig, path: str) -> Trained:
    """The decoder of a file, for a reservoir that has one."""
    from hebbware.golden.reservoir.training import from_json

    if config.output != "readout":
        raise InputError(f"--decoder must be for output = readout, not {config.output}")
    return from_json(config, path)


@command.command("cosim", epilog=examples("hebbware reservoir cosim --config cycle --steps 2000"))
@click.option(
    "--config",
    "configs",
    multiple=True,
    metavar="FILE|PRESET",
    shell_complete=values.reservoir_presets,
    help="Reservoir, may be given several times; by default all presets.",
)
@_set_option
@seed_option
@json_option
@click.option(
    "--steps", type=click.IntRange(4), default=STEPS, show_default=True, help="Steps of each."
)
@click.option(
    "--stalls",
    type=click.IntRange(0, 255),
    default=STALLS,
    show_default=True,
    metavar="0..255",
    help="How often both ends of the streams pause at random: in so many of 256 clocks.",
)
@click.option(
    "--decoder",
    metavar="FILE",
    help="Decoder from `hebbware reservoir train`, for one --config; by default it is trained.",
)
def cosim(
    configs: tuple[str, ...],
    seed: int | None,
    output: Output,
    steps: int,
    stalls: int,
    decoder: str | None,
) -> None:
    """Build the RTL, run it on random signals, and compare every clock with golden.

    The decoder, trained by ridge beforehand, is loaded by commands; in the third quarter of the
    steps the block learns by its delta rule. Compared are values and clocks of all output words and
    of all writes of states and weights.
    """
    from hebbware.golden.reservoir.cell import presets

    if decoder and len(configs) != 1:
        raise InputError(f"--decoder must be for one --config, not {len(configs)}")
    resolved = {name: _resolve(name, seed) for name in configs or presets()}
    runs = {}
    for name, config in resolved.items():
        runs[name] = _cosimulate(name, config, steps, stalls, decoder, output)
    output.write({"runs": runs})
    wrong = [name for name, run in runs.items() if run["mismatches"]]
    if wrong:
        raise CheckFailed(f"the RTL parts from golden: {runs[wrong[0]]['message']}")


def _cosimulate(
    name: str,
    config: ReservoirConfig,
    steps: int,
    stalls: int,
    decoder: str | None,
    output: Output,
) -> dict[str, object]:
    import numpy as np

    from hebbware.cosim.reservoir import build_reservoir, cosimulate
    from hebbware.cosim.toolchain import find
    from hebbware.golden.reservoir import training
    from hebbware.golden.reservoir.machine import Op
    from hebbware.golden.timing.reservoir import Command, step_clocks

    learns = config.output == "readout"
    inputs, targets = training.signals(config, steps, config.seed)
    commands, raw, trained = [], None, None
    if learns:
        trained = _decoder(config, decoder) if decoder else training.by_ridge(config)
        commands = [
            Command(Op.WRITE, address, int(weight))
            for address, weight in enumerate(trained.weights.ravel())
        ]
        half, quarter = steps // 2 * config.outputs, 3 * steps // 4 * config.outputs
        commands += [Command(Op.TRAIN, data=1, after=half), Command(Op.TRAIN, after=quarter)]
        scaled = np.rint(targets * 2.0**trained.scale * config.u.one).astype(np.int64)
        raw = np.clip(scaled, config.u.min, config.u.max)[steps // 2 :]
    elif decoder:
        _decoder(config, decoder)
    find()
    title = f"{name}: building the simulation"
    with output.progress(title, later=True, about=estimates.RESERVOIR_BUILD) as step:
        model = build_reservoir(config, tell=step.begin)
    with output.progress(f"{name}: golden, then RTL", steps, about=steps / 1000):
        run = cosimulate(
            config, inputs, raw, model=model, commands=commands, seed=config.seed, stalls=stalls
        )
    found = run.result
    result = {
        "steps": steps,
        "clocks": found.clocks,
        "compared": found.compared,
        "mismatches": found.mismatches,
        "message": run.message and f"{name}: {run.message}",
        "clocks_per_step": found.clocks / steps,
        "clocks_per_step_unstalled": step_clocks(config),
        "clocks_per_second": found.clocks_per_second,
        "stalls": stalls,
        "seed": config.seed,
        "config": config.to_dict(),
    }
    text = (
        f"{name}: {steps:,} steps, {found.clocks:,} clocks, {found.compared:,} records compared, "
        f"{found.mismatches} mismatches"
    )
    if trained and not found.mismatches:
        start = training.washout(config)
        words = run.prediction.results / config.u.one / 2.0**trained.scale
        if start < steps // 2:
            part = slice(start, steps // 2)
            result["r2"] = training.r_squared(targets[part], words[part])
            text += f"; R^2 of the loaded decoder {result['r2']:.4f}"
    output.log(text)
    return result


@command.command(
    "train", epilog=examples("hebbware reservoir train --config leaky --output decoder.json")
)
@_config_option
@seed_option
@json_option
@click.option(
    "--steps",
    type=click.IntRange(100),
    default=TRAINING,
    show_default=True,
    help="Steps of random signals for the delta rule; ridge takes a fifth of them.",
)
@click.option("--output", "path", metavar="FILE", help="Write the decoder (JSON).")
@click.option(
    "--method",
    type=click.Choice(["ridge", "delta"]),
    default="ridge",
    show_default=True,
    help="Which decoder is written.",
)
@click.pass_context
def train(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    steps: int,
    path: str | None,
    method: str,
) -> None:
    """Train the decoder on random signals: by ridge on the host, by the delta rule of the block.

    Without a leak the outputs are to be the input of 1, 2, ... steps ago; with one, the leaky sums
    of the inputs. R^2 is measured on held-out signals, with integer weights and outputs.
    """
    needs(context, "method", "path")
    file = None if path is None else check_writable(path, "--output")
    resolved = _resolve(config, seed)
    if resolved.output != "readout":
        raise InputError(f"output must be readout to train one, not {resolved.output}")
    from hebbware.golden.reservoir import training

    ridge = training.by_ridge(resolved, steps // 5)
    total = training.washout(resolved) + steps
    with output.progress("delta rule", total, about=total / 2000, of=config) as advance:
        delta = training.by_delta(resolved, ridge.scale, steps, progress=lambda done: advance())
    found = {"ridge": ridge, "delta": delta}
    output.table(
        f"{resolved.outputs} output(s) of {resolved.units} units, {resolved.state_bits} bits",
        ("method", "held-out R^2", "largest weight", "scale"),
        [(n, f"{t.r2:.4f}", int(abs(t.weights).max()), t.scale) for n, t in found.items()],
    )
    if file:
        write_file(file, training.to_json(resolved, found[method]))
        output.log(f"decoder by {method}: {file}")
    output.write(
        {
            "r2": {name: trained.r2 for name, trained in found.items()},
            "scale": ridge.scale,
            "steps": steps,
            "file": file,
            "config": resolved.to_dict(),
        }
    )


@command.command(
    "verilog", epilog=examples("hebbware reservoir verilog --config tanh --output reservoir.v")
)
@_config_option
@seed_option
@json_option
@click.option(
    "--output",
    "path",
    default="hebbware_reservoir.v",
    show_default=True,
    metavar="FILE",
    help="Where the Verilog goes; '-' is standard output.",
)
@click.option(
    "--trace/--no-trace",
    default=False,
    show_default=True,
    help="Ports that show every write to a memory.",
)
@click.option(
    "--decoder",
    metavar="FILE",
    help="Decoder from `hebbware reservoir train` to build in; by default its weights are 0.",
)
def verilog(
    config: str, seed: int | None, output: Output, path: str, trace: bool, decoder: str | None
) -> None:
    """Write the reservoir block as one Verilog file, its ports described at its beginning."""
    file = verilog_file(path, output)
    resolved = _resolve(config, seed)
    weights = _decoder(resolved, decoder).weights if decoder else None
    with output.progress("writing Verilog"):
        from hebbware.hdl.reservoir import emit

        text = emit.reservoir_verilog(resolved, trace=trace, weights=weights)
    ports = emit.ports(resolved, trace=trace)
    write_verilog(file, text, emit.MODULE, len(ports), output)
    output.write(
        {
            "module": emit.MODULE,
            "file": file,
            "ports": [vars(port) for port in ports],
            "config": resolved.to_dict(),
        }
    )
