"""The configuration: the one object that golden, RTL, boards and studies are built from.

It is a set of tables (`hebbware.golden.settings.tables`), on disk a TOML file of the same tables.
Named presets are the files in ``presets/``. Impossible values fail at construction with a message
that names the field, the rule and the value. A field that the chosen kind of table does not have
does not exist: it can be neither set nor counted in the fingerprint. Derived facts are properties.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from typing import Any, Self

from ..arithmetic.fixed import Format, Rounding
from ..errors import InputError
from ..layers import Conv, Layer, Readout, Recurrent
from ..layers.conv import Window
from ..memory import MEMORIES, Memory
from ..modulators.kinds import MODULATORS, Modulator
from ..neurons.kinds import NEURONS, Neuron, Static
from ..program.commands import ADDRESS_BITS, LANE_BITS
from ..program.layout import Layout
from ..reservoir.decoder import decoder_hash
from ..reservoir.table import Reservoir
from ..settings.tables import KIND, Domain, Table, domain, flattened, make, short_hash, toml, whole
from . import former
from .kinds import KINDS, LISTS, ONE, TABLES, default_kind, dense, derived, dotted, layers_of
from .parts import Formats, Input, Update

NO_LABEL = 255  # this word, or any other that is no class, in the label's place: infer only


@dataclass(frozen=True, kw_only=True)
class CoreConfig:
    """All that defines a learning core, apart from its clock.

    Parameters
    ----------
    lanes : int
        Synapses worked on per clock, 1..128. Need not divide the layer sizes.
    weight_ports : int
        Ports of the weight memory: 2, or 1 for single-port RAM, where each step of a pass that
        writes weights takes two clocks.
    seed : int
        Start of the random number generator; also the order of samples in training.
    input : Input
    layer : tuple of Layer
        Hidden layers, then the readout.
    neuron : Neuron, optional
    formats : Formats, optional
    update : Update, optional
    modulator : Modulator, optional
        What hidden layers learn by; follows from the memory.
    memory : Memory, optional
        Working memory, by default the first one that the modulator reads.
    reservoir : Reservoir, optional
        Of a reservoir memory only.

    Raises
    ------
    InputError
    """

    lanes: int = whole(16, 1, 1 << LANE_BITS)
    weight_ports: int = whole(2, 1, 2)
    seed: int = whole(0, 0, 2**32 - 1)
    input: Input
    layer: tuple[Layer, ...]
    neuron: Neuron = Static()
    formats: Formats = Formats()
    update: Update = Update()
    modulator: Modulator | None = None
    memory: Memory | None = None
    reservoir: Reservoir | None = None

    def __post_init__(self):
        for each in fields(self):
            if "domain" in each.metadata:
                domain(each).check(each.name, getattr(self, each.name))
        self._choose()
        self._check_layers()
        self._complete()
        self.memory.check(self)
        self.modulator.check(self)
        self.neuron.check(self)
        self.input.check(self)
        self.update.check(self)
        self._check_shifts()
        self._check_words()

    # -- construction -----------------------------------------------------------------------------

    def _choose(self):
        """The memory and the modulator, where one follows from the other."""
        if self.memory is None:
            wanted = self.modulator or next(iter(MODULATORS.values()))
            self._set("memory", wanted.usual(MEMORIES.values())())
        if self.modulator is None:
            self._set("modulator", MODULATORS[self.memory.modulator]())
        if not self.modulator.fits(self.memory):
            raise InputError(
                f"modulator.kind must be {self.memory.modulator!r} where memory.kind is "
                f"{self.memory.kind!r}, not {self.modulator.kind!r}"
            )
        if self.memory.projected and self.reservoir is None:
            self._set("reservoir", Reservoir())
        if self.reservoir and not self.memory.projected:
            raise InputError(
                f"reservoir must be left out where memory.kind is {self.memory.kind!r}"
            )

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def _check_layers(self):
        kinds = [layer.kind for layer in self.layer]
        if len(kinds) < 2 or kinds[-1] != Readout.kind or Readout.kind in kinds[:-1]:
            raise InputError(
                "layer must be at least one hidden layer, then a readout, "
                f"not {', '.join(kinds) or 'none'}"
            )
        if Recurrent.kind in kinds and len(kinds) > 2:
            raise InputError(
                f"layer must be one recurrent layer, then a readout, not {', '.join(kinds)}"
            )
        if kinds != sorted(kinds, key=lambda kind: kind != Conv.kind):
            raise InputError(
                f"layer must have convolutions before all others, not {', '.join(kinds)}"
            )
        for name, of in (("neuron", NEURONS), ("modulator", MODULATORS)):
            kind, fitting = getattr(self, name).kind, [k for k in of if kinds[0] in of[k].layers]
            if kind not in fitting:
                raise InputError(
                    f"{name}.kind must be {' or '.join(map(repr, fitting))} where layer.kind is "
                    f"{kinds[0]!r}, not {kind!r}"
                )
        if Conv.kind in kinds:
            self._check_maps()

    def _check_maps(self):
        if self.input.shape is None:
            raise InputError(
                "input.shape must be given, as [rows, columns, channels], where layer.kind is "
                f"{Conv.kind!r}"
            )
        kind = self.memory
        if not kind.remembers_maps():
            fitting = [m.kind for m in MEMORIES.values() if m.remembers_maps()]
            raise InputError(
                f"memory.kind must be {', '.join(map(repr, fitting[:-1]))} or {fitting[-1]!r} "
                f"where layer.kind is {Conv.kind!r}, not {kind.kind!r}"
            )
        for number, layer in enumerate(self.layer):
            layer.check(self, number)

    def _complete(self):
        """Values that follow from others where none is given."""
        layers = []
        for number, layer in enumerate(self.layer):
            missing = {
                name: usual(self, number)
                for name, usual in (("rate", layer.usual_rate), ("init_std", layer.usual_std))
                if getattr(layer, name) is None
            }
            layers.append(replace(layer, **missing) if missing else layer)
        self._set("layer", tuple(layers))
        self._set("memory", self.memory.completed(self))
        self._set("neuron", self.neuron.completed(self))

    def _check_shifts(self):
        for number, shift in enumerate(self.step_shifts):
            if shift < 0:
                raise InputError(
                    f"layer.rate must be at least {self.rates[number] - shift} in layer {number} "
                    f"for these formats, not {self.rates[number]}"
                )
        if self.update_shift > 32:
            raise InputError(
                "layer.rate and update.halvings must keep the update shift within 32 random bits, "
                f"not {self.update_shift}"
            )

    def _check_words(self):
        """Every word of both memories needs an address that a command can hold."""
        layout, most = Layout(self), 1 << ADDRESS_BITS
        for name, bases in (("weight", layout.weight_bases), ("class", layout.memory_bases)):
            if bases[-1] > most:
                raise InputError(
                    f"lanes must keep the {name} memory of these layers within the {most} words "
                    f"that commands can address, not {bases[-1]}"
                )

    # -- plain values -----------------------------------------------------------------------------

    @classmethod
    def of(cls, sizes, **values: Any) -> Self:
        """Dense layers: inputs, units of each hidden layer, classes; `values` as of `derive`."""
        return cls.from_dict(dense(sizes) | dotted(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values, by dotted names (or ``__`` for the dot) or nested.

        A list of `layer` has one value for each layer.
        """
        values = dotted(dict(flattened(values)))
        former.refuse(values)
        tables: dict[str, Any] = {}
        for name, value in values.items():
            table, _, key = name.partition(".")
            if key and (table in ONE or table in KINDS or table in LISTS):
                tables.setdefault(table, {})[key] = value
            elif not key and table in TOP:
                tables[table] = value
            else:
                raise former.unknown_field(name, names())
        sized = {"size", "shape"} & {k for k, v in tables.get("input", {}).items() if v is not None}
        if not sized or "units" not in tables.get("layer", {}):
            raise InputError("input.size and layer.units must be given (of an image, input.shape)")
        built = {name: tables[name] for name in TOP if name in tables}
        for table, kinds in KINDS.items():
            given = {KIND: default_kind(table, values)} | tables.get(table, {})
            built[table] = make(table, kinds, given)
        for table, kind in ONE.items():
            if table in tables:
                built[table] = make(table, {"": kind}, tables[table])
        return cls(layer=layers_of(tables["layer"]), **built)

    def to_dict(self) -> dict[str, Any]:
        """Plain values by dotted names."""
        values: dict[str, Any] = {name: getattr(self, name) for name in TOP}
        for each in fields(self):
            table = getattr(self, each.name)
            if isinstance(table, Table):
                values |= {f"{each.name}.{k}": v for k, v in table.values().items()}
        every = [layer.values() for layer in self.layer]
        for name in dict.fromkeys(name for layer in every for name in layer):
            values[f"layer.{name}"] = [layer.get(name) for layer in every]
        # without them all is as it was before them
        optional = ("layer.narrow", "input.shape", "input.runs", "update.overlap", "neuron.signal")
        return {
            name: value
            for name, value in values.items()
            if name not in optional or value not in (None, False, [None] * len(every))
        }

    def to_toml(self) -> str:
        """The configuration as TOML text; reading it gives an equal object."""
        return toml(self.to_dict(), LISTS)

    def derive(self, **changes: Any) -> Self:
        """The configuration with other values, by dotted names or with ``__`` for the dot.

        ``config.derive(memory__horizon=9)``. Where the kind of a table is among them, what the new
        kind does not have is left out, and the modulator follows the memory, or the memory the
        modulator. Another number of layers starts from the defaults of a layer.
        """
        return type(self).from_dict(derived(self.to_dict(), changes))

    @cached_property
    def fingerprint(self) -> str:
        """First 8 bytes of the SHA-256 of all that a core is made from, in hexadecimal.

        That is the TOML text of `to_toml`, with the hash of a reservoir's decoder
        (`hebbware.golden.reservoir.decoder.decoder_hash`) in the place of its name, and without
        ``update.halve_every``, which the host alone follows. A decoder that is not there yet is
        trained for it.
        """
        weights = decoder_hash(self)
        values = self.to_dict()
        del values["update.halve_every"]
        values |= {"reservoir.decoder": weights} if weights else {}
        return short_hash(toml(values, LISTS))

    # -- derived facts ----------------------------------------------------------------------------

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.input.size

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers; of a convolution those that its class memory sees."""
        return tuple(layer.remembered(self, n) for n, layer in enumerate(self.layer[:-1]))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.layer[-1].units

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, units of each hidden layer, or numbers of its pooled map, classes."""
        hidden = (layer.outputs(self, n) for n, layer in enumerate(self.layer[:-1]))
        return (self.inputs, *hidden, self.classes)

    @cached_property
    def span(self) -> int:
        """Lanes of the smallest groups that hold positions of a convolution; all without them."""
        layers = enumerate(self.layer[: len(self.windows)])
        return min((layer.groups(self, n)[0] for n, layer in layers), default=self.lanes)

    def map_shape(self, number: int) -> tuple[int, int, int]:
        """Rows, columns and channels of the map that convolution `number` reads."""
        if not number:
            return self.input.shape
        below = self.layer[number - 1]
        return *below.window(*self.map_shape(number - 1)).pooled, below.features

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """How each convolution lies over its map; empty where there are none."""
        layers = [layer for layer in self.layer if layer.kind == Conv.kind]
        return tuple(layer.window(*self.map_shape(n)) for n, layer in enumerate(layers))

    @property
    def convolves(self) -> bool:
        """Whether the first layers are convolutions."""
        return self.layer[0].kind == Conv.kind

    @cached_property
    def rates(self) -> tuple[int, ...]:
        """Of each layer: weights move in steps of ``2**-rate``."""
        return tuple(layer.rate for layer in self.layer)

    @property
    def rounding(self) -> Rounding:
        """Of the weight update."""
        return self.update.rounding

    @cached_property
    def rule(self) -> str:
        """What the hidden layers learn by, in words."""
        return self.modulator.rule(self)

    @property
    def learns_hidden(self) -> bool:
        """Whether hidden layers learn."""
        return self.modulator.learns

    @property
    def has_memory(self) -> bool:
        """Whether there is a class memory, or codes in its place."""
        return self.memory.written or bool(self.memory.kappa)

    @property
    def writes_memory(self) -> bool:
        """Whether learning changes the class memories (they are not fixed codes or absent)."""
        return self.memory.written

    @property
    def recurrent(self) -> bool:
        """Whether samples are sequences, which a recurrent layer takes tick by tick."""
        return self.layer[0].kind == Recurrent.kind

    @property
    def signal(self) -> bool:
        """Whether targets are numbers at each tick, not classes."""
        return self.recurrent and self.neuron.signal

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of a sample: inputs, or of a sequence ticks and inputs."""
        return (self.neuron.ticks, self.inputs) if self.recurrent else (self.inputs,)

    @property
    def leaky(self) -> bool:
        """Whether neurons have a potential of their own."""
        return self.neuron.kind == "leaky"

    @cached_property
    def k(self) -> Format:
        """Similarities and their error-weighted sum: -4 .. 4."""
        return Format(self.formats.error_fraction + 3, self.formats.error_fraction)

    @cached_property
    def e(self) -> Format:
        """Softmax errors: -1 .. 1, both included."""
        return Format(self.formats.error_fraction + 2, self.formats.error_fraction)

    @cached_property
    def x(self) -> Format:
        """Inputs as they arrive: 0 .. 1 - lsb."""
        return Format(self.input.bits, self.input.bits, signed=False)

    @property
    def x_zero(self) -> int:
        """The raw input that stands for 0: it is subtracted from what arrives."""
        return self.input.centred << (self.input.bits - 1)

    @cached_property
    def weight(self) -> Format:
        """Weights: -2 .. 2."""
        return Format(self.formats.weight_bits, self.formats.weight_bits - 2)

    def weight_fraction(self, layer: int) -> int:
        """Fraction bits of the weights of a layer, more where they are narrow."""
        return self.weight.fraction + (self.layer[layer].narrow or 0)

    def sum_shift(self, layer: int) -> int:
        """Shift from a sum of inputs times weights of a layer to u."""
        return self.source(layer).fraction + self.weight_fraction(layer) - self.u.fraction

    @cached_property
    def u(self) -> Format:
        """Sums before the non-linearity, and readout scores."""
        return Format(self.formats.u_bits, self.formats.u_fraction)

    @cached_property
    def z(self) -> Format:
        """Normalised activations."""
        return Format(self.formats.z_bits, self.formats.z_fraction)

    @cached_property
    def d(self) -> Format:
        """Update directions."""
        return Format(self.formats.d_bits, self.formats.d_fraction)

    @cached_property
    def read(self) -> Format:
        """Class memory, or what takes its place, as read in products."""
        return self.modulator.read_format(self)

    @cached_property
    def stored(self) -> Format:
        """An entry of the class memory as it is stored: an integer."""
        return self.memory.stored_format(self)

    def source(self, layer: int) -> Format:
        """Format of the input of weight layer `layer`."""
        if layer:
            return self.z
        return Format(self.input.bits, self.input.bits - 1) if self.input.centred else self.x

    @cached_property
    def potential(self) -> Format:
        """Potentials of leaky neurons: u with the fraction bits that the leak shifts out."""
        more = max(self.neuron.leak_shifts)
        return Format(self.u.width + more, self.u.fraction + more)

    @cached_property
    def trace(self) -> Format:
        """Traces of a recurrent layer's inputs and spikes."""
        return Format(self.neuron.trace_bits, self.neuron.trace_fraction)

    @cached_property
    def step_shifts(self) -> tuple[int, ...]:
        """Shift that brings pre x post to weight units, per weight layer, before the schedule."""
        return tuple(layer.step_shift(self, number) for number, layer in enumerate(self.layer))

    @cached_property
    def update_shift(self) -> int:
        """The one shift of every read-modify-write; the number of random bits it consumes.

        Each pass scales its pre-synaptic operand up by ``update_shift - its own shift``, so that
        the lanes need no variable shifter. Exact, because the scaled-up bits are zero.
        """
        own = [shift + self.update.halvings for shift in self.step_shifts]
        return max(1, *own, self.memory.shift(self))

    def extra(self, epoch: int) -> int:
        """Extra halvings of the rates in `epoch` (from 0)."""
        every = self.update.halve_every
        return min(epoch // every, self.update.halvings) if every else 0


TOP = tuple(each.name for each in fields(CoreConfig) if "domain" in each.metadata)


# -- names of fields -------------------------------------------------------------------------------


@cache
def domains() -> dict[str, Domain]:
    """Every field that a configuration can have, by dotted name, and what it may be.

    Of a field that several kinds of a table have, the first kind's.
    """
    found = {each.name: domain(each) for each in fields(CoreConfig) if each.name in TOP}
    for name, kinds in TABLES.items():
        if "" not in kinds:
            found[f"{name}.{KIND}"] = Domain(None, names=tuple(kinds))
        for kind in kinds.values():
            for field, may_be in kind.domains().items():
                found.setdefault(f"{name}.{field}", may_be)
    return found


def names() -> list[str]:
    """Dotted names of every field that a configuration can have."""
    return list(domains())
