"""Training of a network on a data set: order of the samples, schedule, curve.

All learning goes through `hebbware.golden.core.Core` (or its compiled twin), bit for bit. What is
decided here is what the host decides around the hardware:

* the **order**: each epoch passes all training samples once, in an order drawn from the
  configuration's seed and the number of the epoch alone;
* the **stream**: how labels and classes change on the way, see `hebbware.golden.data.streams`;
* the **schedule**: how often the steps are halved, see `spread_halvings`;
* the **split**: accuracy after each epoch is measured on samples held back from training; the test
  set is looked at once, at the end.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data.augment import AS_THEY_ARE, Augment
from hebbware.golden.data.dataset import Dataset, order
from hebbware.golden.data.meaning import Meaning
from hebbware.golden.data.samples import samples_of
from hebbware.golden.data.sets import split_validation
from hebbware.golden.data.streams import STATIONARY, Stream
from hebbware.golden.errors import InputError, one_of

ENGINES = ("compiled", "plain")
EPOCHS = 1000  # no run is longer
SEEN = 50_000  # samples that the estimator passes at least, in no fewer epochs than
LEAST = 10
HELD = 12  # one sample in so many is held back by default: 5,000 of MNIST's 60,000
SIGNALS = "neuron.signal must be false but for hebbware train and cosim: targets are signals"
CHUNK = {"compiled": 1000, "plain": 50}  # samples between two reports of progress

Advance = Callable[[int], None]


@dataclass
class State:
    """Where a run stands; a checkpoint holds all of it.

    Members
    -------
    core : Core
        The network, the state of its random numbers and of its memories included.
    dataset : str
        Name of the data set.
    fingerprint : str
        SHA-256 of its training samples.
    epochs : int
        Planned; the schedule in ``core.config`` was made for it.
    held : int
        Training samples held back for validation.
    stream : Stream
        How the task changes.
    augment : Augment
        How images are changed while they are learned.
    meaning : Meaning
        What inputs and classes stand for in the data set.
    train, validation : list of float
        Accuracy of each epoch so far: while learning (each sample before it is learned), and
        after the epoch on the samples held back (NaN where none are).
    """

    core: Core
    dataset: str
    fingerprint: str
    epochs: int
    held: int
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    stream: Stream = STATIONARY
    meaning: Meaning = Meaning()
    augment: Augment = AS_THEY_ARE

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.train)


@dataclass(frozen=True)
class Result:
    """What a run gave: its last state, the accuracy on the test set, and its speed.

    Of a recurrent layer `rate` is that of its units on the test set, in spikes per tick.
    """

    state: State
    test: float
    samples_per_second: float  # learned, compilation and validation left out; NaN where none were
    rate: float | None = None


def epochs_for(samples: int) -> int:
    """Return how many passes show a network at least `SEEN` samples; at least `LEAST`."""
    return min(max(math.ceil(SEEN / max(samples, 1)), LEAST), EPOCHS)


def spread_halvings(config: CoreConfig, epochs: int) -> CoreConfig:
    """Spread the extra halvings of the steps evenly over a run of that many epochs.

    Steps are halved every ``ceil(epochs / (update.halvings + 1))`` epochs, so that each of the
    ``update.halvings + 1`` sizes gets its share, and no sooner than every ``update.halve_every``
    epochs of the configuration. With the defaults (4 and 1): every epoch up to 5 epochs, every
    second up to 10.
    ``update.halve_every = 0`` keeps the steps as they are.
    """
    if not config.update.halve_every:
        return config
    share = math.ceil(epochs / (config.update.halvings + 1))
    return config.derive(update__halve_every=max(config.update.halve_every, share))


def inputs(config: CoreConfig, x: np.ndarray) -> np.ndarray:
    """Bring a data set's bytes (samples, inputs) to the raw inputs of a core: their leading bits.

    Sequences become (samples, ticks, inputs).

    Raises
    ------
    InputError
        They are none.
    """
    raw = samples_of(x, math.prod(config.sample_shape), 255) >> (8 - config.input.bits)
    return raw.reshape(len(raw), *config.sample_shape)


def check_fit(config: CoreConfig, dataset: Dataset, signal: bool = False) -> None:
    """Raise InputError where the data set's inputs or classes are not those of the network, or
    targets are signals and not to be (`signal`).
    """
    kinds = "classes", "signals"
    if dataset.signal != config.signal:
        raise InputError(
            f"data set {dataset.name} has {kinds[dataset.signal]} as targets, but the "
            f"configuration takes {kinds[config.signal]} (neuron.signal); give another --dataset "
            "or --config"
        )
    if config.signal and not signal:
        raise InputError(SIGNALS)
    sequences = config.recurrent and len(dataset.shape) > 1
    if sequences and (ticks := dataset.shape[0]) != config.neuron.ticks:
        raise InputError(
            f"data set {dataset.name} has sequences of {ticks} ticks, but the configuration takes "
            f"neuron.ticks = {config.neuron.ticks}"
        )
    image = (*dataset.shape, 1)[:3]  # a data set of two axes has one channel
    if config.convolves and len(dataset.shape) > 1 and image != config.input.shape:
        raise InputError(
            f"data set {dataset.name} has images of {'x'.join(map(str, image))}, but the "
            f"configuration takes input.shape = {list(config.input.shape)}; give another --dataset "
            "or --config"
        )
    for what, wanted, found in (
        ("inputs", math.prod(config.sample_shape), dataset.inputs),
        ("classes", config.classes, dataset.classes),
    ):
        if wanted != found:
            raise InputError(
                f"data set {dataset.name} has {found} {what}, but the configuration "
                f"takes {wanted}; give another --dataset or --config"
            )


def held_back(dataset: Dataset, validation: float | None) -> int:
    """Return how many training samples to hold back.

    Parameters
    ----------
    validation : int, float or None
        Their number, or below 1 their share; None is one in twelve. 0 holds none back.
    """
    samples = len(dataset.y_train)
    if validation is None:
        validation = 1 / HELD
    held = round(validation * samples) if 0 < validation < 1 else validation
    if not 0 <= held < samples or held != int(held):
        raise InputError(f"validation samples must lie in 0..{samples - 1}, not {validation}")
    return int(held)


def engine_class(engine: str) -> type[Core]:
    """Return `Core` for ``plain``, its compiled twin for ``compiled``."""
    if engine not in ENGINES:
        raise one_of("engine", engine, ENGINES)
    if engine == "plain":
        return Core
    from hebbware.golden.twin.core import Twin

    return Twin


class CoreLearner:
    """A core that follows a stream (`hebbware.golden.data.streams.follow`); it takes the steps as
    the configuration has them, halvings included.

    Parameters
    ----------
    config : CoreConfig
    engine : str
        ``compiled`` or ``plain``.
    """

    def __init__(self, config: CoreConfig, engine: str = "compiled"):
        self.core = engine_class(engine)(config)

    def begin(self, epoch: int) -> None:
        """Take the steps of an epoch (from 0)."""
        self.core.extra = self.core.config.extra(epoch)

    def learn(self, x: np.ndarray, labels: np.ndarray) -> None:
        """Learn bytes (samples, inputs) one after another."""
        self.core.learn_many(inputs(self.core.config, x), labels)

    def stop_hidden(self, rate: int, clear: bool) -> None:
        """Let the readout alone learn from now on, in steps of ``2**-rate``; `clear`: from 0."""
        before = self.core
        rates = (*before.config.rates[:-1], rate)
        self.core = type(before)(before.config.derive(memory__kind="none", layer__rate=rates))
        self.core.random_state, self.core.extra = before.random_state, before.extra
        self.core.weights = [weight.copy() for weight in before.weights]
        if clear:
            self.core.weights[-1][:] = 0

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of bytes."""
        return self.core.infer_many(inputs(self.core.config, x))[0]


