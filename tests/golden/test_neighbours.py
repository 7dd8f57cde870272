"""What a field costs, by hand: words, bits and clocks of a small core."""

import pytest

from hebbware.golden.config import CoreConfig, load
from hebbware.golden.estimate import estimate
from hebbware.golden.estimate.neighbours import neighbours

CONFIG = CoreConfig.of((8, 4, 2), lanes=4)


def costs(config=CONFIG, nonzero=8):
    return {(n.field, str(n.other)): n.more for n in neighbours(config, nonzero)}


@pytest.mark.parametrize(
    ("field", "other", "bits"),
    [
        # a word of 4 lanes for each of 8 inputs and the bias, and for each class
        ("formats.weight_bits", 13, 4 * (9 + 2)),
        ("formats.weight_bits", 11, -4 * (9 + 2)),
        ("memory.bits", 17, 4 * 2),  # a word for each class
        ("formats.exp_bits", 8, 128 * 11),  # twice the entries
        ("formats.rsqrt_bits", 5, -32 * 10),
        ("update.rounding", "floor", 0),
    ],
)
def test_bits_of_memory(field, other, bits):
    assert costs()[field, str(other)]["memory_bits"] == bits


def test_one_port_takes_a_clock_more_for_each_word_that_is_changed():
    more = costs()["weight_ports", "1"]
    assert more["clocks"] >= 9 + 2
    assert {more[key] for key in more if key != "clocks"} == {0}


def test_sizes_are_halved_and_doubled():
    found = {n.field: [] for n in neighbours(CONFIG, 8)}
    for one in neighbours(CONFIG, 8):
        found[one.field].append(one.other)
    assert found["lanes"] == [2, 8]
    assert found["input.size"] == [4, 16]
    assert found["layer.units"] == [[2, 2], [8, 2]]  # as many classes
    assert found["formats.weight_bits"] == [11, 13]
    assert "seed" not in found
    assert "layer.init_std" not in found


def test_ends_of_a_range_have_one_neighbour():
    config = CONFIG.derive(input__bits=8, formats__weight_bits=16)
    assert [n.other for n in neighbours(config, 8) if n.field == "formats.weight_bits"] == [15]
    assert [n.other for n in neighbours(config, 8) if n.field == "input.bits"] == [7]


@pytest.mark.parametrize("preset", ["digits-rows", "digits-conv", "xor-leaky"])
def test_a_neighbour_is_that_configuration(preset):
    config = load(preset)
    for one in neighbours(config, 1):
        other = config.derive(**{one.field: one.other})
        more = estimate.memory_bits(other) - estimate.memory_bits(config)
        assert one.more["memory_bits"] == more
