"""Hashes of all that a change of structure must leave as it is: python tests/hashes.py [NAME...].

The RTLIL of every board and of traced cores, golden's results, and the predicted clock, address and
value of every record. Source lines are not part of the RTLIL, names of signals are. The fingerprint
of the configuration, which a board holds, is taken as 0: it follows the names of fields.
"""

import hashlib
import sys
from unittest.mock import PropertyMock, patch

import numpy as np
from amaranth.back import rtlil

from hebbware.boards.board import BOARDS
from hebbware.boards.top import Top, clock_setting
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core as GoldenCore
from hebbware.golden.timing.schedule import predict
from hebbware.golden.twin.core import Twin
from hebbware.hdl.core import Core

CORES = {
    "plain": CoreConfig.of((7, 5, 4, 3), lanes=4),
    "wide": CoreConfig.of((13, 12, 11, 10), lanes=9, memory__horizon=5),
    "clusters": CoreConfig.of((20, 19, 18, 3), lanes=17, memory__kind="window", memory__window=8),
    "hsic": CoreConfig.of((9, 8, 7, 3), lanes=4, modulator__kind="hsic", memory__window=4),
    "reservoir": CoreConfig.of(
        (9, 8, 7, 3),
        lanes=4,
        memory__kind="reservoir",
        memory__projection=4,
        reservoir__units=16,
        reservoir__lanes=4,
        reservoir__decoder="zero",
    ),
    "leaky": CoreConfig.of(
        (6, 7, 3),
        lanes=3,
        neuron__kind="leaky",
        neuron__time_steps=3,
        weight_ports=1,
        memory__kind="trace",
        memory__kappa=0.5,
        neuron__slope_shift=2,
        input__centred=True,
    ),
    "codes": CoreConfig.of((6, 7, 3), lanes=3, memory__kind="codes"),
    "frozen": CoreConfig.of((6, 7, 3), lanes=3, memory__kind="none"),
}


def digest(*parts) -> str:
    """Of texts, arrays and what holds them."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype.kind} {part.shape}".encode())
            part = part.astype(np.int64).tobytes() if part.dtype.kind in "iub" else part.tobytes()
        found.update(part.encode() if isinstance(part, str) else bytes(part))
    return found.hexdigest()[:16]


def samples(config, count):
    rng = np.random.default_rng(1)
    x = rng.integers(0, config.x.max + 1, (count, config.inputs))
    x[rng.random(x.shape) < 0.4] = config.x_zero
    return x, rng.integers(0, config.classes, count)


def golden(config):
    core = GoldenCore(config)
    x, labels = samples(config, 40)
    learned = core.learn_many(x, labels)
    inferred = core.infer_many(x)
    state = (*core.weights, *core.memories, np.array([core.random_state, core.saturated]))
    return digest(*learned, *inferred, *state)


def twin(config):
    core = Twin(config)
    x, labels = samples(config, 40)
    return digest(*core.learn_many(x, labels), *core.infer_many(x), *core.weights)


def schedule(config):
    x, labels = samples(config, 12)
    labels = [None if n % 4 == 3 else int(label) for n, label in enumerate(labels)]
    stalls = {"samples": 30, "results": 200, "commands": 30, "responses": 60}
    found = predict(config, x, labels, seed=1, stalls=stalls)
    parts = [found.classes, found.sample_clocks, np.array([found.clocks])]
    for name, channel in sorted(found.channels.items()):
        parts += [name, *channel.arrays()]
    return digest(*parts)


def core(config):
    return digest(rtlil.convert(Core(config, trace=True), name="core", emit_src=False))


def board(board):
    with patch.object(CoreConfig, "fingerprint", PropertyMock(return_value="0" * 16)):
        setting = clock_setting(board, board.clock_hz)
        top = Top(board, load(board.preset), setting)
        plan = board.platform().prepare(top, name="top", emit_src=False)
    return digest(plan.files["top.il"])


def main(names):
    jobs = {f"board {name}": (board, BOARDS[name]) for name in BOARDS}
    for work in (core, golden, twin, schedule):
        jobs |= {f"{work.__name__} {name}": (work, CORES[name]) for name in CORES}
    for name, (work, argument) in jobs.items():
        if not names or any(part in name for part in names):
            print(f"{name}: {work(argument)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
