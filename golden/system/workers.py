"""Local processes that share work; they end with this one, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection

from . import children, places

THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB", "NUMEXPR")  # each: X_NUM_THREADS=1


@contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes, of one thread each, as a pool of `concurrent.futures`.

    They are started anew, not forked. When the block is left they end at once, in the middle of
    their work too.
    """
    places.for_others()  # one message, not one of each, where nothing can be kept
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    before = {f"{name}_NUM_THREADS": os.environ.get(f"{name}_NUM_THREADS") for name in THREADS}
    os.environ.update(dict.fromkeys(before, "1"))  # inherited by the processes
    pool = ProcessPoolExecutor(jobs, context, _start, (reader,))
    try:
        yield pool
    finally:
        writer.close()
        pool.shutdown(cancel_futures=True)
        reader.close()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _start(parent: Connection) -> None:
    """Leave interrupts to the parent, and end when its end of the pipe is closed or it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch():
        try:
            parent.recv_bytes()
        except (EOFError, OSError):
            pass
        with children.STARTING:  # else what it starts just now would be left behind
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
