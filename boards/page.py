"""The page ``docs/link.md``, printed by ``python -m hebbware.boards.page``."""

from cobs import cobs

from ..golden.program.commands import ADDRESS_BITS, FIELDS
from . import protocol
from .protocol import Field, Message

INPUTS = 64  # of the example's sample
MEANINGS = {
    Message.IDENTITY: "what the board is; carried out whatever its sequence number, which is from "
    "then on the one that the next request follows; an unfinished sample is forgotten",
    Message.COUNTERS: "what the link has counted; samples and saturations are counted by the core, "
    "see COMMAND",
    Message.RESET: "the core is reset: start weights made anew, memories empty, counts of samples "
    "and saturations zero, an unfinished sample forgotten",
    Message.COMMAND: "commands of the core, one for each datum, at consecutive addresses",
    Message.SAMPLES: "part of the stream of samples; the answer has the results of those that end "
    "in it, in turn",
    Message.SPEED: "the line gets faster once the reply is sent: `speed` of IDENTITY; where there "
    "is none, nothing changes. A zero byte without a stop bit, as one at the first speed is there, "
    "brings that back",
    Message.CLASSES: "as SAMPLES; of each result the answer has the class alone",
}


def _table(fields: tuple[Field, ...]) -> list[str]:
    lines, at = ["| byte | field | meaning |", "|---|---|---|"], 0
    for field in fields:
        last = at + field.size - 1
        where = f"{at}" if field.size == 1 else f"{at}..{last}"
        lines.append(f"| {where} | `{field.name}` | {field.meaning} |")
        at = last + 1
    return lines


def _bytes(data: bytes) -> str:
    return f"`{data.hex(' ')}`"


def _head() -> list[str]:
    lines, at = ["| bits | field |", "|---|---|"], 0
    for name, bits in FIELDS:
        if name != "data":
            lines.append(f"| {at}..{at + bits - 1} | `{name}` |")
            at += bits
    return lines


def _packed() -> list[str]:
    low = protocol.ZEROS
    return [
        "| byte | meaning |",
        "|---|---|",
        f"| control byte, bits 0..{low - 1} | number z of inputs of value 0 |",
        f"| bits {low}..7 | number n of inputs that follow as they are |",
        f"| n inputs | a byte each; where inputs have up to {protocol.NIBBLE} bits, two a byte, "
        "the first in the lower half, n odd: the last upper half is 0 |",
        f"| control byte `{protocol.END:02x}` | the other inputs are 0; the label follows |",
        "| label | no class: infer only |",
    ]


def _numbers() -> list[str]:
    low, high = protocol.BUFFERS
    return [
        "| | |",
        "|---|---|",
        f"| version of the protocol | {protocol.VERSION} |",
        f"| frame buffer | {protocol.BUFFER} bytes, or a power of two in {low}..{high}: "
        "IDENTITY reports it |",
        f"| largest payload, either way | buffer - {protocol.MARGIN} bytes |",
        f"| window: replies that are kept | buffer / {protocol.SLOT}, of at most {protocol.SHORT} "
        "bytes of payload |",
        f"| queue of bytes before the buffer | {protocol.QUEUE} bytes, or another power of two up "
        f"to {protocol.QUEUES[1]}, or none: IDENTITY reports it |",
        "| checksum | CRC-32/ISO-HDLC, that of Ethernet and zlib; 4 bytes |",
        "| serial line | 8 data bits, no parity, 1 stop bit; the board tolerates 2 % of speed |",
    ]


def _example() -> list[str]:
    x = [0] * INPUTS
    x[2:5] = 9, 0, 255
    data = protocol.packed_sample(x, 7)
    counted = (3).to_bytes(protocol.size(protocol.COUNTERS), "little")
    requests = (
        ("RESET, sequence 16", Message.RESET, 16, b"", b""),
        ("COUNTERS, sequence 17; 3 errors", Message.COUNTERS, 17, b"", counted),
        ("SAMPLES, sequence 18; half a sample", Message.SAMPLES, 18, data[:3], b""),
    )
    lines = ["| what | bytes on the line |", "|---|---|"]
    for name, message, sequence, payload, answer in requests:
        wire = cobs.encode(protocol.request(message, sequence, payload, len(answer))) + b"\0"
        reply = cobs.encode(protocol.reply(message, sequence, answer)) + b"\0"
        lines += [f"| request {name} | {_bytes(wire)} |", f"| its reply | {_bytes(reply)} |"]
    return [
        *lines,
        f"| refusal | {_bytes(protocol.REFUSED)} |",
        "",
        f"The sample with inputs 0, 0, 9, 0, 255 and else zeros, class 7, is {_bytes(data)}.",
    ]


