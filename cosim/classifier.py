"""The scikit-learn estimator with its hardware: emitted as Verilog, and simulated."""

from pathlib import Path

import numpy as np
from sklearn.utils.validation import validate_data

from ..golden.core import Core
from ..golden.errors import InputError
from ..golden.learn import classifier
from ..golden.learn.arguments import numbers_of
from ..golden.learn.train import copy_state
from ..golden.program.commands import Command, Op
from ..golden.system.files import write_file
from ..golden.timing.access import stored
from ..hdl import emit
from .core import CoreRun, build_core, cosimulate


class HebbianClassifier(classifier.HebbianClassifier):
    """`hebbware.golden.HebbianClassifier`, and the hardware that learns the same.

    Parameters, attributes and all other methods are those of that class.

    Examples
    --------
    >>> from hebbware import HebbianClassifier
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> network = HebbianClassifier(hidden_layers=(8,), lanes=4).fit(x, y)
    >>> network.cosimulate(x[:5], y[:5]).message is None  # RTL and golden were equal
    True
    """

    def cosimulate(self, X, y=None, *, model=None, waves=None, **options) -> CoreRun:
        """Simulate the RTL of the network on samples and compare every clock with golden.

        The RTL is built (Verilator, a minute or two; kept for the next time), the state of the
        network is written to it by commands, and then it gets the samples in the order given. The
        estimator itself stays as it is.

        Parameters
        ----------
        X : array (samples, features)
            As for `predict`.
        y : array (samples,), optional
            Classes: the samples are learned, each once, as by `partial_fit`. Without them they are
            classified.
        model : Model, optional
            From `hebbware.cosim.core.build_core`, of `to_config`; else it is built.
        waves : path, optional
            Write a waveform (VCD).
        options
            Of `hebbware.cosim.build.build`, as ``quick=True`` to compile without optimisation.

        Returns
        -------
        CoreRun
            ``message`` is None where all was equal, else the first difference in words;
            ``classes`` are numbers of classes as the RTL put them out; ``core`` is the network
            after the last sample.

        Raises
        ------
        InputError
            Samples that `predict` would refuse, labels that are none of `classes_`, a memory whose
            state no command can write (`hebbware.golden.timing.access.stored`).
        ToolError
            The simulation cannot be built.
        """
        self._check_fitted()
        X = validate_data(self, X, reset=False)
        raw, labels = self._inputs(X), [None] * len(X)
        if y is not None:
            y = np.asarray(y)
            if y.shape != (len(X),):
                raise InputError(f"y must have shape ({len(X)},), not {y.shape}")
            labels = numbers_of(y, self.classes_).tolist()
        config = self.core_.config
        start = copy_state(self.core_, Core(config))
        commands = [
            Command(Op.WRITE, space, address + offset, lane, int(value))
            for space, address, lane, values in stored(start, learn=y is not None)
            for offset, value in enumerate(values)
        ]
        model = model or build_core(config, waves=waves is not None, **options)
        return cosimulate(config, raw, labels, model=model, commands=commands, waves=waves)

    def verilog(self, path) -> str:
        """Write the core of the network as one Verilog file; return its text.

        It is the core as `hebbware verilog` writes it: it begins with the start weights, and takes
        those that were learned by commands or over a board's link (`save`, and ``hebbware board
        infer --from``).

        Raises
        ------
        InputError
            The file cannot be written.
        """
        text = emit.core_verilog(self.to_config())
        write_file(Path(path), "Verilog", text.encode())
        return text
