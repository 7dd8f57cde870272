"""The real RTL in Verilator, driven by cocotb and compared with the golden model."""
