"""Proofs: COBS and the serial line lose no byte and make none up."""

import pytest
from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbware.boards.link import cobs, uart
from hebbware.cosim.proofs import prove, prove_all

pytestmark = pytest.mark.usefixtures("yosys")


# -- COBS -----------------------------------------------------------------------------------------


class RoundTrip(wiring.Component):
    """What the encoder writes of any bytes, at most `most`, the decoder gives back.

    Bytes come whenever `put` is high and the encoder is ready, the end when `finish` is. `reached`
    where all bytes have come back.
    """

    def __init__(self, most, encoder=cobs.Encoder, decoder=cobs.Decoder):
        self.most = most
        self.depth = depth = 2 << (most + 2).bit_length()
        self.encoder, self.decoder = encoder(depth, first=depth - 2), decoder()
        ports = {"byte": In(8), "put": In(1), "finish": In(1)}
        super().__init__(ports | {"ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder, m.submodules.decoder = encoder, decoder = self.encoder, self.decoder
        written = Array(Signal(8, name=f"written_{n}") for n in range(self.depth))
        bytes_ = Array(Signal(8, name=f"byte_{n}") for n in range(self.most + 1))
        count, back = Signal(range(self.most + 1)), Signal(range(self.most + 2))
        at, wrong, ended = Signal(range(self.depth)), Signal(), Signal()
        with m.If(encoder.write):
            m.d.sync += written[encoder.address].eq(encoder.value)
        m.d.comb += [
            encoder.byte.eq(self.byte),
            decoder.byte.eq(written[at]),
            self.ok.eq(~wrong & (~ended | (back == count))),
            self.reached.eq(ended & (count == self.most)),
        ]
        with m.FSM():
            with m.State("START"):
                m.d.comb += encoder.start.eq(1)
                m.next = "PUT"
            with m.State("PUT"):
                with m.If(self.put & encoder.ready & (count != self.most)):
                    m.d.comb += encoder.put.eq(1)
                    m.d.sync += [bytes_[count].eq(self.byte), count.eq(count + 1)]
                with m.Elif(self.finish & (count != 0)):
                    m.d.comb += encoder.finish.eq(1)
                    m.next = "DELIMIT"
            with m.State("DELIMIT"):
                m.d.comb += [encoder.finish.eq(1), decoder.start.eq(1)]
                m.d.sync += at.eq(encoder.first)
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.comb += decoder.take.eq(1)
                m.d.sync += at.eq(at + 1)
                with m.If(decoder.put):
                    m.d.sync += back.eq(back + 1)
                    given = Mux(decoder.zero, 0, decoder.byte)
                    m.d.sync += wrong.eq((back == count) | (given != bytes_[back]))
                with m.If(decoder.byte == 0):
                    m.d.sync += ended.eq(1)
                    with m.If(~decoder.end | ~decoder.complete | decoder.put):
                        m.d.sync += wrong.eq(1)
                    m.next = "END"
                with m.If(wrong):
                    m.next = "END"
            with m.State("END"):
                m.d.sync += wrong.eq(wrong)
        return m


def clocks_of(most, block):
    """Clocks in which `most` bytes go there and back without pauses, and two more."""
    closings = most // block
    return 1 + most + closings + 2 + (most + closings + 2) + 2


ROUND_TRIPS = [
    (2, 3),
    # half a minute each
    *(pytest.param(*p, marks=pytest.mark.slow) for p in [(254, 3), (254, 5), (3, 5), (1, 4)]),
]


@pytest.mark.parametrize(("block", "most"), ROUND_TRIPS)
def test_cobs_gives_back_what_it_was_given(monkeypatch, block, most):
    """Every sequence of 1 to `most` bytes; short blocks fill up as those of 254 bytes do."""
    monkeypatch.setattr(cobs, "BLOCK", block)
    assert prove(RoundTrip(most), clocks=clocks_of(most, block)).holds


class NoJoint(cobs.Decoder):
    """Takes the zero between blocks for one where the block was full."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.put.eq(self.byte != 0)
        return m


class Late(cobs.Encoder):
    """Writes a zero beside the code byte of the block that it ends."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.put & (self.byte == 0) & (self.place[0] == 1)):
            m.d.comb += self.address.eq(self.place)
        return m


class Cuts(cobs.Encoder):
    """Loses the highest bit of a code byte that ends a full block."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(~self.ready):
            m.d.comb += self.value.eq(1)
        return m


@pytest.mark.parametrize("fault", [{"decoder": NoJoint}, {"encoder": Late}, {"encoder": Cuts}])
def test_faults_of_cobs_are_found(monkeypatch, fault):
    monkeypatch.setattr(cobs, "BLOCK", 2)
    assert not prove(RoundTrip(3, **fault), clocks=clocks_of(3, 2)).holds


# -- serial line ----------------------------------------------------------------------------------


class Heard(wiring.Component):
    """A byte on the line, sent with bits of another length, is received, and no other.

    The sender's bits take `length` parts of a clock of which a clock has `parts`; they begin
    `phase` parts before a clock. It begins at once: a receiver that waits does not change.
    `reached` where the byte is over.
    """

    def __init__(self, divisor, length, parts=1, phase=0, receiver=uart.Receiver):
        self.length, self.parts, self.phase = length, parts, phase
        self.receiver = receiver(divisor)
        super().__init__({"byte": In(8), "ok": Out(1), "reached": Out(1)})

    @property
    def clocks(self):
        """Until the byte is over."""
        return 10 * self.length // self.parts + 10

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = self.receiver
        sent, bits, heard = Signal(8), Signal(10, init=1), Signal(2)
        clock = Signal(range(self.clocks + 1))
        edges = [(n * self.length - self.phase) // self.parts + 1 for n in range(1, 10)]
        m.d.comb += [receiver.rx.eq(bits[0]), receiver.bytes.ready.eq(1)]
        m.d.sync += clock.eq(clock + 1)
        with m.If(clock == 0):
            m.d.sync += [sent.eq(self.byte), bits.eq(Cat(0, self.byte, 1))]
        with m.Elif(Cat(clock == edge for edge in edges).any()):
            m.d.sync += bits.eq(Cat(bits[1:], 1))
        with m.If(receiver.bytes.valid):
            m.d.sync += heard.eq(heard + 1)
        m.d.comb += [
            self.reached.eq(clock == self.clocks - 1),
            self.ok.eq(
                (~receiver.bytes.valid | ((receiver.bytes.payload == sent) & (heard == 0)))
                & (~self.reached | (heard == 1))
            ),
        ]
        return m


class Told(wiring.Component):
    """Bytes that a sender takes come out of a receiver of the same speed, in order.

    Without `pauses` a byte is always on offer. `reached` where two have come.
    """

    def __init__(self, divisor, *, pauses=False, sender=uart.Sender):
        self.pauses, self.sender, self.receiver = pauses, sender(divisor), uart.Receiver(divisor)
        super().__init__({"byte": In(8), "valid": In(1), "ok": Out(1), "reached": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.sender, m.submodules.receiver = sender, receiver = self.sender, self.receiver
        m.d.comb += [
            receiver.rx.eq(sender.tx),
            receiver.bytes.ready.eq(1),
            sender.bytes.payload.eq(self.byte),
            sender.bytes.valid.eq(self.valid | (not self.pauses)),
        ]
        taken, come = Signal(2), Signal(2)
        kept = Array(Signal(8, name=f"kept_{n}") for n in range(4))
        with m.If(sender.bytes.valid & sender.bytes.ready & (taken != 3)):
            m.d.sync += [kept[taken].eq(self.byte), taken.eq(taken + 1)]
        with m.If(receiver.bytes.valid & (come != 3)):
            m.d.sync += come.eq(come + 1)
        right = (come < taken) & (receiver.bytes.payload == kept[come])
        m.d.comb += [self.ok.eq(~receiver.bytes.valid | right), self.reached.eq(come == 2)]
        return m


def heard(divisor, length, parts=1, **options):
    """Whether a byte is received whatever its phase."""
    props = {phase: Heard(divisor, length, parts, phase, **options) for phase in range(parts)}
    proofs = prove_all(props, clocks=props[0].clocks)
    return all(proof.holds for proof in proofs.values())


def test_every_byte_on_the_line_is_received():
    assert heard(4, 4)


@pytest.mark.slow  # a minute
def test_every_byte_is_received_at_five_clocks_a_bit():
    assert heard(5, 5)


@pytest.mark.slow  # a minute or two each
@pytest.mark.parametrize(
    ("divisor", "length", "parts"), [(4, 63, 16), (4, 66, 16), (8, 31, 4), (8, 33, 4)]
)
def test_senders_of_another_speed_are_received(divisor, length, parts):
    """Bits 1.6 % shorter and 3.1 % longer at four clocks a bit, 3.1 % both at eight."""
    assert heard(divisor, length, parts)


@pytest.mark.slow  # a minute
def test_a_sender_too_fast_is_not_received():
    """Bits 3.1 % shorter at four clocks a bit: sampling is late by up to a clock."""
    assert not heard(4, 62, 16)


def test_bytes_sent_are_received():
    """Two, one directly behind the other."""
    assert prove(Told(4), clocks=94).holds


@pytest.mark.slow  # a minute
def test_bytes_sent_with_pauses_are_received():
    assert prove(Told(4, pauses=True), clocks=95).holds


class Repeats(uart.Receiver):
    """Offers a byte with its highest bit set twice."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        late = Signal()
        m.d.sync += late.eq(self.bytes.valid)
        with m.If(self.bytes.valid & ~late & self.bytes.payload[7]):
            m.d.sync += self.bytes.valid.eq(1)
        return m


def test_faults_of_the_line_are_found():
    assert not heard(4, 4, receiver=Repeats)
    assert not heard(4, 4, receiver=lambda divisor: uart.Receiver(divisor + 1))
    assert not prove(Told(4, sender=lambda divisor: uart.Sender(divisor + 1)), clocks=94).holds
