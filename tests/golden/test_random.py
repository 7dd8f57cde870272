"""The random numbers against a loop that follows the publication, and against their promises."""

import numpy as np
import pytest

from hebbware.golden.arithmetic import random
from hebbware.golden.arithmetic.random import rotate_lanes, seed_state, xorshift32, xorshift_block


def naive(state: int, count: int) -> list[int]:
    """Marsaglia's three lines, on a C unsigned int."""
    words = []
    for _ in range(count):
        state ^= (state << 13) % 2**32
        state ^= state >> 17
        state ^= (state << 5) % 2**32
        words.append(state)
    return words


def test_published_word():
    # the first word of the paper's generator from its own seed, 2463534242
    assert xorshift32(2463534242) == 723471715


@pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 32, 33, 1000])
@pytest.mark.parametrize("state", [1, 0x80000000, 0xFFFFFFFF, 123456789])
def test_block_is_the_loop(state, count):
    block = xorshift_block(state, count)
    assert block.dtype == np.uint32
    assert block.tolist() == naive(state, count)


def test_block_across_chunks(monkeypatch):
    monkeypatch.setattr(random, "CHUNK", 64)
    assert xorshift_block(99, 1000).tolist() == naive(99, 1000)


def test_period_is_full():
    """The step is invertible of order 2**32 - 1: checked with powers of its matrix over GF(2)."""
    columns = [xorshift32(1 << bit) for bit in range(32)]

    def apply(matrix, word):
        result = 0
        for bit in range(32):
            if word >> bit & 1:
                result ^= matrix[bit]
        return result

    def power(exponent):
        result, base = [1 << bit for bit in range(32)], columns
        while exponent:
            if exponent & 1:
                result = [apply(base, column) for column in result]
            base = [apply(base, column) for column in base]
            exponent >>= 1
        return result

    identity = [1 << bit for bit in range(32)]
    full = 2**32 - 1
    assert power(full) == identity
    for prime in (3, 5, 17, 257, 65537):  # 2**32 - 1 is their product
        assert power(full // prime) != identity


@pytest.mark.parametrize("lanes", [1, 5, 32, 33, 100])
@pytest.mark.parametrize("bits", [1, 16, 31, 32])
def test_lanes_see_rotated_words(lanes, bits):
    words = xorshift_block(7, 6)
    seen = rotate_lanes(words.reshape(2, 3), lanes, bits)
    assert seen.shape == (2, 3, lanes)
    for word, row in zip(words.tolist(), seen.reshape(6, lanes).tolist(), strict=True):
        text = f"{word:032b}"
        rotated = [text[p % 32 :] + text[: p % 32] for p in range(lanes)]
        assert row == [int(r, 2) % 2**bits for r in rotated]


def test_seeds_give_different_states_and_never_zero():
    states = {seed_state(seed) for seed in range(20_000)}
    assert len(states) == 20_000
    assert 0 not in states
    # 0 would be the image of exactly one seed, which gets 1 in its place
    assert seed_state((-0x9E3779B9) % 2**32) == 1


def test_bits_are_fair_in_every_lane():
    words = xorshift_block(seed_state(1), 20_000)
    bits = rotate_lanes(words, 32, 16)[..., None] >> np.arange(16) & 1
    # 5 standard deviations of a fair coin thrown 20,000 times, over 512 counts
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / 20_000**0.5