def _frames() -> list[str]:
    return [
        "## Frames",
        "",
        "Header of a request:",
        "",
        *_table(protocol.REQUEST),
        "",
        "Header of a reply:",
        "",
        *_table(protocol.RESPONSE),
        "",
        "Then the payload, then the checksum of header and payload.",
        "",
        "## What is carried out, and what not",
        "",
        "1. A request is kept in a buffer and acted upon only when its COBS blocks are whole, its "
        "checksum and its length are right and `answer` fits a payload.",
        "2. It is carried out if `sequence` is one more than in the last request carried out.",
        "3. If `sequence` is that of one of the last requests carried out, as many as the window "
        "has, what is kept of its reply is sent again and nothing is carried out. A reply of more "
        "bytes than those of the window may have runs over what is kept of others: it is kept "
        "until the next request is carried out, and no other one of the window is then.",
        "4. Anything else is refused: it changes nothing but the counter `errors`, and the board "
        f"sends {_bytes(protocol.REFUSED)}, the frame without bytes.",
        "5. After power-up only IDENTITY is carried out.",
        "",
        "The host sends as many requests as the window has before the reply to the first of them, "
        "and no more bytes than the queue takes; one with a long reply it sends alone. Those "
        "without a reply it sends again, byte for byte the same and in turn: at once after a "
        "refusal, a broken reply, or the reply to a later one, else when the reply is overdue. So "
        "a lost, repeated, truncated or corrupted frame costs time, and never a sample or a "
        "weight. While a request is worked on and answered, bytes wait in the queue; those that "
        "it has no room for are lost. The answer has exactly `answer` bytes: what there is more "
        "is left out, what is missing is zero.",
        "",
    ]


def _away() -> list[str]:
    return [
        "## When a host goes away",
        "",
        "A host begins with IDENTITY, and depends on nothing that another one left unfinished, "
        "wherever that one broke off:",
        "",
        "| left behind | what becomes of it |",
        "|---|---|",
        "| part of a request | ended by the zero that the next host sends first, and refused |",
        "| whole requests, their replies not taken | carried out in turn, samples learned "
        "included; their replies come before that to IDENTITY |",
        "| a START or a RESET | carried out; the next request waits until the start weights are "
        "made, where it needs the core |",
        "| part of a sample, in requests that were carried out | forgotten: it is neither learned "
        "nor counted |",
        "| weights and registers written | stay, as does all that was learned: a host that wants "
        "the start sends RESET |",
        "",
        "## Limits",
        "",
        "Of the checksum: a frame disturbed at random passes once in 2^32. A line keeps the order "
        "of frames; a request that was recorded and is played back after 256 others is not "
        "recognised as old.",
        "",
    ]


def _messages() -> list[str]:
    return [
        "## Messages",
        "",
        "| number | message | meaning |",
        "|---|---|---|",
        *(f"| {message.value} | {message.name} | {MEANINGS[message]} |" for message in Message),
        "",
        "### IDENTITY",
        "",
        "No payload. Answer:",
        "",
        *_table(protocol.IDENTITY),
        "",
        "### COUNTERS",
        "",
        "No payload. Answer:",
        "",
        *_table(protocol.COUNTERS),
        "",
        "### RESET",
        "",
        "No payload, no answer. The reply comes at once; the start weights are made while the next "
        "request already waits.",
        "",
        "### COMMAND",
        "",
        f"Payload: {protocol.HEAD} bytes that are the lower half of a command word of the core "
        f"(see [ports](ports.md)), then {protocol.WORD} bytes of data for each command, also for "
        "reads. The address goes up by one from command to command, modulo "
        f"2**{ADDRESS_BITS}. Answer: the {protocol.WORD} bytes of each response. "
        "The fields of the first bytes:",
        "",
        *_head(),
        "",
        "What the core counts is in registers, of the space `STATE`: `LEARNED`, `INFERRED`, "
        "`SATURATED`.",
        "",
        "### SAMPLES",
        "",
        "Payload: bytes of samples, one after another; a request may end within one.",
        "",
        *_packed(),
        "",
        f"Answer: for each sample that ends in this request the class, then the score of each "
        f"class, {protocol.RESULT} bytes each, signed. A sample with a label is learned after it "
        "was classified. Inputs beyond those of a sample are dropped.",
        "",
        "Of a core of sequences each tick is such a sample, with a label of its own or none. The "
        f"answer comes after the last one, {protocol.SUM} bytes for the class and for each score; "
        "how many ticks a sequence has the configuration says (`neuron.ticks`).",
        "",
        "### CLASSES",
        "",
        "Payload: as of SAMPLES. Answer: for each sample that ends in this request its class, a "
        "byte. With an `answer` of no bytes nothing but the counter `right` tells of them.",
        "",
        "### SPEED",
        "",
        "No payload, no answer. The host asks something at the new speed; where no reply comes, it "
        "begins anew with IDENTITY at the first one: the zero before it brings the board back to "
        "that, and its repetition is understood. So it is where a host finds a board that another "
        "one left at the new speed.",
        "",
    ]


def markdown() -> str:
    """The page."""
    lines = [
        "# The link between a host and a board",
        "",
        "This page is printed by `python -m hebbware.boards.page` from "
        "[`boards/protocol.py`](../boards/protocol.py), which the gateware and the host take their "
        "constants from; a test holds it to that.",
        "",
        "The host sends *requests* and gets a *reply* to each, in turn. Each is a frame: header, "
        "payload, checksum, encoded by COBS (consistent overhead byte stuffing) and ended by a "
        "zero byte. Numbers are little-endian. Before a request the host sends one more zero, "
        "which ends whatever a disturbed line left behind; the board takes no notice of empty "
        "frames.",
        "",
        *_numbers(),
        "",
        *_frames(),
        *_away(),
        *_messages(),
        "## Example",
        "",
        *_example(),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
