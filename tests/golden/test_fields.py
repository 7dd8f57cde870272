"""Fields that only some memories or neurons read: which those are, and what others do with them."""

import tomllib

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig, dense, derived
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.estimate import estimate
from hebbware.golden.memory import MEMORIES
from hebbware.golden.neurons.kinds import Leaky
from hebbware.golden.reservoir import decoder
from hebbware.golden.reservoir.table import Reservoir
from hebbware.golden.settings.tables import flattened

LAYERS = (9, 6, 5, 3)
OTHER = {  # another value than that of `config`, for each field that is not always read
    "memory.bits": 12,
    "memory.read_bits": 7,
    "memory.read_fraction": 5,
    "modulator.beta_log2": 1,
    "memory.horizon": 3,
    "memory.window": 8,
    "memory.kappa": 0.5,
    "modulator.gamma": 1.0,
    "modulator.sigmas": (0.5, 0.2, 1.5),
    "memory.projection": 8,
    "memory.gating": "error",
    "reservoir.units": 64,
    "reservoir.bits": 10,
    "reservoir.topology": "cycle",
    "reservoir.gain": -4,
    "reservoir.lanes": 4,
    "reservoir.seed": 5,
    "reservoir.decoder": "zero",
    "neuron.time_steps": 3,
    "neuron.leak_shifts": (2, 3),
    "neuron.slope_shift": 2,
}
CHOSEN = {
    "memory.horizon": 4,
    "memory.window": 4,
    "memory.kappa": 1.0,
    "neuron.time_steps": 2,
    "reservoir.units": 32,
}


@pytest.fixture(autouse=True)
def _no_training(monkeypatch):
    """Readouts of random weights, or zeros."""

    def weights(config):
        shape = (config.classes * config.memory.projection, config.reservoir.units)
        return np.random.default_rng(0).integers(-9, 9, shape) * (
            config.reservoir.decoder != "zero"
        )

    monkeypatch.setattr(decoder, "decoder_weights", weights)


def config(memory, dynamics="static"):
    fields = {**dense(LAYERS), "lanes": 4, "layer.rate": (4, 4, 4), **CHOSEN}
    return CoreConfig.from_dict(derived(fields, {"memory.kind": memory, "neuron.kind": dynamics}))


def behaviour(config):
    """All that a field can make a difference to: what is learned, clocks, memories."""
    rng, core = np.random.default_rng(1), Core(config)
    scores = [core.learn(rng.integers(0, 256, 9), int(rng.integers(3)))[1] for _ in range(20)]
    return (
        np.array(scores).tolist(),
        [weights.tolist() for weights in core.weights],
        estimate.memories(config),
        estimate.clocks_per_sample(config, 9),
    )


@pytest.mark.parametrize("memory", MEMORIES)
def test_every_field_matters(memory):
    base = config(memory)
    found = behaviour(base)
    others = [f"memory.{name}" for name in MEMORIES[memory].domains()]
    others += [f"modulator.{name}" for name in type(base.modulator).domains()]
    others += [f"reservoir.{name}" for name in Reservoir.domains()] if base.reservoir else []
    for name in others:
        # codes of +-1 are the same in most formats; what a reservoir decodes needs room
        edge = {"codes memory.read_fraction": 7, "reservoir memory.read_bits": 9}
        value = edge.get(f"{memory} {name}", OTHER[name])
        other = base.derive(**{name: value})
        assert behaviour(other) != found, name
        assert other.fingerprint != base.fingerprint


def test_every_field_of_leaky_neurons_matters():
    base = config("gated", "leaky")
    for name in (f"neuron.{name}" for name in Leaky.domains()):
        assert behaviour(base.derive(**{name: OTHER[name]})) != behaviour(base), name


@pytest.mark.parametrize("memory", MEMORIES)
def test_what_another_kind_has_is_refused(memory):
    values = config(memory).to_dict()
    for name in (n for n in OTHER if n not in values):
        with pytest.raises(
            InputError, match=rf"^{name.partition('.')[0]}.* must be left out"
        ) as caught:
            CoreConfig.from_dict({**values, name: OTHER[name]})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("memory", MEMORIES)
def test_files_have_the_fields_of_the_kind_alone(memory):
    some = config(memory)
    assert CoreConfig.from_dict(some.to_dict()) == some
    assert CoreConfig.from_dict(tomllib.loads(some.to_toml())) == some
    written = {*dict(flattened(tomllib.loads(some.to_toml())))}
    assert written == {*some.to_dict()}
    fields = {name.partition(".")[2] for name in written if name.startswith("memory.")}
    assert fields == {"kind", *MEMORIES[memory].domains()}


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("before", MEMORIES)
def test_a_memory_takes_the_place_of_another(before, memory):
    base, found = config(before), config(before).derive(memory__kind=memory, formats__weight_bits=9)
    assert (found.memory.kind, found.modulator.kind) == (memory, MEMORIES[memory].modulator)
    assert (found.weight.width, found.rates, found.lanes) == (9, (4, 4, 4), 4)
    for field in MEMORIES[before].domains().keys() & MEMORIES[memory].domains().keys():
        assert getattr(found.memory, field) == getattr(base.memory, field)


def test_defaults_follow_the_memory():
    horizons = {m: CoreConfig.of(LAYERS, memory__kind=m).memory.horizon for m in ("gated", "trace")}
    assert horizons == {"gated": 12, "trace": 8}
    assert CoreConfig.of(LAYERS, memory__kind="trace", memory__bits=10).memory.horizon == 2
    assert CoreConfig.of(LAYERS, memory__kind="reservoir").memory.horizon == 6
    assert CoreConfig.of(LAYERS, modulator__kind="hsic").memory.kind == "samples"
    assert CoreConfig.of(LAYERS).memory.kind == "gated"
    assert CoreConfig.of(LAYERS, memory__kind="none").modulator.kind == "none"
    hsic = CoreConfig.of(LAYERS, modulator__kind="hsic", formats__z_bits=7, formats__z_fraction=3)
    assert (hsic.stored.width, hsic.read) == (7, hsic.z)
    assert hsic.derive(formats__z_bits=6).read.width == 6
    assert hsic.derive(modulator__kind="class-memory") == CoreConfig.of(
        LAYERS, formats__z_bits=7, formats__z_fraction=3
    )


def test_another_number_of_layers_starts_from_defaults():
    base = CoreConfig.of((9, 6, 5, 3), layer__rate=(4, 4, 4))
    assert base.derive(layer__units=[6, 3]) == CoreConfig.of((9, 6, 3))
    assert base.derive(layer__units=[7, 5, 3]).rates == (4, 4, 4)
