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
    payload = protocol.identity_bytes(config, 256, (1, 2, 3))
    assert len(payload) == protocol.size(protocol.IDENTITY)
    found = protocol.read_identity(payload)
    assert found == protocol.Identity(protocol.VERSION, 256, config.fingerprint, 64, 10, "1.2.3")
    assert protocol.read_identity(b"X" + payload[1:]) is None
    assert protocol.read_identity(payload[:-1]) is None


def test_configurations_that_differ_have_other_fingerprints():
    config = load("digits")
    assert len(config.fingerprint) == 16
    assert config.fingerprint == load("digits").fingerprint
    assert config.fingerprint != config.derive(seed=config.seed + 1).fingerprint
    # what the host alone follows: a checkpoint, in which halvings are spread, fits the board
    assert config.fingerprint == config.derive(update__halve_every=7).fingerprint


def expand(data, inputs):
    """Samples of a stream of tokens, straight from the page's table."""
    samples, x, at = [], [], 0
    while at < len(data):
        if data[at]:
            x.append(data[at])
            at += 1
        elif data[at + 1]:
            x += [0] * data[at + 1]
            at += 2
        else:
            samples.append((x + [0] * (inputs - len(x)), data[at + 2]))
            x, at = [], at + 3
    assert x == []
    return samples


@pytest.mark.parametrize("density", [0, 0.01, 0.2, 1])
def test_samples_come_back_from_their_tokens(density):
    generator = np.random.default_rng(1)
    x = generator.integers(0, 256, (5, 700)) * (generator.random((5, 700)) < density)
    labels = [0, 3, 9, 255, 1]
    tokens = [protocol.sample_tokens(*sample) for sample in zip(x, labels, strict=True)]
    found = expand(b"".join(b"".join(parts) for parts in tokens), 700)
    assert found == [(row.tolist(), label) for row, label in zip(x, labels, strict=True)]
    assert {len(token) for parts in tokens for token in parts} <= {1, 2, 3}


@pytest.mark.parametrize("buffer", [64, 100, 8192])
def test_an_impossible_buffer_is_refused(buffer):
    with pytest.raises(InputError, match="^buffer must be a power of two in 128..4096"):
        protocol.check_buffer(buffer)


def test_a_buffer_too_small_for_a_result_is_refused():
    config = CoreConfig.of((4, 4, 60), lanes=2)
    with pytest.raises(InputError, match="^buffer must hold the result of a sample, 138 bytes"):
        System(config, 4e6, 1_000_000, buffer=128)
