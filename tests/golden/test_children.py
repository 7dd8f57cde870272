"""Programs that are started end with the process that started them, however that ends.

Commands that are killed, and commands whose simulator is: one line, and nothing is left.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import ToolError
from hebbware.golden.system import children, places

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

LIMIT = 60  # seconds until a test gives up
# a program in a group of its own that has started another, and a temporary folder beside it
PARENT = """
import signal
import sys
# both are ignored where the tests run in the background
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from hebbware.golden.system import children, places
try:
    with children.signals_raise(), places.temporary() as folder:
        command = ["sh", "-c", "sleep 600 & echo $!; wait"]
        with children.running(command, stdout=-1, text=True) as process:
            print(process.pid, int(process.stdout.readline()), folder, flush=True)
            process.wait()
except children.Terminated as error:
    sys.exit(128 + error.number)
except KeyboardInterrupt:
    sys.exit(130)
"""


def lives(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition):
    """Wait until a condition holds, for a limited time."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


@pytest.fixture
def temporary_files(tmp_path, monkeypatch):
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGINT, 130),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["term", "hup", "int", "kill"],
)
def test_nothing_is_left_of_a_process_that_ends(number, code, temporary_files):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    program, other, folder = parent.stdout.readline().split()
    assert lives(program)
    assert lives(other)
    parent.send_signal(number)
    assert parent.wait(LIMIT) == code
    parent.stdout.close()
    wait_for(lambda: not lives(program) and not lives(other))
    assert Path(folder).parent == temporary_files
    assert Path(folder).exists() == (number == signal.SIGKILL)


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with children.signals_raise():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(children.Terminated, match="SIGTERM"):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_program_that_does_not_want_to_end_is_killed(monkeypatch):
    monkeypatch.setattr(children, "GRACE", 0.1)
    text = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True)\n"
    command = [sys.executable, "-c", text + "time.sleep(600)"]
    with children.running(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_how_programs_end_is_told():
    done = children.run([sys.executable, "-c", "print(input())"], input="a", stdout=-1, text=True)
    assert (done.returncode, done.stdout) == (0, "a\n")
    children.check("it", 0)
    with pytest.raises(ToolError, match=r"^it ended with exit code 3; it printed: b \| c$"):
        children.check("it", 3, "a\nb\n\nc\n"[2:])
    with pytest.raises(ToolError, match="^it was killed by SIGKILL$"):
        children.check("it", -9)


def test_temporary_folders_of_the_dead_are_removed_and_of_the_living_not(tmp_path):
    text = (
        "import os, pathlib, sys; from hebbware.golden.system import places\n"
        "block = places.temporary(pathlib.Path(sys.argv[1])); folder = block.__enter__()\n"
        "(folder / 'file').touch(); print(folder, flush=True)\n"
        "sys.stdin.readline(); os._exit(1)\n"
    )
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", text, str(tmp_path)], stdin=-1, stdout=-1, text=True
        )
        for _ in range(2)
    ]
    dead, living = (Path(owner.stdout.readline().strip()) for owner in owners)
    owners[0].communicate("\n", LIMIT)
    other = tmp_path / "other"
    other.mkdir()
    with places.temporary(tmp_path):
        assert dead.exists()  # it may just have been made
    for folder in (dead, living, other):
        os.utime(folder, (0, 0))
    with places.temporary(tmp_path) as mine:
        assert sorted(tmp_path.iterdir()) == sorted([living, mine, other])
    assert not mine.exists()
    owners[1].communicate("\n", LIMIT)


# -- commands -------------------------------------------------------------------------------------

COMMAND = [sys.executable, "-c", "import sys; from hebbware.cli.main import main; sys.exit(main())"]
# that of tests/cli/test_cli_cosim.py, whose simulation is kept
XOR = CoreConfig.of((2, 5, 4, 2), lanes=3, memory__horizon=6)
COSIM = ("cosim", "--samples", "20", "--stalls", "200", "--config")


@pytest.fixture
def xor(tmp_path):
    path = tmp_path / "xor.toml"
    path.write_text(XOR.to_toml())
    return str(path)


@pytest.fixture
def started():
    """Start a command of hebbware; it is killed after the test."""
    processes = []

    def start(*arguments, **variables):
        process = subprocess.Popen(
            [*COMMAND, *arguments], env={**os.environ, **variables}, stdout=-1, stderr=-1, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def below(process, word):
    """The number of the first program below a process whose command line has `word` in it."""
    parents, lines = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            number = int(path.name)
            parents[number] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            lines[number] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    for number, line in lines.items():
        above = number
        while above := parents.get(above, 0):
            if above == process.pid and word in line:
                return number
    return None


def stopped(process, word):
    """The number of such a program, which is stopped as soon as it is there."""
    while (found := below(process, word)) is None:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(found, signal.SIGSTOP)
    return found


killed = pytest.param(signal.SIGKILL, marks=pytest.mark.slow)  # 10 s each


@pytest.mark.parametrize("number", [signal.SIGTERM, killed])
def test_the_simulator_ends_with_the_command(number, xor, started, temporary_files):
    command = started(*COSIM, xor)
    simulator = stopped(command, "/bench ")
    command.send_signal(number)
    assert command.wait(LIMIT) == (143 if number == signal.SIGTERM else -number)
    wait_for(lambda: not lives(simulator))
    if number == signal.SIGTERM:
        assert list(temporary_files.iterdir()) == []
        assert command.stderr.read().splitlines()[-1] == "ended by SIGTERM"


def test_a_simulator_that_is_killed_is_told_in_a_line(xor, started, temporary_files):
    command = started(*COSIM, xor)
    os.kill(stopped(command, "/bench "), signal.SIGKILL)
    errors = command.communicate(timeout=LIMIT)[1]
    assert command.returncode == 2
    assert errors.splitlines()[-1].startswith("error: the simulator was killed by SIGKILL")
    assert list(temporary_files.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, killed])
def test_the_compiler_ends_with_the_command(number, xor, started, own_cache, tmp_path):
    """It is one that never ends, below make."""
    compiler = tmp_path / "c++"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *--version*) echo c++ 1;; *) exec sleep 600;; esac\n'
    )
    compiler.chmod(0o755)
    command = started(*COSIM, xor, CXX=str(compiler))
    while (found := below(command, "sleep 600")) is None:
        assert command.poll() is None, command.communicate()
        time.sleep(0.05)
    programs = [found, below(command, "make")]
    command.send_signal(number)
    command.wait(LIMIT)
    wait_for(lambda: not any(map(lives, programs)))
    left = list((own_cache / "verilator").iterdir())
    assert len(left) == (number == signal.SIGKILL)


POOL = """
import os, sys, time
from hebbware.golden.workers import workers
if __name__ == "__main__":
    with workers(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(9)}, flush=True)
        pool.submit(time.sleep, 600)
        time.sleep(600)
"""


def test_workers_end_with_the_process_that_is_killed(tmp_path):
    program = tmp_path / "pool.py"
    program.write_text(POOL)
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    numbers = parent.stdout.readline().split()
    assert all(map(lives, numbers))
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(map(lives, numbers)))
