"""The drawing of the schedule: its clocks are the core's, the one of the docs is current."""

import re
from pathlib import Path

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.cli.schedule_figure import draw
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.estimate.estimate import clocks_per_sample
from hebbware.golden.estimate.timeline import timeline
from hebbware.golden.timing.schedule import predict

DOCS = Path(__file__).parents[2] / "docs"
CONFIGS = {
    "two hidden": CoreConfig.of((9, 5, 4, 2), lanes=2),
    "clusters": CoreConfig.of((20, 18, 3), lanes=9),
    "leaky": load("xor-leaky"),
}


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("learn", [True, False])
def test_spans_end_with_the_sample(config, learn):
    spans, clocks = timeline(config, config.inputs, learn)
    assert clocks == clocks_per_sample(config, config.inputs, learn)
    for span in spans:
        assert 0 <= span.first <= span.last <= max(span.done, clocks)
    passes = [s for s in spans if s.name not in ("softmax", "results", "next sample in")]
    for before, after in zip(passes, passes[1:], strict=False):
        assert after.first > before.last  # one multiplier of each lane, shared in time


def test_words_are_written_in_the_clocks_of_the_spans():
    """Beside the real core: results, and the weights of a pass, one word a step."""
    config = CONFIGS["two hidden"]
    spans, clocks = timeline(config, config.inputs)
    rng = np.random.default_rng(0)
    x, labels = rng.integers(1, 256, (40, config.inputs)), rng.integers(0, 2, 40).tolist()
    found = predict(config, x, labels)
    # one whose errors are all other than zero, after another one
    ends = found.sample_clocks
    (last, *_) = np.flatnonzero(np.diff(ends) == clocks)[::-1]
    begin, end = ends[last : last + 2]

    def of_last(channel):
        at = found.channels[channel].arrays()[0]
        return at[(at > begin) & (at <= end + 20)] - begin

    (results,) = (s for s in spans if s.name == "results")
    moved = of_last("results")
    assert (moved[0], moved[-1]) == (results.first, results.last)
    updates = [s for s in spans if s.name in ("update", "readout")]
    steps = sum(s.last + 1 - s.first for s in updates)
    written = of_last("trace.weights")
    assert len(written[written > results.first]) == steps
    assert written.max() < max(s.done for s in updates) + 10


def test_the_drawing_of_the_docs_is_current(tmp_path, capsys):
    """What it says is what the command writes now; fonts may differ."""
    now = tmp_path / "passes.svg"
    page = (DOCS / "architecture.md").read_text()
    (command,) = re.findall(r"`hebbware (info --figure docs/figures/passes.svg)`", page)
    words = command.replace("docs/figures/passes.svg", str(now)).split()
    assert main.main(words) == 0
    assert f"drawing: {now}" in capsys.readouterr().out
    drawn, kept = now.read_text(), (DOCS / "figures" / "passes.svg").read_text()
    assert len(texts(drawn)) > 60
    assert texts(drawn) == texts(kept)
    assert drawn.count("<path") == kept.count("<path")


def test_what_the_drawing_says():
    config = load("digits")
    places = [
        {"memory": "weights", "layer": "hidden 1", "address": 0, "blocks": 2, "rows": 65,
         "row": "input"},
        {"memory": "weights", "layer": "readout", "address": 163, "blocks": 1, "rows": 10,
         "row": "class"},
    ]  # fmt: skip
    said = texts(draw(config, 33, places, "svg").decode())
    clocks = clocks_per_sample(config, 33)
    assert any(f"33 inputs other than zero: {clocks} clocks" in text for text in said)
    assert {"130 words: 2 blocks of 65 rows", "10 words: 10 rows of 1 block"} <= set(said)
    assert "1 – 68" in said
    assert draw(config, 33, places, "svg") == draw(config, 33, places, "svg")
    assert draw(config, 33, places, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "a.jpg"], "--figure must end in one of .png, .svg, .pdf, not 'a.jpg'"),
        (["--figure", "/nowhere/a.svg"], "--figure: cannot write /nowhere/a.svg"),
    ],
)
def test_refused(arguments, message, capsys):
    assert main.main(["info", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
