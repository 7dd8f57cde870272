"""The sequencer, and what travels with a step."""
