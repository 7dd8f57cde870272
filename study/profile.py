"""The range of every signal of a network while it learns, against the format that has to hold it.

Two questions, answered for one configuration on real samples:

* **Which format is too small, or too wide?** `Recorder` is a bit-exact core that tallies each
  signal as it is before it is rounded and saturated: a histogram in powers of two, and the shares
  that the format then clips or rounds to zero.
* **Which signal parts from real arithmetic first?** The same samples go through a network in
  double precision (`hebbware.study.float_twin`), and every signal is compared after every sample.

==========  ======================================================  ==========  ====================
signal      what                                                    format      fields
==========  ======================================================  ==========  ====================
``u``       sums of a layer; the readout's are the scores           ``u``       u_bits, u_fraction
``z``       normalised activations                                  ``z``       z_bits, z_fraction
``E``       class memories as read, at unit scale                   ``read``    read_bits, ...
``k``       similarities to the class memories                      ``k``       error_fraction
``e``       softmax errors                                          ``e``       error_fraction
``xi``      modulator, before slope and clipping                    ``d``       d_bits, d_fraction
``d``       directions: slope times modulator, clipped              ``d``       d_bits, d_fraction
``dM``      changes of the stored class memories                    integers    memory_bits
``M``       stored class memories, as written                       integers    memory_bits
``dW``      changes of the weights                                  ``weight``  weight_bits
``W``       weights, as written                                     ``weight``  weight_bits
==========  ======================================================  ==========  ====================

Histograms of ``d``, ``M``, ``W`` show what is stored, all others the exact value before rounding.
The core has no value of ``e`` before its rounding, so nothing is counted as lost there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from hebbware.golden import dense, modulator
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data import Dataset
from hebbware.golden.errors import InputError
from hebbware.golden.fixed import Format, Rounding, saturate, shift_round
from hebbware.golden.memory import KINDS
from hebbware.golden.normalise import MANTISSA_BITS, statistics
from hebbware.golden.reference.class_memory import CLIP
from hebbware.golden.train import EPOCHS, check_fit, inputs, order, spread_halvings
from hebbware.study.float_twin import FloatTwin, Signals

SIGNALS = ("u", "z", "E", "k", "e", "xi", "d", "dM", "M", "dW", "W")
PASSING = ("u", "z", "E", "k", "e", "d")  # compared with the float twin, besides M and W
FIELDS = {
    "u": ("u_bits", "u_fraction"),
    "z": ("z_bits", "z_fraction"),
    "E": ("read_bits", "read_fraction"),
    "k": ("error_fraction",),
    "e": ("error_fraction",),
    "xi": ("d_bits", "d_fraction"),
    "d": ("d_bits", "d_fraction"),
    "dM": ("memory_bits",),
    "M": ("memory_bits",),
    "dW": ("weight_bits",),
    "W": ("weight_bits",),
}
"""The fields of the configuration that change the format of a signal."""

LOWEST, HIGHEST = -64, 63  # powers of two of a histogram
SATURATES = 0.1  # share clipped above which a signal is flagged
COARSE = 0.5  # share of what is not zero that is rounded to zero, above which it is flagged
BIASED = 0.1  # bias of rounding, beyond which it is flagged
IDLE = 2  # leading bits never used, from which on it is flagged
TOLERANCE = 16.0  # last bits
WIDE = Format(62, 0)  # saturates nothing


def formats(config: CoreConfig) -> dict[str, Format]:
    """Return the format of each signal; class memories count in their own integers."""
    memory = Format(config.memory_bits, 0)
    return {
        "u": config.u,
        "z": config.z,
        "E": config.read,
        "k": config.k,
        "e": config.e,
        "xi": config.d,
        "d": config.d,
        "dM": memory,
        "M": memory,
        "dW": config.weight,
        "W": config.weight,
    }


@dataclass
class Tally:
    """What was seen of one signal of one layer.

    Members
    -------
    layer : int
        From 0; the readout is the last.
    signal : str
    format : Format
    values, zero, saturated, lost : int
        Counts: of all; exactly zero; clipped by the format; not zero, but rounded to it.
    largest : float
        Largest magnitude, real units.
    drift, size : float
        Sums of what rounding added, sign included, and of all magnitudes, in last bits.
    counts : array
        Values with ``2**p <= |v| < 2**(p + 1)`` for each p from `LOWEST` on.
    """

    layer: int
    signal: str
    format: Format
    values: int = 0
    zero: int = 0
    saturated: int = 0
    lost: int = 0
    largest: float = 0.0
    drift: float = 0.0
    size: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(HIGHEST - LOWEST + 1, np.int64))

    def add(self, raw, shift=0, rounded=None, stored=False):
        """Take in exact values ``raw * 2**-shift`` in units of the format's last bit.

        Parameters
        ----------
        raw, shift : integer arrays
            They broadcast; shifts may be negative.
        rounded : integer array, optional
            What rounding made of them; by default the nearest integer.
        stored : bool
            Show what is stored in the histogram, and not the exact values.
        """
        rounded = shift_round(raw, shift) if rounded is None else rounded
        kept = saturate(rounded, self.format)
        self.saturated += int(np.count_nonzero(rounded != kept))
        self.lost += int(np.count_nonzero((rounded == 0) & (raw != 0)))
        exact = np.ldexp(np.asarray(raw, float), -np.asarray(shift))
        self.drift += float((rounded - exact).sum())
        self.size += float(np.abs(exact).sum())
        raw, shift = np.broadcast_arrays(*((kept, 0) if stored else (raw, shift)))
        nonzero = raw != 0
        # |v| = mantissa * 2**exponent with a mantissa in [1/2, 1)
        mantissa, exponent = np.frexp(np.abs(raw[nonzero]).astype(float))
        exponent = exponent - shift[nonzero] - self.format.fraction
        self.values += raw.size
        self.zero += raw.size - exponent.size
        if exponent.size:
            self.largest = max(self.largest, float(np.ldexp(mantissa, exponent).max()))
            bins = np.clip(exponent - 1, LOWEST, HIGHEST) - LOWEST
            self.counts += np.bincount(bins, minlength=self.counts.size)

    @property
    def histogram(self) -> dict[int, int]:
        """Counts that are not zero, by power of two."""
        return {LOWEST + int(i): int(self.counts[i]) for i in np.flatnonzero(self.counts)}

    @property
    def saturated_share(self) -> float:
        """Of all values."""
        return self.saturated / self.values if self.values else 0.0

    @property
    def lost_share(self) -> float:
        """Of the values that were not zero."""
        nonzero = self.values - self.zero + (self.lost if self.signal in ("d", "M", "W") else 0)
        return self.lost / nonzero if nonzero else 0.0

    @property
    def bias(self) -> float:
        """What rounding adds on average, as a share of the mean magnitude."""
        return self.drift / self.size if self.size else 0.0

    @property
    def idle_bits(self) -> int:
        """Leading bits, sign left out, that no value used."""
        top = self.format.width - self.format.signed
        used = int(np.frexp(self.largest)[1]) + self.format.fraction if self.largest else 0
        return min(max(top - used, 0), top)

    def verdict(self, rounding: Rounding) -> str:
        """``saturates``, ``coarse``, ``biased``, ``n idle bits``, several joined, or nothing.

        Changes are small beside what they change: idle bits are none there, and what stochastic
        rounding loses comes back on average. The rule itself clips directions at +-2, and
        reads memories so: no format that reaches that far is too small for them.
        """
        found = []
        by_rule = self.signal in ("E", "xi", "d") and self.format.max + 1 >= CLIP * self.format.one
        if abs(self.bias) > BIASED:
            found.append("biased")
        if self.saturated_share > SATURATES and not by_rule:
            found.append("saturates")
        change = self.signal in ("dM", "dW")
        averaged = self.signal == "dM" or (self.signal == "dW" and rounding is Rounding.STOCHASTIC)
        if self.lost_share > COARSE and not averaged:
            found.append("coarse")
        if self.idle_bits >= IDLE and not change and self.values > self.zero:
            found.append(f"{self.idle_bits} idle bits")
        return ", ".join(found)


class Recorder(Core):
    """A core that tallies all signals of what it learns.

    Attributes
    ----------
    tallies : dict of (layer, signal) to Tally
    now : dict of (layer, signal) to array
        Integers of the last sample: those `PASSING`, and ``M`` and ``W`` after it.
    """

    def __init__(self, config: CoreConfig):
        if config.modulator != "class-memory":
            raise InputError(f"a profile cannot be made of the {config.modulator} modulator")
        if config.leaky or config.slope_shift or config.centred:
            raise InputError(
                "a profile can be made of static neurons without a slope below 0 and of inputs "
                "that are not centred only"
            )
        if KINDS[config.memory].projected:
            raise InputError(f"a profile cannot be made of the {config.memory} memory")
        super().__init__(config)
        self.observer = self._see
        self._format = formats(config)
        self.tallies: dict[tuple[int, str], Tally] = {}
        self.now: Signals = {}

    def _learn(self, x, label):
        self.now, self._label, self._powers = {}, label, []
        self._inputs = [np.asarray(x, np.int64)]
        self._old_weights = [w.copy() for w in self.weights]
        self._old_memories = [m.copy() for m in self.memories]
        result = super()._learn(x, label)
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

    # -- what the core tells ----------------------------------------------------------------------

    def _random_of_units(self, words, units):
        self._random = super()._random_of_units(words, units)
        return self._random

    def _see(self, name, layer, **arrays):
        getattr(self, f"_see_{name}")(layer, **arrays)

    def _see_forward(self, layer, a, **_):
        cfg, values = self.config, self._inputs[layer]
        source = cfg.source(layer)
        pre = np.append(values, source.one)
        shift = source.fraction + cfg.weight.fraction - cfg.u_fraction
        self._tally(layer, "u", pre @ self.weights[layer], shift)
        scale = statistics(cfg, int(a.sum()), int(a @ a), a.size)
        self._powers.append(scale.power)
        exact = (a - scale.mean) * scale.mantissa
        shift = MANTISSA_BITS + scale.exponent + cfg.u_fraction - cfg.z_fraction
        self._tally(layer, "z", exact, shift)

    def _see_normalise(self, layer, z):
        cfg = self.config
        self._inputs.append(z)
        if layer == len(cfg.hidden) - 1:
            shift = cfg.z_fraction + cfg.weight.fraction - cfg.u_fraction
            self._tally(layer + 1, "u", self.weights[-1] @ z, shift)

    def _see_error(self, layer, values):
        cfg = self.config
        if layer < len(cfg.hidden):
            self._see_modulator(layer, values)
        self._tally(layer, "e", values)

    def _see_modulator(self, layer, error):
        cfg, z, memory = self.config, self._inputs[layer + 1], self.memories[layer]
        if self.kind.self_scaling:
            shift = self.gains[layer][:, None] - cfg.read_fraction
        else:
            shift = np.int64(self.kind.read_shift(cfg))
        offset = int(cfg.kappa * cfg.read.one) * self.codes[layer].astype(np.int64)
        left, right = np.maximum(-shift, 0), np.maximum(shift, 0)
        rounded = shift_round(memory, shift) + offset
        self._tally(layer, "E", (memory << left) + (offset << right), right, rounded)
        read = self.now[layer, "E"]
        factor, shift = modulator.similarity_shift(cfg, z.size)
        self._tally(layer, "k", (read @ z) * factor, shift)
        _, jacobian = modulator.errors(cfg, self.now[layer, "k"], self._label)
        align = cfg.read_fraction - cfg.z_fraction
        exact = error @ read - ((jacobian * z) << align)
        shift = modulator.direction_shift(cfg, self._powers[layer])
        self._tally(layer, "xi", exact, shift)
        sloped = np.where(self.now[layer, "u"] > 0, exact, 0)
        self._tally(layer, "d", sloped, shift, stored=True)

    def _see_direction(self, layer, d):
        """Known from the error already."""

    def _see_memory(self, layer, rows, memory, aged=False):
        cfg, old = self.config, self._old_memories[layer]
        oldest = self.past[0][0] if len(self.past) == cfg.window else None
        writes = self.kind.writes(cfg, self._label, self.now[layer, "e"], oldest)
        z = self._inputs[layer + 1]
        for index, write in enumerate(w for w in writes if bool(w.age) is aged):
            source = self.past[-write.age][1][layer] if write.age else z
            change = -write.scalar * source
            if self.kind.leaks:
                change -= old[write.row] << (cfg.update_shift - cfg.horizon)
            random = self._random[index] if self.kind.stochastic else 0
            rounded = (change + random) >> cfg.update_shift
            self._tally(layer, "dM", change, cfg.update_shift, rounded)
            total = old[write.row] + rounded
            self._tally(layer, "M", total, stored=True)
        old[rows] = memory[rows]

    def _see_forget(self, layer, rows, memory):
        self._see_memory(layer, rows, memory, aged=True)

    def _see_update(self, layer, rows, weights):
        pre = np.append(self._inputs[layer], self.config.source(layer).one)[rows]
        self._change(layer, rows, pre, self.now[layer, "d"], weights)

    def _see_readout(self, layer, weights):
        rows = np.arange(len(weights))
        self._change(layer, rows, self.now[layer, "e"], self._inputs[layer], weights)

    def _change(self, layer, rows, pre, post, weights):
        cfg = self.config
        shift = cfg.step_shifts[layer] + self.extra
        random = self._random if cfg.rounding is Rounding.STOCHASTIC else None
        wide = SimpleNamespace(rounding=cfg.rounding, update_shift=cfg.update_shift, weight=WIDE)
        zeros = np.zeros((len(rows), len(post)), np.int64)
        rounded = dense.update(wide, zeros, pre, post, shift, random)
        self._tally(layer, "dW", np.multiply.outer(-pre, post), shift, rounded)
        self._tally(layer, "W", self._old_weights[layer][rows] + rounded, stored=True)


@dataclass
class Deviation:
    """How far a signal of a layer is from the float twin's, in last bits of its format.

    Members
    -------
    layer : int
    signal : str
    first : int or None
        First sample (from 0) at which it was beyond the tolerance.
    deviation : float
        There; 0 where it never was.
    worst : float
        Largest over all samples.
    """

    layer: int
    signal: str
    first: int | None = None
    deviation: float = 0.0
    worst: float = 0.0

    def add(self, sample: int, distance: float, tolerance: float) -> bool:
        """Take in a sample; return whether it is the first beyond the tolerance."""
        self.worst = max(self.worst, distance)
        if self.first is not None or distance <= tolerance:
            return False
        self.first, self.deviation = sample, distance
        return True


@dataclass(frozen=True)
class Profile:
    """What `profile` found.

    Members
    -------
    config : CoreConfig
        With the schedule that was used.
    samples : int
    tolerance : float
    tallies : list of Tally
    deviations : list of Deviation
        In the order in which a sample makes the signals.
    first : Deviation or None
        The signal that left the tolerance before all others.
    accuracy, accuracy_float : float
        While learning: each sample before it was learned; of the core, of the float twin.
    """

    config: CoreConfig
    samples: int
    tolerance: float
    tallies: list[Tally]
    deviations: list[Deviation]
    first: Deviation | None
    accuracy: float
    accuracy_float: float

    def layer_name(self, layer: int) -> str:
        """Return what people call a layer."""
        return "readout" if layer == len(self.config.hidden) else f"layer {layer + 1}"

    def flagged(self) -> list[tuple[Tally, str]]:
        """Return the tallies with a verdict."""
        found = [(tally, tally.verdict(self.config.rounding)) for tally in self.tallies]
        return [(tally, verdict) for tally, verdict in found if verdict]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        first = self.first
        return {
            "config": self.config.to_dict(),
            "samples": self.samples,
            "accuracy_while_learning": {"core": self.accuracy, "float": self.accuracy_float},
            "signals": [
                {
                    "layer": self.layer_name(tally.layer),
                    "signal": tally.signal,
                    "format": str(tally.format),
                    "fields": FIELDS[tally.signal],
                    "values": tally.values,
                    "zero": tally.zero,
                    "saturated": tally.saturated,
                    "saturated_share": tally.saturated_share,
                    "rounded_to_zero": tally.lost,
                    "rounded_to_zero_share": tally.lost_share,
                    "bias": tally.bias,
                    "largest": tally.largest,
                    "idle_bits": tally.idle_bits,
                    "histogram": tally.histogram,
                    "verdict": tally.verdict(self.config.rounding),
                }
                for tally in self.tallies
            ],
            "comparison": {
                "tolerance": self.tolerance,
                "first": None if first is None else self._plain(first),
                "signals": [self._plain(deviation) for deviation in self.deviations],
            },
        }

    def _plain(self, deviation: Deviation) -> dict[str, Any]:
        return {
            "layer": self.layer_name(deviation.layer),
            "signal": deviation.signal,
            "sample": deviation.first,
            "deviation": deviation.deviation,
            "worst": deviation.worst,
        }


def profile(
    config: CoreConfig,
    dataset: Dataset,
    samples: int,
    *,
    tolerance: float = TOLERANCE,
    progress: Callable[[int], None] | None = None,
) -> Profile:
    """Learn training samples, tally all signals, and compare them with real arithmetic.

    The samples come in the order of `hebbware.golden.train`, all of the training set and none held
    back; more samples than it has are further epochs.

    Parameters
    ----------
    config : CoreConfig
    dataset : Dataset
    samples : int
        At least 1, at most 1000 epochs.
    tolerance : float
        Distance from the float twin, in last bits of a signal's format, that is still accepted.
    progress : callable, optional
        Called with 1 for each sample learned.

    Raises
    ------
    InputError
        Values out of range, or a data set that does not fit the network.
    """
    check_fit(config, dataset)
    each = len(dataset.y_train)
    if not 1 <= samples <= EPOCHS * each:
        raise InputError(
            f"samples must lie in 1..{EPOCHS * each}, at most {EPOCHS} epochs of {dataset.name}, "
            f"not {samples}"
        )
    if not 0 < tolerance < np.inf:
        raise InputError(f"tolerance must be a positive number of last bits, not {tolerance}")
    config = spread_halvings(config, -(-samples // each))
    core, twin = Recorder(config), FloatTwin(config)
    x, y = inputs(config, dataset.x_train), dataset.y_train
    deviations: dict[tuple[int, str], Deviation] = {}
    units = {signal: 2.0**fmt.fraction for signal, fmt in formats(config).items()}
    first, right, right_float = None, 0, 0
    for sample in range(samples):
        epoch, place = divmod(sample, each)
        if place == 0:
            rows = order(config.seed, epoch, each)
            core.extra = twin.extra = config.extra(epoch)
        label = int(y[rows[place]])
        found, _ = core.learn(x[rows[place]], label)
        real = twin.learn(x[rows[place]], label)
        for key, values in real.items():
            distance = float(np.abs(core.now[key] - values * units[key[1]]).max())
            deviation = deviations.setdefault(key, Deviation(*key))
            if deviation.add(sample, distance, tolerance) and first is None:
                first = deviation
        right += found == label
        right_float += int(real[len(config.hidden), "u"].argmax()) == label
        if progress:
            progress(1)
    return Profile(
        config,
        samples,
        tolerance,
        core.shares(),
        list(deviations.values()),
        first,
        right / samples,
        right_float / samples,
    )
