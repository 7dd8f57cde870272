"""SDRAM: the controller keeps the chip's times, and what was written is read."""

import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from amaranth.hdl import Elaboratable, Fragment, Module, Signal
from amaranth.lib import io
from amaranth.sim import Simulator

from hebbware.boards.board import find
from hebbware.boards.onboard.sdram import SDRAM_64, Sdram
from hebbware.boards.platforms.chips import PINS
from hebbware.boards.simulated.build import build_program
from hebbware.boards.simulated.chips import WithChip, sources

Memory = namedtuple("Memory", "chip clock run")
BOARDS = ("ulx3s-85f", "tang-nano-20k")


@pytest.fixture(scope="module", params=BOARDS)
def memory(request):
    """Random writes and reads at a board's chip; a time of the model may be another one."""
    board = find(request.param).with_memory("sdram")
    chip, clock = board.samples_in, board.simulation()["clock_hz"]
    program = build_program(
        "memory", WithChip(Sdram(chip, clock), chip, clock), quick=True, sources=sources(chip)
    )

    def run(seed, operations, *times):
        command = [program, seed, operations, chip.words, 0, *(f"+{time}" for time in times)]
        return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)

    return Memory(chip, clock, run)


def test_the_controller_keeps_times_and_words(memory):
    done = memory.run(5, 1500)
    assert (done.returncode, done.stderr) == (0, "")
    clocks, each = map(int, done.stdout.split())
    assert clocks > 8 * memory.chip.refi * 1e-9 * memory.clock  # refreshes among it
    # a word in two clocks; a row has 256, and a refresh comes every 651 or 937 clocks
    assert 2000 < each < 2150


@pytest.mark.parametrize("name", BOARDS)
def test_the_whole_chip_is_used(name):
    """256 Mbit and 64 Mbit, by the names of the parts."""
    chip = find(name).chips["sdram"]
    assert chip.kib == {"ulx3s-85f": 256, "tang-nano-20k": 64}[name] * 1024 // 8
    assert chip.words == chip.kib * 256


@pytest.mark.parametrize(
    ("times", "rule"),
    [
        ("tPOWER=210000000", "tPOWER: the first command came too early"),
        ("tRC=80000 tRC=101000", "tRC: ACTIVATE came too soon"),
        ("tRAS=61000 tRAS=67000", "tRAS: PRECHARGE came too soon"),
        ("tRASMOST=6000000", "tRAS: a bank is open for too long"),
        ("tRP=25000 tRP=34000", "tRP: REFRESH came too soon"),
        ("tRCD=25000 tRCD=34000", "tRCD: READ or WRITE came too soon"),
        ("tRRD=90000 tRRD=101000", "tRRD: ACTIVATE came too soon"),
        ("tRFC=73000 tRFC=101000", "tRFC: REFRESH came too soon"),
        ("tREFI=7000000 tREFI=14000000", "tREFI: refreshes are missing"),
        ("MRD=4", "MRD: a command came too soon"),
        ("WR=3", "WR: PRECHARGE came too soon"),
        ("CAS=4", "CAS: the latency in MODE is too short"),
    ],
)
def test_a_time_that_is_not_kept_ends_the_simulation(memory, times, rule):
    """The chip is slower than the controller knows: of 16 bits, of 32."""
    done = memory.run(1, 300, times.split()[-(memory.chip.width == 32)])
    assert done.returncode == 4
    assert done.stderr.startswith(f"the memory chip: {rule}")


class Pads:
    """A platform whose buffers are registers and wires, by the names of the ports."""

    def __init__(self):
        self.out, self.oe, self.in_, self.doubled = {}, {}, {}, {}

    def get_io_buffer(self, buffer):
        m = Module()
        name, mask = buffer.port.io.name, -1 if all(buffer.port.invert) else 0
        if isinstance(buffer, io.DDRBuffer):
            self.doubled[name] = buffer.o
            return m
        self.out[name], self.oe[name] = Signal(len(buffer.port)), Signal()
        m.d[buffer.o_domain] += [
            self.out[name].eq(buffer.o ^ mask), self.oe[name].eq(buffer.oe),
        ]  # fmt: skip
        if buffer.direction is io.Direction.Bidir:
            self.in_[name] = Signal(len(buffer.port))
            m.d[buffer.i_domain] += buffer.i.eq(self.in_[name])
        return m


def test_pins_in_the_package_take_the_clocks_that_the_controller_is_told():
    """A command is there one clock later; a datum at the falling edge one clock after that."""
    pads, pins = Pads(), PINS[SDRAM_64](SDRAM_64)
    simulator = Simulator(Fragment.get(pins, pads))
    simulator.add_clock(1.0)

    async def bench(ctx):
        await ctx.tick()
        low = {name for name, value in pads.out.items() if ctx.get(value)}
        assert low == {f"O_sdram_{name}_n" for name in ("cs", "ras", "cas", "wen")}
        clock = pads.doubled["O_sdram_clk"]
        assert (ctx.get(clock[0]), ctx.get(clock[1])) == (0, 1)  # high, then low: upside down
        ctx.set(pins.pins.cs, 1)
        ctx.set(pins.pins.a, 0x5A5)
        ctx.set(pins.pins.out, 0x12345678)
        ctx.set(pins.pins.drive, 1)
        for _ in range(SDRAM_64.lag - 1):
            assert ctx.get(pads.out["O_sdram_cs_n"]) == 1
            await ctx.tick()
        assert ctx.get(pads.out["O_sdram_cs_n"]) == 0
        assert ctx.get(pads.out["O_sdram_addr"]) == 0x5A5
        assert ctx.get(pads.out["IO_sdram_dq"]) == 0x12345678
        assert ctx.get(pads.oe["IO_sdram_dq"]) == 1
        # the chip's edges are the falling ones: what is there then comes with the next rising one
        await ctx.delay(0.4)
        ctx.set(pads.in_["IO_sdram_dq"], 0x89ABCDEF)
        await ctx.delay(0.2)
        ctx.set(pads.in_["IO_sdram_dq"], 0)
        assert ctx.get(pins.pins.in_) == 0
        await ctx.tick()
        assert ctx.get(pins.pins.in_) == 0x89ABCDEF

    simulator.add_testbench(bench)
    simulator.run()


class Alone(Elaboratable):
    """The pins without a controller."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.pins = pins = PINS[SDRAM_64](SDRAM_64)
        m.d.sync += pins.pins.out.eq(pins.pins.in_)  # so that something is left of them
        return m


def test_pins_in_the_package_have_the_names_that_place_and_route_knows():
    """Those of apicula; the constraints have the board's own pins alone."""
    chipdb = pytest.importorskip("apycula.chipdb")
    known = chipdb.load_chipdb(Path(chipdb.__file__).parent / "GW2A-18C.msgpack.xz")
    pads = {name for name, *_ in known.sip_cst["GW2AR-18C"]["QFN88"]}
    platform = find("tang-nano-20k").platform()
    plan = platform.prepare(Alone(), name="t", emit_src=False)
    ports = platform._design.ports
    names = {
        name if len(port) == 1 else f"{name}[{bit}]"
        for name, port, _ in ports if "sdram" in name for bit in range(len(port))
    }  # fmt: skip
    assert names == pads
    constraints = plan.files["t.cst"]
    assert 'IO_LOC "clk27_0__io" 4;' in constraints
    assert "sdram" not in constraints
