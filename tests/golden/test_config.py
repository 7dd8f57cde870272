"""Configurations: files, presets, derived facts, and the message of every rule."""

import dataclasses
import math
import re

import pytest

from hebbware.golden.arithmetic.fixed import Format
from hebbware.golden.config import NO_LABEL, CoreConfig, dense, domains, former, load, presets
from hebbware.golden.errors import InputError
from hebbware.golden.layers import Readout
from hebbware.golden.program.commands import ADDRESS_BITS, LANE_BITS
from hebbware.golden.program.layout import Layout
from hebbware.hdl.loader import sample_width
from hebbware.hdl.results import result_width

LAYERS = (8, 6, 5, 3)
LEAKY, HSIC = {"neuron.kind": "leaky"}, {"modulator.kind": "hsic"}
WINDOW, RESERVOIR = {"memory.kind": "window"}, {"memory.kind": "reservoir"}

# what is wrong, and what the message must say: the field, the rule, the value
RULES = [
    ({"layer.units": []}, r"layer must be at least one hidden layer, then a readout, not none"),
    ({"layer.units": [3]}, r"layer must be at least one hidden layer, then a readout, not readout"),
    ({"layer.kind": ["readout"] * 3}, r"layer must be at least one hidden layer, then a readout"),
    ({"layer.kind": ["dense"] * 3}, r"layer must be at least .*, not dense, dense, dense"),
    ({"layer.kind": ["dense", "wide", "readout"]}, r"kind must be one of dense, .*, not 'wide'"),
    (dense((0, 6, 3)), r"input\.size must lie in 1\.\.4096, not 0"),
    (dense((8, 4097, 3)), r"layer\.units must lie in 2\.\.4096, not 4097"),
    (dense((8, 1, 3)), r"layer\.units must lie in 2\.\.4096, not 1"),
    (dense((8, 6, 1)), r"layer\.units must lie in 2\.\.64, not 1"),
    (dense((8, 6, 65)), r"layer\.units must lie in 2\.\.64, not 65"),
    ({"layer.units": "6-3"}, r"layer\.units must be a list, a value for each layer, not '6-3'"),
    (dense((8, 6.0, 3)), r"layer\.units must be a whole number, not 6\.0"),
    (dense((8, True, 3)), r"layer\.units must be a whole number, not True"),
    ({"lanes": 0}, r"lanes must lie in 1\.\.128, not 0"),
    ({"lanes": 129}, r"lanes must lie in 1\.\.128, not 129"),
    ({"lanes": "four"}, r"lanes must be a whole number, not 'four'"),
    ({"lanes": 4.0}, r"lanes must be a whole number, not 4\.0"),
    ({"lanes": True}, r"lanes must be a whole number, not True"),
    (
        dense((4096, 4096, 10)) | {"lanes": 1},
        r"lanes must keep the weight memory of .* within the 2097152 words .*, not 16822272",
    ),
    (
        {"memory.kind": "none", "memory.kappa": 0.5},
        r"memory\.kappa must be left out where memory\.kind is 'none'; it belongs to 'window', ",
    ),
    *(
        (
            {"memory.kind": "window", "memory.window": wrong},
            rf"memory\.window must be a power of two in 2\.\.256, not {wrong}",
        )
        for wrong in (24, 1, 512, 0)
    ),
    (HSIC | {"memory.window": 64}, r"memory\.window must be a power of two in 2\.\.32, not 64"),
    ({"layer.rate": (7, 6)}, r"layer\.rate must have one entry for .* the 3 layers, not \[7, 6\]"),
    ({"layer.rate": (7, 6, 21)}, r"layer\.rate must lie in 0\.\.20, not 21"),
    ({"layer.rate": (7, 6, 8.5)}, r"layer\.rate must be a whole number, not 8\.5"),
    ({"layer.rate": 7}, r"layer\.rate must be a list, a value for each layer, not 7"),
    ({"layer.init_std": (0.1,)}, r"layer\.init_std must have one entry .* 3 layers, not \[0\.1\]"),
    ({"layer.init_std": (0.1, 0.1, 1.5)}, r"layer\.init_std must lie in 0\.\.1, not 1\.5"),
    ({"layer.init_std": (0.1, -0.1, 0.5)}, r"layer\.init_std must lie in 0\.\.1, not -0\.1"),
    ({"layer.init_std": (0.1, math.nan, 0.5)}, r"layer\.init_std must lie in 0\.\.1, not nan"),
    ({"layer.init_std": ("a", 0.1, 0.5)}, r"layer\.init_std must be a number, not 'a'"),
    ({"update.rounding": "truncate"}, r"rounding must be one of floor, .*, not 'truncate'"),
    ({"update.rounding": ["floor"]}, r"rounding must be one of .*, not \['floor'\]"),
    ({"memory.kind": "lstm"}, r"memory\.kind must be one of gated, window, .*, not 'lstm'"),
    ({"memory.kind": ["gated"]}, r"memory\.kind must be one of .*, not \['gated'\]"),
    (WINDOW | {"memory.kappa": "1"}, r"kappa must be a number, not '1'"),
    (WINDOW | {"memory.kappa": 0.3}, r"kappa must be a multiple of 0\.015625 .* not 0\.3"),
    (WINDOW | {"memory.kappa": 1.5}, r"kappa must lie in 0\.\.1, not 1\.5"),
    (WINDOW | {"memory.kappa": -0.5}, r"kappa must lie in 0\.\.1, not -0\.5"),
    (WINDOW | {"memory.kappa": math.inf}, r"kappa must lie in 0\.\.1, not inf"),
    (WINDOW | {"memory.kappa": math.nan}, r"kappa must lie in 0\.\.1, not nan"),
    ({"memory.kind": "codes", "memory.kappa": 0.0}, r"kappa must lie above 0 where codes are all"),
    ({"memory.kind": "gated", "memory.kappa": 0.5}, r"kappa must be left out where .* is 'gated'"),
    (
        {"formats.u_fraction": 9, "formats.u_bits": 9},
        r"u_fraction must leave the sign .* formats\.u_bits - 1 = 8, not 9",
    ),
    ({"formats.z_fraction": 8}, r"z_fraction must leave the sign outside: .* = 7, not 8"),
    ({"formats.d_fraction": 8}, r"d_fraction must leave the sign outside: .* = 7, not 8"),
    ({"memory.read_fraction": 8}, r"read_fraction must leave the sign outside: .* = 7, not 8"),
    ({"memory.read_fraction": 3}, r"read_fraction must be at least formats\.z_fraction = 4, not 3"),
    (
        {"formats.weight_bits": 16, "layer.rate": (0, 6, 8), "formats.d_fraction": 2},
        r"layer\.rate must be at least 4 in layer 0 for these formats, not 0",
    ),
    (
        {"formats.weight_bits": 16, "layer.rate": (7, 8, 0), "formats.z_fraction": 0},
        r"layer\.rate must be at least 4 in layer 2 for these formats, not 0",
    ),
    (
        {"layer.rate": (20, 6, 8), "formats.weight_bits": 4, "update.halvings": 8},
        r"update shift within 32 random bits, not 40",
    ),
    (
        {"memory.kind": "trace", "memory.horizon": 9},
        r"horizon must be at most memory\.bits - formats\.z_bits = 8 for the trace memory, not 9",
    ),
    (
        WINDOW | {"memory.window": 32, "memory.bits": 12},
        r"window must be at most 2\*\*\(memory\.bits - .*z_bits\) = 16 so that its sums .*, not 32",
    ),
    ({"memory.gating": "error"}, r"gating must be left out .*; it belongs to 'reservoir'"),
    (RESERVOIR | {"memory.gating": 3}, r"gating must be one of class, error, not 3"),
    (RESERVOIR | {"memory.projection": 6}, r"projection must be a power of two in 2\.\.64, not 6"),
    (RESERVOIR | {"memory.gating": "label"}, r"gating must be one of class, error"),
    (
        RESERVOIR | {"reservoir.units": 48},
        r"reservoir\.units must be a power of two in 16\.\.512, .* words of the lanes, not 48",
    ),
    (
        RESERVOIR | {"reservoir.lanes": 32},
        r"reservoir\.lanes must be a power of two in 1\.\.16, not 32",
    ),
    (RESERVOIR | {"reservoir.topology": "ring"}, r"topology must be one of sparse"),
    (RESERVOIR | {"reservoir.decoder": "delta"}, r"decoder must be one of ridge, .*, not 'delta'"),
    ({"reservoir.units": 16}, r"reservoir must be left out where memory\.kind is 'gated'"),
    (RESERVOIR | {"memory.read_bits": 7}, r"read_bits must be at least memory\.read_fraction \+ 2"),
    (RESERVOIR | {"memory.bits": 9}, r"memory\.bits must be at least 10 .*, not 9"),
    (
        RESERVOIR | {"memory.projection": 64, **dense((8, 6, 17))},
        r"projection x classes must be at most 1024 inputs of the reservoir, not 64 x 17",
    ),
    ({"modulator.kind": "gated"}, r"modulator\.kind must be one of class-memory, hsic, none, "),
    (
        {"modulator.kind": "hsic", "memory.kind": "gated"},
        r"modulator\.kind must be 'class-memory' where memory\.kind is 'gated', not 'hsic'",
    ),
    (
        {"memory.kind": "samples", "modulator.kind": "class-memory"},
        r"modulator\.kind must be 'hsic' where memory\.kind is 'samples', not 'class-memory'",
    ),
    (HSIC | {"modulator.gamma": 16.5}, r"gamma must lie in 0\.\.16, not 16\.5"),
    (HSIC | {"modulator.sigmas": (1, 1)}, r"sigmas must be three widths, .* z, not \[1\.0, .*\]"),
    (HSIC | {"modulator.sigmas": (1, 0, 1)}, r"sigmas must lie above 0, not \[1\.0, 0\.0, 1\.0\]"),
    ({"neuron.kind": "spiking"}, r"neuron\.kind must be one of static, leaky, lif, not 'spiking'"),
    ({"neuron.time_steps": 20}, r"time_steps must be left out where neuron\.kind is 'static'"),
    ({"input.centred": 1}, r"centred must be true or false, not 1"),
    ({"input.centred": True, "input.bits": 1}, r"bits must be at least 2 where they are centred"),
    ({"input.runs": 1}, r"runs must be true or false, not 1"),
    (HSIC | {"input.runs": True}, r"input\.runs must be false where modulator\.kind is 'hsic'"),
    ({"update.overlap": 1}, r"overlap must be true or false, not 1"),
    (
        {"update.overlap": True, "weight_ports": 1},
        r"update\.overlap must be false where weight_ports is 1",
    ),
    (LEAKY | {"neuron.leak_shifts": ()}, r"leak_shifts must be one shift, or .*, not \[\]"),
    (LEAKY | {"neuron.leak_shifts": (4, 3)}, r"leak_shifts must be one .* in order, not \[4, 3\]"),
    (LEAKY | {"neuron.leak_shifts": (3, 3)}, r"leak_shifts must be one .* in order, not \[3, 3\]"),
    (LEAKY | {"neuron.leak_shifts": (1, 2, 3)}, r"leak_shifts must be one shift, or"),
    (LEAKY | {"neuron.leak_shifts": (0, 3)}, r"leak_shifts must lie .* or be \[0\], not \[0, 3\]"),
    (LEAKY | {"neuron.leak_shifts": (9,)}, r"leak_shifts must lie in 0\.\.8, not 9"),
    (LEAKY | {"neuron.leak_shifts": 3}, r"leak_shifts must be a list of whole numbers, not 3"),
    ({"formats": 3}, r"unknown configuration key 'formats'"),
    ({"memory.depth": 3}, r"unknown configuration key 'memory\.depth'"),
]  # fmt: skip

