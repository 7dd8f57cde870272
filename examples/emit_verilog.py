"""Write the core of a configuration as one Verilog file, and tell what it will cost."""

import sys
from pathlib import Path

from hebbware.golden import CoreConfig
from hebbware.golden.estimate import estimate
from hebbware.hdl import emit

config = CoreConfig.of((64, 32, 16, 10), lanes=8, formats__weight_bits=8)
path = Path(sys.argv[1] if len(sys.argv) > 1 else "hebbware_core.v")
path.write_text(emit.core_verilog(config))

print(f"{path}: module {emit.MODULE}, ports {', '.join(port.name for port in emit.ports(config))}")
print(f"{estimate.weights(config)} weights, {estimate.memory_bits(config)} bits of memory")
print(f"{estimate.clocks_per_sample(config, nonzero=30)} clocks per sample")
