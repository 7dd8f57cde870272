"""Spoken digits as sequences: 40 frames of 32 log-mel bands.

A recording is a WAV of one channel, ``DIGIT_SPEAKER_TAKE.wav``, as the Free Spoken Digit Dataset
has them; takes 0 to 4 are the test set. Of each, frames of 32 ms are taken at 40 places, equally
far apart from its begin to its end, so that all words fill a sequence. The power of a frame's
spectrum is summed up in triangular bands, equally wide in mel from 0 to half of the rate. A byte is
its decibels below the loudest band of the recording: 255 there, 0 at `SPAN` below or less.

From the bytes on everything is integers; the bytes themselves come from floating point, and one in
many may differ by 1 between machines.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from hebbware.golden.data.dataset import Dataset
from hebbware.golden.errors import InputError

NAME = "spoken-digits"
FRAMES, BANDS = 40, 32
WINDOW = 0.032  # seconds of a frame
SPAN = 50.0  # dB from byte 0 to byte 255
TEST_TAKES = 5
ARCHIVE, FOLDER = "recordings.zip", "recordings"
WAV = re.compile(r"(\d)_\w+_(\d+)\.wav")


def spoken_digits(folder: Path) -> Dataset:
    """Return the recordings of a folder: in ``recordings.zip`` or the folder ``recordings``.

    Raises
    ------
    InputError
        A file that is no recording, or none of training or test.
    """
    found = {True: ([], []), False: ([], [])}
    for name, content in _recordings(folder):
        match = WAV.fullmatch(Path(name).name)
        if not match:
            raise InputError(f"{folder / name}: name must be DIGIT_SPEAKER_TAKE.wav")
        x, y = found[int(match[2]) < TEST_TAKES]
        x.append(log_mel(*_samples(folder / name, content)).ravel())
        y.append(int(match[1]))
    for test, (x, _) in found.items():
        if not x:
            raise InputError(f"{folder}: must hold takes {'0..4' if test else '5 and more'}")
    arrays = []
    for test in (False, True):
        x, y = found[test]
        arrays += [np.array(x), np.array(y, np.int64)]
    return Dataset(NAME, (FRAMES, BANDS), 10, *arrays)


def _recordings(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each, in the order of their names."""
    archive = folder / ARCHIVE
    if not archive.is_file():
        for path in sorted((folder / FOLDER).glob("*.wav")):
            yield f"{FOLDER}/{path.name}", path.read_bytes()
        return
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(opened.namelist()):
                if name.endswith(".wav"):
                    yield name, opened.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read {archive}: {error}") from None


def _samples(path: Path, content: bytes) -> tuple[int, np.ndarray]:
    from scipy.io import wavfile

    try:
        rate, samples = wavfile.read(io.BytesIO(content))
    except (ValueError, EOFError, struct.error) as error:
        raise InputError(f"{path} is no WAV file: {error}") from None
    if samples.ndim != 1 or not samples.any():
        raise InputError(f"{path}: must have one channel with sound in it")
    return rate, samples


def log_mel(rate: int, samples: np.ndarray) -> np.ndarray:
    """Return the bytes of a recording, (frames, bands)."""
    from scipy.fft import rfft

    size = round(WINDOW * rate)
    centres = np.rint(np.linspace(0, len(samples) - 1, FRAMES)).astype(int)
    padded = np.pad(samples.astype(np.float64), (size // 2, size))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = padded[centres[:, None] + np.arange(size)] * window
    power = np.abs(rfft(frames, 2 * size)) ** 2 @ _bands(rate, 2 * size)
    decibels = 10 * np.log10(np.maximum(power / power.max(), 1e-12))
    return np.rint(np.clip(decibels / SPAN + 1, 0, 1) * 255).astype(np.uint8)


@lru_cache
def _bands(rate: int, size: int) -> np.ndarray:
    """Weights (size // 2 + 1, bands) of the spectrum's lines in each band."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    lines = np.arange(size // 2 + 1)[:, None] * rate / size
    up = (lines - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - lines) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(up, down), 0)
