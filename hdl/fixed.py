"""Fixed-point values in hardware: shapes over golden's `Format`, rounding and saturation by method.

`Fixed(fmt)` is a shape; signals of it are `FixedValue`. Sums and products are exact (their format
grows); precision or range is only lost where `round_to`, `shift_round` or `saturate` says so, and
assigning a value that does not fit is an error.
"""

from amaranth.hdl import Cat, Const, Mux, Shape, ShapeCastable, Signal, Value, ValueCastable

from ..golden.fixed import Format


class Fixed(ShapeCastable):
    """The shape of a fixed-point number.

    Parameters
    ----------
    fmt : Format
    """

    def __init__(self, fmt: Format):  # `format` is Amaranth's name for how a shape is printed
        if not isinstance(fmt, Format):
            raise TypeError(f"fmt must be a Format, not {fmt!r}")
        self.fmt = fmt

    def as_shape(self):
        return Shape(self.fmt.width, self.fmt.signed)

    def const(self, init):
        """A raw integer (None is 0) as a constant; must be in range."""
        init = init or 0
        if not self.fmt.min <= init <= self.fmt.max:
            raise ValueError(f"raw value must lie in {self.fmt.min}..{self.fmt.max}, not {init!r}")
        return Const(init, self.as_shape())

    def __call__(self, value):
        return FixedValue(self.fmt, value)

    def from_bits(self, raw):
        value = (
            raw - (1 << self.fmt.width) if self.fmt.signed and raw >> (self.fmt.width - 1) else raw
        )
        return self.const(value)

    def __eq__(self, other):
        return isinstance(other, Fixed) and self.fmt == other.fmt

    def __hash__(self):
        return hash(self.fmt)

    def __repr__(self):
        return f"Fixed({self.fmt})"


class FixedValue(ValueCastable):
    """A fixed-point number in a circuit; `raw` is its integer."""

    def __init__(self, format: Format, raw):
        self.format = format
        self.raw = Value.cast(raw)

    def shape(self):
        return Fixed(self.format)

    def as_value(self):
        return self.raw

    def eq(self, other):
        """Assign; both formats must have the same fraction and `other` must fit."""
        if not isinstance(other, FixedValue):
            raise TypeError(f"a fixed-point value must be assigned from another, not {other!r}")
        ours, theirs = self.format, other.format
        if ours.fraction != theirs.fraction or theirs.min < ours.min or theirs.max > ours.max:
            raise TypeError(
                f"assigning {theirs} to {ours} would lose bits: round_to or saturate it first"
            )
        return self.raw.eq(other.raw)

    def _aligned(self, other):
        fraction = max(self.format.fraction, other.format.fraction)
        pair = [v.raw << (fraction - v.format.fraction) for v in (self, other)]
        ranges = [
            (
                v.format.min << (fraction - v.format.fraction),
                v.format.max << (fraction - v.format.fraction),
            )
            for v in (self, other)
        ]
        return fraction, pair, ranges

    def __add__(self, other):
        fraction, (a, b), ((al, ah), (bl, bh)) = self._aligned(other)
        return _exact(a + b, al + bl, ah + bh, fraction)

    def __sub__(self, other):
        fraction, (a, b), ((al, ah), (bl, bh)) = self._aligned(other)
        return _exact(a - b, al - bh, ah - bl, fraction)

    def __mul__(self, other):
        ours, theirs = self.format, other.format
        corners = [x * y for x in (ours.min, ours.max) for y in (theirs.min, theirs.max)]
        return _exact(
            self.raw * other.raw, min(corners), max(corners), ours.fraction + theirs.fraction
        )

    def round_to(self, fraction: int) -> "FixedValue":
        """Nearest value with `fraction` fraction bits, half up; exact if that is more bits."""
        drop = self.format.fraction - fraction
        half = 1 << drop >> 1 if drop > 0 else 0
        low, high = (
            (v + half) >> drop if drop > 0 else v << -drop
            for v in (self.format.min, self.format.max)
        )
        return _exact(shift_round(self.raw, drop), low, high, fraction)

    def saturate(self, format: Format) -> "FixedValue":
        """Clipped to the range of `format`, which must have the same fraction."""
        if format.fraction != self.format.fraction:
            raise TypeError(
                f"saturating {self.format} to {format} changes the fraction: round_to it first"
            )
        return FixedValue(format, saturate(self.raw, format))


def _exact(raw, low, high, fraction):
    signed_ = low < 0
    width = max(int(high).bit_length(), int(~low).bit_length() if signed_ else 0) + signed_
    format = Format(max(width, 1), fraction, signed_)
    # Amaranth's own growth is at least as wide; the cut drops copies of the sign only
    raw = Value.cast(raw)[: format.width] if len(raw) > format.width else raw
    return FixedValue(format, raw.as_signed() if signed_ else raw.as_unsigned())


# -- the same operations on plain integers, for shifts that are known only at run time -------------


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
