"""The floors of the house: what each folder may import, read from the source of every module."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("golden", "hdl", "cosim", "boards", "study", "cli")
"""From the bottom to the top; each may import itself and what is below."""

TOOLS = {
    "hdl": ("cocotb", "cocotb_tools"),
    "golden": ("amaranth", "amaranth_boards", "cocotb", "cocotb_tools", "click", "rich"),
}
"""Others' packages that a floor must not know."""

GOLDEN = {"numpy", "hebbware", *sys.stdlib_module_names}
"""All that golden may import anywhere; the compiled twin also numba and threadpoolctl, functions
scikit-learn.
"""

ESTIMATOR = "golden/learn/classifier.py"
"""The one module of golden that imports scikit-learn as a whole: its class is built on it."""

HOST = ("boards/protocol.py", "boards/host/")
"""What talks to a board: it needs no hardware description, only these of its own floor."""

MODULES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


def imports(source: str, module: str) -> list[tuple[str, bool]]:
    """List what a module imports: dotted names, and whether inside a function."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join(package + ([base] if base else []))
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(name, id(node) in inside) for name in names]
    return found


def violations(source: str, path: str) -> list[str]:
    """List the imports of a module that its floor forbids; ``path`` is relative to the root."""
    floor, *_ = parts = Path(path).with_suffix("").parts
    wrong = []
    for name, in_function in imports(source, ".".join(("hebbware", *parts))):
        top, _, rest = name.partition(".")
        if top in FLOORS:
            wrong.append(f"{name} (write hebbware.{name})")
        if top == "hebbware":
            other = rest.split(".")[0]
            if other in FLOORS and FLOORS.index(other) > FLOORS.index(floor):
                wrong.append(name)
        if path.startswith(HOST):
            hardware = top in ("amaranth", "amaranth_boards", "cocotb", "cocotb_tools")
            built = name.startswith(("hebbware.hdl", "hebbware.cosim"))
            own = name.startswith(("hebbware.boards.protocol", "hebbware.boards.host"))
            own = own or not name.startswith("hebbware.boards")
            if hardware or built or not own:
                wrong.append(name)
        elif top in TOOLS.get(floor, ()):
            wrong.append(name)
        elif floor == "golden" and top not in GOLDEN | set(FLOORS):
            twin = top in ("numba", "threadpoolctl") and path.startswith("golden/twin/")
            sklearn = top == "sklearn" and (in_function or path == ESTIMATOR)
            scipy = top == "scipy" and in_function  # scikit-learn brings it
            if not (twin or sklearn or scipy):
                wrong.append(name)
    return wrong


def test_golden_is_light():
    program = (
        "import sys, hebbware.golden as golden; golden.CoreConfig, golden.Core;"
        "print([n for n in ('sklearn', 'numba', 'scipy', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_every_floor_that_is_there_has_modules():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} >= {
        "golden",
        "hdl",
        "cosim",
        "boards",
        "cli",
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_downwards(path):
    assert violations(path.read_text(), str(path.relative_to(ROOT))) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("golden/a.py", "import amaranth.hdl"),
        ("golden/a.py", "def f():\n    from click import echo"),
        ("golden/a.py", "from hebbware.hdl import dense"),
        ("golden/a.py", "from hebbware import cli"),
        ("golden/a.py", "from .. import hdl"),
        ("golden/a.py", "from ..hdl.dense import Dense"),
        ("golden/sub/a.py", "from ...hdl import dense"),
        ("golden/a.py", "import matplotlib.pyplot"),
        ("golden/a.py", "import numba"),
        ("golden/a.py", "import sklearn.datasets"),
        ("golden/sub/classifier.py", "from sklearn.base import BaseEstimator"),
        ("golden/learn/classifier.py", "import scipy"),
        ("golden/learn/classifier.py", "import numba"),
        ("golden/a.py", "import hdl"),
        ("hdl/a.py", "import cocotb"),
        ("hdl/a.py", "from cocotb_tools import runner"),
        ("hdl/a.py", "def f():\n    import hebbware.cosim.run"),
        ("hdl/a.py", "if True:\n    from ..boards import ulx3s"),
        ("cosim/a.py", "import hebbware.boards"),
        ("boards/a.py", "import hebbware.study"),
        ("boards/link/a.py", "from ...cli import common"),
        ("boards/protocol.py", "import amaranth"),
        ("boards/host/a.py", "from ..link.engine import Engine"),
        ("study/a.py", "import hebbware.cli"),
    ],
)
def test_import_upwards_is_seen(path, source):
    assert len(violations(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("golden/a.py", "import numpy as np, tomllib\nfrom .fixed import Format\nfrom . import b"),
        ("golden/a.py", "def f():\n    from sklearn.datasets import load_digits"),
        ("golden/twin/core.py", "import numba"),
        ("golden/learn/classifier.py", "from sklearn.base import BaseEstimator"),
        ("hdl/a.py", "import amaranth\nfrom hebbware.golden.arithmetic.fixed import Format"),
        ("cosim/a.py", "import cocotb\nfrom hebbware.hdl import core\nfrom ..golden import core"),
        ("boards/host/a.py", "import serial, hebbware.golden\nfrom ..protocol import Message"),
        ("boards/a.py", "import amaranth\nimport hebbware.hdl, hebbware.cosim"),
        ("cli/a.py", "import click\nimport hebbware.study\nfrom hebbware.golden import data"),
    ],
)
def test_import_downwards_is_allowed(path, source):
    assert violations(source, path) == []


# -- circles ---------------------------------------------------------------------------------------


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that import each other, by whatever way: each reaches itself."""

    def reached(module):
        found, ahead = set(), [module]
        while ahead:
            for other in edges.get(ahead.pop(), ()):
                if other not in found:
                    found.add(other)
                    ahead.append(other)
        return found

    reach = {module: reached(module) for module in edges}
    groups = []
    for module, others in reach.items():
        group = {other for other in others if module in reach.get(other, ())}
        if group and group not in groups:
            groups.append(group)
    return groups


