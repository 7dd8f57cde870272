"""Samples in the board's memory: learned from there what golden learns, in the order it draws."""

import json
import zlib
from dataclasses import astuple, replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from hebbware.boards import protocol
from hebbware.boards.board import find
from hebbware.boards.host import onboard
from hebbware.boards.host.board import Board, open_port
from hebbware.boards.host.figures import PIECE, core_clocks, expected, unpacked
from hebbware.boards.link.uart import SLOWEST
from hebbware.boards.onboard.flash import W25Q128JV
from hebbware.boards.onboard.memory import BlockMemory
from hebbware.boards.onboard.permutation import Permutation
from hebbware.boards.onboard.sdram import SDRAM_256
from hebbware.boards.protocol import BoardRegister
from hebbware.boards.simulated.board import MEMORY, SimulatedBoard
from hebbware.cli import main
from hebbware.golden.arithmetic.permutation import epoch_key, half_bits, permuted
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError, ToolError
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.twin.core import Twin

# the same board as in tests/boards/test_link_host.py: built once
CONFIG = CoreConfig.of((64, 6, 4, 10), lanes=2, seed=3, layer__rate=(2, 2, 0))
TRAIN, TEST = 150, 40


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", None, 0)


@pytest.fixture(scope="module")
def simulated():
    return SimulatedBoard(CONFIG, quick=True)


@pytest.fixture
def line(simulated):
    with simulated.in_step() as line:
        yield line


def simulated_sdram(name, config):
    """With a board's SDRAM at its clock, behind a line so fast that loading takes no time."""
    board = find(name).with_memory("sdram")
    clock = board.simulation()["clock_hz"]
    return SimulatedBoard(
        config, quick=True, memory=board.samples_in, clock_hz=clock, baud=clock // SLOWEST
    )


@pytest.fixture(scope="module")
def with_sdram():
    return simulated_sdram("ulx3s-85f", CONFIG)


@pytest.fixture(scope="module")
def with_sdram_in_the_package():
    return simulated_sdram("tang-nano-20k", CONFIG)


@pytest.fixture(scope="module")
def packed(digits):
    return onboard.Set.of(
        CONFIG, digits.x_train[:TRAIN], digits.y_train[:TRAIN], digits.x_test[:TEST],
        digits.y_test[:TEST], MEMORY * 256,
    )  # fmt: skip


