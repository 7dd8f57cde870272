"""Studies: sweeps over configurations, and what is made of their results."""
