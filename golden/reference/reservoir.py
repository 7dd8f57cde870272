"""Reservoirs in floating point: the cell that the hardware has, and the paper's whole reservoir.

`cell` is what `hebbware.golden.reservoir.cell` does in integers. `Reservoir` has leaky tanh units
whose decoder is trained online by the delta rule. Source of the latter: Daruwalla and Lipasti 2024,
the auxiliary network with working memory (2000 units, tau 5 ms, dt 1 ms, gain 1.2 there); D.
Sussillo and L. F. Abbott, "Generating coherent patterns of activity from chaotic neural networks",
2009, for the architecture with feedback of the output.
"""

from typing import NamedTuple

import numpy as np

from ..errors import InputError
from . import checks


def cell(r, inputs, recurrent, input_weights, *, rate: float = 1.0, activation=np.tanh):
    """One step: ``f(r + rate (r J - r) + in W_in)``, with the leak inside of the non-linearity.

    Parameters
    ----------
    r : array (R,)
    inputs : array (inputs,)
    recurrent : array (R, R)
        J; row is the unit before, column the unit behind the connection.
    input_weights : array (inputs, R)
    rate : float
        lambda, 0 < rate <= 1.
    activation : callable
        f: `numpy.tanh`, or `hard_tanh`.
    """
    return activation(r + rate * (r @ recurrent - r) + inputs @ input_weights)


def hard_tanh(u):
    """U clipped to -1 .. 1."""
    return np.clip(u, -1, 1)


class Course(NamedTuple):
    """What a run leaves: for each step potentials, rates, outputs.

    Members
    -------
    u, r : array (steps, units)
        u after the step, r as the step's output read it.
    z : array (steps, outputs)
    """

    u: np.ndarray
    r: np.ndarray
    z: np.ndarray


class Reservoir:
    """A reservoir of R units with its decoder.

    One step with input x and target t, in this order::

        r  = tanh(u)
        z  = r W_o
        u <- u + (dt / tau) (gain r J + x W_in + z W_fb - u)
        W_o <- W_o + eta outer(r, t - z)                         delta rule; only where there is t

    u and W_o start at zero.

    Parameters
    ----------
    recurrent : array (R, R)
        J; row is the unit before, column the unit behind the connection.
    inputs : array (inputs, R)
        W_in.
    feedback : array (outputs, R)
        W_fb.
    gain : float
        Strength of the recurrent connections.
    time_constant, time_step : float
        tau and dt in seconds, ``0 < dt <= tau``.
    learning_rate : float
        eta.

    Members
    -------
    u : array (R,)
    decoder : array (R, outputs)
        W_o.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, times that are not positive or a time
        step above the time constant.
    """

    def __init__(
        self,
        recurrent,
        inputs,
        feedback,
        *,
        gain: float = 1.2,
        time_constant: float = 0.005,
        time_step: float = 0.001,
        learning_rate: float = 0.005,
    ):
        units = len(recurrent)
        self.recurrent = checks.matrix("recurrent", recurrent, units, units)
        self.inputs = checks.matrix("inputs", inputs, columns=units)
        self.feedback = checks.matrix("feedback", feedback, columns=units)
        self.gain = checks.positive("gain", gain)
        tau = checks.positive("time_constant", time_constant)
        self.rate = checks.positive("time_step", time_step) / tau
        if self.rate > 1:
            raise InputError(f"time_step must be at most time_constant = {tau}, not {time_step}")
        self.learning_rate = checks.positive("learning_rate", learning_rate)
        self.u = np.zeros(units)
        self.decoder = np.zeros((units, len(self.feedback)))

    def step(
        self, x: np.ndarray, target: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take one input (inputs,), learn the target (outputs,) if there is one; return r and z."""
        r = np.tanh(self.u)
        z = r @ self.decoder
        drive = self.gain * (r @ self.recurrent) + x @ self.inputs + z @ self.feedback
        self.u = self.u + self.rate * (drive - self.u)
        if target is not None:
            self.decoder = self.decoder + self.learning_rate * np.outer(r, target - z)
        return r, z

    def run(self, x: np.ndarray, targets: np.ndarray | None = None) -> Course:
        """Take a stream of inputs (steps, inputs), learning the targets (steps, outputs) if given.

        Raises
        ------
        InputError
            Shapes that do not fit the reservoir or one another.
        """
        x = checks.matrix("x", x, columns=len(self.inputs))
        if targets is not None:
            targets = checks.matrix("targets", targets, len(x), len(self.feedback))
        course = Course(
            np.empty((len(x), len(self.u))),
            np.empty((len(x), len(self.u))),
            np.empty((len(x), len(self.feedback))),
        )
        for step, sample in enumerate(x):
            target = None if targets is None else targets[step]
            course.r[step], course.z[step] = self.step(sample, target)
            course.u[step] = self.u
        return course
