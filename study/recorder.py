"""A bit-exact core that tallies every signal of what it learns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from hebbware.golden.arithmetic.fixed import Format, Rounding, saturate, shift_round
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.layers import dense
from hebbware.golden.layers.normalise import MANTISSA_BITS, statistics
from hebbware.golden.modulators import class_memory as modulator
from hebbware.golden.neurons.kinds import Static
from hebbware.golden.program.walk import Rows, Store
from hebbware.study.float_twin import Signals
from hebbware.study.tally import SIGNALS, Tally, formats

PASSING = ("u", "z", "E", "k", "e", "d")  # compared with the float twin, besides M and W
WIDE = Format(62, 0)  # saturates nothing


class Recorder(Core):
    """A core that tallies all signals of what it learns.

    Attributes
    ----------
    tallies : dict of (layer, signal) to Tally
    now : dict of (layer, signal) to array
        Integers of the last sample: those `PASSING`, and ``M`` and ``W`` after it.
    """

    def __init__(self, config: CoreConfig):
        if config.modulator.kind not in ("class-memory", "none"):
            raise InputError(f"a profile cannot be made of the {config.modulator.kind} modulator")
        if config.neuron != Static() or config.input.centred:
            raise InputError(
                "a profile can be made of static neurons without a slope below 0 and of inputs "
                "that are not centred only"
            )
        if config.memory.projected:
            raise InputError(f"a profile cannot be made of the {config.memory.kind} memory")
        if config.convolves or any(layer.narrow for layer in config.layer):
            raise InputError(
                "a profile can be made of dense layers whose weights span -2..2 only, not of "
                "convolutions or narrow weights"
            )
        super().__init__(config)
        self._format = formats(config)
        self.tallies: dict[tuple[int, str], Tally] = {}
        self.now: Signals = {}

    def _run(self, x, label=None):
        if label is None:
            return super()._run(x)
        self.now, self._class, self._powers = {}, label, []
        self._inputs = [np.asarray(x, np.int64)]
        self._old_weights = [w.copy() for w in self.weights]
        self._old_memories = [m.copy() for m in self.memories]
        result = super()._run(x, label)
        self.now.update({(layer, "W"): w for layer, w in enumerate(self.weights)})
        self.now.update({(layer, "M"): m for layer, m in enumerate(self.memories)})
        return result

    def shares(self) -> list[Tally]:
        """All tallies, layer by layer in the order of the signals."""
        return sorted(self.tallies.values(), key=lambda t: (t.layer, SIGNALS.index(t.signal)))

    def _tally(self, layer, signal, raw, shift=0, rounded=None, stored=False):
        key = (layer, signal)
        if key not in self.tallies:
            self.tallies[key] = Tally(layer, signal, self._format[signal])
        self.tallies[key].add(raw, shift, rounded, stored)
        if signal in PASSING:
            value = shift_round(raw, shift) if rounded is None else rounded
            self.now[key] = saturate(value, self._format[signal])

    # -- what the passes write --------------------------------------------------------------------

    def _random_of_units(self, words, units):
        self._random = super()._random_of_units(words, units)
        return self._random

    def _walk(self, s):
        for made in super()._walk(s):
            for store, layer, rows, values in made.written if s.label is not None else ():
                if store is Store.MEMORY:
                    self._see_memory(layer, rows, values, made.of.walk.rows is Rows.OLDEST)
                elif store is Store.WEIGHTS:
                    self._see_weights(layer, rows, s)
                elif store in (Store.A, Store.Z, Store.ERRORS):
                    getattr(self, f"_see_{store}")(layer, values)
            yield made

    def _see_a(self, layer, a):
        cfg, values = self.config, self._inputs[layer]
        source = cfg.source(layer)
        pre = np.append(values, source.one)
        shift = source.fraction + cfg.weight.fraction - cfg.u.fraction
        self._tally(layer, "u", pre @ self.weights[layer], shift)
        scale = statistics(cfg, int(a.sum()), int(a @ a), a.size)
        self._powers.append(scale.power)
        exact = (a - scale.mean) * scale.mantissa
        shift = MANTISSA_BITS + scale.exponent + cfg.u.fraction - cfg.z.fraction
        self._tally(layer, "z", exact, shift)

    def _see_z(self, layer, z):
        cfg = self.config
        self._inputs.append(z)
        if layer == len(cfg.hidden) - 1:
            shift = cfg.z.fraction + cfg.weight.fraction - cfg.u.fraction
            self._tally(layer + 1, "u", self.weights[-1] @ z, shift)

    def _see_errors(self, layer, values):
        cfg = self.config
        if layer < len(cfg.hidden):
            self._see_modulator(layer, values)
        self._tally(layer, "e", values)

    def _see_modulator(self, layer, error):
        cfg, z, memory = self.config, self._inputs[layer + 1], self.memories[layer]
        if self.kind.self_scaling:
            shift = self.gains[layer][:, None] - cfg.read.fraction
        else:
            shift = np.int64(self.kind.read_shift(cfg))
        offset = int(cfg.memory.kappa * cfg.read.one) * self.codes[layer].astype(np.int64)
        left, right = np.maximum(-shift, 0), np.maximum(shift, 0)
        rounded = shift_round(memory, shift) + offset
        self._tally(layer, "E", (memory << left) + (offset << right), right, rounded)
        read = self.now[layer, "E"]
        factor, shift = modulator.similarity_shift(cfg, z.size)
        self._tally(layer, "k", (read @ z) * factor, shift)
        _, jacobian = modulator.errors(cfg, self.now[layer, "k"], self._class)
        align = cfg.read.fraction - cfg.z.fraction
        exact = error @ read - ((jacobian * z) << align)
        shift = modulator.direction_shift(cfg, self._powers[layer])
        self._tally(layer, "xi", exact, shift)
        sloped = np.where(self.now[layer, "u"] > 0, exact, 0)
        self._tally(layer, "d", sloped, shift, stored=True)

    def _see_memory(self, layer, rows, memory, aged):
        cfg, old = self.config, self._old_memories[layer]
        oldest = self.past[0][0] if len(self.past) == cfg.memory.window else None
        writes = self.kind.writes(cfg, self._class, self.now[layer, "e"], oldest)
        z = self._inputs[layer + 1]
        for index, write in enumerate(w for w in writes if bool(w.age) is aged):
            source = self.past[-write.age][1][layer] if write.age else z
            change = -write.scalar * source
            if self.kind.leaks:
                change -= old[write.row] << (cfg.update_shift - cfg.memory.horizon)
            random = self._random[index] if self.kind.stochastic else 0
            rounded = (change + random) >> cfg.update_shift
            self._tally(layer, "dM", change, cfg.update_shift, rounded)
            total = old[write.row] + rounded
            self._tally(layer, "M", total, stored=True)
        old[rows] = memory

    def _see_weights(self, layer, rows, s):
        if layer < len(self.config.hidden):
            self._change(layer, rows, s.pre[layer], self.now[layer, "d"])
        else:
            self._change(layer, rows, self.now[layer, "e"], self._inputs[layer])

    def _change(self, layer, rows, pre, post):
        cfg = self.config
        shift = cfg.step_shifts[layer] + self.extra
        random = self._random if cfg.update.rounding is Rounding.STOCHASTIC else None
        wide = SimpleNamespace(rounding=cfg.rounding, update_shift=cfg.update_shift, weight=WIDE)
        zeros = np.zeros((len(rows), len(post)), np.int64)
        rounded = dense.updated(wide, zeros, pre, post, shift, random)
        self._tally(layer, "dW", np.multiply.outer(-pre, post), shift, rounded)
        self._tally(layer, "W", self._old_weights[layer][rows] + rounded, stored=True)
