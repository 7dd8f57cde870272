"""Requests to a board, a window of them on their way, each repeated until it is answered.

Source of all sizes and layouts: `hebbware.boards.protocol`.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .. import protocol
from ..protocol import Message

TIMEOUT = 2.0  # seconds for a reply, at most, before the request is sent again
BROKEN = 0.02  # seconds to wait for another after a broken one
TRIES = 50  # of a request, before the link counts as lost
GREETINGS = 5  # of the first one, before the port counts as one without a board
SMALLEST = 64  # bytes of a payload that a disturbed line brings requests down to


class LinkLost(ConnectionError):
    """The board answered before, and does no more."""


@dataclass
class _Sent:
    """A request on its way; `reply` is the payload of what came back."""

    message: int
    sequence: int
    wire: bytes
    answer: int
    at: float
    again: bool = False
    reply: bytes | None = None

    @property
    def long(self) -> bool:
        """Whether its reply is kept only until the next request."""
        return self.answer > protocol.SHORT

    def is_answered_by(self, found: tuple[int, int, bytes]) -> bool:
        return found[:2] == (self.message, self.sequence) and len(found[2]) == self.answer


class Requests:
    """Sends requests over a line and gives their replies in turn.

    As many requests are on their way as the board keeps replies of, and as bytes may wait there;
    one with a long reply goes alone. Where a reply is missing, all that have none are sent again:
    the board carries out each request once, in turn (`hebbware.boards.protocol`).

    Parameters
    ----------
    line : serial.Serial
        Or anything with its ``read``, ``write``, ``in_waiting``, ``close``; one with a method
        ``monotonic`` has its own time.
    timeout : float
        Most seconds to wait for a reply.
    tries : int
        How often a request is sent before the link counts as lost.

    Attributes
    ----------
    repeated : int
        Requests that were sent again.
    bytes_sent, bytes_received : int
    """

    def __init__(self, line, *, timeout: float = TIMEOUT, tries: int = TRIES):
        self.line, self.timeout, self.tries = line, timeout, tries
        self.repeated = self.bytes_sent = self.bytes_received = 0
        self._now = getattr(line, "monotonic", time.monotonic)
        self._sequence = random.randrange(256)
        self._rest = b""
        self._usual = 0.1  # seconds that replies take
        self._most = protocol.largest_payload(protocol.BUFFERS[0])
        self._room = self._most
        self._window, self._waiting = 1, 0

    def widen(self, buffer: int, queue: int) -> None:
        """From now on the board's buffers have so many bytes, and so many may wait there."""
        self._room = self._most = protocol.largest_payload(buffer)
        self._window, self._waiting = protocol.window(buffer), queue

    @property
    def room(self) -> int:
        """Bytes to put into a payload: the most that fits, fewer where requests get lost."""
        return min(self._room, self._most)

    @property
    def patience(self) -> float:
        """Seconds to wait for a reply before its request is sent again: what is usual, and more."""
        return min(self.timeout, 0.1 + 4 * self._usual)

    def ask(self, message: Message, payload: bytes, answer: int) -> bytes:
        """The payload of the reply to a request, which is sent until it is answered.

        Raises
        ------
        LinkLost
            No reply came, however often it was sent.
        """
        (reply,) = self.exchange([(message, payload, answer)])
        return reply

    def exchange(self, requests: Iterable[tuple[Message, bytes, int]]) -> Iterator[bytes]:
        """The payloads of the replies to requests, in turn; each is sent until it is answered.

        Parameters
        ----------
        requests : iterable
            Of message, payload and bytes of the answer's payload. The next one is asked for as
            soon as it can be sent.

        Raises
        ------
        LinkLost
            No reply came, however often they were sent.
        """
        requests, flight, following, tried = iter(requests), deque(), None, 0
        while True:
            came = False
            patience = min(self.patience * 2**tried, self.timeout)
            replies = self._replies(patience)
            while True:
                while flight and flight[0].reply is not None:
                    yield flight.popleft().reply
                following = self._fill(requests, flight, following)
                if not flight:
                    return
                found = next(replies, None)
                if found is None:
                    break
                came |= self._match(flight, found)
            tried = 0 if came else tried + 1
            if tried == self.tries:
                raise LinkLost(f"the board does not answer ({self.tries} tries)")
            self._repeat(flight)

    def _fill(self, requests, flight, following):
        """Send what may be sent; the request that has to wait, or None."""
        while True:
            following = following or next(requests, None)
            if following is None or not self._may_follow(flight, following):
                return following
            message, payload, answer = following
            flight.append(self._frame(message, payload, answer))
            self._send(flight[-1].wire)
            following = None

    def _may_follow(self, flight, following) -> bool:
        if not flight:
            return True
        _, payload, answer = following
        if answer > protocol.SHORT or flight[-1].long or len(flight) >= self._window:
            return False
        bytes_all = sum(len(sent.wire) for sent in flight) + protocol.framed(len(payload))
        return bytes_all <= self._waiting

    def _frame(self, message, payload, answer) -> _Sent:
        from cobs import cobs

        self._sequence = (self._sequence + 1) % 256
        frame = cobs.encode(protocol.request(message, self._sequence, payload, answer))
        wire = b"\0" + frame + b"\0"  # the first ends whatever a disturbed line left behind
        return _Sent(message, self._sequence, wire, answer, self._now())

    def _match(self, flight, found) -> bool:
        """Whether a reply is that of a request on its way: it is kept there."""
        for number, sent in enumerate(flight):
            if sent.reply is None and sent.is_answered_by(found):
                sent.reply = found[2]
                self._learn_from(sent.again, self._now() - sent.at)
                # replies come in turn: those before are lost
                self._repeat(before for before in list(flight)[:number] if not before.again)
                return True
        return False

    def _repeat(self, requests: Iterable[_Sent]) -> None:
        """Send those again that have no reply."""
        for sent in requests:
            if sent.reply is None:
                self.repeated += 1
                sent.again, sent.at = True, self._now()
                self._send(sent.wire)

    def _learn_from(self, repeats: int, seconds: float) -> None:
        """Adapt to the line: patience to what replies take, requests' size to what gets through."""
        self._usual += (seconds - self._usual) / 8
        if repeats:
            self._room = max(self._room // 2, SMALLEST)
        else:
            self._room = min(self._room + self._room // 16, protocol.BUFFERS[1])

    def _send(self, wire: bytes) -> None:
        try:
            self.line.write(wire)
        except OSError as error:  # SerialException is one
            raise LinkLost(f"the serial port failed: {error}") from None
        self.bytes_sent += len(wire)

    def _replies(self, patience: float) -> Iterator[tuple[int, int, bytes]]:
        """The sound replies that come in, until the line was silent or noisy for too long."""
        from cobs import cobs

        last = self._now() + 10 * patience  # of noise without end
        until = self._now() + patience
        while True:
            try:
                got = self.line.read(max(1, self.line.in_waiting))
            except OSError as error:
                raise LinkLost(f"the serial port failed: {error}") from None
            if not got:
                if self._now() >= until:
                    return
                continue
            self.bytes_received += len(got)
            *frames, self._rest = (self._rest + got).split(b"\0")
            self._rest = self._rest[-2 * protocol.BUFFERS[1] :]
            broken = False
            for frame in filter(None, frames):
                try:
                    found = protocol.read_reply(cobs.decode(frame))
                except cobs.DecodeError:
                    found = None
                if found:
                    yield found
                    last = self._now() + 10 * patience
                else:  # refused, or a broken reply: do not wait for another
                    broken = True
            until = self._now() + (BROKEN if broken else patience)
            if self._now() >= last:
                return
