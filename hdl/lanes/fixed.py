"""Rounding and saturation in hardware; the formats are golden's, numbers are raw integers."""

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from ...golden.arithmetic.fixed import Format


def shift_round(raw, shift: int):
    """``raw * 2**-shift`` to nearest, half up, for a constant shift."""
    raw = Value.cast(raw)
    if shift <= 0:
        return raw << -shift
    return (raw + (1 << (shift - 1))) >> shift


def shift_round_by(raw, shift, low: int = 0):
    """``raw * 2**-(low + shift)`` to nearest, half up, for a run-time unsigned `shift`.

    The shifter keeps one fraction bit more than the result, so that the rounding is one addition
    behind it. A negative `low` is a constant shift to the left.
    """
    raw = Value.cast(raw)
    # one extra bit below keeps the half; (v >> s + 1) >> 1 with v = 2 raw is the rounded quotient
    doubled = (raw << 1) << max(-low, 0)
    moved = doubled >> max(low, 0) >> shift
    return (moved + 1) >> 1


def shift_saturate_by(m, raw, shift, low: int, format: Format, name: str, first: int):
    """``saturate(shift_round_by(raw, shift, low), format)`` of a signed `raw`, in fewer gates.

    Only the bits that can reach the result are shifted, from the largest step of the shift to the
    smallest; each step notes whether what falls off above was more than copies of the sign.

    Latency: one clock; registered behind the `first` steps of the shift. Names begin with `name`.
    """
    raw, sign = Value.cast(raw), Value.cast(raw)[-1]
    keep = format.width + 1  # and the half
    bits = Cat(Const(0, 1 + max(-low, 0)), raw)[max(low, 0) :]
    over = Const(0, 1)
    for n in reversed(range(len(shift))):
        width, step = keep + (1 << n) - 1, 1 << n
        bits = Cat(bits, sign.replicate(max(width + step - len(bits), 0)))
        lost = Signal(name=f"{name}_over_{n}")
        moved = Signal(width, name=f"{name}_by_{step}")
        kept, gone = bits[width:], bits[width + step :]
        m.d.comb += [
            lost.eq(
                over
                | (~shift[n] & (kept != sign.replicate(len(kept))))
                | (gone != sign.replicate(len(gone)) if len(gone) else 0)
            ),
            moved.eq(Mux(shift[n], bits[step : step + width], bits[:width])),
        ]
        bits, over = moved, lost
        if len(shift) - n == min(first, len(shift)):
            behind = {"sign": sign, "shift": shift, "bits": bits, "over": over}
            held = {
                of: Signal(len(v), name=f"{name}_{of}", reset_less=True) for of, v in behind.items()
            }
            m.d.sync += [held[of].eq(v) for of, v in behind.items()]
            sign, shift, bits, over = held.values()
    rounded = Signal(format.width, name=f"{name}_rounded")
    m.d.comb += rounded.eq(bits[1:] + bits[0])
    # the sign does not fit, or rounding carried into it
    over = over | (bits[-1] != sign) | (~sign & rounded[-1])
    limit = Cat((~sign).replicate(format.width - 1), sign)
    return Mux(over, limit, rounded).as_signed()


def saturate(raw, format: Format):
    """`raw` clipped to the range of `format`, with the shape of `format`."""
    raw = Value.cast(raw)
    width = format.width
    if raw.shape().signed:
        if len(raw) < width and format.signed:
            return Cat(raw, raw[-1].replicate(width - len(raw))).as_signed()
        if len(raw) == width and format.signed:
            return raw
        if format.signed:
            fits = (raw[width - 1 :] == 0) | raw[width - 1 :].all()
            limit = Cat(~raw[-1].replicate(width - 1), raw[-1])
            return Mux(fits, raw[:width], limit).as_signed()
        over = raw[width:].any() if len(raw) > width else Const(0)
        return Mux(raw[-1], 0, Mux(over, format.max, raw[:width]))[:width]
    keep = width - format.signed
    over = raw[keep:].any() if len(raw) > keep else Const(0)
    clipped = Mux(over, format.max, raw[:keep])[:keep]
    return Cat(clipped, Const(0, 1)).as_signed() if format.signed else clipped
