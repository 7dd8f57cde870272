"""The reservoir, on its own and as the memory of a layer."""
