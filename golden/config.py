"""The configuration: the one object that golden, RTL, boards and studies are built from.

A configuration is a frozen dataclass, on disk a flat TOML table with the same keys. Named presets
are the TOML files in ``presets/``. Impossible values fail at construction with a message that
names the field, the rule and the value; so does a field that nothing reads (which ones:
`hebbware.golden.fields`) and that is not at its default. Derived facts (formats, shifts) are
properties.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from . import hsic, settings
from .commands import ADDRESS_BITS
from .decoder import decoder_hash
from .dynamics import DYNAMICS, check_dynamics
from .errors import InputError, one_of
from .fields import default_memory, derived, unread
from .fixed import Format, Rounding
from .layout import Layout
from .memory import KINDS
from .ranges import ENTRIES, POWERS, REAL, WHOLE, is_power
from .reservoir import TOPOLOGIES
from .reservoir_memory import DECODERS, GATINGS

PRESETS = Path(__file__).parent / "presets"
MODULATORS = ("class-memory", "hsic")
ENUMERATIONS = {
    "dynamics": DYNAMICS,
    "modulator": MODULATORS,
    "gating": GATINGS,
    "reservoir_topology": TOPOLOGIES,
}
NO_LABEL = 255  # this word, or any other that is no class, in the label's place: infer only


@dataclass(frozen=True, kw_only=True)
class CoreConfig(settings.Settings):
    """All that defines a learning core, apart from its clock.

    Parameters
    ----------
    layers : tuple of int
        Inputs, hidden units of each hidden layer, classes. Requires two or more hidden-to-class
        steps, i.e. at least 3 entries; each 1..4096, classes 2..64.
    lanes : int
        Synapses worked on per clock, 1..128. Need not divide the layer sizes.
    weight_bits : int
        Width of a weight, 4..16; weights span -2..2.
    dynamics : str
        ``static``: sums are what they are; ``leaky``: they are potentials that follow their input,
        see `hebbware.golden.dynamics`.
    time_steps : int
        ``leaky``: steps for which a sample stays at the input, 1..255. What is learned is the last
        step.
    leak_shifts : tuple of int
        ``leaky``: one or two shifts a < b, ``dt / tau = 2**-a + 2**-b``.
    slope_shift : int
        The non-linearity's slope below 0 is ``2**-slope_shift``; 0: none (ReLU), 1..7.
    centred : bool
        Inputs are read as ``2 x - 1`` (-1..1) in the place of x (0..1).
    weight_ports : int
        Ports of the weight memory: 2, or 1 for single-port RAM, where each step of a pass that
        writes weights takes two clocks.
    rounding : Rounding
        Of the weight update.
    x_bits, u_bits, u_fraction, z_bits, z_fraction, d_bits, d_fraction : int
        Formats of inputs (unsigned, 0..1), sums, normalised activations, update directions.
    modulator : str
        What the hidden layers learn by: ``class-memory | hsic``.
    memory : str, optional
        Working memory: ``gated | window | trace | codes | reservoir | none``, by default ``gated``;
        ``none`` freezes hidden layers. The ``hsic`` modulator has ``samples``, its own one.
    memory_bits : int
        Width of a stored class-memory entry.
    horizon : int, optional
        log2 of the samples after which ``gated``, ``trace`` and ``reservoir`` memories forget; by
        default 12, of a reservoir 6, and of a trace no more than its bits have room for.
    window : int
        Samples held by the ``window`` memory, or N of the ``hsic`` modulator, the newest sample
        included. Requires a power of two, 2..256; ``hsic`` 2..32.
    gamma : float
        ``hsic``: weight of the dependence on the labels against that on the inputs.
    sigmas : three floats
        ``hsic``: kernel widths of inputs (0..1; centred -1..1), labels (one-hot) and
        normalised activations.
    kappa : float
        Offset of random +-1 codes added to the class memory as read, of ``window`` and ``trace``;
        for ``codes``, where they are all that is read, 1 unless given.
    projection : int
        d, the numbers that a reservoir memory holds of each class; a power of two, 2..64.
    gating : str
        What a reservoir takes in: ``class`` (the projected activations, at the place of the
        sample's class) or ``error`` (at every class, times its error).
    reservoir_units, reservoir_bits : int
        Units of each hidden layer's reservoir, a power of two in 16..512; bits of their states.
    reservoir_topology : str
        ``sparse | cycle``.
    reservoir_gain : int
        log2 of the factor of its input, -16..16.
    reservoir_lanes : int
        Units of a reservoir that are worked on per clock: 1, 2, 4, 8 or 16.
    reservoir_seed : int
        Start of its generators.
    readout : str
        Of the reservoirs: ``ridge`` (trained at the first use, on random signals), a file of such
        a decoder, or a control: ``shuffled``, ``zero``, ``exact`` (no reservoir, golden only).
    read_bits, read_fraction : int
        Format of the class memory as read in products. The ``samples`` memory has the format of
        z, stored and read, whatever is given here and in `memory_bits`.
    error_fraction : int
        Fraction bits of similarities, probabilities and errors.
    beta_log2 : int
        log2 of the softmax gain on similarities.
    steps : tuple of int
        Step shift ``h`` of each weight layer (the readout last): a step is ``2**-h``.
    step_epochs : int
        Epochs after which every step is halved again; 0 keeps the steps.
    step_extra : int
        Largest number of extra halvings (the schedule stops there), 0..8.
    init_std : tuple of float
        Standard deviation of the uniform start weights of each weight layer.
    exp_bits, reciprocal_bits, rsqrt_bits : int
        log2 of the number of entries of each table.
    seed : int
        Start of the random number generator; also the order of samples in training.

    Raises
    ------
    InputError
    """

    layers: tuple[int, ...]
    lanes: int = 16
    weight_bits: int = 12
    dynamics: str = "static"
    time_steps: int = 1
    leak_shifts: tuple[int, ...] = (3, 4)
    slope_shift: int = 0
    centred: bool = False
    weight_ports: int = 2
    rounding: Rounding = Rounding.STOCHASTIC
    x_bits: int = 8
    u_bits: int = 16
    u_fraction: int = 8
    z_bits: int = 8
    z_fraction: int = 4
    d_bits: int = 8
    d_fraction: int = 6
    modulator: str = "class-memory"
    memory: str | None = None
    memory_bits: int = 16
    horizon: int | None = None
    window: int = 32
    gamma: float = 2.0
    sigmas: tuple[float, ...] = (0.25, 0.1, 1.0)
    kappa: float = 0.0
    projection: int = 16
    gating: str = "class"
    reservoir_units: int = 256
    reservoir_bits: int = 8
    reservoir_topology: str = "sparse"
    reservoir_gain: int = -8
    reservoir_lanes: int = 16
    reservoir_seed: int = 0
    readout: str = "ridge"
    read_bits: int = 8
    read_fraction: int = 6
    error_fraction: int = 10
    beta_log2: int = 4
    steps: tuple[int, ...] = ()
    step_epochs: int = 1
    step_extra: int = 4
    init_std: tuple[float, ...] = ()
    exp_bits: int = 7
    reciprocal_bits: int = 6
    rsqrt_bits: int = 6
    seed: int = 0

    def __post_init__(self):
        self._coerce()
        self._check_sizes()
        self._check_modulator()
        self._check_unread()
        self._check_numbers()
        self._check_words()
        if self.modulator == "hsic":
            hsic.check(self)

    # -- construction -----------------------------------------------------------------------------

    def _coerce(self):
        """Bring TOML types to ours and fill the defaults that depend on the number of layers."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("layers", "steps", "init_std", "leak_shifts", "sigmas"):
                kind = float if field.name in ("init_std", "sigmas") else int
                if not isinstance(value, (tuple, list)) or not all(
                    isinstance(v, (int, kind)) and not isinstance(v, bool) for v in value
                ):
                    numbers = "numbers" if kind is float else "whole numbers"
                    raise InputError(f"{field.name} must be a list of {numbers}, not {value!r}")
                value = tuple(kind(v) for v in value)
            elif field.name == "rounding":
                self._one_of("rounding", list(Rounding))
                value = Rounding(value)
            elif field.name == "memory":
                if value is None and self.modulator in MODULATORS:
                    value = default_memory(self.modulator)
                elif value is not None:
                    self._one_of("memory", KINDS)
            elif field.name in ENUMERATIONS:
                self._one_of(field.name, ENUMERATIONS[field.name])
            elif field.name == "readout":
                if not isinstance(value, str) or not (value in DECODERS or value.endswith(".npz")):
                    raise one_of("readout", value, DECODERS, " or a file *.npz")
            elif field.name == "centred":
                if not isinstance(value, bool):
                    raise InputError(f"centred must be true or false, not {value!r}")
            elif field.name in ("kappa", "gamma"):
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise InputError(f"{field.name} must be a number, not {value!r}")
                value = float(value)
            elif field.name == "horizon" and value is None:
                pass  # its default depends on what is checked below
            elif isinstance(value, bool) or not isinstance(value, int):
                raise InputError(f"{field.name} must be a whole number, not {value!r}")
            object.__setattr__(self, field.name, value)
        if self.horizon is None:
            object.__setattr__(self, "horizon", KINDS[self.memory].horizon(self))
        if len(self.layers) >= 2 and all(n >= 1 for n in self.layers):
            hidden = len(self.layers) - 2
            if not self.steps:
                object.__setattr__(self, "steps", (7,) + (6,) * (hidden - 1) + (8,))
            if not self.init_std:
                std = (
                    (0.1,)
                    + tuple(n**-0.5 for n in self.layers[1:-2])
                    + (0.5 * self.layers[-2] ** -0.5,)
                )
                object.__setattr__(self, "init_std", std)

    def _one_of(self, name, names):
        value = getattr(self, name)
        if not isinstance(value, str) or value not in names:
            raise one_of(name, value, names)

    def _check_sizes(self):
        if len(self.layers) < 3:
            raise InputError(
                "layers must name inputs, at least one hidden layer and classes, "
                f"not {list(self.layers)!r}"
            )
        for size in self.layers:
            self._within("layers", *ENTRIES["layers"], size)
        for size in self.layers[1:-1]:
            self._within("layers (hidden)", *ENTRIES["layers (hidden)"], size)
        self._within("layers (classes)", *ENTRIES["layers (classes)"], self.classes)
        for name in ("steps", "init_std"):
            if len(getattr(self, name)) != len(self.layers) - 1:
                raise InputError(
                    f"{name} must have one entry for each of the {len(self.layers) - 1} weight "
                    f"layers, not {list(getattr(self, name))!r}"
                )
        if len(self.sigmas) != 3:
            raise InputError(
                f"sigmas must be three widths, of x, y and z, not {list(self.sigmas)!r}"
            )
        low, high = REAL["sigmas"]
        for sigma in self.sigmas:
            if not low < sigma <= high:
                raise InputError(f"sigmas must lie above {low} and up to {high}, not {sigma!r}")
        self._within("gamma", *REAL["gamma"])
        if not is_power("window", self.window):
            low, high = POWERS["window"]
            raise InputError(f"window must be a power of two in {low}..{high}, not {self.window!r}")

    def _check_modulator(self):
        paired = KINDS[self.memory].modulator
        if self.modulator != paired:
            raise InputError(
                f"modulator must be {paired} for the {self.memory} memory, not {self.modulator!r}"
            )

    def _check_unread(self):
        """Refuse values of fields that nothing reads; give them those that follow, if any."""
        kind = KINDS[self.memory]
        defaults, fixed = {**DEFAULTS, "horizon": kind.horizon(self)}, kind.fixed(self)
        for name, reason in unread(self.memory, self.dynamics).items():
            value, default = getattr(self, name), defaults[name]
            follows = fixed.get(name, default)
            if value not in (default, follows):
                raise InputError(
                    f"{name} must be left out or at its default {default!r}, as {reason}, "
                    f"not {value!r}"
                )
            object.__setattr__(self, name, follows)

    def _check_numbers(self):
        for name, (low, high) in WHOLE.items():
            if name == "x_bits":
                low += self.centred
            elif name == "memory_bits" and self.modulator == "hsic":
                continue  # as many as z has
            self._within(name, low, high)
        for name in ("u", "z", "d", "read"):
            bits, fraction = getattr(self, f"{name}_bits"), getattr(self, f"{name}_fraction")
            if fraction > bits - 1:
                raise InputError(
                    f"{name}_fraction must leave the sign outside: at most {name}_bits - 1 = "
                    f"{bits - 1}, not {fraction}"
                )
        if self.read_fraction < self.z_fraction:
            raise InputError(
                f"read_fraction must be at least z_fraction = {self.z_fraction}, "
                f"not {self.read_fraction}"
            )
        for std in self.init_std:
            self._within("init_std", *REAL["init_std"], std)
        for step in self.steps:
            self._within("steps", *ENTRIES["steps"], step)
        scaled = self.kappa * (1 << self.read_fraction)
        low, high = REAL["kappa"]
        if not low <= self.kappa <= high or scaled != int(scaled):
            raise InputError(
                f"kappa must be a multiple of {2.0**-self.read_fraction} "
                "(one step of the read format) "
                f"in {low}..{high}, not {self.kappa!r}"
            )
        if self.memory == "codes" and not self.kappa:
            object.__setattr__(self, "kappa", 1.0)
        for layer, shift in enumerate(self.step_shifts):
            if shift < 0:
                raise InputError(
                    f"steps[{layer}] must be at least {self.steps[layer] - shift} for these "
                    f"formats, not {self.steps[layer]}"
                )
        if self.update_shift > 32:
            raise InputError(
                "steps and step_extra must keep the update shift within 32 random bits, "
                f"not {self.update_shift}"
            )
        KINDS[self.memory].check(self)
        check_dynamics(self)

    def _check_words(self):
        """Every word of both memories needs an address that a command can hold."""
        layout, most = Layout(self), 1 << ADDRESS_BITS
        for name, bases in (("weight", layout.weight_bases), ("class", layout.memory_bases)):
            if bases[-1] > most:
                raise InputError(
                    f"lanes must keep the {name} memory of these layers within the {most} words "
                    f"that commands can address, not {bases[-1]}"
                )

    # -- files ------------------------------------------------------------------------------------

    @classmethod
    def from_dict(cls, values: dict) -> "CoreConfig":
        """Build from plain values; unknown or missing keys are errors."""
        cls._check_keys(values)
        if "layers" not in values:
            raise InputError("layers must be given: a list such as [64, 32, 16, 10]")
        return cls(**values)

    def derive(self, **changes: Any) -> Self:
        """The configuration with other values, see `hebbware.golden.fields.derived`.

        Unlike `dataclasses.replace` it may change the memory, the modulator or the neurons, and the
        formats that others follow: what is not read any more is left out.
        """
        return type(self).from_dict(derived(self.to_dict(), changes))

    def to_dict(self) -> dict:
        """Plain values of the fields that are read, in their order."""
        left_out = unread(self.memory, self.dynamics)
        return {k: v for k, v in super().to_dict().items() if k not in left_out}

    @cached_property
    def fingerprint(self) -> str:
        """First 8 bytes of the SHA-256 of all that a core is made from, in hexadecimal.

        That is the TOML text of `to_toml`; where the memory is a reservoir, ``readout`` in it is
        the hash of the decoder's weights (`hebbware.golden.decoder.decoder_hash`), wherever these
        are from. A decoder that is not there yet is trained for it.
        """
        weights = decoder_hash(self)
        return settings.short_hash(self.to_dict() | ({"readout": weights} if weights else {}))

    # -- derived facts ----------------------------------------------------------------------------

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.layers[0]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Sizes of the hidden layers."""
        return self.layers[1:-1]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.layers[-1]

    @property
    def rule(self) -> str:
        """What the hidden layers learn by, in words."""
        if self.modulator == "hsic":
            return f"HSIC of {self.window} samples"
        return f"{self.memory} memory"

    @property
    def learns_hidden(self) -> bool:
        """Whether hidden layers learn (every memory but ``none``)."""
        return self.memory != "none"

    @property
    def writes_memory(self) -> bool:
        """Whether learning changes the class memories (they are not fixed codes or absent)."""
        return KINDS[self.memory].written

    @cached_property
    def k(self) -> Format:
        """Similarities and their error-weighted sum: -4 .. 4."""
        return Format(self.error_fraction + 3, self.error_fraction)

    @cached_property
    def e(self) -> Format:
        """Softmax errors: -1 .. 1, both included."""
        return Format(self.error_fraction + 2, self.error_fraction)

    @cached_property
    def x(self) -> Format:
        """Inputs as they arrive: 0 .. 1 - lsb."""
        return Format(self.x_bits, self.x_bits, signed=False)

    @property
    def x_zero(self) -> int:
        """The raw input that stands for 0: it is subtracted from what arrives."""
        return self.centred << (self.x_bits - 1)

    @cached_property
    def weight(self) -> Format:
        """Weights: -2 .. 2."""
        return Format(self.weight_bits, self.weight_bits - 2)

    @cached_property
    def u(self) -> Format:
        """Sums before the non-linearity, and readout scores."""
        return Format(self.u_bits, self.u_fraction)

    @cached_property
    def z(self) -> Format:
        """Normalised activations."""
        return Format(self.z_bits, self.z_fraction)

    @cached_property
    def d(self) -> Format:
        """Update directions."""
        return Format(self.d_bits, self.d_fraction)

    @cached_property
    def read(self) -> Format:
        """Class memory as read in products."""
        return Format(self.read_bits, self.read_fraction)

    def source(self, layer: int) -> Format:
        """Format of the input of weight layer `layer`."""
        if layer:
            return self.z
        return Format(self.x_bits, self.x_bits - 1) if self.centred else self.x

    @cached_property
    def potential(self) -> Format:
        """Potentials of leaky neurons: u with the fraction bits that the leak shifts out."""
        return Format(self.u_bits + max(self.leak_shifts), self.u_fraction + max(self.leak_shifts))

    @property
    def leaky(self) -> bool:
        """Whether neurons have a potential of their own."""
        return self.dynamics == "leaky"

    @cached_property
    def step_shifts(self) -> tuple[int, ...]:
        """Shift that brings pre x post to weight units, per weight layer, before the schedule."""
        hidden = [
            self.source(layer).fraction + self.d_fraction + step - self.weight.fraction
            for layer, step in enumerate(self.steps[:-1])
        ]
        readout = self.z_fraction + self.error_fraction + self.steps[-1] - self.weight.fraction
        return (*hidden, readout)

    @cached_property
    def update_shift(self) -> int:
        """The one shift of every read-modify-write; the number of random bits it consumes.

        Each pass scales its pre-synaptic operand up by ``update_shift - its own shift``, so that
        the lanes need no variable shifter. Exact, because the scaled-up bits are zero.
        """
        own = [shift + self.step_extra for shift in self.step_shifts]
        return max(1, *own, KINDS[self.memory].shift(self))

    def extra(self, epoch: int) -> int:
        """Extra halvings of the steps in `epoch` (from 0)."""
        return min(epoch // self.step_epochs, self.step_extra) if self.step_epochs else 0


DEFAULTS = {f.name: f.default for f in fields(CoreConfig) if f.default is not MISSING}


def presets() -> list[str]:
    """Names of the shipped configurations."""
    return settings.names(PRESETS)


def load(name: str | Path, changes: Mapping[str, Any] | None = None) -> CoreConfig:
    """The preset of that name, or the TOML file at that path, with `changes` as of `derived`.

    Raises
    ------
    InputError
        There is neither, or a value cannot be; the message begins with where that is from.
    """
    return settings.load(CoreConfig, name, PRESETS, changes, derived)
