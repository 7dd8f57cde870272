# amaranth: UnusedElaboratable=no
"""Models of vendors' cells: multiplication and memory as Python does them, in value and clock."""

import numpy as np
from amaranth.hdl import ClockSignal, Const, Instance, Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.cosim import models
from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run

WORDS = 400
REGISTERS = {"none": (), "two": ("INPUTA", "INPUTB", "OUTPUT"),
             "three": ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")}  # fmt: skip
WIDTHS = (1, 2, 4, 9, 18, 36)
USED = 64  # words of a memory


def pins(direction, name, value):
    """A vector at pins of one bit each."""
    return {f"{direction}_{name}{n}": value[n] for n in range(len(value))}


class Multiplier(wiring.Component):
    """MULT18X18D with some of its registers, signed."""

    def __init__(self, registers):
        self.registers = registers
        super().__init__({"a": In(signed(18)), "b": In(signed(18)), "p": Out(signed(36))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.cell = Instance(
            "MULT18X18D",
            **{f"p_REG_{name}_CLK": "CLK0" for name in self.registers},
            **pins("i", "A", self.a), **pins("i", "B", self.b), **pins("i", "C", Const(0, 18)),
            i_SIGNEDA=1, i_SIGNEDB=1, i_SOURCEA=0, i_SOURCEB=0,
            i_CLK0=ClockSignal(), i_CE0=1, i_RST0=0,
            **pins("o", "P", self.p),
        )  # fmt: skip
        return m


class Ram(wiring.Component):
    """DP16KD: port A writes words of `width` bits, port B reads them."""

    def __init__(self, width):
        self.width = width
        super().__init__(
            {
                "en": In(1), "place": In(range(USED)), "written": In(width),
                "address": In(range(USED)), "data": Out(width),
            }
        )  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        low = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}[self.width]
        enables = {36: 0b1111, 18: 0b11}.get(self.width, 0)
        write, read = (Const(0, 36), self.written), self.data
        whole = (write[1] | write[0])[:36]
        m.submodules.cell = Instance(
            "DP16KD", p_DATA_WIDTH_A=self.width, p_DATA_WIDTH_B=self.width,
            **pins("i", "ADA", ((self.place << low) | Const(enables, 14))[:14]),
            **pins("i", "ADB", ((self.address << low) | Const(0, 14))[:14]),
            **pins("i", "DIA", whole[:18]), **pins("i", "DIB", whole[18:]),
            **{f"i_{pin}{port}": value for port, write in (("A", self.en), ("B", 0))
               for pin, value in (("CE", 1), ("OCE", 1), ("WE", write), ("RST", 0),
                                  ("CLK", ClockSignal()))},
            **{f"i_CS{port}{n}": 0 for port in "AB" for n in range(3)},
            **(pins("o", "DOA", read[:18]) | pins("o", "DOB", read[18:])
               if self.width == 36 else pins("o", "DOB", read)),
        )  # fmt: skip
        return m


def test_multiplier_and_block_ram():
    probes = {
        name: Probe(Multiplier(registers), {"seen": Event(("p",))})
        for name, registers in REGISTERS.items()
    } | {f"ram{width}": Probe(Ram(width), {"seen": Event(("data",))}) for width in WIDTHS}
    model = build(Probes(probes), quick=True, models=models.read("MULT18X18D", "DP16KD"))
    rng = np.random.default_rng(0)
    stimulus, expected = {}, {}
    clocks = FIRST + WORDS
    for name, registers in REGISTERS.items():
        a, b = rng.integers(-(1 << 17), 1 << 17, (2, WORDS))
        a[:4], b[:4] = [-(1 << 17)] * 2 + [(1 << 17) - 1] * 2, [-(1 << 17), (1 << 17) - 1] * 2
        latency = len(set(registers) - {"INPUTB"})
        products = np.zeros(clocks + 4, np.int64)
        products[FIRST + latency : FIRST + latency + WORDS] = a * b
        stimulus[f"{name}.drive"] = drive(probes[name], {"a": a, "b": b})
        channel = model.bench.channels[f"{name}.seen"]
        expected[channel.name] = event_log(
            probes[name], channel, np.arange(clocks), p=products[:clocks]
        )
    for width in WIDTHS:
        name = f"ram{width}"
        en, place = rng.integers(0, 2, WORDS), rng.integers(0, USED, WORDS)
        address = (place + rng.integers(1, USED, WORDS)) % USED  # never what is being written
        written = rng.integers(0, 1 << width, WORDS)
        words, seen = [0] * USED, np.zeros(clocks + 1, np.int64)
        for n in range(WORDS):
            seen[FIRST + n + 1] = words[address[n]]
            if en[n]:
                words[place[n]] = int(written[n])
        stimulus[f"{name}.drive"] = drive(
            probes[name], {"en": en, "place": place, "written": written, "address": address}
        )
        channel = model.bench.channels[f"{name}.seen"]
        expected[channel.name] = event_log(
            probes[name], channel, np.arange(clocks), data=seen[:clocks]
        )
    result = run(model, stimulus, expected, clocks=clocks)
    assert result.mismatch is None
    assert result.compared == clocks * len(probes)
