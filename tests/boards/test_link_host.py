"""The host's side of the link against the simulated board: the gateware, UART included."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import numpy as np
import pytest

from hebbware.boards import board as boards
from hebbware.boards import protocol
from hebbware.boards.host.board import Board, open_port
from hebbware.boards.host.requests import LinkLost
from hebbware.boards.protocol import Message
from hebbware.boards.simulated.board import CLOCK_HZ, SimulatedBoard, linked
from hebbware.cli import main
from hebbware.golden import HebbianClassifier
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError
from hebbware.golden.program.commands import ADDRESS_BITS, Op, Space, State
from hebbware.golden.program.layout import Layout
from hebbware.golden.twin.core import Twin

CONFIG = CoreConfig.of((64, 6, 4, 10), lanes=2, seed=3, layer__rate=(2, 2, 0))  # they saturate
SHARE = 0.002  # of bytes corrupted


@pytest.fixture(scope="module")
def digits():
    found = data.load("digits", None, 0)
    return found.x_train, found.y_train


@pytest.fixture(scope="module")
def port():
    with SimulatedBoard(CONFIG, quick=True) as simulated:
        yield simulated.port


@pytest.fixture
def board(port):
    line = open_port(port)
    board = Board(line, CONFIG, name=port)
    board.reset()
    yield board
    line.close()


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "digits-small.toml"
    path.write_text(CONFIG.to_toml())
    return str(path)


def learn_both(board, config, x, labels):
    """Results of the board and of golden, and golden."""
    golden = Core(config)
    found = list(board.samples(x, labels))
    expected = [
        golden.infer(row) if label is None else golden.learn(row, int(label))
        for row, label in zip(x, labels, strict=True)
    ]
    for (found_class, found_scores), (golden_class, golden_scores) in zip(
        found, expected, strict=True
    ):
        assert found_class == golden_class
        np.testing.assert_array_equal(found_scores, golden_scores)
    return golden


def assert_same_weights(board, golden):
    for found, expected in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_board_says_what_it_is(board):
    assert board.identity.fingerprint == CONFIG.fingerprint
    assert (board.identity.inputs, board.identity.classes) == (64, 10)
    assert board.identity.buffer == protocol.BUFFER
    assert board.identity.queue == protocol.QUEUE
    assert board.identity.clock == CLOCK_HZ


def test_200_digits_over_the_line_are_golden(board, digits):
    x, y = digits[0][:220], [*digits[1][:200], *[None] * 20]
    golden = learn_both(board, CONFIG, x, y)
    counters = board.counters()
    assert (counters["learned"], counters["inferred"]) == (200, 20)
    assert counters["saturated"] == golden.saturated > 0
    assert_same_weights(board, golden)
    assert board.repeated == 0


def test_200_digits_over_a_disturbed_line_are_golden(digits):
    with SimulatedBoard(CONFIG, quick=True, corrupt=SHARE, seed=11) as simulated:
        line = open_port(simulated.port)
        board = Board(line, CONFIG)
        golden = learn_both(board, CONFIG, digits[0][:200], digits[1][:200])
        assert_same_weights(board, golden)
        counters = board.counters()
        line.close()
    assert counters["learned"] == 200
    assert counters["errors"] > 5
    assert board.repeated > 10
    bytes_all = simulated.served.received + simulated.served.sent
    assert simulated.served.corrupted == pytest.approx(SHARE * bytes_all, rel=0.5)


@pytest.mark.slow  # builds the core of the preset with optimisation
@pytest.mark.parametrize("corrupt", [0, SHARE])
def test_preset_digits_over_the_line_are_golden(digits, corrupt):
    config = load("digits")
    with SimulatedBoard(config, corrupt=corrupt, seed=1) as simulated:
        line = open_port(simulated.port)
        board = Board(line, config)
        assert_same_weights(board, learn_both(board, config, digits[0][:200], digits[1][:200]))
        line.close()


def test_classes_alone_and_nothing_at_all(board, digits):
    """The same is learned, whatever is answered; what is right is counted by the board."""
    x, y, golden = digits[0][:90], digits[1][:90], Core(CONFIG)
    right = board.counters()["right"]
    wanted = [golden.learn(*sample)[0] for sample in zip(x, y.tolist(), strict=True)]
    assert list(board.classes(x[:60], y[:60])) == wanted[:60]
    assert sum(board.feed(x[60:], y[60:])) == 30
    assert_same_weights(board, golden)
    assert (board.counters()["right"] - right) % 2**16 == (np.array(wanted) == y).sum() > 0


@pytest.mark.parametrize(("latency", "count"), [(0, 300), (0.016, 900)])
def test_the_line_is_full(digits, latency, count):
    """Of the time from the first byte to the last result, bytes go out in 90 %."""
    simulated = SimulatedBoard(CONFIG, quick=True, latency=latency)
    with simulated.in_step() as line:
        board = Board(line, CONFIG)
        x, y = digits[0][:count], digits[1][:count]
        clocks, sent = line.clocks, board.bytes_sent
        classes = list(board.classes(x, y))
        used = (board.bytes_sent - sent) * 10 * simulated.divisor / (line.clocks - clocks)
        golden = Twin(CONFIG)
        assert classes == golden.learn_many(x, y)[0].tolist()
        assert_same_weights(board, golden)
    assert board.repeated == 0
    assert 0.9 < used < 1


@pytest.mark.slow  # two builds and twenty million clocks each: 10 minutes
@pytest.mark.parametrize("name", [None, "ulx3s-85f"])
@pytest.mark.parametrize("latency", [0, 0.016])
def test_the_line_is_full_of_images(name, latency):
    """As the test above, with those of MNIST; also at the speed that a board is brought to."""
    try:
        images = data.load("mnist")
    except InputError as error:
        pytest.skip(str(error))
    config = CoreConfig.of((784, 8, 4, 10), lanes=4, seed=3)
    options = boards.BOARDS[name].simulation() if name else {}
    with SimulatedBoard(config, latency=latency, **options).in_step() as line:
        board, golden = Board(line, config), Twin(config)
        assert board.baud == (boards.BOARDS[name].fast if name else 1_000_000)
        x, y = images.x_train[:400], images.y_train[:400]
        start, sent = line.monotonic(), board.bytes_sent
        classes = list(board.classes(x, y))
        used = (board.bytes_sent - sent) * 10 / board.baud / (line.monotonic() - start)
        assert classes == golden.learn_many(x, y)[0].tolist()
        assert_same_weights(board, golden)
    packed = [protocol.packed_sample(*sample) for sample in zip(x, y, strict=True)]
    assert np.mean([len(sample) for sample in packed]) <= 202
    assert 0.9 < used < 1.02  # the speed of the line is that of whole clocks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ping", "--port", "x", "--latency", 3), "--latency can only be given with --port simul"),
        (("ping", "--port", "x", "--board", "ulx3s-85f"), "--board can only be given with --port"),
        (("ping", "--port", "simulated"), "--port simulated can only be given where --config can"),
        (("train", "--port", "simulated", "--board", "x"), "board must be one of ulx3s-85f"),
        (("serve", "--latency", 2000), "2000.0 is not in the range 0<=x<=1000"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message, capsys):
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_repeated_request_is_answered_again_and_not_carried_out(board, digits):
    from cobs import cobs

    golden = Core(CONFIG)
    tokens = protocol.packed_sample(digits[0][0], int(digits[1][0]))
    golden.learn(digits[0][0], int(digits[1][0]))
    size = protocol.RESULT * (1 + CONFIG.classes)
    first = board.ask(Message.SAMPLES, tokens, size)
    wire = cobs.encode(protocol.request(Message.SAMPLES, board._sequence, tokens, size))
    for _ in range(3):
        board.line.write(b"\0" + wire + b"\0")
        assert next(board._replies(2.0)) == (Message.SAMPLES, board._sequence, first)
    last = board._sequence  # and so is one of the window before it, but none that is older
    for number in range(protocol.window(protocol.BUFFER) - 1):
        assert len(board.ask(Message.COUNTERS, b"", number)) == number
    board.line.write(b"\0" + wire + b"\0")
    assert next(board._replies(2.0)) == (Message.SAMPLES, last, first)
    board.ask(Message.COUNTERS, b"", 0)
    board.line.write(b"\0" + wire + b"\0")
    assert list(board._replies(0.3)) == []
    assert_same_weights(board, golden)
    assert board.counters()["learned"] == 1


def test_a_sample_may_be_cut_anywhere(board):
    generator = np.random.default_rng(2)
    x = generator.integers(0, 256, (12, 64)) * (generator.random((12, 64)) < 0.5)
    x[3] = 0
    x[4] = 255
    for room in (17, 64):
        board.reset()
        board._room = room
        board._learn_from = lambda *_: None
        assert_same_weights(board, learn_both(board, CONFIG, x, [1, 0, None, 3] * 3))


def test_reset_forgets_half_a_sample(board, digits):
    half = protocol.packed_sample(digits[0][5], 1)[:-1]
    board.ask(Message.SAMPLES, half, 0)
    board.reset()
    assert_same_weights(board, learn_both(board, CONFIG, digits[0][:5], digits[1][:5]))


def test_every_stored_number_can_be_read_and_written(board):
    golden = Core(CONFIG)
    assert board.read(Space.STATE, State.RANDOM, 1)[0] & 0xFFFFFFFF == golden.random_state
    weights = [values[::-1].copy() for values in golden.weights]
    board.load_weights(weights)
    assert_same_weights(board, type("Wanted", (), {"weights": weights}))
    board.set_extra(3)
    assert board.read(Space.STATE, State.EXTRA, 1)[0] == 3
    board.write(Space.GAIN, 4, [5, 6])
    assert board.read(Space.GAIN, 3, 3).tolist() == [0, 5, 6]
    board.command(Op.START, Space.STATE, 0, [0])
    assert_same_weights(board, golden)
    assert board.read(Space.STATE, State.EXTRA, 1)[0] == 0


def test_what_there_is_not_is_neither_read_nor_written(board):
    """The whole address goes to the core: none names another word."""
    words = Layout(CONFIG).weight_bases[-1]
    kept = board.read(Space.WEIGHT, 0, words).tolist()
    for address in (words, *(1 << bit for bit in range(words.bit_length(), ADDRESS_BITS))):
        assert board.command(Op.WRITE, Space.WEIGHT, address, [7]) == 0
    assert board.read(Space.WEIGHT, 0, words + 2).tolist() == [*kept, 0, 0]
    with pytest.raises(InputError, match=r"address of a command must be .*, not 2097152"):
        board.read(Space.WEIGHT, (1 << ADDRESS_BITS) - 1, 2)
    with pytest.raises(InputError, match=r"halvings must lie in 0\.\.4, not 5"):
        board.set_extra(5)


# -- commands -------------------------------------------------------------------------------------


def run(*arguments):
    return main.main(["board", *map(str, arguments)])


def test_commands_on_the_simulated_board(port, config_file, tmp_path, capsys):
    common = ("--port", port, "--json", tmp_path / "out.json")
    network = (*common, "--config", config_file)
    assert run("train", *network, "--samples", 30, "--test", 10, "--check") == 0
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["compared"] == {"results": 0, "weights": 0}
    assert result["counters"]["learned"] == 30
    saturated = f"{result['counters']['saturated']:,} words with a weight cut off"
    assert saturated in capsys.readouterr().out
    assert run("weights", *network, "--save", tmp_path / "w.npz") == 0
    assert run("train", *network, "--samples", 5, "--test", 0) == 0
    assert run("weights", *network, "--load", tmp_path / "w.npz") == 0
    assert run("infer", *network, "--samples", 10, "--check") == 0
    again = json.loads((tmp_path / "out.json").read_text())
    assert again["accuracy"] == result["accuracy"]["test"]
    assert run("ping", *common) == 0
    assert json.loads((tmp_path / "out.json").read_text())["fingerprint"] == CONFIG.fingerprint
    capsys.readouterr()
    assert run("infer", *common, "--config", "digits") == 2
    message = capsys.readouterr().err
    assert CONFIG.fingerprint in message
    assert load("digits").fingerprint in message


@pytest.fixture
def own_data(tmp_path):
    """Digits as a table of one's own: features of other ranges, classes with names."""
    found, rng = data.load("digits"), np.random.default_rng(0)
    rows, scale = slice(-120, None), rng.uniform(0.1, 9, 64).round(3)
    x, y = found.x_train[rows] * scale - 40, np.array(list("jihgfedcba"))[found.y_train[rows]]
    path = tmp_path / "own.csv"
    head = [f"f{n}" for n in range(64)]
    lines = [",".join(map(str, [*row, label])) for row, label in zip(x, y, strict=True)]
    path.write_text("\n".join([",".join([*head, "class"]), *lines]) + "\n")
    return path, x, y


