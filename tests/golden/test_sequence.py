"""Sequences: the plain core against a second implementation in plain Python numbers, and against
floating point; the compiled twin against the plain core.

`Reference` is written from docstrings, one number at a time, in integers and rationals; it shares
no arithmetic with golden but the start weights and the tables of the softmax, which have tests of
their own.
"""

import copy
import pickle
from fractions import Fraction
from math import floor, log2, pi

import numpy as np
import pytest

from hebbware.golden.config import NO_LABEL, CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError
from hebbware.golden.layers.softmax import softmax_error
from hebbware.golden.layers.squared import squared_error
from hebbware.golden.neurons.spiking import passing
from hebbware.golden.program.walk import Kind, Store
from hebbware.golden.reference.spiking import NO_TARGET, SpikingNetwork
from hebbware.golden.twin.core import Twin
from hebbware.golden.twin.sequence import SequenceTwin

BASE = {
    "lanes": 4,
    "layer__kind": ["recurrent", "readout"],
    "layer__init_std": [0.9, 0.5],
    "layer__recurrent_init_std": [0.3, None],
    "layer__rate": [5, 6],
    "neuron__ticks": 14,
    "neuron__target": 5,
    "update__halvings": 2,
}
CASES = {
    "symmetric": {},
    "random": {
        "modulator__kind": "random",
        "memory__kappa": 0.5,
        "lanes": 5,
        "neuron__second_leak_shifts": [2, 4],
        "neuron__readout_shift": 0,
        "update__rounding": "nearest",
        "input__bits": 2,
        "neuron__width": 0.75,
    },
    "frozen": {"modulator__kind": "none", "input__centred": True, "neuron__trace_bits": 16},
    "surprise": {
        "modulator__kind": "surprise",
        "memory__horizon": 4,
        "memory__bits": 9,
        "memory__read_bits": 6,
        "memory__read_fraction": 3,
        "lanes": 6,
    },
    "few bits": {
        "formats__weight_bits": 4,
        "formats__u_bits": 8,
        "formats__u_fraction": 4,
        "formats__z_bits": 5,
        "formats__z_fraction": 3,
        "input__bits": 1,
        "neuron__trace_bits": 4,
        "neuron__leak_shifts": [4],
        "lanes": 40,
        "update__rounding": "floor",
    },
}


def configuration(**fields):
    return CoreConfig.of((7, 9, 3), **{**BASE, **fields})


