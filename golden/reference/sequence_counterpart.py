"""The float networks of a configuration with a recurrent layer, several seeds in lockstep.

Rule, steps, schedule, data and order of the samples are those of `hebbware.golden.sequence`. What
differs is the arithmetic (nothing is rounded, looked up or saturated, and what is brought back is
not clipped) and the start weights, which are other draws of the same distribution.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..config import CoreConfig
from ..data.sets import Dataset, split_validation
from ..errors import InputError
from ..layers.squared import TARGET
from ..learn.signal import error, real_targets
from ..learn.train import held_back, inputs, order, spread_halvings
from .spiking import NO_TARGET, SpikingNetwork


def networks(config: CoreConfig, seeds: Sequence[int], filtered: bool = False) -> SpikingNetwork:
    """A network for each seed, as one with an axis in front.

    Parameters
    ----------
    filtered : bool
        With traces of single synapses, see `SpikingNetwork`.

    Raises
    ------
    InputError
        The layer learns by class memories.
    """
    if config.writes_memory:
        raise InputError(f"the float reference has no {config.modulator.kind!r} modulator")
    rngs, neuron, units = [np.random.default_rng([s, 3]) for s in seeds], config.neuron, None
    drawn = []
    for number, layer in enumerate(config.layer):
        rows = []
        for part in layer.parts(config, number):
            units = layer.shape(config, number)[1]
            most = 3**0.5 * part.std  # of a uniform distribution
            rows.append(np.stack([rng.uniform(-most, most, (part.rows, units)) for rng in rngs]))
        drawn.append(np.concatenate(rows, axis=1))
    feedback = None
    if config.modulator.kind == "random":
        shape = config.classes, config.hidden[0]
        feedback = np.stack([rng.choice([-1.0, 1.0], shape) for rng in rngs]) * config.memory.kappa
    leaks = [sum(2.0**-shift for shift in shifts) for shifts in neuron.leaks]
    return SpikingNetwork(
        *drawn,
        decay=1 - np.resize(leaks, config.hidden[0]),
        trace_decay=1 - 2.0**-neuron.trace_shift,
        readout_decay=1 - 2.0**-neuron.readout_shift if neuron.readout_shift else 0.0,
        threshold=float(neuron.threshold),
        width=neuron.width,
        feedback=feedback,
        filtered=filtered,
    )


def train(
    config: CoreConfig,
    seeds: Sequence[int],
    datasets: Sequence[Dataset],
    epochs: int,
    validation: float | None = None,
    progress: Callable[[int], None] | None = None,
    filtered: bool = False,
) -> list[float]:
    """Train a network for each seed on its data set; return their accuracies on the test sets, of
    signals the measure of `hebbware.golden.learn.signal`.

    Parameters
    ----------
    epochs, validation, progress
        As of `hebbware.golden.reference.counterpart.train`.
    filtered : bool
        As of `networks`.

    Raises
    ------
    InputError
        As of `networks`.
    """
    config = spread_halvings(config, epochs)
    network, parts = networks(config, seeds, filtered), []
    for seed, dataset in zip(seeds, datasets, strict=True):
        held = held_back(dataset, validation)
        parts.append(split_validation(dataset, held, seed) if held else dataset)
    first, learns = config.neuron.ticks - config.neuron.target, config.learns_hidden
    for epoch in range(epochs):
        rates = [2.0 ** -(rate + config.extra(epoch)) for rate in config.rates]
        orders = [order(s, epoch, len(p.y_train)) for s, p in zip(seeds, parts, strict=True)]
        for places in zip(*orders, strict=True):
            chosen = list(zip(parts, places, strict=True))
            x = encode(config, np.stack([part.x_train[n] for part, n in chosen]))
            targets = _targets(config, first, [part.y_train[n] for part, n in chosen])
            network.learn(x, targets, (rates[0] if learns else 0.0, rates[1]))
            if progress:
                progress(len(chosen))
    return test(config, network, datasets)


def _targets(config, first, given):
    """Targets of the ticks of a sequence for each network."""
    ticks = config.neuron.ticks
    if config.signal:
        found = TARGET.real(given)
        found[:, :first] = np.nan
        return found
    found = np.full((len(given), ticks), NO_TARGET)
    found[:, first:] = np.reshape(given, (-1, 1))
    return found


def test(config: CoreConfig, network: SpikingNetwork, datasets: Sequence[Dataset]) -> list[float]:
    """Accuracy of each network on the test samples of its data set, or the measure of signals."""
    first, samples = config.neuron.ticks - config.neuron.target, len(datasets[0].y_test)
    right, outputs = np.zeros(len(datasets)), []
    for n in range(samples):
        x = encode(config, np.stack([dataset.x_test[n] for dataset in datasets]))
        scores = network.run(x).scores[:, first:]
        if config.signal:
            outputs.append(scores)
            continue
        found = scores.sum(axis=1).argmax(axis=-1)
        right += found == [dataset.y_test[n] for dataset in datasets]
    if config.signal:
        pairs = zip(np.stack(outputs, axis=1), datasets, strict=True)
        return [error(found, real_targets(config, dataset.y_test)) for found, dataset in pairs]
    return (right / samples).tolist()


def encode(config: CoreConfig, x: np.ndarray) -> np.ndarray:
    """A data set's bytes as the configuration reads them, (samples, ticks, inputs)."""
    return (inputs(config, x) - config.x_zero) / config.source(0).one
