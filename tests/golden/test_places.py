"""Where things are kept, and what happens where nothing can be."""

import os
import shutil
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from hebbware.golden.errors import InputError, Notice
from hebbware.golden.system import places

NOBODY = 54321  # a user without an entry, who may read everything and write next to nothing


@pytest.fixture
def no_variables(tmp_path, monkeypatch):
    """No variable says where things are kept; temporary files have a folder of this test."""
    for name in ("HEBBWARE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return monkeypatch


@pytest.fixture
def no_home(no_variables, tmp_path):
    """A home that is not there and cannot be made."""
    (tmp_path / "file").touch()
    no_variables.setenv("HOME", str(tmp_path / "file" / "home"))
    return no_variables


def test_variables_say_where(no_variables, tmp_path):
    no_variables.setenv("HOME", str(tmp_path / "home"))
    assert places.keep("data") == tmp_path / "home" / ".cache" / "hebbware" / "data"
    no_variables.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert places.kept("data") == [tmp_path / "xdg" / "hebbware" / "data"]
    assert places.keep("data").is_dir()
    assert places.for_others() == {}
    no_variables.setenv("HEBBWARE_CACHE", str(tmp_path / "own"))
    assert places.keep("data") == tmp_path / "own" / "data"
    assert places.kept("data") == [tmp_path / "own" / "data"]
    assert places.for_others() == {
        "XDG_CACHE_HOME": str(tmp_path / "own"),
        "YOWASP_CACHE_DIR": str(tmp_path / "own" / "yowasp"),
    }


def test_what_is_asked_for_and_cannot_be_written_is_refused(no_variables, tmp_path):
    (tmp_path / "file").touch()
    no_variables.setenv("HEBBWARE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"^\$HEBBWARE_CACHE must be a folder .*file/data \(Not a"):
        places.keep("data")


def test_without_a_home_things_are_kept_among_temporary_files(no_home, tmp_path):
    own = tmp_path / f"hebbware-cache-{os.getuid()}"
    with pytest.warns(Notice, match="^no place to keep things: cannot write .*HEBBWARE_CACHE"):
        assert places.keep("data") == own / "data"
    assert places.keep("other") == own / "other"  # without a warning: that would be an error
    assert places.kept("data") == [own / "data"]
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert os.environ["HEBBWARE_CACHE"] == str(own)


def test_an_unknown_user_without_a_home(no_home, tmp_path):
    no_home.delenv("HOME")
    no_home.setattr("pwd.getpwuid", lambda user: {}[user])
    assert places.usual() is None
    with pytest.warns(Notice, match="there is no home folder; they are kept in"):
        assert places.for_others()["HOME"].startswith(str(tmp_path))


@pytest.mark.parametrize("what", ["link", "open", "file"])
def test_a_folder_that_another_user_may_have_made_is_not_used(what, no_home, tmp_path):
    own = tmp_path / f"hebbware-cache-{os.getuid()}"
    if what == "link":
        own.symlink_to(tmp_path)
    elif what == "open":
        own.mkdir()
        own.chmod(0o777)
    else:
        own.touch()
    with pytest.raises(InputError, match="is somebody else's; set .HEBBWARE_CACHE"):
        places.keep("data")


def test_variables_are_put_back(no_home):
    before = dict(os.environ)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        with places.others_keep():
            assert "YOWASP_CACHE_DIR" in os.environ
    chosen = os.environ.pop("HEBBWARE_CACHE")
    assert Path(chosen).is_dir()
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["a b", "it's", 'a"b', "a$b", "a#b", "a:b", "ä", "a%b", "a\\b"])
def test_paths_that_makefiles_cannot_have(name, tmp_path, no_variables):
    assert places.is_plain("/usr/lib/g++-12.2_x")
    odd = tmp_path / name
    odd.mkdir()
    assert not places.is_plain(odd)
    no_variables.setattr("tempfile.tempdir", str(odd))
    assert places.is_plain(places.plain_root())


def test_no_plain_folder(tmp_path, no_variables):
    no_variables.setattr(places, "PLAIN", places.re.compile("never"))
    with pytest.raises(InputError, match=r"^temporary folder: make needs one .*; set \$TMPDIR$"):
        places.plain_root()


def test_temporary_folder_that_cannot_be_made(tmp_path):
    with (
        pytest.raises(InputError, match="^temporary folder: cannot write .*no"),
        places.temporary(tmp_path / "no"),
    ):
        pass


# -- as a user who has no home --------------------------------------------------------------------


@pytest.fixture
def nobody(tmp_path):
    """Run a program as a user without home, cache or entry, who can write `folder` alone."""
    if not hasattr(os, "getuid") or os.getuid() or not shutil.which("setpriv"):
        pytest.skip("only root can become another user, with the program setpriv")
    folder = tmp_path / "free"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(above.stat().st_mode | 0o711)
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # what is installed may lie in root's home
    become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    kept = ("PATH", "LANG", "LC_ALL", "HEBBWARE_DATA")
    variables = {name: os.environ[name] for name in kept if name in os.environ}

    def run(*command, **more):
        return subprocess.run(
            [*become, *command],
            env={**variables, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **more},
            cwd=folder,
            capture_output=True,
            text=True,
        )

    if run("true").returncode:
        pytest.skip("this system does not let root become another user")
    return run


PROGRAM = """
from amaranth.hdl import Module, Signal
from hebbware.cli.main import _notices
with _notices():
    from hebbware.golden.twin import kernels as twin_kernels
    from hebbware.cosim.build import emit
    from amaranth.lib import wiring
    class Wire(wiring.Component):
        a: wiring.In(1)
        b: wiring.Out(1)
        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.b.eq(self.a)
            return m
    print(twin_kernels.run._cache.cache_path)
    print(emit(Wire()).count("module dut("))
"""


@pytest.mark.parametrize("variables", [{}, {"HOME": "/nonexistent"}], ids=["unset", "not there"])
def test_numba_and_yosys_without_a_home(variables, nobody, tmp_path):
    """The compiled twin and Verilog; half of it is Yosys, which is compiled without a cache."""
    shared = tmp_path / "free" / f"hebbware-cache-{NOBODY}"
    shared.mkdir(mode=0o700)
    (shared / "wasmtime").symlink_to((places.asked() or places.usual()) / "wasmtime")
    os.chown(shared, NOBODY, NOBODY)
    done = nobody(sys.executable, "-c", PROGRAM, **variables)
    assert done.returncode == 0, done.stderr
    folder, modules = done.stdout.splitlines()
    assert folder.startswith(f"{shared}/numba/")
    assert modules == "1"
    assert done.stderr.startswith("warning: no place to keep things: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow  # 3 minutes: compiles the twin, Yosys and a simulation
@pytest.mark.parametrize("command", ["train", "verilog", "cosim"])
def test_commands_without_a_home(command, nobody, tmp_path):
    options = {
        "train": ("--epochs", "1"),
        "verilog": ("--output", "core.v"),
        "cosim": ("--samples", "2"),
    }
    main = "import sys; from hebbware.cli.main import main; sys.exit(main())"
    file = tmp_path / "free" / "xor.toml"
    file.write_text("input.size = 2\nlayer.units = [5, 4, 2]\nlanes = 3\n")
    arguments = (command, *options[command], "--config", str(file))
    done = nobody(sys.executable, "-c", main, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
