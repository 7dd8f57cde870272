"""Back-propagation through time of the spiking network: what e-prop leaves out, and what it costs.

`gradients` is a reference for e-prop alone. It is checked by finite differences, in a network whose
spikes are smooth; the rule with a trace for each synapse must then be the same but for what goes
through spikes: the layer's own weights and the reset.
"""

import numpy as np
import pytest

from hebbware.golden.config import load
from hebbware.golden.data import sets
from hebbware.golden.learn.train import order, spread_halvings
from hebbware.golden.reference import sequence_counterpart as counterpart
from hebbware.golden.reference.spiking import NO_TARGET, SpikingNetwork


def softmax(scores):
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def box(network):
    """Spikes, and the pseudo-derivative of `SpikingNetwork`."""
    theta = network.threshold

    def fire(potential):
        return (potential >= theta).astype(float)

    def slope(potential):
        return (np.abs(potential - theta) < network.width * theta).astype(float)

    return fire, slope


def gradients(network, x, targets, spike=None, through_spikes=True):
    """Of the summed cross entropy: by weights and readout, and the cross entropy itself.

    One sequence x (ticks, inputs), or with networks in lockstep (networks, ticks, inputs).
    """
    fire, slope = spike or box(network)
    ticks, zero = x.shape[-2], np.zeros((*x.shape[:-2], network.weights.shape[-1]))
    potential = before = seen = zero
    kept, loss = [], 0.0
    for tick in range(ticks):
        rows = np.concatenate([x[..., tick, :], before], axis=-1)
        current = np.einsum("...j,...ji->...i", rows, network.weights)
        potential = network.decay * potential + current - network.threshold * before
        before = fire(potential)
        seen = network.readout_decay * seen + before
        error = np.zeros((*seen.shape[:-1], network.readout.shape[-2]))
        if (targets[..., tick] != NO_TARGET).all():
            p = softmax(np.einsum("...i,...ci->...c", seen, network.readout))
            wanted = np.arange(p.shape[-1]) == targets[..., tick, None]
            loss, error = loss - np.log(p[wanted]).sum(), p - wanted
        kept.append((rows, potential, seen, error))
    d_weights, d_readout = np.zeros_like(network.weights), np.zeros_like(network.readout)
    d_potential = d_seen = zero
    own = network.weights[..., x.shape[-1] :, :]
    for rows, potential, seen, error in reversed(kept):
        d_readout += error[..., None] * seen[..., None, :]
        d_seen = network.readout_decay * d_seen
        d_seen = d_seen + np.einsum("...c,...ci->...i", error, network.readout)
        d_spike = d_seen
        if through_spikes:
            d_spike = d_spike + np.einsum("...i,...ji->...j", d_potential, own)
            d_spike = d_spike - network.threshold * d_potential
        d_potential = network.decay * d_potential + slope(potential) * d_spike
        d_weights += rows[..., None] * d_potential[..., None, :]
    return d_weights, d_readout, loss


def drawn(seed=0, **options):
    """A network of 3 inputs, 5 units and 2 classes, and a sequence with two targets."""
    rng = np.random.default_rng(seed)
    network = SpikingNetwork(
        rng.normal(0.2, 0.6, (8, 5)),
        rng.normal(0, 0.6, (2, 5)),
        np.full(5, 0.8),
        0.8,
        0.7,
        **options,
    )
    targets = np.full(9, NO_TARGET)
    targets[[5, 8]] = 1, 0
    return network, rng.random((9, 3)), targets


def test_gradients_are_those_of_finite_differences():
    network, x, targets = drawn()

    def fire(v):
        return 1 / (1 + np.exp(-(v - 1) / 0.3))

    smooth = fire, lambda v: fire(v) * (1 - fire(v)) / 0.3
    found = gradients(network, x, targets, smooth)
    for values, gradient in zip((network.weights, network.readout), found, strict=False):
        for place in np.ndindex(values.shape):
            kept, losses = values[place], []
            for step in (1e-5, -1e-5):
                values[place] = kept + step
                losses.append(gradients(network, x, targets, smooth)[2])
            values[place] = kept
            assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(gradient[place], abs=1e-6)


def test_traces_of_synapses_give_the_gradient_without_what_goes_through_spikes():
    network, x, targets = drawn(filtered=True)
    for last in (5, 8):  # one target each: weights do not change before it
        single = np.where(np.arange(9) == last, targets, NO_TARGET)
        before = network.weights.copy(), network.readout.copy()
        wanted = gradients(network, x, single, through_spikes=False)
        full = gradients(network, x, single)
        course = network.learn(x, single, (0.1, 0.1))
        assert course.spikes.sum() > 5
        for old, new, gradient in zip(
            before, (network.weights, network.readout), wanted, strict=False
        ):
            np.testing.assert_allclose(new - old, -0.1 * gradient, atol=1e-12)
        assert np.abs(full[0] - wanted[0]).max() > 1e-3


def test_networks_in_lockstep_are_those_alone():
    (one, x, targets), (other, y, _) = drawn(1, filtered=True), drawn(2, filtered=True)
    both = SpikingNetwork(
        np.stack([one.weights, other.weights]), np.stack([one.readout, other.readout]),
        np.full(5, 0.8), 0.8, 0.7, filtered=True,
    )  # fmt: skip
    swapped = np.where(targets == NO_TARGET, NO_TARGET, 1 - targets)
    both.learn(np.stack([x, y]), np.stack([targets, swapped]), (0.3, 0.2))
    one.learn(x, targets, (0.3, 0.2))
    other.learn(y, swapped, (0.3, 0.2))
    for n, network in enumerate((one, other)):
        np.testing.assert_allclose(both.weights[n], network.weights, atol=1e-12)
        np.testing.assert_allclose(both.readout[n], network.readout, atol=1e-12)


@pytest.mark.slow  # half a minute
def test_accuracy_of_back_propagation_through_time(capsys):
    """`digits-rows`, three seeds, as ``hebbware train --seeds 3 --epochs 10 --reference`` has it,
    with a step against the gradient after each sequence.
    """
    seeds, epochs, data = range(3), 10, sets.load("digits-rows")
    config = spread_halvings(load("digits-rows"), epochs)
    network = counterpart.networks(config, seeds)
    first = config.neuron.ticks - config.neuron.target
    for epoch in range(epochs):
        rates = [2.0 ** -(rate + config.extra(epoch)) for rate in config.rates]
        for places in zip(*(order(s, epoch, len(data.y_train)) for s in seeds), strict=True):
            x = counterpart.encode(config, data.x_train[list(places)])
            targets = np.full(x.shape[:2], NO_TARGET)
            targets[:, first:] = data.y_train[list(places), None]
            found = gradients(network, x, targets)
            network.weights -= rates[0] * found[0]
            network.readout -= rates[1] * found[1]
    accuracies = counterpart.test(config, network, [data] * len(seeds))
    with capsys.disabled():
        print(f"\nback-propagation through time, digits-rows: {accuracies}")
    assert min(accuracies) > 0.7
