"""What the hardware computes, bit for bit and clock for clock, in NumPy."""
