"""The bit-exact core as a scikit-learn classifier.

What it learns is what the hardware learns from the same bytes in the same order, weight for weight.
"""

import warnings
from contextlib import contextmanager
from inspect import Parameter, Signature

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from hebbware.golden.config import CoreConfig, names
from hebbware.golden.core import Core
from hebbware.golden.errors import InputError, did_you_mean, one_of
from hebbware.golden.learn.train import EPOCHS, engine_class, inputs, order, spread_halvings

RANGES = ("features", "all")
BYTE = 255
_CHOSEN = ("seed", "input.size", "layer.kind", "layer.units")  # by other parameters, or the data
_PARAMETERS = {
    "input_range": "features",
    "epochs": 10,
    "random_state": 0,
    "engine": "compiled",
    **{name.replace(".", "__"): None for name in names() if name not in _CHOSEN},
}


class HebbianClassifier(ClassifierMixin, BaseEstimator):
    """A network that learns by local three-factor updates, in the hardware's own integers.

    Inputs are brought to bytes, ``round(255 (x - low) / (high - low))``, saturating; a core with
    fewer ``input.bits`` takes their leading ones. `low` and `high` are learned by `fit`, or by the
    first `partial_fit` and then kept; an input without a range is 0. So that a first `partial_fit`
    of few samples does not fix ranges for good, give `input_range`. Zero inputs cost the hardware
    no time. Labels may be of any type that scikit-learn takes for classes, 2 to 64 of them.

    `fit` starts anew and passes all samples once an epoch, in an order drawn from the seed, with
    the halvings of the rates spread over the epochs
    (`hebbware.golden.learn.train.spread_halvings`). `partial_fit` learns the samples once, in the
    order given, with the rates as they stand: those configured, or those that `fit` ended with.

    Parameters
    ----------
    hidden_layers : sequence of int
        Units of each hidden layer.
    input_range : str or (float, float)
        Where `low` and `high` come from: ``features`` takes the smallest and largest value of each
        feature, ``all`` those of all features together (pixels), a pair gives them, which is best
        for `partial_fit`. With ``(0, 255)`` bytes stay what they are.
    epochs : int
        Passes of `fit` over the samples, 1 .. 1000.
    random_state : int, RandomState or None
        An integer is the seed of the configuration; else the seed is drawn from the generator.
    engine : str
        ``compiled``, or ``plain`` for NumPy; both learn the same. What the compiled one cannot
        take is left to the plain one.
    **fields
        Those of `hebbware.golden.config.CoreConfig`, with ``__`` for the dot, as in
        ``memory__horizon=9``; what is None has the default.

    Attributes
    ----------
    classes_ : array (classes,)
        Labels, sorted.
    core_ : Core
        The network: its ``config``, raw ``weights`` and ``memories``.
    low_, high_ : float or array (features,)
        The range of the inputs.
    n_features_in_ : int
    feature_names_in_ : array (features,)
        Where the columns have names that are all strings.

    Raises
    ------
    InputError
        By `fit` and `partial_fit`, for a parameter out of range, or where no input has a range. It
        is a ValueError. What was learned before stays usable.

    Warns
    -----
    UserWarning
        By the first `partial_fit`, where some input has no range: it would be 0 for good.

    Examples
    --------
    >>> from hebbware.golden import HebbianClassifier
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> x, y = load_digits(return_X_y=True)
    >>> x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
    >>> network = HebbianClassifier(formats__weight_bits=8, input_range="all", epochs=5)
    >>> network.fit(x_train, y_train).score(x_test, y_test) > 0.9
    True
    >>> network.core_.weights[0].shape  # inputs and bias, units; raw integers
    (65, 32)
    >>> network.predict_proba(x_test[:3]).shape
    (3, 10)
    """

    def __init__(self, hidden_layers=(32, 16), **parameters):
        self.hidden_layers = hidden_layers
        for name, default in _PARAMETERS.items():
            setattr(self, name, parameters.pop(name, default))
        if parameters:
            raise TypeError(
                f"HebbianClassifier has no parameter {next(iter(parameters))!r}"
                f"{did_you_mean(next(iter(parameters)), _PARAMETERS)}"
            )

    # by which scikit-learn knows the names of the parameters
    __init__.__signature__ = Signature(
        [
            Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
            Parameter("hidden_layers", Parameter.POSITIONAL_OR_KEYWORD, default=(32, 16)),
            *(Parameter(n, Parameter.KEYWORD_ONLY, default=d) for n, d in _PARAMETERS.items()),
        ]
    )

    def set_params(self, **params):
        """Set parameters; those of the configuration are named with ``__``, and not nested."""
        known = self.get_params(deep=False)
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}{did_you_mean(name, known)}"
                )
            setattr(self, name, value)
        return self

    # -- learning ---------------------------------------------------------------------------------

    def fit(self, X, y):
        """Learn anew from samples `X` (samples, features) and their classes `y`; return self."""
        with self._whole():
            X, y = validate_data(self, X, y)
            epochs = _plain(self.epochs)
            if isinstance(epochs, bool) or not isinstance(epochs, int) or not 1 <= epochs <= EPOCHS:
                raise InputError(
                    f"epochs must be a whole number in 1..{EPOCHS}, not {self.epochs!r}"
                )
            check_classification_targets(y)
            classes, labels = np.unique(y, return_inverse=True)
            self._start(X, classes, epochs)
            raw, core, config = self._inputs(X), self.core_, self.core_.config
            for epoch in range(epochs):
                core.extra = config.extra(epoch)
                samples = order(config.seed, epoch, len(labels))
                core.learn_many(raw[samples], labels[samples])
        return self

    def partial_fit(self, X, y, classes=None):
        """Learn samples once, in the order given; return self.

        Parameters
        ----------
        X : array (samples, features)
        y : array (samples,)
        classes : array, optional
            All labels that will ever come; needed in the first call, unless `fit` came before.
        """
        first = not hasattr(self, "core_")
        with self._whole():
            X, y = validate_data(self, X, y, reset=first)
            check_classification_targets(y)
            if classes is not None:
                classes = np.unique(classes)
            elif first:
                raise InputError("classes must be given in the first call of partial_fit")
            if first:
                labels = _numbers(y, classes)
                self._start(X, classes, 1)
                self._warn_of_ranges()
            elif classes is not None and not np.array_equal(classes, self.classes_):
                raise InputError(
                    f"classes must stay those of the first call, {_short(self.classes_)}, "
                    f"not {_short(classes)}"
                )
            else:
                labels = _numbers(y, self.classes_)
            self.core_.learn_many(self._inputs(X), labels)
        return self

    @contextmanager
    def _whole(self):
        """Let a block set attributes: all of them, or where it fails none."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _start(self, X, classes, epochs):
        """Make a network in its start state, and learn the range of the inputs."""
        if len(classes) < 2:
            raise InputError(f"y must hold at least 2 classes, not {len(classes)} class")
        given = {name: _plain(value) for name, value in self.get_params(deep=False).items()}
        for name in ("epochs", "input_range", "engine", "random_state"):
            del given[name]
        hidden = given.pop("hidden_layers")
        if not isinstance(hidden, (tuple, list)) or not hidden:
            raise InputError(
                "hidden_layers must be a list of at least one whole number, "
                f"not {self.hidden_layers!r}"
            )
        given = {name: value for name, value in given.items() if value is not None}
        config = CoreConfig.of(
            (X.shape[1], *hidden, len(classes)), seed=_seed(self.random_state), **given
        )
        self.low_, self.high_ = _range(self.input_range, X)
        self.core_ = _core(spread_halvings(config, epochs), self.engine)
        self.classes_ = classes

    def _warn_of_ranges(self):
        without = int((np.asarray(self.high_) <= self.low_).sum())
        if without:
            warnings.warn(
                f"{without} of {self.n_features_in_} inputs are the same in all samples of the "
                "first partial_fit and will be read as 0 from now on; give input_range=(low, high)",
                stacklevel=3,
            )

    def _inputs(self, X):
        """Return the raw inputs of the core for validated samples."""
        # halves, because the difference of two large numbers need not be one
        X, half = X.astype(np.float64), self.high_ / 2 - self.low_ / 2
        with np.errstate(over="ignore"):
            part = (X / 2 - self.low_ / 2) / np.where(half > 0, half, 1)
            scaled = np.rint(np.clip(part * BYTE, 0, BYTE)).astype(np.uint8)
        return inputs(self.core_.config, np.where(half > 0, scaled, np.uint8(0)))

    # -- what was learned -------------------------------------------------------------------------

    def _infer(self, X):
        """Return numbers of the classes, and the readout's scores in real units."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        numbers, scores = self.core_.infer_many(self._inputs(X))
        return numbers, self.core_.config.u.real(scores)

    def predict(self, X):
        """Return the class of each sample, the first of those with the largest score."""
        numbers, _ = self._infer(X)
        return self.classes_[numbers]

    def decision_function(self, X):
        """Return the readout's scores (samples, classes); of two classes, second less first.

        Multiples of ``2**-u_fraction``, exactly those of the hardware.
        """
        scores = self._infer(X)[1]
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X):
        """Return the softmax of the scores (samples, classes), in floating point.

        The hardware's own softmax, from tables, serves learning alone.
        """
        scores = self._infer(X)[1]
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)


