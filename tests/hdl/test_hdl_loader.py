"""The input side against a model made clock by clock from its documentation."""

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.records import records
from hebbware.cosim.run import run
from hebbware.golden.config import CoreConfig
from hebbware.golden.program.stalls import go_pattern, start_state
from hebbware.hdl.loader import Loader, sample_width

CONFIG = CoreConfig.of((5, 8, 3), input__bits=6)
CLOCKS = 3000


@pytest.fixture(scope="module")
def probe():
    return Probe(
        Loader(CONFIG),
        {
            "full": Event(("full",)),
            "sample": Event(("count", "label", "has_label"), lambda block, _: block.full),
            "entry": Event(("index", "value"), lambda _, word: word.ask),
        },
    )


@pytest.fixture(scope="module")
def model(probe):
    return build(probe, quick=True)


def play(words, go, rng, busy, drops):
    """Two banks, clock by clock. Returns the words of the other inputs and the expected records.

    `busy` is how likely the reader keeps a full bank for another clock, `drops` how likely what has
    come in is dropped in a clock.
    """
    inputs = CONFIG.inputs
    banks, writing, reading = [None, None], 0, 0
    offered, sent, collected = None, 0, []
    driven, moved, full, samples, entries = [], [], [], [], []
    asked, found = None, None  # entries whose index and value are there in the next clock, in this
    for n in range(CLOCKS):
        held = banks[reading]
        full.append(held is not None)
        other = {"release": 0, "address": int(rng.integers(inputs)), "ask": found is not None}
        other["drop"] = n >= FIRST and rng.random() < drops
        if found is not None:
            entries.append((n, *found))
        asked, found = None, asked
        if held is not None:
            pixels, label = held
            known = label < CONFIG.classes
            samples.append((n, len(pixels), label % 4, known))
            if pixels and rng.random() < 0.8:
                other["address"] = int(rng.integers(len(pixels)))
                asked = pixels[other["address"]]
            other["release"] = n >= FIRST and rng.random() >= busy
        moves = offered is not None and banks[writing] is None and not other["drop"]
        if other["drop"]:
            collected = []
        if moves:
            moved.append(n)
            collected.append(offered)
            if len(collected) == inputs + 1:
                *x, label = collected
                banks[writing] = [(i, v) for i, v in enumerate(x) if v], label
                writing, collected = 1 - writing, []
        if offered is None or moves:
            offered = None
            if go[n] and sent < len(words):
                offered, sent = words[sent], sent + 1
        if other["release"]:
            banks[reading] = None
            reading = 1 - reading
        driven.append(other)
    return driven[FIRST:], moved, full, samples, entries


@pytest.mark.parametrize(
    ("stall", "busy", "drops"),
    [(0, 0.5, 0), (0, 0.99, 0), (200, 0.3, 0), (100, 0.95, 0), (0, 0.3, 0.1), (100, 0.95, 0.03)],
)
def test_every_clock(probe, model, stall, busy, drops):
    rng = np.random.default_rng(stall)
    x = rng.integers(0, CONFIG.x.max + 1, (300, CONFIG.inputs))
    x *= rng.random(x.shape) < rng.choice([0, 0.5, 1], (300, 1))
    labels = rng.choice([0, 1, 2, 3, 4, 100, 255], 300)
    words = np.column_stack([x, labels]).ravel()
    go = go_pattern(start_state(1, "samples"), stall, CLOCKS)
    driven, moved, full, samples, entries = play(words.tolist(), go, rng, busy, drops)
    columns = {key: [word[key] for word in driven] for key in ("release", "address", "ask", "drop")}
    channels = model.bench.channels
    clock, count, label, known = np.array(samples).T
    at, index, value = np.array(entries).T
    expected = {
        "samples": records(channels["samples"], np.array(moved)),
        "full": event_log(probe, channels["full"], np.arange(CLOCKS), full=full),
        "sample": event_log(
            probe, channels["sample"], clock, count=count, label=label, has_label=known
        ),
        "entry": event_log(probe, channels["entry"], at, index=index, value=value),
    }
    result = run(
        model,
        {"samples": words, "drive": drive(probe, columns)},
        expected,
        seed=1,
        stalls={"samples": stall},
        clocks=CLOCKS,
    )
    assert result.mismatch is None, result.mismatch
    assert len(samples) > 100
    assert len(entries) > 50


@pytest.mark.parametrize(("x_bits", "width"), [(1, 8), (8, 8)])
def test_words_hold_a_pixel_and_a_label(x_bits, width):
    assert sample_width(CoreConfig.of((4, 8, 5), input__bits=x_bits)) == width
