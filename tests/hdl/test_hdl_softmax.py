"""Softmax errors in hardware against golden, in value and clock, with jobs that wait."""

import numpy as np

from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.softmax import softmax_error
from hebbware.golden.modulators.class_memory import errors
from hebbware.hdl.errors.softmax import Softmax

CONFIGS = {
    "three": CoreConfig.of((4, 8, 5, 3)),
    "two": CoreConfig.of(
        (4, 8, 2), formats__error_fraction=6, modulator__beta_log2=0, formats__exp_bits=4,
    ),
    "eleven": CoreConfig.of(
        (4, 8, 8, 8, 11), formats__u_bits=12, formats__u_fraction=10, formats__error_fraction=12,
        formats__reciprocal_bits=8, formats__exp_bits=9,
    ),
}  # fmt: skip
ROUNDS = 60  # samples: one job of each kind, in random order


def values_of(config, rng, job):
    """Similarities or scores: ties, saturated ones, dominated ones, random ones of every spread."""
    fmt = config.u if job == len(config.hidden) else config.k
    low, high = fmt.min, fmt.max
    which = rng.integers(5)
    if which == 0:
        return np.full(config.classes, rng.integers(low, high + 1))
    if which == 1:
        return rng.choice([low, high], config.classes)
    if which == 2:
        values = np.full(config.classes, low)
        values[rng.integers(config.classes)] = high
        return values
    spread = 2 ** rng.uniform(0, np.log2(high))
    return np.clip(np.rint(rng.normal(0, spread, config.classes)), low, high).astype(int)


def job_result(config, job, values, label):
    """Errors and, for hidden layers, the Jacobian's scalar."""
    if job == len(config.hidden):
        return softmax_error(config, values, config.u.fraction, label), None
    return errors(config, values, label)


def schedule(arrivals, latency, readout):
    """When each job is done: one at a time, scores first, else the highest of those that wait.

    `arrivals` maps a job to the clock after its last value arrived.
    """
    waiting, done, free = dict(arrivals), {}, 0
    while waiting:
        start = max(free, min(waiting.values()))
        ready = [job for job, at in waiting.items() if at <= start]
        job = readout if readout in ready else max(ready)
        done[job] = free = start + latency
        del waiting[job]
    return done


def case(config, probe, rng):
    """Words, and expected records as lists of (clock, values) for each event."""
    classes, readout, latency = config.classes, len(config.hidden), probe.block.latency
    words = []  # dicts
    logs = {"trace": [], "done": [], "jacobians": [], "counts": [], "error": [], "kept": []}
    jacobians = np.zeros(readout, int)
    counts = np.zeros(readout + 1, int)
    for _ in range(ROUNDS):
        label = int(rng.integers(classes))
        learn = rng.random() < 0.8
        arrivals, results = {}, {}
        for job in rng.permutation(readout + 1).tolist():
            values = values_of(config, rng, job)
            for row in range(classes):
                words += [{"label": label}] * int(rng.choice([0, 0, 0, 1, 5]))
                words.append(
                    {
                        "arrive": 1, "job": job, "row": row, "last": row == classes - 1,
                        "value": int(values[row]), "learn": learn, "label": label,
                    }
                )  # fmt: skip
            if learn or job != readout:
                arrivals[job] = FIRST + len(words)
                results[job] = job_result(config, job, values, label)
        done = schedule(arrivals, latency, readout)
        for job, clock in sorted(done.items(), key=lambda item: item[1]):
            error, jacobian = results[job]
            for row, value in enumerate(error.tolist()):
                logs["trace"].append((clock - classes - 2 + row, job, row, value))
            logs["done"].append((clock - 1, 1 << job))
            counts[job] = np.count_nonzero(error)
            if job != readout:
                jacobians[job] = jacobian
        # all jobs done: look at everything that they left
        words += [{"label": label}] * (max(done.values()) - FIRST - len(words) + 1)
        for job, (error, _) in results.items():
            nonzero = np.flatnonzero(error)
            # a list without entries means nothing
            for entry in range(classes if nonzero.size else 0):
                query = {
                    "query_job": job, "query_row": entry, "label": label,
                    "list_job": job, "list_entry": entry % nonzero.size,
                }  # fmt: skip
                words += [query, query | {"ask": 1}]  # the error is there a clock later
                clock = FIRST + len(words) - 1
                logs["error"].append((clock, int(error[entry])))
                logs["jacobians"].append((clock, jacobians.copy()))
                logs["counts"].append((clock, counts.copy()))
                logs["kept"].append((clock, int(nonzero[entry % nonzero.size])))
    return words, logs


EVENTS = {
    "trace": Event(("trace_job", "trace_row", "trace_error"), lambda block, _: block.trace_en),
    "done": Event(("done",), lambda block, _: block.done.any()),
    **{
        name: Event((output,), lambda _, word: word.ask)
        for name, output in (
            ("jacobians", "jacobians"), ("counts", "counts"), ("error", "error"),
            ("kept", "list_row"),
        )
    },
}  # fmt: skip


def test_jobs_of_every_sort():
    probes = {name: Probe(Softmax(config), EVENTS) for name, config in CONFIGS.items()}
    model = build(Probes(probes), quick=True)
    stimulus, expected = {}, {}
    for n, (name, config) in enumerate(CONFIGS.items()):
        probe = probes[name]
        words, logs = case(config, probe, np.random.default_rng(n))
        columns = {key: [word.get(key, 0) for word in words] for key in [*probe.inputs, "ask"]}
        stimulus[f"{name}.drive"] = drive(probe, columns)
        for event, rows in logs.items():
            clocks, *values = zip(*rows, strict=True)
            named = dict(zip(EVENTS[event].outputs, values, strict=True))
            channel = model.bench.channels[f"{name}.{event}"]
            expected[channel.name] = event_log(probe, channel, clocks, **named)
    result = run(model, stimulus, expected)
    assert result.mismatch is None, result.mismatch
    assert result.compared == sum(len(log) for log in expected.values())


def test_scores_overtake_similarities_that_wait():
    assert schedule({0: 10, 1: 12, 2: 13}, 20, 2) == {0: 30, 2: 50, 1: 70}
