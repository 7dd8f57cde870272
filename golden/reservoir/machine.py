"""The decoder of a reservoir, its delta rule, and the commands; a whole reservoir in integers.

::

    y_o  = sat( sum_n W_on r_n )                          rounded to nearest
    e_o  = sat( target_o - y_o )
    W_on <- sat( W_on + 2**-step e_o r_n )                rounded as the configuration says

The update is the three-factor step of the core (`hebbware.golden.layers.dense`) with the negative
error as the activity before and the state as the direction. With stochastic rounding each output
draws one word for each granule, of which each unit sees a rotation, as in a step of the state.
"""

from enum import IntEnum

import numpy as np

from ..arithmetic.fixed import Rounding, saturate
from ..arithmetic.random import rotate_lanes, xorshift_block
from ..data.samples import raw
from ..layers import dense
from ..program.commands import signed, word_of
from .cell import Reservoir, ReservoirConfig
from .connections import GRANULE


class Op(IntEnum):
    """A command; each gets one response. They are carried out between two steps.

    Where there is no decoder, or no weight at the address, READ and WRITE are answered with 0 and
    change nothing; TRAIN, too, without a decoder.
    """

    READ = 0  # response: the decoder weight at the address
    WRITE = 1  # the decoder weight at the address takes the low bits of data; response: as READ
    CLEAR = 2  # state and generator of the rounding as after reset, weights stay; response 0
    # lowest bit of data 1: from now on each step takes targets and learns; 0: no more; response:
    # that bit
    TRAIN = 3


OP_BITS, ADDRESS_BITS, DATA_BITS = 2, 20, 16
FIELDS = (("op", OP_BITS), ("address", ADDRESS_BITS), ("data", DATA_BITS))
"""Fields of a command word, lowest first. Address: ``output * units + unit``."""


def pack(op: int, address: int = 0, data: int = 0) -> int:
    """The command as one word, see `hebbware.golden.program.commands.word_of`."""
    return word_of(FIELDS, {"op": op, "address": address, "data": data})


class Machine(Reservoir):
    """A reservoir with its decoder; weights start at zero.

    Members
    -------
    weights : int array (outputs, R)
    training : bool
    """

    def __init__(self, config: ReservoirConfig):
        super().__init__(config)
        self.weights = np.zeros((config.outputs, config.units), np.int64)
        self.training = False

    def load(self, weights) -> None:
        """Take raw decoder weights (outputs, R).

        Raises
        ------
        InputError
            They are of another shape or do not fit the format.
        """
        weight = self.config.weight
        weights = raw("decoder", weights, self.weights.shape, weight.min, weight.max)
        self.weights = weights.astype(np.int64)

    def read(self) -> np.ndarray:
        """Outputs (outputs,) of the state at hand."""
        return dense.sums(self.config, self.config.state.fraction, self.r, self.weights.T)

    def learn(self, targets) -> np.ndarray:
        """One step of the delta rule towards raw targets (outputs,); return the errors before.

        Raises
        ------
        InputError
            They are no such array of integers of the outputs' format.
        """
        config = self.config
        targets = raw("targets", targets, (config.outputs,), config.u.min, config.u.max)
        errors = saturate(targets.astype(np.int64) - self.read(), config.u)
        random = None
        if config.rounding is Rounding.STOCHASTIC:
            words = xorshift_block(self.random_state, config.outputs * config.granules)
            random = rotate_lanes(words, GRANULE, config.update_shift).reshape(self.weights.shape)
            self.random_state = int(words[-1])
        self.weights = dense.updated(
            config, self.weights, -errors, self.r, config.update_shift, random
        )
        return errors

    def holds(self, address: int) -> bool:
        """Whether a decoder weight lies at the address."""
        return self.config.output == "readout" and address < self.weights.size

    def command(self, op: int, address: int = 0, data: int = 0) -> int:
        """Carry out a command; return its response."""
        if op == Op.CLEAR:
            self.r = np.zeros_like(self.r)
            self.random_state = self.config.random_state
        if op == Op.TRAIN:
            self.training = self.config.output == "readout" and bool(data & 1)
            return int(self.training)
        if op == Op.CLEAR or not self.holds(address):
            return 0
        output, unit = divmod(address, self.config.units)
        if op == Op.WRITE:
            self.weights[output, unit] = signed(data, self.config.weight_bits)
        return int(self.weights[output, unit])
