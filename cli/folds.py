"""``hebbware folds``: the estimator at its defaults beside scikit-learn's perceptron."""

from __future__ import annotations

import click
import numpy as np

from hebbware.cli import estimates, values
from hebbware.cli.common import Output, changes, examples, json_option, label_option, seed_option
from hebbware.golden.errors import InputError


@click.command(
    "folds",
    epilog=examples(
        "hebbware folds --dataset iris --dataset wine",
        "hebbware folds --dataset own.csv --set epochs=50",
    ),
)
@click.option(
    "--dataset",
    "names",
    multiple=True,
    metavar="NAME|FILE",
    shell_complete=values.bundled,
    help="iris, wine, breast-cancer or digits, or a file or folder of your own; may be given more "
    "than once. By default those four.",
)
@label_option
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, metavar="N",
              help="Parts of the samples, each of which is the test set once.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, metavar="N",
              help="Seeds in a row, of the folds and of both learners.")  # fmt: skip
@seed_option
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Another value for a parameter of HebbianClassifier: epochs=50, "
    "'layer__rate=[6,5,7]', input_range=quantiles.",
)
@json_option
def command(
    names: tuple[str, ...],
    label: str | None,
    folds: int,
    seeds: int,
    seed: int | None,
    fields: tuple[str, ...],
    output: Output,
) -> None:
    """Cross-validate HebbianClassifier, and scikit-learn's MLPClassifier of the same hidden layers.

    The perceptron gets standardised features, the estimator features as they are. Told are mean and
    standard deviation over seeds of the mean accuracy of the folds.
    """
    from hebbware.study import folds as study

    names = names or study.BUNDLED
    if label is not None and set(names) & set(study.BUNDLED):
        raise InputError("--label must be for tables of your own alone")
    row = range(seed or 0, (seed or 0) + seeds)
    parameters = changes(fields)
    given = {name: study.samples(name, label) for name in names}
    results = {}
    total = len(given) * folds * seeds * len(study.LEARNERS)
    about = total * estimates.FOLD
    with output.progress("cross-validating", total, about=about, of=" ".join(names)) as advance:
        for name, (x, y) in given.items():
            found = study.compare(
                x, y, folds=folds, seeds=row, parameters=parameters, progress=advance
            )
            results[name] = {
                "samples": len(x),
                "features": x.shape[1],
                "classes": len(np.unique(y)),
                "accuracy": found,
            }
    output.table(
        f"accuracy in %, {folds} folds, seeds {row[0]}..{row[-1]}",
        ("data set", "samples", "features", "classes", *study.LEARNERS, "difference"),
        [_row(name, result) for name, result in results.items()],
    )
    output.write(
        {"folds": folds, "seeds": list(row), "parameters": parameters, "datasets": results}
    )


def _row(name: str, result: dict) -> tuple:
    means = [100 * np.array(found).mean(axis=1) for found in result["accuracy"].values()]
    shown = [f"{m.mean():.2f}" + (f" ± {m.std(ddof=1):.2f}" if len(m) > 1 else "") for m in means]
    facts = (result[key] for key in ("samples", "features", "classes"))
    return (name, *facts, *shown, f"{means[0].mean() - means[1].mean():+.2f}")
