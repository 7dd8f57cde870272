"""Specifications of studies, and the runs that they consist of.

A specification is a TOML file::

    title = "Weight bits and rounding"
    base = "digits"              # preset or file; or {preset = "digits", memory.horizon = 9}
    dataset = "digits"           # by default the set that the base is named after
    epochs = 10
    seeds = [0, 1, 2]
    validation = 108             # samples held back; by default one in twelve
    samples = 500                # samples to train with; by default all that are not held back
    test = true                  # look at the test set at the end of each run; by default not
    controls = ["frozen", "codes", "linear", "float"]
    cost = "synthesis"           # also synthesise each distinct core; by default LUTs are estimated
    list = [{}, {memory.horizon = 9}]  # each of these tables ...

    [grid]                       # ... with every combination of these values ...
    formats.weight_bits = [8, 12]
    update.rounding = ["nearest", "stochastic"]

    [zip]                        # ... and with the first of each of these, the second of each, ...
    formats.z_bits = [6, 8]
    formats.z_fraction = [2, 4]

Every configuration field but the seed can be varied, by its dotted name, and ``epochs`` and
``samples``. Where the kind of a memory, modulator or neuron is varied, fields of the base that it
does not have are left out; those of ``grid``, ``zip``, ``list`` and ``set`` make a combination
impossible. Several figures go into one file as ``[[part]]`` tables, each with a ``name`` and its
own ``grid``, ``zip``, ``list``, ``set`` (fixed values) and ``controls``; ``include = ["other",
...]`` takes in the parts of other specifications, shipped ones by name or files in the same folder.

Controls are trained for every combination, each once for all those that do not differ in what the
control uses: ``linear`` uses no configuration field; ``float``, the rule in double precision, is
trained at the base's settings (and those that a part sets) for each choice of layers and memory,
where there is such a rule; ``codes`` uses nothing of the memory, ``frozen`` nothing of the memory
and of directions.

``cost = "synthesis"`` adds runs of another kind: each distinct core goes through Yosys once for
each family of `hebbware.study.synthesis`, whatever its seeds, epochs and samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from hebbware.golden.config import PRESETS, CoreConfig, derived, names, presets
from hebbware.golden.data import sets as data
from hebbware.golden.errors import InputError, did_you_mean, one_of
from hebbware.golden.learn import train
from hebbware.golden.learn.controls import MEMORIES, SEQUENCES
from hebbware.golden.reservoir.decoder import decoder_hash
from hebbware.golden.settings.files import parse
from hebbware.golden.settings.tables import flattened
from hebbware.golden.system.files import read_text
from hebbware.study import run, synthesis
from hebbware.study.checks import known, listed, typed
from hebbware.study.store import run_name

SPECS = Path(__file__).parent / "specs"
FIELDS = tuple(name for name in names() if name != "seed")
AXES = (*FIELDS, "epochs", "samples")
TOP = (
    *("title", "base", "dataset", "epochs", "seeds", "validation", "samples", "test", "controls"),
    "cost",
)
COSTS = ("estimate", "synthesis")
PART = ("name", "title", "set", "grid", "zip", "list", "controls")
KEYS = (*TOP, "include", "part", "set", "grid", "zip", "list")

FORMATS = (
    *("lanes", "update.rounding", "input.bits", "memory.bits", "memory.read_bits"),
    *("memory.read_fraction", *(name for name in FIELDS if name.startswith("formats."))),
)
UNUSED = {
    "linear": FIELDS,
    "float": (
        *(*FORMATS, "memory.horizon", "memory.window", "memory.kappa", "modulator.beta_log2"),
        *("layer.init_std", "layer.rate", "update.halve_every", "update.halvings"),
    ),
    "codes": (),
    "frozen": ("formats.d_bits", "formats.d_fraction"),
}
"""Fields that make no difference to a control, besides those that its memory does not have; its
runs have the base's values."""


