"""Samples in a board's memory: what lies where, loading it, learning from it.

The memory begins with a `Descriptor`; behind it are the addresses of the samples, a word each, the
training samples first, then the address behind the last one, and the samples as
`hebbware.boards.protocol.packed_sample` makes them, each from a new word on and in the same order.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

import numpy as np

from ...golden.arithmetic.permutation import half_bits
from ...golden.config import CoreConfig
from ...golden.data.samples import optional_labels, samples_of
from ...golden.errors import InputError
from ...golden.program.commands import ADDRESS_BITS, pack
from .. import protocol
from ..protocol import BOARD, BoardRegister, BoardSpace, Message
from .board import Board

MAGIC = int.from_bytes(b"HSET", "little")
PACKED = 4096  # samples at once
POLL = 0.05  # seconds between two looks at a board that learns


@dataclass(frozen=True)
class Descriptor:
    """What lies in the memory: words of 32 bits, in this order.

    `words` are those behind the descriptor, `checksum` is their CRC-32.
    """

    magic: int
    inputs: int
    bits: int
    train: int
    test: int
    words: int
    checksum: int
    reserved: int = 0


TABLE = len(Descriptor.__dataclass_fields__)  # address of the first sample's address


@dataclass(frozen=True)
class Set:
    """Samples as they lie in the memory: the descriptor, and the words behind it."""

    descriptor: Descriptor
    words: np.ndarray

    @classmethod
    def of(cls, config: CoreConfig, x_train, y_train, x_test, y_test, room: int) -> Set:
        """Pack samples of raw inputs and their labels for a memory of so many words.

        Raises
        ------
        InputError
            They do not fit: how many do.
        """
        x = samples_of(np.concatenate([x_train, x_test]), config.inputs, config.x.max)
        y = optional_labels([*map(int, y_train), *map(int, y_test)], config.classes, len(x))
        packed = [
            data
            for at in range(0, len(x), PACKED)
            for data in protocol.packed_samples(
                x[at : at + PACKED], y[at : at + PACKED], config.input.bits
            )
        ]
        sizes = np.array([-(-len(data) // protocol.WORD) for data in packed])
        first = TABLE + len(x) + 1
        if first + sizes.sum() > room:
            fit = int((TABLE + 1 + np.cumsum(1 + sizes) <= room).sum())
            raise InputError(
                f"the samples must fit the board's memory of {room * protocol.WORD // 1024:,} KiB: "
                f"{len(x_train):,} to learn and {len(x_test):,} to test need "
                f"{-(-protocol.WORD * int(first + sizes.sum()) // 1024):,} KiB; the first "
                f"{fit:,} fit (--samples, --test)"
            )
        starts = first + np.cumsum([0, *sizes])
        body = b"".join(
            data.ljust(protocol.WORD * size, b"\0")
            for data, size in zip(packed, sizes, strict=True)
        )
        words = np.concatenate([starts.astype("<u4"), np.frombuffer(body, "<u4")])
        checksum = zlib.crc32(words.tobytes())
        return cls(
            Descriptor(
                MAGIC,
                config.inputs,
                config.input.bits,
                len(x_train),
                len(x_test),
                len(words),
                checksum,
            ),  # fmt: skip
            words,
        )


def words_of(board: Board) -> int:
    """Words of the board's memory for samples.

    Raises
    ------
    InputError
        It has none.
    """
    if board.config.recurrent:
        raise InputError("layer.kind must be 'dense' for samples in a board's memory: no sequences")
    if not board.identity.memory:
        raise InputError(
            "the board must have a memory for samples, and was built without: `hebbware build "
            "--memory KIB`"
        )
    return board.identity.memory * 1024 // protocol.WORD


def get(board: Board, register: BoardRegister) -> int:
    """Number in a register of what plays the samples."""
    (value,) = board.command(BOARD, BoardSpace.READ_REGISTER, register, [0])
    return int(value) & 0xFFFFFFFF


def put(board: Board, register: BoardRegister, value: int) -> None:
    """Write such a register."""
    board.command(BOARD, BoardSpace.WRITE_REGISTER, register, [value])


def _pages(board: Board, address: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Parts of a range of words that commands reach: address there, first and end in the range."""
    done = 0
    while done < count:
        page, at = divmod(address + done, 1 << ADDRESS_BITS)
        end = min(count, done + (1 << ADDRESS_BITS) - at)
        put(board, BoardRegister.PAGE, page)
        yield at, done, end
        done = end


def read(board: Board, address: int, count: int) -> np.ndarray:
    """Words of the memory, as uint32."""
    parts = [
        board.command(BOARD, BoardSpace.READ_WORD, at, [0] * (end - start))
        for at, start, end in _pages(board, address, count)
    ]
    return (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32)


