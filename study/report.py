"""The report of a folder of results: what `hebbware report` reads and writes."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from hebbware.golden.errors import InputError
from hebbware.study.axes import show
from hebbware.study.panels import MEASURES, Panel, Study
from hebbware.study.results import COSTS, Point, Run
from hebbware.study.store import NAME

PAGE = "index.html"
TABLE = "runs.csv"


def load(folder: str | Path, code: str | None = None) -> Study:
    """Read a folder of results.

    Parameters
    ----------
    folder : path
    code : str, optional
        Take the results of this code version alone.

    Raises
    ------
    InputError
        No such folder, no results in it, a damaged one, or results of several code versions.
    """
    folder = Path(folder)
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise InputError(f"no results folder {folder}: {error.strerror}") from None
    read = [_read(folder / name) for name in names if NAME.fullmatch(name)]
    runs = [one for one in read if isinstance(one, Run)]
    cores = {name: found for one in read if isinstance(one, tuple) for name, found in [one]}
    if not runs:
        raise InputError(f"no results in {folder}; `hebbware sweep` writes them")
    versions = Counter(run.code for run in runs)
    if code is not None:
        runs = [run for run in runs if run.code == code]
        if not runs:
            raise InputError(f"no results of code version {code} in {folder}: {_count(versions)}")
    elif len(versions) > 1:
        raise InputError(
            f"{folder} holds results of several code versions: {_count(versions)}; "
            "name one of them with --code"
        )
    known = {run.name: run for run in runs}
    plans = _plans(folder / "specs")
    parts = [part for plan in plans.values() for part in plan["parts"]]
    for part in parts:
        for run, families in part["syntheses"].items():
            if run in known and (found := {f: cores[n] for f, n in families.items() if n in cores}):
                known[run].cost["synthesis"] = found
    panels = [panel for part in parts if (panel := _panel(part, known)).runs]
    if not panels:
        raise InputError(f"no specification in {folder / 'specs'} asks for any result in {folder}")
    shown = {run.name for panel in panels for run in panel.runs}
    if all(known[name].error is not None for name in shown):
        first = known[min(shown)]
        raise InputError(f"all {len(shown)} runs in {folder} failed, the first with: {first.error}")
    return Study(
        "; ".join(dict.fromkeys(plan["title"] for plan in plans.values())),
        {name: json.dumps(plan["specification"], indent=1) for name, plan in plans.items()},
        runs[0].code,
        _unique(panels),
        len(known.keys() - shown),
        {name: metadata.version(name) for name in ("hebbware", "numpy", "matplotlib")},
    )


def _plans(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what each specification asks for."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_bytes())
            parts = [
                {
                    "name": str(part["name"]),
                    "title": str(part["title"]),
                    "fields": tuple(map(str, part["fields"])),
                    "groups": [(list(p["runs"]), dict(p["controls"])) for p in part["points"]],
                    "syntheses": {
                        run: dict(p.get("syntheses", {}))
                        for p in part["points"]
                        for run in p["runs"]
                    },
                }
                for part in content["parts"]
            ]
            asked = [
                {**part, "points": [point["values"] for point in part["points"]]}
                for part in content["parts"]
            ]
            found[path.stem] = {
                "title": str(content["title"]),
                "parts": parts,
                "specification": {**content, "parts": asked},
            }
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                f"{path} is no plan of `hebbware sweep`; remove it, or run the sweep again"
            ) from None
    return found


def _panel(part: dict[str, Any], known: dict[str, Run]) -> Panel:
    panel = Panel(part["name"], part["title"], part["fields"], [], part["groups"])
    panel.runs = [known[name] for name in sorted(panel.asked) if name in known]
    return panel


def _unique(panels: list[Panel]) -> list[Panel]:
    """Leave out parts that several specifications include, and give the others different names."""
    found: dict[str, Panel] = {}
    for panel in panels:
        name, number = panel.name, 2
        while name in found and found[name].groups != panel.groups:
            name, number = f"{panel.name}-{number}", number + 1
        panel.name = name
        found.setdefault(name, panel)
    return list(found.values())


def _read(path: Path) -> Run | tuple[str, dict[str, Any]]:
    """Read one result: a run, or name and resources of a core (none of a synthesis that failed)."""
    try:
        content = json.loads(path.read_bytes())
        key, failed = content["key"], content["status"] != "done"
        if key.get("kind") == "synthesis":
            return path.stem, dict(content["result"] or {})
        result = content["result"] or {}
        settings = {k: v for k, v in key["config"].items() if k != "seed"}
        settings |= {"epochs": key["epochs"], "samples": key["train_samples"]}
        return Run(
            name=path.stem,
            settings=settings,
            seed=int(key["seed"]),
            dataset=key["dataset"]["name"],
            checksum=key["dataset"]["sha256"],
            control=key["control"],
            code=key["code"],
            error=str(content["error"] or "no reason given") if failed else None,
            train=_numbers(result.get("train")),
            validation=_numbers(result.get("validation")),
            test=result.get("test"),
            cost=content["cost"] or {},
        )
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is no result of `hebbware sweep`: {reason}") from None


def _numbers(values: list | None) -> list[float]:
    """Return the values as far as they were measured."""
    found = [math.nan if v is None else float(v) for v in values or []]
    return [] if any(map(math.isnan, found)) else found


def _count(versions: Counter) -> str:
    return ", ".join(f"{code} ({count} runs)" for code, count in sorted(versions.items()))


def render(study: Study, progress: Callable[[int], None] = lambda n: None) -> dict[str, bytes]:
    """Return all files of a report by their paths: ``index.html``, ``figures/*.png`` and ``.svg``.

    The same results give the same bytes.

    Parameters
    ----------
    study : Study
    progress : callable
        Called with 1 after each figure.
    """
    from hebbware.study import figures, page

    drawn = figures.draw(study, progress)
    files = {}
    for figure in drawn:
        files[f"figures/{figure.name}.png"] = figure.png
        files[f"figures/{figure.name}.svg"] = figure.svg
    files[TABLE] = table(study).encode()
    files[PAGE] = page.page(study, drawn).encode()
    return files


def table(study: Study) -> str:
    """Return all runs as CSV: part, control, seed, what was varied, accuracies, costs, failure."""
    lines: list[dict[str, Any]] = []
    for panel in study.panels:
        control_of = {
            name: control
            for _, controls in panel.groups
            for control, names in controls.items()
            for name in names
        }
        for run in panel.runs:
            line = {"part": panel.name, "control": control_of.get(run.name), "seed": run.seed}
            line |= {name: run.settings.get(name) for name in panel.fields}
            line |= {measure: run.measure(measure) for measure in MEASURES}
            line |= {cost.name: cost.of(run.cost) for cost in COSTS}
            lines.append({**line, "failed": run.error, "run": run.name})
    columns = dict.fromkeys(name for line in lines for name in line)
    last = [*MEASURES, *(cost.name for cost in COSTS), "failed", "run"]
    columns = [*(name for name in columns if name not in last), *last]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({k: show(v) if isinstance(v, list) else v for k, v in line.items()})
    return text.getvalue()


def summary(study: Study) -> dict[str, Any]:
    """Return the numbers of a report as plain values."""
    return {
        "title": study.title,
        "code": study.code,
        "runs": len(study.runs),
        "done": sum(run.error is None for run in study.runs),
        "failed": sum(run.error is not None for run in study.runs),
        "planned": study.planned,
        "left_out": study.left_out,
        "panels": [_summary(panel) for panel in study.panels],
    }


def _summary(panel: Panel) -> dict[str, Any]:
    names = [axis.name for axis in panel.axes]

    def plain(point: Point, control: str | None = None) -> dict[str, Any]:
        entry = {
            "settings": {n: value[0] for n, value in zip(names, point.at, strict=True)},
            "control": control,
            "seeds": [run.seed for run in point.runs],
        }
        for measure in panel.measures:
            spread = point.spread(measure)
            entry[measure] = spread and {"mean": spread.mean, "deviation": spread.deviation}
        return entry | {"cost": point.cost}

    measure = panel.measures[0] if panel.measures else "validation"
    index = {id(point): n for n, point in enumerate(panel.points)}
    return {
        "name": panel.name,
        "title": panel.title,
        "dataset": panel.dataset,
        "axes": {axis.name: [value[0] for value in axis.values] for axis in panel.axes},
        "points": [plain(point) for point in panel.points],
        "controls": [plain(p, name) for name, points in panel.controls.items() for p in points],
        "pareto": {
            name: [index[id(point)] for point in front]
            for name, front in panel.fronts(measure).items()
        },
        "undecided": {c.name: why for c in COSTS if (why := panel.undecided(c))},
        "failed": [{"name": run.name, "error": run.error} for run in panel.failed],
    }
