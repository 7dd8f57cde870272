"""The core as one Verilog file, and what its ports mean.

The same description goes into the header of the file and into ``docs/ports.md``
(``python -m hebbware.hdl.emit`` prints that page).
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib.wiring import Component, Out, Signature

from ..golden.config import CoreConfig, load
from ..golden.program import commands
from ..golden.program.traces import traces
from .core import Core
from .verilog import convert

MODULE = "hebbware_core"
WIDTH = 97  # of a line of the header, after the slashes
SHOWN = ("digits", "mnist", "mnist-hsic")  # whose widths docs/ports.md lists

MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "reset, synchronous, active high; afterwards the start weights are made on chip",
    "samples": "for each sample its inputs in order, then its label",
    "results": "for each sample its class, then the score of each class; signed",
    "commands": "command words of the host, see below",
    "responses": "one for each command; signed",
}
MEMBERS = {
    "valid": "a word is offered",
    "ready": "the word is taken if one is offered",
    "payload": "the word",
    "en": "a write happens in this clock",
    "address": "where",
    "data": "what",
}
SEQUENCES, SIGNALS, RUNS = "Sequences", "Signals", "Runs of zeros"
NOTES = {
    "Streams": (
        "A word moves at each rising clock edge at which valid and ready are both high.",
        "Once valid is high it stays high, with the same payload, until the word has moved.",
        "Ready may change at any time. No valid depends on its own ready in the same clock.",
    ),
    "Samples": (
        "An input is unsigned; its lowest input.bits bits count, as "
        "value / 2**input.bits, or where inputs are centred as 2 value / 2**input.bits - 1.",
        "The label is the number of the class; any other word (255) means: infer only.",
        "Two samples are held: the next one may come in while one is worked on.",
    ),
    RUNS: (
        "Where input.runs is set, a word has one bit more, the highest. A word of a sample's "
        "inputs in which it is set stands for so many inputs that are 0 as its other bits say, "
        "but for no more than are left of the sample.",
        "A label in which it is set is no class.",
    ),
    "Results": (
        "Scores have formats.u_fraction fraction bits. The class is the first of the largest "
        "score.",
        "A sample that is learned gives the scores that it had before it was learned.",
    ),
    SEQUENCES: (
        "Where layers are recurrent, neuron.ticks samples in a row are a sequence. What is said "
        "of a sample here is so of each of its ticks, but for this:",
        "A tick whose label is a class is learned. Results come once, after the last tick; their "
        "scores are sums over the last neuron.target ticks.",
        "Commands wait for the end of a sequence. LEARNED counts sequences with a label at any "
        "tick, INFERRED the others.",
    ),
    SIGNALS: (
        "Where neuron.signal is set, a tick's inputs are followed by the target of each output, "
        "then by its label. A target has 8 bits, two's complement, and stands for value / 128.",
        "A label that is the number of an output says that the tick has targets, and is learned; "
        "any other word (255) that it has none, whatever comes in their place.",
        "Results come after each of the last neuron.target ticks: the number of the first of the "
        "largest outputs, then each output of this tick.",
    ),
    "Commands": (
        "Carried out one at a time while no sample is worked on; a waiting command goes before a "
        "waiting sample. Each gets one response.",
        "Words of the weight and of the class memory hold one number for each lane; which weight "
        "lies where is printed by `hebbware info`.",
        "Every word is answered, and none takes longer than another of its space, START apart.",
        "Where there is nothing, READ answers 0, and WRITE changes nothing and answers 0: at an "
        "address beyond the words of a memory, in a lane beyond the last one or one that holds no "
        "unit there (at the end of the last block of a layer), at a gain or a register that the "
        "core has not, in the class memory of a core that has none. So does op 3, in every space.",
        "A number in a memory takes the low bits of what is written, and is answered with its "
        "sign.",
        "A gain or a register that cannot hold what is written stays as it is: EXTRA takes "
        "0..update.halvings, a gain 0..memory.bits - 1, RANDOM all but 0; what is read only "
        "takes nothing.",
    ),
}
OPS = {
    commands.Op.READ: "the response is the value",
    commands.Op.WRITE: "the response is what READ would answer now",
    commands.Op.START: "back to the state after reset, whatever the other fields say; responds "
    "with 0 when that is reached",
}
SPACES = {
    commands.Space.WEIGHT: "weight memory: address of the word, and lane",
    commands.Space.MEMORY: "class memory: address of the word, and lane; its code bit on top",
    commands.Space.GAIN: "scale of a class-memory row (gated): address = layer * classes + class",
    commands.Space.STATE: "a register: address as below",
}
STATES = {
    commands.State.EXTRA: "halvings of every step",
    commands.State.LEARNED: "samples learned, modulo 2**32; read only",
    commands.State.INFERRED: "samples inferred, modulo 2**32; read only",
    commands.State.RANDOM: "word of the random number generator",
    commands.State.SATURATED: "words of the weight memory that learning wrote with at least one "
    "weight cut off by saturation, modulo 2**32; read only",
}
TABLES = {"op": OPS, "space": SPACES, "address of a register": STATES}


@dataclass(frozen=True)
class Port:
    """A port of the Verilog module.

    Attributes
    ----------
    name : str
    direction : str
        ``input`` or ``output``.
    width : int
        Bits.
    meaning : str
    """

    name: str
    direction: str
    width: int
    meaning: str


def ports(config: CoreConfig, *, trace: bool = False) -> list[Port]:
    """The ports of the module, clock and reset first, in the order of the signature."""
    meanings = MEANINGS | {shown.channel: shown.meaning for shown in traces(config).values()}
    return ports_of(Core(config, trace=trace), meanings)


def ports_of(component: Component, meanings: Mapping[str, str]) -> list[Port]:
    """The ports of a component; `meanings` by stream or event, and of ``clk`` and ``rst``."""
    component._MustUse__used = True  # only its signature is: Amaranth is not to warn
    found = [Port(name, "input", 1, meanings[name]) for name in ("clk", "rst")]
    for path, member in _leaves(component.signature):
        *group, name = path
        where = ".".join(group)
        meaning = MEMBERS[name]
        if name in ("payload", "data"):
            meaning = meanings[where]
        direction = "output" if member.flow == Out else "input"
        width = Shape.cast(member.shape).width
        found.append(Port("__".join(path), direction, width, meaning))
    return found


def _leaves(signature: Signature, path: tuple[str, ...] = ()) -> Iterator:
    for name, member in signature.members.items():
        if member.is_port:
            yield (*path, name), member
        else:
            yield from _leaves(member.signature, (*path, name))


def fields() -> list[tuple[str, int, int]]:
    """Name, highest and lowest bit of each field of a command word."""
    found, low = [], 0
    for name, bits in commands.FIELDS:
        found.append((name, low + bits - 1, low))
        low += bits
    return found


def core_verilog(config: CoreConfig, *, trace: bool = False) -> str:
    """The core of `config` as the module ``hebbware_core``, with a header that describes its ports.

    Parameters
    ----------
    config : CoreConfig
    trace : bool
        Adds the ports that show every write to a memory.
    """
    text = convert(Core(config, trace=trace), MODULE)
    return header(config, trace=trace) + "\n" + text


def header(config: CoreConfig, *, trace: bool = False) -> str:
    """The comment at the beginning of the file."""
    lines = [f"{MODULE}: Hebbian learning core", "", "Ports"]
    lines += port_lines(ports(config, trace=trace))
    for title, notes in NOTES.items():
        there = {SEQUENCES: config.recurrent, SIGNALS: config.signal, RUNS: config.input.runs}
        if not there.get(title, True):
            continue
        lines += ["", title]
        for note in notes:
            lines += wrapped("", note)
    for name, high, low in fields():
        lines += wrapped("", f"{name}: bits {high}..{low}")
    for title, table in TABLES.items():
        for key, text in table.items():
            lines += wrapped("", f"{title} {key.value} {key.name}: {text}")
    lines += ["", "Configuration", *(f"  {line}" for line in config.to_toml().splitlines())]
    return comment(lines)


def comment(lines: Iterable[str]) -> str:
    """Lines as a comment in Verilog."""
    return "".join(f"// {line}".rstrip() + "\n" for line in lines)


def port_lines(listed: Sequence[Port]) -> list[str]:
    """A table of ports in plain text."""
    wide = max(len(port.name) for port in listed)
    lines = []
    for port in listed:
        lines += wrapped(f"{port.direction:6} {port.width:5}  {port.name:{wide}}  ", port.meaning)
    return lines


def wrapped(start: str, text: str) -> list[str]:
    """Lines of `text` in a column after `start`."""
    indent = " " * (2 + len(start))
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {start}", subsequent_indent=indent)


def markdown() -> str:
    """The page ``docs/ports.md``."""
    columns = [ports(load(name), trace=True) for name in SHOWN]
    lines = [
        "# Ports of the core",
        "",
        f"The Verilog module `{MODULE}` that `hebbware verilog` writes. This page is printed by "
        "`python -m hebbware.hdl.emit`; a test holds it to what the code says. The ports "
        "`trace__...` are there with `--trace` only.",
        "",
        f"| port | direction | {' | '.join(f'bits, `{name}`' for name in SHOWN)} | meaning |",
        f"|---|---|{'---|' * len(SHOWN)}---|",
    ]
    widths = [{port.name: port.width for port in column} for column in columns]
    for port in {port.name: port for column in columns for port in column}.values():
        bits = " | ".join(str(column.get(port.name, "-")) for column in widths)
        lines.append(f"| `{port.name}` | {port.direction} | {bits} | {port.meaning} |")
    for title, notes in NOTES.items():
        lines += ["", f"## {title}", "", *(f"- {note}" for note in notes)]
    lines += ["", "| field | bits |", "|---|---|"]
    lines += [f"| `{name}` | {high}..{low} |" for name, high, low in fields()]
    for title, table in TABLES.items():
        lines += ["", f"| {title} | name | meaning |", "|---|---|---|"]
        lines += [f"| {key.value} | `{key.name}` | {text} |" for key, text in table.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
