"""The built wheel: everything that the editable install has is in it, and it works on its own."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_INSTALLED = {"tests", "docs"}


def run(*command: object, **keywords) -> str:
    """Run a command that must succeed and return its output."""
    keywords = {"capture_output": True, "text": True, "timeout": 300, **keywords}
    done = subprocess.run([str(word) for word in command], **keywords)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed_folders() -> list[str]:
    """List the top-level folders that are packages."""
    return sorted(
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name not in NOT_INSTALLED
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that leftovers of other builds are not in it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in installed_folders():
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, source)
    (path,) = folder.glob("*.whl")
    return source, path


def test_every_file_of_every_folder_is_in_the_wheel(wheel):
    source, path = wheel
    expected = {
        f"hebbware/{file.relative_to(source)}".replace("/package/", "/")
        for folder in installed_folders()
        for file in (source / folder).rglob("*")
        if file.is_file()
    }
    with zipfile.ZipFile(path) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_wheel_works_on_its_own(wheel, tmp_path):
    _, path = wheel
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--target", tmp_path / "site", path),
    )
    program = (
        "import hebbware.golden, hebbware.golden.errors, hebbware.cli.main as cli;"
        "print(hebbware.golden.__file__, cli.__file__, sep='\\n');"
        "raise SystemExit(cli.main(['data', 'xor', '--json', '-']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    lines = run(sys.executable, "-c", program, cwd=tmp_path, env=environment).splitlines()
    assert lines[0] == str(tmp_path / "site/hebbware/golden/__init__.py")
    assert lines[1] == str(tmp_path / "site/hebbware/cli/main.py")
    assert lines[2] == "{"


@pytest.mark.slow  # four minutes: the compiled engine and a simulation are made anew
def test_the_wheel_trains_and_simulates(wheel, tmp_path):
    """In an empty folder, from what the wheel holds, with caches of its own."""
    site, work = tmp_path / "site", tmp_path / "work"
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--target", site, wheel[1]),
    )
    work.mkdir()
    program = (
        "import sys, hebbware.cli.main as cli; code = cli.main(sys.argv[1:]);"
        "print(cli.__file__); raise SystemExit(code)"
    )
    environment = {
        **os.environ, "PYTHONPATH": str(site), "HEBBWARE_CACHE": str(tmp_path / "cache"),
    }  # fmt: skip
    found = {}
    for words in (
        ("train", "--config", "xor", "--epochs", "2", "--json", "train.json"),
        ("cosim", "--config", "xor", "--samples", "20", "--json", "cosim.json"),
    ):
        command = (sys.executable, "-c", program, *words)
        said = run(*command, cwd=work, env=environment, timeout=1800)
        assert said.splitlines()[-1] == str(site / "hebbware/cli/main.py")
        found[words[0]] = json.loads((work / words[-1]).read_text())
    assert found["train"]["accuracy"]["test"] > 0.5
    assert (found["cosim"]["mismatches"], found["cosim"]["build_cached"]) == (0, False)


def test_the_package_can_be_run(wheel, tmp_path):
    """Installed, and editable, as a folder that Python looks into for ``.pth`` files."""
    source, path = wheel
    run(sys.executable, "-m", "zipfile", "-e", path, tmp_path / "wheel")
    build = (
        "import sys; from setuptools import build_meta;"
        "print(build_meta.build_editable(sys.argv[1]))"
    )
    *_, name = run(sys.executable, "-c", build, tmp_path, cwd=source).splitlines()
    run(sys.executable, "-m", "zipfile", "-e", tmp_path / name, tmp_path / "editable")
    # what it needs, but not this environment's own editable install
    needed = Path(click.__file__).parents[1]
    program = (
        "import runpy, site, sys; site.addsitedir(sys.argv.pop(1));"
        "sys.argv[0] = 'hebbware'; runpy.run_module('hebbware', run_name='__main__')"
    )
    for kind, origin in (("wheel", tmp_path / "wheel/hebbware"), ("editable", source / "package")):
        folder = tmp_path / kind
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, needed)))}
        options = {"cwd": tmp_path, "env": environment}
        said = run(sys.executable, "-S", "-c", program, folder, "--version", **options)
        assert said.startswith("hebbware 0.")
        where = (
            "import site, sys; site.addsitedir(sys.argv[1]); import hebbware.golden;"
            "print(hebbware.__file__)"
        )
        found = run(sys.executable, "-S", "-c", where, folder, **options)
        assert Path(found.strip()) == origin / "__init__.py"


def test_console_script_is_main(wheel):
    with zipfile.ZipFile(wheel[1]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "hebbware = hebbware.cli.main:main" in archive.read(name).decode()
    assert PROJECT["project"]["scripts"] == {"hebbware": "hebbware.cli.main:main"}
