"""Mutants that may survive, and why no stimuli notice them: the list in ``survivors.toml``."""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import hebbware.hdl
from hebbware.golden.errors import InputError

from .mutants import Mutant

FILE = "survivors.toml"


@dataclass(frozen=True)
class Accepted:
    """Mutants that are known to survive.

    All that is given must match.

    Attributes
    ----------
    reason : str
        Why.
    module, wire, mode : str
        Regular expressions for the whole of each; by default anything.
    place : str
        Regular expression in ``-port A -portbit 3 -ctrlbit 7``; by default anything.
    source : str
        Regular expression in the text of a source line of `hebbware.hdl` that the mutant comes
        from; by default anything.
    """

    reason: str
    module: str = ".*"
    wire: str = ".*"
    mode: str = ".*"
    place: str = ""
    source: str = ""

    def matches(self, mutant: Mutant) -> bool:
        """Whether this is one of them."""
        return bool(
            re.fullmatch(self.module, mutant.module)
            and re.fullmatch(self.wire, mutant.wire)
            and re.fullmatch(self.mode, mutant.mode)
            and re.search(self.place, mutant.options)
            and (not self.source or any(re.search(self.source, t) for t in texts(mutant)))
        )


def texts(mutant: Mutant) -> list[str]:
    """The source lines that a mutant comes from."""
    root, found = Path(hebbware.hdl.__path__[0]).parent, []
    for source in mutant.sources:
        file, _, line = source.rpartition(":")
        found.append((root / file).read_text().splitlines()[int(line) - 1].strip())
    return found


def accepted(text: str | None = None) -> list[Accepted]:
    """The list in the repository, or in the `text` of such a file.

    Raises
    ------
    InputError
        An entry has no reason, nothing that it matches, or something unknown.
    """
    if text is None:
        text = resources.files(__package__).joinpath(FILE).read_text()
    found = []
    for number, entry in enumerate(tomllib.loads(text).get("accepted", []), 1):
        known = set(Accepted.__dataclass_fields__)
        if not entry.get("reason") or len(entry) < 2 or set(entry) - known:
            raise InputError(
                f"{FILE}: entry {number} must have a reason and at least one of "
                f"{', '.join(sorted(known - {'reason'}))}, not {sorted(entry)}"
            )
        found.append(Accepted(**entry))
    return found
