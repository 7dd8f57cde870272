"""Configurations: files, presets, derived facts, and the message of every rule."""

import dataclasses
import math
import re

import pytest

from hebbware.golden.commands import ADDRESS_BITS, LANE_BITS
from hebbware.golden.config import NO_LABEL, CoreConfig, load, presets
from hebbware.golden.errors import InputError
from hebbware.golden.fixed import Format
from hebbware.golden.layout import Layout
from hebbware.golden.ranges import ENTRIES, WHOLE
from hebbware.hdl.loader import sample_width
from hebbware.hdl.results import result_width

LAYERS = (8, 6, 5, 3)
LEAKY, HSIC = {"dynamics": "leaky"}, {"modulator": "hsic"}

# what is wrong, and what the message must say: the field, the rule, the value
RULES = [
    ({"layers": (8,)}, r"layers must name inputs, at least one hidden .*, not \[8\]"),
    ({"layers": (8, 3)}, r"layers must name inputs, .*, not \[8, 3\]"),
    ({"layers": (0, 6, 3)}, r"layers must lie in 1\.\.4096, not 0"),
    ({"layers": (8, 4097, 3)}, r"layers must lie in 1\.\.4096, not 4097"),
    ({"layers": (8, 1, 3)}, r"layers \(hidden\) must lie in 2\.\.4096, not 1"),
    ({"layers": (8, 6, 1)}, r"layers \(classes\) must lie in 2\.\.64, not 1"),
    ({"layers": (8, 6, 65)}, r"layers \(classes\) must lie in 2\.\.64, not 65"),
    ({"layers": "8-6-3"}, r"layers must be a list of whole numbers, not '8-6-3'"),
    ({"layers": (8, 6.0, 3)}, r"layers must be a list of whole numbers, not \(8, 6\.0, 3\)"),
    ({"layers": (8, True, 3)}, r"layers must be a list of whole numbers, not \(8, True, 3\)"),
    ({"lanes": 0}, r"lanes must lie in 1\.\.128, not 0"),
    ({"lanes": 129}, r"lanes must lie in 1\.\.128, not 129"),
    ({"lanes": "four"}, r"lanes must be a whole number, not 'four'"),
    ({"lanes": 4.0}, r"lanes must be a whole number, not 4\.0"),
    ({"lanes": True}, r"lanes must be a whole number, not True"),
    (
        {"layers": (4096, 4096, 10), "lanes": 1},
        r"lanes must keep the weight memory of .* within the 2097152 words .*, not 16822272",
    ),
    (
        {"memory": "none", "kappa": 0.5},
        r"kappa must be .*, as the none memory does not read it, not 0\.5",
    ),
    ({"memory": "window", "window": 24}, r"window must be a power of two in 2\.\.256, not 24"),
    ({"memory": "window", "window": 1}, r"window must be a power of two in 2\.\.256, not 1"),
    ({"memory": "window", "window": 512}, r"window must be a power of two in 2\.\.256, not 512"),
    ({"memory": "window", "window": 0}, r"window must be a power of two in 2\.\.256, not 0"),
    ({"steps": (7, 6)}, r"steps must have one entry for each of the 3 weight layers, not \[7, 6\]"),
    ({"steps": (7, 6, 21)}, r"steps must lie in 0\.\.20, not 21"),
    ({"steps": (7, 6, 8.5)}, r"steps must be a list of whole numbers, not \(7, 6, 8\.5\)"),
    ({"steps": 7}, r"steps must be a list of whole numbers, not 7"),
    ({"init_std": (0.1,)}, r"init_std must have one entry for each of the 3 .*, not \[0\.1\]"),
    ({"init_std": (0.1, 0.1, 1.5)}, r"init_std must lie in 0\.\.1, not 1\.5"),
    ({"init_std": (0.1, -0.1, 0.5)}, r"init_std must lie in 0\.\.1, not -0\.1"),
    ({"init_std": (0.1, math.nan, 0.5)}, r"init_std must lie in 0\.\.1, not nan"),
    ({"init_std": ("a", 0.1, 0.5)}, r"init_std must be a list of numbers, not \('a', 0\.1, 0\.5\)"),
    ({"rounding": "truncate"}, r"rounding must be one of floor, nearest, .*, not 'truncate'"),
    ({"rounding": ["floor"]}, r"rounding must be one of .*, not \['floor'\]"),
    ({"memory": "lstm"}, r"memory must be one of gated, window, .*, not 'lstm'"),
    ({"memory": ["gated"]}, r"memory must be one of .*, not \['gated'\]"),
    ({"memory": "window", "kappa": "1"}, r"kappa must be a number, not '1'"),
    ({"memory": "window", "kappa": 0.3}, r"kappa must be a multiple of 0\.015625 .* not 0\.3"),
    ({"memory": "window", "kappa": 1.5}, r"kappa must be .* in 0\.\.1, not 1\.5"),
    ({"memory": "window", "kappa": -0.5}, r"kappa must be .* in 0\.\.1, not -0\.5"),
    ({"memory": "window", "kappa": math.inf}, r"kappa must be .* in 0\.\.1, not inf"),
    ({"memory": "window", "kappa": math.nan}, r"kappa must be .* in 0\.\.1, not nan"),
    ({"memory": "gated", "kappa": 0.5}, r"kappa must be .* gated memory does not .*, not 0\.5"),
    ({"u_fraction": 9, "u_bits": 9}, r"u_fraction must leave the sign .* u_bits - 1 = 8, not 9"),
    ({"z_fraction": 8}, r"z_fraction must leave the sign outside: .* = 7, not 8"),
    ({"d_fraction": 8}, r"d_fraction must leave the sign outside: .* = 7, not 8"),
    ({"read_fraction": 8}, r"read_fraction must leave the sign outside: .* = 7, not 8"),
    ({"read_fraction": 3}, r"read_fraction must be at least z_fraction = 4, not 3"),
    (
        {"weight_bits": 16, "steps": (0, 6, 8), "d_fraction": 2},
        r"steps\[0\] must be at least 4 for these formats, not 0",
    ),
    (
        {"weight_bits": 16, "steps": (7, 8, 0), "z_fraction": 0},
        r"steps\[2\] must be at least 4 for these formats, not 0",
    ),
    (
        {"steps": (20, 6, 8), "weight_bits": 4, "step_extra": 8},
        r"update shift within 32 random bits, not 40",
    ),
    (
        {"memory": "trace", "horizon": 9},
        r"horizon must be at most memory_bits - z_bits = 8 for the trace memory, not 9",
    ),
    (
        {"memory": "window", "window": 32, "memory_bits": 12},
        r"window must be at most 2\*\*\(memory_bits - z_bits\) = 16 so that its sums .*, not 32",
    ),
    ({"gating": 3}, r"gating must be one of class, error, not 3"),
    ({"gating": "banana"}, r"gating must be one of class, error, not 'banana'"),
    (
        {"memory": "reservoir", "projection": 6},
        r"projection must be a power of two in 2\.\.64, not 6",
    ),
    ({"memory": "reservoir", "gating": "label"}, r"gating must be one of class, error"),
    (
        {"memory": "reservoir", "reservoir_units": 48},
        r"reservoir_units must be a power of two in 16\.\.512, .* words of the lanes, not 48",
    ),
    (
        {"memory": "reservoir", "reservoir_lanes": 32},
        r"reservoir_lanes must be a power of two in 1\.\.16, not 32",
    ),
    ({"memory": "reservoir", "reservoir_topology": "ring"}, r"topology must be one of sparse"),
    ({"memory": "reservoir", "readout": "delta"}, r"readout must be one of ridge, .*, not 'delta'"),
    ({"memory": "reservoir", "read_bits": 7}, r"read_bits must be at least read_fraction \+ 2"),
    ({"memory": "reservoir", "memory_bits": 9}, r"memory_bits must be at least 10 .*, not 9"),
    (
        {"memory": "reservoir", "projection": 64, "layers": (8, 6, 17)},
        r"projection x classes must be at most 1024 inputs of the reservoir, not 64 x 17",
    ),
    ({"modulator": "gated"}, r"modulator must be one of class-memory, hsic, not 'gated'"),
    (
        {"modulator": "hsic", "memory": "gated"},
        r"modulator must be class-memory for the gated memory, not 'hsic'",
    ),
    ({"memory": "samples"}, r"modulator must be hsic for the samples memory, not 'class-memory'"),
    (HSIC | {"gamma": 16.5}, r"gamma must lie in 0\.\.16, not 16\.5"),
    (HSIC | {"sigmas": (1, 1)}, r"sigmas must be three widths, of x, y and z, not \[1\.0, .*\]"),
    (HSIC | {"sigmas": (1, 0, 1)}, r"sigmas must lie above 0 and up to 1000, not 0\.0"),
    ({"dynamics": "spiking"}, r"dynamics must be one of static, leaky, not 'spiking'"),
    ({"time_steps": 20}, r"time_steps must be left out .* static neurons do not read it, not 20"),
    ({"centred": 1}, r"centred must be true or false, not 1"),
    ({"centred": True, "x_bits": 1}, r"x_bits must lie in 2\.\.8, not 1"),
    (LEAKY | {"leak_shifts": ()}, r"leak_shifts must be one shift, or .*, not \[\]"),
    (LEAKY | {"leak_shifts": (4, 3)}, r"leak_shifts must be one .* in order, not \[4, 3\]"),
    (LEAKY | {"leak_shifts": (3, 3)}, r"leak_shifts must be one .* in order, not \[3, 3\]"),
    (LEAKY | {"leak_shifts": (1, 2, 3)}, r"leak_shifts must be one shift, or"),
    (LEAKY | {"leak_shifts": (0, 3)}, r"leak_shifts must lie in 1\.\.8, or be \[0\], not \[0, 3\]"),
    (LEAKY | {"leak_shifts": (9,)}, r"leak_shifts must lie in 1\.\.8, or be \[0\], not \[9\]"),
    (LEAKY | {"leak_shifts": 3}, r"leak_shifts must be a list of whole numbers, not 3"),
]  # fmt: skip

