"""Programs that this one starts: they end with it, however it ends.

Each leads a process group of its own, in which it starts what it needs (make its compilers). The
group is ended when the block that started it is left, and where this process is killed, by
`hebbware.golden.system.warden`. The signals that ask this process to end become an exception,
`Terminated`, so that blocks are left and what is temporary is removed.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import ToolError

STARTING = threading.Lock()  # held until the warden knows of a program that has been started
GRACE = 5.0  # seconds between asking a program to end and killing it
SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
WARDEN = Path(__file__).with_name("warden.py")


class Terminated(BaseException):
    """A signal, `number`, has asked this process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def signals_raise() -> Iterator[None]:
    """Turn the first signal that asks this process to end into `Terminated`, inside the block.

    Signals that are ignored or handled already stay so, as under ``nohup``.
    """

    def end(number, _frame):
        for other in before:  # a second one is not to disturb the tidying up
            signal.signal(other, signal.SIG_IGN)
        raise Terminated(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.SIG_DFL for n in SIGNALS if signal.getsignal(n) == signal.SIG_DFL}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(command: Sequence, **options) -> Iterator[subprocess.Popen]:
    """Run a program while the block runs; it is ended with the block, if it has not ended before.

    Parameters
    ----------
    command : sequence of str or path
    options
        Of `subprocess.Popen`. Standard input is empty by default.
    """
    options = {"stdin": subprocess.DEVNULL, **options}
    if os.name == "posix":
        options["process_group"] = 0
    with STARTING:
        process = subprocess.Popen(list(map(os.fspath, command)), **options)
        try:
            _tell(f"+{process.pid}")
        except BaseException:
            _end(process)
            raise
    try:
        yield process
    finally:
        if process.poll() != 0:
            _end(process)
        _tell(f"-{process.pid}")


def run(command: Sequence, *, input=None, **options) -> subprocess.CompletedProcess:
    """Run a program to its end; `options` are those of `subprocess.Popen`."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with running(command, **options) as process:
        out, errors = process.communicate(input)
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


@contextmanager
def of_others() -> Iterator[None]:
    """Kill programs that other code has started inside the block, if that is left half-way."""

    def there() -> set[int]:
        found = Path("/proc/self/task").glob("*/children")
        return {int(number) for path in found for number in path.read_text().split()}

    before = there()
    try:
        yield
    except BaseException:
        for number in there() - before:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        raise


def how_it_ended(code: int) -> str:
    """Tell an exit code, negative where a signal ended the program."""
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


def check(what: str, code: int, log: str = "") -> None:
    """Raise `ToolError` where a program has not ended with 0; `log` is what it printed."""
    if code:
        raise ToolError(f"{what} {how_it_ended(code)}", log)


def _end(process: subprocess.Popen) -> None:
    """End a program, and what is left of its group."""
    _signal(process, signal.SIGTERM)
    if os.name == "posix":
        _signal(process, signal.SIGCONT)  # a stopped one would not know
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _signal(process: subprocess.Popen, number: int) -> None:
    with suppress(OSError):  # none of it is left
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


# -- the warden ------------------------------------------------------------------------------------

_lock = threading.Lock()
_pipe: int | None = None  # to the warden of this process


def _tell(line: str) -> None:
    """Tell the warden, which is started if there is none."""
    global _pipe
    if os.name != "posix":
        return
    with _lock:
        if _pipe is None:
            _pipe = _start_warden()
        with suppress(BrokenPipeError):  # somebody has killed it
            os.write(_pipe, f"{line}\n".encode())


def _start_warden() -> int:
    """Start it in a session of its own, out of reach of what ends this process."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        # not by subprocess: nobody waits for it, it ends after this process
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", str(WARDEN)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reader, 0),
                (os.POSIX_SPAWN_DUP2, null, 1),
                (os.POSIX_SPAWN_DUP2, null, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(reader)
        os.close(null)
    return writer


def _forget() -> None:
    """A forked process has a warden of its own."""
    global _pipe, _lock, STARTING
    _lock, STARTING = threading.Lock(), threading.Lock()
    if _pipe is not None:
        os.close(_pipe)
        _pipe = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
