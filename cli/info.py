"""``hebbware info``: what a configuration amounts to, before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hebbware.cli.common import (
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    forbid,
    namesake,
    resolve_config,
)
from hebbware.cli.files import FIGURES, figure_path, write_file
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset

# mean of non-zero inputs of the training images, known without the files
TYPICAL = {"mnist": 150, "mnist-pooled": 50, "cue-accumulation": 1, "spoken-digits": 32}
NAMESAKE = DataOptions()
SHOWN = 10  # features named
PLACES = {
    "memory": "memory",
    "layer": "layer",
    "address": "first address",
    "blocks": "blocks",
    "rows": "rows",
    "row": "a row is of a",
}  # of the memory map: key, and head of its column
COSTS = {
    "memory_bits": "memory, bits",
    "clocks": "clocks to learn",
    "lut": "LUT",
    "dsp": "multipliers",
    "ram": "block RAMs",
}  # of a neighbour: key, and head of its column
SHARES = (0, 0.1, 0.25, 0.5, 0.75, 1)
SPIKING = (0, 0.01, 0.05, 0.2, 1)


@click.command(
    "info",
    epilog=examples(
        "hebbware info --config mnist",
        "hebbware info --config digits --set lanes=8 --json -",
        "hebbware info --figure passes.svg",
        "hebbware info --config mnist-9k --costs",
    ),
)
@common_options
@dataset_options
@click.option(
    "--nonzero",
    type=int,
    metavar="N",
    help="Non-zero inputs of a sample that clocks are given for; by default the mean of the data "
    "set's training samples.",
)
@click.option(
    "--figure",
    type=Path,
    metavar="FILE",
    help=f"Draw the passes of a sample over its clocks, and the memories ({', '.join(FIGURES)}).",
)
@click.option(
    "--costs",
    is_flag=True,
    help="What each field costs: the same core with this field a step lower and higher.",
)
@click.pass_context
def command(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    nonzero: int | None,
    figure: Path | None,
    costs: bool,
) -> None:
    """Tell formats, memory map, passes, predicted clocks and estimated resources.

    Clocks are exact for streams that never pause and samples whose errors are all other than zero;
    the core takes fewer where errors are zero. Resources are estimates. With --dataset: which
    features say nothing, and which are clipped by their encoding.
    """
    figure = figure_path(figure)
    resolved = resolve_config(config, seed)
    if nonzero is not None and not source.name:
        forbid(context, "--nonzero and no --dataset", "data_dir", "label", "encoding")
    if figure and resolved.recurrent:
        raise InputError("--figure must be for networks of samples, not of sequences")
    nonzero, origin = nonzero_inputs(config, resolved, source, nonzero)
    result = describe(resolved, nonzero)
    _print(output, resolved, result, origin)
    content = {**result, "nonzero_from": origin, "config": resolved.to_dict()}
    if costs:
        content["costs"] = _costs(output, resolved, nonzero)
    if source.name:
        content["features"] = _features(output, source.load(config, resolved.seed))
    if figure:
        from hebbware.cli.schedule_figure import draw

        image = draw(resolved, nonzero, result["memory_map"], figure.suffix[1:].lower())
        write_file(figure, image)
        output.log(f"drawing: {figure}")
    output.write(content)


def _costs(output: Output, config: CoreConfig, nonzero: int) -> list[dict[str, Any]]:
    """Print and return what each field costs; see `hebbware.golden.estimate.neighbours`."""
    from hebbware.golden.estimate import neighbours

    found = list(neighbours.neighbours(config, nonzero))
    shown = [one for one in found if any(one.more.values())]
    output.table(
        "what a step of each field costs: LUTs, multipliers and block RAMs estimated for "
        f"{neighbours.DEVICE}",
        ("field", "from", "to", *COSTS.values()),
        [
            (
                *(one.field, str(one.value), str(one.other)),
                *(f"{one.more[key]:+,}" if one.more[key] else "" for key in COSTS),
            )
            for one in shown
        ],
    )
    free = dict.fromkeys(one.field for one in found)
    for one in shown:
        free.pop(one.field, None)
    output.log(f"a step either way costs nothing: {', '.join(free)}")
    return [vars(one) for one in found]


def _features(output: Output, dataset: Dataset) -> dict[str, Any]:
    """Print and return what the encoding does to features: which say nothing, which clip."""
    from hebbware.golden.data.meaning import Meaning

    meaning, x = Meaning.of(dataset), dataset.x_train
    constant = [] if not len(x) else (x == x[0]).all(axis=0).nonzero()[0].tolist()
    shares = [] if dataset.clipped is None else dataset.clipped.tolist()
    clipping = {n: share for n, share in enumerate(shares) if share}
    kind = dataset.encoding.kind if dataset.encoding else "bytes"
    output.log(f"{dataset.name}: {dataset.inputs} features, encoding {kind}")
    shown = ", ".join(map(meaning.name, constant[:SHOWN])) + ", ..." * (len(constant) > SHOWN)
    output.log(f"    constant in the training part: {f'{len(constant)}: {shown}' if shown else 0}")
    worst = sorted(clipping, key=clipping.get, reverse=True)[:SHOWN]
    shown = ", ".join(f"{meaning.name(n)} {100 * clipping[n]:.2g} %" for n in worst)
    shown += ", ..." * (len(clipping) > SHOWN)
    output.log(f"    clip in the test part: {f'{len(clipping)}: {shown}' if shown else 0}")
    return {
        "encoding": kind,
        "constant": [n + 1 for n in constant],
        "clipped": [
            {"feature": n + 1, "name": dict(enumerate(dataset.features)).get(n), "share": share}
            for n, share in clipping.items()
        ],
    }


def describe(config: CoreConfig, nonzero: int) -> dict[str, Any]:
    """Return all facts of a configuration; clocks for so many non-zero inputs."""
    from hebbware.golden.estimate import devices, estimate
    from hebbware.golden.program import widths
    from hebbware.golden.program.program import done_latency, program

    hidden = len(config.hidden)
    steps = dict(estimate.pass_steps(config, nonzero))
    return {
        **(_ticks(config, nonzero) if config.recurrent else _samples(config, nonzero)),
        "clocks_to_start": estimate.start_clocks(config),
        "nonzero": nonzero,
        "weights": estimate.weights(config),
        "memory_bits": estimate.memory_bits(config),
        "formats": _formats(config),
        "operands": {
            "own": widths.operand_a(config),
            "common": widths.operand_b(config),
            "accumulator": widths.accumulator(config),
            "total": widths.total(config),
            "random_bits": config.update_shift,
        },
        "memory_map": _memory_map(config),
        "memories": [
            {"name": ram.name, "depth": ram.depth, "width": ram.width, "bits": ram.bits}
            for ram in estimate.memories(config)
        ],
        "passes": [
            {
                "name": p.name,
                "layer": "readout" if p.layer == hidden else f"hidden {p.layer + 1}",
                "steps": steps[p.name],
                "latency": done_latency(config, p.walk),
                "waits": list(p.waits),
                "learn": p.learn,
            }
            for p in program(config)
        ],
        "resources": [vars(need) for need in devices.resources(config)],
    }


def _samples(config: CoreConfig, nonzero: int) -> dict[str, Any]:
    """Clocks of samples."""
    from hebbware.golden.estimate import estimate

    clocks = estimate.clocks_per_sample(config, nonzero)
    limit = estimate.limit_clocks_per_sample(config, nonzero)
    return {
        "clocks_per_sample": clocks,
        "clocks_per_sample_inferred": estimate.clocks_per_sample(config, nonzero, learn=False),
        "limit_clocks_per_sample": limit,
        "clocks_to_limit": clocks / limit,
        "clocks_by_nonzero": [
            {
                "nonzero": count,
                "learn": estimate.clocks_per_sample(config, count),
                "infer": estimate.clocks_per_sample(config, count, learn=False),
                "limit": estimate.limit_clocks_per_sample(config, count),
            }
            for count in sorted({round(share * config.inputs) for share in SHARES} | {nonzero})
        ],
    }


def _ticks(config: CoreConfig, nonzero: int) -> dict[str, Any]:
    """Clocks of sequences and their ticks, for some shares of units that spike in a tick."""
    from hebbware.golden.estimate import ticks

    units = config.hidden[0]
    return {
        "clocks_per_sample": ticks.clocks_per_sequence(config, nonzero),
        "clocks_per_sample_inferred": ticks.clocks_per_sequence(config, nonzero, learn=False),
        "clocks_by_spikes": [
            {
                "spikes": spikes,
                **ticks.clocks_per_tick(config, nonzero, spikes),
                "limit": ticks.limit_clocks_per_tick(config, nonzero, spikes)["learned"],
            }
            for spikes in sorted({round(share * units) for share in SPIKING})
        ],
    }


def _formats(config: CoreConfig) -> dict[str, dict[str, Any]]:
    formats = {
        "inputs": config.source(0),
        "weights": config.weight,
        "sums, scores": config.u,
        "normalised": config.z,
        "directions": config.d,
        "class memory as read": config.read,
        "similarities": config.k,
        "errors": config.e,
    }
    return {
        name: {
            "bits": f.width,
            "fraction": f.fraction,
            "signed": f.signed,
            "from": f.min / f.one,
            "to": f.max / f.one,
        }
        for name, f in formats.items()
    }


def _memory_map(config: CoreConfig) -> list[dict[str, Any]]:
    from hebbware.golden.program.layout import Layout, word_width

    layout, row = Layout(config), config.memory.row
    layers = [(f"hidden {layer + 1}", layout.blocks(layer)) for layer in range(len(config.hidden))]
    keys, bases = ("memory", "layer", "blocks", "address", "rows", "row"), layout.weight_bases
    places = [
        ("weights", *layer, bases[n], layout.rows(n), "input") for n, layer in enumerate(layers)
    ]
    places.append(("weights", "readout", layers[-1][1], bases[-2], config.classes, "class"))
    if word_width(config):
        places += [
            ("class memory", *layer, layout.memory_bases[n], layout.memory_rows, row)
            for n, layer in enumerate(layers)
        ]
    return [dict(zip(keys, place, strict=True)) for place in places]


def nonzero_inputs(
    config: str,
    resolved: CoreConfig,
    source: DataOptions = NAMESAKE,
    nonzero: int | None = None,
) -> tuple[int, str]:
    """Return the number of non-zero inputs and where it is from."""
    import numpy as np

    from hebbware.golden.data import idx
    from hebbware.golden.learn import train

    if nonzero is not None:
        if not 0 <= nonzero <= resolved.inputs:
            raise InputError(f"--nonzero must lie in 0..{resolved.inputs}, not {nonzero}")
        return nonzero, "--nonzero"
    name = source.name
    if name is None:
        try:
            name = namesake(config)
        except InputError:
            return resolved.inputs, "all inputs"
    # nothing is fetched just to count
    if (name in idx.PUBLISHED or name in TYPICAL) and source.folder is None:
        if name in TYPICAL and TYPICAL[name] <= resolved.inputs:
            return TYPICAL[name], f"known mean of {name}"
        return resolved.inputs, "all inputs"
    try:
        dataset = source.load(config, resolved.seed, signal=True)
    except InputError:
        if source.name is not None or source.folder is not None:
            raise
        return resolved.inputs, f"all inputs, as {name} is not at hand"
    train.check_fit(resolved, dataset, signal=True)
    x = train.inputs(resolved, dataset.x_train)
    counts = np.count_nonzero(x != resolved.x_zero, axis=-1)
    return round(float(counts.mean())), f"mean of {name}"


def _print(output: Output, config: CoreConfig, result: dict[str, Any], origin: str) -> None:
    network = f"{'-'.join(map(str, config.sizes))}, {config.lanes} lanes, {config.rule}"
    output.table(network, ("field", "value"), list(config.to_dict().items()))
    output.table(
        "formats",
        ("of", "bits", "fraction", "from", "to"),
        [
            (name, f["bits"], f["fraction"], f"{f['from']:g}", f"{f['to']:g}")
            for name, f in result["formats"].items()
        ],
    )
    output.table(
        "memory map: one word holds a number for each lane",
        PLACES.values(),
        [tuple(place[key] for key in PLACES) for place in result["memory_map"]],
    )
    output.table(
        f"memories: {result['memory_bits']:,} bits",
        ("memory", "words", "bits a word", "bits"),
        [tuple(ram.values()) for ram in result["memories"]],
    )
    output.table(
        f"passes of a learned {'tick' if config.recurrent else 'sample'} with {result['nonzero']} "
        f"non-zero inputs ({origin})",
        ("pass", "of", "steps", "clocks to done", "waits for"),
        [
            (
                *(p["name"].rstrip("0123456789"), p["layer"], p["steps"], p["latency"]),
                ", ".join(p["waits"]),
            )
            for p in result["passes"]
        ],
    )
    if config.recurrent:
        output.table(
            "clocks per tick, all traces and errors other than zero",
            ("units that spike", "no target", "inferred", "learned", "slot limit"),
            [tuple(row.values()) for row in result["clocks_by_spikes"]],
        )
    else:
        output.table(
            "clocks per sample, all errors other than zero",
            ("non-zero inputs", "learned", "inferred", "slot limit"),
            [tuple(row.values()) for row in result["clocks_by_nonzero"]],
        )
    output.table(
        "resources, estimated",
        ("device", "LUT", "multipliers", "block RAMs", "fits"),
        [
            (
                need["device"],
                *(f"{need[key]:,} of {need['has'][key]:,}" for key in ("lut", "dsp", "ram")),
                "yes" if need["fits"] else f"too much: {need['short']}",
            )
            for need in result["resources"]
        ],
    )
    if config.recurrent:
        clocks = (
            f"about {result['clocks_per_sample']:,} clocks per learned sequence of "
            f"{config.neuron.ticks:,} ticks, {result['clocks_per_sample_inferred']:,} per inferred "
            f"one, without spikes, with {result['nonzero']} non-zero inputs a tick ({origin})"
        )
    else:
        clocks = (
            f"{result['clocks_per_sample']:,} clocks per learned sample "
            f"({result['clocks_to_limit']:.2f} of the slot limit "
            f"{result['limit_clocks_per_sample']:,}), {result['clocks_per_sample_inferred']:,} per "
            f"inferred one, with {result['nonzero']} non-zero inputs ({origin})"
        )
    output.log(
        f"{result['weights']:,} weights; operands {result['operands']['own']} x "
        f"{result['operands']['common']} bits, accumulators {result['operands']['accumulator']} "
        f"bits\n{clocks}"
    )
