"""Flash: the controller keeps the chip's rules, and what was written is read."""

import subprocess

import pytest

from hebbware.boards.board import find
from hebbware.boards.onboard.flash import W25Q128JV, Flash
from hebbware.boards.protocol import BLOCK_WORDS
from hebbware.boards.simulated.build import build_program
from hebbware.boards.simulated.chips import WithChip, sources

CLOCK = find("icebreaker").simulation()["clock_hz"]


@pytest.fixture(scope="module")
def memory():
    """Runs random writes and reads at the chip; a time of the model may be another one."""
    program = build_program(
        "memory", WithChip(Flash(W25Q128JV, CLOCK), W25Q128JV, CLOCK), quick=True,
        sources=sources(W25Q128JV),
    )  # fmt: skip

    def run(seed, operations, *times):
        command = [program, seed, operations, 2 * BLOCK_WORDS, BLOCK_WORDS]
        command += [
            f"+{time}" for time in ("tERASE=100000000", *times)
        ]  # it takes 1,500 times that
        return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)

    return run


def test_the_controller_keeps_rules_and_words(memory):
    done = memory(3, 300)
    assert (done.returncode, done.stderr) == (0, "")
    clocks, each = map(int, done.stdout.split())
    assert clocks > 100 * W25Q128JV.program * 1e-9 * CLOCK  # a page for each run of writes
    assert each == 66000


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        ("tHIGH=200000", "tHIGH: it was selected too soon"),
        ("tWAKE=4000000", "tWAKE: a command came too soon"),
        ("tCYCLE=70000", "tCYCLE: the clock is too fast"),
    ],
)
def test_a_time_that_is_not_kept_ends_the_simulation(memory, time, rule):
    """The chip is slower than the controller knows."""
    done = memory(1, 20, time)
    assert done.returncode == 4
    assert done.stderr.startswith(f"the memory chip: {rule}")
