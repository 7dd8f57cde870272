"""Doing the runs of a plan that are not done yet, on local cores or on a Dask cluster.

The process that sweeps is the only one that writes: workers compute (`hebbware.study.run`), it
stores each result as it comes (`hebbware.study.store`). Just enough runs to keep all workers busy
are handed out, and each only if nobody else has finished it meanwhile. So a kill loses the runs in
flight and no more.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hebbware.golden.errors import InputError
from hebbware.golden.system.workers import workers
from hebbware.study import kinds
from hebbware.study.spec import Plan
from hebbware.study.store import Store

CONNECT = 5  # seconds until a scheduler counts as unreachable
SLOW_FIRST = ("float", "linear")  # what takes longest goes first: no worker is left with one


@dataclass
class Outcome:
    """What a sweep did.

    Members
    -------
    planned : int
        Runs of the plan.
    runs : int
        Of these, run now.
    skipped : int
        Of these, had a result before or got it from another sweep.
    done, failed : int
        Of these, with such a result at the end.
    seconds : float
    """

    planned: int
    runs: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pending(plan: Plan, store: Store, retry_failed: bool = False) -> list[str]:
    """Return the names of the runs to do, those that take longest first."""
    names = [name for name in plan.keys if _wanted(store.status(name), retry_failed)]
    return sorted(names, key=lambda name: not _slow(plan.keys[name]))


def _slow(key: dict) -> bool:
    return key.get("control") in SLOW_FIRST or key.get("kind") == "synthesis"


def _wanted(status: str | None, retry_failed: bool) -> bool:
    return status is None or (retry_failed and status == "failed")


def sweep(
    plan: Plan,
    store: Store,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    retry_failed: bool = False,
    data_dir: str | None = None,
    progress: Callable[[str], None] | None = None,
    execute: Callable[[dict, str | None], dict] | None = None,
) -> Outcome:
    """Do what is left of a plan.

    Parameters
    ----------
    plan : Plan
        Without impossible combinations.
    store : Store
    jobs : int, optional
        Local processes, by default one for each core; 1 runs in this process.
    scheduler : str, optional
        Address of a Dask scheduler; then nothing runs here.
    retry_failed : bool
        Whether runs that failed are done again.
    data_dir : path, optional
        Folder of the data set's files, for the workers too.
    progress : callable, optional
        Called with the status of each run as it ends.
    execute : function, optional
        Returns the content of the result of a key, by default `kinds.execute`; of a module, so that
        processes find it.

    Raises
    ------
    InputError
        Impossible combinations, a scheduler that cannot be reached or is lost, a worker that ends
        or has other code or data, results that cannot be written. What is finished is kept.
    """
    if plan.impossible:
        raise InputError(f"{len(plan.impossible)} combinations cannot be: {plan.impossible[0]}")
    began = time.perf_counter()
    outcome = Outcome(len(plan.keys))
    store.write_plan(plan.name, plan.to_dict())
    names = pending(plan, store, retry_failed)
    if names:
        with _workers(jobs or cores(), scheduler, len(names)) as (submit, width):
            _work(
                plan,
                store,
                names,
                submit,
                width,
                retry_failed,
                data_dir,
                progress,
                outcome,
                execute or kinds.execute,
            )
    statuses = [store.status(name) for name in plan.keys]
    outcome.done, outcome.failed = statuses.count("done"), statuses.count("failed")
    outcome.skipped = outcome.planned - outcome.runs
    outcome.seconds = time.perf_counter() - began
    return outcome


def _work(plan, store, names, submit, width, retry_failed, data_dir, progress, outcome, execute):
    """Keep `width()` runs in flight until all are stored."""
    finished: queue.SimpleQueue = queue.SimpleQueue()
    waiting, flying = iter(names), {}
    more = True
    while more or flying:
        while more and len(flying) < width():
            name = next(waiting, None)
            if name is None:
                more = False
            elif not _wanted(store.status(name), retry_failed):
                if progress:
                    progress("skipped")  # another sweep has done it meanwhile
            else:
                future = submit(execute, plan.keys[name], data_dir)
                flying[future] = time.perf_counter()
                future.add_done_callback(finished.put)
        if not flying:
            break
        try:
            future = finished.get(timeout=0.5)  # returns to notice an interrupt on all systems
        except queue.Empty:
            continue
        began = flying.pop(future)
        content = _result(future)
        name = store.write(content)
        store.log(run=name, status=content["status"], seconds=round(time.perf_counter() - began, 3))
        outcome.runs += 1
        if progress:
            progress(content["status"])


def _result(future) -> dict:
    try:
        return future.result()
    except InputError:
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise InputError(
            f"the workers are lost ({what}); finished results are kept, run again to resume"
        ) from None


# -- where runs are done ---------------------------------------------------------------------------


@contextmanager
def _workers(jobs: int, scheduler: str | None, runs: int) -> Iterator[tuple[Callable, Callable]]:
    """Yield ``submit(function, *arguments) -> future`` and the number of runs to keep in flight."""
    if scheduler is not None:
        yield from _cluster(scheduler)
    elif jobs == 1:
        yield _here, lambda: 1
    else:
        width = min(jobs, runs)
        with workers(width) as pool:
            yield pool.submit, lambda: width + 1  # one more, so that nobody waits for this process


class _Now:
    """A future that is over."""

    def __init__(self, value):
        self.value = value

    def add_done_callback(self, function):
        function(self)

    def result(self):
        return self.value


def _here(function, *arguments):
    return _Now(function(*arguments))


def _cluster(address: str):
    """Workers of a Dask scheduler."""
    import logging

    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler needs Dask: install hebbware[study], or dask and distributed"
        ) from None
    # a lost scheduler is reported in one line, by us
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        try:
            client = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise InputError(f"no Dask scheduler answers at {address}: {reason}") from None

        def submit(function, *arguments):
            return client.submit(function, *arguments, pure=False, retries=2)

        def width():
            return 2 * max(1, sum(client.nthreads().values())) if client.status == "running" else 1

        try:
            yield submit, width
        finally:
            client.close(timeout=CONNECT)
    finally:
        logger.setLevel(level)