def test_a_network_goes_from_the_estimator_to_the_board(port, tmp_path, capsys, own_data):
    """The estimator's scores on the same samples are the oracle."""
    path, x, y = own_data
    options = {"hidden_layers": (6, 4), "lanes": 2, "random_state": 3, "layer__rate": (2, 2, 0)}
    options |= {"input__centred": False, "input_range": "features"}
    network = HebbianClassifier(**options, epochs=2).fit(x[:60], y[:60])
    network.save(tmp_path / "net")
    common = ("--port", port, "--json", tmp_path / "out.json", "--dataset", path)
    given = (*common, "--from", tmp_path / "net")
    assert run("infer", *given, "--check") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    again = data.load(str(path))  # another encoding, but the same samples in training and test
    held = {tuple(row) for row in again.x_test.tolist()}
    coded = again.encoding(x).tolist()
    test = np.array([tuple(row) in held for row in coded])
    assert found["samples"] == test.sum() > 20
    assert found["accuracy"] == pytest.approx(network.score(x[test], y[test]))
    assert found["compared"] == {"results": 0, "weights": 0}
    assert run("train", *given, "--samples", 20, "--test", 10, "--check") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["compared"] == {"results": 0, "weights": 0}
    capsys.readouterr()
    for wrong, message in (
        (("--config", "digits"), "--config cannot be given with --from"),
        (("--encoding", "log"), "encoding log: x must be above 0"),
        (("--encoding", "range"), "encoding of feature "),
    ):
        assert run("infer", *given, *wrong) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    other = tmp_path / "other.csv"
    other.write_text(path.read_text().replace(",j\n", ",k\n"))
    assert run("infer", *given, "--dataset", other) == 2
    assert "the classes that the network learned only (a, b, c" in capsys.readouterr().err
    assert run("infer", "--port", port, "--from", tmp_path / "net") == 2
    assert "--dataset must be given" in capsys.readouterr().err