def write(
    board: Board, address: int, words: np.ndarray, progress: Callable[[int], None] | None = None
) -> None:
    """Write words of the memory, at consecutive addresses."""
    for at, start, end in _pages(board, address, len(words)):
        _write_page(board, at, words[start:end], progress)


def clear(board: Board, address: int, count: int) -> None:
    """Erase the blocks that begin in a range of words; in a memory without, their first word is."""
    step = protocol.BLOCK_WORDS
    for place in range(-(-address // step) * step, address + count, step):
        write(board, place, np.array([protocol.ERASE]))


def _write_page(board: Board, address: int, words: np.ndarray, progress) -> None:
    sizes = []

    def requests():
        start = 0
        while start < len(words):
            part = words[start : start + (board.room - protocol.HEAD) // protocol.WORD]
            head = pack(BOARD, BoardSpace.WRITE_WORD, address + start) & 0xFFFFFFFF
            sizes.append(len(part))
            data = np.asarray(part).astype("<u4").tobytes()
            yield Message.COMMAND, head.to_bytes(protocol.HEAD, "little") + data, 0
            start += len(part)

    for _ in board.exchange(requests()):
        if progress:
            progress(sizes.pop(0))


def checksum(board: Board, words: int) -> int:
    """CRC-32 of so many words behind the descriptor, as the board forms it."""
    put(board, BoardRegister.TABLE, TABLE)
    put(board, BoardRegister.SUM, words)
    _await(board)
    return get(board, BoardRegister.SUM)


def load(board: Board, samples: Set, progress: Callable[[int], None] | None = None) -> None:
    """Write a set into the board's memory: it counts once all of it is there.

    Raises
    ------
    InputError
        The board has no such memory, or its checksum is another one afterwards.
    """
    words_of(board)
    clear(board, 0, TABLE + len(samples.words))
    write(board, TABLE, samples.words, progress)
    found = checksum(board, len(samples.words))
    if found != samples.descriptor.checksum:
        raise InputError(
            f"the checksum of the board's memory must be {samples.descriptor.checksum:08x} after "
            f"loading, not {found:08x}: the memory is faulty"
        )
    write(board, 0, np.array(astuple(samples.descriptor)))


def loaded(board: Board) -> Descriptor:
    """What lies in the board's memory.

    Raises
    ------
    InputError
        The board has no such memory, there is no set in it, one of other inputs, or one whose
        checksum is wrong.
    """
    words_of(board)
    found = Descriptor(*map(int, read(board, 0, TABLE)))
    if found.magic != MAGIC:
        raise InputError(
            "the board's memory must hold samples, and holds none: `hebbware board load`"
        )
    own = board.config.inputs, board.config.input.bits
    if (found.inputs, found.bits) != own:
        raise InputError(
            f"the samples in the board's memory must have {own[0]} inputs of {own[1]} bits, not "
            f"{found.inputs} of {found.bits}: `hebbware board load`"
        )
    formed = checksum(board, found.words)
    if formed != found.checksum:
        raise InputError(
            f"the checksum of the samples in the board's memory must be {found.checksum:08x}, not "
            f"{formed:08x}: `hebbware board load`"
        )
    return found


@dataclass(frozen=True)
class Played:
    """Samples played, those of them that were right, and clocks from the first to the last."""

    samples: int
    right: int
    clocks: int


def play(
    board: Board, first: int, count: int, *, key: int, learn: bool,
    progress: Callable[[int], None] | None = None,
) -> Played:  # fmt: skip
    """Let the board pass samples of its memory, and wait for it.

    Parameters
    ----------
    first, count : int
        The samples: so many from that one on.
    key : int
        Of their order (`hebbware.golden.arithmetic.permutation.permuted`).
    learn : bool
        Else they are only classified.
    progress : callable, optional
        Called with the number of samples passed since the last call.
    """
    put(board, BoardRegister.TABLE, TABLE + first)
    put(board, BoardRegister.COUNT, count)
    put(board, BoardRegister.HALF, half_bits(count))
    put(board, BoardRegister.KEY, key)
    put(board, BoardRegister.RUN, 1 | learn << 1)
    _await(board, progress)
    done, right, clocks = (
        get(board, register)
        for register in (BoardRegister.DONE, BoardRegister.RIGHT, BoardRegister.CLOCKS)
    )
    return Played(done, right, clocks)


def _await(board: Board, progress: Callable[[int], None] | None = None) -> None:
    """Wait until the board plays no more."""
    before = 0
    while get(board, BoardRegister.RUN):
        if progress:
            done = get(board, BoardRegister.DONE)
            progress(done - before)
            before = done
        if not hasattr(board.line, "monotonic"):
            time.sleep(POLL)
    if progress:
        progress(get(board, BoardRegister.DONE) - before)
