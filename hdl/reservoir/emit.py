"""The reservoir block as one Verilog file."""

from ...golden.program.traces import reservoir_traces
from ...golden.reservoir.cell import ReservoirConfig
from ...golden.reservoir.machine import ADDRESS_BITS, DATA_BITS, OP_BITS, Op
from ..emit import Port, comment, port_lines, ports_of, wrapped
from ..verilog import convert
from .block import ReservoirBlock
from .lane import has_readout

MODULE = "hebbware_reservoir"

MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "reset, synchronous, active high; clears the state, keeps the readout weights",
    "inputs": "for each step its inputs in order, signed",
    "targets": "while it learns, for each step a target for each output, signed",
    "commands": "command words, see below",
    "results": "for each step the states of all units, or all outputs, in order; signed",
    "responses": "one for each command; signed",
}
OPS = {
    Op.READ: "the response is the weight at the address; 0 where there is none",
    Op.WRITE: "a weight takes the low bits of the data; the response is that of READ",
    Op.CLEAR: "state and rounding as after reset, weights stay; the response is 0",
    Op.TRAIN: "lowest bit of the data 1: each step takes targets and learns; 0: no more. The "
    "response is that bit; 0 where there is no readout",
}


def ports(config: ReservoirConfig, *, trace: bool = False) -> list[Port]:
    """The ports of the module, clock and reset first."""
    meanings = MEANINGS | {t.channel: t.meaning for t in reservoir_traces(config).values()}
    return ports_of(ReservoirBlock(config, trace=trace), meanings)


def reservoir_verilog(config: ReservoirConfig, *, trace: bool = False, weights=None) -> str:
    """The block of `config` as the module ``hebbware_reservoir``, its ports described in a header.

    Parameters
    ----------
    config : ReservoirConfig
    trace : bool
        Adds the ports that show every write to a memory.
    weights : int array (outputs, R), optional
        Raw readout weights that the block is built with, by default zeros.
    """
    block = ReservoirBlock(config, trace=trace, weights=weights)
    return header(config, trace=trace) + "\n" + convert(block, MODULE)


def header(config: ReservoirConfig, *, trace: bool = False) -> str:
    """The comment at the beginning of the file."""
    lines = [f"{MODULE}: reservoir of {config.units} units", "", "Ports"]
    lines += port_lines(ports(config, trace=trace))
    notes = [
        "A word moves at each rising clock edge at which valid and ready are both high.",
        f"Fraction bits: inputs {config.input_fraction}, states {config.state.fraction}, outputs "
        f"and targets {config.output_fraction}, weights {config.weight_fraction}.",
        "Commands are carried out between two steps; a waiting one goes before a waiting input.",
    ]
    lines += ["", "Streams"]
    for note in notes:
        lines += wrapped("", note)
    lines += ["", "Commands"]
    low = 0
    for name, bits in (("op", OP_BITS), ("address", ADDRESS_BITS), ("data", DATA_BITS)):
        lines += wrapped("", f"{name}: bits {low + bits - 1}..{low}")
        low += bits
    if has_readout(config):
        lines += wrapped("", f"address: output * {config.units} + unit")
    for op in OPS if has_readout(config) else [Op.CLEAR]:
        lines += wrapped("", f"op {op.value} {op.name}: {OPS[op]}")
    lines += ["", "Configuration", *(f"  {line}" for line in config.to_toml().splitlines())]
    return comment(lines)