def test_a_checkpoint_goes_to_the_board(port, tmp_path, config_file, own_data, capsys):
    path, _, _ = own_data
    kept = tmp_path / "run.npz"
    given = ("--config", config_file, "--dataset", path, "--epochs", 2, "--checkpoint", kept)
    report = ("--json", tmp_path / "out.json")
    assert main.main(["train", *map(str, (*given, *report))]) == 0
    expected = json.loads((tmp_path / "out.json").read_text())["accuracy"]["test"]
    assert run("infer", "--port", port, "--from", kept, "--check", *report) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["accuracy"] == expected
    assert found["compared"] == {"results": 0, "weights": 0}
    assert run("train", "--port", port, "--from", kept, "--check", "--samples", 9, *report) == 0
    assert json.loads((tmp_path / "out.json").read_text())["compared"] == {
        "results": 0,
        "weights": 0,
    }


def test_a_weight_that_differs_fails_the_check(port, config_file, capsys, monkeypatch):
    learn = Core.learn

    def other(self, x, label):
        result = learn(self, x, label)
        self.weights[1][2, 3] += 1
        return result

    monkeypatch.setattr(Core, "learn", other)
    arguments = ("--port", port, "--config", config_file, "--samples", 1, "--test", 0)
    assert run("train", *arguments, "--check") == 1
    assert "0 results and 1 weights differ" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "No such file"),
        (b"no archive", "holds no weights"),
        ({"other": np.zeros(3)}, "not none"),
        ({f"weights_{n}": np.zeros((2, 2), int) for n in range(3)}, "shape (65, 6)"),
        (
            {f"weights_{n}": w.astype(int) + 9999 for n, w in enumerate(Core(CONFIG).weights)},
            "weights in -2048..2047",
        ),
    ],
    ids=["missing", "text", "empty", "shape", "range"],
)
def test_wrong_weights_files_are_refused(tmp_path, config_file, capsys, content, part):
    path = tmp_path / "w.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        np.savez(path, **content)
    # the file is looked at before the port
    assert run("weights", "--port", "none", "--config", config_file, "--load", path) == 2
    error = capsys.readouterr().err
    assert part in error
    assert error.count("\n") == 1


