"""The network of a configuration in double precision: what its formats are measured against.

Start weights, codes, order of the updates, step sizes and schedule are those of
`hebbware.golden.core.Core`. All else is real arithmetic: nothing is rounded, looked up in a table
or saturated, apart from the clip of directions at +-2, which belongs to the rule. Two discrete
choices of the rule stay: LayerNorm's scale in the modulator is a power of two, and so is that of a
gated memory (from its mean magnitude, as the core takes it). The variance has the core's lower
bound.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data.samples import label_of, raw
from hebbware.golden.layers.normalise import VAR_MIN
from hebbware.golden.reference.class_memory import CLIP, modulator
from hebbware.golden.reference.layers import softmax

MEAN_MAGNITUDE = np.sqrt(2 / np.pi)  # of a standard normal number

Signals = dict[tuple[int, str], np.ndarray]


class FloatTwin:
    """A network that learns in double precision.

    Parameters
    ----------
    config : CoreConfig

    Attributes
    ----------
    weights : list of array
        Shapes as in `Core`, real units.
    memories : list of array (classes, units)
        In units of the stored integers, so that they compare with those of `Core`.
    """

    def __init__(self, config: CoreConfig):
        core = Core(config)
        self.config, self.kind = config, config.memory
        self.weights = [config.weight.real(w) for w in core.weights]
        self.memories = [m.astype(float) for m in core.memories]
        self.codes = [c.astype(float) for c in core.codes]
        self.past: deque = deque(maxlen=config.memory.window)
        self.extra = 0

    def learn(self, x: np.ndarray, label: int) -> Signals:
        """Learn raw inputs; return all signals by (layer, name), the readout as the last layer.

        Names and their order are those of `hebbware.study.tally.SIGNALS`; ``M`` and ``W`` as they
        stand after the sample.
        """
        cfg, hidden = self.config, len(self.config.hidden)
        found: Signals = {}
        label = label_of(label, cfg.classes)
        inputs, scales = [cfg.x.real(raw("x", x, (cfg.inputs,), 0, cfg.x.max))], []
        for layer in range(hidden):
            u = np.append(inputs[-1], 1.0) @ self.weights[layer]
            z, scale = self._normalise(np.maximum(u, 0))
            found[layer, "u"], found[layer, "z"] = u, z
            inputs.append(z)
            scales.append(scale)
        scores = self.weights[-1] @ inputs[-1]
        found[hidden, "u"] = scores
        steps = [2.0 ** -(step + self.extra) for step in cfg.rates]
        writes = []
        for layer in range(hidden if cfg.learns_hidden else 0):
            read = self.read(layer)
            z = inputs[layer + 1]
            xi, error, k = modulator(z, read, label, scales[layer], 2.0**cfg.modulator.beta_log2)
            d = np.clip(xi * (found[layer, "u"] > 0), -CLIP, CLIP)
            found.update({(layer, "E"): read, (layer, "k"): k, (layer, "e"): error})
            found[layer, "d"] = d
            writes.append((layer, z, error, d))
        error = softmax(scores)
        error[label] -= 1
        found[hidden, "e"] = error
        for layer, z, memory_error, d in writes:
            if self.kind.written:
                self._write(layer, z, memory_error, label)
            pre = np.append(inputs[layer], 1.0)
            self.weights[layer] = self.weights[layer] - steps[layer] * np.outer(pre, d)
            if self.kind.written:
                found[layer, "M"] = self.memories[layer]
            found[layer, "W"] = self.weights[layer]
        self.weights[-1] = self.weights[-1] - steps[-1] * np.outer(error, inputs[-1])
        found[hidden, "W"] = self.weights[-1]
        self.past.append((label, inputs[1:]))
        return found

    def _normalise(self, a):
        centred = a - a.mean()
        least = VAR_MIN / 4.0**self.config.u.fraction
        scale = max(float((centred**2).mean()), least) ** -0.5
        return centred * scale, scale

    def read(self, layer: int) -> np.ndarray:
        """Class memories at unit scale, ``E`` (classes, units)."""
        cfg, memory = self.config, self.memories[layer]
        if self.kind.self_scaling:
            size = np.abs(memory).mean(axis=1, keepdims=True) / MEAN_MAGNITUDE
            memory = memory / 2.0 ** np.round(np.log2(np.where(size > 0, size, 1.0)))
        else:
            memory = memory / 2.0 ** (self.kind.read_shift(cfg) + cfg.read.fraction)
        return memory + cfg.memory.kappa * self.codes[layer]

    def _write(self, layer, z, error, label):
        cfg, kind, memory = self.config, self.kind, self.memories[layer].copy()
        unit = cfg.z.one * z  # one sample in units of the stored integers
        leak = 2.0**-cfg.memory.horizon if kind.leaks else 0.0
        if kind.by_error:
            gain = 2.0 ** (kind.scale(cfg) - cfg.update_shift) * (1 << cfg.e.fraction)
            memory -= leak * memory + gain * np.outer(error, unit)
        else:
            if kind.windowed and len(self.past) == cfg.memory.window:
                old_label, old = self.past[0]
                memory[old_label] -= cfg.z.one * old[layer]
            memory[label] += unit - leak * memory[label]
        self.memories[layer] = memory
