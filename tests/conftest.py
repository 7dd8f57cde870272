"""What all tests share: where the IDX files of a checkout's neighbour folder are; caches; tools."""

import os
from pathlib import Path

import pytest

from hebbware.cli import steps
from hebbware.golden.system import places

NEIGHBOUR = Path(__file__).resolve().parents[2] / "shared" / "data"

if NEIGHBOUR.is_dir():
    os.environ.setdefault("HEBBWARE_DATA", str(NEIGHBOUR))


SILENT = {"golden", "study", "cosim"}  # folders of tests that are not about announcements


@pytest.fixture(autouse=True)
def _no_times_of_earlier_steps(monkeypatch, request):
    """Steps are announced by estimates alone, whatever ran before; their times are not kept."""
    monkeypatch.setattr("hebbware.cli.steps.TIMES", steps.Times(lambda: Path(os.devnull)))
    if request.path.parent.name in SILENT:
        monkeypatch.setattr("hebbware.cli.steps.TOLD", float("inf"))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache, but for the machine code of Amaranth's Yosys, which takes long to make."""
    folder = tmp_path / "cache"
    folder.mkdir()
    usual = places.asked() or places.usual()
    (usual / "wasmtime").mkdir(parents=True, exist_ok=True)
    (folder / "wasmtime").symlink_to(usual / "wasmtime")
    monkeypatch.setenv("HEBBWARE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def yosys():
    """Skips where there is no Yosys."""
    from hebbware.cosim import tools
    from hebbware.golden.errors import InputError

    try:
        return tools.find("yosys")
    except InputError:
        pytest.skip("needs Yosys: pip install 'hebbware[boards]'")
