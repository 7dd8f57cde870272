"""``hebbware export``: a trained network for others, as C, memory images or ONNX."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from hebbware.cli.common import (
    CheckFailed,
    DataOptions,
    Output,
    common_options,
    dataset_options,
    examples,
    forbid,
    needs,
    resolve_config,
    untested,
)
from hebbware.cli.files import check_writable, write_file
from hebbware.cli.learning import learning
from hebbware.golden.errors import InputError

if TYPE_CHECKING:
    from hebbware.golden.data.sets import Dataset
    from hebbware.golden.export.network import Inference
    from hebbware.golden.learn.train import State

EPOCHS = 10
SAMPLES = 16  # of the header's test
RANDOM = 256  # samples that ONNX is checked on where the data set is not at hand


@click.command(
    "export",
    epilog=examples(
        "hebbware export --c net.h",
        "hebbware export --from digits.npz --onnx net.onnx --memory images",
    ),
)
@common_options
@dataset_options
@click.option(
    "--from",
    "checkpoint",
    type=Path,
    metavar="FOLDER|FILE",
    help="A network: a folder of HebbianClassifier.save, or a checkpoint of `hebbware train`; "
    "without it one is trained here.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=EPOCHS,
    show_default=True,
    metavar="N",
    help="Without --from: passes over the training samples.",
)
@click.option("--c", "header", type=Path, metavar="FILE", help="Write a C header, such as net.h.")
@click.option(
    "--samples",
    type=click.IntRange(1, 1000),
    default=SAMPLES,
    show_default=True,
    metavar="N",
    help="Samples of the header's self-test.",
)
@click.option(
    "--memory",
    "folder",
    type=Path,
    metavar="FOLDER",
    help="Write the weight memory there for $readmemh: weights_N.mem for cluster N of lanes.",
)
@click.option("--onnx", "model", type=Path, metavar="FILE", help="Write an ONNX model.")
@click.pass_context
def command(
    context: click.Context,
    config: str,
    seed: int | None,
    output: Output,
    source: DataOptions,
    checkpoint: Path | None,
    epochs: int,
    header: Path | None,
    samples: int,
    folder: Path | None,
    model: Path | None,
) -> None:
    """Write a trained network for others: as C, as images of its weight memory, as ONNX.

    All three compute the scores of the golden model bit for bit. The header tests itself on test
    samples of the data set; the ONNX model is compared on all of them here, by onnxruntime. Where
    the data set of a checkpoint is not at hand, samples are random.
    """
    from hebbware.golden.export.network import Inference

    if not (header or folder or model):
        raise InputError("export: give at least one of --c, --memory and --onnx")
    needs(context, "samples", "header")
    header = header and check_writable(header, "--c")
    model = model and check_writable(model, "--onnx")
    images = _folder(folder) if folder else None
    if model:
        from hebbware.cli import onnx_file

        onnx_file.check_packages()
    if checkpoint:
        forbid(context, "--from: the checkpoint has it", "config", "seed", "fields", "epochs")
        state, dataset = _loaded(checkpoint, source)
    else:
        state, dataset = _trained(output, config, seed, source, epochs)
    core = state.core
    network = Inference(core.config, core.weights)
    x = _samples(state, dataset, samples)
    files = {}
    if header:
        from hebbware.golden.export import c

        part = x[:samples]
        text = c.header(
            network,
            part,
            core.infer_many(part)[1],
            title=f"Exported by hebbware; learned {state.dataset or 'arrays'}.",
            encoding=state.meaning.encoding,
            labels=state.meaning.labels,
        )
        write_file(header, text)
        output.log(f"{header}: {len(text):,} characters, {len(part)} samples to test itself")
        files["c"] = header
    if images:
        files["memory"] = _write_images(output, images, network)
    if model:
        _write_model(output, model, network, state, x)
        files["onnx"] = model
    output.write(
        {
            "dataset": state.dataset,
            "epochs": state.epoch,
            "samples": "test" if dataset and len(dataset.x_test) else "random",
            "files": files,
            "config": core.config.to_dict(),
        }
    )


def _folder(folder: Path) -> Path:
    """Return a folder that is there and can be written, or can be made."""
    if folder.is_dir():
        check_writable(folder / "weights_0.mem", "--memory")
    elif folder.exists():
        raise InputError(f"--memory must name a folder, not the file {folder}")
    else:
        check_writable(folder, "--memory")
    return folder


def _loaded(checkpoint: Path, source: DataOptions) -> tuple[State, Dataset | None]:
    """The state of a network, and its data set where that is at hand."""
    from hebbware.golden.learn import train as training
    from hebbware.golden.learn.folder import load_state

    state = load_state(checkpoint)
    given = replace(source, name=source.name or state.dataset, meaning=state.meaning)
    if not given.name and source == DataOptions():
        return state, None
    try:
        dataset = given.load("", state.core.config.seed)
    except InputError:
        if source != DataOptions():
            raise
        return state, None
    training.check_fit(state.core.config, dataset)
    return state, dataset


def _trained(
    output: Output, config: str, seed: int | None, source: DataOptions, epochs: int
) -> tuple[State, Dataset]:
    """Train as ``hebbware train`` does."""
    from hebbware.golden.export.network import check_kinds
    from hebbware.golden.learn import train as training

    resolved = resolve_config(config, seed)
    check_kinds(resolved)
    dataset = source.load(config, resolved.seed)
    training.check_fit(resolved, dataset)
    samples = len(dataset.y_train) - training.held_back(dataset, None)
    title = f"training on {dataset.name}"
    with learning(output, title, resolved, dataset, epochs * samples) as advance:
        result = training.train(resolved, dataset, epochs, progress=advance)
    output.log(
        f"{dataset.name}: test accuracy {100 * result.test:.2f} % of {len(dataset.y_test):,} "
        f"after {epochs} epochs"
        if not (why := untested(dataset))
        else f"no test accuracy: {why}"
    )
    return result.state, dataset


def _samples(state: State, dataset: Dataset | None, wanted: int) -> np.ndarray:
    """Raw inputs to test with."""
    from hebbware.golden.learn import train as training

    config = state.core.config
    if dataset and len(dataset.x_test):
        return training.inputs(config, dataset.x_test)
    generator = np.random.default_rng(config.seed)
    return generator.integers(0, config.x.max + 1, (max(RANDOM, wanted), config.inputs), np.uint8)


def _write_images(output: Output, folder: Path, network: Inference) -> list[Path]:
    from hebbware.golden.export.images import weight_images

    paths = []
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(weight_images(network.config, network.weights)):
        paths.append(folder / f"weights_{number}.mem")
        write_file(paths[-1], text)
    output.log(f"{folder}: {paths[0].name} to {paths[-1].name}" if paths[1:] else f"{paths[0]}")
    return paths


def _write_model(
    output: Output,
    path: Path,
    network: Inference,
    state: State,
    x: np.ndarray,
) -> None:
    """Write the ONNX model once it has given golden's classes and scores.

    Raises
    ------
    CheckFailed
        It gives others; nothing is written.
    """
    from hebbware.cli import onnx_file
    from hebbware.golden.export.graph import graph

    config, properties = network.config, {"dataset": state.dataset}
    labels, encoding = state.meaning.labels, state.meaning.encoding
    if labels:
        properties["labels"] = json.dumps(labels)
    if encoding:
        ends = {end: getattr(encoding, end) for end in ("low", "high")}
        properties["encoding"] = json.dumps(
            {"kind": encoding.kind}
            | {end: np.broadcast_to(v, config.inputs).tolist() for end, v in ends.items()}
        )
    model = onnx_file.model_bytes(graph(network), config, properties)
    with output.progress("checking the ONNX model"):
        classes, scores = onnx_file.computed(model, x)
        wanted, wanted_scores = state.core.infer_many(x)
    wrong = (classes != wanted) | (scores != wanted_scores).any(axis=1)
    if wrong.any():
        raise CheckFailed(
            f"onnx: {wrong.sum()} of {len(x)} samples have other scores than golden's, the first "
            f"one is sample {int(np.argmax(wrong)) + 1}"
        )
    write_file(path, model)
    output.log(f"{path}: {len(model):,} bytes; classes and scores of {len(x)} samples equal")
