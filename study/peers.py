"""Others' tools on the same task, in the same process: what the ratios of `hebbware bench` compare.

All on one thread, in seconds of its processor. What is compared computes the same: fixed-point
results are checked to be equal, learners have the same layers and take one sample a step.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from hebbware.golden.arithmetic.fixed import Format, saturate
from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import Notice
from hebbware.golden.learn import train

EXTRA = "pip install 'hebbware[peers]'"
ELEMENTS = 50_000
LONG = 0.3  # seconds for which a peer is measured at least


def learning(config: CoreConfig, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return samples per second of one core that golden learns, and others one sample a step.

    Parameters
    ----------
    config : CoreConfig
        Whose layers the networks have.
    x : array (samples, inputs)
        Bytes.
    y : array (samples,)
    """
    from threadpoolctl import threadpool_limits

    rows = x / 256
    with threadpool_limits(1):
        core = train.engine_class("compiled")(config)
        raw = train.inputs(config, x)
        found = {"golden": _rate(lambda n: core.learn_many(raw, y), 1, 2) * len(raw)}
        found |= {"scikit-learn MLPClassifier": _rate(_sklearn(config, rows, y), len(rows))}
        if find_spec("jax"):
            found["JAX, compiled step"] = _rate(_jax(config, rows, y), len(rows))
        else:
            _tell("JAX")
    return found


def _tell(what: str) -> None:
    warnings.warn(f"{what} is not installed, it is left out: {EXTRA}", Notice, stacklevel=3)


def _rate(step: Callable[[int], None], most: int, least: int = 20) -> float:
    """Steps per second of ``step(number below most)``; the first, which compiles, is left out."""
    step(0)
    start, done = time.process_time(), 0
    while (took := time.process_time() - start) < LONG or done < least:
        step(done % most)
        done += 1
    return done / took


def _sklearn(config: CoreConfig, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(config.hidden, solver="sgd", momentum=0.0, batch_size=1)
    classes = np.arange(config.classes)
    return lambda n: network.partial_fit(x[n : n + 1], y[n : n + 1], classes=classes)


def _jax(config: CoreConfig, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    sizes = config.sizes
    weights = [
        (jnp.asarray(rng.normal(0, 0.1, shape), jnp.float32), jnp.zeros(shape[1]))
        for shape in zip(sizes, sizes[1:], strict=False)
    ]

    def loss(weights, row, label):
        for weight, bias in weights[:-1]:
            row = jax.nn.relu(row @ weight + bias)
            row = (row - row.mean()) / jnp.sqrt(row.var() + 1e-6)
        weight, bias = weights[-1]
        return -jax.nn.log_softmax(row @ weight + bias)[label]

    @jax.jit
    def update(weights, row, label):
        slopes = jax.grad(loss)(weights, row, label)
        return jax.tree.map(lambda w, g: w - 0.01 * g, weights, slopes)

    state, rows = {"weights": weights}, x.astype(np.float32)

    def step(n: int) -> None:
        state["weights"] = jax.block_until_ready(update(state["weights"], rows[n], int(y[n])))

    return step


def arithmetic() -> dict[str, float]:
    """Return elements per second of one product, rounded down and saturated, by the library.

    ``saturate(a * b >> 4)`` of 12-bit and 8-bit numbers to 12 bits, in golden on NumPy's integers.

    Raises
    ------
    ValueError
        Another library's result is not golden's.
    """
    rng = np.random.default_rng(0)
    a, b = rng.integers(-2048, 2048, ELEMENTS), rng.integers(-128, 128, ELEMENTS)
    wanted = saturate(a * b >> 4, Format(12, 8))

    makers = {"golden": lambda: lambda: saturate(a * b >> 4, Format(12, 8))}
    for name, maker in (("apytypes", _apytypes), ("fxpmath", _fxpmath)):
        if find_spec(name):
            makers[name] = lambda maker=maker: maker(a, b)
        else:
            _tell(name)
    rates = {}
    for name, made in makers.items():
        product = made()
        if not np.array_equal(np.asarray(product()), wanted):
            raise ValueError(f"{name} rounds and saturates to other numbers than golden")
        start, done = time.process_time(), 0
        while (took := time.process_time() - start) < LONG or done < 3:
            product()
            done += 1
        rates[name] = done * ELEMENTS / took
    return rates


def _apytypes(a: np.ndarray, b: np.ndarray) -> Callable[[], np.ndarray]:
    import apytypes

    x = apytypes.APyFixedArray(a.tolist(), int_bits=4, frac_bits=8)
    y = apytypes.APyFixedArray(b.tolist(), int_bits=4, frac_bits=4)
    how = {
        "quantization": apytypes.QuantizationMode.TRN,
        "overflow": apytypes.OverflowMode.SAT,
    }

    class Product:
        """The product; its raw numbers when it is compared."""

        def __init__(self):
            self.value = (x * y).cast(int_bits=4, frac_bits=8, **how)

        def __array__(self, dtype=None, copy=None):
            return np.rint(self.value.to_numpy() * 256).astype(np.int64)

    return Product


def _fxpmath(a: np.ndarray, b: np.ndarray) -> Callable[[], np.ndarray]:
    from fxpmath import Fxp

    x = Fxp(a, signed=True, n_word=12, n_frac=8, raw=True)
    y = Fxp(b, signed=True, n_word=8, n_frac=4, raw=True)
    into = Fxp(None, signed=True, n_word=12, n_frac=8, overflow="saturate", rounding="floor")

    class Product:
        """The product; its raw numbers when it is compared."""

        def __init__(self):
            self.value = into.equal(x * y)

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.value.val).reshape(-1).astype(np.int64)

    return Product
