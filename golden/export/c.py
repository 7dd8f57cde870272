"""A trained network as one C header: weights, inference in integers, and a test of itself.

C99 without anything beyond ``stdint.h`` (``math.h`` where features are encoded on the spot), all of
it defined whatever the widths of ``int`` and of shifts of negative numbers. Every intermediate is
an integer of 64 bits, but for the weighted sums where 32 bits hold them.
"""

from __future__ import annotations

import numpy as np

from ..data.encoding import BYTE, Encoding
from .network import Inference

HELPERS = """\
/* v / 2**n, rounded down */
static inline int64_t hebbware_floor(int64_t v, int n)
{
    return v < 0 ? ~(~v >> n) : v >> n;
}

/* v / 2**n, rounded to the nearest, half up */
static inline int64_t hebbware_round(int64_t v, int n)
{
    if (n <= 0)
        return v * ((int64_t)1 << -n);
    return hebbware_floor(v + ((int64_t)1 << (n - 1)), n);
}

/* the nearest signed number of so many bits */
static inline int64_t hebbware_cut(int64_t v, int bits)
{
    const int64_t end = (int64_t)1 << (bits - 1);
    return v < -end ? -end : v >= end ? end - 1 : v;
}
"""
INFERENCE = """\
/* a hidden layer: weighted sums, non-linearity, normalisation to mean 0 and variance 1 */
static inline void hebbware_layer(const hebbware_weight *weights, int32_t inputs, int32_t units,
    int shift, int32_t one, int32_t factor, int factor_shift,
    const int16_t *x, int16_t *z{argument})
{{
    int64_t total = 0, squares = 0, mean, var, part;
    int32_t i, j;
    int half = 0;
    for (i = 0; i < units; i++) {{
        hebbware_sum sum = (hebbware_sum)one * weights[inputs * units + i];
        for (j = 0; j < inputs; j++)
            sum += (hebbware_sum)x[j] * weights[j * units + i];
        part = hebbware_cut(hebbware_round(sum, shift), {u});
{leak}        if (part < 0)
            part = {below};
        z[i] = (int16_t)part;
        total += part;
        squares += part * part;
    }}
    mean = hebbware_round(total * factor, factor_shift);
    var = hebbware_round(squares * factor, factor_shift) - mean * mean;
    if (var < {least})
        var = {least};
    while (var >> (2 * half + 2))
        half++;
    part = hebbware_table[(var * ((int64_t)1 << {table_bits})) >> (2 * half + 2)];
    for (i = 0; i < units; i++)
        z[i] = (int16_t)hebbware_cut(hebbware_round((z[i] - mean) * part, half {scale}), {z});
}}

/* the class of x, and the score of every class */
static inline int hebbware_infer(const uint8_t *x, int16_t *scores)
{{
    int16_t {vectors};
{state}    int32_t i, j;
    int best = 0;
    for (j = 0; j < HEBBWARE_INPUTS; j++)
        z0[j] = (int16_t){zero};
{layers}    for (i = 0; i < HEBBWARE_CLASSES; i++) {{
        hebbware_sum sum = 0;
        for (j = 0; j < {last_units}; j++)
            sum += (hebbware_sum)z{last}[j] * hebbware_weights_{last}[i * {last_units} + j];
        scores[i] = (int16_t)hebbware_cut(hebbware_round(sum, {readout_shift}), {u});
        if (scores[i] > scores[best])
            best = (int)i;
    }}
    return best;
}}
"""
TEST = """\
/* how many of the samples below come out otherwise than in the model that was exported: 0 */
static inline int hebbware_selftest(void)
{{
    static const uint8_t x[{count}][HEBBWARE_INPUTS] = {x};
    static const int16_t wanted[{count}][HEBBWARE_CLASSES] = {wanted};
    static const uint8_t classes[{count}] = {classes};
    int16_t scores[HEBBWARE_CLASSES];
    int wrong = 0;
    for (int n = 0; n < {count}; n++) {{
        int differs = hebbware_infer(x[n], scores) != classes[n];
        for (int i = 0; i < HEBBWARE_CLASSES; i++)
            differs |= scores[i] != wanted[n][i];
        wrong += differs;
    }}
    return wrong;
}}
"""
ENCODE = """\
#ifdef HEBBWARE_ENCODE
#include <math.h>
/* features as they are measured to inputs of the network; low and high of each were fixed by the
   training samples */
static inline void hebbware_encode(const double *features, uint8_t *x)
{{
    static const double low[HEBBWARE_INPUTS] = {low};
    static const double high[HEBBWARE_INPUTS] = {high};
    for (int j = 0; j < HEBBWARE_INPUTS; j++) {{
        double half = high[j] / 2 - low[j] / 2;
        double part = ({value} / 2 - low[j] / 2) / (half > 0 ? half : 1) * {byte};
        part = part < 0 ? 0 : part > {byte} ? {byte} : part;
        x[j] = (uint8_t)(half > 0 ? (int)rint(part) >> {drop} : 0);
    }}
}}
#endif
"""


