"""Configurations that the pages show: fields, defaults and ranges are those of golden."""

import re
import tomllib
from pathlib import Path

import pytest

from hebbware.golden.config import CoreConfig, former, load, names, presets
from hebbware.golden.config.core import TOP, domains
from hebbware.golden.config.kinds import TABLES
from hebbware.golden.estimate.neighbours import neighbours
from hebbware.golden.settings.tables import flattened
from hebbware.study.spec import AXES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FITTED = {"kind", "features", "kernel", "stride", "pool", "grid", "gain"}  # to the data's shape
REQUIRED = ("input.size", "layer.units")
OTHER = {"sweep.md": {"memory"}}  # names that are no fields there, but of a cluster's nodes
RESERVOIR = ROOT / "docs" / "reservoir.md"  # of the reservoir on its own, which has fields too


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def values(domain):
    if domain.names:
        return ", ".join(domain.names)
    if domain.low is None:
        return "true, false"
    each = " each" if isinstance(domain.default, tuple) else ""
    return f"{'powers of two, ' * domain.power}{domain.low}..{domain.high}{each}"


def expected():
    """Field, kind, values and default of every field of every kind."""
    for name in TOP:
        yield name, "", values(domains()[name]), text(domains()[name].default)
    for table, kinds in TABLES.items():
        if "" not in kinds:
            default = "" if table == "layer" else next(iter(kinds))
            yield f"{table}.kind", "", ", ".join(kinds), default
        for kind, cls in kinds.items():
            for field, domain in cls.domains().items():
                name = f"{table}.{field}"
                default = "follows" if domain.default is None else text(domain.default)
                yield name, kind, values(domain), "" if name in REQUIRED else default


def test_table_of_fields():
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    page, _, _ = page.partition("## What presets set")
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) ?\| (.*?) \| (.*?) ?\| .+ \|$", page, re.MULTILINE)
    shown = [(name, kind, *rest) for name, kinds, *rest in rows for kind in kinds.split(", ")]
    assert sorted(shown) == sorted(expected())


def departures():
    """Field, preset and value, where a preset departs from the default; sizes and rates aside."""
    for preset in presets():
        config = load(preset)
        for name, value in config.to_dict().items():
            table, _, field = name.partition(".")
            if name in TOP or name in REQUIRED or table == "layer" and field in FITTED:
                continue
            if field == "kind":
                default = next(iter(TABLES[table]))
            else:
                kind = "" if table == "layer" else getattr(getattr(config, table), "kind", "")
                own = TABLES[table].get(kind)
                default = (own.domains()[field] if own else domains()[name]).default
            default = list(default) if isinstance(default, tuple) else default
            if table == "layer":  # None: a layer without this field
                value = [each for each in value if each is not None]
            if default is not None and value != default:
                yield name, preset, text(tuple(value) if isinstance(value, list) else value)


def test_table_of_presets():
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    _, _, page = page.partition("## What presets set")
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", page, re.MULTILINE)
    shown = {
        (field, preset, value)
        for field, cell in rows
        for value, names in re.findall(r"(?:^|; )([^:;]+): ([^;]+)", cell)
        for preset in re.findall(r"`([\w-]+)`", names)
    }
    wanted = set(departures())
    assert shown == wanted, f"missing {wanted - shown}, too many {shown - wanted}"


def test_table_of_costs():
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    _, _, page = page.partition("## What a field costs")
    shown = re.findall(r"^\| `([\w.]+)` \| (.*?) \| (.*?) \| (.*) \|$", page, re.MULTILINE)
    found = {}
    for one in neighbours(load("digits"), 33):
        value, other = (
            text(tuple(v) if isinstance(v, list) else v) for v in (one.value, one.other)
        )
        costs = " | ".join(f"{number:+,}" if number else "" for number in one.more.values())
        found[one.field, value, other] = costs
    assert len(shown) > 8
    for field, value, other, costs in shown:
        assert costs == found[field, value, other], field


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_toml_of_a_page(page):
    """Blocks are configurations, or specifications of studies."""
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
        found = tomllib.loads(block)
        if "input" in found:
            CoreConfig.from_dict(found)
            continue
        for part in [found, *found.get("part", [])]:
            for table in [
                *(part.get(key, {}) for key in ("set", "grid", "zip")),
                *part.get("list", []),
            ]:
                assert {name for name, _ in flattened(table)} <= set(AXES)


@pytest.mark.parametrize("page", [p for p in PAGES if p != RESERVOIR], ids=lambda page: page.name)
def test_names_of_fields_that_are_set(page):
    """``NAME=VALUE`` and ``NAME = VALUE`` in code, but for TOML, name fields as they are now."""
    former_names = former.NAMES.keys() - OTHER.get(page.name, set())
    page = page.read_text(encoding="utf-8")
    code = re.findall(r"^```(?!toml)\w*\n.*?^```", page, re.M | re.S)
    code += re.findall(r"`[^`]+`", re.sub(r"^```.*?^```\n", "", page, flags=re.M | re.S))
    known, python = names(), {name.replace(".", "__") for name in names()}
    for part in code:
        for name in re.findall(r"(?<![\w.-])([a-z_]+(?:(?:\.|__)[a-z_0-9]+)*)\s?=(?!=)", part):
            assert name not in former_names
            if name.partition(".")[0] in TABLES and "." in name:
                assert name in known
            if name.partition("__")[0] in TABLES and "__" in name:
                assert name in python
