"""Inference as a graph of integer operators that ONNX has, without a package of ONNX.

All numbers are int64; weights are kept in fewer bits, and cast. Time steps of leaky neurons
are unrolled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .network import Hidden, Inference

INPUT, SCORES, CLASS = "x", "scores", "class"
OPSET = 17
SMALL = 256  # numbers of a constant that is kept as int64


@dataclass(frozen=True)
class Node:
    """An operator of ONNX.

    Members
    -------
    op : str
    inputs : tuple of str
        Names of values.
    output : str
    attributes : dict
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict


@dataclass
class Graph:
    """Nodes in the order in which they can be carried out, and constants by name.

    From `INPUT`, u8 (n, inputs), to `SCORES`, int64 (n, classes), and `CLASS`, int64 (n,).
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[tuple, str] = field(default_factory=dict)

    def add(self, op: str, *inputs, output: str | None = None, **attributes) -> str:
        """Append a node; inputs are names, or numbers and arrays: constants in int64."""
        names = tuple(i if isinstance(i, str) else self.constant(i) for i in inputs)
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(Node(op, names, output, attributes))
        return output

    def constant(self, value) -> str:
        """The name of a number or an array as int64; what is kept smaller than that is cast."""
        array = np.asarray(value)
        key = (array.shape, array.astype(np.int64).tobytes())
        if key not in self.names:
            small = (
                np.min_scalar_type(-int(np.abs(array).max()) - 1) if array.size > SMALL else "i8"
            )
            name = f"c{len(self.constants)}"
            self.constants[name] = array.astype(small)
            self.names[key] = self.add("Cast", name, to="INT64") if array.size > SMALL else name
        return self.names[key]


def graph(network: Inference) -> Graph:
    """Return the graph of a network."""
    cfg, made = network.config, Graph()
    x = made.add("Cast", INPUT, to="INT64")
    if cfg.x_zero:
        x = made.add("Sub", x, cfg.x_zero)
    potentials: list[str | None] = [None] * len(network.hidden)
    first = _sums(made, network, 0, x)  # the same in every time step
    for _ in range(network.time_steps):
        z = x
        for n, layer in enumerate(network.hidden):
            u = _sums(made, network, n, z) if n else first
            if network.leaky:
                potentials[n] = _leak(made, network, potentials[n], u)
                u = _cut(made, _round(made, potentials[n], network.leak), cfg.u)
            z = _normalise(made, network, layer, _activate(made, network, u))
    sums = made.add("MatMul", z, network.weights[-1].T)
    scores = _round(made, sums, network.readout_shift)
    _cut(made, scores, cfg.u, output=SCORES)
    # onnxruntime has no ArgMax of int64
    made.add("ArgMax", made.add("Cast", SCORES, to="INT32"), output=CLASS, axis=1, keepdims=0)
    return made


def _round(made: Graph, value: str, shift: int) -> str:
    """``value / 2**shift`` to the nearest, half up."""
    if shift <= 0:
        return made.add("Mul", value, 1 << -shift) if shift else value
    return _floor(made, made.add("Add", value, 1 << shift - 1), 1 << shift)


def _floor(made: Graph, value: str, divisor) -> str:
    """``value / divisor`` rounded down: Div rounds towards 0, Mod has the sign of the divisor."""
    return made.add("Div", made.add("Sub", value, made.add("Mod", value, divisor)), divisor)


def _cut(made: Graph, value: str, fmt, output: str | None = None) -> str:
    return made.add("Clip", value, fmt.min, fmt.max, output=output)


def _sums(made: Graph, network: Inference, n: int, x: str) -> str:
    """``u``: the bias is the last row of the weights."""
    layer, weights = network.hidden[n], network.weights[n]
    sums = made.add("Add", made.add("MatMul", x, weights[:-1]), weights[-1] * layer.one)
    return _cut(made, _round(made, sums, layer.shift), network.config.u)


def _leak(made: Graph, network: Inference, potential: str | None, u: str) -> str:
    """The potential after a step; None is at rest."""
    moved = made.add("Mul", u, network.gain)
    if potential:
        lost = _round(made, made.add("Mul", potential, network.gain), network.leak)
        moved = made.add("Add", made.add("Sub", potential, lost), moved)
    return _cut(made, moved, network.config.potential)


def _activate(made: Graph, network: Inference, u: str) -> str:
    above, slope = made.add("Max", u, 0), network.config.neuron.slope_shift
    if not slope:
        return above
    return made.add("Add", above, _round(made, made.add("Min", u, 0), slope))


def _normalise(made: Graph, network: Inference, layer: Hidden, a: str) -> str:
    """``z``; what depends on the variance is looked up by its number of bits."""
    cfg = network.config
    squares = made.add("Mul", a, a)
    mean, square = (_mean(made, layer, value) for value in (a, squares))
    var = made.add("Sub", square, made.add("Mul", mean, mean))
    var = made.add("Max", var, network.least)
    # h: how many powers of 4 beyond 1 are not above var, which has no more bits than a square of u
    halves = np.arange(cfg.u.width)
    reached = made.add("GreaterOrEqual", var, 4 ** halves[1:])
    h = made.add("ReduceSum", made.add("Cast", reached, to="INT64"), [1], keepdims=1)
    scaled = made.add("Mul", var, network.table.size)
    index = _floor(made, scaled, made.add("Gather", 4 ** (halves + 1), h, axis=0))
    mantissa = made.add("Gather", network.table, index, axis=0)
    product = made.add("Mul", made.add("Sub", a, mean), mantissa)
    shifts = halves + network.scale_shift
    left, right = np.maximum(-shifts, 0), np.maximum(shifts, 0)
    up, half, down = (
        made.add("Gather", table, h, axis=0) for table in (1 << left, 1 << right >> 1, 1 << right)
    )
    nearest = made.add("Add", made.add("Mul", product, up), half)
    return _cut(made, _floor(made, nearest, down), cfg.z)


def _mean(made: Graph, layer: Hidden, values: str) -> str:
    total = made.add("ReduceSum", values, [1], keepdims=1)
    return _round(made, made.add("Mul", total, layer.factor), layer.factor_shift)
