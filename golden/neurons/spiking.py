"""Leaky integrate-and-fire units and their traces, in integers, a tick at a time.

All that leaks is rounded stochastically, by a word for each block of lanes, of which each lane sees
its rotation: with the numbers r of a lane, below the last bit that is kept,

* a trace of what comes into the weights: ``t <- sat(t - ((t + r) >> s) + x)``;
* a potential: ``v <- sat(v - ((v g + r) >> b) - theta s' + I)``, with the unit's spike s' of the
  tick before, the current I as the dense engine rounds it, and ``g = 1 + 2**(b - a)`` of two shifts
  a < b, or 1 of one shift b; what comes from the layer's own spikes is added to that, as another
  sum;
* a spike ``s = [v >= theta]``;
* what the readout sees of a unit: ``f <- sat(f - ((f + r) >> k) + s)``.

The generator of these words stands at the same word at the first tick of every sequence, and moves
whether or not there is something to learn: what a sequence does depends on the weights alone.

Source: Bellec et al. 2020, doi 10.1038/s41467-020-17236-y, with one trace for each row in place of
one for each synapse; in floating point `hebbware.golden.reference.spiking`.
"""

import numpy as np

from ..arithmetic.fixed import saturate
from ..arithmetic.random import WORD, seed_state


def rest_word(config) -> int:
    """The word at which the generator of the leaks stands before the first tick."""
    return seed_state(~config.seed & WORD)


def leaks(config) -> tuple[tuple[int, int], tuple[int, int]]:
    """Gain and shift of the leak, of even and of odd units."""
    found = []
    for shifts in config.neuron.leaks:
        found.append((sum(1 << shifts[-1] - shift for shift in shifts), shifts[-1]))
    return tuple(found)


def threshold(config) -> int:
    """Raw u."""
    return config.neuron.threshold << config.u.fraction


def reach(config) -> int:
    """How far from the threshold (raw u) the pseudo-derivative is 0."""
    return threshold(config) * int(config.neuron.width * 4) >> 2


def leaked(values, random, gain, shift):
    """What a leak takes away; `random` has 32 bits, of which the lowest `shift` count."""
    return (values * gain + (random & (1 << shift) - 1)) >> shift


def trace(config, values, arriving, random):
    """Traces after a tick; `arriving` as raw traces."""
    lost = leaked(values, random, 1, config.neuron.trace_shift)
    return saturate(values - lost + arriving, config.trace)


def passing(traces, lanes) -> np.ndarray:
    """Numbers of the rows that an update walks: where a trace is 0 the one after it in the same
    word of `lanes` stands for both, as the first of them keeps its weights; it takes two random
    words, of which it uses the second.
    """
    found = []
    for start in range(0, len(traces), lanes):
        row, end = start, min(start + lanes, len(traces))
        while row < end:
            row += not traces[row] and row + 1 < end
            found.append(row)
            row += 1
    return np.array(found)


def integrate(config, potential, spikes, current, random):
    """Potentials (raw u) from those before, the spikes of the tick before and the inputs' sums."""
    (gain, shift), (second_gain, second_shift) = leaks(config)
    lost = np.empty_like(potential)
    lost[::2] = leaked(potential[::2], random[::2], gain, shift)
    lost[1::2] = leaked(potential[1::2], random[1::2], second_gain, second_shift)
    return saturate(potential - lost - threshold(config) * spikes + current, config.u)


def filtered(config, values, spikes, random):
    """What the readout sees (raw z): spikes, with a leak."""
    lost = leaked(values, random, 1, config.neuron.readout_shift)
    return saturate(values - lost + (spikes << config.z.fraction), config.z)


def near(config, potential):
    """The pseudo-derivative: 1 where a potential is near the threshold, else 0."""
    return (np.abs(potential - threshold(config)) < reach(config)).astype(np.int64)
