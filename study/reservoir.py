"""What a reservoir can do: linear memory, NARMA-10, Mackey-Glass; against bits, topology and size.

All measures are of the integer reservoir (or of its float cell, for comparison), with a linear
decoder of all units and a constant, fitted by least squares on the first two thirds of the steps
and judged on the last third. For the errors a small penalty is chosen within the first two thirds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from hebbware.golden.arithmetic.fixed import Rounding
from hebbware.golden.reference.reservoir import cell, hard_tanh
from hebbware.golden.reservoir.cell import Reservoir, ReservoirConfig
from hebbware.golden.reservoir.connections import connections
from hebbware.golden.reservoir.training import ridge

INPUT = 0.8  # inputs are uniform in -0.8 .. 0.8
PENALTIES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4)
"""Of the fits, relative to the states' power; the first only keeps them solvable."""
NARMA_ORDER = 10
AHEAD = 17  # steps that Mackey-Glass is predicted ahead
MEASURES = ("capacity", "narma10", "mackey_glass")
BITS = (0, 16, 12, 10, 8, 6, 4)
"""State widths of a sweep; 0 is floating point."""
SIZES = (16, 32, 64, 128, 256, 512)


def steps_for(units: int) -> int:
    """Steps of a measure, the first ones not judged."""
    return max(6000, 48 * units)


def states(config: ReservoirConfig, u: np.ndarray, *, floating: bool = False) -> np.ndarray:
    """Real states (steps, R) on the inputs `u` (steps,), real; all inputs get the same."""
    found = np.empty((len(u), config.units))
    if not floating:
        reservoir = Reservoir(config)
        raw = np.rint(u * config.input.one).astype(np.int64)
        for t, value in enumerate(np.clip(raw, config.input.min, config.input.max)):
            found[t] = reservoir.step(np.full(config.inputs, value))
        return found / config.state.one
    made = connections(config)
    recurrent = np.zeros((config.units, config.units))
    for unit, (sources, signs) in enumerate(zip(made.sources, made.signs, strict=True)):
        np.add.at(recurrent[:, unit], sources, signs * config.rho / sqrt(config.taps))
    inputs = made.inputs.sum(axis=0, keepdims=True) * 2.0**config.gain
    activation = np.tanh if config.activation == "tanh" else hard_tanh
    r = np.zeros(config.units)
    for t in range(len(u)):
        r = cell(r, u[t : t + 1], recurrent, inputs, rate=2.0**-config.leak, activation=activation)
        found[t] = r
    return found


