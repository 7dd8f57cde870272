"""What the commands of a host read and write: every word of 64 bits is answered.

* WRITE answers what READ of the same place would answer right after it.
* Where there is nothing, READ answers 0, and WRITE changes nothing and answers 0: at an address
  beyond the words of a memory, in a lane that holds no unit there, at a gain or a register that the
  core has not, in a class memory that it has not.
* A number in a memory takes the low bits of what is written, and is answered with its sign.
* A gain or a register that cannot hold what is written stays as it is: EXTRA takes up to
  ``update.halvings``, a gain up to ``memory.bits - 1``, the word of the generator all but 0; a
  register that is read only takes nothing.
* The operation that is none changes nothing and is answered with 0.

None of this changes how long a command takes.
"""

import numpy as np

from ..core import Core
from ..errors import InputError
from ..program.commands import DATA_BITS, Command, Op, Space, State, signed
from ..program.layout import word_width


class Access:
    """Carries out commands on a core.

    Parameters
    ----------
    core : Core

    Attributes
    ----------
    inferred : int
        Samples inferred since the start; whoever lets the core infer counts them.
    """

    def __init__(self, core: Core):
        self.core, self.config, self.layout = core, core.config, core.layout
        self.inferred = 0

    def execute(self, command: Command) -> tuple[int, np.ndarray | None]:
        """Carry out a command.

        Returns
        -------
        int
            The response, signed.
        array (lanes,) or None
            The word of a memory as it was written; None where none was.
        """
        if command.op == Op.START:
            self.core.reset()
            self.inferred = 0
        if command.op not in (Op.READ, Op.WRITE):
            return 0, None
        if command.space == Space.WEIGHT:
            return self._weight(command)
        if command.space == Space.MEMORY:
            return self._memory(command)
        value = self._gain(command) if command.space == Space.GAIN else self._register(command)
        return signed(value), None

    # -- memories ---------------------------------------------------------------------------------

    def weight_words(self) -> np.ndarray:
        """Contents of the weight memory, shape (words, lanes)."""
        return self.layout.weight_words(self.core.weights)

    def memory_words(self) -> np.ndarray:
        """Contents of the class memory, shape (words, lanes); see `coded`."""
        layers = range(len(self.core.memories))
        words = [self.coded(self.core.memories[n], n) for n in layers]
        return np.concatenate([word.reshape(-1, self.config.lanes) for word in words])

    def coded(self, memory: np.ndarray, layer: int, rows=slice(None)) -> np.ndarray:
        """Words of `rows` of a layer's class memory as stored: the code bit, if any, above."""
        form = self.layout.memory_form(layer)
        words = form.pack(memory)
        if not self.config.memory.kappa:
            return words
        codes = form.pack((self.core.codes[layer][rows] < 0).astype(np.int64))
        return (words & ((1 << self._stored_bits) - 1)) | codes << self._stored_bits

    @property
    def _stored_bits(self) -> int:
        """Bits of a class-memory word below the code bit."""
        return word_width(self.config) - bool(self.config.memory.kappa)

    def _weight(self, command):
        if not self._there(command, self.layout.weight_places):
            return 0, None
        words, bits = self.weight_words(), self.config.weight.width
        written = self._change(command, words, bits)
        if written is not None:
            self.core.weights = self.layout.weights_from(words)
        return signed(int(words[command.address, command.lane]), bits), written

    def _memory(self, command):
        if not self._there(command, self.layout.memory_places):
            return 0, None
        words, bits = self.memory_words(), word_width(self.config)
        written = self._change(command, words, bits)
        if written is not None:
            self._set_memory(words)
        return signed(int(words[command.address, command.lane]), bits), written

    @staticmethod
    def _there(command, places):
        address, lane = command.address, command.lane
        return address < len(places) and lane < places.shape[1] and places[address, lane]

    @staticmethod
    def _change(command, words, bits):
        if command.op != Op.WRITE:
            return None
        words[command.address, command.lane] = signed(command.data, bits)
        return words[command.address]

    def _set_memory(self, words):
        stored = self._stored_bits
        if stored:
            values = words & ((1 << stored) - 1)
            values -= values >> (stored - 1) << stored
            self.core.memories = self.layout.memories_from(values)
        if self.config.memory.kappa:
            codes = 1 - 2 * (words >> stored & 1).astype(np.int8)
            self.core.codes = self.layout.memories_from(codes)

    # -- gains and registers ----------------------------------------------------------------------

    def _gain(self, command) -> int:
        gains, classes = self.core.gains, self.config.classes
        if not self.core.kind.self_scaling or command.address >= len(gains) * classes:
            return 0
        layer, row = divmod(command.address, classes)
        if command.op == Op.WRITE and _unsigned(command.data) < self.config.stored.width:
            gains[layer][row] = command.data
        return int(gains[layer][row])

    def _register(self, command) -> int:
        core, data = self.core, _unsigned(command.data)
        if command.op == Op.WRITE:
            if command.address == State.EXTRA and data <= self.config.update.halvings:
                core.extra = data
            if command.address == State.RANDOM and data:
                core.random_state = data
        return {
            State.EXTRA: core.extra,
            State.LEARNED: core.learned,
            State.INFERRED: self.inferred,
            State.RANDOM: core.random_state,
            State.SATURATED: core.saturated,
        }.get(command.address, 0)


def stored(core: Core, learn: bool) -> list[tuple[Space, int, int, np.ndarray]]:
    """What to write to a core after its start so that it goes on as this one does.

    Parameters
    ----------
    core : Core
    learn : bool
        It is to learn on; else weights alone are enough, as they give the same results.

    Returns
    -------
    list of (space, address, lane, values)
        Numbers for consecutive addresses from that one on. A number is left out where a lane holds
        no unit.

    Raises
    ------
    InputError
        It is to learn on, and keeps something of past samples that no command writes.
    """
    access, layout = Access(core), core.layout
    found = _by_lanes(Space.WEIGHT, access.weight_words(), layout.weight_places)
    if not learn:
        return found
    if (core.kind.windowed or core.kind.by_sample or core.kind.projected) and core.learned:
        raise InputError(
            f"memory.kind must be one of which commands write all that it keeps, not "
            f"{core.kind.kind}: it needs the samples learned last"
        )
    if len(layout.memory_places):
        found += _by_lanes(Space.MEMORY, access.memory_words(), layout.memory_places)
    if core.kind.self_scaling:
        found.append((Space.GAIN, 0, 0, np.concatenate(core.gains)))
    for register, value in ((State.RANDOM, core.random_state), (State.EXTRA, core.extra)):
        found.append((Space.STATE, int(register), 0, np.array([value])))
    return found


def _by_lanes(space: Space, words: np.ndarray, places: np.ndarray) -> list:
    """Each lane's column, in runs of addresses at which the lane holds a unit."""
    found = []
    for lane in range(words.shape[1]):
        there = np.flatnonzero(places[:, lane])
        for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if len(run):
                found.append((space, int(run[0]), lane, words[run, lane]))
    return found


def _unsigned(data: int) -> int:
    """The field as the core sees it."""
    return data & ((1 << DATA_BITS) - 1)