def _plain(value):
    """Bring what NumPy made of numbers and lists (a grid, say) back to Python's own."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(item) for item in value)
    return value


def _short(classes) -> str:
    """List labels in an error message."""
    shown = [repr(label) for label in classes.tolist()]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:11], "..."])


def _numbers(y, classes):
    """Return the numbers of the classes of `y`, as the core takes them."""
    known = {label: number for number, label in enumerate(classes.tolist())}
    try:
        return np.array([known[label] for label in y.tolist()])
    except KeyError as error:
        raise InputError(
            f"y must hold only the classes {_short(classes)}, not {error.args[0]!r}"
        ) from None


def _seed(random_state) -> int:
    """Return the seed of the configuration."""
    random_state = _plain(random_state)
    if isinstance(random_state, int) and not isinstance(random_state, bool):
        if not 0 <= random_state < 2**32:
            raise InputError(f"random_state must lie in 0..{2**32 - 1}, not {random_state}")
        return random_state
    try:
        return int(check_random_state(random_state).randint(2**32, dtype=np.uint32))
    except ValueError:
        raise InputError(
            f"random_state must be a whole number, a RandomState or None, not {random_state!r}"
        ) from None


def _range(given, X):
    """Return the inputs that become 0 and 255."""
    given = _plain(given)
    if isinstance(given, str) and given in RANGES:
        axis = 0 if given == "features" else None
        low, high = X.min(axis=axis).astype(float), X.max(axis=axis).astype(float)
        if not (low < high).any():
            raise InputError(
                f"input_range {given!r} needs samples that differ, not {len(X)} equal ones; "
                "give a pair (low, high)"
            )
        return low, high
    try:
        low, high = map(float, given) if not isinstance(given, str) else ()
    except (TypeError, ValueError):
        low = high = 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise one_of("input_range", given, RANGES, ", or a pair (low, high) with low < high")
    return np.float64(low), np.float64(high)


def _core(config: CoreConfig, engine: str) -> Core:
    """Return a core of that engine, the plain one where the compiled one refuses."""
    try:
        return engine_class(engine)(config)
    except (ImportError, InputError):
        if engine != "compiled":
            raise
        return Core(config)
