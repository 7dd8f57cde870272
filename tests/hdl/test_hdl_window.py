"""Addresses of patches, walked tap by tap at each position and the other way round."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hebbware.hdl.walks.raster import Raster
from hebbware.hdl.walks.window import Window

BITS = 12


def simulate(dut, testbench):
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


def test_levels_count_like_digits_and_move_the_address():
    sizes, adds = (3, 2, 4), (5, 100, 4096 - 7)
    dut, seen = Raster([3, 3, 3], BITS), []

    async def testbench(ctx):
        for level, (size, add) in enumerate(zip(sizes, adds, strict=True)):
            ctx.set(getattr(dut, f"last_{level}"), size - 1)
            ctx.set(getattr(dut, f"add_{level}"), add)
        rng = np.random.default_rng(0)
        for _ in range(2 * np.prod(sizes)):
            counts = [ctx.get(getattr(dut, f"count_{level}")) for level in range(3)]
            seen.append((counts, ctx.get(dut.address), ctx.get(dut.ends)))
            ctx.set(dut.move, 0)
            for _ in range(rng.integers(3)):
                await ctx.tick()
            ctx.set(dut.move, 1)
            await ctx.tick()
        await ctx.tick()
        ctx.set(dut.clear, 1)
        await ctx.tick()
        seen.append(([0, 0, 0], ctx.get(dut.address), ctx.get(dut.ends)))

    simulate(dut, testbench)
    digits, address, expected = np.zeros(3, int), 0, []
    for n in range(2 * np.prod(sizes)):
        digits = np.array([n % 3, n // 3 % 2, n // 6 % 4])
        last = digits == np.array(sizes) - 1
        if n % 24 == 0:
            address = 0
        ends = sum(int(last[: level + 1].all()) << level for level in range(3))
        expected.append((digits.tolist(), address % 4096, ends))
        address += adds[min(int(last.cumprod().sum()), 2)]
    assert seen == [*expected, ([0, 0, 0], 0, 0)]


# rows, columns, channels, kernel, stride, lanes (0: every number has an address)
MAPS = [(5, 4, 3, 3, 1, 2), (6, 5, 2, 5, 2, 0), (4, 4, 5, 1, 2, 4), (3, 7, 1, 3, 2, 8)]


def facts(rows, columns, channels, kernel, stride, lanes):
    words = -(-channels // lanes) if lanes else channels
    across = -(-columns // stride)
    place = stride * words
    return {
        "rows": rows, "columns": columns, "pad": kernel // 2, "wide": kernel - 1,
        "channels": channels - 1, "across": (across - 1) * stride, "along": stride, "down": stride,
        "tap_next": 1, "tap_row": (columns - kernel) * words + 1, "along_next": place,
        "down_next": stride * columns * words - (across - 1) * place, "single": not lanes,
    }  # fmt: skip


def reads(rows, columns, channels, kernel, stride, lanes):
    """Address, lane and whether it is inside, of each tap at each position."""
    words, pad = -(-channels // lanes) if lanes else channels, kernel // 2
    found = []
    for y, x in np.ndindex(-(-rows // stride), -(-columns // stride)):
        of_position = []
        for ky, kx, c in np.ndindex(kernel, kernel, channels):
            at = np.array([y * stride + ky, x * stride + kx])
            word, lane = divmod(c, lanes) if lanes else (c, 0)
            inside = bool(((at >= pad) & (at < pad + np.array([rows, columns]))).all())
            address = (int(at[0]) * columns + int(at[1])) * words + word
            of_position.append((address % (1 << BITS), lane, int(inside), c == channels - 1))
        found.append(of_position)
    return found


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("case", MAPS)
def test_patches_at_all_positions(case, crossed):
    """Twice over, for two blocks; the row of the bias comes behind the taps."""
    known, expected = facts(*case), reads(*case)
    dut = Window(side=8, channels=8, lanes=max(case[-1], 1), address=BITS)
    taps, positions = len(expected[0]), len(expected)
    seen = []

    async def step(ctx, inner_last, turn, note):
        ctx.set(dut.inner_last, int(inner_last))
        ctx.set(dut.turn, int(turn))
        ctx.set(dut.issue, 0)
        await ctx.tick()
        if note:
            lane = ctx.get(dut.lane)
            seen.append((ctx.get(dut.address), lane, ctx.get(dut.inside), ctx.get(dut.tail)))
        ctx.set(dut.issue, 1)
        await ctx.tick()

    async def testbench(ctx):
        ctx.set(dut.crossed, int(crossed))
        for name, value in known.items():
            ctx.set(getattr(dut, name), int(value) % (1 << BITS))
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        loops = (2, taps + 1, positions) if crossed else (positions, 2, taps + 1)
        for _, middle, inner in np.ndindex(*loops):
            inner_last = inner == loops[2] - 1
            bias = (middle if crossed else inner) == taps
            await step(ctx, inner_last, inner_last and middle == loops[1] - 1, not bias)

    simulate(dut, testbench)
    if crossed:
        flat = [at[tap] for _ in range(2) for tap in range(taps) for at in expected]
    else:
        flat = [tap for at in expected for _ in range(2) for tap in at]
    assert seen == flat


def test_cells_of_positions():
    """4 x 6 positions in 2 x 2 cells of two words; a pass of several steps at a position."""
    dut, seen = Window(side=8, channels=8, lanes=4, address=BITS), []

    async def testbench(ctx):
        known = {"cell_wide": 2, "cell_across": 1, "cell_down": 1, "cell_next": 2, "cell_back": -2}
        for name, value in known.items():
            ctx.set(getattr(dut, name), value % (1 << BITS))
        ctx.set(dut.issue, 1)
        for _ in range(4 * 6):
            seen.append(ctx.get(dut.cell))
            for last in (0, 0, 1):
                ctx.set(dut.inner_last, last)
                ctx.set(dut.turn, last)
                await ctx.tick()

    simulate(dut, testbench)
    assert seen == [2 * (2 * (y // 2) + x // 3) for y in range(4) for x in range(6)]