def train(
    config: CoreConfig,
    dataset: Dataset,
    epochs: int,
    *,
    engine: str = "compiled",
    validation: float | None = None,
    stream: Stream = STATIONARY,
    augment: Augment = AS_THEY_ARE,
    progress: Advance | None = None,
    after_epoch: Callable[[State], None] | None = None,
    state: State | None = None,
) -> Result:
    """Train a network for a number of epochs and measure it.

    The same arguments give the same network on every machine and with both engines, whether the
    run went through at once or was continued from any of its states. Of a reservoir memory the
    weights of the decoder belong to the arguments: where it is trained on the spot (``ridge``) they
    may differ from machine to machine (`hebbware.golden.reservoir.decoder`); a file is the same
    everywhere.

    Parameters
    ----------
    config : CoreConfig
        Its ``update.halve_every`` is adapted, see `spread_halvings`.
    dataset : Dataset
        Bytes; a core with fewer ``input.bits`` takes the leading ones.
    epochs : int
        All epochs, those that `state` has already done included. Requires 1 .. 1000.
    engine : str
        ``compiled`` or ``plain``.
    validation : int or float, optional
        Training samples held back: a number, or a share below 1; by default one in twelve.
    stream : Stream
        How the task changes while it is learned; validation and test follow it.
    augment : Augment
        How images are changed while they are learned; validation and test are as they are.
    progress : callable, optional
        Called with the number of samples learned since the last call.
    after_epoch : callable, optional
        Called with the `State` after each epoch: the place to save a checkpoint.
    state : State, optional
        Continue from here. Its configuration, schedule, split, stream and changes of images are
        kept; `config`, `validation`, `stream` and `augment` are not looked at.

    Raises
    ------
    InputError
        Values out of range, a data set that does not fit the network or the stream, is not the
        state's or is encoded otherwise, an epoch in which no sample comes by.
    """
    core_class = engine_class(engine)
    if not 1 <= epochs <= EPOCHS:
        raise InputError(f"epochs must lie in 1..{EPOCHS}, not {epochs}")
    if state is None:
        state = _begun(config, core_class, dataset, epochs, validation, stream)
        state.augment = augment
    else:
        state = _continued(state, core_class, dataset, epochs)
    core, config, stream = state.core, state.core.config, state.stream
    stream.check(dataset)
    state.augment.check(dataset.shape)
    part = split_validation(dataset, state.held, config.seed) if state.held else dataset
    x, y = inputs(config, part.x_train), part.y_train
    if engine == "compiled" and state.epoch < epochs:
        core_class(config).learn_many(x[:1], y[:1])  # compile before the clock runs
    learned, seconds = 0, 0.0
    for epoch in range(state.epoch, epochs):
        core.extra = config.extra(epoch)
        shuffled = order(config.seed, epoch, len(y))
        rows, labels = stream.passing(y, shuffled, core.learned, config.classes)
        if not len(rows):
            raise InputError(f"stream {stream}: no sample of {dataset.name} comes by")

        def images(first, x, epoch=epoch):
            return state.augment.images(x, dataset.shape, config.seed, epoch, first)

        right, spent = _learn(core, x, rows, labels, CHUNK[engine], images, progress)
        seconds += spent
        learned += len(rows)
        state.train.append(right / len(rows))
        held = _accuracy(core, part, stream) if state.held else math.nan
        state.validation.append(held)
        if after_epoch:
            after_epoch(state)
    test = _accuracy(core, dataset, stream)
    rate = core.rate(len(dataset.y_test)) if config.recurrent else None
    return Result(state, test, learned / seconds if learned else math.nan, rate)


