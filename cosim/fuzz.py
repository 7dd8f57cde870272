"""Runs random configurations, one seed after another, and keeps a line of JSON for each.

The lines of a file are results of the code that wrote them: a run goes on where the last one ended
only as far as golden, RTL and co-simulation are still the same.
"""

import hashlib
import json
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import hebbware.golden
import hebbware.hdl
from hebbware.golden.errors import InputError
from hebbware.golden.system.workers import workers

from .configurations import drawn_config, random_stimuli
from .core import build_core, cosimulate
from .stimuli import Stimuli

EQUAL, MISMATCH, REFUSED, CRASH = "equal", "mismatch", "refused", "crash"


@dataclass(frozen=True)
class Outcome:
    """What came of a seed.

    Attributes
    ----------
    seed : int
    outcome : str
        ``equal``; ``mismatch``; ``refused``: the configuration was accepted, its hardware not;
        ``crash``: an exception where there must be none.
    clocks, records : int
        Clocks simulated and records found equal, of all runs.
    message : str
        What differs, in which stimuli; why it was refused; the end of the trace. Empty where equal.
    config : str
        The configuration as TOML.
    code : str
        Of the sources that it holds for, see `code_version`.
    """

    seed: int
    outcome: str
    clocks: int
    records: int
    message: str
    config: str
    code: str


@lru_cache
def code_version() -> str:
    """Hash of all sources that an outcome depends on."""
    folders = (hebbware.golden.__path__[0], hebbware.hdl.__path__[0], Path(__file__).parent)
    digest = hashlib.sha256()
    for folder in map(Path, folders):
        for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.sv")]):
            digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def check(seed: int) -> Outcome:
    """Build the configuration of a seed, run its stimuli and compare everything."""
    config, clocks, records, stimuli = None, 0, 0, None

    def outcome(kind: str, message: str = "") -> Outcome:
        if stimuli and kind != EQUAL:
            message = f"{_inputs(stimuli)}: {message}"
        toml = config.to_toml() if config else ""
        return Outcome(seed, kind, clocks, records, message, toml, code_version())

    try:
        config = drawn_config(seed)
        try:
            model = build_core(config, quick=True)
        except InputError as error:
            return outcome(REFUSED, str(error))
        for stimuli in random_stimuli(config, seed):
            run = cosimulate(config, stimuli.x, stimuli.labels, model=model, **stimuli.options)
            clocks += run.result.clocks
            records += run.result.compared
            if run.message:
                return outcome(MISMATCH, run.message)
    except Exception:
        return outcome(CRASH, traceback.format_exc())
    return outcome(EQUAL)


def _inputs(stimuli: Stimuli) -> str:
    return f"{stimuli.name}, {len(stimuli.x)} samples, {len(stimuli.commands)} commands"


def run_seeds(
    seeds: Iterable[int],
    *,
    jobs: int = 1,
    lines: Path | None = None,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Check `seeds`, some at a time.

    Parameters
    ----------
    jobs : int
        Processes.
    lines : Path, optional
        File of earlier outcomes: those of this code, crashes aside, are taken from there, new ones
        are added.
    done : callable
        Called with each outcome as it comes, the earlier ones first.
    """
    seeds = list(seeds)
    wanted, outcomes = set(seeds), {}
    for earlier in read_lines(lines) if lines else ():
        if earlier.seed not in wanted or earlier.code != code_version():
            continue
        if earlier.outcome != CRASH:  # it may be for want of memory or of a file
            outcomes[earlier.seed] = earlier
    for outcome in outcomes.values():
        done(outcome)
    with workers(jobs) as pool:  # processes: a build changes its process's environment
        futures = [pool.submit(check, seed) for seed in seeds if seed not in outcomes]
        for future in as_completed(futures):
            outcome = future.result()
            outcomes[outcome.seed] = outcome
            if lines:
                with lines.open("a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")
            done(outcome)
    return [outcomes[seed] for seed in seeds]


def read_lines(path: Path) -> Iterator[Outcome]:
    """The outcomes in a file, one a line; none where there is no file.

    Raises
    ------
    InputError
        The file is no such file. A last line that was cut off is left out.
    """
    if not path.exists():
        return
    text = path.read_text()
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        try:
            yield Outcome(**json.loads(line))
        except (ValueError, TypeError):
            if line.endswith("\n"):
                raise InputError(f"{path}, line {number}: no outcome of a random run") from None
