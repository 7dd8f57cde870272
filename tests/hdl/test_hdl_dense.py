"""The lanes: every kind of step against its equation in plain Python, in value and clock."""

from math import floor

import numpy as np
import pytest

from hebbware.cosim.blocks import FIRST, Event, Probe, Probes, drive, event_log
from hebbware.cosim.build import build
from hebbware.cosim.run import run
from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.config import CoreConfig
from hebbware.golden.layers.init import GROUP, init_scale
from hebbware.golden.layers.normalise import MANTISSA_BITS, exponent_range
from hebbware.golden.modulators.class_memory import direction_shift
from hebbware.golden.program.pipeline import stages
from hebbware.golden.program.program import MAGNITUDES, magnitudes_latency, total_latency
from hebbware.golden.program.widths import forward_prescales, source_max, update_product
from hebbware.hdl.lanes.dense import Dense
from hebbware.hdl.memory.gains import word_width
from hebbware.hdl.walks.step import Step, is_any, kinds_of

KINDS = kinds_of(CoreConfig.of((3, 4, 2)))
Kind = KINDS.Kind

CONFIGS = {
    "gated": CoreConfig.of((4, 7, 5, 3), lanes=3, memory__horizon=5),
    "trace": CoreConfig.of(
        (3, 4, 3), lanes=5, memory__kind="trace", memory__horizon=6, memory__kappa=0.25,
        update__rounding=Rounding.NEAREST, formats__weight_bits=6, formats__u_bits=10,
        formats__u_fraction=4, formats__z_bits=6, formats__z_fraction=2,
    ),
    "window": CoreConfig.of(
        (4, 5, 3), lanes=2, memory__kind="window", memory__window=4,
        update__rounding=Rounding.FLOOR, formats__d_bits=5, formats__d_fraction=3,
        memory__kappa=0.5, formats__weight_bits=4,
    ),
    "codes": CoreConfig.of(
        (4, 13, 2), lanes=6, memory__kind="codes", formats__weight_bits=16, formats__u_fraction=12,
        formats__z_fraction=0, memory__read_fraction=0,
    ),
    "clusters": CoreConfig.of((4, 27, 12, 3), lanes=11, memory__horizon=5),
}  # fmt: skip
PASSES = 400
STAGE = 4  # the stage in which a step and its common operand are given; words follow in 5, or,
# where there are two clusters of lanes, a clock later
INPUTS = ("weights", "memory", "read", "z", "active", "a", "d")


def clip(value, fmt):
    return min(max(value, fmt.min), fmt.max)


def nearest(value, shift):
    return floor(value / 2**shift + 0.5) if shift > 0 else value << -shift  # exact below 2**52


def two(value, bits):
    """The low bits of a number as two's complement."""
    value &= (1 << bits) - 1
    return value - (value >> (bits - 1) << bits)