def header(
    network: Inference,
    x: np.ndarray,
    scores: np.ndarray,
    *,
    title: str = "",
    encoding: Encoding | None = None,
    labels: tuple[str, ...] = (),
) -> str:
    """Return the text of the header.

    Parameters
    ----------
    network : Inference
    x, scores : arrays (samples, inputs), (samples, classes)
        For the test: raw inputs, and the scores of `hebbware.golden.core.Core` for them.
    title : str
        What the network is, for the comment at the top.
    encoding : Encoding, optional
        How features become bytes; then there is ``hebbware_encode`` too.
    labels : tuple of str
        What each class is called.
    """
    cfg = network.config
    wide = 64 if network.largest_sum >= 1 << 31 else 32
    weights = [
        f"static const hebbware_weight hebbware_weights_{n}[{rows.size}] = "
        f"{_array(rows, flat=True)};"
        for n, rows in enumerate(network.weights)
    ]
    named = f"static const char *const hebbware_labels[HEBBWARE_CLASSES] = {_strings(labels)};"
    parts = [
        _comment(network, title),
        "#ifndef HEBBWARE_NETWORK_H\n#define HEBBWARE_NETWORK_H\n\n#include <stdint.h>\n",
        f"#define HEBBWARE_INPUTS {cfg.inputs}\n#define HEBBWARE_CLASSES {cfg.classes}\n",
        f"typedef int{8 if cfg.weight.width <= 8 else 16}_t hebbware_weight;"
        f"\ntypedef int{wide}_t hebbware_sum;\n",
        *([f"{named}\n"] if labels else []),
        "\n".join(weights),
        f"static const uint16_t hebbware_table[{network.table.size}] = {_array(network.table)};\n",
        HELPERS,
        _inference(network),
        TEST.format(
            count=len(x),
            x=_array(x),
            wanted=_array(scores),
            classes=_array(scores.argmax(axis=1)),
        ),
        *([_encode(network, encoding)] if encoding else []),
        "#endif\n",
    ]
    return "\n".join(parts)


def _comment(network: Inference, title: str) -> str:
    cfg = network.config
    steps = dict.fromkeys(f"2**-{cfg.weight_fraction(n)}" for n in range(len(cfg.layer)))
    lines = [
        *([_plain(title)] if title else []),
        f"{'-'.join(map(str, cfg.sizes))}: {cfg.weight.width}-bit weights in units of "
        f"{', '.join(steps)}, {cfg.neuron.kind} neurons.",
        "",
        "hebbware_infer(x, scores) returns the class of x, HEBBWARE_INPUTS numbers in "
        f"0..{cfg.x.max}, and writes",
        f"HEBBWARE_CLASSES scores in units of 2**-{cfg.u.fraction}. hebbware_selftest() returns 0.",
    ]
    text = "\n".join(f" * {line}".rstrip() for line in lines)
    return f"/*\n{text}\n */"


