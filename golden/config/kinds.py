"""Which tables a configuration has and of which kinds; plain values by dotted names."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError
from ..layers import LAYERS, Dense, Layer, Readout, Recurrent
from ..memory import MEMORIES
from ..modulators.kinds import MODULATORS, Hsic, Symmetric
from ..neurons.kinds import NEURONS, Lif
from ..reservoir.table import Reservoir
from ..settings.tables import KIND, Table, make, plain
from .parts import Formats, Input, Update

LISTS = ("layer",)
TABLES: dict[str, dict[str, type[Table]]] = {
    "input": {"": Input}, LISTS[0]: LAYERS, "neuron": NEURONS, "formats": {"": Formats},
    "update": {"": Update}, "modulator": MODULATORS, "memory": MEMORIES,
    "reservoir": {"": Reservoir},
}  # fmt: skip
"""Every table by name: its kinds, or the one kind that it has under an empty name."""

ONE = {name: kinds[""] for name, kinds in TABLES.items() if "" in kinds}
BORROWERS = {m.borrows: m.kind for m in MODULATORS.values() if m.borrows}
"""Which modulator of recurrent layers a memory's kind goes with."""

KINDS = {name: kinds for name, kinds in TABLES.items() if name not in (*ONE, *LISTS)}


def dense(sizes: Sequence[int]) -> dict[str, Any]:
    """Values of dense layers: inputs, units of each hidden layer, classes."""
    if not isinstance(sizes, (list, tuple)) or len(sizes) < 3:
        raise InputError(
            f"sizes must name inputs, at least one hidden layer and classes, not {plain(sizes)!r}"
        )
    return {"input.size": sizes[0], "layer.units": list(sizes[1:])}


def dotted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Names with ``__`` for the dot, as Python's keywords have it, by dotted names."""
    return {name.replace("__", "."): value for name, value in values.items()}


def derived(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values that have the `changes` in the place of some of `base`, see `derive`."""
    changes = dotted(changes)
    values = {**base, **changes}
    units = changes.get("layer.units"), base.get("layer.units")
    if all(isinstance(u, (list, tuple)) for u in units) and len(units[0]) != len(units[1]):
        values = {k: v for k, v in values.items() if k in changes or not k.startswith("layer.")}
    for name, other in (("input.shape", "input.size"), ("input.size", "input.shape")):
        if name in changes and other not in changes:
            values.pop(other, None)
    _follow(values, changes)
    kinds = {}  # of those tables whose kind there is; others the configuration will refuse
    for table, known in KINDS.items():
        kind = values.get(f"{table}.{KIND}") or default_kind(table, values)
        if kind in known:
            kinds[table] = known[kind]

    def has(name):
        table, _, key = name.partition(".")
        if table == "reservoir":
            return "memory" not in kinds or kinds["memory"].projected
        if name == "update.overlap" and len(kinds) == len(KINDS):
            return Update.fits(kinds["memory"], kinds["modulator"])
        if name == "input.runs" and "modulator" in kinds:
            return kinds["modulator"].family != Hsic.family
        return table not in kinds or key == KIND or key in kinds[table].domains()

    return {k: v for k, v in values.items() if k in changes or has(k)}


def default_kind(table, values):
    """The kind that a table has where none is given."""
    layers = values.get(f"{LISTS[0]}.{KIND}")
    sequences = isinstance(layers, (list, tuple)) and Recurrent.kind in layers
    if table == "neuron" and sequences:
        return Lif.kind
    if table == "modulator":
        memory = values.get(f"memory.{KIND}")
        known = isinstance(memory, str) and memory in MEMORIES
        if sequences:
            return BORROWERS.get(memory, Symmetric.kind) if known else Symmetric.kind
        return MEMORIES[memory].modulator if known else next(iter(MODULATORS))
    if table == "memory":
        wanted = _modulator(values.get(f"modulator.{KIND}") or default_kind("modulator", values))
        return wanted.usual(MEMORIES.values()).kind if wanted else ""
    return next(iter(KINDS[table]))


def _modulator(kind):
    """The modulator of that kind; None where there is no such kind."""
    return MODULATORS.get(kind) if isinstance(kind, str) else None


def _follow(values, changes):
    """Let the modulator follow the memory, or the memory the modulator, where one changes."""
    memory, modulator = f"memory.{KIND}", f"modulator.{KIND}"
    known = MEMORIES.get(values.get(memory)) if isinstance(values.get(memory), str) else None
    chosen = _modulator(values.get(modulator, known.modulator)) if known else None
    if known and not (chosen and chosen.fits(known)):
        if memory in changes and modulator not in changes:
            values[modulator] = default_kind("modulator", values)
        elif memory not in changes:
            del values[memory]


def _spread(given, kinds, count):
    """Lists with an entry for each layer whose kind has the field, with None for the others."""
    kinds, found = given.get(KIND, kinds), dict(given)
    for name, value in given.items():
        having = [
            n
            for n, kind in enumerate(kinds)
            if isinstance(kind, str) and kind in LAYERS and name in LAYERS[kind].domains()
        ]
        if len(value) == len(having) < count and name not in (KIND, "units"):
            found[name] = [None] * count
            for n, entry in zip(having, value, strict=True):
                found[name][n] = entry
    return found


def layers_of(given: Mapping[str, Any]) -> tuple[Layer, ...]:
    """The layers from lists with a value for each, or for each whose kind has the field."""
    for name, value in given.items():
        if not isinstance(value, (list, tuple)):
            raise InputError(f"layer.{name} must be a list, a value for each layer, not {value!r}")
    count = len(given["units"])
    first = [*[Dense.kind] * (count - 1), Readout.kind]
    given = _spread(given, first, count)
    for name, value in given.items():
        if len(value) != count:
            raise InputError(
                f"layer.{name} must have one entry for each of the {count} layers, "
                f"not {list(value)!r}"
            )
    made = []
    for n in range(count):
        values = {name: value[n] for name, value in given.items() if value[n] is not None}
        made.append(make("layer", LAYERS, {KIND: first[n]} | values))
    return tuple(made)
