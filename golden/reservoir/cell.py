"""The reservoir: R leaky units with fixed random connections that are made, not stored.

One step with the input ``in``, real values above, raw integers below (fractions F of the state, X
of the input; ``S`` is `ReservoirConfig.shift`)::

    r <- f( r + 2**-leak (rho J r - r) + 2**gain W_in in ),     f = clip to -1..1, or tanh

    T = coupling * sum_k sign_nk r[source_nk]                    rho J r with 8 more fraction bits
    D = sum_i sign_ni in_i
    r <- f((r * (2**S - 2**(S - leak)) + T * 2**(S - leak - 8) + D * 2**(F + S + gain - X) + random)
           >> S)

so there is one rounding in a step. ``random`` is 0 (floor), 2**(S - 1) (nearest) or S random bits.

**Connections.** Units come in *granules* of 16. A 32-bit xorshift starts at each step from the same
state and walks over the granules. It draws for each granule g one word ``G_g`` and, for the sparse
topology, one word for each of 8 taps.

- sparse: bit j of tap word k is the sign (1: minus) of tap k of unit ``16 g + j``; from bit 16 on
  stand ``log2 R`` bits whose lower four, y, and others, h, say where from: unit ``16 h + (j ^ y)``.
  Taps may fall on the same unit, or on the unit itself. ``J = sign / sqrt(8)``.
- cycle: unit n listens to ``n - 16``; in granule 0, to ``R - 16 + rev(rev(n) - 1)`` with rev the
  reversal of four bits: one cycle through all units, ``J = 1``.
- input: unit ``16 g + j`` sees input i with the sign ``parity(rotl(G_g, j) & key_i)`` (1: minus);
  ``key_i = x ^ rotl(x, 1) & rotl(x, 8)``, x the exclusive or of fixed words, one for each bit of
  ``i`` that is set, and one more. Without the product, units would share their signs.

All taps of a granule read one other granule in an order permuted by exclusive or (or by the
reversed decrement), and both kinds of permutation map aligned blocks of 1, 2, 4, 8 units to such
blocks. That is why 1 to 16 lanes can read one word per tap, and why nothing depends on how many
lanes there are: the rounding, too, draws one word for each granule, and unit j of it sees the word
rotated left by j.

Sources: H. Jaeger, "The echo state approach", 2001 (leaky units); A. Rodan and P. Tino, "Minimum
complexity echo state network", 2011 (the cycle).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from ..arithmetic.fixed import Format, Rounding, bits_signed, saturate
from ..arithmetic.random import WORD, rotate_lanes, seed_state, xorshift_block
from ..arithmetic.tables import TANH_RANGE, TANH_STEP, tanh_table
from ..data import samples
from ..errors import InputError, one_of
from ..settings.files import Settings, names
from ..settings.files import load as load_settings
from .connections import FAN_IN, GRANULE, INPUT_KEY_BITS, connections, fixed_words

COUPLING_FRACTION = 8  # fraction bits of the factor of a tap

PRESETS = Path(__file__).parents[1] / "presets" / "reservoir"
TOPOLOGIES = ("sparse", "cycle")
ACTIVATIONS = ("hard-tanh", "tanh")
OUTPUTS = ("state", "readout")


@dataclass(frozen=True, kw_only=True)
class ReservoirConfig(Settings):
    """All that defines a reservoir, apart from its clock and its decoder weights.

    Parameters
    ----------
    units : int
        R, a power of two, 16..512.
    lanes : int
        Units worked on per clock: 1, 2, 4, 8 or 16. Results do not depend on it.
    inputs : int
        Words of input per step, 1..1024.
    topology : str
        ``sparse`` (8 signed taps) or ``cycle``.
    activation : str
        ``hard-tanh`` or ``tanh``. The leak is inside of it: with tanh, use leak 0.
    state_bits : int
        4..16; the state spans -1..1.
    rounding : Rounding
        Of the state, and of the decoder weights in training.
    leak : int
        ``-log2 lambda``, 0..20.
    rho : float
        Spectral radius of the connections (expected value for ``sparse``), 0..1.
    gain : int
        ``log2 g``, the factor of the input, -16..16.
    input_bits, input_fraction : int
        Format of an input word, signed.
    output : str
        What comes out after each step: ``state`` (R words) or ``readout``.
    outputs : int
        Outputs of the decoder, 1..1024.
    weight_bits, weight_fraction : int
        Format of a decoder weight.
    output_bits, output_fraction : int
        Format of an output, of its target and of their difference.
    step : int
        ``-log2`` of the step size of the delta rule.
    seed : int
        Start of the generators.

    Raises
    ------
    InputError
    """

    units: int = 128
    lanes: int = 16
    inputs: int = 1
    topology: str = "sparse"
    activation: str = "hard-tanh"
    state_bits: int = 12
    rounding: Rounding = Rounding.NEAREST
    leak: int = 0
    rho: float = 0.5
    gain: int = -2
    input_bits: int = 12
    input_fraction: int = 11
    output: str = "readout"
    outputs: int = 1
    weight_bits: int = 12
    weight_fraction: int = 8
    output_bits: int = 16
    output_fraction: int = 12
    step: int = 4
    seed: int = 0

    def __post_init__(self):
        self._coerce()
        self._check()

    def _coerce(self):
        choices = {
            "topology": TOPOLOGIES,
            "activation": ACTIVATIONS,
            "output": OUTPUTS,
            "rounding": tuple(Rounding),
        }
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name in choices:
                if value not in choices[name]:
                    raise one_of(name, value, choices[name])
                value = Rounding(value) if name == "rounding" else value
            elif name == "rho":
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise InputError(f"rho must be a number, not {value!r}")
                value = float(value)
            elif isinstance(value, bool) or not isinstance(value, int):
                raise InputError(f"{name} must be a whole number, not {value!r}")
            object.__setattr__(self, name, value)

    def _check(self):
        for name, low, high in (
            ("units", GRANULE, 512),
            ("lanes", 1, GRANULE),
            ("inputs", 1, 1 << INPUT_KEY_BITS),
            ("state_bits", 4, 16),
            ("leak", 0, 20),
            ("rho", 0, 1),
            ("gain", -16, 16),
            ("input_bits", 2, 24),
            ("input_fraction", 0, 23),
            ("outputs", 1, 1024),
            ("weight_bits", 4, 16),
            ("weight_fraction", 0, 15),
            ("output_bits", 4, 18),
            ("output_fraction", 0, 17),
            ("step", 0, 20),
            ("seed", 0, WORD),
        ):
            self._within(name, low, high)
        for name in ("units", "lanes"):
            value = getattr(self, name)
            if value & (value - 1):
                raise InputError(
                    f"{name} must be a power of two, so that every connection reaches whole "
                    f"words of the lanes, not {value}"
                )
        for name in ("input", "weight", "output"):
            bits, fraction = getattr(self, f"{name}_bits"), getattr(self, f"{name}_fraction")
            if fraction > bits - 1:
                raise InputError(
                    f"{name}_fraction must leave the sign outside: at most {name}_bits - 1 = "
                    f"{bits - 1}, not {fraction}"
                )
        if self.shift > 32:
            raise InputError(
                "leak, gain and input_fraction must keep the shift of a step within 32 random "
                f"bits, not {self.shift}"
            )
        if self.sum_bits > 62:
            raise InputError(
                f"gain, input_bits and inputs must keep the sum of a step within 62 bits, "
                f"not {self.sum_bits}"
            )
        if not 1 <= self.update_shift <= 32:
            raise InputError(
                "step must keep the shift of an update within 1..32 random bits, "
                f"not {self.update_shift}"
            )

    # -- derived facts ----------------------------------------------------------------------------

    @cached_property
    def state(self) -> Format:
        """A unit's state: -1 .. 1 - lsb."""
        return Format(self.state_bits, self.state_bits - 1)

    @cached_property
    def input(self) -> Format:
        """An input word."""
        return Format(self.input_bits, self.input_fraction)

    @cached_property
    def weight(self) -> Format:
        """A decoder weight."""
        return Format(self.weight_bits, self.weight_fraction)

    @cached_property
    def u(self) -> Format:
        """An output of the decoder, its target and their difference."""
        return Format(self.output_bits, self.output_fraction)

    @property
    def u_fraction(self) -> int:
        """Fraction bits of an output."""
        return self.output_fraction

    @cached_property
    def taps(self) -> int:
        """Units that each unit listens to."""
        return FAN_IN if self.topology == "sparse" else 1

    @cached_property
    def coupling(self) -> int:
        """Factor of each tap, 8 fraction bits."""
        return round(self.rho / sqrt(self.taps) * (1 << COUPLING_FRACTION))

    @cached_property
    def shift(self) -> int:
        """S: fraction bits that a step drops at its end."""
        needed = self.input_fraction - self.gain - self.state.fraction
        return max(self.leak + COUPLING_FRACTION, needed)

    @cached_property
    def tap_shift(self) -> int:
        """Left shift of a tap's product into the sum of a step."""
        return self.shift - self.leak - COUPLING_FRACTION

    @cached_property
    def input_shift(self) -> int:
        """Left shift of an input into the sum of a step."""
        return self.state.fraction + self.shift + self.gain - self.input_fraction

    @property
    def sum_bits(self) -> int:
        """Bits that hold every partial sum of a step: state, taps, inputs and the random bits."""
        state = -self.state.min
        bound = state << self.shift
        bound += (self.taps * self.coupling * state) << self.tap_shift
        bound += (self.inputs * -self.input.min) << self.input_shift
        return bits_signed(-bound, bound + (1 << self.shift))

    @property
    def total_bits(self) -> int:
        """Bits that hold every sum of state x decoder weight."""
        bound = self.units * self.state.min * self.weight.min
        return bits_signed(-bound, bound)

    @cached_property
    def update_shift(self) -> int:
        """Shift that brings error x state to weight units in the delta rule."""
        return self.state.fraction + self.output_fraction + self.step - self.weight_fraction

    @cached_property
    def granules(self) -> int:
        """Granules of 16 units."""
        return self.units // GRANULE

    @cached_property
    def blocks(self) -> int:
        """Words of the lanes that hold all units."""
        return self.units // self.lanes

    @cached_property
    def walk_state(self) -> int:
        """State of the generator of connections before the walk over the granules."""
        return int(fixed_words(self.seed)[-1])

    @cached_property
    def random_state(self) -> int:
        """State of the generator of the rounding after reset."""
        return seed_state(self.seed)


