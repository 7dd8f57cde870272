"""What a person with a board runs first: line, memory and learning, each against what must be."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...golden.arithmetic.permutation import epoch_key, permuted
from ...golden.arithmetic.random import xorshift_block
from ...golden.core import Core
from ...golden.layers.init import start_state
from .. import protocol
from . import onboard
from .board import Board

SAMPLES = 100
SEED = 1
FILLED = 32768  # words of a memory that are written, at most


@dataclass(frozen=True)
class Check:
    """A part of the test: whether it holds, and figures or what was wrong."""

    name: str
    holds: bool
    text: str


def selftest(board: Board) -> Iterator[Check]:
    """Test a board part by part; afterwards it is as after RESET, without samples in its memory."""
    board.reset()
    yield _line(board)
    if board.identity.memory:
        yield _memory(board)
    board.reset()
    yield _learning(board)
    if board.identity.memory:
        board.reset()
        yield _onboard(board)
    board.reset()


def _line(board: Board) -> Check:
    """Random weights go to the board and come back."""
    config, generator = board.config, np.random.default_rng(SEED)
    weights = [
        generator.integers(config.weight.min, config.weight.max + 1, layer.shape)
        for layer in start_state(config).weights
    ]
    start, sent, again = board.now(), board.bytes_sent + board.bytes_received, board.repeated
    board.load_weights(weights)
    differ, count = _differ(board, weights)
    seconds = board.now() - start
    size = board.bytes_sent + board.bytes_received - sent
    refused = board.counters()["errors"]
    return Check(
        "line", not differ,
        f"{size:,} bytes in {seconds:.2f} s, {differ} of {count:,} weights came back otherwise, "
        f"{board.repeated - again} requests sent again, {refused} frames refused since power-up",
    )  # fmt: skip


def _differ(board: Board, weights: list[np.ndarray]) -> tuple[int, int]:
    """How many of the board's weights are others, and how many there are."""
    pairs = zip(board.weights(), weights, strict=True)
    return sum(int((a != b).sum()) for a, b in pairs), sum(layer.size for layer in weights)


def _memory(board: Board) -> Check:
    """Random words fill the memory or its beginning, one for each line of the address lies beyond
    that: the checksum is theirs, and so is what is read.
    """
    room = onboard.words_of(board)
    filled = min(room, FILLED)
    words = xorshift_block(SEED, filled)
    onboard.clear(board, 0, filled)
    onboard.write(board, 0, words)
    lines = [place for n in range(32) if filled <= (place := 1 << n) < room]
    lines += [room - 1] if room > filled else []
    block = protocol.BLOCK_WORDS
    for place in lines:
        onboard.clear(board, place // block * block, 1)
        onboard.write(board, place, np.array([place ^ 0xFFFFFFFF]))
    found = onboard.checksum(board, filled - onboard.TABLE)
    wanted = zlib.crc32(words[onboard.TABLE :].astype("<u4").tobytes())
    count = min(64, filled)
    wrong = sum(int(onboard.read(board, place, 1)[0]) != place ^ 0xFFFFFFFF for place in lines)
    for start in (0, filled // 2, filled - count):
        part = onboard.read(board, start, count)
        wrong += int((part != words[start : start + count]).sum())
    onboard.write(board, 0, np.zeros(1))
    return Check(
        "memory", found == wanted and not wrong,
        f"{board.identity.memory:,} KiB, checksum {found:08x} of {wanted:08x}, {wrong} of "
        f"{3 * count + len(lines)} words read back wrong",
    )  # fmt: skip


def _samples(board: Board):
    """Random samples, a third of their inputs other than zero, and their labels."""
    config, generator = board.config, np.random.default_rng(SEED)
    x = generator.integers(0, config.x.max + 1, (SAMPLES, *config.sample_shape))
    x[generator.random(x.shape) > 1 / 3] = 0
    return x, generator.integers(0, config.classes, SAMPLES)


def _learning(board: Board) -> Check:
    x, y = _samples(board)
    golden, wrong = Core(board.config), 0
    start = board.now()
    for row, label, found in zip(x, y.tolist(), board.samples(x, y), strict=True):
        wanted = golden.learn(row, label)
        wrong += found[0] != wanted[0] or bool((found[1] != wanted[1]).any())
    return _compared("learning", board, golden, wrong, board.now() - start)


def _onboard(board: Board) -> Check:
    x, y = _samples(board)
    none = x[:0], y[:0]
    onboard.load(board, onboard.Set.of(board.config, x, y, *none, onboard.words_of(board)))
    key = epoch_key(board.config.seed, 0)
    played = onboard.play(board, 0, SAMPLES, key=key, learn=True)
    onboard.write(board, 0, np.zeros(1))
    golden, rows = Core(board.config), permuted(SAMPLES, key)
    right = sum(golden.learn(x[row], int(y[row]))[0] == y[row] for row in rows)
    wrong = abs(int(right) - played.right)
    return _compared("on board", board, golden, wrong, played.clocks / board.identity.clock)


def _compared(name: str, board: Board, golden: Core, wrong: int, seconds: float) -> Check:
    differ, count = _differ(board, golden.weights)
    return Check(
        name, not wrong and not differ,
        f"{SAMPLES} samples, {SAMPLES / seconds:,.0f} a second, {wrong} results and {differ} of "
        f"{count:,} weights are not golden's",
    )  # fmt: skip
