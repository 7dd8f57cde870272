"""The hardware as Amaranth components, one per block of the golden model."""
