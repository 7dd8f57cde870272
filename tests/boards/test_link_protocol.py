"""The protocol: its page, its frames, the compact form of samples."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from hebbware.boards import page, protocol
from hebbware.boards.protocol import Message
from hebbware.boards.system import System
from hebbware.golden.config import CoreConfig, domains, load
from hebbware.golden.errors import InputError
from hebbware.golden.layers import Readout
from hebbware.golden.program.commands import DATA_BITS, FIELDS
from hebbware.hdl.results import result_width

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_protocol_says():
    assert (DOCS / "link.md").read_text() == page.markdown()


def test_fields_hold_what_the_largest_core_has():
    sizes = {field.name: field.size for field in protocol.IDENTITY}
    assert domains()["input.size"].high < 1 << 8 * sizes["inputs"]
    assert Readout.domains()["units"].high < 1 << 8 * sizes["classes"]
    assert result_width(
        CoreConfig.of((1, 2, 2), formats__u_bits=domains()["formats.u_bits"].high)
    ) <= (8 * protocol.RESULT)
    assert 8 * protocol.WORD == DATA_BITS
    assert 8 * protocol.HEAD == sum(bits for name, bits in FIELDS if name != "data")


def test_a_request_byte_by_byte():
    data = bytes([4, 255, 3, 0, 0x2C, 0x01]) + b"abc"
    frame = protocol.request(Message.COMMAND, 255, b"abc", 300)
    assert frame == data + zlib.crc32(data).to_bytes(4, "little")


def test_a_reply_is_read_and_a_broken_one_is_not():
    data = bytes([0x85, 7, 2, 0]) + b"xy"
    frame = data + zlib.crc32(data).to_bytes(4, "little")
    assert protocol.reply(Message.SAMPLES, 7, b"xy") == frame
    assert protocol.read_reply(frame) == (Message.SAMPLES, 7, b"xy")
    for place in range(len(frame)):
        assert protocol.read_reply(frame[:place]) is None
        broken = bytearray(frame)
        broken[place] ^= 0x10
        assert protocol.read_reply(bytes(broken)) is None
    request = protocol.request(Message.SAMPLES, 7, b"", 0)
    assert protocol.read_reply(request) is None


def test_identity_is_read_back():
    config = load("digits")
    identity = protocol.Identity.of(
        config, buffer=256, queue=4096, release=(1, 2, 3), memory=60, clock=83_333_333
    )
    payload = identity.to_bytes()
    assert len(payload) == protocol.size(protocol.IDENTITY)
    found = protocol.read_identity(payload)
    assert found == identity
    assert (found.fingerprint, found.inputs, found.classes) == (config.fingerprint, 64, 10)
    assert (found.release, found.queue, found.memory) == ("1.2.3", 4096, 60)
    assert payload[-4:] == (83_333_333).to_bytes(4, "little")
    assert protocol.read_identity(b"X" + payload[1:]) is None
    assert protocol.read_identity(payload[:-1]) is None


def test_configurations_that_differ_have_other_fingerprints():
    config = load("digits")
    assert len(config.fingerprint) == 16
    assert config.fingerprint == load("digits").fingerprint
    assert config.fingerprint != config.derive(seed=config.seed + 1).fingerprint
    # what the host alone follows: a checkpoint, in which halvings are spread, fits the board
    assert config.fingerprint == config.derive(update__halve_every=7).fingerprint


def expand(data, inputs, bits):
    """Samples of packed bytes, straight from the page's table."""
    samples, x, at = [], [], 0
    while at < len(data):
        zeros, count = data[at] & 31, data[at] >> 5
        at += 1
        if zeros == count == 0:
            samples.append((x + [0] * (inputs - len(x)), data[at]))
            x, at = [], at + 1
            continue
        size = count if bits > 4 else (count + 1) // 2
        part = list(data[at : at + size])
        if bits <= 4:
            part = [half for byte in part for half in (byte % 16, byte // 16)]
            assert part[count:] in ([], [0])
        x += [0] * zeros + part[:count]
        at += size
    assert x == []
    return samples


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("density", [0, 0.01, 0.2, 0.9, 1])
def test_samples_come_back_from_their_bytes(density, bits):
    generator = np.random.default_rng(1)
    x = generator.integers(0, 1 << bits, (5, 700)) * (generator.random((5, 700)) < density)
    labels = [0, 3, 9, 255, 1]
    data = [protocol.packed_sample(*sample, bits) for sample in zip(x, labels, strict=True)]
    wanted = [(row.tolist(), label) for row, label in zip(x, labels, strict=True)]
    assert expand(b"".join(data), 700, bits) == wanted
    unpacker, found = protocol.Unpacker(700, bits), []
    for byte in b"".join(data):
        if (sample := unpacker.take(byte)) is not None:
            found.append((sample[0].tolist(), sample[1]))
    assert found == wanted


def shortest(x):
    """Bytes that the inputs take at least, tried from the end on; the end not counted."""
    x = np.trim_zeros(x, "b").tolist()
    cost = [0] * (len(x) + 1)
    for at in reversed(range(len(x))):
        pieces = [
            (zeros, count)
            for zeros in range(32)
            for count in range(8)
            if zeros + count and at + zeros + count <= len(x) and not any(x[at : at + zeros])
        ]
        cost[at] = min(1 + count + cost[at + zeros + count] for zeros, count in pieces)
    return cost[0]


@pytest.mark.parametrize("density", [0.02, 0.3, 0.95])
def test_no_other_pieces_are_shorter(density):
    generator = np.random.default_rng(2)
    for _ in range(20):
        x = generator.integers(1, 256, 100) * (generator.random(100) < density)
        assert len(protocol.packed_sample(x, 0)) == shortest(x) + 2


@pytest.mark.parametrize("queue", [-1, 100, 65536])
def test_an_impossible_queue_is_refused(queue):
    with pytest.raises(InputError, match=r"^queue must be 0 or a power of two up to 32768, not"):
        protocol.check_queue(queue)


@pytest.mark.parametrize("buffer", [64, 100, 8192])
def test_an_impossible_buffer_is_refused(buffer):
    with pytest.raises(InputError, match="^buffer must be a power of two in 128..4096"):
        protocol.check_buffer(buffer)


def test_a_buffer_too_small_for_a_result_is_refused():
    config = CoreConfig.of((4, 4, 60), lanes=2)
    with pytest.raises(InputError, match="^buffer must hold the result of a sample, 138 bytes"):
        System(config, 4e6, 1_000_000, buffer=128)
