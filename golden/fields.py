"""Which fields a configuration reads: most always, others with some memory or kind of neuron only.

What a memory reads stands in `hebbware.golden.memory` (the ``hsic`` modulator has a memory of its
own), what neurons read in `hebbware.golden.dynamics`. A field that is not read must be left at its
default; it is not written to files and not part of a fingerprint.
"""

from collections.abc import Mapping
from typing import Any

from .dynamics import DYNAMICS
from .memory import KINDS

OF_MEMORIES = frozenset(name for kind in KINDS.values() for name in kind.reads)
OF_DYNAMICS = frozenset(name for names in DYNAMICS.values() for name in names)


def unread(memory: str, dynamics: str) -> dict[str, str]:
    """Fields that these do not read, each with the reason in words."""
    kind = KINDS[memory]
    own = "hsic modulator" if kind.modulator == "hsic" else f"{memory} memory"
    reasons = f"the {own} does not read it", f"{dynamics} neurons do not read it"
    return {
        **dict.fromkeys(sorted(OF_MEMORIES - {*kind.reads}), reasons[0]),
        **dict.fromkeys(sorted(OF_DYNAMICS - {*DYNAMICS[dynamics]}), reasons[1]),
    }


def default_memory(modulator: str) -> str:
    """The memory of a modulator where none is given: the first that it reads."""
    return next(name for name, kind in KINDS.items() if kind.modulator == modulator)


def derived(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the configuration that has the `changes` in the place of some values of `base`.

    Where another memory, modulator or kind of neuron is among them, values of `base` that these do
    not read are left out, and a modulator that does not go with the memory follows it (or the
    memory the modulator, where that is what changes). The changes themselves stay as they are.
    """
    values = {**base, **changes}
    modulator = values.get("modulator", "class-memory")
    memory = values.get("memory")
    kind = KINDS.get(memory) if isinstance(memory, str) else None
    if kind and kind.modulator != modulator:
        if "memory" in changes and "modulator" not in changes:
            values["modulator"] = kind.modulator
        elif "memory" not in changes:
            del values["memory"]
    try:
        dropped = unread(
            values.get("memory") or default_memory(values.get("modulator", "class-memory")),
            values.get("dynamics", "static"),
        )
    except (KeyError, StopIteration, TypeError):
        return values  # names that the configuration will refuse
    return {k: v for k, v in values.items() if k in changes or k not in dropped}
