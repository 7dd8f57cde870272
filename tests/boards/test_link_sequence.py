"""Sequences over the line: the simulated board against golden, tick by tick."""

import numpy as np
import pytest

from hebbware.boards import protocol
from hebbware.boards.host.board import Board, open_port
from hebbware.boards.model import Model
from hebbware.boards.protocol import Message
from hebbware.boards.simulated.board import SimulatedBoard
from hebbware.cli import main
from hebbware.golden.config import NO_LABEL, CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError

CONFIG = CoreConfig.of(
    (9, 5, 3), lanes=2, input__bits=4, layer__kind=["recurrent", "readout"], neuron__ticks=6,
    neuron__target=2, layer__init_std=[0.9, 0.5], layer__rate=[5, 6],
)  # fmt: skip
IDENTITY = protocol.Identity.of(CONFIG, buffer=128, queue=0, release=(0, 0, 0))


def samples(count, seed=0):
    """Sequences with many zeros; a label, labels of ticks, or none."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 16, (count, 6, 9)) * (rng.random((count, 6, 9)) < 0.4)
    labels = []
    for n in range(count):
        ticks = np.where(rng.random(6) < 0.5, NO_LABEL, rng.integers(0, 3, 6))
        labels.append((int(rng.integers(3)), ticks, None)[n % 3])
    return x, labels


def expected(golden, x, labels):
    return [
        golden.infer(row) if label is None else golden.learn(row, label)
        for row, label in zip(x, labels, strict=True)
    ]


def assert_same(found, wanted):
    for (number, scores), (golden_number, golden_scores) in zip(found, wanted, strict=True):
        assert number == golden_number
        np.testing.assert_array_equal(scores, golden_scores)


def assert_same_weights(board, golden):
    for found, wanted in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_simulated_board_is_golden():
    """Results, counts and weights; then of a host that comes after one that left half a sequence,
    whole ticks and a part of one.
    """
    with SimulatedBoard(CONFIG, quick=True, buffer=128) as simulated:
        board, golden = Board(open_port(simulated.port), CONFIG), Core(CONFIG)
        x, labels = samples(60)
        wanted = expected(golden, x, labels)
        assert_same(list(board.samples(x, labels)), wanted)
        counters = board.counters()
        assert (counters["learned"], counters["inferred"]) == (golden.learned, 60 - golden.learned)
        assert_same_weights(board, golden)
        x, labels = samples(9, seed=7)
        classes = [number for number, _ in expected(golden, x, labels)]
        assert list(board.classes(x, labels)) == classes
        for ticks, cut in ((1, 0), (3, 2), (5, 1)):
            data = b"".join(protocol.packed_sample(row, NO_LABEL, 4) for row in x[0][:ticks])
            data += protocol.packed_sample(x[1][0], 1, 4)[:cut]
            board.ask(Message.SAMPLES, data, 0)
            board.line.close()
            board = Board(open_port(simulated.port), CONFIG)
            x, labels = samples(4, seed=ticks)
            assert_same(list(board.samples(x, labels)), expected(golden, x, labels))
        assert board.counters()["learned"] == golden.learned
        assert_same_weights(board, golden)
        board.line.close()


def test_the_model_is_golden():
    """The link's golden model, byte by byte; classes alone, and right ones."""
    x, labels = samples(6)
    for message in (Message.SAMPLES, Message.CLASSES):
        model, golden = Model(CONFIG, IDENTITY), Core(CONFIG)
        wanted, answer = expected(golden, x, labels), b""
        for row, label in zip(x, labels, strict=True):
            targets = [NO_LABEL] * 6 if label is None else label
            if isinstance(label, int):
                targets = [NO_LABEL] * 4 + [label] * 2
            for inputs, target in zip(row, targets, strict=True):
                packed = protocol.packed_sample(inputs, target, 4)
                for byte in packed:
                    answer += model._execute(message, bytes([byte]))
        if message is Message.CLASSES:
            assert list(answer) == [number for number, _ in wanted]
        else:
            found = np.frombuffer(answer, "<i4").reshape(6, 4)
            assert_same([(row[0], row[1:]) for row in found], wanted)
        np.testing.assert_array_equal(model.core.weights[0], golden.weights[0])


class Silent:
    """A line on which nothing is to be sent."""

    def write(self, data):
        raise AssertionError("sent")


@pytest.mark.parametrize(
    ("x", "labels", "message"),
    [
        (np.zeros((2, 5, 9)), [0, 1], r"x must have shape \(samples, 6, 9\), not \(2, 5, 9\)"),
        (np.zeros((2, 6, 8)), [0, 1], r"x must have shape \(samples, 6, 9\), not \(2, 6, 8\)"),
        (np.full((1, 6, 9), 16), [0], r"x must lie in 0\.\.15, not 16"),
        (np.zeros((1, 6, 9)), [[0] * 5], r"labels must have shape \(1, 6\), not \(1, 5\)"),
        (np.zeros((1, 6, 9)), [3], r"label must lie in 0\.\.2, not 3"),
        (np.zeros((1, 6, 9)), [0, 1], r"labels must have shape \(1,\), not \(2,\)"),
    ],
)
def test_what_is_no_sequence_is_refused_before_anything_is_sent(x, labels, message):
    board = Board.__new__(Board)
    board.config, board.line, board.identity = CONFIG, Silent(), IDENTITY
    with pytest.raises(InputError, match=message):
        list(board.samples(x.astype(int), labels))


# a build with optimisation: minutes
@pytest.mark.slow
def test_commands_on_the_simulated_board(capsys):
    with SimulatedBoard(load("digits-rows")) as simulated:
        arguments = ["--config", "digits-rows", "--port", simulated.port, "--samples", "60"]
        assert main.main(["board", "train", *arguments, "--test", "20", "--check"]) == 0
        assert "golden: 0 results differ, 0 of 1,600 weights differ" in capsys.readouterr().out
