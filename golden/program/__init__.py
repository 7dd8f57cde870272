"""The passes of a sample, where numbers lie, words of commands, channels."""
