"""The bit-exact core as a scikit-learn classifier.

What it learns is what the hardware learns from the same bytes in the same order, weight for weight.
"""

import warnings
from contextlib import contextmanager
from inspect import Parameter, Signature

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from hebbware.golden.config import CoreConfig, names
from hebbware.golden.data.dataset import split_classes
from hebbware.golden.errors import InputError, did_you_mean
from hebbware.golden.learn import arguments
from hebbware.golden.learn.saved import Saved, new_core
from hebbware.golden.learn.train import (
    EPOCHS,
    copy_state,
    epochs_for,
    inputs,
    order,
    spread_halvings,
)

READOUT_RATE = 7  # by default, in the place of 8: many passes of few samples (docs/python.md)
_CHOSEN = ("seed", "input.size", "layer.kind", "layer.units")  # by other parameters, or the data
_PARAMETERS = {
    "input_range": "standard",
    "epochs": None,
    "random_state": 0,
    "engine": "compiled",
    "early_stopping": False,
    "validation_fraction": 0.1,
    "n_iter_no_change": 10,
    **{name.replace(".", "__"): None for name in names() if name not in _CHOSEN},
    "input__centred": True,  # which learns tables better (docs/python.md)
}
_OWN = list(_PARAMETERS)[: list(_PARAMETERS).index("n_iter_no_change") + 1]


