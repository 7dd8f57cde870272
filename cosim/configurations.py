"""Random configurations of the core, over all that it accepts, and random stimuli for them.

A seed stands for one configuration and its stimuli; 21 seeds in a row meet every memory in every
rounding. Sizes stay small, so that the simulation builds in some ten seconds; formats, tables and
steps are drawn over their whole ranges (`hebbware.golden.config.domains`), each often at one of its
ends.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import CoreConfig, dense, domains
from hebbware.golden.data.streams import Stream
from hebbware.golden.errors import InputError
from hebbware.golden.estimate.estimate import clocks_per_sample, start_clocks
from hebbware.golden.estimate.ticks import clocks_per_sequence
from hebbware.golden.memory import MEMORIES, Memory
from hebbware.golden.modulators.kinds import MODULATORS
from hebbware.golden.program.commands import Op, Space, State
from hebbware.golden.reservoir.decoder import Decoder, decoder_key, key_hash, save_decoder
from hebbware.golden.reservoir.memory import GATINGS, WEIGHT_BITS
from hebbware.golden.settings.tables import Domain
from hebbware.golden.system import places
from hebbware.golden.timing.schedule import Command

from .commands import random_commands
from .stimuli import STREAMS, Stimuli, random_samples, words_of_sample

INPUTS, HIDDEN, CLASSES, LANES = (1, 12), (2, 11), (2, 40), (1, 17)
LAYERS = 4  # hidden layers at most
STALLS = (0, 128, 250, 255)
CLOCKS = 40_000  # of a run, about, where its first samples do not take more
FEWEST = 3  # samples of a run, at least
SAMPLES = 60  # of a run, at most
DRAWS = 20_000
COSTLY = 20_000  # clocks of a step of a reservoir, at most
RUNS = 10  # of so many seeds of random runs, one has convolutions, one takes sequences
SEQUENCES, CONVOLUTIONS = 3, 9  # those whose last digit is this
TRAINED, TRAINED_HORIZON = 1 << 16, 9  # weights and horizon of a decoder, at most; others are drawn
FORMATS = ("u", "z", "d", "read")
OTHERS = (
    *("formats.weight_bits", "formats.error_fraction", "update.halvings"),
    *("formats.exp_bits", "formats.reciprocal_bits", "formats.rsqrt_bits"),
)


def random_config(seed: int) -> CoreConfig:
    """The configuration of a seed: the first that is possible of those it draws."""
    rng = np.random.default_rng([seed, 0])
    turn, kind = divmod(seed, len(MEMORIES))
    memory, rounding = list(MEMORIES)[kind], list(Rounding)[turn % len(Rounding)]
    wild = rng.choice([0.3, 1, 1])
    for _ in range(DRAWS):
        try:
            config = CoreConfig.from_dict(_draw(rng, memory, wild) | {"update.rounding": rounding})
        except InputError:
            continue  # these values do not go together
        if not MEMORIES[memory].projected:
            return _faster(config, rng)
        if _reservoir_clocks(config) <= COSTLY:
            return _with_decoder(config, rng)
    raise AssertionError(f"no configuration for seed {seed} in {DRAWS} draws")


def _faster(config: CoreConfig, rng: np.random.Generator) -> CoreConfig:
    """Mostly with updates beside, often with runs in its stream, where it can have them."""
    for name, share in (("update.overlap", 0.8), ("input.runs", 0.5)):
        if rng.random() < share:
            try:
                config = config.derive(**{name: True})
            except InputError:
                continue  # not this one
    return config


def _draw(rng: np.random.Generator, memory: str, wild: float) -> dict:
    """Values of the fields that apply to a memory; many do not go together.

    `wild` is the share of formats that are drawn; the others have their defaults.
    """
    kind = MEMORIES[memory]
    hidden = rng.integers(HIDDEN[0], HIDDEN[1] + 1, rng.integers(1, LAYERS + 1)).tolist()
    values = {
        **dense([_between(rng, *INPUTS), *hidden, _between(rng, *CLASSES)]),
        "lanes": int(rng.choice([_between(rng, *LANES), _between(rng, 1, 8)])),
        "memory.kind": memory,
        "seed": _of(rng, "seed"),
        "weight_ports": _of(rng, "weight_ports"),
        "input.centred": bool(rng.random() < 0.4),
        "input.bits": int(rng.choice([1, 2, 8, _of(rng, "input.bits")])),
    }
    values |= {name: _of(rng, name) for name in OTHERS if rng.random() < wild}
    if kind.modulator == "class-memory" and rng.random() < wild:
        values["modulator.beta_log2"] = _of(rng, "modulator.beta_log2")
    values |= _formats(rng, wild, kind)
    weights = len(hidden) + 1
    if rng.random() < 0.7:  # the smaller the shift, the larger the step
        top = int(rng.choice([0, 3, 8, domains()["layer.rate"].high]))
        values["layer.rate"] = rng.integers(0, top + 1, weights).tolist()
    if rng.random() < 0.5:
        values["layer.init_std"] = rng.choice([0, 1, *rng.random(4)], weights).tolist()
    if rng.random() < 0.4:
        values["neuron.slope_shift"] = _of(rng, "neuron.slope_shift")
    if rng.random() < 0.3:
        values |= _leaky(rng)
    if kind.leaks or kind.projected:
        values["memory.horizon"] = _of(rng, "memory.horizon")
    if kind.written and not kind.by_sample and rng.random() < wild:
        values["memory.bits"] = _of(rng, "memory.bits")
    if kind.windowed or kind.by_sample:
        values["memory.window"] = _power(rng, kind.domains()["window"])
    if memory == "codes" or kind.windowed or memory == "trace":
        fraction = values.get("memory.read_fraction", domains()["memory.read_fraction"].default)
        parts = int(rng.choice([0, 1 << fraction, _between(rng, 0, 1 << fraction)]))
        values["memory.kappa"] = parts / (1 << fraction)
    if kind.modulator == "hsic":
        values |= _kernels(rng)
    if kind.projected:
        values |= _reservoir(rng)
    return values


def random_recurrent(seed: int) -> CoreConfig:
    """The same of cores of sequences: 12 seeds in a row meet every modulator in every rounding."""
    rng = np.random.default_rng([seed, 2])
    turn, kind = divmod(seed, 4)
    modulator = ("symmetric", "random", "surprise", "none")[kind]
    rounding = list(Rounding)[turn % len(Rounding)]
    for _ in range(DRAWS):
        try:
            return CoreConfig.from_dict(_draw_recurrent(rng, modulator, rounding))
        except InputError:
            continue  # these values do not go together
    raise AssertionError(f"no configuration for seed {seed} in {DRAWS} draws")


def _draw_recurrent(rng: np.random.Generator, modulator: str, rounding: Rounding) -> dict:
    sizes = [_between(rng, *INPUTS), _between(rng, 2, 19), _between(rng, 2, 12)]
    ticks, shifts = _between(rng, 1, 10), rng.integers(1, 7, 4).tolist()
    one = rng.random() < 0.5
    values = {
        **dense(sizes),
        "layer.kind": ["recurrent", "readout"],
        "layer.rate": rng.integers(2, 10, 2).tolist(),
        "layer.init_std": rng.choice([0, 1, *rng.random(4)], 2).tolist(),
        "layer.recurrent_init_std": [float(rng.choice([0, rng.random()])), None],
        "lanes": int(rng.choice([_between(rng, *LANES), _between(rng, 1, 8)])),
        "weight_ports": _of(rng, "weight_ports"),
        "seed": _of(rng, "seed"),
        "input.centred": bool(rng.random() < 0.4),
        "input.bits": int(rng.choice([1, 2, 8, _of(rng, "input.bits")])),
        "update.rounding": rounding,
        "modulator.kind": modulator,
        "neuron.kind": "lif",
        "neuron.ticks": ticks,
        "neuron.target": int(rng.integers(1, ticks + 1)),
        "neuron.leak_shifts": [shifts[0]] if one else sorted({*shifts[:2]}),
        "neuron.second_leak_shifts": [] if one else sorted({*shifts[2:]}),
        "neuron.threshold": 1 << int(rng.integers(0, 4)),
        "neuron.width": int(rng.integers(1, 17)) / 4,
        "neuron.trace_shift": int(rng.integers(1, 10)),
        "neuron.trace_bits": int(rng.integers(4, 17)),
        "neuron.readout_shift": int(rng.integers(0, 8)),
    }
    values |= {name: _of(rng, name) for name in OTHERS if rng.random() < 0.4}
    memory = MODULATORS[modulator].usual(MEMORIES.values())
    values |= _formats(rng, 0.6, memory)
    if modulator == "random":
        values["memory.kappa"] = float(rng.choice([0.5, 1]))
    if memory.leaks:
        values |= {name: _of(rng, name) for name in ("memory.horizon", "memory.bits")}
    values["neuron.signal"] = bool(rng.random() < 0.3)
    return values


def drawn_config(seed: int) -> CoreConfig:
    """What a seed of random runs stands for: one in ten has convolutions, one takes sequences."""
    turn, number = divmod(seed, RUNS)
    if number == SEQUENCES:
        return random_recurrent(turn)
    return random_conv(turn) if number == CONVOLUTIONS else random_config(seed)


def random_conv(seed: int) -> CoreConfig:
    """The same of cores with convolutions: 12 seeds meet every memory in every rounding."""
    rng = np.random.default_rng([seed, 3])
    memories = [name for name, kind in MEMORIES.items() if kind.remembers_maps()]
    turn, kind = divmod(seed, len(memories))
    memory, rounding = memories[kind], list(Rounding)[turn % len(Rounding)]
    for _ in range(DRAWS):
        values = _draw_conv(rng, memory) | {"update.rounding": rounding}
        try:
            config = CoreConfig.from_dict(values)
        except InputError:
            continue  # these values do not go together
        if clocks_per_sample(config, config.inputs) <= COSTLY:
            return config
    raise AssertionError(f"no configuration for seed {seed} in {DRAWS} draws")


def _draw_conv(rng: np.random.Generator, memory: str) -> dict:
    convolutions, denses = int(rng.integers(1, 3)), int(rng.integers(0, 2))
    others = [None] * (denses + 1)

    def of_each(choices):
        return [*rng.choice(choices, convolutions).tolist(), *others]

    side = [4, 6, 8, 8, *rng.integers(1, 9, 3)]
    values = {
        "input.shape": [*rng.choice(side, 2).tolist(), int(rng.choice([1, 1, 3]))],
        "layer.kind": ["conv"] * convolutions + ["dense"] * denses + ["readout"],
        "layer.units": [None] * convolutions + rng.integers(2, 12, denses + 1).tolist(),
        "layer.features": of_each([2, 3, 5, 8, 11, 16]),
        "layer.kernel": of_each([1, 3, 3, 5]),
        "layer.stride": of_each([1, 1, 2]),
        "layer.pool": of_each([1, 2, 4]),
        "layer.grid": of_each([1, 2, 3]),
        "layer.gain": of_each([0, 1, 2]),
        "layer.narrow": rng.integers(0, 4, convolutions + denses + 1).tolist(),
        "layer.rate": rng.integers(4, 14, convolutions + denses + 1).tolist(),
        "lanes": int(rng.choice([*rng.integers(1, 9, 3), 12, 16, 32])),
        "memory.kind": memory,
        "weight_ports": _of(rng, "weight_ports"),
        "seed": _of(rng, "seed"),
        "input.centred": bool(rng.random() < 0.4),
        "input.bits": int(rng.choice([2, 8, _of(rng, "input.bits")])),
    }
    values |= {name: _of(rng, name) for name in OTHERS if rng.random() < 0.4}
    values |= _formats(rng, 0.6, MEMORIES[memory])
    if MEMORIES[memory].leaks:
        values["memory.horizon"] = _of(rng, "memory.horizon")
    if memory in ("codes", "trace"):
        values["memory.kappa"] = float(rng.choice([0.5, 1]))
    return values


def _formats(rng: np.random.Generator, wild: float, kind: type[Memory]) -> dict:
    """Bits and fraction bits, which leave the sign outside."""
    values = {}
    for name in FORMATS:
        if rng.random() >= wild or name == "read" and "read_bits" not in kind.domains():
            continue
        table = "memory" if name == "read" else "formats"
        bits, fraction = f"{table}.{name}_bits", f"{table}.{name}_fraction"
        low, high = domains()[fraction].low, domains()[fraction].high
        if name == "read":
            low = values.get("formats.z_fraction", domains()["formats.z_fraction"].default)
        values[bits] = max(_of(rng, bits), low + 1)
        values[fraction] = _between(rng, low, min(high, values[bits] - 1))
    return values


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number in ``low..high``: one in four is one of these."""
    return int(rng.choice([low, high, *rng.integers(low, high + 1, 6)]))


