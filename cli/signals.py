"""``hebbware train`` where targets are signals: how far from them a network comes, and controls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hebbware.cli.common import DataOptions, Output
from hebbware.cli.learning import learning
from hebbware.cli.seeds import summary
from hebbware.cli.spikes import told, unusual

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.learn.signal import Result

REFUSED = ("checkpoint", "resume", "figure", "stream", "flip", "shift")
MEASURE = "normalised mean squared error"


def run(
    config: CoreConfig,
    name: str,
    source: DataOptions,
    *,
    epochs: int,
    validation: float | None,
    engine: str,
    controls: bool,
    seeds: int | None,
    reference: bool,
    output: Output,
) -> None:
    """Train with one seed, or with some in a row; print and write the errors on the test set.

    A seed draws start weights, order and samples. `name` is the configuration as ``--config`` gives
    it.
    """
    from hebbware.golden.data import sets
    from hebbware.golden.learn import signal
    from hebbware.golden.learn import train as training

    row = range(config.seed, config.seed + (seeds or 1))
    datasets = [source.load(name, config.seed, signal=True)]
    drawn = sets.is_drawn(datasets[0].name)
    datasets += [source.load(name, seed, signal=True) if drawn else datasets[0] for seed in row[1:]]
    samples = len(datasets[0].y_train) - training.held_back(datasets[0], validation)
    references = _references(config) if reference else {}
    runs = len(row) * (1 + 2 * controls + len(references))
    options = {"engine": engine, "validation": validation}
    title, found, errors = f"training on {datasets[0].name}", [], {"this core": []}
    with learning(
        output, title, config, datasets[0], runs * epochs * samples, engine, signal=True
    ) as advance:
        options["progress"] = advance
        for seed, dataset in zip(row, datasets, strict=True):
            own = config.derive(seed=seed)
            found.append(signal.train(own, dataset, epochs, **options))
            errors["this core"].append(found[-1].test)
            if controls:
                for control, measured in signal.controls(own, dataset, epochs, **options).items():
                    errors.setdefault(control, []).append(measured)
        for rule, learn in references.items():
            errors[rule] = learn(config, row, datasets, epochs, validation, advance)
    if not seeds:
        _curve(config, datasets[0], found[0], output)
    _print(config, datasets[0], epochs, row, errors, output)
    for seed, result in zip(row, found, strict=True):
        if unusual(result.rate) or not seeds:
            output.log(f"seed {seed}: {told(result.rate)}")
    output.write(_content(config, datasets[0], epochs, row, found, errors, engine))


def _references(config: CoreConfig) -> dict[str, Any]:
    from functools import partial

    from hebbware.golden.reference import sequence_counterpart as float_networks

    found = {"float, the same rule": float_networks.train}
    if config.learns_hidden:
        found["float, traces of single synapses"] = partial(float_networks.train, filtered=True)
    return found


def _curve(config: CoreConfig, dataset: Dataset, result: Result, output: Output) -> None:
    rows = zip(result.train, result.validation, strict=True)
    output.table(
        f"{dataset.name}: {'-'.join(map(str, config.sizes))}, {config.rule}, "
        f"{config.weight.width}-bit weights; {MEASURE}",
        ("epoch", "while learning", "on validation", "halvings"),
        [
            (epoch + 1, f"{train:.4f}", _number(held), result.core.config.extra(epoch))
            for epoch, (train, held) in enumerate(rows)
        ],
    )


def _print(config, dataset, epochs, row, errors, output: Output) -> None:
    """Errors on the test set, of the network and what it is compared with."""
    rows = []
    for name, values in errors.items():
        found = summary(values)
        each = ", ".join(f"{value:.4f}" for value in values)
        rows.append((name, f"{found['mean']:.4f}", _number(found["deviation"]), each))
    output.table(
        f"{dataset.name}: {epochs} epochs, seeds {row[0]} to {row[-1]}; {MEASURE} on "
        f"{len(dataset.y_test):,} test samples, 1 for the mean of each output",
        ("what learns", "mean", "standard deviation", "each seed"),
        rows,
    )


def _content(config, dataset, epochs, row, found, errors, engine) -> dict[str, Any]:
    """What ``--json`` writes."""
    held = found[0].held
    return {
        "dataset": dataset.name,
        "epochs": epochs,
        "seeds": list(row),
        "measure": MEASURE,
        "error": errors["this core"],
        "controls": {name: values for name, values in errors.items() if name != "this core"},
        "train": [result.train for result in found],
        "validation": [result.validation for result in found],
        "samples": {
            "train": len(dataset.y_train) - held,
            "validation": held,
            "test": len(dataset.y_test),
        },
        "samples_per_second": found[0].samples_per_second,
        "rates": [result.rate for result in found],
        "engine": engine,
        "config": config.to_dict(),
    }


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"