def _begun(config, core_class, dataset, epochs, validation, stream) -> State:
    """Return the state before the first epoch."""
    check_fit(config, dataset)
    core, held = core_class(spread_halvings(config, epochs)), held_back(dataset, validation)
    return State(
        core, dataset.name, fingerprint(dataset), epochs, held, stream=stream,
        meaning=Meaning.of(dataset),
    )  # fmt: skip


def _learn(
    core: Core, x: np.ndarray, rows: np.ndarray, labels: np.ndarray, chunk: int,
    images: Callable[[int, np.ndarray], np.ndarray], progress: Advance | None,
) -> tuple[int, float]:  # fmt: skip
    """Learn rows of `x`, as `images` changes them; return how many were classified right before,
    and the seconds it took.
    """
    right, seconds = 0, 0.0
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        began = time.perf_counter()
        classes = core.learn_many(images(start, x[rows[part]]), labels[part])[0]
        seconds += time.perf_counter() - began
        right += int((classes == labels[part]).sum())
        if progress:
            progress(len(classes))
    return right, seconds


def copy_state(source: Core, target: Core) -> Core:
    """Bring all that changes in one core to another one of the same configuration."""
    for name in ("weights", "memories", "gains", "codes"):
        setattr(target, name, [array.copy() for array in getattr(source, name)])
    target.past.clear()
    target.past.extend(source.past)
    target.window = copy.deepcopy(source.window)
    if source.reservoir:
        for name in source.reservoir.MEMBERS:
            copied = [array.copy() for array in getattr(source.reservoir, name)]
            setattr(target.reservoir, name, copied)
    target.random_state, target.learned = source.random_state, source.learned
    target.extra, target.saturated = source.extra, source.saturated
    return target


def _accuracy(core: Core, dataset: Dataset, stream: Stream) -> float:
    return stream.accuracy(
        lambda x: core.infer_many(inputs(core.config, x))[0], dataset, core.learned
    )


def fingerprint(dataset: Dataset) -> str:
    """Return the SHA-256 of the training samples of a data set, as `State` has it."""
    digest = hashlib.sha256(np.ascontiguousarray(dataset.x_train, np.uint8).tobytes())
    digest.update(np.ascontiguousarray(dataset.y_train, np.uint8).tobytes())
    return digest.hexdigest()


def _continued(state: State, core_class: type[Core], dataset: Dataset, epochs: int) -> State:
    """Copy a state with a core of that engine; refuse other samples, and epochs that are done."""
    state.meaning.check(dataset)
    given = fingerprint(dataset)
    if state.fingerprint != given:
        raise InputError(
            f"the checkpoint was made with other samples: {state.dataset}, fingerprint "
            f"{state.fingerprint[:12]}; those given now are {dataset.name}, {given[:12]}"
        )
    if epochs < state.epoch:
        raise InputError(
            f"epochs must be at least {state.epoch}, those the checkpoint has done, not {epochs}"
        )
    return replace(
        state,
        core=copy_state(state.core, core_class(state.core.config)),
        train=list(state.train),
        validation=list(state.validation),
    )