def _inference(network: Inference) -> str:
    cfg, last = network.config, len(network.hidden)
    sizes = [cfg.inputs, *cfg.hidden]
    vectors = ", ".join(f"z{n}[{size}]" for n, size in enumerate(sizes))
    argument = leak = state = ""
    if network.leaky:
        argument = ", int32_t *potential"
        leak = (
            f"        part = potential[i] - hebbware_round((int64_t)potential[i] * {network.gain}, "
            f"{network.leak}) + part * {network.gain};\n"
            f"        potential[i] = (int32_t)hebbware_cut(part, {cfg.potential.width});\n"
            f"        part = hebbware_cut(hebbware_round(potential[i], {network.leak}), "
            f"{cfg.u.width});\n"
        )
        potentials = ", ".join(f"p{n}[{size}] = {{0}}" for n, size in enumerate(cfg.hidden))
        state = f"    int32_t {potentials};\n"
    return INFERENCE.format(
        argument=argument,
        leak=leak,
        state=state,
        vectors=vectors,
        layers=_layers(network),
        zero=f"(x[j] - {cfg.x_zero})" if cfg.x_zero else "x[j]",
        below=f"hebbware_round(part, {cfg.neuron.slope_shift})" if cfg.neuron.slope_shift else 0,
        u=cfg.u.width,
        z=cfg.z.width,
        least=network.least,
        table_bits=network.table.size.bit_length() - 1,
        scale=f"{'-' if network.scale_shift < 0 else '+'} {abs(network.scale_shift)}",
        last=last,
        last_units=sizes[-1],
        readout_shift=network.readout_shift,
    )


def _layers(network: Inference) -> str:
    """The calls of the hidden layers, time step after time step."""
    calls = [
        f"hebbware_layer(hebbware_weights_{n}, {h.inputs}, {h.units}, {h.shift}, {h.one}, "
        f"{h.factor}, {h.factor_shift}, z{n}, z{n + 1}{f', p{n}' if network.leaky else ''});"
        for n, h in enumerate(network.hidden)
    ]
    if not network.leaky:
        return "".join(f"    {call}\n" for call in calls)
    body = "".join(f"        {call}\n" for call in calls)
    return f"    for (i = 0; i < {network.time_steps}; i++) {{\n{body}    }}\n"


def _encode(network: Inference, encoding: Encoding) -> str:
    if encoding.kind == "bytes":
        return f"/* features are bytes already: x[j] = byte >> {8 - network.config.input.bits} */\n"
    ends = (np.broadcast_to(end, network.config.inputs) for end in (encoding.low, encoding.high))
    low, high = ("{" + ", ".join(map(repr, end.tolist())) + "}" for end in ends)
    value = "log(features[j])" if encoding.kind == "log" else "features[j]"
    return ENCODE.format(
        low=low, high=high, value=value, byte=BYTE, drop=8 - network.config.input.bits
    )


def _array(values: np.ndarray, flat: bool = False) -> str:
    """Whole numbers as an initialiser, a row a line; `flat` ones are no arrays of rows."""
    if values.ndim == 1:
        return "{" + ", ".join(map(str, values.tolist())) + "}"
    rows = (_array(row)[flat : -1 if flat else None] for row in values)
    return "{\n" + ",\n".join(f"    {row}" for row in rows) + "}"


def _plain(text: str) -> str:
    """The text without what would end a comment, or begin one."""
    text = "".join(c if 32 <= ord(c) < 127 else "?" for c in text)
    return text.replace("*/", "* /").replace("/*", "/ *")


def _strings(texts: tuple[str, ...]) -> str:
    """Texts as an initialiser: all but plain characters are octal; none is half a trigraph."""

    def quoted(text):
        plain = (chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text)
        return '"' + "".join(plain) + '"'

    return "{" + ", ".join(quoted(text.encode()) for text in texts) + "}"