class HebbianClassifier(Saved, ClassifierMixin, BaseEstimator):
    """A network that learns by local three-factor updates, in the hardware's own integers.

    Inputs are brought to bytes by an `hebbware.golden.data.encoding.Encoding`, ``round(255 (x -
    low) / (high - low))``, saturating; a core with fewer ``input.bits`` takes their leading ones.
    `low` and `high` are learned by `fit`, or by the first `partial_fit` and then kept; an input
    without a range is 0. So that a first `partial_fit` of few samples does not fix ranges for good,
    give `input_range`. Labels may be of any type that scikit-learn takes for classes, 2 to 64 of
    them.

    `fit` starts anew and passes all samples once an epoch, in an order drawn from the seed, with
    the halvings of the rates spread over the epochs
    (`hebbware.golden.learn.train.spread_halvings`). `partial_fit` learns the samples once, in the
    order given, with the rates as they stand: those configured, or those that `fit` ended with.

    `hebbware.HebbianClassifier` is the same with the hardware: it emits and simulates it.

    Parameters
    ----------
    hidden_layers : sequence of int
        Units of each hidden layer.
    input_range : str or (low, high)
        Where `low` and `high` come from: ``standard``, ``quantiles`` and ``log`` are those of
        `hebbware.golden.data.encoding`; ``features`` takes the smallest and largest value of each
        feature, ``all`` those of all features together (pixels). A pair gives them, numbers or
        arrays (features,), which is best for `partial_fit`. With ``(0, 255)`` bytes stay what they
        are.
    epochs : int or None
        Passes of `fit` over the samples, 1 .. 1000; None passes as many as
        `hebbware.golden.learn.train.epochs_for` says.
    random_state : int, RandomState or None
        An integer is the seed of the configuration; else the seed is drawn from the generator.
    engine : str
        ``compiled``, or ``plain`` for NumPy; both learn the same. What the compiled one cannot
        take is left to the plain one.
    early_stopping : bool
        Hold samples back from `fit`, measure each epoch on them, end where that does not get better
        any more, and keep the network of the best epoch.
    validation_fraction : float
        Share of each class that is held back then, above 0 and below 1.
    n_iter_no_change : int
        Epochs in a row without a better one after which it ends, 1 .. 1000.
    **fields
        Those of `hebbware.golden.config.CoreConfig`, with ``__`` for the dot, as in
        ``memory__horizon=9``; what is None has the default. Other than there,
        ``input__centred`` is True by default, and the readout's ``layer__rate`` 7. With inputs not
        centred, those that are 0 cost the hardware no time.

    Attributes
    ----------
    classes_ : array (classes,)
        Labels, sorted.
    core_ : Core
        The network: its ``config``, raw ``weights`` and ``memories``.
    encoding_ : Encoding
        How inputs become bytes.
    low_, high_ : float or array (features,)
        Its range of the inputs.
    n_iter_ : int
        Epochs that `fit` passed.
    accuracy_curve_ : list of float
        For each epoch, the share of samples that were classified right just before they were
        learned, 0 .. 1.
    validation_curve_ : list of float
        For each epoch, accuracy on the samples held back; empty without `early_stopping`.
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
            raise InputError(
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
                raise InputError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}"
                    f"{did_you_mean(name, known)}"
                )
            setattr(self, name, value)
        return self

    # -- learning ---------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None):
        """Learn anew from samples; return self.

        Parameters
        ----------
        X : array (samples, features)
        y : array (samples,)
        sample_weight : array (samples,), optional
            How often each sample is passed in an epoch: whole numbers from 0 on. Others are
            refused, as the hardware has no step of its own for each sample.
        """
        with self._whole():
            X, y = validate_data(self, X, y)
            check_classification_targets(y)
            classes, labels = np.unique(y, return_inverse=True)
            rows, held = self._rows(labels, arguments.repeated(sample_weight, len(y)))
            epochs = self.epochs
            epochs = epochs_for(len(rows)) if epochs is None else epochs
            epochs = arguments.whole("epochs", epochs, 1, EPOCHS)
            self._start(X[rows], classes, epochs)
            self._learn(self._inputs(X), labels, rows, held, epochs)
        return self

    def _rows(self, labels, rows):
        """Return the rows to learn, and those to hold back."""
        if not arguments.flag("early_stopping", self.early_stopping):
            return rows, rows[:0]
        share = self.validation_fraction
        arguments.whole("n_iter_no_change", self.n_iter_no_change, 1, EPOCHS)
        if not isinstance(share, (int, float)) or not 0 < share < 1:
            raise InputError(f"validation_fraction must lie between 0 and 1, not {share!r}")
        given = np.unique(rows)
        held = given[split_classes(labels[given], share)]
        if not len(held):
            raise InputError(
                f"validation_fraction {share:g} must hold at least one sample back, and holds none "
                f"of {len(given)}"
            )
        chosen = np.isin(rows, held)
        return rows[~chosen], rows[chosen]

    def _learn(self, raw, labels, rows, held, epochs):
        """Pass the epochs."""
        core, config, best = self.core_, self.core_.config, None
        for epoch in range(epochs):
            core.extra = config.extra(epoch)
            samples = rows[order(config.seed, epoch, len(rows))]
            found, _ = core.learn_many(raw[samples], labels[samples])
            self.accuracy_curve_.append(float((found == labels[samples]).mean()))
            if not len(held):
                continue
            right = core.infer_many(raw[held])[0] == labels[held]
            self.validation_curve_.append(float(right.mean()))
            last = int(np.argmax(self.validation_curve_))
            if last == epoch:
                best = copy_state(core, type(core)(config))
            elif epoch - last >= self.n_iter_no_change:
                break
        self.core_ = best or core
        self.n_iter_ = len(self.accuracy_curve_)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn samples once, in the order given; return self.

        Parameters
        ----------
        X : array (samples, features)
        y : array (samples,)
        classes : array, optional
            All labels that will ever come; needed in the first call, unless `fit` came before.
        sample_weight : array (samples,), optional
            How often each sample is learned, one after the other: whole numbers from 0 on.
        """
        first = not hasattr(self, "core_")
        with self._whole():
            X, y = validate_data(self, X, y, reset=first)
            check_classification_targets(y)
            rows = arguments.repeated(sample_weight, len(y))
            if classes is not None:
                classes = np.unique(classes)
            elif first:
                raise InputError("classes must be given in the first call of partial_fit")
            if first:
                labels = arguments.numbers_of(y, classes)
                self._start(X[rows], classes, 1)
                self._warn_of_ranges()
            elif classes is not None and not np.array_equal(classes, self.classes_):
                raise InputError(
                    f"classes must stay those of the first call, {arguments.short(self.classes_)}, "
                    f"not {arguments.short(classes)}"
                )
            else:
                labels = arguments.numbers_of(y, self.classes_)
            self.core_.learn_many(self._inputs(X)[rows], labels[rows])
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
        config = self._configuration(X.shape[1], len(classes))
        self.encoding_ = arguments.encoding_of(self.input_range, X)
        self.core_ = new_core(spread_halvings(config, epochs), self.engine)
        self.classes_ = classes
        self.n_iter_, self.accuracy_curve_, self.validation_curve_ = 0, [], []

    def _configuration(self, features, classes):
        """Return the configuration that the parameters ask for."""
        given = {
            name: arguments.plain(value) for name, value in self.get_params(deep=False).items()
        }
        for name in _OWN:
            del given[name]
        hidden = given.pop("hidden_layers")
        if not isinstance(hidden, (tuple, list)) or not hidden:
            raise InputError(
                "hidden_layers must be a list of at least one whole number, "
                f"not {self.hidden_layers!r}"
            )
        given = {name: value for name, value in given.items() if value is not None}
        seed = arguments.seed_of(self.random_state)
        config = CoreConfig.of((features, *hidden, classes), seed=seed, **given)
        if self.layer__rate is None:
            config = config.derive(layer__rate=(*config.rates[:-1], READOUT_RATE))
        return config

    def _warn_of_ranges(self):
        without = len(self.encoding_.constant())
        if without:
            warnings.warn(
                f"{without} of {self.n_features_in_} inputs are the same in all samples of the "
                "first partial_fit and will be read as 0 from now on; give input_range=(low, high)",
                stacklevel=3,
            )

    def _inputs(self, X):
        """Return the raw inputs of the core for validated samples."""
        return inputs(self.core_.config, self.encoding_(X))

    @property
    def low_(self):
        """What becomes 0: a number, or an array (features,)."""
        return self.encoding_.low

    @property
    def high_(self):
        """What becomes 255."""
        return self.encoding_.high

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

    def _check_fitted(self):
        check_is_fitted(self)