def _of(rng: np.random.Generator, name: str) -> int:
    """A whole number that the field may be."""
    return _between(rng, domains()[name].low, domains()[name].high)


def _power(rng: np.random.Generator, may_be: Domain) -> int:
    low, high = may_be.low, may_be.high
    return 1 << int(rng.integers(low.bit_length() - 1, high.bit_length()))


def _leaky(rng: np.random.Generator) -> dict:
    high = domains()["neuron.leak_shifts"].high
    shifts = sorted({int(n) for n in rng.integers(1, high + 1, 2)})
    steps = int(rng.choice([*rng.integers(1, 6, 9), _of(rng, "neuron.time_steps")]))
    return {
        "neuron.kind": "leaky",
        "neuron.time_steps": steps,
        "neuron.leak_shifts": shifts if rng.random() < 0.9 else [0],
    }


def _kernels(rng: np.random.Generator) -> dict:
    top = domains()["modulator.gamma"].high
    return {
        "modulator.gamma": float(rng.choice([0, top, 2, top * rng.random()])),
        "modulator.sigmas": (2.0 ** rng.uniform(-4, 4, 3)).tolist(),
    }


def _reservoir(rng: np.random.Generator) -> dict:
    return {
        "memory.projection": _power(rng, domains()["memory.projection"]),
        "reservoir.units": _power(rng, domains()["reservoir.units"]),
        "reservoir.lanes": _power(rng, domains()["reservoir.lanes"]),
        "reservoir.bits": _of(rng, "reservoir.bits"),
        "reservoir.gain": _of(rng, "reservoir.gain"),
        "reservoir.seed": _of(rng, "reservoir.seed"),
        "reservoir.topology": str(rng.choice(["sparse", "cycle"])),
        "memory.gating": str(rng.choice(GATINGS)),
        "memory.bits": _of(rng, "memory.bits"),
    }


