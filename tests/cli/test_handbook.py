"""The handbook: it builds without a warning, every page is in it, every image has a text."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("myst_parser")
pytest.importorskip("furo")

DOCS = Path(__file__).parents[2] / "docs"


def build(source, target):
    """Links, anchors, files and docstrings that are not as they should be are warnings."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E"]
    return subprocess.run(
        [*command, "-d", str(target / "trees"), "-b", "html", str(source), str(target / "html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_handbook_is_built(tmp_path):
    done = build(DOCS, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for page in DOCS.rglob("*.md"):
        text = (tmp_path / "html" / page.relative_to(DOCS).with_suffix(".html")).read_text()
        assert not re.search(r'<img (?![^>]*alt="[^"]{10})', text), page.name
        assert "<h1>" in text


def test_a_link_to_nowhere_is_noticed(tmp_path):
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text((DOCS / "conf.py").read_text())
    (source / "index.md").write_text("# One\n\n[two](two.md) and [three](#three)\n")
    done = build(source, tmp_path)
    assert done.returncode == 1
    assert "'two.md'" in done.stderr
    assert "'three'" in done.stderr
