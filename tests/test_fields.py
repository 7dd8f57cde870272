"""Fields that only some memories or neurons read: which those are, and what others do with them."""

import numpy as np
import pytest

from hebbware.golden import decoder, estimate
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.fields import OF_DYNAMICS, OF_MEMORIES, derived, unread
from hebbware.golden.memory import KINDS

LAYERS = (9, 6, 5, 3)
OTHER = {  # another value than that of `config`, for each field that is not always read
    "memory_bits": 12, "read_bits": 7, "read_fraction": 7, "beta_log2": 1, "horizon": 3,
    "window": 8, "kappa": 0.5, "gamma": 1.0, "sigmas": (0.5, 0.2, 1.5), "projection": 8,
    "gating": "error", "reservoir_units": 64, "reservoir_bits": 10, "reservoir_topology": "cycle",
    "reservoir_gain": -4, "reservoir_lanes": 4, "reservoir_seed": 5, "readout": "zero",
    "time_steps": 3, "leak_shifts": (2, 3),
}  # fmt: skip
FITTING = OTHER | {"read_bits": 9, "read_fraction": 5}
CHOSEN = {"horizon": 4, "window": 4, "kappa": 1.0, "time_steps": 2, "reservoir_units": 32}


@pytest.fixture(autouse=True)
def _no_training(monkeypatch):
    """Decoders of random weights, or zeros."""

    def weights(config):
        shape = (config.classes * config.projection, config.reservoir_units)
        return np.random.default_rng(0).integers(-9, 9, shape) * (config.readout != "zero")

    monkeypatch.setattr(decoder, "decoder_weights", weights)


def config(memory, dynamics="static"):
    fields = {"layers": LAYERS, "lanes": 4, "steps": (4, 4, 4), **CHOSEN}
    return CoreConfig(**derived(fields, {"memory": memory, "dynamics": dynamics}))


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


def test_every_such_field_has_another_value():
    assert set(OTHER) == OF_MEMORIES | OF_DYNAMICS


@pytest.mark.parametrize(
    ("memory", "dynamics"), [*((memory, "static") for memory in KINDS), ("gated", "leaky")]
)
def test_what_is_read_matters_and_what_is_not_does_not(memory, dynamics):
    base = config(memory, dynamics)
    found, fixed = behaviour(base), {*KINDS[memory].fixed(base)}
    # the datapath takes these from the default: no codes, one step
    fixed |= {"kappa", "time_steps"} & unread(memory, dynamics).keys()
    for field in OTHER.keys() - fixed:
        other = config(memory, dynamics)
        object.__setattr__(other, field, OTHER[field])
        differs = behaviour(other) != found
        assert differs == (field not in unread(memory, dynamics)), field


@pytest.mark.parametrize("dynamics", ["static", "leaky"])
@pytest.mark.parametrize("memory", KINDS)
def test_what_is_not_read_is_refused(memory, dynamics):
    for field, reason in unread(memory, dynamics).items():
        value = OTHER[field]
        with pytest.raises(InputError, match=rf"^{field} must be .*{reason}, not ") as caught:
            CoreConfig(**{**config(memory, dynamics).to_dict(), field: value})
        assert "\n" not in str(caught.value)
        assert str(value) in str(caught.value)


def test_names_are_checked_whoever_reads_them():
    for field, value in {
        "gating": "banana", "readout": "nonsense", "reservoir_topology": "ring",
        "dynamics": "spiking", "modulator": "none",
    }.items():  # fmt: skip
        for memory in ("gated", "reservoir"):
            with pytest.raises(InputError, match=rf"^{field} must be one of .*, not '{value}'"):
                CoreConfig(layers=LAYERS, **({"memory": memory} | {field: value}))


@pytest.mark.parametrize("memory", KINDS)
def test_files_and_fingerprint_have_what_is_read(memory):
    some = config(memory)
    values = some.to_dict()
    assert not unread(memory, "static").keys() & values.keys()
    assert not unread(memory, "static").keys() & {
        line.partition(" ")[0] for line in some.to_toml().splitlines()
    }
    assert CoreConfig.from_dict(values) == some
    spelled = {f: getattr(CoreConfig, f) for f in unread(memory, "static") if f != "horizon"}
    assert CoreConfig(**{**spelled, **values}).fingerprint == some.fingerprint
    others = [some.derive(**{f: FITTING[f]}) for f in KINDS[memory].reads]
    assert len({some.fingerprint, *(c.fingerprint for c in others)}) == 1 + len(others)


@pytest.mark.parametrize("memory", KINDS)
@pytest.mark.parametrize("before", KINDS)
def test_a_memory_takes_the_place_of_another(before, memory):
    base, found = config(before), config(before).derive(memory=memory, weight_bits=9)
    assert (found.memory, found.modulator) == (memory, KINDS[memory].modulator)
    assert (found.weight_bits, found.steps, found.lanes) == (9, (4, 4, 4), 4)
    for field in {*KINDS[before].reads} & {*KINDS[memory].reads}:
        assert getattr(found, field) == getattr(base, field)


def test_defaults_follow_the_memory():
    horizons = {m: CoreConfig(layers=LAYERS, memory=m).horizon for m in ("gated", "trace")}
    assert horizons == {"gated": 12, "trace": 8}
    assert CoreConfig(layers=LAYERS, memory="trace", memory_bits=10).horizon == 2
    assert CoreConfig(layers=LAYERS, memory="reservoir").horizon == 6
    assert CoreConfig(layers=LAYERS, modulator="hsic").memory == "samples"
    assert CoreConfig(layers=LAYERS).memory == "gated"
    hsic = CoreConfig(layers=LAYERS, modulator="hsic", z_bits=7, z_fraction=3)
    assert (hsic.memory_bits, hsic.read_bits, hsic.read_fraction) == (7, 7, 3)
    assert hsic.derive(z_bits=6).read_bits == 6
    assert hsic.derive(modulator="class-memory") == CoreConfig(
        layers=LAYERS, z_bits=7, z_fraction=3
    )
