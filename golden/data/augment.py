"""Random flips and shifts of images while they are learned, drawn by the host from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError

MOST = 8


@dataclass(frozen=True)
class Augment:
    """How images are changed each time they are learned.

    Parameters
    ----------
    flip : bool
        Left and right are exchanged in every second image, by chance.
    shift : int
        Images are moved by up to so many rows and columns, 0..8, each number as likely; zeros come
        in.
    """

    flip: bool = False
    shift: int = 0

    def __post_init__(self):
        """Raise InputError for a shift out of range."""
        if not 0 <= self.shift <= MOST:
            raise InputError(f"shift must lie in 0..{MOST}, not {self.shift}")

    def __str__(self):
        return f"flip={int(self.flip)},shift={self.shift}"

    @classmethod
    def parse(cls, text: str) -> Augment:
        """Return what `str` has made a text of."""
        values = dict(part.split("=") for part in text.split(","))
        return cls(bool(int(values["flip"])), int(values["shift"]))

    @property
    def changes(self) -> bool:
        """Whether images change at all."""
        return self.flip or bool(self.shift)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError where samples of that shape are no images to be changed."""
        if self.changes and len(shape) < 2:
            raise InputError(
                "flip and shift need a data set of images, not one whose samples have shape "
                f"{'x'.join(map(str, shape))}"
            )
        if self.shift >= min(shape[:2]):
            most = min(shape[:2]) - 1
            raise InputError(f"shift must be at most {most} for these images, not {self.shift}")

    def images(self, x: np.ndarray, shape: tuple[int, ...], seed: int, epoch: int, first: int):
        """Return samples `first` and following of an epoch as they are learned.

        Parameters
        ----------
        x : array (samples, inputs)
        shape : tuple of int
            Of an image: rows, columns, and channels if there are any.
        seed, epoch, first : int
            The same give the same images, whatever parts they come in.
        """
        if not self.changes:
            return x
        generator = np.random.PCG64([seed, epoch, 1])
        words = generator.advance(first).random_raw(len(x))
        images = x.reshape(len(x), *shape)
        if self.flip:
            turned = (words >> np.uint64(63)).astype(bool)
            images = images.copy()
            images[turned] = images[turned][:, :, ::-1]
        if self.shift:
            span = np.uint64(2 * self.shift + 1)
            down, right = (
                (words >> np.uint64(33) & np.uint64(0x3FFFFFFF)) % span,
                (words & np.uint64(0xFFFFFFFF)) % span,
            )
            images = _moved(images, down.astype(np.int64), right.astype(np.int64), self.shift)
        return np.ascontiguousarray(images).reshape(x.shape)


def _moved(images, down, right, shift):
    """Images cut out of larger ones with a rim of zeros, `down` and `right` from its corner."""
    rows, columns = images.shape[1:3]
    rim = [(0, 0), (shift, shift), (shift, shift), *[(0, 0)] * (images.ndim - 3)]
    padded = np.pad(images, rim)
    y = down[:, None, None] + np.arange(rows)[:, None]
    x = right[:, None, None] + np.arange(columns)
    return padded[np.arange(len(images))[:, None, None], y, x]


AS_THEY_ARE = Augment()
