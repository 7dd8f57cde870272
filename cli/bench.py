"""``hebbware bench``: the figures that the project goes by, as ratios of one run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from hebbware.cli import estimates
from hebbware.cli.common import (
    CheckFailed,
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    resolve_config,
)
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset

SAMPLES, STALLS = 2000, 0
PLAIN_SHARE = 10  # the plain engine gets one sample in so many
BARE_CLOCKS = 400_000
EDGE_CLOCKS, AMARANTH_CLOCKS = 20_000, 500
ALSO = "mnist"  # clocks are also given for this one where its files are at hand


@click.command(
    "bench",
    epilog=examples(
        "hebbware bench", "hebbware bench --config mnist --samples 500 --json bench.json"
    ),
)
@common_options
@dataset_options
@click.option(
    "--samples",
    type=click.IntRange(min=PLAIN_SHARE),
    default=SAMPLES,
    show_default=True,
    metavar="N",
    help="Samples that the compiled engine learns; plain NumPy and the RTL learn a tenth of them.",
)
@click.option(
    "--peers",
    is_flag=True,
    help="Others' tools beside it, as ratios: scikit-learn and JAX learn the same layers one "
    "sample a step, cocotb awaits every edge, Amaranth simulates the core, apytypes and fxpmath "
    "multiply.",
)
def command(
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    samples: int,
    peers: bool,
) -> None:
    """Measure clocks per sample, golden's engines, and the co-simulation, in one run.

    Clocks per sample are those that golden predicts. Golden's engines are compared in one process,
    compilation left out. The co-simulation is compared with a bare Verilator loop of the same core,
    both with the trace ports. Seconds depend on what else the machine does; their ratios less so.
    Samples come again from the start where the data set has too few.
    """
    from hebbware.golden.learn import train

    resolved = resolve_config(config, seed)
    if resolved.recurrent:
        raise InputError("bench takes no sequences: layer.kind must be 'dense', not 'recurrent'")
    dataset = source.load(config, resolved.seed)
    train.check_fit(resolved, dataset)
    result: dict[str, Any] = {
        "config": resolved.to_dict(),
        "dataset": dataset.name,
        "clocks": _clocks(config, resolved, dataset, source.folder, output),
        "golden": _golden(resolved, dataset, samples, output),
        "cosim": _cosim(resolved, dataset, samples // PLAIN_SHARE, output),
    }
    if peers:
        result["peers"] = _peers(resolved, dataset, samples, result, output)
    output.write(result)


def _peers(
    config: CoreConfig, dataset: Dataset, samples: int, own: dict, output: Output
) -> dict[str, Any]:
    """Others' tools on the same network, samples and core, each with its ratio to this one's."""
    from hebbware.cosim.core import build_core
    from hebbware.cosim.edges import amaranth_speed, edge_speed
    from hebbware.golden.learn import train
    from hebbware.study import peers

    picked = np.resize(train.order(config.seed, 0, len(dataset.y_train)), samples)
    with output.progress("others learn"):
        learned = peers.learning(config, dataset.x_train[picked], dataset.y_train[picked])
    x, y = _samples(config, dataset, samples // PLAIN_SHARE)
    with output.progress("cocotb awaits every edge"):
        edges, _ = edge_speed(build_core(config), config, x, y.tolist(), EDGE_CLOCKS)
    with output.progress("Amaranth simulates"):
        simulated, _ = amaranth_speed(config, x, y.tolist(), AMARANTH_CLOCKS)
    with output.progress("others multiply"):
        products = peers.arithmetic()
    clocks = {"cocotb, awaiting every edge": edges, "Amaranth's simulator": simulated}
    found = {}
    for name, what, mine, rates in (
        ("learning", "samples/s learned", learned.pop("golden"), learned),
        ("cosim", "clocks/s simulated", own["cosim"]["clocks_per_second"], clocks),
        ("arithmetic", "products/s", products.pop("golden"), products),
    ):
        beside = {peer: {"rate": rate, "ratio": mine / rate} for peer, rate in rates.items()}
        found[name] = {"own": mine, **beside}
        output.table(
            f"{what}, hebbware: {mine:,.0f}",
            ("peer", what, "hebbware is times as fast"),
            [(peer, f"{rate:,.0f}", f"{mine / rate:.1f}") for peer, rate in rates.items()],
        )
    return found


def _samples(config: CoreConfig, dataset: Dataset, samples: int) -> tuple[np.ndarray, np.ndarray]:
    from hebbware.golden.learn import train

    picked = np.resize(train.order(config.seed, 0, len(dataset.y_train)), samples)
    return train.inputs(config, dataset.x_train[picked]), dataset.y_train[picked]


def _clocks(
    name: str, config: CoreConfig, dataset: Dataset, data_dir: Path | None, output: Output
) -> list[dict[str, Any]]:
    """Clocks per learned sample on real samples, against the slot limit of the same samples."""
    from hebbware.golden.config import load
    from hebbware.golden.estimate.estimate import limit_clocks_per_sample, start_clocks
    from hebbware.golden.timing.schedule import predict

    cases = [(name, config, dataset)]
    also = None if dataset.name == ALSO else _at_hand(ALSO, data_dir)
    if also is not None:
        cases.append((ALSO, load(ALSO), also))
    rows = []
    for name, config, dataset in cases:
        x, y = _samples(config, dataset, 200)
        about = {"about": estimates.predicting(config, len(x)), "of": config.fingerprint}
        with output.progress(f"clocks of {name}", len(x), **about) as advance:
            prediction = predict(config, x, y.tolist(), progress=lambda done: advance())
        clocks = np.diff(prediction.sample_clocks, prepend=start_clocks(config)).mean()
        counts = np.count_nonzero(x != config.x_zero, axis=1)
        limit = np.mean([limit_clocks_per_sample(config, n) for n in counts.tolist()])
        rows.append(
            {
                "config": name,
                "samples": len(x),
                "nonzero": counts.mean(),
                "clocks_per_sample": clocks,
                "limit_clocks_per_sample": limit,
                "ratio": clocks / limit,
            }
        )
    output.table(
        "clocks per learned sample, no stalls",
        ("configuration", "samples", "non-zero inputs", "clocks", "slot limit", "ratio"),
        [
            (
                *(row["config"], row["samples"], f"{row['nonzero']:.1f}"),
                *(f"{row['clocks_per_sample']:,.1f}", f"{row['limit_clocks_per_sample']:,.1f}"),
                f"{row['ratio']:.3f}",
            )
            for row in rows
        ],
    )
    return rows


def _at_hand(name: str, data_dir: Path | None) -> Dataset | None:
    """Return a data set of IDX files, None where they would have to be fetched."""
    from hebbware.golden.data import sets as data
    from hebbware.golden.system import places

    for folder in (data_dir, os.environ.get("HEBBWARE_DATA"), *places.kept(name)):
        if folder:
            try:
                return data.load(name, folder)
            except InputError:
                continue
    return None


def _golden(config: CoreConfig, dataset: Dataset, samples: int, output: Output) -> dict[str, float]:
    """Samples per second that both engines learn."""
    from hebbware.golden.learn.train import engine_class

    x, y = _samples(config, dataset, samples)
    rates = {}
    for engine, count in (("compiled", samples), ("plain", samples // PLAIN_SHARE)):
        about = estimates.learning(config, count, engine)
        with output.progress(f"golden, {engine}", count, about=about, of=config.fingerprint):
            core = engine_class(engine)(config)
            core.learn_many(x[:2], y[:2])  # compiles
            start = time.perf_counter()
            core.learn_many(x[:count], y[:count])
            rates[engine] = count / (time.perf_counter() - start)
    ratio = rates["compiled"] / rates["plain"]
    output.table(
        f"golden: {dataset.name}, samples/s learned",
        ("compiled", "plain NumPy", "ratio"),
        [(f"{rates['compiled']:,.0f}", f"{rates['plain']:,.0f}", f"{ratio:.1f}")],
    )
    return {
        "samples": samples,
        "samples_per_second_compiled": rates["compiled"],
        "samples_per_second_plain": rates["plain"],
        "ratio": ratio,
    }


def _cosim(config: CoreConfig, dataset: Dataset, samples: int, output: Output) -> dict[str, Any]:
    """Clocks per second of the co-simulation, against a bare loop around the same core."""
    from hebbware.cosim.bare import bare_speed
    from hebbware.cosim.core import build_core, cosimulate
    from hebbware.hdl.core import Core

    x, y = _samples(config, dataset, samples)
    about = {"about": estimates.building(config), "of": config.fingerprint}
    with output.progress("building the simulation", later=True, **about) as step:
        model = build_core(config, tell=step.begin)
    about["about"] = 2 * estimates.predicting(config, samples)
    with output.progress("golden, then the RTL", samples, **about):
        run = cosimulate(config, x, y.tolist(), model=model, seed=config.seed, stalls=STALLS)
    about["about"] = estimates.building(config) / 2
    with output.progress("building and running the bare loop", **about):
        bare = bare_speed(Core(config, trace=True), BARE_CLOCKS)
    if run.message:
        raise CheckFailed(run.message)
    speed = run.result.clocks_per_second
    output.table(
        "co-simulation, every clock compared, and a bare loop",
        ("clocks", "clocks/s", "bare Verilator loop, clocks/s", "ratio"),
        [(f"{run.result.clocks:,}", f"{speed:,.0f}", f"{bare:,.0f}", f"{speed / bare:.3f}")],
    )
    return {
        "samples": samples,
        "clocks": run.result.clocks,
        "mismatches": run.result.mismatches,
        "clocks_per_second": speed,
        "clocks_per_second_bare": bare,
        "ratio": speed / bare,
        "trace": True,
        "tools": str(model.toolchain),
    }