RANGES = {
    "weight_bits": (4, 16),
    "weight_ports": (1, 2),
    "time_steps": (1, 255),
    "slope_shift": (0, 7),
    "x_bits": (1, 8),
    "u_bits": (6, 16),
    "u_fraction": (4, 12),
    "z_bits": (3, 16),
    "z_fraction": (0, 12),
    "d_bits": (2, 16),
    "d_fraction": (0, 14),
    "memory_bits": (4, 18),
    "horizon": (1, 20),
    "read_bits": (2, 16),
    "read_fraction": (0, 14),
    "error_fraction": (6, 14),
    "beta_log2": (0, 8),
    "reservoir_bits": (4, 16),
    "reservoir_gain": (-16, 16),
    "reservoir_seed": (0, 2**32 - 1),
    "step_epochs": (0, 1000),
    "step_extra": (0, 8),
    "exp_bits": (4, 10),
    "reciprocal_bits": (3, 10),
    "rsqrt_bits": (4, 10),
    "seed": (0, 2**32 - 1),
}


@pytest.mark.parametrize(
    ("values", "message"), RULES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_rule(values, message):
    with pytest.raises(InputError, match=message):
        CoreConfig(**{"layers": LAYERS} | values)


READERS = {"time_steps": LEAKY} | {
    name: {"memory": "reservoir"}
    for name in ("reservoir_bits", "reservoir_gain", "reservoir_seed", "reservoir_lanes")
}


@pytest.mark.parametrize("field", RANGES)
def test_range(field):
    low, high = RANGES[field]
    for value in (low - 1, high + 1):
        with pytest.raises(InputError, match=rf"{field} must lie in {low}\.\.{high}, not {value}$"):
            CoreConfig(layers=LAYERS, **{field: value}, **READERS.get(field, {}))
    with pytest.raises(InputError, match=rf"{field} must be a whole number, not 5\.5"):
        CoreConfig(layers=LAYERS, **{field: 5.5})


def test_every_field_is_covered_by_a_rule():
    named = set(RANGES) | {field for values, _ in RULES for field in values}
    assert {field.name for field in dataclasses.fields(CoreConfig)} == named


def test_unknown_and_missing_keys():
    with pytest.raises(InputError, match=r"unknown configuration key 'lane'; did you mean lanes\?"):
        CoreConfig.from_dict({"layers": [8, 6, 3], "lane": 4})
    with pytest.raises(InputError, match="layers must be given"):
        CoreConfig.from_dict({"lanes": 4})


def test_messages_are_one_line():
    for values, _ in RULES:
        with pytest.raises(InputError) as caught:
            CoreConfig(**{"layers": LAYERS} | values)
        assert "\n" not in str(caught.value)


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lanes": 3, "rounding": "nearest", "memory": "window", "kappa": 0.5, "seed": 2**32 - 1},
        {"memory": "codes"},
        {"init_std": (1 / 3, 0.1, 1), "steps": [9, 9, 9]},
    ],
)
def test_toml_round_trip(options, tmp_path):
    config = CoreConfig(layers=LAYERS, **options)
    path = tmp_path / "some.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    assert load(path) == config
    assert CoreConfig.from_dict(config.to_dict()) == config


