"""SDRAM: the controller keeps the chip's times, and what was written is read."""

import subprocess

import pytest

from hebbware.boards.board import find
from hebbware.boards.onboard.sdram import SDRAM_256, Sdram
from hebbware.boards.simulated.build import build_program
from hebbware.boards.simulated.chips import WithChip, sources

CLOCK = find("ulx3s-85f").simulation()["clock_hz"]


@pytest.fixture(scope="module")
def memory():
    """Runs random writes and reads at the chip; a time of the model may be another one."""
    program = build_program(
        "memory", WithChip(Sdram(SDRAM_256, CLOCK), SDRAM_256, CLOCK), quick=True,
        sources=sources(SDRAM_256),
    )  # fmt: skip

    def run(seed, operations, *times):
        command = [program, seed, operations, SDRAM_256.words, 0, *(f"+{time}" for time in times)]
        return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)

    return run


def test_the_controller_keeps_times_and_words(memory):
    done = memory(5, 1500)
    assert (done.returncode, done.stderr) == (0, "")
    clocks, each = map(int, done.stdout.split())
    assert clocks > 8 * SDRAM_256.refi * 1e-9 * CLOCK  # refreshes among it
    # a word in two clocks; a row has 256, and a refresh comes every 651 clocks
    assert 2000 < each < 2150


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        ("tPOWER=210000000", "tPOWER: the first command came too early"),
        ("tRC=80000", "tRC: ACTIVATE came too soon"),
        ("tRAS=61000", "tRAS: PRECHARGE came too soon"),
        ("tRASMOST=6000000", "tRAS: a bank is open for too long"),
        ("tRP=25000", "tRP: REFRESH came too soon"),
        ("tRCD=25000", "tRCD: READ or WRITE came too soon"),
        ("tRRD=90000", "tRRD: ACTIVATE came too soon"),
        ("tRFC=73000", "tRFC: REFRESH came too soon"),
        ("tREFI=7000000", "tREFI: refreshes are missing"),
        ("MRD=4", "MRD: a command came too soon"),
        ("WR=3", "WR: PRECHARGE came too soon"),
        ("CAS=4", "CAS: the latency in MODE is too short"),
    ],
)
def test_a_time_that_is_not_kept_ends_the_simulation(memory, time, rule):
    """The chip is slower than the controller knows."""
    done = memory(1, 300, time)
    assert done.returncode == 4
    assert done.stderr.startswith(f"the memory chip: {rule}")