RANGES = {
    "formats.weight_bits": (4, 16),
    "weight_ports": (1, 2),
    "neuron.time_steps": (1, 255),
    "neuron.slope_shift": (0, 7),
    "input.bits": (1, 8),
    "formats.u_bits": (6, 16),
    "formats.u_fraction": (4, 12),
    "formats.z_bits": (3, 16),
    "formats.z_fraction": (0, 12),
    "formats.d_bits": (2, 16),
    "formats.d_fraction": (0, 14),
    "memory.bits": (4, 18),
    "memory.horizon": (1, 20),
    "memory.read_bits": (2, 16),
    "memory.read_fraction": (0, 14),
    "formats.error_fraction": (6, 14),
    "modulator.beta_log2": (0, 8),
    "reservoir.bits": (4, 16),
    "reservoir.gain": (-16, 16),
    "reservoir.seed": (0, 2**32 - 1),
    "update.halve_every": (0, 1000),
    "update.halvings": (0, 8),
    "formats.exp_bits": (4, 10),
    "formats.reciprocal_bits": (3, 10),
    "formats.rsqrt_bits": (4, 10),
    "seed": (0, 2**32 - 1),
    **{f"neuron.{name}": (1, 65535) for name in ("ticks", "target")},
    "neuron.trace_shift": (1, 15),
    "neuron.trace_bits": (4, 16),
    "neuron.trace_fraction": (0, 14),
    "neuron.readout_shift": (0, 15),
}
# fields of spiking units, whose values and messages are those of `test_sequence`
SPIKING = {
    "neuron.signal",
    "neuron.second_leak_shifts",
    "neuron.threshold",
    "neuron.width",
    "layer.recurrent_init_std",
}
MAPS = {  # tests/golden/test_conv.py
    "input.shape",
    *(f"layer.{name}" for name in ("features", "kernel", "stride", "pool", "grid", "gain")),
    "layer.narrow",
}
RECURRENT = {"layer.kind": ["recurrent", "readout"]}


