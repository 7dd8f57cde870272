"""Data sets whose samples are sequences: ticks of inputs, flattened to one row of bytes a sample.

========================  =======  ======  =======  ===========================================
name                      ticks    inputs  classes  from
========================  =======  ======  =======  ===========================================
``cue-accumulation``      2,250    40      2        the two files of ReckOn's test bench
``cues``                  2,250    40      2        the same task, drawn on the spot; also
                                                    ``cues:count=5:delay=500:noise=0.02``
``patterns``              500      40      2        drawn on the spot, targets are signals:
                                                    `hebbware.golden.data.patterns`; also
                                                    ``patterns:ticks=200:outputs=3:noise=0.1``
``spoken-digits``         40       32      10       recordings, see `hebbware.golden.data.speech`
``digits-rows``           8        8       10       ``digits``, row by row
``mnist-rows``            28       28      10       ``mnist``, row by row
========================  =======  ======  =======  ===========================================

An event is the byte 255, 0.5 where an input has one bit. A row of images needs no other bytes than
the image.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from hebbware.golden.arithmetic.uniform import uniform
from hebbware.golden.data import at_hand, patterns, speech
from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError, one_of
from hebbware.golden.system.files import read_text

CUES, DRAWN = "cue-accumulation", "cues"
ROWS = {"digits-rows": "digits", "mnist-rows": "mnist"}  # images, row by row
NAMES = (CUES, DRAWN, patterns.NAME, speech.NAME, *ROWS)
OPTIONS = {
    DRAWN: {"train": int, "test": int, "count": int, "delay": int, "noise": float},
    patterns.NAME: patterns.OPTIONS,
}
"""Of sets that are drawn, by name."""
FILES = {"train": "dataset_cueAcc_train.dat", "test": "dataset_cueAcc_test.dat"}
SOURCES = {
    CUES: ((FILES["train"],), "ReckOn's files of that name"),
    speech.NAME: (
        (speech.ARCHIVE, speech.FOLDER),
        "the recordings of the Free Spoken Digit Dataset",
    ),
}
"""Of data sets that are read from files: files or folders, one of which is there, and whose."""
GROUP = 10  # input neurons of each of four groups: left cues, right cues, recall, noise
INPUTS = 4 * GROUP
LEAD, CUE, GAP, RECALL = (
    50,
    100,
    50,
    150,
)  # ticks before the first cue, of each, between, at the end
RATE = 0.04  # of neurons that have something to say, in events per tick
EVENT = 255
TARGET, END = -2, -1  # what stands for a neuron where it is none


def folder(name: str, data_dir: str | Path | None = None) -> Path:
    """Return the folder that a data set of `SOURCES` is read from.

    Raises
    ------
    InputError
        There is none; says how to get it.
    """
    wanted, source = SOURCES[name]
    return at_hand.folder(
        name,
        data_dir,
        (name, "."),
        lambda place: any((place / each).exists() for each in wanted),
        " or ".join(wanted),
        source,
    )


# -- cue accumulation ------------------------------------------------------------------------------


def cue_files(data_dir: str | Path | None) -> Dataset:
    """Return ReckOn's samples: events at 40 input neurons, a target at the last 150 of 2,250 ticks.

    Raises
    ------
    InputError
        No files, or events that are out of order or beyond the neurons and ticks.
    """
    found = folder(CUES, data_dir)
    parts = {part: read_events(found / name) for part, name in FILES.items()}
    return Dataset(
        CUES, parts["train"][0].shape[1:], 2, *(
            array for x, y in parts.values() for array in (x.reshape(len(x), -1), y)
        )
    )  # fmt: skip


def read_events(
    path: Path, inputs: int = INPUTS, classes: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Read a file of ReckOn's test bench: bytes (samples, ticks, inputs), labels (samples,).

    The first line is the number of samples. Then, for each, ``neuron, tick`` in order of time;
    ``-2, class`` where the target begins; ``-1, ticks`` at the end.

    Raises
    ------
    InputError
        The line is named.
    """
    try:
        lines = read_text(path).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from None
    samples, labels, events, last, label, ticks = [], [], [], 0, None, None

    def fail(rule, what):
        raise InputError(f"{path}, line {number}: {rule}, not {what}")

    number, wanted = 1, lines[0].strip()
    if not wanted.isdigit() or not int(wanted):
        fail("the first line must be the number of samples", repr(wanted))
    for number, line in enumerate(lines[1:], start=2):  # noqa: B007 - for `fail`
        if not line.strip():
            continue
        try:
            neuron, value = (int(text) for text in line.split(","))
        except ValueError:
            fail("must be two whole numbers with a comma", repr(line.strip()))
        if neuron == TARGET:
            if not 0 <= value < classes:
                fail(f"class must lie in 0..{classes - 1}", value)
            label = value
        elif neuron == END:
            if label is None:
                fail("a sample must have a target before it ends", "none")
            if value <= last and events:
                fail(f"a sample must end after its last event, at tick {last}", value)
            if ticks not in (None, value):
                fail(f"a sample must have {ticks} ticks as the first one", value)
            ticks = value
            samples.append(events)
            labels.append(label)
            events, last, label = [], 0, None
        else:
            if not 0 <= neuron < inputs:
                fail(f"neuron must lie in 0..{inputs - 1}", neuron)
            if value < last:
                fail(f"events must be in order of time, from tick {last} on", value)
            last = value
            events.append((value, neuron))
    if events or len(samples) != int(wanted):
        fail(f"must hold {wanted} samples that end", len(samples))
    x = np.zeros((len(samples), ticks, inputs), np.uint8)
    for sample, events in zip(x, samples, strict=True):
        if events:
            sample[tuple(np.array(events).T)] = EVENT
    return x, np.array(labels, np.int64)


