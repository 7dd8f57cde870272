"""Hosts that go away in the middle of something, and what the next one finds: golden's results."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from cobs import cobs

from hebbware.boards import protocol
from hebbware.boards.host.board import Board, open_port
from hebbware.boards.protocol import Message
from hebbware.boards.simulated import fuzz
from hebbware.boards.simulated.board import SimulatedBoard
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.program.commands import Op, Space, State

HSIC = CoreConfig.of(
    (12, 5, 4, 3), lanes=2, seed=7, memory__kind="samples", modulator__kind="hsic", memory__window=2
)
SMALL = CoreConfig.of((64, 6, 4, 10), lanes=2, seed=3, layer__rate=(2, 2, 0))


def wire(message, sequence, payload, answer):
    return cobs.encode(protocol.request(message, sequence % 256, payload, answer)) + b"\0"


def replies(data):
    """Payloads of the replies in bytes of the line; None for a refusal."""
    frames = data.split(b"\0")[:-1]
    return [
        None if frame + b"\0" == protocol.REFUSED else protocol.read_reply(cobs.decode(frame))[2]
        for frame in frames
    ]


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(fuzz.CONFIG, id="class-memory"),
        # half a minute to build; its distances are summed while a sample comes in
        pytest.param(HSIC, id="hsic", marks=pytest.mark.slow),
    ],
)
def test_the_gateware_forgets_what_a_host_left_of_a_sample(config):
    """After every number of bytes; the oracle is golden's core."""
    generator = np.random.default_rng(4)
    x = generator.integers(0, 256, (2, config.inputs)) * [[1], [0]]
    x[1, ::3] = 255
    left = protocol.packed_sample(x[0], 1), protocol.packed_sample(x[1], 0)
    golden, sent, expected = Core(config), bytearray(), []
    size = protocol.RESULT * (1 + config.classes)
    cuts = [data[:n] for data in left for n in range(len(data))]
    for number, half in enumerate(cuts):
        sent += wire(Message.IDENTITY, number, b"", 0) + wire(Message.SAMPLES, number + 1, half, 0)
        sent += wire(Message.IDENTITY, 3 * number, b"", 0)
        row, label = generator.integers(0, 256, config.inputs), number % config.classes
        data = protocol.packed_sample(row, label)
        sent += wire(Message.SAMPLES, 3 * number + 1, data, size)
        found, scores = golden.learn(row, label)
        expected += [b"", b"", b"", np.array([found, *scores], "<i2").tobytes()]
    found, _, hangs = fuzz.feed(fuzz.feeder(config, quick=True), bytes(sent))
    assert not hangs
    assert replies(found) == expected


@pytest.fixture(scope="module")
def port():
    with SimulatedBoard(SMALL, quick=True) as simulated:
        yield simulated.port


def begin(port):
    """A host that has just started."""
    return Board(open_port(port), SMALL, name=port)


def follow(board, golden, x, labels):
    """Learn the same on a board and in golden: each class and all scores are equal."""
    for row, label, found in zip(x, labels, board.samples(x, labels), strict=True):
        wanted = golden.learn(row, label)
        assert found[0] == wanted[0]
        np.testing.assert_array_equal(found[1], wanted[1])


def test_a_new_host_goes_on_from_what_was_learned_whole(port):
    """As with --keep: after every number of bytes sent, results and weights are golden's."""
    generator = np.random.default_rng(6)
    golden, board = Core(SMALL), begin(port)
    board.reset()
    x = generator.integers(0, 256, (40, 64)) * (generator.random((40, 64)) < 0.1)
    left = protocol.packed_sample(x[-1], 2)
    assert len(left) > 8
    for number in range(len(left)):
        follow(board, golden, x[number : number + 1], [number % 10])
        if number:
            board.ask(Message.SAMPLES, left[:number], 0)
        board.line.close()
        board = begin(port)
    follow(board, golden, x[-3:], [1, 2, 3])
    assert board.counters()["learned"] == len(left) + 3
    for found, wanted in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    board.line.close()


