"""How the estimator leaves Python: as a configuration, and as a folder from which it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.data.dataset import label_texts
from hebbware.golden.data.meaning import Meaning
from hebbware.golden.errors import InputError
from hebbware.golden.learn import arguments, folder
from hebbware.golden.learn.train import State, copy_state, engine_class


class Saved:
    """The part of `hebbware.golden.learn.classifier.HebbianClassifier` that saves and loads."""

    def to_config(self) -> CoreConfig:
        """Return the configuration of the network, as every command and the hardware take it.

        Raises
        ------
        NotFittedError
            Inputs and classes are not known before `fit`.
        """
        self._check_fitted()
        return self.core_.config

    def save(self, path: str | Path) -> None:
        """Write the network into a folder, whole or not at all; nothing is pickled.

        It holds what `hebbware.golden.learn.folder` lists; `load` goes on from it, and so do
        ``hebbware board train --from`` and ``hebbware board infer --from``.

        Raises
        ------
        InputError
            The folder cannot be written, or is there and holds other files; an older one is left
            as it was.
        """
        self._check_fitted()
        features = tuple(map(str, getattr(self, "feature_names_in_", ())))
        meaning = Meaning(self.encoding_, features, label_texts(self.classes_))
        curve = list(self.accuracy_curve_)
        held = list(self.validation_curve_) or [np.nan] * len(curve)
        state = State(self.core_, "", "", max(len(curve), 1), 0, curve, held, meaning=meaning)
        parameters = arguments.plain(self.get_params(deep=False))
        if not isinstance(parameters["random_state"], int):
            parameters["random_state"] = self.core_.config.seed  # which was drawn from it
        learned = {
            "parameters": parameters,
            "classes": self.classes_.tolist(),
            "type": self.classes_.dtype.str if self.classes_.dtype.kind != "O" else "object",
            "halvings": int(self.core_.extra),
        }
        folder.save(path, state, learned)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the network of a folder that `save` wrote; it goes on bit for bit.

        Raises
        ------
        InputError
            The folder cannot be read, or is none that `save` wrote.
        """
        state, learned = folder.load(path)
        try:
            found = cls(**learned["parameters"])
            found._take(state, learned)
        except (KeyError, TypeError, ValueError) as error:  # InputError is one
            reason = f"lacks {error}" if isinstance(error, KeyError) else error
            raise InputError(f"{path} is no network of this program: {reason}") from None
        return found

    def _take(self, state: State, learned: dict) -> None:
        """Take what `save` wrote."""
        self.hidden_layers = tuple(self.hidden_layers)
        self.classes_ = np.array(learned["classes"], learned["type"])
        meaning, config = state.meaning, state.core.config
        if meaning.encoding is None or label_texts(self.classes_) != meaning.labels:
            raise InputError(f"its classes are not those of its {folder.CHECKPOINT}")
        self.core_ = copy_state(state.core, new_core(config, self.engine))
        most = config.update.halvings
        self.core_.extra = arguments.whole("halvings", learned["halvings"], 0, most)
        self.encoding_, self.n_features_in_ = meaning.encoding, config.inputs
        if meaning.features:
            self.feature_names_in_ = np.array(meaning.features, object)
        self.n_iter_, self.accuracy_curve_ = state.epoch, state.train
        self.validation_curve_ = [] if np.isnan(state.validation).any() else state.validation


def new_core(config: CoreConfig, engine: str) -> Core:
    """Return a core of that engine, the plain one where the compiled one refuses."""
    try:
        return engine_class(engine)(config)
    except (ImportError, InputError):
        if engine != "compiled":
            raise
        return Core(config)
