"""Version of the code: what changes it, and of which modules it is."""

import pytest

from hebbware.study import run, version
from hebbware.study.paper import runs

A = '''
"""A module."""
import math

from .b import double

LIMIT = 4  # of something


def step(x: int, by: int = 1) -> int:
    """Go on."""
    if x > LIMIT:
        return math.floor(double(x) - by)
    return x + by
'''
B = "def double(x):\n    return 2 * x\n"


def test_texts_that_do_the_same_have_one_version():
    plain = version.hash_of([A, B])
    assert version.hash_of([B, A]) == plain
    lines = A.replace("# of something", "# of another thing").replace("Go on.", "Go further.")
    assert version.hash_of([lines.replace("\n\n", "\n"), B + "\n# the end\n"]) == plain
    assert version.hash_of([A.replace("x: int, by: int = 1) -> int", "x, by=1)"), B]) == plain
    moved = A.replace("from .b import double\n", B)
    assert version.hash_of([moved]) == plain
    typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .c import C\n"
    assert version.hash_of([A, typing + B]) == plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + by", "x - by"),
        ("x > LIMIT", "x >= LIMIT"),
        ("LIMIT = 4", "LIMIT = 5"),
        ("by: int = 1", "by: int = 2"),
        ("by: int = 1", "by: int = None"),
        ("by: int = 1", "by: int"),
        ("math.floor", "math.ceil"),
        ("        return math", "        x += 1\n        return math"),
        ("def step", "@cache\ndef step"),
    ],
)
def test_change_of_what_is_done_is_seen(old, new):
    assert old in A
    assert version.hash_of([A.replace(old, new), B]) != version.hash_of([A, B])


def test_modules_are_those_that_compute_results():
    found = {name.removeprefix("hebbware.") for name in version.sources("hebbware.study.run")}
    assert {"study.run", "study.cost", "golden.core", "golden.twin.kernels"} <= found
    assert {
        "golden.program.program",
        "golden.reference.network",
        "golden.arithmetic.tables",
    } <= found
    assert (
        not {"golden.learn.classifier", "golden.learn.propose", "study.report", "study.sweep"}
        & found
    )
    of_paper = version.sources("hebbware.study.paper.runs")
    assert "hebbware.study.paper.synthetic_runs" in of_paper
    assert found < {name.removeprefix("hebbware.") for name in of_paper}


def test_version_is_of_the_files_as_they_are(tmp_path, monkeypatch):
    assert run.code_version() != runs.code_version()
    monkeypatch.setattr(version, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(A)
    (tmp_path / "b.py").write_text(B)
    (tmp_path / "c.py").write_text("x = 1\n")
    assert {*version.sources("hebbware.a")} == {"hebbware.a", "hebbware.b"}
    before = version.code_version("hebbware.a")
    (tmp_path / "c.py").write_text("x = 2\n")
    assert version.code_version("hebbware.a") == before
    (tmp_path / "b.py").write_text(B.replace("2", "3"))
    assert version.code_version("hebbware.a") != before
