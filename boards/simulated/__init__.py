"""The simulated board: the top level of every board, in Verilator."""
