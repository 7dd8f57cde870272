"""``hebbware train --seeds N``: the same run with many seeds, reported as mean and deviation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbware.cli.common import DataOptions, Output, untested
from hebbware.cli.learning import learning
from hebbware.cli.spikes import told, unusual
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig

# Daruwalla and Lipasti 2024, per cent on the test set; of XOR and linear read off their figures
PUBLISHED = {"xor": "about 95", "linear": "about 93", "mnist": "91.6"}


def summary(values: list[float]) -> dict[str, Any]:
    """Return mean, sample standard deviation (None of one value), least value and all of them."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {
        "mean": float(np.mean(values)),
        "deviation": deviation,
        "least": min(values),
        "test": values,
    }


def repeat(
    config: CoreConfig,
    name: str,
    source: DataOptions,
    seeds: int,
    *,
    epochs: int,
    validation: float | None,
    engine: str,
    reference: bool,
    output: Output,
) -> None:
    """Train with the seeds from that of the configuration on; print and write the accuracies.

    A seed draws the start weights, the order of the samples, and the samples themselves where the
    data set is made on the spot. With `reference` the float counterparts learn the same samples.
    `name` is the configuration as ``--config`` gives it.
    """
    from hebbware.golden.data import sets
    from hebbware.golden.learn import train as training

    row = range(config.seed, config.seed + seeds)
    dataset = source.load(name, config.seed, signal=True)
    training.check_fit(config, dataset)  # before others are loaded
    if why := untested(dataset):
        raise InputError(f"--seeds measures on test samples: {why}")
    drawn = sets.is_drawn(dataset.name)
    datasets = [source.load(name, seed) if drawn else dataset for seed in row]
    samples = len(dataset.y_train) - training.held_back(dataset, validation)
    counterparts = _counterparts(config) if reference else {}
    total = seeds * (1 + len(counterparts)) * epochs * samples
    found: dict[str, list[float]] = {"integer": []}
    rates: list[float | None] = []
    title = f"{seeds} runs on {dataset.name}"
    with learning(output, title, config, dataset, total, engine) as advance:
        for rule, learn in counterparts.items():
            found[rule] = learn(config, row, datasets, epochs, validation, advance)
        for seed, drawn in zip(row, datasets, strict=True):
            result = training.train(
                config.derive(seed=seed), drawn, epochs, engine=engine, validation=validation,
                progress=advance,
            )  # fmt: skip
            found["integer"].append(result.test)
            rates.append(result.rate)
    results = {name: summary(values) for name, values in found.items()}
    published = PUBLISHED.get(dataset.name)
    names = {
        "integer": f"this core, {config.weight.width}-bit weights, {config.update.rounding}",
        "float": "float reference, the same rule",
        "synapses": "float reference, traces of single synapses",
    }
    rows = [
        (names[name], *(_percent(result[key]) for key in ("mean", "deviation", "least")))
        for name, result in results.items()
    ]
    if published:
        rows.append(("published (Daruwalla and Lipasti 2024)", published, "-", "-"))
    output.table(
        f"{dataset.name}: {'-'.join(map(str, config.sizes))}, {config.neuron.kind}, "
        f"{epochs} epochs, {seeds} seeds from {config.seed} on; "
        f"% of {len(dataset.y_test):,} test samples",
        ("rule", "mean", "standard deviation", "least"),
        rows,
    )
    for seed, rate in zip(row, rates, strict=True):
        if rate is not None and unusual(rate):
            output.log(f"seed {seed}: {told(rate)}")
    output.write(
        {
            "dataset": dataset.name,
            "epochs": epochs,
            "seeds": seeds,
            "accuracy": results["integer"],
            "rates": rates if config.recurrent else None,
            "reference": results.get("float"),
            "reference_synapses": results.get("synapses"),
            "published": published,
            "config": config.to_dict(),
        }
    )


def _counterparts(config: CoreConfig) -> dict[str, Callable[..., list[float]]]:
    """Return the functions that train float references, by the rule that they learn by."""
    if not config.recurrent:
        from hebbware.golden.reference import counterpart, maps

        if config.convolves:
            return {"float": maps.train}
        return {"float": counterpart.train}
    from hebbware.golden.reference import sequence_counterpart

    found = {"float": sequence_counterpart.train}
    if config.learns_hidden:
        found["synapses"] = partial(sequence_counterpart.train, filtered=True)
    return found


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
