"""The result stream against a prediction from its documentation, under back-pressure."""

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.records import pack, records
from hebbware.cosim.run import run
from hebbware.golden.config import CoreConfig
from hebbware.golden.program.stalls import first_go, go_pattern, start_state
from hebbware.hdl.results import Results, result_width

CONFIG = CoreConfig.of((4, 8, 5), formats__u_bits=9)
SAMPLES = 60


@pytest.fixture(scope="module")
def probe():
    return Probe(Results(CONFIG), {"done": Event(("done",), lambda block, _: block.done)})


@pytest.fixture(scope="module")
def model(probe):
    return build(probe, quick=True)


@pytest.mark.parametrize("stall", [0, 128, 250])
def test_class_and_scores(probe, model, stall):
    rng = np.random.default_rng(stall)
    classes, seed = CONFIG.classes, 5
    goes = first_go(go_pattern(start_state(seed, "results"), stall, 400_000))
    words, moved, payloads, done = [], [], [], []
    for n in range(SAMPLES):
        scores = rng.integers(CONFIG.u.min, CONFIG.u.max + 1, classes)
        if n % 3 == 0:  # ties; all at the lower end
            scores = rng.choice([CONFIG.u.min, CONFIG.u.min + n % 2], classes)
        for row, score in enumerate(scores.tolist()):
            words += [{}] * int(rng.choice([0, 0, 3]))
            last = row == classes - 1
            words.append({"arrive": 1, "last": last, "row": row, "value": score})
        clock = FIRST + len(words)  # the one after the last score
        for payload in (int(np.argmax(scores)), *scores.tolist()):
            clock = int(goes[clock])
            moved.append(clock)
            payloads.append(payload)
            clock += 1
        done.append(moved[-1])
        # the next scores may come once the last word has moved
        words += [{}] * (done[-1] + 1 - FIRST - len(words))
    columns = {key: [word.get(key, 0) for word in words] for key in probe.inputs}
    channels = model.bench.channels
    expected = {
        "results": records(
            channels["results"], np.array(moved), pack((np.array(payloads), result_width(CONFIG)))
        ),
        "done": event_log(probe, channels["done"], done, done=np.ones(len(done))),
    }
    result = run(
        model, {"drive": drive(probe, columns)}, expected, seed=seed, stalls={"results": stall}
    )
    assert result.mismatch is None, result.mismatch
    assert result.compared == SAMPLES * (classes + 2)


@pytest.mark.parametrize(("u_bits", "width"), [(6, 8), (8, 8), (12, 12)])
def test_words_hold_a_class_and_a_score(u_bits, width):
    assert (
        result_width(CoreConfig.of((4, 8, 5), formats__u_bits=u_bits, formats__u_fraction=4))
        == width
    )