def presets() -> list[str]:
    """Names of the shipped reservoirs."""
    return names(PRESETS)


def load(name: str | Path, changes: Mapping[str, Any] | None = None) -> ReservoirConfig:
    """The preset of that name, or the TOML file at that path, with other values for some fields."""
    return load_settings(ReservoirConfig, name, PRESETS, changes)


def rounding_words(state: int, config: ReservoirConfig) -> tuple[np.ndarray, int]:
    """What each unit adds before the floor of a step with stochastic rounding; and the new state.

    Shape (R,), ``shift`` bits each.
    """
    words = xorshift_block(state, config.granules)
    return rotate_lanes(words, GRANULE, config.shift).ravel(), int(words[-1])


def activate(config: ReservoirConfig, raw: np.ndarray) -> np.ndarray:
    """F of raw values with the fraction of the state: clipped, or tanh by table and interpolation.

    ``tanh(|a|) = t_i + (t_{i+1} - t_i) * rest``, 64 steps of i to 1.0; beyond 8 as just below it.
    """
    if config.activation == "hard-tanh":
        return saturate(raw, config.state)
    fraction = config.state.fraction
    values, slopes = tanh_table(fraction)
    rest_bits = max(fraction - TANH_STEP, 0)
    size = np.minimum(np.abs(raw), (TANH_RANGE << fraction) - 1)
    index = size >> rest_bits << max(TANH_STEP - fraction, 0)
    rest = size & ((1 << rest_bits) - 1)
    found = values[index] + ((slopes[index] * rest + (1 << rest_bits >> 1)) >> rest_bits)
    return np.where(raw < 0, -found, found)