class Player:
    """Makes steps, and what the lanes must answer."""

    def __init__(self, config, rng):
        self.config, self.rng, self.at = config, rng, stages(config)
        self.words, self.logs = [], {name: [] for name in EVENTS}
        self.late = {}  # inputs of other stages, by the word with which they come
        self.width = word_width(config)
        self.low, self.high = exponent_range(config)
        self.last_memory = -9
        # common operands of updates: what is left of the products' bits beside d, z or the bytes
        own = max(-config.d.min, -config.z.min, 128).bit_length() - 1
        self.bound = 1 << update_product(config) - 1 - own

    def kinds(self):
        """Kinds of passes that the configuration has."""
        names = "forward sum squares normalise scores similarity direction update readout".split()
        names += ["start_weights", "start_memory", "host_weight", "host_memory"]
        names += ["memory"] * self.config.writes_memory + ["forget"] * (
            self.config.memory.kind == "window"
        )
        return names

    def number(self, fmt, size=None):
        if self.rng.random() < 0.1:
            return self.rng.choice([fmt.min, fmt.max, 0, -1 if fmt.min else 0], size)
        return self.rng.integers(fmt.min, fmt.max + 1, size)

    def step(self, kind, layer, tail, **values):
        """Add a step; operands that are not given are random. Returns its operands."""
        cfg, rng, lanes = self.config, self.rng, self.config.lanes
        units = [*cfg.hidden, cfg.hidden[-1]][layer]
        used = (units % lanes or lanes) if tail else lanes
        operands = {
            "weights": self.number(cfg.weight, lanes),
            "memory": rng.integers(0, 1 << self.width, lanes),
            "read": self.number(cfg.read, lanes),
            "z": self.number(cfg.z, lanes),
            "active": rng.integers(0, 2, lanes),
            "a": np.maximum(self.number(cfg.u, lanes), 0),
            "d": self.number(cfg.d, lanes),
            "random": int(rng.integers(1, 1 << 32)),
            "scalar": 0,
            "mean": 0,
        }  # fmt: skip
        for name in INPUTS:
            if name != "read":
                operands[name][used:] = 0  # empty lanes hold zeros, but codes are read there
        late = {name: values.pop(name) for name in LATE if name in values}
        early = {name: values.pop(name) for name in EARLY if name in values}
        if early:
            self.idle(not self.words)  # a word for stage 3 of the very first step
            self.late.setdefault(len(self.words) - 1, {}).update(early)
        fields = {"valid": 1, "kind": kind.value, "layer": layer, "tail": tail}
        for name in ("sum_first", "sum_last", "end", "jacobian", "write", "lane", "block"):
            if name in values:
                fields[name] = values.pop(name)
        operands |= values
        self.late.setdefault(len(self.words) + 5, {}).update(late)
        self.words.append({"step": fields, **operands})
        self.clock = FIRST + len(self.words) - 1 - STAGE - self.at.source  # of its issue
        return operands, used

    def idle(self, count):
        for _ in range(count):
            self.words.append({"step": {"valid": 0, "kind": int(self.rng.integers(16))}})

    def put(self, event, values, clock=None):
        self.logs[event].append((self.clock + self.at.write if clock is None else clock, values))

    # -- one pass of each kind --------------------------------------------------------------

    def forward(self, layer, tail):
        cfg, count = self.config, int(self.rng.integers(1, self.config.sizes[layer] + 2))
        top, total = source_max(cfg, layer), 0
        for n in range(count):
            scalar = int(self.rng.integers(0 if layer == 0 else -top, top + 1))
            operands, _ = self.step(
                Kind.FORWARD, layer, tail, scalar=scalar << forward_prescales(cfg)[layer],
                sum_first=n == 0, sum_last=n == count - 1,
            )  # fmt: skip
            total = total + scalar * operands["weights"]
        drop = cfg.source(layer).fraction + cfg.weight.fraction - cfg.u.fraction
        self.put("vectors", [max(clip(nearest(int(t), drop), cfg.u), 0) for t in total])

    def direction(self, layer, tail):
        cfg, total = self.config, 0
        count = int(self.rng.integers(1, cfg.classes + 1))
        one = 1 << cfg.e.fraction
        power = int(self.rng.integers(self.low, self.high + 2))
        for n in range(count):
            error = int(self.rng.integers(-one, one + 1))
            operands, _ = self.step(
                Kind.DIRECTION, layer, tail, scalar=-error, sum_first=n == 0, sum_last=0,
                power=power - self.low,
            )  # fmt: skip
            total = total + error * operands["read"]
        second = -int(self.number(cfg.k)) << (cfg.read.fraction - cfg.z.fraction)
        operands, used = self.step(
            Kind.DIRECTION, layer, tail, scalar=-second, sum_last=1, jacobian=1,
            power=power - self.low,
        )  # fmt: skip
        total = total + second * operands["z"]
        shift = direction_shift(cfg, power)
        d = [clip(nearest(int(t), shift), cfg.d) for t in total]
        on = operands["active"].astype(bool) & (np.arange(cfg.lanes) < used)
        self.put("vectors", np.where(on, d, 0))

    def normalise(self, layer, tail):
        cfg = self.config
        mantissa = int(self.rng.integers(1, 1 << MANTISSA_BITS))
        exponent = int(self.rng.integers(self.low, self.high + 1))
        mean = int(self.rng.integers(0, cfg.u.max + 1))
        operands, used = self.step(
            Kind.NORMALISE, layer, tail, scalar=mantissa, mean=mean, exponent=exponent - self.low
        )
        shift = MANTISSA_BITS + exponent + cfg.u.fraction - cfg.z.fraction
        z = [clip(nearest((int(a) - mean) * mantissa, shift), cfg.z) for a in operands["a"]]
        self.put("vectors", np.where(np.arange(cfg.lanes) < used, z, 0))
        self.put("active", operands["a"] != 0)

    def _dot(self, kind, layer, left, right, scalar=0):
        """A total over the lanes and some blocks."""
        apart = (
            self.at.write + MAGNITUDES - self.at.product + 1
        )  # the tree is theirs in another clock
        self.idle(max(0, self.last_memory + apart - len(self.words)))
        units = [*self.config.hidden, self.config.hidden[-1]][layer]
        blocks, total = -(-units // self.config.lanes), 0
        for n in range(blocks):
            operands, _ = self.step(
                kind,
                layer,
                n == blocks - 1,
                scalar=scalar,
                sum_first=n == 0,
                sum_last=n == blocks - 1,
            )
            total += int((operands[left] * (operands[right] if right else 1)).sum())
        self.put("totals", total, self.clock + total_latency(self.config))

    def sum(self, layer, tail):
        self._dot(Kind.SUM, layer, "a", None, scalar=1)

    def squares(self, layer, tail):
        self._dot(Kind.SQUARES, layer, "a", "a")

    def similarity(self, layer, tail):
        self._dot(Kind.SIMILARITY, layer, "z", "read")

    def scores(self, layer, tail):
        self._dot(Kind.SCORES, len(self.config.hidden), "z", "weights")

    def _random(self, word, lane):
        rotated = (word << lane % 32 | word >> (32 - lane % 32)) & 0xFFFFFFFF
        return rotated & ((1 << self.config.update_shift) - 1)

    def _weights(self, kind, layer, tail, post):
        cfg, shift = self.config, self.config.update_shift
        bound = self.bound
        for _ in range(int(self.rng.integers(1, 6))):
            scalar = int(self.rng.integers(-bound, bound) * 2.0 ** self.rng.uniform(-shift, 0))
            operands, _ = self.step(kind, layer, tail, scalar=scalar)
            new, moved = [], []
            for lane, (old, factor) in enumerate(
                zip(operands["weights"].tolist(), operands[post].tolist(), strict=True)
            ):
                added = {
                    Rounding.FLOOR: 0,
                    Rounding.NEAREST: 1 << shift - 1,
                    Rounding.STOCHASTIC: self._random(operands["random"], lane),
                }[cfg.update.rounding]
                moved.append(old + (added - scalar * factor >> shift))
                new.append(clip(moved[-1], cfg.weight))
            self.put("weights", new)
            if new != moved:
                self.put("saturated", 1, self.clock + self.at.write + 1)

    def update(self, layer, tail):
        self._weights(Kind.UPDATE, layer, tail, "d")

    def readout(self, layer, tail):
        self._weights(Kind.READOUT, len(self.config.hidden), tail, "z")

    def memory(self, layer, tail, kind=Kind.MEMORY):
        cfg, shift, bits = self.config, self.config.update_shift, self.config.stored.width
        rule = cfg.memory
        blocks, total = -(-cfg.hidden[layer] // cfg.lanes), 0
        for n in range(blocks):
            last = n == blocks - 1
            scalar = int(self.rng.integers(-self.bound, self.bound))
            operands, _ = self.step(
                kind, layer, last, scalar=scalar, sum_first=n == 0, sum_last=last
            )
            new = []
            for lane, (word, z) in enumerate(
                zip(operands["memory"].tolist(), operands["z"].tolist(), strict=True)
            ):
                stored = two(word, bits)
                change = -scalar * z
                if rule.leaks:
                    change -= stored << shift - cfg.memory.horizon
                if rule.stochastic:
                    change += self._random(operands["random"], lane)
                low, high = -(1 << bits - 1), (1 << bits - 1) - 1
                stored = min(max(stored + (change >> shift), low), high)
                total += abs(stored)
                new.append((stored & (1 << bits) - 1) | (word >> bits << bits))
            self.put("memory", new)
        if rule.self_scaling:
            self.put("totals", total, self.clock + magnitudes_latency(cfg))
        self.last_memory = len(self.words)

    def forget(self, layer, tail):
        self.memory(layer, tail, Kind.FORGET)

    def start_weights(self, layer, tail):
        cfg, shift = self.config, self.config.update_shift
        group = int(self.rng.integers(-(-cfg.lanes // GROUP)))
        scalar = -init_scale(cfg, layer)
        operands, used = self.step(Kind.START_WEIGHTS, layer, tail, scalar=scalar, lane=group)
        new = operands["weights"].tolist() if group else [0] * cfg.lanes
        for lane in range(group * GROUP, min((group + 1) * GROUP, cfg.lanes)):
            octet = two(operands["random"] >> 8 * (lane % GROUP), 8) if lane < used else 0
            new[lane] = clip((-scalar * octet + (1 << shift - 1)) >> shift, cfg.weight)
        self.put("weights", new)

    def start_memory(self, layer, tail):
        cfg = self.config
        group = int(self.rng.integers(-(-cfg.lanes // GROUP)))
        operands, used = self.step(Kind.START_MEMORY, layer, tail, lane=group)
        new = operands["memory"].tolist() if group else [0] * cfg.lanes
        for lane in range(group * GROUP, min((group + 1) * GROUP, cfg.lanes)):
            code = operands["random"] >> 8 * (lane % GROUP) & 1 if lane < used else 0
            new[lane] = code << self.width - 1 if cfg.memory.kappa else 0
        self.put("memory", new)

    def _host(self, kind, layer, event, operand):
        lane, write = int(self.rng.integers(self.config.lanes)), int(self.rng.integers(2))
        data = int(self.rng.integers(-1 << 31, 1 << 31))
        operands, _ = self.step(kind, layer, 0, lane=lane, write=write, host_data=data)
        new = operands[operand].tolist()
        new[lane] = data if write else new[lane]
        self.put(event, new)

    def host_weight(self, layer, tail):
        self._host(Kind.HOST_WEIGHT, 0, "weights", "weights")

    def host_memory(self, layer, tail):
        self._host(Kind.HOST_MEMORY, 0, "memory", "memory")


LATE = ("host_data",)  # inputs of stage 9
EARLY = ("exponent", "power")  # inputs of stage 3
EVENTS = {
    "weights": Event(
        ("weights_out",), lambda b, _: b.out.valid & is_any(b.out.kind, KINDS.updates)
    ),
    "memory": Event(
        ("memory_out",), lambda b, _: b.out.valid & is_any(b.out.kind, KINDS.memory_updates)
    ),
    "vectors": Event(
        ("vector_out",),
        lambda b, _: (
            b.out.valid
            & (
                (b.out.sum_last & is_any(b.out.kind, (Kind.FORWARD, Kind.DIRECTION)))
                | (b.out.kind == Kind.NORMALISE)
            )
        ),
    ),
    "active": Event(("active_out",), lambda b, _: b.out.valid & (b.out.kind == Kind.NORMALISE)),
    "saturated": Event(("saturated",), lambda b, _: b.saturated),
    "totals": Event(("total",), lambda b, _: b.total_step.valid & b.total_step.sum_last),
}


def columns(player, probe):
    """Steps and operands as columns for the stream."""
    player.idle(max(max(player.late) + 1 - len(player.words), 1 + player.at.lag))
    for at, late in player.late.items():
        player.words[at] |= late
    lanes = player.config.lanes
    result = {"step": {}}
    for name in {key for word in player.words for key in word["step"]}:
        result["step"][name] = [word["step"].get(name, 0) for word in player.words]
    for name in set(probe.inputs) - {"step"}:
        empty = np.zeros(lanes, int) if name in INPUTS else 0
        result[name] = np.array([word.get(name, empty) for word in player.words])
        if name == "random":  # stage 5
            result[name] = np.roll(result[name], 1, axis=0)
        if name in INPUTS:
            result[name] = np.roll(result[name], 1 + player.at.lag, axis=0)
    return result


@pytest.fixture(scope="module")
def probes():
    return {
        name: Probe(Dense(c, Step(c, blocks=9, words=50)), EVENTS) for name, c in CONFIGS.items()
    }


@pytest.fixture(scope="module")
def model(probes):
    return build(Probes(probes), quick=True)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_of_step(probes, model, name):
    config, probe = CONFIGS[name], probes[name]
    rng = np.random.default_rng(1)
    player = Player(config, rng)
    met = set()
    for _ in range(PASSES):
        kind = str(rng.choice(player.kinds()))
        met.add(kind)
        layer = int(rng.integers(len(config.hidden)))
        getattr(player, kind)(layer, int(rng.integers(2)))
        player.idle(int(rng.choice([0, 0, 0, 1, 4])))
    assert met == set(player.kinds())
    expected = {}
    for event, rows in player.logs.items():
        rows = sorted(rows, key=lambda row: row[0])
        if rows:
            clocks, values = zip(*rows, strict=True)
            channel = model.bench.channels[f"{name}.{event}"]
            output = EVENTS[event].outputs[0]
            met.add(event)
            expected[channel.name] = event_log(probe, channel, clocks, **{output: values})
    stimulus = {f"{name}.drive": drive(probe, columns(player, probe))}
    assert "saturated" in met
    result = run(model, stimulus, expected)
    assert result.mismatch is None, result.mismatch
    assert result.compared == sum(len(log) for log in expected.values()) > 300