def load(name: str, data_dir: str | Path | None, seed: int) -> Dataset:
    """Return one of these sets by its name, but those of images.

    Raises
    ------
    InputError
    """
    kind, *options = name.split(":")
    if kind == CUES:
        return cue_files(data_dir)
    if kind == speech.NAME:
        return speech.spoken_digits(folder(kind, data_dir))
    given, known = {}, OPTIONS[kind]
    for option in options:
        key, _, value = option.partition("=")
        if key not in known:
            raise one_of(f"option of data set {kind}", key, known)
        try:
            given[key] = known[key](value)
        except ValueError:
            raise InputError(f"data set {kind}: {key} must be a number, not {value!r}") from None
    draw = cues if kind == DRAWN else patterns.patterns
    return replace(draw(seed, **given), name=name)


def cues(
    seed: int,
    train: int = 50,
    test: int = 50,
    count: int = 7,
    delay: int = 1050,
    noise: float = 0.01,
) -> Dataset:
    """Draw samples of the same task: the class is the side on which more cues were.

    Parameters
    ----------
    seed : int
    train, test : int
        Samples of each part.
    count : int
        Cues of a sample, odd.
    delay : int
        Ticks from the last cue to the recall.
    noise : float
        Events per tick of the neurons that always have some.

    Raises
    ------
    InputError
    """
    for name, value, low in (("train", train, 1), ("test", test, 1), ("delay", delay, 0)):
        if value < low:
            raise InputError(f"{name} must be at least {low}, not {value}")
    if count < 1 or count % 2 == 0:
        raise InputError(f"count must be odd, from 1 on, not {count}")
    if not 0 <= noise <= 1:
        raise InputError(f"noise must lie in 0..1, not {noise}")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}")
    samples, ticks = train + test, LEAD + count * (CUE + GAP) - GAP + delay + RECALL
    draw = partial(uniform, np.random.PCG64([seed, count, delay]))

    often = draw(samples, 1) < 0.5  # the side on which cues are likely
    right = (draw(samples, count) < 0.7) == often
    x = np.zeros((samples, ticks, INPUTS), np.uint8)
    for n in range(samples):
        rates = np.zeros((ticks, 4))
        rates[:, 3], rates[-RECALL:, 2] = noise, RATE
        for cue, side in enumerate(right[n]):
            start = LEAD + cue * (CUE + GAP)
            rates[start : start + CUE, int(side)] = RATE
        x[n] = (draw(ticks, INPUTS) < np.repeat(rates, GROUP, axis=1)) * EVENT
    y = (2 * right.sum(axis=1) > count).astype(np.int64)
    x = x.reshape(samples, -1)
    return Dataset(DRAWN, (ticks, INPUTS), 2, x[:train], y[:train], x[train:], y[train:])