def test_a_port_that_is_missing_busy_or_no_board_is_refused(port, capsys):
    assert run("ping", "--port", "/dev/none-such") == 2
    assert "No such file" in capsys.readouterr().err
    held = open_port(port)
    assert run("ping", "--port", port) == 2
    assert "in use" in capsys.readouterr().err
    held.close()
    master, slave = pty.openpty()
    tty.setraw(slave)
    assert run("ping", "--port", os.ttyname(slave)) == 2
    error = capsys.readouterr().err
    assert "no hebbware board" in error
    assert error.count("\n") == 1
    os.close(master)
    os.close(slave)


def test_a_link_that_is_lost_on_the_way_is_a_failure(port):
    line = open_port(port)
    board = Board(line, CONFIG, tries=2, timeout=0.05)
    board._send = lambda wire: None
    with pytest.raises(LinkLost):
        board.counters()
    line.close()


def test_commands_wait_for_the_link_of_a_board_that_is_being_built(port, tmp_path, capsys):
    link = tmp_path / "tty"
    link.symlink_to(tmp_path / "gone")  # that of a board which was killed
    made = threading.Timer(1.0, lambda: (link.unlink(), link.symlink_to(port)))
    made.start()
    assert run("ping", "--port", link) == 0
    made.join()
    out, err = capsys.readouterr()
    assert CONFIG.fingerprint in out
    assert err == f"waiting for {link}, at most 300 s (--wait)\n"
    link.unlink()
    assert run("ping", "--port", link, "--wait", 0.3) == 2
    assert f"error: --port: {link} is not there after 0.3 s (--wait)" in capsys.readouterr().err
    assert run("ping", "--port", link, "--wait", 0) == 2
    assert "No such file" in capsys.readouterr().err