def samples(config, count=4, seed=1):
    """Sequences half of whose numbers are zero; labels, and labels of ticks."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, config.x.max + 1, (count, *config.sample_shape))
    x[rng.random(x.shape) < 0.5] = config.x_zero
    of_ticks = rng.integers(0, config.classes, x.shape[:2])
    of_ticks[rng.random(of_ticks.shape) < 0.5] = NO_LABEL
    return x, rng.integers(0, config.classes, count), of_ticks


# -- in plain numbers ------------------------------------------------------------------------------


def half_up(value):
    return floor(Fraction(value) + Fraction(1, 2))


def sat(value, bits):
    return min(max(value, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def following(word):
    word ^= (word << 13) % 2**32
    word ^= word >> 17
    return word ^ (word << 5) % 2**32


class Reference:
    def __init__(self, config):
        core = Core(config)
        self.c, self.word, self.extra = config, core.random_state, 0
        self.W, self.R = ([list(map(int, row)) for row in w] for w in core.weights)
        self.codes = core.codes[0].tolist()
        self.M = [[0] * config.hidden[0] for _ in range(config.classes)]
        self.units, self.saturated = range(config.hidden[0]), 0
        x = (~config.seed % 2**32 + 0x9E3779B9) % 2**32
        x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
        x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
        self.rest = x ^ x >> 16 or 1

    def leak(self, values, shifts):
        """What each value loses; one word for each block of lanes."""
        lost = []
        for i, value in enumerate(values):
            lane = i % self.c.lanes
            if lane == 0:
                self.own = following(self.own)
            seen = (self.own << lane % 32 | self.own >> (32 - lane % 32)) % 2**32
            first, *more = shifts[i % 2]
            part = Fraction(value, 2**first) + (Fraction(value, 2 ** more[0]) if more else 0)
            last = more[0] if more else first
            lost.append(floor(part + Fraction(seen % 2**last, 2**last)))
        return lost

    def sums(self, values, fraction, rows):
        """Of rows of W, as u."""
        one = Fraction(2**self.c.u.fraction, 2 ** (fraction + self.c.weight.fraction))
        columns = [sum(v * row[j] for v, row in zip(values, rows, strict=True)) for j in self.units]
        return [sat(half_up(total * one), self.c.u.width) for total in columns]

    def change(self, rows, pre, post, shift, *, row_inner):
        """W <- sat(W + floor((-pre post + r) / 2**shift)); a word for each row of each block."""
        c, shift = self.c, shift + self.extra
        blocks = [self.units[s : s + c.lanes] for s in range(0, len(self.units), c.lanes)]
        numbers = range(len(rows))
        order = [(j, b) for b in blocks for j in numbers]
        if not row_inner:
            order = [(j, b) for j in numbers for b in blocks]
        for j, block in order:
            self.word, cut = following(self.word), False
            for i in block:
                p = i % c.lanes % 32
                seen = (self.word << p | self.word >> (32 - p)) % 2**32 % 2**c.update_shift
                part = Fraction(-pre[j] * post[i], 2**shift)
                part += {
                    "floor": 0,
                    "nearest": Fraction(1, 2) if shift else 0,
                    "stochastic": Fraction(seen >> c.update_shift - shift, 2**shift),
                }[c.update.rounding]
                new = rows[j][i] + floor(part)
                rows[j][i] = sat(new, c.weight.width)
                cut = cut or rows[j][i] != new
            self.saturated += cut

    def run(self, x, labels):
        """Yields all that is computed in each tick."""
        c, n = self.c, self.c.neuron
        theta = n.threshold * 2**c.u.fraction
        same = n.leak_shifts, n.second_leak_shifts or n.leak_shifts
        self.own = self.rest
        v, s, f, ts = ([0] * len(self.units) for _ in range(4))
        tx, totals = [0] * c.inputs, [0] * c.classes
        bits, fraction = n.trace_bits, c.input.bits - c.input.centred
        weight = 2**c.weight.fraction
        for tick, values in enumerate(x):
            values = [int(value) - 2**fraction * c.input.centred for value in values]
            trace = ((n.trace_shift,),) * 2
            lost = self.leak(tx, trace)
            one = 2 ** (n.trace_fraction - fraction)
            tx = [sat(t - q + value * one, bits) for t, q, value in zip(tx, lost, values)]  # noqa: B905
            lost = self.leak(ts, trace)
            one = 2**n.trace_fraction
            ts = [sat(t - q + spike * one, bits) for t, q, spike in zip(ts, lost, s)]  # noqa: B905
            lost = self.leak(v, same)
            current = self.sums(values, fraction, self.W[: c.inputs])
            v = [sat(v[i] - lost[i] - theta * s[i] + current[i], c.u.width) for i in self.units]
            current = self.sums(s, 0, self.W[c.inputs :])
            v = [sat(v[i] + current[i], c.u.width) for i in self.units]
            s = [int(value >= theta) for value in v]
            lost = self.leak(f, ((n.readout_shift,),) * 2)
            f = [sat(f[i] - lost[i] + s[i] * 2**c.z.fraction, c.z.width) for i in self.units]
            scores = []
            for row in self.R:
                total = sum(w * value for w, value in zip(row, f, strict=True))
                one = Fraction(2**c.u.fraction, weight * 2**c.z.fraction)
                scores.append(sat(half_up(total * one), c.u.width))
            found = {(Store.TRACES, 0): tx, (Store.TRACES, 1): ts, (Store.A, 0): v, (Store.Z, 0): f}
            if tick >= n.ticks - n.target:
                totals = [a + b for a, b in zip(totals, scores, strict=True)]
                found[Store.RESULTS, 1] = totals
            if n.signal:
                found.pop((Store.RESULTS, 1), None)
                if tick >= n.ticks - n.target:
                    found[Store.RESULTS, 1] = scores
            if np.ravel(labels[tick])[0] != NO_LABEL:
                if n.signal:
                    one = 2**c.e.fraction
                    pairs = zip(scores, labels[tick].tolist(), strict=True)
                    error = [
                        half_up(Fraction(o * one, 2**c.u.fraction))
                        - half_up(Fraction(y * one, 128))
                        for o, y in pairs
                    ]
                    error = [min(max(e, -one), one) for e in error]
                else:
                    error = softmax_error(c, np.array(scores), c.u.fraction, labels[tick]).tolist()
                found[Store.ERRORS, 1] = error
                if any(error):
                    found |= self.learn(error, v, f, tx, ts, theta)
            yield found

    def learn(self, error, v, f, tx, ts, theta):
        c, n, found = self.c, self.c.neuron, {}
        if c.modulator.kind != "none":
            E, one = self.R, 2**c.weight.fraction
            if c.modulator.kind == "random":
                one = 2**c.memory.read_fraction
                size = int(c.memory.kappa * one)
                E = [[size * code for code in row] for row in self.codes]
            if c.modulator.kind == "surprise":
                E, one = [self.recall(row) for row in self.M], 2**c.memory.read_fraction
            one = Fraction(2**c.d.fraction, one * 2**c.e.fraction)
            d = []
            for i in self.units:
                total = sum(e * row[i] for e, row in zip(error, E, strict=True))
                near = abs(v[i] - theta) < n.width * theta
                d.append(sat(half_up(total * one), c.d.width) if near else 0)
            found[Store.D, 0] = d
            shift = n.trace_fraction + c.d.fraction + c.rates[0] - c.weight.fraction
            self.change(self.W[: c.inputs], tx, d, shift, row_inner=True)
            self.change(self.W[c.inputs :], ts, d, shift, row_inner=True)
            if c.modulator.kind == "surprise":
                found[Store.MEMORY, 0] = self.remember(error, f)
        shift = c.z.fraction + c.e.fraction + c.rates[1] - c.weight.fraction
        self.change(self.R, error, f, shift, row_inner=False)
        return found

    def recall(self, row):
        """A row of the memory, whose rms, of a normal one from its sizes, becomes 1 to 2**0.5."""
        c, rms = self.c.memory, sum(map(abs, row)) / len(row) * (pi / 2) ** 0.5
        gain = min(max(floor(log2(rms) + 0.5), 0), c.bits - 1) if rms else 0
        one = Fraction(2**c.read_fraction, 2**gain)
        return [sat(half_up(value * one), c.read_bits) for value in row]

    def remember(self, error, f):
        """Surprise enters, with 3 bits behind the point; a word for each block of each row."""
        c, S = self.c, self.c.update_shift
        for row, e in zip(self.M, error, strict=True):
            for i in self.units:
                lane = i % c.lanes
                if lane == 0:
                    self.word = following(self.word)
                seen = (self.word << lane % 32 | self.word >> (32 - lane % 32)) % 2**32 % 2**S
                taken = Fraction(-row[i], 2**c.memory.horizon)
                taken -= Fraction(e * f[i] * 8, 2 ** (c.e.fraction + c.z.fraction))
                row[i] = sat(row[i] + floor(taken + Fraction(seen, 2**S)), c.memory.bits)
        return [list(row) for row in self.M]


@pytest.mark.parametrize("fields", CASES.values(), ids=CASES)
def test_against_plain_numbers(fields):
    """Every number of every tick; labels of the sequence, and of single ticks."""
    config = configuration(**fields)
    core, reference = Core(config), Reference(config)
    x, labels, of_ticks = samples(config)
    last = config.neuron.ticks - config.neuron.target
    spikes, threshold = 0, config.neuron.threshold << config.u.fraction
    for n, label in enumerate(labels):
        core.extra = reference.extra = n % 3
        single = np.where(np.arange(config.neuron.ticks) < last, NO_LABEL, label)
        for given, targets in ((int(label), single), (of_ticks[n], of_ticks[n])):
            ticks = [{} for _ in x[n]]
            for made in core.walk(x[n], given):
                for written in made.written:
                    ticks[made.time][written.store, written.layer] = written.values.tolist()
            for tick, (found, wanted) in enumerate(
                zip(ticks, reference.run(x[n], targets), strict=True)
            ):
                found = {k: v for k, v in found.items() if k[0] is not Store.WEIGHTS}
                assert found == wanted, tick
                spikes += sum(v >= threshold for v in found[Store.A, 0])
        assert core.weights[0].tolist() == reference.W
        assert core.weights[1].tolist() == reference.R
        assert core.memories[0].tolist() == reference.M
    assert (core.random_state, core.saturated) == (reference.word, reference.saturated)
    assert spikes > 20


SIGNALS = {
    "symmetric": {"formats__error_fraction": 6, "formats__u_fraction": 10},
    "random": {"modulator__kind": "random", "neuron__target": 14, "formats__error_fraction": 12},
    "surprise": CASES["surprise"] | {"formats__u_fraction": 6, "formats__error_fraction": 7},
}


def signals(config, count=4, seed=2):
    """Sequences, and targets at some of their ticks."""
    x, _, _ = samples(config, count, seed)
    rng = np.random.default_rng(seed)
    targets = rng.integers(-128, 128, (*x.shape[:2], config.classes))
    targets[rng.random(x.shape[:2]) < 0.3] = NO_LABEL
    return x, targets


@pytest.mark.parametrize("fields", SIGNALS.values(), ids=SIGNALS)
def test_signals_against_plain_numbers(fields):
    """Every number of every tick, with a target for each output; the twin gives the same."""
    config = configuration(neuron__signal=True, **fields)
    core, twin, reference = Core(config), Twin(config), Reference(config)
    x, targets = signals(config)
    learned, cut = [], 0
    for sequence, target in zip(x, targets, strict=True):
        ticks = [{} for _ in sequence]
        for made in core.walk(sequence, target):
            for written in made.written:
                if written.store is not Store.WEIGHTS:
                    place = written.store, written.layer
                    ticks[made.time][place] = written.values.tolist()
        wanted = list(reference.run(sequence, target))
        assert ticks == wanted
        outputs = [tick[Store.RESULTS, 1] for tick in wanted if (Store.RESULTS, 1) in tick]
        learned.append(outputs)
        errors = [tick.get((Store.ERRORS, 1), [0]) for tick in wanted]
        cut += sum(abs(e) == config.e.one for error in errors for e in error)
    assert cut > 3
    assert core.weights[0].tolist() == reference.W
    assert core.weights[1].tolist() == reference.R
    classes, scores = twin.learn_many(x, targets)
    assert scores.tolist() == learned
    assert scores.shape == (4, config.neuron.target, 3)
    assert (classes == scores.argmax(axis=-1)).all()
    for one, other in zip(
        (*core.weights, *core.memories), (*twin.weights, *twin.memories), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(core.infer_many(x), twin.infer_many(x), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (
        (core.random_state, core.learned)
        == (twin.random_state, twin.learned)
        == (reference.word, 4)
    )


def test_the_error_of_a_signal_by_hand():
    """Output 0.75, target -0.25: an error of 1; 0.5 and 127/128: -63/128; 3 and 0: cut off at 1."""
    config = configuration(neuron__signal=True)  # u and errors: 8 and 10 bits behind the point
    found = squared_error(config, np.array([192, 128, 768]), np.array([-32, 127, 0]))
    assert found.tolist() == [1024, -504, 1024]


def test_infer_changes_nothing_and_gives_the_same_again():
    config = configuration()
    core = Core(config)
    x, labels, _ = samples(config)
    core.learn_many(x, labels)
    before = core.random_state, core.learned, [w.copy() for w in core.weights]
    found = [core.infer_many(x) for _ in range(2)]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert (core.random_state, core.learned) == before[:2] == (before[0], 4)
    for now, then in zip(core.weights, before[2], strict=True):
        np.testing.assert_array_equal(now, then)


def test_passes_of_a_tick():
    """Scores are summed over the target; what learns is walked at ticks with a label only."""
    config = configuration()
    x, _, _ = samples(config)
    labels = np.full(config.neuron.ticks, NO_LABEL)
    labels[2] = 1
    kinds = [[] for _ in labels]
    for made in Core(config).walk(x[0], labels):
        kinds[made.time].append(made.of.kind)
    settling = [
        Kind.TRACE_INPUTS, Kind.TRACE_UNITS, Kind.FORWARD_INPUTS, Kind.FORWARD_UNITS, Kind.FILTER,
    ]  # fmt: skip
    learning = [Kind.FEEDBACK, Kind.UPDATE_INPUTS, Kind.UPDATE_UNITS, Kind.READOUT]
    assert kinds[0] == settling
    assert kinds[2] == [*settling, Kind.SCORES, *learning]
    assert kinds[-5:] == [[*settling, Kind.SCORES]] * 5


def test_rows_of_an_update_that_are_passed_by():
    """Of a word of three lanes; the last row of a word has none after it."""
    for traces, rows in (
        ([5, 5, 5, 5], [0, 1, 2, 3]),
        ([0, 0, 0, 0], [1, 2, 3]),
        ([0, 5, 5, 0], [1, 2, 3]),
        ([5, 0, 0, 0, 5], [0, 2, 4]),
        ([-1, 0, 1, 0, 0, 0], [0, 2, 4, 5]),
    ):
        assert passing(np.array(traces), 3).tolist() == rows


# -- against floating point ------------------------------------------------------------------------


def test_against_floating_point():
    """Driven by golden's spikes: what leaks by ``2**-s`` is at most ``2**s`` times the error of a
    tick from the float, and a weight as many steps as it has been changed, and what its operands
    are off.
    """
    config = configuration(
        formats__weight_bits=16, formats__u_fraction=10, formats__d_bits=16,
        formats__d_fraction=13, formats__z_bits=12, formats__z_fraction=8,
        neuron__trace_bits=16, neuron__trace_fraction=10,
        formats__exp_bits=10, formats__reciprocal_bits=10, formats__error_fraction=14,
    )  # fmt: skip
    core, n = Core(config), config.neuron
    x, labels, _ = samples(config, 1)
    reference = SpikingNetwork(
        config.weight.real(core.weights[0]), config.weight.real(core.weights[1]),
        np.full(9, 1 - 2.0 ** -n.leak_shifts[0]), 1 - 2.0**-n.trace_shift,
        1 - 2.0**-n.readout_shift,
    )  # fmt: skip
    found = {store: [None] * n.ticks for store in (Store.A, Store.Z, Store.TRACES)}
    start = [w.copy() for w in core.weights]
    for made in core.walk(x[0], int(labels[0])):
        for written in made.written:  # the last word counts
            if written.store in found:
                found[written.store][made.time] = written.values
    potentials, seen = config.u.real(found[Store.A]), config.z.real(found[Store.Z])
    spikes = potentials >= 1
    targets = np.where(np.arange(n.ticks) < n.ticks - n.target, NO_TARGET, labels[0])
    course = reference.learn(config.x.real(x[0]), targets, (2.0**-5, 2.0**-6), spikes)
    assert spikes.sum() > 20
    # a leak is rounded by less than a step, two sums by half of one
    free = n.ticks - n.target
    step = 2.0**-config.u.fraction
    assert (
        np.abs(potentials - course.potentials)[: free + 1].max() < 2 * step * 2 ** n.leak_shifts[0]
    )
    assert np.abs(seen - course.seen).max() < 2.0 ** (n.readout_shift - config.z.fraction)
    traces = config.trace.real(found[Store.TRACES][-1])
    assert np.abs(traces - reference.traces[7:]).max() < 2.0 ** (n.trace_shift - n.trace_fraction)
    # changes of weights: five, each a product with errors of a hundredth and rounded to a step
    for now, then, real in zip(
        core.weights, start, (reference.weights, reference.readout), strict=True
    ):
        moved = config.weight.real(now - then)
        wanted = real - config.weight.real(then)
        assert np.abs(wanted).max() > 0.02
        assert (
            np.abs(moved - wanted).max()
            < 5 * 2.0**-config.weight.fraction + 0.01 * np.abs(wanted).max()
        )


def test_traces_of_single_synapses():
    """Two units, one input, by hand: h is 1 in both ticks; kappa adds half of the first trace."""
    weights, readout = np.full((3, 2), 0.25), np.array([[1.0, 0.5], [0.0, 0.5]])
    made = [
        SpikingNetwork(weights.copy(), readout.copy(), np.full(2, 0.5), 0.5, 0.5, filtered=f)
        for f in (False, True)
    ]
    for network in made:
        network.learn(np.array([[1.0], [2.0]]), np.array([NO_TARGET, 0]), (1.0, 0.0))
    # no spikes, scores 0, errors -1/2 and 1/2: signals -1/2 and 0; traces 1, then 2.5
    np.testing.assert_allclose(made[0].weights, [[0.25 + 1.25, 0.25], [0.25] * 2, [0.25] * 2])
    np.testing.assert_allclose(made[1].weights, [[0.25 + 1.5, 0.25], [0.25] * 2, [0.25] * 2])


# -- the compiled twin -----------------------------------------------------------------------------


@pytest.mark.parametrize("fields", CASES.values(), ids=CASES)
def test_twin(fields):
    config = configuration(**fields)
    core, twin = Core(config), Twin(config)
    assert isinstance(twin, SequenceTwin)
    x, labels, of_ticks = samples(config, 6)
    for given in (labels, of_ticks):
        for one, other in zip(core.learn_many(x, given), twin.learn_many(x, given), strict=True):
            np.testing.assert_array_equal(one, other)
        core.extra = twin.extra = 1
    for one, other in zip(core.infer_many(x), twin.infer_many(x), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(core.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("memories", "gains"):
        np.testing.assert_array_equal(getattr(core, name)[0], getattr(twin, name)[0])
    facts = [(c.random_state, c.saturated, c.learned, c.spikes, c.rate(6)) for c in (core, twin)]
    assert facts[0] == facts[1]
    assert facts[0][-1] == core.spikes / (6 * 14 * 9) > 0


@pytest.mark.parametrize("engine", [Core, Twin])
@pytest.mark.parametrize("fields", [BASE, {}], ids=["sequences", "samples"])
def test_copies(engine, fields):
    """A copy learns the same, and the core that it was made of stays as it is."""
    core = engine(CoreConfig.of((7, 9, 3), **fields))
    x, labels, _ = samples(core.config)
    core.learn_many(x, labels)
    before = [w.copy() for w in core.weights]
    copied, pickled = copy.deepcopy(core), pickle.loads(pickle.dumps(core))
    assert type(copied) is type(pickled) is type(core)
    for one, other in zip(copied.learn_many(x, labels), pickled.learn_many(x, labels), strict=True):
        np.testing.assert_array_equal(one, other)
    for now, then in zip(core.weights, before, strict=True):
        np.testing.assert_array_equal(now, then)


# -- bad input -------------------------------------------------------------------------------------

CALLS = [
    (lambda c, x: c.infer(x[0, :5]), r"x must have shape \(14, 7\), not \(5, 7\)"),
    (lambda c, x: c.learn(x[0], 3), r"label must lie in 0\.\.2, not 3"),
    (
        lambda c, x: c.learn(x[0], np.full(14, 7)),
        r"labels must lie in 0\.\.2, or be 255 at ticks without one, not 7",
    ),
    (lambda c, x: c.learn_many(x, [[0] * 13] * 4), r"labels must have shape \(4, 14\)"),
    (lambda c, x: c.learn_many(x, [0, 1]), r"labels must have shape \(4,\), not \(2,\)"),
]


@pytest.mark.parametrize("engine", [Core, Twin])
@pytest.mark.parametrize(("call", "message"), CALLS, ids=[message for _, message in CALLS])
def test_bad_input(engine, call, message):
    config = configuration()
    core = engine(config)
    with pytest.raises(InputError, match=message):
        call(core, samples(config)[0])
    assert core.learned == 0


SIGNAL_CALLS = [
    (lambda c, x: c.learn(x[0], 1), r"targets must have shape \(1, 14, 3\), not \(1,\)"),
    (
        lambda c, x: c.learn(x[0], np.full((14, 3), 128)),
        r"targets must lie in -128\.\.127, or be 255 for all outputs at ticks without one, not 128",
    ),
    (
        lambda c, x: c.learn(x[0], np.tile([255, 255, 0], (14, 1))),
        r"or be 255 for all outputs at ticks without one, not 255",
    ),
    (
        lambda c, x: c.learn(x[0], np.full((14, 3), -129)),
        r"targets must lie in -128\.\.255, not -129\.\.-129",
    ),
]


@pytest.mark.parametrize("engine", [Core, Twin])
@pytest.mark.parametrize(("call", "message"), SIGNAL_CALLS, ids=[m for _, m in SIGNAL_CALLS])
def test_bad_targets(engine, call, message):
    config = configuration(neuron__signal=True)
    core = engine(config)
    with pytest.raises(InputError, match=message):
        call(core, samples(config)[0])
    assert core.learned == 0


RULES = [
    (
        {"layer__kind": ["recurrent", "dense"]},
        "layer must be at least one hidden layer, then a rea",
    ),
    (
        {"memory__kind": "trace"},
        "modulator.kind must be 'class-memory' where memory.kind is 'trace'",
    ),
    (
        {"modulator__kind": "class-memory"},
        "modulator.kind must be 'none' or 'symmetric' or 'random' or 'surprise' where layer.kind",
    ),
    ({"neuron__signal": 1}, "neuron.signal must be true or false, not 1"),
    ({"neuron__target": 15}, "neuron.target must be at most neuron.ticks = 14, not 15"),
    ({"neuron__leak_shifts": []}, r"neuron.leak_shifts must be one or two shifts, not \[\]"),
    ({"neuron__second_leak_shifts": [4, 3]}, "neuron.second_leak_shifts must be one shift, or"),
    ({"neuron__width": 0.3}, "neuron.width must be a multiple of 1/4, not 0.3"),
    (
        {"neuron__threshold": 64, "formats__u_fraction": 12},
        "neuron.threshold must be at most 4, half",
    ),
    (
        {"neuron__leak_shifts": [9], "formats__u_fraction": 4},
        r"formats.u_fraction must be at least 5 for potentials that leak by 2\*\*-9",
    ),
    (
        {"neuron__trace_bits": 8},
        r"neuron.trace_fraction must lie in 8\.\.7, from the fraction bits",
    ),
    (
        {"formats__z_bits": 5},
        "formats.z_fraction must leave room for a spike: at most formats.z_bits",
    ),
]


@pytest.mark.parametrize(("fields", "message"), RULES, ids=[message for _, message in RULES])
def test_rule(fields, message):
    fields = {
        k: v for k, v in {**BASE, "neuron__trace_fraction": None, **fields}.items() if v is not None
    }
    with pytest.raises(InputError, match=message):
        CoreConfig.of((7, 9, 3), **fields)


@pytest.mark.parametrize(
    ("memory", "modulator"), [("none", "symmetric"), ("codes", "random"), ("gated", "surprise")]
)
def test_memory_and_modulator_follow_each_other(memory, modulator):
    config = configuration(modulator__kind="random" if memory == "none" else "symmetric")
    for fields in ({"memory__kind": memory}, {"modulator__kind": modulator}):
        for found in (config.derive(**fields), configuration(**fields)):
            assert (found.memory.kind, found.modulator.kind) == (memory, modulator)


def test_more_hidden_layers_are_refused():
    with pytest.raises(InputError, match="layer must be one recurrent layer, then a readout"):
        CoreConfig.of((7, 9, 8, 3), layer__kind=["recurrent", "dense", "readout"])
    with pytest.raises(
        InputError, match="neuron.kind must be 'static' or 'leaky' where layer.kind"
    ):
        CoreConfig.of((7, 9, 3), neuron__kind="lif")
    with pytest.raises(
        InputError, match="neuron.kind must be 'lif' where layer.kind is 'recurrent'"
    ):
        CoreConfig.of((7, 9, 3), layer__kind=["recurrent", "readout"], neuron__kind="leaky")