@pytest.mark.parametrize(
    ("values", "message"), RULES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_rule(values, message):
    with pytest.raises(InputError, match=message):
        CoreConfig.from_dict({**dense(LAYERS)} | values)


READERS = {"neuron.time_steps": LEAKY} | {
    f"reservoir.{name}": RESERVOIR for name in ("bits", "gain", "seed", "lanes")
}


@pytest.mark.parametrize("field", RANGES)
def test_range(field):
    low, high = RANGES[field]
    for value in (low - 1, high + 1):
        with pytest.raises(InputError, match=rf"{field} must lie in {low}\.\.{high}, not {value}$"):
            _with(field, value)
    with pytest.raises(InputError, match=rf"{field} must be a whole number, not 5\.5"):
        _with(field, 5.5)


def _with(field, value):
    table, _, name = field.partition(".")
    spiking = table == "neuron" and name not in ("time_steps", "slope_shift")
    more = RECURRENT if spiking else READERS.get(field, {})
    CoreConfig.of((8, 4, 3) if spiking else LAYERS, **{field: value}, **more)


def test_every_field_is_covered_by_a_rule():
    named = set(RANGES) | {field for values, _ in RULES for field in values}
    assert {*domains()} <= named | SPIKING | MAPS


@pytest.mark.parametrize("name", former.NAMES)
def test_former_names_are_refused_with_the_new_ones(name):
    wanted = re.escape(former.NAMES[name])
    with pytest.raises(InputError, match=f"^{name} must be written {wanted}: "):
        CoreConfig.from_dict({**dense(LAYERS), name: 1})


def test_unknown_and_missing_keys():
    with pytest.raises(InputError, match=r"unknown configuration key 'lane'; did you mean lanes\?"):
        CoreConfig.from_dict({**dense([8, 6, 3]), "lane": 4})
    with pytest.raises(InputError, match="input.size and layer.units must be given"):
        CoreConfig.from_dict({"lanes": 4})


def test_messages_are_one_line():
    for values, _ in RULES:
        with pytest.raises(InputError) as caught:
            CoreConfig.from_dict({**dense(LAYERS)} | values)
        assert "\n" not in str(caught.value)


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "lanes": 3,
            "update.rounding": "nearest",
            "memory.kind": "window",
            "memory.kappa": 0.5,
            "seed": 2**32 - 1,
        },
        {"memory.kind": "codes"},
        {"layer.init_std": (1 / 3, 0.1, 1), "layer.rate": [9, 9, 9]},
    ],
)
def test_toml_round_trip(options, tmp_path):
    config = CoreConfig.of(LAYERS, **options)
    path = tmp_path / "some.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    assert load(path) == config
    assert CoreConfig.from_dict(config.to_dict()) == config


