"""Names that are no fields: former ones, from when a configuration was flat, and misspelt ones."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from ..errors import InputError, unknown

NAMES = {
    "layers": "input.size and layer.units",
    "weight_bits": "formats.weight_bits",
    "dynamics": "neuron.kind",
    "time_steps": "neuron.time_steps",
    "leak_shifts": "neuron.leak_shifts",
    "slope_shift": "neuron.slope_shift",
    "centred": "input.centred",
    "rounding": "update.rounding",
    "x_bits": "input.bits",
    **{n: f"formats.{n}" for n in ("u_bits", "u_fraction", "z_bits", "z_fraction", "d_bits")},
    **{n: f"formats.{n}" for n in ("d_fraction", "error_fraction", "exp_bits", "rsqrt_bits")},
    "reciprocal_bits": "formats.reciprocal_bits",
    "modulator": "modulator.kind",
    "gamma": "modulator.gamma",
    "sigmas": "modulator.sigmas",
    "beta_log2": "modulator.beta_log2",
    "memory": "memory.kind",
    "memory_bits": "memory.bits",
    **{n: f"memory.{n}" for n in ("horizon", "window", "kappa", "projection", "gating")},
    "read_bits": "memory.read_bits",
    "read_fraction": "memory.read_fraction",
    **{f"reservoir_{n}": f"reservoir.{n}" for n in ("units", "bits", "topology", "gain")},
    "reservoir_lanes": "reservoir.lanes",
    "reservoir_seed": "reservoir.seed",
    "readout": "reservoir.decoder",
    "steps": "layer.rate",
    "step_epochs": "update.halve_every",
    "step_extra": "update.halvings",
    "init_std": "layer.init_std",
}


def refuse(values: Mapping[str, object]):
    """Raise InputError where a value has a name of the former flat form."""
    for name in values:
        if name in NAMES:
            raise InputError(f"{name} must be written {NAMES[name]}: fields are in tables now")


def unknown_field(name: str, known: Sequence[str]) -> InputError:
    """The error where there is no such field; one without its table may lie in any of them."""
    what = "unknown configuration key"
    own = {field.rpartition(".")[2]: field for field in reversed(known)}
    near = get_close_matches(name, own, 1) if "." not in name else []
    if near:
        return InputError(f"{what} {name!r}; did you mean {own[near[0]]}?")
    return unknown(what, name, known)
