"""Jobs of the reservoir's engine, and the steps that they issue."""

from amaranth.lib import data, enum

from ..shapes import index
from .lane import Kind


class Job(enum.Enum):
    """Jobs of the engine."""

    STEP = 0
    READOUT = 1
    UPDATE = 2
    HOST = 3


class Step(data.StructLayout):
    """A step in the pipeline."""

    def __init__(self, config):
        super().__init__(
            {
                "valid": 1,
                "kind": Kind,
                "block": index(config.blocks),
                "output": index(config.outputs),
                "first": 1,  # of a unit's sum, or of an output's
                "last": 1,
                "end": 1,  # of the job
            }
        )
