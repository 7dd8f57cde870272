"""The parts of the link's gateware: serial line, checksum, byte stuffing."""

import zlib

import numpy as np
import pytest
from amaranth.sim import Simulator
from cobs import cobs

from hebbware.boards import protocol
from hebbware.boards.link.checksum import Checksum
from hebbware.boards.link.cobs import Decoder, Encoder
from hebbware.boards.link.uart import Receiver, Sender, clocks_per_bit
from hebbware.boards.link.unpacker import Unpacker
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError


def simulate(component, bench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


async def start(ctx, component):
    """Tell it that a new frame is to come."""
    ctx.set(component.start, 1)
    await ctx.tick()
    ctx.set(component.start, 0)


def frames():
    """Frames whose blocks are short, just full, and one longer."""
    generator = np.random.default_rng(5)
    yield from (b"", b"\0", b"\0\0", b"a", b"a\0", b"\0a")
    for size in (253, 254, 255, 300, 508, 509):
        yield bytes(generator.integers(1, 256, size, np.uint8))
    yield bytes(generator.integers(0, 3, 200, np.uint8))


def test_checksum_is_crc32():
    component = Checksum()

    async def bits(ctx, count, data=0):
        """Shift bits in, lowest first; those that came out."""
        out = 0
        ctx.set(component.shift, 1)
        for n in range(count):
            ctx.set(component.data, data >> n & 1)
            out |= ctx.get(component.low) << n
            await ctx.tick()
        ctx.set(component.shift, 0)
        await ctx.tick()
        return out

    async def bench(ctx):
        for frame in (b"123456789", b"\0", bytes(range(40))):
            for drain in (True, False):
                ctx.set(component.start, 1)
                await ctx.tick()
                ctx.set(component.start, 0)
                await bits(ctx, 8 * len(frame), int.from_bytes(frame, "little"))
                if drain:
                    ctx.set(component.drain, 1)
                    assert await bits(ctx, 32) == zlib.crc32(frame)
                    ctx.set(component.drain, 0)
                else:
                    for wrong in (1 << 9, 0):
                        await bits(ctx, 32, zlib.crc32(frame) ^ wrong)
                        await ctx.tick()
                        assert ctx.get(component.matches) == (not wrong)
                        ctx.set(component.start, 1)
                        await ctx.tick()
                        ctx.set(component.start, 0)
                        await bits(ctx, 8 * len(frame), int.from_bytes(frame, "little"))

    simulate(component, bench)


def whole(wire):
    """Whether byte stuffing can have made these bytes; None where there are none."""
    try:
        cobs.decode(wire)
    except cobs.DecodeError:
        return False
    return True if wire else None


def test_decoder_undoes_what_cobs_does():
    component = Decoder()

    async def take(ctx, data):
        """What the decoder puts out for bytes of the line, and whether the frame was complete."""
        out, complete = bytearray(), None
        await start(ctx, component)
        ctx.set(component.take, 1)
        for byte in data:
            ctx.set(component.byte, byte)
            if ctx.get(component.put):
                out.append(0 if ctx.get(component.zero) else byte)
            if ctx.get(component.end):
                complete = bool(ctx.get(component.complete))
            await ctx.tick()
        ctx.set(component.take, 0)
        return bytes(out), complete

    async def bench(ctx):
        for frame in frames():
            wire = cobs.encode(frame)
            assert await take(ctx, wire + b"\0") == (frame, True)
            assert (await take(ctx, wire[:-1] + b"\0"))[1] is whole(wire[:-1])
            assert (await take(ctx, b"\0\0" + wire))[1] is None

    simulate(component, bench)


def test_encoder_writes_what_cobs_reads():
    component = Encoder(1024)

    async def bench(ctx):
        for frame in frames():
            memory = bytearray(1024)

            async def clock(memory=memory):
                if ctx.get(component.write):
                    memory[ctx.get(component.address)] = ctx.get(component.value)
                await ctx.tick()

            await start(ctx, component)
            for byte in frame:
                while not ctx.get(component.ready):
                    await clock()
                ctx.set(component.byte, byte)
                ctx.set(component.put, 1)
                await clock()
                ctx.set(component.put, 0)
            ctx.set(component.finish, 1)
            for _ in range(2):
                await clock()
            ctx.set(component.finish, 0)
            written = bytes(memory[: memory.index(0)])
            assert cobs.decode(written) == frame

    simulate(component, bench)


@pytest.mark.parametrize("size", [253, 254, 255, 508])
def test_encoder_writes_nothing_behind_plain_bytes(size):
    """A request as long as a block, or several: where replies lie nothing of it is written."""
    component = Encoder(1024)

    async def bench(ctx):
        ctx.set(component.plain, 1)
        await start(ctx, component)
        ctx.set(component.put, 1)
        ctx.set(component.byte, 7)
        for _ in range(size):
            assert ctx.get(component.write)
            assert ctx.get(component.value) == 7
            await ctx.tick()
        ctx.set(component.put, 0)
        ctx.set(component.plain, 0)
        for _ in range(3):
            assert not ctx.get(component.write)
            await ctx.tick()

    simulate(component, bench)


def spelled_out(words, inputs, mark=256):
    """Samples, a word for each input and the label, of words of which some stand for many zeros."""
    samples, sample = [], []
    for word in words:
        if len(sample) == inputs:
            samples.append([*sample, word])
            sample = []
        else:
            zeros = [0] * (word - mark if word >= mark else 0)
            sample = [*sample, *(zeros or [word])][:inputs]
    return samples


@pytest.mark.parametrize(("runs", "centred"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("pauses", [0, 0.5])
def test_unpacker_gives_the_words_of_samples(bits, pauses, runs, centred):
    """Some are too long, one is dropped; without pauses a byte or a word moves in each clock."""
    size = 320 if runs else 20  # of more zeros than a word can stand for
    config = CoreConfig.of(
        (size, 4, 3), lanes=2, input__bits=bits, input__runs=runs, input__centred=centred
    )
    component = Unpacker(config)
    runs &= not centred  # what is 0 in a byte is not 0 to the core then
    generator = np.random.default_rng(4)
    x = generator.integers(0, 1 << bits, (24, size + 9)) * (generator.random((24, size + 9)) < 0.5)
    x[:18, size:] = 0
    x[::3, 16:-7] = 0
    x[3] = 0
    data = [protocol.packed_sample(row, number, bits) for number, row in enumerate(x)]
    data[5] = data[5][:-1]  # left there
    wanted = [[*row[:size].tolist(), number] for number, row in enumerate(x) if number != 5]
    words, ends, clocks = [], [], 0

    async def offer(ctx, byte):
        ctx.set(component.bytes.payload, byte)
        ctx.set(component.bytes.valid, 1)
        while not await clock(ctx):
            pass
        ctx.set(component.bytes.valid, 0)

    async def clock(ctx):
        nonlocal clocks
        clocks += 1
        ctx.set(component.words.ready, generator.random() >= pauses)
        if ctx.get(component.words.valid & component.words.ready):
            words.append(ctx.get(component.words.payload))
        taken = ctx.get(component.bytes.valid & component.bytes.ready)
        if taken and ctx.get(component.labels):
            ends.append(ctx.get(component.bytes.payload))
        await ctx.tick()
        return taken

    async def rest(ctx):
        for _ in range(1000):
            await clock(ctx)

    async def bench(ctx):
        for number, sample in enumerate(data):
            if number == 5:
                await rest(ctx)
            begun, before = clocks, len(words)
            for byte in sample:
                await offer(ctx, byte)
            if runs and not pauses and bits == 8:
                assert clocks - begun <= len(sample) + 2  # runs of the last zeros
            if number == 5:
                await rest(ctx)
                assert spelled_out([*words[before:], 5], size) == [[*x[5, :size].tolist(), 5]]
                del words[before:]
                ctx.set(component.drop, 1)
                await ctx.tick()
                ctx.set(component.drop, 0)
        await rest(ctx)

    simulate(component, bench)
    assert spelled_out(words, size) == wanted
    assert ends == [label for *_, label in wanted]
    if not runs:
        assert words == [word for sample in wanted for word in sample]


def test_encoder_writes_plain_bytes_around_the_end():
    component = Encoder(512, first=502)
    frame = bytes(300) + bytes(range(1, 200))
    memory = {}

    async def bench(ctx):
        ctx.set(component.plain, 1)
        await start(ctx, component)
        ctx.set(component.put, 1)
        for byte in frame:
            ctx.set(component.byte, byte)
            assert ctx.get(component.ready)
            assert ctx.get(component.write)
            memory[ctx.get(component.address)] = ctx.get(component.value)
            await ctx.tick()
        assert ctx.get(component.place) == len(frame) - 10

    simulate(component, bench)
    assert bytes(memory[(502 + n) % 512] for n in range(len(frame))) == frame


@pytest.mark.parametrize("divisor", [4, 5, 24])
@pytest.mark.parametrize("drift", [0.98, 1.0, 1.02])
def test_receiver_reads_a_line_that_is_off_by_two_percent(divisor, drift):
    component = Receiver(divisor)
    data = bytes([0x00, 0xFF, 0x55, 0xA3, 0x01])
    bits = [bit for byte in data for bit in (0, *(byte >> n & 1 for n in range(8)), 1)]
    levels = [1] * 7 + [
        bits[int(clock / divisor / drift)] for clock in range(int(len(bits) * divisor * drift))
    ]
    got = []

    async def bench(ctx):
        ctx.set(component.bytes.ready, 1)
        for level in [*levels, *[1] * 4 * divisor]:
            ctx.set(component.rx, level)
            if ctx.get(component.bytes.valid):
                got.append(ctx.get(component.bytes.payload))
            await ctx.tick()

    simulate(component, bench)
    assert bytes(got) == data


def test_receiver_drops_what_is_no_byte():
    component = Receiver(8)
    # a glitch, a byte whose stop bit is low, idle, a byte
    byte = [0, 1, 0, 1, 0, 1, 0, 1, 0]
    levels = [1] * 9 + [0] * 2 + [1] * 20 + [level for level in [*byte, 0] for _ in range(8)]
    levels += [1] * 100 + [level for level in [*byte, 1] for _ in range(8)] + [1] * 9
    got = []

    async def bench(ctx):
        ctx.set(component.bytes.ready, 1)
        for level in levels:
            ctx.set(component.rx, level)
            if ctx.get(component.bytes.valid):
                got.append(ctx.get(component.bytes.payload))
            await ctx.tick()

    simulate(component, bench)
    assert got == [0x55]


def test_receiver_holds_a_byte_until_it_is_taken():
    """The next one is lost then, and the one after that is whole again."""
    component = Receiver(4)
    data = (0x55, 0xA3, 0x0F)
    bits = [bit for byte in data for bit in (0, *(byte >> n & 1 for n in range(8)), 1)]
    got = []

    async def bench(ctx):
        for clock, level in enumerate([level for level in [*bits, 1, 1] for _ in range(4)]):
            ctx.set(component.rx, level)
            ctx.set(component.bytes.ready, clock >= 90)
            if 50 < clock < 90:
                assert ctx.get(component.bytes.valid)
                assert ctx.get(component.bytes.payload) == data[0]
            if ctx.get(component.bytes.valid & component.bytes.ready):
                got.append(ctx.get(component.bytes.payload))
            await ctx.tick()

    simulate(component, bench)
    assert got == [data[0], data[2]]


def test_sender_keeps_start_and_stop_bits_whole():
    component = Sender(5)
    data, levels = [0x00, 0xFF, 0x81], []

    async def bench(ctx):
        for byte in data:
            ctx.set(component.bytes.payload, byte)
            ctx.set(component.bytes.valid, 1)
            while not ctx.get(component.bytes.ready):
                levels.append(ctx.get(component.tx))
                await ctx.tick()
            levels.append(ctx.get(component.tx))
            await ctx.tick()
        ctx.set(component.bytes.valid, 0)
        for _ in range(60):
            levels.append(ctx.get(component.tx))
            await ctx.tick()

    simulate(component, bench)
    start = levels.index(0)
    bits = [bit for byte in data for bit in (0, *(byte >> n & 1 for n in range(8)), 1)]
    assert levels[start : start + 150] == [bit for bit in bits for _ in range(5)]
    assert set(levels[start + 150 :]) == {1}


def test_a_line_gets_faster_and_a_zero_brings_it_back():
    receiver, sender = Receiver(20, fast=5), Sender(20, fast=5)
    sent, got = [0xA3, 0x00, 0x5F], []

    async def byte(ctx, value, divisor):
        for level in (0, *(value >> n & 1 for n in range(8)), 1, 1):
            ctx.set(receiver.rx, level)
            for _ in range(divisor):
                if ctx.get(receiver.bytes.valid):
                    got.append(ctx.get(receiver.bytes.payload))
                assert not ctx.get(receiver.broken)
                await ctx.tick()

    async def receive(ctx):
        ctx.set(receiver.bytes.ready, 1)
        for faster, divisor in ((0, 20), (1, 5)):
            ctx.set(receiver.faster, faster)
            for value in (*sent, 0, 0, 0x80):
                await byte(ctx, value, divisor)
        # a zero byte at the first speed
        ctx.set(receiver.rx, 0)
        clocks = 0
        while not ctx.get(receiver.broken):
            clocks += 1
            assert clocks < 9 * 20
            await ctx.tick()

    async def send(ctx):
        for faster, divisor in ((1, 5), (0, 20)):
            ctx.set(sender.faster, faster)
            assert ctx.get(sender.idle)
            ctx.set(sender.bytes.payload, 0xA5)
            ctx.set(sender.bytes.valid, 1)
            await ctx.tick().until(sender.bytes.ready)
            ctx.set(sender.bytes.valid, 0)
            levels = []
            while not ctx.get(sender.idle):
                levels.append(ctx.get(sender.tx))
                await ctx.tick()
            bits = [0, 1, 0, 1, 0, 0, 1, 0, 1, 1]
            assert levels[: 10 * divisor - 1] == [b for b in bits for _ in range(divisor)][:-1]

    simulate(receiver, receive)
    simulate(sender, send)
    assert got == 2 * [*sent, 0, 0, 0x80]


@pytest.mark.parametrize(
    ("clock_hz", "baud", "divisor"), [(24e6, 1_000_000, 24), (12e6, 115_200, 104), (4e6, 10**6, 4)]
)
def test_clocks_of_a_bit(clock_hz, baud, divisor):
    assert clocks_per_bit(clock_hz, baud) == divisor


@pytest.mark.parametrize(("clock_hz", "baud"), [(12e6, 3_500_000), (16e6, 3_000_000), (12e6, 0)])
def test_a_baud_that_the_clock_cannot_make_is_refused(clock_hz, baud):
    with pytest.raises(InputError, match="^baud must"):
        clocks_per_bit(clock_hz, baud)
