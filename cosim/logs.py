"""Logs of a bench against what golden predicts of its channels
(`hebbware.golden.program.traces`).
"""

from collections.abc import Mapping

import numpy as np

from hebbware.golden.program.traces import Trace
from hebbware.golden.timing.schedule import Channel as Predicted

from .bench import Bench
from .compare import Mismatch
from .records import Channel, pack, records, unpack


def expected(
    traces: Mapping[str, Trace], bench: Bench, predicted: Mapping[str, Predicted]
) -> dict[str, np.ndarray]:
    """The predicted records of each channel, in the layout of the bench's logs."""
    logs, shown = {}, {trace.channel: trace for trace in traces.values()}
    for name, channel in bench.channels.items():
        if channel.kind == "source":
            continue
        clocks, addresses, values = predicted[name].arrays()
        if channel.kind == "sink":
            logs[name] = records(channel, clocks, pack((values[:, 0], channel.width)))
        else:
            values = np.zeros((0, shown[name].lanes)) if not len(clocks) else values
            packed = pack((values, shown[name].width))
            logs[name] = records(channel, clocks, packed, addresses)
    return logs


def message(traces: Mapping[str, Trace], bench: Bench, mismatch: Mismatch) -> str:
    """A mismatch in words: its place, raw and real values."""
    shown = {trace.channel: trace for trace in traces.values()}

    def describe(channel: Channel, wanted, got) -> str:
        if channel.kind != "event":
            return f"stream {channel.name}"
        trace = shown[channel.name]
        address = (wanted or got)[1]
        if wanted is None or got is None or wanted[:2] != got[:2]:
            return f"at {trace.describe(address, 0)[0]} and the other lanes"
        rows = np.array([row[channel.data_columns] for row in (wanted, got)], np.uint32)
        want, have = unpack(rows, trace.width, lanes=trace.lanes, signed=True)
        wrong = np.flatnonzero(want != have)
        lane = int(wrong[0])
        place, fraction = trace.describe(address, lane)
        real = [f"{v} ({v / 2**fraction:g})" for v in (want[lane], have[lane])]
        text = f"{place}: expected {real[0]}, got {real[1]}"
        return text + (f"; {wrong.size} of {trace.lanes} lanes differ" if wrong.size > 1 else "")

    return mismatch.message(bench.channels[mismatch.channel], describe)
