"""Modulators beside those of the project: they read the memories of their family."""

from dataclasses import dataclass

import pytest

from hebbware.golden.config import CoreConfig
from hebbware.golden.errors import InputError
from hebbware.golden.modulators.kinds import MODULATORS, ClassMemory
from hebbware.hdl.errors.softmax import Softmax
from hebbware.hdl.errors.sources import source_of

SIZES = (4, 3, 2)


@dataclass(frozen=True, kw_only=True)
class Other(ClassMemory):
    """Another one of the same family."""

    kind = "other"


@pytest.fixture(autouse=True)
def other(monkeypatch):
    monkeypatch.setitem(MODULATORS, "other", Other)


def kinds(config):
    return config.modulator.kind, config.memory.kind


def test_memories_of_the_family():
    assert kinds(CoreConfig.of(SIZES, modulator__kind="other")) == ("other", "gated")
    trace = CoreConfig.of(SIZES, modulator__kind="other", memory__kind="trace")
    assert kinds(trace) == ("other", "trace")
    assert kinds(CoreConfig.from_dict(trace.to_dict())) == ("other", "trace")
    assert source_of(trace) is Softmax


def test_memory_of_another_family():
    with pytest.raises(InputError, match=r"modulator\.kind must be 'hsic' where memory\.kind is"):
        CoreConfig.of(SIZES, modulator__kind="other", memory__kind="samples")


def test_one_follows_the_other():
    config = CoreConfig.of(SIZES, modulator__kind="other", memory__kind="window")
    assert kinds(config.derive(memory__kind="trace")) == ("other", "trace")
    assert kinds(config.derive(modulator__kind="class-memory")) == ("class-memory", "window")
    assert kinds(config.derive(modulator__kind="hsic")) == ("hsic", "samples")
    assert kinds(config.derive(memory__kind="samples")) == ("hsic", "samples")
