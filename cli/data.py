"""``hebbware data``: fetch a data set, check it, and print what is in it."""

from __future__ import annotations

from pathlib import Path

import click

from hebbware.cli import values
from hebbware.cli.common import Output, check_folder, examples, fetching, json_option, seed_option
from hebbware.golden.errors import InputError


@click.command(
    "data", epilog=examples("hebbware data mnist", "hebbware data xor --seed 3 --json -")
)
@click.argument("name", shell_complete=values.datasets)
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the files; by default $HEBBWARE_DATA, then the cache, then the network.",
)
@seed_option
@json_option
def command(name: str, data_dir: Path | None, seed: int | None, output: Output) -> None:
    """Fetch and verify the data set NAME: digits, xor, linear, mnist, cifar10, ...

    Files that are fetched must have the published SHA-256; all others must be well formed and
    agree with each other. Printed checksums are those of the samples, however they are packed.
    """
    import hashlib

    from hebbware.golden.data import idx
    from hebbware.golden.data import sets as data

    check_folder(name, data_dir)
    if seed is not None and not data.is_drawn(name):
        raise InputError(
            f"--seed must be for a data set that is drawn (xor, linear, cues, patterns), not {name}"
        )
    with fetching(name, data_dir), output.progress(f"loading {name}"):
        dataset = data.load(name, data_dir, seed or 0)
    files = idx.locate(name, data_dir) if name in idx.PUBLISHED else {}
    parts = {key: getattr(dataset, key) for key in ("x_train", "y_train", "x_test", "y_test")}
    result = {
        "name": name,
        "shape": dataset.shape,
        "classes": dataset.classes,
        "parts": {
            key: {
                "shape": part.shape,
                "sha256": hashlib.sha256(part.astype("u1").tobytes()).hexdigest(),
                "file": files.get(key),
            }
            for key, part in parts.items()
        },
    }
    output.table(
        f"{name}: {dataset.classes} {'outputs' if dataset.signal else 'classes'}, samples of shape "
        f"{dataset.shape}",
        ("part", "shape", "SHA-256 of its bytes", "file"),
        [
            (key, part["shape"], part["sha256"], part["file"] or "no file")
            for key, part in result["parts"].items()
        ],
    )
    output.write(result)
