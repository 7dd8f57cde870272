"""``hebbware verilog``: the core as one Verilog file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hebbware.cli.common import Output, common_options, examples, resolve_config
from hebbware.cli.files import check_writable, write_file
from hebbware.golden.errors import InputError


@click.command(
    "verilog",
    epilog=examples(
        "hebbware verilog --config digits --output core.v",
        "hebbware verilog --set lanes=4 --output -",
    ),
)
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

    A comment at its beginning says what each port means, how the streams move, what a command word
    holds, and the configuration. The file means the same by the rules of Verilog-2005 and of
    SystemVerilog.
    """
    file = verilog_file(path, output)
    resolved = resolve_config(config, seed)
    with output.progress("writing Verilog"):
        from hebbware.hdl import emit

        text = emit.core_verilog(resolved, trace=trace)
    ports = emit.ports(resolved, trace=trace)
    write_verilog(file, text, emit.MODULE, len(ports), output)
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


def verilog_file(path: str, output: Output) -> Path | None:
    """Return the file that ``--output`` names, found writable; None for standard output.

    Raises
    ------
    InputError
        The file cannot be written, or ``--json`` takes standard output already.
    """
    if path != "-":
        return check_writable(path, "--output")
    if output.takes_stdout:
        raise InputError("--output and --json cannot both be '-'")
    return None


def write_verilog(file: Path | None, text: str, module: str, ports: int, output: Output) -> None:
    """Write the Verilog of a module to `file`, and say so, or to standard output alone."""
    if file is None:
        sys.stdout.write(text)
    else:
        write_file(file, text)
        output.log(f"{file}: module {module}, {ports} ports, {len(text):,} characters")
