"""Progress of commands that learn on golden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hebbware.cli import estimates
from hebbware.cli.output import Output, Step

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.data.sets import Dataset


@contextmanager
def learning(
    output: Output,
    description: str,
    config: CoreConfig,
    dataset: Dataset,
    samples: int,
    engine: str = "compiled",
    signal: bool = False,
) -> Iterator[Step]:
    """Show how so many samples are learned; the compiled engine is compiled beforehand.

    Raises
    ------
    InputError
        The data set does not go with the configuration, or there is no such engine.
    """
    from hebbware.golden.learn import train as training

    learner = training.engine_class(engine)
    training.check_fit(config, dataset, signal)
    if engine == "compiled" and len(dataset.y_train):
        from hebbware.golden.twin.kept import is_kept

        if not is_kept(config.recurrent):
            name = "compiling the golden model, which is kept for the next time"
            with output.progress(name, about=estimates.COMPILING):
                x = training.inputs(config, dataset.x_train[:1])
                learner(config).learn_many(x, dataset.y_train[:1])
    about = estimates.learning(config, samples, engine)
    with output.progress(
        description, samples, about=about, of=f"{config.fingerprint} {engine}"
    ) as step:
        yield step
