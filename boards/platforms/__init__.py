"""Platforms of boards that amaranth-boards does not have, and what all Gowin platforms need."""