def test_presets_load_and_the_issue_names_are_there():
    assert {"xor", "linear", "digits", "mnist"} <= set(presets())
    for name in presets():
        assert load(name).classes >= 2
    assert load("mnist").layers == (784, 128, 64, 10)
    assert load("mnist").lanes == 64


FILES = [
    (b"layers = [8, 6", "not valid TOML"),
    (b"lanes = 4", "layers must be given"),
    (b"layers = [8, 6, 3]\nspeed = 9", "unknown configuration key 'speed'"),
    (b"layers = [8, 6, 3]\nlanes = 0", r"lanes must lie in 1\.\.128, not 0"),
    (b"\xff\xfe\x00", "not a text file"),
]


@pytest.mark.parametrize(("content", "message"), FILES, ids=[message for _, message in FILES])
def test_bad_files(content, message, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(path)


def test_unknown_preset():
    names = re.escape(", ".join(presets()))
    with pytest.raises(
        InputError, match=rf"config must be a preset \({names}\) or .*, not 'mnits': No such"
    ):
        load("mnits")


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(InputError, match="config must be .*: Is a directory"):
        load(tmp_path)


# -- derived facts ---------------------------------------------------------------------------------


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CoreConfig(layers=LAYERS).lanes = 3


def test_published_formats_are_the_defaults():
    config = CoreConfig(layers=(784, 128, 64, 10))
    assert config.x == Format(8, 8, signed=False)
    assert config.weight == Format(12, 10)
    assert config.u == Format(16, 8)
    assert config.z == Format(8, 4)
    assert config.d == Format(8, 6)
    assert config.read == Format(8, 6)
    assert config.steps == (7, 6, 8)
    assert config.init_std == pytest.approx((1 / 10, 128**-0.5, 64**-0.5 / 2))
    assert (config.k.real(config.k.min), config.e.real(config.e.min)) == (-4, -2)


def test_sizes():
    config = CoreConfig(layers=LAYERS)
    assert (config.inputs, config.hidden, config.classes) == (8, (6, 5), 3)
    assert config.source(0) == config.x
    assert config.source(2) == config.z


@pytest.mark.parametrize("weight_bits", [8, 12])
def test_shifts_bring_products_to_weight_units(weight_bits):
    """A step is 2**-h of the real product: raw units of weight = product >> shift."""
    config = CoreConfig(layers=LAYERS, weight_bits=weight_bits)
    one = 2 ** (weight_bits - 2)
    for layer, (source, post) in enumerate(((256, 64), (16, 64), (16, 1024))):
        # 1.0 x 1.0 moves the weight by 2**-h
        assert source * post / 2 ** config.step_shifts[layer] == one / 2 ** config.steps[layer]
    assert config.update_shift >= max(config.step_shifts) + config.step_extra
    assert config.update_shift >= config.horizon


def test_words_of_streams_and_commands_hold_the_largest_core():
    _, classes = ENTRIES["layers (classes)"]
    assert classes - 1 < NO_LABEL < 1 << sample_width(CoreConfig(layers=LAYERS, x_bits=1))
    assert classes - 1 < 1 << result_width(CoreConfig(layers=LAYERS, u_bits=6, u_fraction=4)) - 1
    assert WHOLE["lanes"][1] == 1 << LANE_BITS
    largest = CoreConfig(layers=(4096, 4096, 10), lanes=9)
    assert Layout(largest).weight_bases[-1] <= 1 << ADDRESS_BITS


def test_schedule_halves_up_to_its_limit():
    each = CoreConfig(layers=LAYERS, step_epochs=2, step_extra=3)
    assert [each.extra(epoch) for epoch in range(10)] == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]
    constant = CoreConfig(layers=LAYERS, step_epochs=0)
    assert {constant.extra(epoch) for epoch in range(50)} == {0}


def test_memory_kinds():
    facts = {
        kind: (c.learns_hidden, c.writes_memory, c.kappa)
        for kind in ("gated", "window", "trace", "codes", "none")
        for c in [CoreConfig(layers=LAYERS, memory=kind)]
    }
    assert facts == {
        "gated": (True, True, 0.0),
        "window": (True, True, 0.0),
        "trace": (True, True, 0.0),
        "codes": (True, False, 1.0),
        "none": (False, False, 0.0),
    }