def assert_same_weights(board, golden):
    for found, wanted in zip(board.weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def simulate(component, bench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("count", [1, 2, 5, 64, 65, 1297, 5000])
def test_a_key_permutes_and_another_does_so_differently(count):
    orders = [permuted(count, epoch_key(seed, epoch)) for seed in (0, 7) for epoch in range(5)]
    for order in orders:
        assert sorted(order) == list(range(count))
    assert permuted(count, 0).tolist() == list(range(count))
    if count > 60:
        assert len({tuple(order) for order in orders}) == 10
        for order in orders:
            # of a random order these have a deviation of 1
            numbers = np.arange(count)
            assert abs(np.corrcoef(order, numbers)[0, 1]) * count**0.5 < 5
            assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) * count**0.5 < 5


@pytest.mark.parametrize("count", [1, 5, 33, 300])
def test_the_gateware_draws_the_same_order(count):
    component = Permutation(6)
    for key in (0, epoch_key(3, 1)):

        async def bench(ctx, key=key):
            ctx.set(component.count, count)
            ctx.set(component.half, half_bits(count))
            ctx.set(component.key, key)
            found = []
            for number in range(count):
                ctx.set(component.number, number)
                ctx.set(component.start, 1)
                await ctx.tick()
                ctx.set(component.start, 0)
                while not ctx.get(component.ready):
                    await ctx.tick()
                found.append(ctx.get(component.place))
            assert found == permuted(count, key).tolist()

        simulate(component, bench)


def test_a_memory_gives_words_from_an_address_on():
    component, generator = BlockMemory(20), np.random.default_rng(1)
    words = generator.integers(0, 1 << 32, 20).tolist()

    async def bench(ctx):
        ctx.set(component.write, 1)
        for place, value in enumerate(words):
            ctx.set(component.place, place)
            ctx.set(component.value, value)
            await ctx.tick()
        ctx.set(component.write, 0)
        for address, count in ((3, 5), (0, 20), (19, 1)):
            ctx.set(component.address, address)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            found = []
            while len(found) < count:
                ctx.set(component.words.ready, ready := int(generator.integers(2)))
                if ready and ctx.get(component.words.valid):
                    found.append(ctx.get(component.words.payload))
                await ctx.tick()
            ctx.set(component.words.ready, 0)
            assert found == words[address : address + count]

    simulate(component, bench)


@pytest.fixture(scope="module")
def with_flash():
    """With the iCEBreaker's flash at its clock; erased 150 times faster."""
    clock = find("icebreaker").simulation()["clock_hz"]
    chip = replace(W25Q128JV, erase=1_000_000)
    return SimulatedBoard(CONFIG, quick=True, memory=chip, clock_hz=clock, baud=clock // SLOWEST)


@pytest.mark.parametrize(
    "memory", ["simulated", "with_sdram", "with_sdram_in_the_package", "with_flash"]
)
def test_two_epochs_from_the_memory_are_golden_at_the_speed_of_the_core(
    request, memory, packed, digits
):
    with request.getfixturevalue(memory).in_step() as line:
        # this core is faster than flash: a sample of 12 words takes 66 clocks each, looked up twice
        two_epochs(Board(line, CONFIG), packed, digits, 0.42 if memory == "with_flash" else 0.95)


def test_a_core_that_takes_runs_has_no_word_for_each_zero(digits):
    """Updates beside, and digits among so many zeros that the words of all would take longer."""
    config = CONFIG.derive(input__size=800, update__overlap=True, input__runs=True)
    wide = replace(
        digits,
        x_train=np.pad(digits.x_train, ((0, 0), (300, 436))),
        x_test=np.pad(digits.x_test, ((0, 0), (300, 436))),
    )
    assert core_clocks(config, wide.x_train) < 0.5 * config.inputs
    packed = onboard.Set.of(
        config, wide.x_train[:TRAIN], wide.y_train[:TRAIN], wide.x_test[:TEST], wide.y_test[:TEST],
        SDRAM_256.kib * 256,
    )  # fmt: skip
    with simulated_sdram("ulx3s-85f", config).in_step() as line:
        two_epochs(Board(line, config), packed, wide, 0.95)


@pytest.mark.slow  # a build of 64 lanes and ten million clocks: a quarter of an hour
def test_the_largest_core_learns_mnist_from_sdram():
    """784-128-64-10 on 64 lanes, updates beside, as it is built for the ULX3S."""
    try:
        images = data.load("mnist")
    except InputError as error:
        pytest.skip(str(error))
    config = load("mnist").derive(update__overlap=True, input__runs=True)
    packed = onboard.Set.of(
        config, images.x_train[:500], images.y_train[:500], images.x_test[:100],
        images.y_test[:100], SDRAM_256.kib * 256,
    )  # fmt: skip
    clock = find("ulx3s-85f").simulation()["clock_hz"]
    board = SimulatedBoard(config, memory=SDRAM_256, clock_hz=clock, baud=clock // SLOWEST)
    with board.in_step() as line:
        two_epochs(Board(line, config), packed, images, 0.95)


def test_a_chip_whose_time_is_not_kept_ends_the_board(with_sdram, packed, monkeypatch):
    monkeypatch.setattr(with_sdram, "_arguments", (*with_sdram._arguments, "+tRCD=30000"))

    def load():
        with with_sdram.in_step() as line:
            onboard.load(Board(line, CONFIG), packed)

    with pytest.raises(ToolError, match="code 4: the memory chip: tRCD: READ or WRITE came too s"):
        load()


def two_epochs(board, packed, digits, share):
    config, train, test = board.config, packed.descriptor.train, packed.descriptor.test
    golden = Twin(config)
    onboard.load(board, packed)
    assert onboard.loaded(board) == packed.descriptor
    x, y = digits.x_train[:train], digits.y_train[:train]
    for epoch in range(2):
        key = epoch_key(config.seed, epoch)
        board.set_extra(epoch)
        golden.extra = epoch
        seen = []
        played = onboard.play(board, 0, train, key=key, learn=True, progress=seen.append)
        rows = permuted(train, key)
        classes, _ = golden.learn_many(x[rows], y[rows])
        assert (played.samples, played.right) == (train, (classes == y[rows]).sum())
        assert sum(seen) == train
        assert played.clocks < train * core_clocks(config, x) / share
    played = onboard.play(board, train, test, key=0, learn=False)
    classes, _ = golden.infer_many(digits.x_test[:test])
    assert (played.samples, played.right) == (test, (classes == digits.y_test[:test]).sum())
    assert played.right > 0
    assert_same_weights(board, golden)
    counters = board.counters()
    assert (counters["learned"], counters["inferred"]) == (2 * train, test)
    # and the line is as before
    (found,) = board.classes(x[:1], [int(y[0])])
    assert found == golden.learn(x[0], int(y[0]))[0]


@pytest.mark.parametrize("runs", [False, True])
def test_what_a_board_without_a_core_could_pass_is_that_of_the_packed_samples(runs, digits):
    """An input in a clock and control bytes, or a byte in each, with one for the last zeros."""
    config, x = CONFIG.derive(input__runs=runs), digits.x_train[:500]
    packed, nonzero = protocol.packed_samples(x, digits.y_train[:500]), np.count_nonzero(x, axis=1)
    lengths = np.array([len(sample) for sample in packed])
    clocks = lengths + 1 if runs else 64 + 1 + lengths - nonzero - 1
    guess = unpacked(config, nonzero.mean(), nonzero.mean() / PIECE)
    assert guess == pytest.approx(clocks.mean(), rel=0.1)
    assert expected(find("ulx3s-85f"), config, 1e6, 1, 32)["memory"] == pytest.approx(
        1e6 / unpacked(config, 32, 8)
    )


def test_a_host_that_begins_stops_a_board_that_plays(line, packed, digits):
    """Samples that have begun are learned, in turn; commands and another set work as ever."""
    board = Board(line, CONFIG)
    onboard.load(board, packed)
    key = epoch_key(1, 0)
    for register, value in (
        (BoardRegister.TABLE, onboard.TABLE), (BoardRegister.COUNT, TRAIN),
        (BoardRegister.HALF, half_bits(TRAIN)), (BoardRegister.KEY, key), (BoardRegister.RUN, 3),
    ):  # fmt: skip
        onboard.put(board, register, value)
    assert onboard.get(board, BoardRegister.RUN) == 1
    onboard.write(board, onboard.TABLE, np.zeros(4))  # not while it plays
    assert onboard.read(board, onboard.TABLE, 2).tolist() == [0, 0]
    board = Board(line, CONFIG)
    rows = permuted(TRAIN, key)
    row, label = digits.x_train[TRAIN], int(digits.y_train[TRAIN])
    (found,) = board.classes([row], [label])  # waits for those that have begun
    learned = board.counters()["learned"] - 1
    assert onboard.get(board, BoardRegister.DONE) == learned
    assert 0 < learned < TRAIN
    golden = Twin(CONFIG)
    golden.learn_many(digits.x_train[rows[:learned]], digits.y_train[rows[:learned]])
    assert found == golden.learn(row, label)[0]
    assert_same_weights(board, golden)
    assert onboard.loaded(board) == packed.descriptor
    board.reset()
    assert onboard.get(board, BoardRegister.RUN) == onboard.get(board, BoardRegister.DONE) == 0
    assert board.read(Space.STATE, State.LEARNED, 1)[0] == 0
    assert onboard.loaded(board) == packed.descriptor


def test_what_is_wrong_with_the_memory_is_told(line, packed):
    board = Board(line, CONFIG)
    with pytest.raises(InputError, match="holds none: `hebbware board load`"):
        onboard.loaded(board)
    onboard.load(board, packed)
    words = onboard.read(board, onboard.TABLE, len(packed.words))
    assert zlib.crc32(words.astype("<u4").tobytes()) == packed.descriptor.checksum
    onboard.write(board, onboard.TABLE + 99, words[99:100] ^ 4)
    with pytest.raises(InputError, match=f"must be {packed.descriptor.checksum:08x}, not [0-9a-f]"):
        onboard.loaded(board)
    onboard.write(board, onboard.TABLE + 99, words[99:100])
    onboard.write(board, 0, np.array(astuple(replace(packed.descriptor, bits=4))))
    with pytest.raises(InputError, match="must have 64 inputs of 8 bits, not 64 of 4"):
        onboard.loaded(board)
    # a host that is killed while it loads: the set before does not count any more
    onboard.clear(board, 0, 99)
    with pytest.raises(InputError, match="holds none"):
        onboard.loaded(board)
    # what there is not is neither read nor written
    end = MEMORY * 256
    onboard.write(board, end - 1, np.array([5, 6]))
    assert onboard.read(board, end - 1, 2).tolist() == [5, 0]
    assert board.command(Op.READ, Space.STATE, State.EXTRA, [0])[0] == 0


def test_a_set_that_does_not_fit_tells_how_much_does(digits):
    x, y = digits.x_train[:100], digits.y_train[:100]
    with pytest.raises(
        InputError, match=r"of 4 KiB: 100 to learn and 0 .* the first (\d+) fit"
    ) as e:
        onboard.Set.of(CONFIG, x, y, x[:0], y[:0], 1024)
    fit = int(str(e.value).split("the first ")[1].split()[0])
    assert len(onboard.Set.of(CONFIG, x[:fit], y[:fit], x[:0], y[:0], 1024).words) <= 1016
    with pytest.raises(InputError, match="must fit"):
        onboard.Set.of(CONFIG, x[: fit + 1], y[: fit + 1], x[:0], y[:0], 1024)


def test_commands(tmp_path, capsys, monkeypatch, simulated):
    file = tmp_path / "digits-small.toml"
    file.write_text(CONFIG.to_toml())
    common = ["--config", str(file), "--json", str(tmp_path / "out.json")]

    def run(*arguments):
        return main.main(["board", *map(str, arguments), *common])

    with simulated:
        at = ("--port", simulated.port)
        assert run("train", *at, "--on-board") == 2
        assert "holds none: `hebbware board load`" in capsys.readouterr().err
        assert run("load", *at, "--samples", 60, "--test", 20) == 0
        assert "60 samples to learn and 20 to test in" in capsys.readouterr().out
        assert run("train", *at, "--on-board", "--epochs", 2, "--check") == 0
        result = json.loads((tmp_path / "out.json").read_text())
        assert result["compared"] == {"results": 0, "weights": 0}
        assert result["counters"]["learned"] == 120
        assert result["samples"] == 60
        assert result["figures"]["core_share"] > 0.9
        assert "samples/s end to end" in capsys.readouterr().out
        assert run("train", *at, "--on-board", "--samples", 5) == 2
        assert "--samples cannot be given with --on-board" in capsys.readouterr().err
        identity = Board(open_port(simulated.port), CONFIG)
        identity.line.close()
        monkeypatch.setattr(
            protocol, "read_identity", lambda _: replace(identity.identity, memory=0)
        )
        for arguments in (("load", *at), ("train", *at, "--on-board")):
            assert run(*arguments) == 2
            error = capsys.readouterr().err
            assert "must have a memory for samples, and was built without" in error
            assert error.count("\n") == 1
    assert run("load", "--port", "simulated") == 2
    assert "--port simulated cannot be given to `board load`" in capsys.readouterr().err


def test_a_board_passes_the_self_test_and_a_faulty_one_does_not(
    simulated, tmp_path, capsys, monkeypatch
):
    file = tmp_path / "digits-small.toml"
    file.write_text(CONFIG.to_toml())
    with simulated:
        arguments = ["board", "selftest", "--port", simulated.port, "--config", str(file)]
        assert main.main(arguments) == 0
        out = capsys.readouterr().out
        assert [line.split()[1] for line in out.splitlines() if line.startswith("ok")] == [
            "line:", "memory:", "learning:", "on",
        ]  # fmt: skip
        assert "100 samples" in out
        assert "4 of 4 hold" in out
        read = onboard.read
        monkeypatch.setattr(onboard, "read", lambda *a: read(*a) ^ 1)
        weights = Board.weights
        monkeypatch.setattr(Board, "weights", lambda *a: [w + (w == w.max()) for w in weights(*a)])
        assert main.main(arguments) == 1
        out, err = capsys.readouterr()
        assert err == "failed: the board failed: line, memory, learning, on board\n"
        assert "192 of 192 words read back wrong" in out
