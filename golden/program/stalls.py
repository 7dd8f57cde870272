"""When the bench's ends of a stream are willing to move, so that a schedule can be predicted.

**Clock.** Clock `n` (0, 1, 2, ...) is the `n`-th rising edge at which the reset is low. What is
said of clock `n` holds just before that edge; registers have their reset values at clock 0.

**Go.** Each end has a 32-bit xorshift that steps once per clock. It is at its start state at clock
0 and the end *goes* at clock `n` when the lowest 8 bits of the state are at least `stall`, so 0
never stalls and 255 goes once in 256 clocks.

**Sink.** `ready` at clock `n` is `go[n]`, whatever `valid` is. A word moves at the clocks at which
valid and ready are both high.

**Source.** A registered output. Word `i` is *loaded* at the first clock `n` with

- no word on offer, or the word on offer moving at that very clock,
- `go[n]`, and
- if the word has a hold `h`: at least `h` words moved on the named sink at clocks before `n`.

It is offered from clock `n + 1` until the first clock at which the other side is ready: there it
moves. With `T[i]` that clock, `L[i] = first_go[max(T[i - 1], clock after the h-th word)]` and
`T[i]` is the first clock from `L[i] + 1` on at which the other side is ready. The first word can be
loaded at clock 0, hence move at clock 1.
"""

import zlib

import numpy as np

from hebbware.golden.arithmetic.random import seed_state, xorshift_block


def start_state(seed: int, channel: str) -> int:
    """The xorshift state of a channel's end at clock 0: different for each seed and each name."""
    return seed_state(zlib.crc32(f"{seed}:{channel}".encode()))


def go_pattern(state: int, stall: int, clocks: int) -> np.ndarray:
    """Whether an end goes at each of the clocks 0 .. `clocks` - 1.

    Parameters
    ----------
    state : int
        Xorshift state at clock 0, see :func:`start_state`.
    stall : int
        0 (always goes) to 255 (goes once in 256 clocks).
    clocks : int
        Length of the pattern.
    """
    if not 0 <= stall <= 255:
        raise ValueError(f"stall must be from 0 to 255, not {stall!r}")
    states = np.empty(clocks, np.uint32)
    states[:1] = state
    states[1:] = xorshift_block(state, max(clocks - 1, 0))
    return (states & 0xFF) >= stall


def first_go(go: np.ndarray) -> np.ndarray:
    """For each clock the first clock, from it on, at which `go` holds; ``go.size`` if none."""
    at = np.where(go, np.arange(go.size), go.size)
    return np.minimum.accumulate(at[::-1])[::-1]


class End:
    """One end of a stream: when it goes, extended as far as is asked for."""

    def __init__(self, seed, name, stall):
        self.state, self.stall, self.first = start_state(seed, name), stall, np.empty(0, np.int64)

    def go(self, clock):
        """Return the first clock from `clock` on at which the end goes."""
        while clock >= self.first.size or self.first[clock] == self.first.size:
            self.first = first_go(
                go_pattern(self.state, self.stall, max(2 * self.first.size, 2 * clock, 4096))
            )
        return int(self.first[clock])