def edges_of(sources: dict[str, str]) -> dict[str, set[str]]:
    """Modules of the project that each module imports, anywhere; `sources` by dotted name."""
    return {
        module: {
            known
            for name, _ in imports(source, module)
            for known in (name, name.rpartition(".")[0])
            if known in sources
        }
        for module, source in sources.items()
    }


def test_no_module_imports_itself_in_a_circle():
    sources = {
        ".".join(("hebbware", *path.relative_to(ROOT).with_suffix("").parts)): path.read_text()
        for path in MODULES
    }
    assert circles(edges_of(sources)) == []


@pytest.mark.parametrize(
    ("b", "circle"),
    [
        ("from . import c", None),
        ("from .a import x", {"p.a", "p.b"}),
        ("def f():\n    from . import a", {"p.a", "p.b"}),
        ("from .c import x", {"p.a", "p.b", "p.c"}),
    ],
)
def test_circle_is_seen(b, circle):
    c = "from . import a" if "c import x" in b else ""
    sources = {"p.a": "from .b import f", "p.b": b, "p.c": c}
    assert circles(edges_of(sources)) == ([circle] if circle else [])


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = [
    f"{floor}/{path.name}"
    for floor in FLOORS
    for path in sorted((ROOT / floor).iterdir())
    if path.is_dir()
    and not path.name.startswith("__")
    and any(file.suffix != ".pyc" for file in path.rglob("*.*"))
]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_row(room):
    """In docs/architecture.md: by its path, or by its name in a row of its floor."""
    floor, name = room.split("/")
    rows = [line for line in ARCHITECTURE.splitlines() if line.startswith("| `")]
    own = [row for row in rows if row.startswith(f"| `{floor}/")]
    assert any(f"`{room}" in row for row in rows) or any(f"`{name}`" in row for row in own)


def test_every_path_is_there():
    named = re.findall(rf"`((?:{'|'.join(FLOORS)})/[\w/.-]+)`", ARCHITECTURE)
    assert len(named) > 50
    assert [path for path in named if not (ROOT / path).exists()] == []