def test_presets_load_and_the_issue_names_are_there():
    assert {"xor", "linear", "digits", "mnist"} <= set(presets())
    for name in presets():
        assert load(name).classes >= 2
    assert load("mnist").sizes == (784, 128, 64, 10)
    assert load("mnist").lanes == 64


FILES = [
    (b"lanes = [8, 6", "not valid TOML"),
    (b"lanes = " + 5000 * b"[", "not valid TOML"),
    (b"lanes = " + 5000 * b"1", "not valid TOML"),
    (b"lanes = 4", "input.size and layer.units must be given"),
    (
        b"layer.units = [6, 3]\n[input]\nsize = 8\nspeed = 9",
        "unknown configuration key 'input.speed'",
    ),
    (b"lanes = 0\ninput.size = 8\nlayer.units = [6, 3]", r"lanes must lie in 1\.\.128, not 0"),
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
        CoreConfig.of(LAYERS).lanes = 3


def test_published_formats_are_the_defaults():
    config = CoreConfig.of((784, 128, 64, 10))
    assert config.x == Format(8, 8, signed=False)
    assert config.weight == Format(12, 10)
    assert config.u == Format(16, 8)
    assert config.z == Format(8, 4)
    assert config.d == Format(8, 6)
    assert config.read == Format(8, 6)
    assert config.rates == (7, 6, 8)
    assert [layer.init_std for layer in config.layer] == pytest.approx(
        (1 / 10, 128**-0.5, 64**-0.5 / 2)
    )
    assert (config.k.real(config.k.min), config.e.real(config.e.min)) == (-4, -2)


def test_sizes():
    config = CoreConfig.of(LAYERS)
    assert (config.inputs, config.hidden, config.classes) == (8, (6, 5), 3)
    assert config.source(0) == config.x
    assert config.source(2) == config.z


@pytest.mark.parametrize("weight_bits", [8, 12])
def test_shifts_bring_products_to_weight_units(weight_bits):
    """A step is 2**-h of the real product: raw units of weight = product >> shift."""
    config = CoreConfig.of(LAYERS, formats__weight_bits=weight_bits)
    one = 2 ** (weight_bits - 2)
    for layer, (source, post) in enumerate(((256, 64), (16, 64), (16, 1024))):
        # 1.0 x 1.0 moves the weight by 2**-h
        assert source * post / 2 ** config.step_shifts[layer] == one / 2 ** config.rates[layer]
    assert config.update_shift >= max(config.step_shifts) + config.update.halvings
    assert config.update_shift >= config.memory.horizon


def test_words_of_streams_and_commands_hold_the_largest_core():
    classes = Readout.domains()["units"].high
    assert classes - 1 < NO_LABEL < 1 << sample_width(CoreConfig.of(LAYERS, input__bits=1))
    assert (
        classes - 1
        < 1 << result_width(CoreConfig.of(LAYERS, formats__u_bits=6, formats__u_fraction=4)) - 1
    )
    assert domains()["lanes"].high == 1 << LANE_BITS
    largest = CoreConfig.of((4096, 4096, 10), lanes=9)
    assert Layout(largest).weight_bases[-1] <= 1 << ADDRESS_BITS


def test_schedule_halves_up_to_its_limit():
    each = CoreConfig.of(LAYERS, update__halve_every=2, update__halvings=3)
    assert [each.extra(epoch) for epoch in range(10)] == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]
    constant = CoreConfig.of(LAYERS, update__halve_every=0)
    assert {constant.extra(epoch) for epoch in range(50)} == {0}


def test_memory_kinds():
    facts = {
        kind: (c.learns_hidden, c.writes_memory, c.memory.kappa)
        for kind in ("gated", "window", "trace", "codes", "none")
        for c in [CoreConfig.of(LAYERS, memory__kind=kind)]
    }
    assert facts == {
        "gated": (True, True, 0.0),
        "window": (True, True, 0.0),
        "trace": (True, True, 0.0),
        "codes": (True, False, 1.0),
        "none": (False, False, 0.0),
    }
