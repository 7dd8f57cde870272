"""Proofs by SAT: a property of a circuit holds whatever comes in, or here is a counterexample.

A property is a component with an output ``ok`` that is to be high. All its inputs are free: another
value in each clock. Where it has an output ``given``, only inputs are considered for which that is
high in every clock. Where it has an output ``reached``, that must be possible within the same
clocks; otherwise nothing that matters would be proven. Clocks count from reset, which is not
repeated.

Yosys turns the circuit into gates and unrolls them (``sat``).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from hebbware.golden.errors import ToolError
from hebbware.golden.system import places

from . import tools

# memories become registers; registers keep their enables and resets in front of them
PREPARE = "proc; flatten; memory_map; opt -full -nosdff -nodffe"
SUCCESS, FAIL, OPEN = "SUCCESS!", "FAIL!", "proof failed."  # the last words of `sat`
UNKNOWN = "4"  # in its waves


@dataclass(frozen=True)
class Proof:
    """What came out.

    Attributes
    ----------
    holds : bool
    counterexample : dict or None
        Where it does not hold: by name the values of each port, one for each clock. None where
        only the induction failed: then nothing is known.
    """

    holds: bool
    counterexample: dict[str, list[int]] | None = None


class Vacuous(AssertionError):
    """``reached`` cannot be high: the property says nothing within these clocks."""


def prove(prop: Component, *, clocks: int = 1, skip: int = 0, induction: bool = False) -> Proof:
    """Whether ``ok`` is high in so many `clocks` from reset, after `skip` ones.

    Parameters
    ----------
    induction : bool
        Prove it for all later clocks, too: where ``ok`` was high in at most so many `clocks` in a
        row, from whatever state, it is in the next one.

    Raises
    ------
    Vacuous
        If ``reached`` cannot be high.
    InputError
        If Yosys is missing.
    ToolError
        If it fails.
    """
    return prove_all({"it": prop}, clocks=clocks, skip=skip, induction=induction)["it"]


def prove_all(
    props: Mapping[str, Component], *, clocks: int = 1, skip: int = 0, induction: bool = False
) -> dict[str, Proof]:
    """:func:`prove` of several properties in one run of Yosys, by name."""
    yosys, script = tools.find("yosys"), []
    with places.temporary() as work:
        for number, prop in enumerate(props.values()):
            text = rtlil.convert(prop, name="top", emit_src=False)
            (work / f"{number}.il").write_text(text)
            script += [f"design -reset; read_rtlil {number}.il; {PREPARE}"]
            given = _given(prop, text)
            if "reached" in prop.signature.members:
                depth = f"-tempinduct-baseonly -seq 0 -maxsteps {skip + clocks}"
                script += [f"tee -q -o {number}.reach sat {depth} -prove reached 0 {given} top"]
            kind = "-tempinduct" if induction else "-tempinduct-baseonly"
            script += [
                f"tee -q -o {number}.log sat {kind} -seq {skip} -maxsteps {clocks} -prove ok 1 "
                f"{given} -show-ports -dump_json {number}.json top"
            ]
        (work / "prove.ys").write_text("\n".join(script) + "\n")
        log = work / "yosys.log"
        tools.call(yosys, ["-q", "prove.ys"], step="proof", folder=work, log=log)
        for number, name in enumerate(props):
            reach = work / f"{number}.reach"
            if reach.exists() and _outcome(reach) != FAIL:
                raise Vacuous(f"{name}: `reached` is never high in {skip + clocks} clocks")
        return {
            name: _proof(work, number, set(prop.signature.members))
            for number, (name, prop) in enumerate(props.items())
        }


def _given(prop: Component, text: str) -> str:
    """What is assumed in every clock."""
    sets = ["-set given 1"] if "given" in prop.signature.members else []
    top = text[re.search(r"^module \\top$", text, re.MULTILINE).start() :]
    if re.search(r"^  wire .*input .*\\rst$", top, re.MULTILINE):
        sets.append("-set rst 0")
    return " ".join(sets)


def _outcome(log: Path) -> str:
    """How a run of `sat` ended."""
    said = [end for end in (SUCCESS, FAIL, OPEN) for line in _lines(log) if line.endswith(end)]
    if len(said) != 1:
        raise ToolError("proof: Yosys does not say what it found", log.read_text())
    return said[0]


def _lines(log: Path) -> list[str]:
    return [line.strip() for line in log.read_text().splitlines()]


def _proof(work: Path, number: int, ports: set[str]) -> Proof:
    outcome = _outcome(work / f"{number}.log")
    if outcome != FAIL:
        return Proof(outcome == SUCCESS)
    found = json.loads((work / f"{number}.json").read_text())
    waves = {wave["name"]: wave for wave in found["signal"]}
    # where there are registers, what they hold comes first
    before = "clk" in waves and waves["clk"]["wave"][0] == UNKNOWN
    return Proof(False, {name: _values(waves[name])[before:] for name in waves if name in ports})


def _values(wave: Mapping) -> list[int]:
    """Values of a signal in a wave of WaveJSON."""
    texts, values, value = iter(wave.get("data", ())), [], 0
    for letter in wave["wave"]:
        if letter in "01":
            value = int(letter)
        elif letter != ".":
            value = int(next(texts, "") or "0", 2)
        values.append(value)
    return values