SERVE = """
import sys
from functools import partial
from hebbware.boards.simulated import board
from hebbware.cli.main import main
board.SimulatedBoard = partial(board.SimulatedBoard, quick=True)
sys.exit(main(["board", "serve", *sys.argv[1:]]))
"""


slowly = pytest.mark.slow  # 5 s each


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=slowly),
        pytest.param(signal.SIGKILL, marks=slowly),
    ],
)
def test_a_served_board_ends_with_its_command(number, port, config_file, tmp_path):
    """Also one whose host reads nothing, so that it waits to write."""
    link = tmp_path / "tty"
    command = [sys.executable, "-c", SERVE, "--config", config_file, "--link", str(link)]
    served = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)
    assert served.stdout.readline() == f"simulated board at {link}; stop it with Ctrl-C\n"
    (simulator,) = (Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split())[:1]
    board = Board(open_port(str(link)), CONFIG)
    for _ in range(40):
        board.line.write(b"\0" + b"a request that is none\0" * 40)
    served.send_signal(number)
    out, err = served.communicate(timeout=60)
    board.line.close()
    assert served.returncode == {signal.SIGTERM: 143, signal.SIGINT: 0}.get(number, -number)
    end = time.monotonic() + 60
    while Path(f"/proc/{simulator}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    if number != signal.SIGKILL:
        assert "bytes received" in out
        assert err == ("ended by SIGTERM\n" if number == signal.SIGTERM else "")
        assert not link.is_symlink()


def test_a_simulated_board_that_is_killed_is_told(port, config_file, monkeypatch, capsys):
    board = SimulatedBoard(CONFIG, quick=True)
    monkeypatch.setattr(board, "wait", lambda: (board._process.kill(), board._process.wait()))
    monkeypatch.setattr("hebbware.boards.simulated.board.SimulatedBoard", lambda *_, **__: board)
    assert run("serve", "--config", config_file) == 2
    assert capsys.readouterr().err == "error: the simulated board was killed by SIGKILL\n"


def test_a_board_says_that_it_is_being_built(monkeypatch, config_file, capsys):
    def build(name, component, *, quick, tell, sources):
        tell()
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()  # a step that is refused within the grace is not announced
        component._MustUse__used = True
        raise InputError("enough")

    monkeypatch.setattr("hebbware.boards.simulated.board.build_program", build)
    assert run("serve", "--config", config_file) == 2
    announced, last = capsys.readouterr().err.splitlines()
    assert announced.startswith("building the simulated board: about ")
    assert last == "error: enough"


@pytest.mark.parametrize("corrupt", [-0.1, 1, float("nan")])
def test_an_impossible_share_of_corruption_is_refused(corrupt, capsys):
    assert run("serve", "--corrupt", corrupt) == 2
    assert "corrupt must" in capsys.readouterr().err


def test_a_link_to_the_port_is_made_and_taken_away(tmp_path):
    path, port = tmp_path / "tty", str(tmp_path / "port")
    for _ in range(2):
        with linked(port, path) as name:
            assert name == str(path)
            assert str(path.readlink()) == port
        assert not path.is_symlink()
    path.symlink_to(tmp_path / "gone")  # one that is left over
    with linked(port, path):
        assert str(path.readlink()) == port
    path.write_text("mine")
    with pytest.raises(InputError, match="--link must not"), linked(port, path):
        pass
    assert path.read_text() == "mine"
    with pytest.raises(InputError, match="cannot make"), linked("x", tmp_path / "no" / "tty"):
        pass