@dataclass
class Point:
    """A combination: the values of the axes, the runs of its seeds, those of its controls.

    ``syntheses`` has the run of its core for each family of devices, where they are asked for.
    """

    values: dict[str, Any]
    runs: list[str] = field(default_factory=list)
    controls: dict[str, list[str]] = field(default_factory=dict)
    syntheses: dict[str, str] = field(default_factory=dict)


@dataclass
class Part:
    """What one figure shows: points along axes.

    Members
    -------
    name, title, spec : str
        ``spec`` is the specification that it is from.
    fields : list of str
        What varies, in the order of the specification.
    points : list of Point
    """

    name: str
    title: str
    spec: str
    fields: list[str]
    points: list[Point] = field(default_factory=list)


@dataclass
class Plan:
    """All runs of a specification.

    Members
    -------
    name, title : str
    parts : list of Part
    keys : dict
        Key of each run by its name, each run once.
    impossible : list of str
        A line for each combination that cannot be.
    """

    name: str
    title: str
    parts: list[Part] = field(default_factory=list)
    keys: dict[str, dict] = field(default_factory=dict)
    impossible: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Plain values for JSON: which runs belong to which point of which part."""
        parts = [
            {
                **{name: getattr(part, name) for name in ("name", "title", "spec", "fields")},
                "points": [vars(point) for point in part.points],
            }
            for part in self.parts
        ]
        return {"name": self.name, "title": self.title, "parts": parts}


def shipped() -> list[str]:
    """Names of the shipped specifications."""
    return sorted(path.stem for path in SPECS.glob("*.toml"))


def plan(spec: str | Path, data_dir: str | Path | None = None) -> Plan:
    """Read a specification and everything it includes, and list its runs.

    Combinations that cannot be are listed in the plan, all of them; the caller must refuse it.

    Raises
    ------
    InputError
        No such specification, keys or values that it cannot have, a data set that is not there.
    """
    path, values = _read(spec)
    made = Plan(path.stem, str(values.get("title", path.stem)))
    _add(made, path, values, None if data_dir is None else str(data_dir), ())
    if not made.keys and not made.impossible:
        raise InputError(f"{path}: there is nothing to run")
    return made


def _read(spec: str | Path, folder: Path | None = None) -> tuple[Path, dict]:
    path = SPECS / f"{spec}.toml" if str(spec) in shipped() else Path(spec)
    if folder and path == Path(spec):
        path = folder / path
    try:
        return path, parse(read_text(path), f"specification {path}")
    except OSError as error:
        names = ", ".join(shipped())
        raise InputError(
            f"specification {spec}: {error.strerror}; give a TOML file or one of {names}"
            f"{did_you_mean(spec, shipped())}"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"specification {path}: {error}") from None


def _add(made: Plan, path: Path, values: dict, data_dir: str | None, above: tuple) -> None:
    """Add the parts of a specification to the plan."""
    where = f"specification {path.name}"
    known(where, values, KEYS)
    if path in above:
        raise InputError(f"{where} includes itself")
    for name in listed(where, "include", values.get("include", []), str):
        _add(made, *_read(name, path.parent), data_dir, (*above, path))
    own = {key: values[key] for key in ("set", "grid", "zip", "list") if key in values}
    parts = listed(where, "part", values.get("part", []), dict)
    if own and parts:
        raise InputError(
            f"{where}: {next(iter(own))} must stand inside the parts where there are any"
        )
    if not parts and "include" not in values:
        parts = [own]
    if parts:
        top = _Top(where, values, path, data_dir)
        if not own and not {"base", "part"} & values.keys():
            raise InputError(
                f"{where} must name a base, an include or what is varied (grid, zip, list, part); "
                f"it holds {', '.join(values) or 'nothing'}"
            )
        for part in parts:
            _add_part(made, where, top, part, path.stem)


class _Top:
    """What all parts of a specification share, checked."""

    def __init__(self, where: str, values: dict, path: Path, data_dir: str | None):
        self.where, self.data_dir = where, data_dir
        self.title = typed(where, "title", values.get("title", path.stem), str)
        self.base, name = _base(where, values.get("base", "digits"), path.parent)
        self.base.pop("seed", None)
        self.dataset = typed(where, "dataset", values.get("dataset", _namesake(name)), str)
        if self.dataset.partition(":")[0] not in data.NAMES:
            raise one_of(f"{where}: dataset", self.dataset, data.NAMES)
        self.seeds = listed(where, "seeds", values.get("seeds", [0, 1, 2]), int)
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"{where}: seeds must be different numbers from 0, not {self.seeds}")
        self.test = typed(where, "test", values.get("test", False), bool)
        self.validation = values.get("validation")
        self.defaults = {"epochs": values.get("epochs", 10), "samples": values.get("samples")}
        self.controls = _controls(where, values.get("controls", []))
        self.cost = typed(where, "cost", values.get("cost", COSTS[0]), str)
        if self.cost not in COSTS:
            raise one_of(f"{where}: cost", self.cost, COSTS)
        self.data = {}
        for seed in self.seeds:
            fixed = run.data_seed(self.dataset, seed)
            self.data[seed] = run.load(self.dataset, data_dir, fixed)
        dataset = self.data[self.seeds[0]][0]
        number = isinstance(self.validation, (int, float)) and not isinstance(self.validation, bool)
        if self.validation is not None and not number:
            raise InputError(f"{where}: validation must be a number, not {self.validation!r}")
        try:
            self.held = train.held_back(dataset, self.validation)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def key(
        self, values: dict, seed: int, control: str | None = None, base: dict | None = None
    ) -> dict:
        """Return the key of a run with these values on top of the base, or of another one.

        Raises
        ------
        InputError
            There can be no such run.
        """
        values = {**self.defaults, **values}
        epochs, samples = values.pop("epochs"), values.pop("samples")
        dataset, checksum = self.data[seed]
        config = CoreConfig.from_dict(derived(self.base if base is None else base, values))
        train.check_fit(config, dataset)
        if isinstance(epochs, bool) or not isinstance(epochs, int) or not 1 <= epochs <= 1000:
            raise InputError(f"epochs must lie in 1..{train.EPOCHS}, not {epochs!r}")
        most = len(dataset.y_train) - self.held
        samples = most if samples is None else samples
        if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= most:
            raise InputError(f"samples must lie in 1..{most}, not {samples!r}")
        if control == "float":
            run.float_rule(config)
        plain = {k: v for k, v in config.to_dict().items() if k != "seed"}
        return {
            "config": plain,
            "decoder": decoder_hash(config),
            "seed": seed,
            "dataset": {"name": self.dataset, "sha256": checksum},
            "epochs": epochs,
            "train_samples": samples,
            "validation": self.held,
            "test": self.test,
            "control": control,
            "code": run.code_version(),
        }

    def control_key(self, fixed: dict, varied: dict, seed: int, control: str) -> dict:
        """Return the key of the control of a run, with the fields that it does not use as in the
        base: runs that differ in nothing else share it. ``float`` keeps what a part sets for all.
        """
        used = {k: v for k, v in (fixed | varied).items() if k not in UNUSED[control]}
        if control == "float":
            return self.key(fixed | used, seed, control)
        run_of = {name: used.pop(name) for name in self.defaults if name in used}
        base = derived(self.base, used)
        networks = SEQUENCES if "recurrent" in base.get("layer.kind", ()) else MEMORIES
        return self.key(run_of | networks.get(control, {}), seed, control, base)


def _add_part(made: Plan, where: str, top: _Top, values: dict, spec: str) -> None:
    name = typed(where, "name", values.get("name", spec), str)
    where = f"{where}, part {name}" if "name" in values else where
    known(where, values, PART)
    if any(part.name == name and part.spec == spec for part in made.parts):
        raise InputError(f"{where}: there is another part of that name")
    part = Part(name, typed(where, "title", values.get("title", top.title), str), spec, [])
    controls = _controls(where, values["controls"]) if "controls" in values else top.controls
    fixed = _axes(where, "set", values.get("set", {}))
    for varied in _combinations(where, values, part.fields):
        point = Point(varied)
        runs, keys = {**fixed, **varied}, []
        try:
            keys = [(None, top.key(runs, seed)) for seed in top.seeds]
            for control in controls:
                keys += [
                    (control, top.control_key(fixed, varied, seed, control)) for seed in top.seeds
                ]
        except InputError as error:
            shown = ", ".join(f"{k}={v}" for k, v in runs.items()) or "the base"
            made.impossible.append(f"{where}: {shown}: {error}")
            continue
        for control, key in keys:
            name = run_name(key)
            made.keys[name] = key
            target = point.runs if control is None else point.controls.setdefault(control, [])
            target.append(name)
        if top.cost == "synthesis":
            config = CoreConfig.from_dict(keys[0][1]["config"])
            for family in synthesis.FAMILIES:
                key = synthesis.key(config, family)
                point.syntheses[family] = run_name(key)
                made.keys[point.syntheses[family]] = key
        part.points.append(point)
    made.parts.append(part)


def _combinations(where: str, values: dict, names: list[str]) -> list[dict]:
    """Return the combinations of grid, zip and list; the names of what varies go into `names`."""
    choices = []
    for name, column in _axes(where, "grid", values.get("grid", {})).items():
        names.append(name)
        choices.append([{name: v} for v in listed(where, f"grid.{name}", column)])
    columns = _axes(where, "zip", values.get("zip", {}))
    if columns:
        lengths = {name: len(listed(where, f"zip.{name}", v)) for name, v in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"{where}: zip must have lists of one length, not {lengths}")
        names += columns
        rows = zip(*columns.values(), strict=True)
        choices.append([dict(zip(columns, row, strict=True)) for row in rows])
    if "list" in values:
        tables = [
            _axes(where, "list", each) for each in listed(where, "list", values["list"], dict)
        ]
        names += dict.fromkeys(name for each in tables for name in each if name not in names)
        choices.append(tables)
    seen = set()
    for name in [name for choice in choices for name in {k for row in choice for k in row}]:
        if name in seen:
            raise InputError(f"{where}: {name} must be varied in one place only")
        seen.add(name)
    if any(not choice for choice in choices):
        raise InputError(f"{where}: an axis must have at least one value")
    return [{k: v for row in rows for k, v in row.items()} for rows in product(*choices)]


def _axes(where: str, what: str, table: Any) -> dict:
    table = dict(flattened(typed(where, what, table, dict)))
    if "seed" in table:
        raise InputError(f"{where}: {what} cannot have seed; give seeds = [...]")
    known(f"{where}, {what}", table, AXES)
    return table


def _base(where: str, base: Any, folder: Path) -> tuple[dict, str]:
    """Return the base's own fields, so that defaults follow from them, and what it is named."""
    changes = {}
    if isinstance(base, dict):
        changes = dict(flattened({k: v for k, v in base.items() if k != "preset"}))
        known(f"{where}, base", changes, FIELDS)
        base = base.get("preset")
        if base is None:
            return changes, ""
    base = typed(where, "base", base, str)
    path = PRESETS / f"{base}.toml" if base in presets() else folder / base
    try:
        values = parse(read_text(path), str(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{where}: base {base}: {reason}; presets: {', '.join(presets())}"
            f"{did_you_mean(base, presets())}"
        ) from None
    return derived(dict(flattened(values)), changes), path.stem


def _namesake(base: str) -> str:
    names = [name for name in data.NAMES if base == name or base.startswith(f"{name}-")]
    return max(names, key=len, default="digits")


def _controls(where: str, names: Any) -> list[str]:
    for name in listed(where, "controls", names):
        if name not in run.CONTROLS:
            raise InputError(
                f"{where}: controls must be of {', '.join(run.CONTROLS)}, not {name!r}"
            )
    return names
