"""What cocotb runs inside the simulator: lets time pass and compares the logs now and then.

Its working directory holds ``job.json``, the logs that the bench writes and the expected ones; it
leaves ``result.json``. ``progress`` holds the clocks done.
"""

import ctypes
import json
import time
from dataclasses import asdict
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import Timer

from .compare import Comparison

FIRST_CHUNK = 1024  # clocks between two looks at the logs, at first
LAST_CHUNK = 1 << 17
LONG = 0.2  # seconds for which a chunk should last


class Log:
    """The log of a channel as far as it is written, and what is expected of it, if anything."""

    def __init__(self, name: str, columns: int, compared: bool):
        self.path = Path(f"{name}.log")
        self.columns = columns
        self.count = 0
        self.comparison = None
        if compared:
            expected = np.fromfile(f"{name}.expected", np.uint32).reshape(-1, columns)
            self.comparison = Comparison(name, expected)

    def update(self, now: int):
        """Reads what is new; `now` clocks have passed. Returns a mismatch or None."""
        tail = np.fromfile(self.path, np.uint32, offset=4 * self.columns * self.count)
        tail = tail.reshape(-1, self.columns)
        self.count += len(tail)
        return self.comparison.feed(tail, now) if self.comparison else None


@cocotb.test()
async def check(_dut):
    """Runs the job."""
    job = json.loads(Path("job.json").read_text())
    flush = ctypes.CDLL(None).fflush  # the simulator's files are those of this process
    logs = {name: Log(name, **about) for name, about in job["logs"].items()}
    mismatches, now, seconds, chunk = [], 0, 0.0, FIRST_CHUNK
    await Timer(job["reset"], "step")
    while now < job["clocks"]:
        clocks = min(chunk, job["clocks"] - now)
        start = time.perf_counter()
        await Timer(clocks * job["period"], "step")
        took = time.perf_counter() - start
        seconds += took
        now += clocks
        flush(None)
        mismatches = [m for m in (log.update(now) for log in logs.values()) if m is not None]
        Path("progress").write_text(str(now))
        enough = [logs[name].count >= count for name, count in job["until"].items()]
        if mismatches or (enough and all(enough)):
            break
        if took < LONG / 2:
            chunk = min(2 * chunk, LAST_CHUNK)
    result = {
        "clocks": now,
        "seconds": seconds,
        "compared": sum(log.comparison.equal for log in logs.values() if log.comparison),
        "mismatch": asdict(min(mismatches, key=lambda m: m.clock)) if mismatches else None,
    }
    Path("result.json").write_text(json.dumps(result))
