"""``hebbware board selftest``: what a person with a board runs first."""

from __future__ import annotations

import platform
from importlib.metadata import version

import click

from hebbware.cli.common import CheckFailed, Output, common_options, examples, resolve_config
from hebbware.cli.line import Line, port_options


@click.command(
    "selftest", epilog=examples("hebbware board selftest --port /dev/ttyUSB0 --config mnist-pooled")
)
@common_options
@port_options
def selftest(config: str, seed: int | None, output: Output, line: Line) -> None:
    """Test a board: its line, its memory for samples, and 100 samples learned as golden does.

    What it learned before is lost, and so are the samples in its memory. The lines that this prints
    belong into a report about a board.
    """
    from hebbware.boards.host import selftest as tests

    resolved = resolve_config(config, seed)
    checks = []
    with line.connected(resolved) as board:
        identity = board.identity
        output.log(
            f"hebbware {version('hebbware')} on {platform.system()} {platform.machine()}, Python "
            f"{platform.python_version()}"
        )
        output.log(
            f"board: hebbware {identity.release}, protocol {identity.protocol}, configuration "
            f"{identity.fingerprint} ({config}), {identity.clock / 1e6:.3f} MHz, {board.baud:,} "
            f"baud, buffer {identity.buffer}, queue {identity.queue}, memory {identity.memory} KiB"
        )
        for check in tests.selftest(board):
            checks.append(check)
            output.log(f"{'ok    ' if check.holds else 'FAILED'} {check.name}: {check.text}")
    output.write({"identity": vars(identity), "checks": [vars(check) for check in checks]})
    failed = [check.name for check in checks if not check.holds]
    if failed:
        raise CheckFailed(f"the board failed: {', '.join(failed)}")
    output.log(f"{len(checks)} of {len(checks)} hold")
