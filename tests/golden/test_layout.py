"""The memory map: every number in exactly one place, found by its address."""

import numpy as np
import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.program.layout import Layout, place_of

SIZES = [((13, 7, 5, 3), 4), ((13, 7, 5, 3), 1), ((8, 16, 4), 16), ((5, 33, 64, 31, 9), 32)]
cases = pytest.mark.parametrize(("layers", "lanes"), SIZES)


def numbered(shapes):
    """Arrays of these shapes whose entries are 1, 2, 3, ..."""
    arrays, first = [], 1
    for shape in shapes:
        size = int(np.prod(shape))
        arrays.append(np.arange(first, first + size).reshape(shape))
        first += size
    return arrays


def weights_of(cfg):
    shapes = [(n + 1, m) for n, m in zip(cfg.sizes, cfg.hidden)]  # noqa: B905
    return numbered([*shapes, (cfg.classes, cfg.hidden[-1])])


def memories_of(cfg):
    return numbered([(cfg.classes, m) for m in cfg.hidden])


@cases
def test_every_weight_has_exactly_one_address(layers, lanes):
    cfg = CoreConfig.of(layers, lanes=lanes)
    layout, weights = Layout(cfg), weights_of(cfg)
    words = layout.weight_words(weights)
    assert words.shape == (layout.weight_bases[-1], lanes)
    count = sum(w.size for w in weights)
    assert sorted(words[words > 0].tolist()) == list(range(1, count + 1))
    assert not words[words <= 0].any()  # lanes beyond a layer's size hold zeros


@cases
def test_address_of_a_weight(layers, lanes):
    """Unit i in lane ``i % lanes`` of block ``i // lanes``; a block's rows one after another."""
    cfg = CoreConfig.of(layers, lanes=lanes)
    layout, weights = Layout(cfg), weights_of(cfg)
    words = layout.weight_words(weights)
    address = 0
    for layer, units in enumerate(cfg.hidden):
        assert layout.weight_bases[layer] == address
        rows = cfg.sizes[layer] + 1
        for block in range(-(-units // lanes)):
            for row in range(rows):
                for unit in range(block * lanes, min((block + 1) * lanes, units)):
                    assert words[address, unit % lanes] == weights[layer][row, unit]
                address += 1
    assert layout.weight_bases[-2] == address
    for label in range(cfg.classes):
        for block in range(-(-cfg.hidden[-1] // lanes)):
            for unit in range(block * lanes, min((block + 1) * lanes, cfg.hidden[-1])):
                assert words[address, unit % lanes] == weights[-1][label, unit]
            address += 1
    assert layout.weight_bases[-1] == address


@cases
def test_every_memory_entry_has_exactly_one_address(layers, lanes):
    cfg = CoreConfig.of(layers, lanes=lanes)
    layout, memories = Layout(cfg), memories_of(cfg)
    words = layout.memory_words(memories)
    assert words.shape == (layout.memory_bases[-1], lanes)
    address = 0
    for layer, units in enumerate(cfg.hidden):
        assert layout.memory_bases[layer] == address
        for label in range(cfg.classes):
            for block in range(-(-units // lanes)):
                for unit in range(block * lanes, min((block + 1) * lanes, units)):
                    assert words[address, unit % lanes] == memories[layer][label, unit]
                address += 1
    assert np.count_nonzero(words) == sum(m.size for m in memories)


@cases
def test_round_trips(layers, lanes):
    cfg = CoreConfig.of(layers, lanes=lanes)
    layout = Layout(cfg)
    for arrays, back in (
        (weights_of(cfg), layout.weights_from(layout.weight_words(weights_of(cfg)))),
        (memories_of(cfg), layout.memories_from(layout.memory_words(memories_of(cfg)))),
    ):
        assert [a.tolist() for a in arrays] == [b.tolist() for b in back]
    values = np.arange(2 * cfg.hidden[0]).reshape(2, -1)
    assert (layout.units_of(layout.lanes_of(values), cfg.hidden[0]) == values).all()


@cases
def test_vectors_lie_block_after_block(layers, lanes):
    layout = Layout(CoreConfig.of(layers, lanes=lanes))
    blocks = [-(-units // lanes) for units in layers[1:-1]]
    assert layout.vector_bases == (0, *np.cumsum(blocks).tolist())
    assert [layout.blocks(n) for n in range(len(blocks))] == blocks
    assert [layout.rows(n) for n in range(len(blocks))] == [n + 1 for n in layers[:-2]]


@cases
def test_each_place_of_a_memory_is_found_by_its_address(layers, lanes):
    cfg = CoreConfig.of(layers, lanes=lanes)
    layout = Layout(cfg)
    for words_of, arrays in (
        (layout.weight_words, weights_of(cfg)),
        (layout.memory_words, memories_of(cfg)),
    ):
        words = words_of(arrays)
        shapes = [array.shape for array in arrays]
        rng = np.random.default_rng(0)
        for address, lane in zip(*(rng.integers(0, n, 100) for n in words.shape), strict=True):
            found = place_of(words_of, shapes, address, lane)
            assert (0 if found is None else arrays[found[0]][found[1]]) == words[address, lane]
        assert place_of(words_of, shapes, len(words), 0) is None
        assert place_of(words_of, shapes, 0, words.shape[1]) is None
