"""``hebbware decoder``: train the decoder of a reservoir memory, before anything is learned."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from hebbware.cli import estimates
from hebbware.cli.common import Output, common_options, examples, resolve_config
from hebbware.cli.files import check_writable
from hebbware.golden.errors import InputError, one_of


@click.command(
    "decoder", epilog=examples("hebbware decoder --config digits-reservoir --out decoder.npz")
)
@partial(common_options, default="digits-reservoir")
@click.option(
    "--method",
    default="ridge",
    show_default=True,
    metavar="ridge|delta",
    help="Regression on the host, or the delta rule of the reservoir block, in integers.",
)
@click.option("--out", type=Path, metavar="FILE", help="Write the decoder to this file (.npz).")
def command(config: str, seed: int | None, output: Output, method: str, out: Path | None) -> None:
    """Train the decoder of a configuration's reservoirs on random drifting signals.

    The file can be named in the field reservoir.decoder of this configuration, and of no other
    whose reservoirs differ.
    """
    from hebbware.golden.reservoir import decoder as decoders

    resolved = resolve_config(config, seed)
    if not resolved.memory.projected:
        raise InputError(
            f"memory.kind must be reservoir for a decoder, not {resolved.memory.kind!r}"
        )
    if out:
        if out.suffix != ".npz":
            raise InputError(f"--out must end in .npz, not {str(out)!r}")
        out = check_writable(out, "--out")
    if method not in decoders.METHODS:
        raise one_of("method", method, decoders.METHODS)
    # the fingerprint of a configuration holds that of its decoder, which is not there yet
    bare = resolved.derive(reservoir__decoder="zero").fingerprint
    about = {"about": estimates.DECODER, "of": f"{bare} {method}"}
    with output.progress("training the decoder", **about):
        decoder = decoders.train_decoder(resolved.derive(reservoir__decoder="ridge"), method)
    if out:
        decoders.save_decoder(out, decoder)
    output.table(
        f"decoder of {resolved.reservoir.units} units, {resolved.reservoir.bits}-bit state",
        ("method", "weights", "R^2 of the memory, held out", "R^2 of the pull v, held out"),
        [(method, f"{decoder.weights.size:,}", f"{decoder.r2:.3f}", f"{decoder.pull_r2:.3f}")],
    )
    output.write(
        {
            "method": method,
            "r2": decoder.r2,
            "pull_r2": decoder.pull_r2,
            "weights": decoder.weights.size,
            "file": str(out) if out else None,
            "config": resolved.to_dict(),
        }
    )
