"""``hebbware verilog``: the core as one Verilog file."""

from __future__ import annotations

import sys

import click

from hebbware.cli.common import Output, common_options, resolve_config
from hebbware.cli.files import check_writable, write_file
from hebbware.golden.errors import InputError


@click.command("verilog")
@common_options
@click.option(
    "--output",
    "path",
    default="hebbware_core.v",
    show_default=True,
    metavar="FILE",
    help="Where the Verilog goes; '-' is standard output.",
)
@click.option(
    "--trace/--no-trace",
    default=False,
    show_default=True,
    help="Ports that show every write to a memory.",
)
def command(config: str, seed: int | None, output: Output, path: str, trace: bool) -> None:
    """Write the core as one Verilog file.

    A comment at its beginning tells what each port means, how the streams move, what a command word
    holds, and the configuration.
    """
    to_stdout = path == "-"
    if to_stdout and output.takes_stdout:
        raise InputError("--output and --json cannot both be '-'")
    file = None if to_stdout else check_writable(path, "--output")
    resolved = resolve_config(config, seed)
    with output.progress("writing Verilog"):
        from hebbware.hdl import emit

        text = emit.core_verilog(resolved, trace=trace)
    ports = emit.ports(resolved, trace=trace)
    if file is None:
        sys.stdout.write(text)
    else:
        write_file(file, text)
        output.log(f"{file}: module {emit.MODULE}, {len(ports)} ports, {len(text):,} characters")
    output.write(
        {
            "module": emit.MODULE,
            "file": file,
            "characters": len(text),
            "trace": trace,
            "ports": [vars(port) for port in ports],
            "config": resolved.to_dict(),
        }
    )
