"""LayerNorm statistics in hardware against golden, in value and clock."""

import numpy as np

from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.normalise import exponent_range, statistics
from hebbware.golden.program.pipeline import stages
from hebbware.hdl.normalise import Normalise

CONFIGS = {
    "default": CoreConfig.of((4, 8, 13, 3)),
    "narrow": CoreConfig.of(
        (4, 2, 100, 3, 3), formats__u_bits=6, formats__u_fraction=5, formats__rsqrt_bits=4
    ),
    "wide": CoreConfig.of((4, 5, 3), formats__u_fraction=12, formats__rsqrt_bits=10),
}
LAYERS = 400  # sets of sums


def activations(config, rng):
    """Layers and their rectified activations: of every size and sparsity, and the extremes."""
    top = config.u.max
    for n in range(LAYERS):
        layer = int(rng.integers(len(config.hidden)))
        units = config.hidden[layer]
        extremes = [
            np.zeros(units, int),
            np.full(units, top),
            np.eye(units, dtype=int)[0] * top,
            np.where(np.arange(units) < units // 2, top, 0),
            np.full(units, 1),
        ]
        if n < 4 * len(extremes):
            yield layer, extremes[n % len(extremes)]
        else:
            scale = 2 ** rng.uniform(0, np.log2(top))
            a = rng.normal(rng.choice([-1, 0, 2]) * scale, scale, units)
            yield layer, np.clip(a, 0, top).astype(int)


def case(config, probe, channels, rng):
    """Words and expected logs for one configuration."""
    latency, low = probe.block.latency, exponent_range(config)[0]
    items, at = [], 0  # word of the sum, word of the squares, layer, sums, statistics
    for layer, a in activations(config, rng):
        squares_at = at + int(rng.integers(1, 5))
        scale = statistics(config, int(a.sum()), int(a @ a), a.size)
        items.append((at, squares_at, layer, int(a.sum()), int(a @ a), scale))
        at = squares_at + latency + int(rng.choice([0, 0, 1, 7]))
    count = at + 10
    bound = 1 << len(probe.block.total) - 1
    words = {
        "total": rng.integers(-min(bound, 1 << 31), min(bound, 1 << 31), count),  # means nothing
        "layer": rng.integers(0, len(config.hidden), count),
        **{name: np.zeros(count, int) for name in ("sum", "squares", "ask")},
    }
    held = np.zeros((FIRST + count, 3), int)
    means, found = np.zeros(FIRST + count, int), []
    for n, (sum_at, squares_at, layer, total, squares, scale) in enumerate(items):
        for place, name, value in ((sum_at, "sum", total), (squares_at, "squares", squares)):
            words["total"][place], words["layer"][place], words[name][place] = value, layer, 1
        until = items[n + 1][0] if n + 1 < len(items) else count - 1
        words["ask"][squares_at + latency : until + 1] = 1
        results = FIRST + squares_at + latency
        held[results:] = scale.mantissa, scale.exponent - low, scale.power - low
        means[results:] = scale.mean
        found.append(results - 1)
    asked = FIRST + np.flatnonzero(words["ask"])
    name = channels["results"].name.removesuffix("results")
    logs = {
        "results": event_log(
            probe, channels["results"], np.arange(len(held)),
            mantissa=held[:, 0], exponent=held[:, 1], power=held[:, 2],
        ),
        "mean": event_log(probe, channels["mean"], asked, mean=means[asked]),
        "found": event_log(probe, channels["found"], found, found=np.ones(len(found))),
        "done": event_log(
            probe, channels["done"], np.array(found) - stages(config).scale,
            done=np.ones(len(found)),
        ),
    }  # fmt: skip
    return drive(probe, words), {name + key: log for key, log in logs.items()}


def test_statistics_of_every_size():
    events = {
        "results": Event(("mantissa", "exponent", "power")),
        "mean": Event(("mean",), lambda _, word: word.ask),
        "found": Event(("found",), lambda block, _: block.found),
        "done": Event(("done",), lambda block, _: block.done),
    }
    probes = {name: Probe(Normalise(config), events) for name, config in CONFIGS.items()}
    model = build(Probes(probes), quick=True)
    stimulus, expected = {}, {}
    for n, (name, config) in enumerate(CONFIGS.items()):
        channels = {key: model.bench.channels[f"{name}.{key}"] for key in events}
        stimulus[f"{name}.drive"], logs = case(
            config, probes[name], channels, np.random.default_rng(n)
        )
        expected |= logs
    clocks = min(len(expected[f"{name}.results"]) for name in CONFIGS)
    expected = {name: log[log[:, 0] < clocks] for name, log in expected.items()}
    result = run(model, stimulus, expected, clocks=clocks)
    assert result.mismatch is None
    assert result.compared == sum(len(log) for log in expected.values())
    assert min(len(expected[f"{name}.done"]) for name in CONFIGS) > 0.8 * LAYERS
