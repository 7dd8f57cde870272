"""Data sets, files of samples, encodings, streams."""
