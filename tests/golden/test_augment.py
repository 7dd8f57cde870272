"""Random flips and shifts of images: which images come out, and that runs repeat them."""

import numpy as np
import pytest

from hebbware.golden.config import load
from hebbware.golden.data import sets
from hebbware.golden.data.augment import AS_THEY_ARE, Augment
from hebbware.golden.errors import InputError
from hebbware.golden.learn import checkpoint
from hebbware.golden.learn.train import train

SHAPE = (5, 4, 2)
X = np.random.default_rng(0).integers(1, 256, (300, 40)).astype(np.uint8)


def by_hand(image, flipped, down, right):
    """An image turned over, then moved, number by number."""
    out = np.zeros_like(image)
    for y in range(5):
        for x in range(4):
            if 0 <= y - down < 5 and 0 <= x - right < 4:
                out[y, x] = image[y - down, 3 - (x - right) if flipped else x - right]
    return out


def test_every_image_is_turned_and_moved_by_chance():
    got = Augment(flip=True, shift=1).images(X, SHAPE, 3, 5, 0).reshape(-1, *SHAPE)
    assert got.dtype == np.uint8
    counts = {}
    for image, changed in zip(X.reshape(-1, *SHAPE), got, strict=True):
        found = [
            how
            for how in np.ndindex(2, 3, 3)
            if (by_hand(image, how[0], how[1] - 1, how[2] - 1) == changed).all()
        ]
        assert len(found) == 1
        counts[found[0]] = counts.get(found[0], 0) + 1
    assert len(counts) == 18  # each way, about as often
    assert max(counts.values()) < 4 * min(counts.values()) + 10


def test_parts_and_seeds():
    augment = Augment(flip=True, shift=2)
    whole = augment.images(X, SHAPE, 1, 0, 0)
    parts = [augment.images(X[s : s + 70], SHAPE, 1, 0, s) for s in range(0, 300, 70)]
    assert (np.concatenate(parts) == whole).all()
    for seed, epoch in ((2, 0), (1, 1)):
        assert (augment.images(X, SHAPE, seed, epoch, 0) != whole).any()
    assert AS_THEY_ARE.images(X, SHAPE, 1, 0, 0) is X
    flipped = Augment(flip=True).images(X, SHAPE, 1, 0, 0)
    assert (np.sort(flipped, axis=1) == np.sort(X, axis=1)).all()
    assert Augment.parse(str(augment)) == augment


def test_what_cannot_be():
    for shift in (-1, 9):
        with pytest.raises(InputError, match=rf"shift must lie in 0\.\.8, not {shift}"):
            Augment(shift=shift)
    with pytest.raises(InputError, match="flip and shift need a data set of images, .* shape 2"):
        Augment(flip=True).check((2,))
    with pytest.raises(InputError, match="shift must be at most 3 for these images, not 4"):
        Augment(shift=4).check((5, 4, 3))
    AS_THEY_ARE.check((2,))


def test_a_run_goes_on_with_the_same_images(tmp_path):
    config, dataset = load("digits"), sets.load("digits")
    augment = Augment(shift=1)

    def save(state):
        if state.epoch == 1:
            checkpoint.save(tmp_path / "run.npz", state)

    whole = train(config, dataset, 2, augment=augment, after_epoch=save)
    state = checkpoint.load(tmp_path / "run.npz")
    assert state.augment == augment
    again = train(config, dataset, 2, state=state)
    plain = train(config, dataset, 2)
    assert again.state.train == whole.state.train
    assert plain.state.train != whole.state.train