def _held_out(
    found: np.ndarray, targets: np.ndarray, penalties: tuple[float, ...] = PENALTIES[:1]
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets of the last third, fitted on the rest.

    Of several penalties the one that serves best on the last quarter of that rest, fitted on the
    three before.
    """
    with_one = np.column_stack([found, np.ones(len(found))])
    border = 2 * len(found) // 3
    check = slice(3 * border // 4, border)
    errors = [0.0] * len(penalties)
    if len(penalties) > 1:
        for n, penalty in enumerate(penalties):
            weights = ridge(with_one[: check.start], targets[: check.start], penalty)
            errors[n] = float(((with_one[check] @ weights.T - targets[check]) ** 2).sum())
    weights = ridge(with_one[:border], targets[:border], penalties[int(np.argmin(errors))])
    return with_one[border:] @ weights.T, targets[border:]


def squared_correlations(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of each column."""
    a, b = outputs - outputs.mean(axis=0), targets - targets.mean(axis=0)
    power = (a * a).sum(axis=0) * (b * b).sum(axis=0)
    return (a * b).sum(axis=0) ** 2 / np.where(power > 0, power, 1)


def capacity(found: np.ndarray, u: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    """Linear memory capacity: the sum over delays 0 .. 2R of the squared correlation.

    Correlations at most as large as the largest one to a target shuffled in time count as 0.

    Parameters
    ----------
    found : array (steps, R)
    u : array (steps,)

    Returns
    -------
    dict
        ``capacity``, ``threshold``, and ``delays``: the squared correlation at each delay.
    """
    most = 2 * found.shape[1]
    now = np.arange(most, len(u))
    targets = np.stack([u[now - delay] for delay in range(most + 1)], axis=1)
    each = squared_correlations(*_held_out(found[now], targets))
    shuffled = rng.permuted(targets, axis=0)
    threshold = float(squared_correlations(*_held_out(found[now], shuffled)).max())
    each = np.where(each > threshold, each, 0.0)
    return {"capacity": float(each.sum()), "threshold": threshold, "delays": each}


def nrmse(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Root of the mean squared error over the targets' standard deviation."""
    return float(np.sqrt(((outputs - targets) ** 2).mean()) / targets.std())


def narma(u: np.ndarray, order: int = NARMA_ORDER) -> np.ndarray:
    """``y' = 0.3 y + 0.05 y sum_{i < order} y_{-i} + 1.5 u_{-order+1} u + 0.1``, u in 0 .. 0.5.

    Entry t is what the input u_t leads to. A. Atiya and A. Parlos, 2000.
    """
    y, given = [0.0] * (len(u) + 1), u.tolist()
    for t in range(order - 1, len(u)):
        past = sum(y[t - order + 1 : t + 1])
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * past + 1.5 * given[t - order + 1] * given[t] + 0.1
    return np.array(y[1:])


def mackey_glass(steps: int, start: float) -> np.ndarray:
    """``dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)**10) - 0.1 x``, one value per unit of time.

    x is `start` up to time 0. Tenths of a unit, each solved exactly for the mean of the delayed
    value at both its ends.
    """
    fine, delay = 10, 170
    x = np.full(delay + 1 + steps * fine, float(start))
    fade = np.exp(-0.1 / fine)
    for t in range(delay, delay + steps * fine):
        late = (x[t - delay] + x[t - delay + 1]) / 2
        goal = 2 * late / (1 + late**10)
        x[t + 1] = goal + (x[t] - goal) * fade
    return x[delay + fine :: fine]


def measure(config: ReservoirConfig, seed: int, *, floating: bool = False) -> dict[str, float]:
    """All of `MEASURES` of one reservoir.

    ``capacity`` with its ``threshold``; ``narma10`` and ``mackey_glass`` (17 steps ahead) as NRMSE,
    the root mean squared error over the target's standard deviation.
    """
    rng = np.random.default_rng(seed)
    steps, skip = steps_for(config.units), max(200, 2 * config.units)
    u = rng.uniform(-INPUT, INPUT, steps)
    memory = capacity(states(config, u, floating=floating), u, rng)

    u = rng.uniform(0, 0.5, steps)
    targets = narma(u)
    while not np.abs(targets).max() <= 1:  # now and then it leaves its basin, for ever
        u = rng.uniform(0, 0.5, steps)
        targets = narma(u)
    found = states(config, (4 * u - 1) * INPUT, floating=floating)
    narma_error = nrmse(*_held_out(found[skip:], targets[skip:, None], PENALTIES))

    series = mackey_glass(steps + AHEAD, rng.uniform(1.1, 1.3))
    # it runs from about 0.4 to 1.4
    found = states(config, (series[:steps] - 0.9) * 2 * INPUT, floating=floating)
    targets = series[AHEAD:]
    glass_error = nrmse(*_held_out(found[skip:], targets[skip:, None], PENALTIES))
    return {
        "capacity": memory["capacity"],
        "threshold": memory["threshold"],
        "narma10": narma_error,
        "mackey_glass": glass_error,
    }


@dataclass(frozen=True)
class Point:
    """A reservoir of a sweep.

    Attributes
    ----------
    config : ReservoirConfig
    floating : bool
        The float cell instead of integers.
    panels : tuple of str
        Which curves it belongs to: ``bits``, ``units``.
    """

    config: ReservoirConfig
    floating: bool
    panels: tuple[str, ...]

    @property
    def bits(self) -> int:
        """State bits; 0 is floating point."""
        return 0 if self.floating else self.config.state_bits


def sweep(base: ReservoirConfig, *, full: bool) -> list[Point]:
    """The reservoirs to measure.

    Both topologies: all `BITS` at the base's size; sizes at the base's bits (short: 32 to 128,
    full: 16 to 512). In full also the other rounding, against bits.
    """
    roundings = [base.rounding]
    if full:
        other = (Rounding.NEAREST, Rounding.STOCHASTIC)
        roundings += [rounding for rounding in other if rounding is not base.rounding]
    points: dict[tuple, Point] = {}

    def add(panel, floating, **changes):
        config = replace(base, **changes)
        key = (config, floating)
        panels = points[key].panels if key in points else ()
        points[key] = Point(config, floating, (*panels, panel))

    for topology in ("cycle", "sparse"):
        for rounding in roundings:
            for bits in BITS:
                if bits:
                    add("bits", False, topology=topology, rounding=rounding, state_bits=bits)
                elif rounding is base.rounding:
                    add("bits", True, topology=topology)
        for units in SIZES if full else SIZES[1:4]:
            add("units", False, topology=topology, units=units)
    return list(points.values())


def measured(points: list[Point], seeds: int, seed: int) -> Iterator[dict[str, object]]:
    """Rows of a sweep: the point's fields, and mean and deviation of each measure over seeds.

    ``state_memory_bits`` are those of the two banks of states, None in floating point.
    """
    for point in points:
        config = point.config
        runs = [
            measure(replace(config, seed=seed + n), seed + n, floating=point.floating)
            for n in range(seeds)
        ]
        row: dict[str, object] = {
            "topology": config.topology,
            "units": config.units,
            "state_bits": point.bits,
            "rounding": "none" if point.floating else str(config.rounding),
            "state_memory_bits": 2 * config.units * point.bits or None,
            "panels": list(point.panels),
            "threshold": float(np.mean([found["threshold"] for found in runs])),
        }
        for name in MEASURES:
            values = [found[name] for found in runs]
            row[name] = float(np.mean(values))
            row[f"{name}_std"] = float(np.std(values))
        yield row