def step(
    config: ReservoirConfig, r: np.ndarray, inputs: np.ndarray, random: np.ndarray | None = None
) -> np.ndarray:
    """The state after one step.

    Parameters
    ----------
    r : int array (R,)
        Raw state.
    inputs : int array (inputs,)
        Raw input; zeros cost nothing.
    random : int array (R,), optional
        For stochastic rounding, see `rounding_words`.
    """
    made = connections(config)
    used = np.flatnonzero(inputs)
    drive = np.einsum("i,in->n", np.asarray(inputs, np.int64)[used], made.inputs[used])
    taps = np.einsum("nk,nk->n", made.signs, r[made.sources]) * config.coupling
    total = r * ((1 << config.shift) - (1 << (config.shift - config.leak)))
    total += (taps << config.tap_shift) + (drive << config.input_shift)
    if config.rounding is Rounding.STOCHASTIC:
        total += random
    elif config.rounding is Rounding.NEAREST:
        total += 1 << config.shift >> 1
    return activate(config, total >> config.shift)


class Reservoir:
    """A reservoir with its state; starts at zero.

    Members
    -------
    r : int array (R,)
    random_state : int
    """

    def __init__(self, config: ReservoirConfig):
        self.config = config
        self.r = np.zeros(config.units, np.int64)
        self.random_state = config.random_state

    def step(self, inputs: np.ndarray) -> np.ndarray:
        """Take one input (inputs,), raw; return the new state.

        Raises
        ------
        InputError
            It is no such array of integers of the input's format.
        """
        fmt = self.config.input
        inputs = samples.raw("inputs", inputs, (self.config.inputs,), fmt.min, fmt.max)
        random = None
        if self.config.rounding is Rounding.STOCHASTIC:
            random, self.random_state = rounding_words(self.random_state, self.config)
        self.r = step(self.config, self.r, inputs, random)
        return self.r
