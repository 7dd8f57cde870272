"""A network as C, as memory images and as a graph: what comes out equals golden bit for bit."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from hebbware.cli import onnx_file
from hebbware.golden.config import CoreConfig, load
from hebbware.golden.core import Core
from hebbware.golden.data import sets as data
from hebbware.golden.data.encoding import Encoding
from hebbware.golden.errors import InputError
from hebbware.golden.export.c import header
from hebbware.golden.export.graph import graph
from hebbware.golden.export.images import weight_images
from hebbware.golden.export.network import Inference, check_kinds
from hebbware.golden.learn.train import inputs
from hebbware.golden.twin.core import Twin

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
needs_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C compiler on PATH")
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
SAMPLES = 1000

# for each sample: class and scores
PROGRAM = """
#include <stdio.h>
#include "net.h"
int main(void)
{
    uint8_t x[HEBBWARE_INPUTS];
    int16_t scores[HEBBWARE_CLASSES];
    if (hebbware_selftest())
        return 1;
    while (fread(x, 1, sizeof x, stdin) == sizeof x) {
        printf("%d", hebbware_infer(x, scores));
        for (int i = 0; i < HEBBWARE_CLASSES; i++)
            printf(" %d", scores[i]);
        printf("\\n");
    }
    return 0;
}
"""
ENCODER = """
#include <stdio.h>
#define HEBBWARE_ENCODE
#include "net.h"
int main(void)
{
    double features[HEBBWARE_INPUTS];
    uint8_t x[HEBBWARE_INPUTS];
    while (fread(features, sizeof *features, HEBBWARE_INPUTS, stdin) == HEBBWARE_INPUTS) {
        hebbware_encode(features, x);
        fwrite(x, 1, sizeof x, stdout);
    }
    return 0;
}
"""

DIGITS = CoreConfig.of((64, 12, 9, 10), lanes=4)
CORES = {
    "preset": load("digits"),
    "one layer": CoreConfig.of((64, 7, 10), lanes=4),
    "three layers, centred": CoreConfig.of((64, 20, 11, 5, 10), lanes=8, input__centred=True),
    "leaky": DIGITS.derive(neuron__kind="leaky", neuron__time_steps=5, neuron__leak_shifts=(2, 4)),
    "leaky, no leak, slope": DIGITS.derive(
        neuron__kind="leaky", neuron__time_steps=2, neuron__leak_shifts=(0,), neuron__slope_shift=3
    ),
    "static, slope": DIGITS.derive(neuron__slope_shift=1),
    "few bits": DIGITS.derive(
        formats__weight_bits=4, input__bits=3, formats__z_bits=4, formats__z_fraction=2,
        formats__u_bits=8, formats__u_fraction=4, formats__rsqrt_bits=4,
    ),
    "many bits, sums beyond 32": DIGITS.derive(
        formats__weight_bits=16, formats__z_bits=16, formats__z_fraction=12,
        formats__u_fraction=4, formats__rsqrt_bits=10, memory__kind="none",
    ),
}  # fmt: skip


def trained(config, extreme):
    """A core that has learned a little, or whose weights are anything that they can be."""
    # the twin is compiled anew, for a minute, for other numbers of layers and other memories
    compiled = len(config.hidden) == 2 and config.memory.kind == "gated"
    core, digits = (Twin if compiled else Core)(config), data.load("digits")
    if extreme:
        generator = np.random.default_rng(1)
        low, high = config.weight.min, config.weight.max
        core.weights = [generator.integers(low, high, w.shape, endpoint=True) for w in core.weights]
        core.weights[-1][0] = low
    else:
        core.learn_many(inputs(config, digits.x_train), digits.y_train)
    return core


def samples(config):
    digits = data.load("digits")
    return inputs(config, np.concatenate([digits.x_train, digits.x_test])[:SAMPLES])


def build(folder, program, network, x, scores, **options):
    """A program that includes the header of a network."""
    (folder / "net.h").write_text(header(network, x, scores, **options))
    (folder / "main.c").write_text(program)
    built = [COMPILER, *FLAGS, "main.c", "-o", "main", "-lm"]
    done = subprocess.run(built, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "main"


def run(program, values):
    given = np.ascontiguousarray(values).tobytes()
    return subprocess.run([program], input=given, capture_output=True, timeout=60)


@needs_compiler
@pytest.mark.parametrize(
    ("name", "extreme"), [(n, True) for n in CORES] + [(n, False) for n in ("preset", "leaky")]
)
def test_c_is_golden(name, extreme, tmp_path):
    config = CORES[name]
    core, x = trained(config, extreme), samples(config)
    network = Inference(config, core.weights)
    assert (network.largest_sum >= 1 << 31) == ("beyond" in name)
    classes, scores = core.infer_many(x)
    done = run(build(tmp_path, PROGRAM, network, x[:5], scores[:5]), x.astype(np.uint8))
    assert done.returncode == 0, "the test of itself fails"
    found = np.array([line.split() for line in done.stdout.splitlines()], int)
    assert len(found) == SAMPLES
    np.testing.assert_array_equal(found[:, 1:], scores)
    np.testing.assert_array_equal(found[:, 0], classes)


@needs_compiler
def test_c_notices_that_it_computes_something_else(tmp_path):
    core, x = trained(DIGITS, False), samples(DIGITS)[:5]
    scores = core.infer_many(x)[1]
    scores[3, 7] += 1
    assert run(build(tmp_path, PROGRAM, Inference(DIGITS, core.weights), x, scores), []).returncode


@needs_compiler
@pytest.mark.parametrize("bits", [8, 5])
@pytest.mark.parametrize("kind", ["range", "quantiles", "log", "standard"])
def test_c_encodes_as_the_data_was(kind, bits, tmp_path):
    from sklearn.datasets import load_wine

    measured = load_wine().data
    measured[:, 2] = 7.5  # says nothing
    encoding = Encoding.fit(kind, measured[:60])
    config = CoreConfig.of((13, 4, 3), lanes=2, input__bits=bits)
    core, x = Core(config), np.zeros((1, 13), int)
    options = {"encoding": encoding, "labels": ('"a" /* ??/', "Bär", "\\")}
    network, scores = Inference(config, core.weights), core.infer_many(x)[1]
    done = run(build(tmp_path, ENCODER, network, x, scores, **options), measured)
    wanted = encoding(measured)
    assert len(np.unique(wanted)) > 100
    np.testing.assert_array_equal(
        np.frombuffer(done.stdout, np.uint8).reshape(-1, 13), wanted >> 8 - bits
    )


def test_header_names_what_it_is():
    network = Inference(DIGITS, Core(DIGITS).weights)
    x, scores = np.zeros((1, 64), int), np.zeros((1, 10), int)
    encoding = Encoding("bytes")
    text = header(network, x, scores, title="a*/b", encoding=encoding, labels=("x", "?"))
    comment, _, code = text.partition(" */\n")
    assert "a* /b" in comment
    assert "64-12-9-10: 12-bit weights in units of 2**-10, static neurons" in comment
    assert '{"x", "\\077"}' in code
    assert "features are bytes already" in code


def test_a_layer_or_neuron_that_is_not_known_is_refused():
    class Other(type(DIGITS.layer[1])):
        kind = "other"

    layers = (DIGITS.layer[0], Other(units=9, rate=6, init_std=0.1), DIGITS.layer[2])
    with pytest.raises(InputError, match="^export: layer 2 must be dense or readout, not 'other'$"):
        check_kinds(replace(DIGITS, layer=layers))

    class Neuron(type(DIGITS.neuron)):
        kind = "other"

    with pytest.raises(InputError, match=r"neuron.kind must be .static. or .leaky.* not .other"):
        check_kinds(replace(DIGITS, neuron=Neuron()))


# -- the graph -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "extreme"), [(n, True) for n in CORES] + [(n, False) for n in ("preset", "leaky")]
)
def test_graph_in_onnxruntime_is_golden(name, extreme):
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason="needs ONNX: pip install 'hebbware[onnx]'")
    config = CORES[name]
    core, x = trained(config, extreme), samples(config)
    made = graph(Inference(config, core.weights))
    found = onnx_file.computed(onnx_file.model_bytes(made, config, {}), x)
    for own, wanted in zip(found, core.infer_many(x), strict=True):
        np.testing.assert_array_equal(own, wanted)


# -- memory images ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 3, 8, 9, 20])
def test_images_hold_every_weight_where_the_page_says(lanes):
    """docs/export.md: hidden layers block after block, rows of a block, then class after class."""
    config = CoreConfig.of((5, 10, 7, 3), lanes=lanes, formats__weight_bits=9)
    core = Core(config)
    images = [
        [int(line, 16) for line in text.splitlines() if line[0] not in "/@"]
        for text in weight_images(config, core.weights)
    ]
    assert len(images) == -(-lanes // 8)
    address, seen = 0, 0
    for layer, weights in enumerate(core.weights):
        if layer == 2:
            weights = weights.T  # from unit, to class; blocks are of units
        rows = weights.shape[0] if layer < 2 else weights.shape[1]
        units = weights.shape[1] if layer < 2 else weights.shape[0]
        blocks = -(-units // lanes)
        for row in range(rows):
            for unit in range(units):
                block, lane = divmod(unit, lanes)
                place = block * rows + row if layer < 2 else row * blocks + block
                word = images[lane // 8][address + place] >> 9 * (lane % 8) & 511
                value = weights[row, unit] if layer < 2 else weights[unit, row]
                assert word == int(value) % 512
                seen += 1
        address += rows * blocks
    assert {len(image) for image in images} == {address}
    ones = sum(bin(word).count("1") for image in images for word in image)
    assert ones == sum(bin(int(v) % 512).count("1") for w in core.weights for v in w.ravel())
    assert seen == 6 * 10 + 11 * 7 + 7 * 3
