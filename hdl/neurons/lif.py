"""Spiking units and all that leaks in a lane, as `hebbware.golden.neurons.spiking`."""

from amaranth.hdl import Array, Module, Mux, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.neurons import spiking
from ...golden.program.layout import kept_width
from ...golden.program.walk import Common, Store
from ..lanes.fixed import saturate
from ..primitives import late
from ..shapes import value_shape
from ..walks.step import is_any, kinds_of


def spikes(config, potential):
    """Whether a potential reaches the threshold, a power of two."""
    low = spiking.threshold(config).bit_length() - 1
    return ~potential[-1] & potential[low:-1].any()


def near(config, potential):
    """The pseudo-derivative."""
    distance = potential - spiking.threshold(config)
    reach = spiking.reach(config)
    return (distance < reach) & (distance > -reach)


class Leaking(data.StructLayout):
    """What a step does to potentials and traces."""

    def __init__(self):
        super().__init__(
            {
                "potential": 1,  # it leaks, and the last spike is taken away
                "inputs": 1,  # a trace takes an input, else a spike
                "seen": 1,  # the trace is what the readout sees
                "rest": 1,  # first tick: all that was before counts as 0
                "odd": 1,  # of blocks
            }
        )


def leaking(config, step):
    """`Leaking` of a step, by field."""
    those = kinds_of(config).those
    return {
        "potential": is_any(step.kind, those(lambda w: w.leaks and Store.A in w.writes)),
        "inputs": is_any(step.kind, those(lambda w: w.leaks and w.common is Common.SOURCE)),
        "seen": is_any(step.kind, those(lambda w: w.leaks and Store.Z in w.writes)),
        "rest": step.rest,
        "odd": step.block[0],
    }


class Lif(wiring.Component):
    """Potential, trace and spike of a lane. One step per clock.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the lane.

    Members
    -------
    step : In
        Stage 5, as all that follows.
    potential, kept, arriving : In
        Potential; trace, or what the readout sees; input.
    random : In
        Bits of the word for what leaks.
    current : In
        Stage 9: the sum, rounded; `u`, `trace` and `spike` in the same stage.
    u, trace : Out
    spike : Out(1)
    """

    def __init__(self, config, number):
        self.config, self.number = config, number
        super().__init__(
            {
                "step": In(Leaking()),
                "potential": In(signed(config.u.width)),
                "kept": In(signed(kept_width(config))),
                "arriving": In(value_shape(config)),
                "random": In(32),
                "current": In(signed(config.u.width)),
                "u": Out(signed(config.u.width)),
                "trace": Out(signed(kept_width(config))),
                "spike": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cfg, step = self.config, self.step
        # stage 5
        spike = spikes(cfg, self.potential) & ~(step.rest & ~step.seen)
        old = Mux(step.rest & step.potential, 0, self.potential)
        trace = Mux(step.rest, 0, self.kept)
        one = 1 << cfg.trace.fraction
        arriving = Mux(
            step.inputs,
            self.arriving << cfg.trace.fraction - cfg.source(0).fraction,
            Mux(spike, Mux(step.seen, 1 << cfg.z.fraction, one), 0),
        )
        both = (cfg.neuron.trace_shift, cfg.neuron.readout_shift)
        lost = [trace + self.random[:shift] >> shift for shift in both]
        # stage 6
        old, lost_v = late(m, old), late(m, self._leak(old))
        fallen = late(m, Mux(spike, spiking.threshold(cfg), 0))
        leaks, seen = late(m, step.potential), late(m, step.seen)
        trace, arriving = late(m, trace), late(m, arriving)
        lost_t = late(m, Mux(step.seen, lost[1], lost[0]))
        # stage 7
        old = late(m, Mux(leaks, old - lost_v - fallen, old))
        trace = late(m, trace - lost_t + arriving)
        seen = late(m, seen)
        # stage 8
        limited = Mux(seen, saturate(trace, cfg.z), saturate(trace, cfg.trace))
        trace, old = late(m, limited, 2), late(m, old, 2)
        # stage 9
        m.d.comb += [
            self.u.eq(saturate(old + self.current, cfg.u)),
            self.trace.eq(trace),
            self.spike.eq(spikes(cfg, self.u)),
        ]
        return m

    def _leak(self, old):
        """What a potential loses: units take turns, where there are two leaks."""
        leaks = spiking.leaks(self.config)
        found = [old * gain + self.random[:shift] >> shift for gain, shift in leaks]
        if leaks[0] == leaks[1]:
            return found[0]
        odd = self.number & 1
        if self.config.lanes & 1:
            return Array(found)[self.step.odd ^ odd]
        return found[odd]