@pytest.mark.parametrize("what", ["request", "reply", "start", "reset", "command", "zeros"])
def test_a_new_host_is_not_disturbed_by_what_another_left(port, what):
    golden, board = Core(SMALL), begin(port)
    board.reset()
    generator = np.random.default_rng(7)
    x = generator.integers(0, 256, (4, 64))
    follow(board, golden, x, [1, 2, 3, 4])
    tokens = protocol.packed_sample(x[0], 5)
    size = protocol.RESULT * (1 + SMALL.classes)
    following = board._sequence + 1
    if what == "request":  # half of it
        sent = wire(Message.SAMPLES, following, tokens, size)
        board.line.write(b"\0" + sent[: len(sent) // 2])
    elif what == "reply":  # not taken: the sample was learned
        board.line.write(b"\0" + wire(Message.SAMPLES, following, tokens, size))
        golden.learn(x[0], 5)
    elif what == "start":
        head = (Op.START | Space.STATE << 2).to_bytes(protocol.HEAD, "little")
        board.line.write(wire(Message.COMMAND, following, head + bytes(protocol.WORD), 4))
        golden = Core(SMALL)
    elif what == "reset":
        board.line.write(wire(Message.RESET, following, b"", 0))
        golden = Core(SMALL)
    elif what == "command":  # halvings written, the response not taken
        head = (Op.WRITE | Space.STATE << 2 | State.EXTRA << 11).to_bytes(protocol.HEAD, "little")
        datum = (2).to_bytes(protocol.WORD, "little")
        board.line.write(wire(Message.COMMAND, following, head + datum, 4))
        golden.extra = 2
    elif what == "zeros":  # all inputs are there, but no label
        board.ask(Message.SAMPLES, b"\x1f\x1f\2\0", 0)
    board.line.flush()
    board.line.close()
    board = begin(port)
    follow(board, golden, x[::-1], [4, 3, 2, 1])
    for found, wanted in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    board.line.close()


def test_a_host_process_that_is_killed_within_a_sample(port):
    board = begin(port)
    board.reset()
    board.line.close()
    text = (
        "import sys, time\n"
        "from hebbware.boards.host.board import Board, open_port\n"
        "from hebbware.boards.protocol import Message\n"
        f"board = Board(open_port({port!r}))\n"
        "board.ask(Message.SAMPLES, b'\\xe0' + bytes(range(1, 8)), 0)\n"
        "print('half', flush=True)\n"
        "time.sleep(600)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert host.stdout.readline() == "half\n"
    os.kill(host.pid, signal.SIGKILL)
    host.wait()
    host.stdout.close()
    golden, board = Core(SMALL), begin(port)
    x = np.random.default_rng(8).integers(0, 256, (3, 64))
    follow(board, golden, x, [1, 2, 3])
    board.line.close()


def test_a_host_process_that_is_killed_with_requests_on_their_way(port):
    """What was sent whole is learned, in turn; nothing else is."""
    x = np.random.default_rng(9).integers(0, 256, (400, 64))
    labels = (np.arange(400) % 10).tolist()
    board = begin(port)
    board.reset()
    board.line.close()
    text = (
        "import numpy as np\n"
        "from hebbware.boards.host.board import Board, open_port\n"
        f"board = Board(open_port({port!r}))\n"
        "x = np.random.default_rng(9).integers(0, 256, (400, 64))\n"
        "for number, _ in enumerate(board.classes(x, (np.arange(400) % 10).tolist())):\n"
        "    print(number, flush=True)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    for number in range(40):
        assert host.stdout.readline() == f"{number}\n"
    os.kill(host.pid, signal.SIGKILL)
    host.wait()
    host.stdout.close()
    board, golden = begin(port), Core(SMALL)
    learned = board.counters()["learned"]
    assert 40 <= learned < 400
    for row, label in zip(x[:learned], labels, strict=False):
        golden.learn(row, label)
    follow(board, golden, x[-3:], [1, 2, 3])
    for found, wanted in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    board.line.close()


SOON = 0.02  # seconds of a simulated line, each of which has 16 million clocks


@pytest.fixture(scope="module")
def fast():
    return SimulatedBoard(fuzz.CONFIG, quick=True, clock_hz=16_000_000, fast=4_000_000, memory=0)


def learn_twenty(board, golden):
    generator = np.random.default_rng(3)
    x = generator.integers(0, 256, (20, fuzz.CONFIG.inputs))
    labels = generator.integers(0, 3, 20).tolist()
    assert list(board.classes(x, labels)) == [
        golden.learn(*sample)[0] for sample in zip(x, labels, strict=True)
    ]


def test_the_line_gets_as_fast_as_the_board(fast):
    """A host that finds the board at another's speed brings it back, and to its own."""
    with fast.in_step() as line:
        golden = Core(fuzz.CONFIG)
        board = Board(line, fuzz.CONFIG, timeout=SOON)
        assert board.baud == 4_000_000
        assert board.counters()["errors"] == 0
        learn_twenty(board, golden)
        line.baudrate = 1_000_000  # a new host
        board = Board(line, fuzz.CONFIG, timeout=SOON, fast=False)
        assert board.baud == 1_000_000
        learn_twenty(board, golden)
        board = Board(line, fuzz.CONFIG, timeout=SOON)
        assert board.baud == 4_000_000
        learn_twenty(board, golden)
        for found, wanted in zip(board.weights(), golden.weights, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_a_host_stays_slow_where_the_bridge_does_not_get_faster(fast, monkeypatch):
    with fast.in_step() as line:
        own = type(line).baudrate
        monkeypatch.setattr(
            type(line), "baudrate", property(own.fget, lambda self, baud: own.fset(
                self, min(baud, 3_000_000)))
        )  # fmt: skip
        board = Board(line, fuzz.CONFIG, timeout=SOON)
        assert board.baud == 1_000_000
        learn_twenty(board, Core(fuzz.CONFIG))


def test_a_line_at_a_port_gets_faster(fast):
    with fast:
        board = Board(open_port(fast.port), fuzz.CONFIG)
        assert board.baud == 4_000_000
        learn_twenty(board, golden := Core(fuzz.CONFIG))
        board.line.close()
        board = Board(open_port(fast.port), fuzz.CONFIG)
        learn_twenty(board, golden)
        board.line.close()
