"""The file that ``hebbware export --onnx`` writes, and what onnxruntime computes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hebbware.golden.errors import InputError
from hebbware.golden.export import graph

if TYPE_CHECKING:
    from hebbware.golden.config import CoreConfig
    from hebbware.golden.export.graph import Graph

IR_VERSION = 8  # of the file's layout; the one that came with the operators of `graph.OPSET`


def check_packages() -> None:
    """Raise InputError where a package is missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"--onnx needs the package {error.name}: pip install 'hebbware[onnx]'"
        ) from None


def model_bytes(made: Graph, config: CoreConfig, properties: Mapping[str, str]) -> bytes:
    """Return the file; `properties` go into its metadata."""
    from onnx import TensorProto, checker, helper, numpy_helper

    def value(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, ["n", *shape])

    nodes = [
        helper.make_node(
            node.op,
            node.inputs,
            [node.output],
            **{
                key: getattr(TensorProto, given) if isinstance(given, str) else given
                for key, given in node.attributes.items()
            },
        )
        for node in made.nodes
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "hebbware",
            [value(graph.INPUT, TensorProto.UINT8, config.inputs)],
            [
                value(graph.SCORES, TensorProto.INT64, config.classes),
                value(graph.CLASS, TensorProto.INT64),
            ],
            [numpy_helper.from_array(array, name) for name, array in made.constants.items()],
        ),
        producer_name="hebbware",
        opset_imports=[helper.make_opsetid("", graph.OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, dict(properties))
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def computed(model: bytes, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and scores of raw inputs (samples, inputs), by onnxruntime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {graph.INPUT: np.ascontiguousarray(x, np.uint8)}
    return tuple(session.run([graph.CLASS, graph.SCORES], given))