# -- decoders of reservoirs -----------------------------------------------------------------------


def _reservoir_clocks(config: CoreConfig) -> int:
    outputs = config.classes * config.memory.projection
    return outputs * max(config.reservoir.units // config.reservoir.lanes, 1)


def _with_decoder(config: CoreConfig, rng: np.random.Generator) -> CoreConfig:
    """Any decoder that hardware has: trained ones where that takes a second or two."""
    weights = config.classes * config.memory.projection * config.reservoir.units
    trained = weights <= TRAINED and config.memory.horizon <= TRAINED_HORIZON
    names = ["zero", "drawn", "drawn"] + ["ridge", "shuffled"] * trained
    name = str(rng.choice(names))
    return config.derive(
        reservoir__decoder=str(_drawn_decoder(config)) if name == "drawn" else name
    )


@lru_cache
def _drawn_decoder(config: CoreConfig) -> Path:
    """The file of a decoder that was drawn, not trained: the same for the same configuration."""
    key = decoder_key(config)
    name = key_hash(key)[:32]
    path = places.keep("decoders") / f"drawn-{name}.npz"
    if not path.exists():
        shape = (config.classes * config.memory.projection, config.reservoir.units)
        top = (1 << WEIGHT_BITS - 1) - 1
        rng = np.random.default_rng(int(name, 16))
        weights = rng.integers(-top, top + 1, shape) * (rng.random(shape) < rng.random())
        save_decoder(path, Decoder(weights, 1.0, 0.0, 0.0, key))
    return path


# -- stimuli --------------------------------------------------------------------------------------


def random_stimuli(config: CoreConfig, seed: int) -> list[Stimuli]:
    """One run for each of `STALLS`; the last ones are short.

    The first has no pauses and a command after every sample, so that it waits for the sample's
    end; which ends of the streams pause in the others is drawn, and all else.
    """
    rng = np.random.default_rng([seed, 1])
    return [_stimuli(config, rng, stall, seed) for stall in STALLS]


def _stimuli(config: CoreConfig, rng: np.random.Generator, stall: int, seed: int) -> Stimuli:
    paused = [name for name in STREAMS if rng.random() < 0.6] or [str(rng.choice(STREAMS))]
    count = _count(config, stall, paused)
    data = "random" if not stall else str(rng.choice(["random", "random", "zero", "full"]))
    task = "mixed" if not stall else str(rng.choice(["mixed", "remap", "classes", "inferred"]))
    x, labels = random_samples(config, rng, count)
    if data != "random":
        x = np.full_like(x, {"zero": 0, "full": config.x.max}[data])
    if task != "mixed":
        labels = _labels(config, rng, task, count)
    words = config.classes + 1
    commands = random_commands(config, rng, count, count)[:-1]
    if stall:
        commands = commands[:: int(rng.integers(1, 5))]
    else:  # offered with the first result of its sample
        commands = [replace(c, after=n * words + 1) for n, c in enumerate(commands)]
    commands.append(Command(Op.READ, Space.STATE, State.SATURATED, after=count * words))
    name = f"{data} {task} stalled {stall}"
    return Stimuli(name, x, labels, commands, dict.fromkeys(paused, stall), seed)


def _count(config: CoreConfig, stall: int, paused: list[str]) -> int:
    """Samples that fit into `CLOCKS`, but as many as a window takes to fill."""
    each = _clocks(config)
    slow = 256 / (256 - stall)
    each += slow * words_of_sample(config) * ("samples" in paused)
    each += slow * (config.classes + 1) * ("results" in paused)
    # a command for each sample: it waits for the other side of its streams too
    each += slow * 2 * ("commands" in paused or "responses" in paused)
    room = max(CLOCKS - start_clocks(config), 0)
    filled = config.memory.window + 8 if config.modulator.kind == "hsic" and not stall else 0
    return max(FEWEST, filled, min(int(room / each), SAMPLES))


def _clocks(config: CoreConfig) -> int:
    """Of a sample, or of a sequence, without zeros."""
    if config.recurrent:
        return clocks_per_sequence(config, config.inputs, config.hidden[0])
    return clocks_per_sample(config, config.inputs)


def _labels(
    config: CoreConfig, rng: np.random.Generator, task: str, count: int
) -> list[int | None]:
    """Labels of a stream whose task changes, or of samples that are inferred but for the first."""
    classes = config.classes
    if config.signal:
        targets = random_samples(config, rng, count)[1]
        return targets[:1] + [None] * (count - 1) if task == "inferred" else targets
    if task == "inferred":
        return [int(rng.integers(classes)), *[None] * (count - 1)]
    if task == "remap":
        stream = Stream("remap", count // 2, int(rng.integers(1, classes)))
        y = rng.integers(0, classes, count)
        return stream.labels(y, np.arange(count), classes).tolist()
    stream = Stream("classes", max(count // classes, 1), 1)
    pool = np.arange(classes).repeat(2 * count)
    rows, labels = stream.passing(pool, rng.permutation(len(pool)), 0, classes)
    return labels[:count].tolist()
