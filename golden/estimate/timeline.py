"""When each pass of a sample is under way: the schedule itself, watched."""

from dataclasses import dataclass, replace

from ..config import CoreConfig
from ..program.program import done_latency, start_clocks
from ..timing.schedule import Schedule
from .estimate import _Busy, _inputs

SOFTMAX, RESULTS, LOADER = "softmax", "results", "next sample in"


@dataclass(frozen=True)
class Span:
    """Something that is under way; clocks from the end of the sample before.

    Attributes
    ----------
    name : str
        Of the pass, without its layer, or `SOFTMAX`, `RESULTS` or `LOADER`.
    layer : int or None
        Position of the layer of weights, the readout being the last one; None: of none.
    first, last : int
        Clocks in which the first and the last step is issued, or the first and the last word comes.
    done : int
        From this clock on what waits for it may go on.
    waits : tuple of str
        Names of what a pass waits for.
    """

    name: str
    layer: int | None
    first: int
    last: int
    done: int
    waits: tuple[str, ...] = ()


class _Watched(Schedule):
    """A schedule that keeps the spans of the sample at hand."""

    spans: list[Span]

    def load(self, index, x=None):
        first = max(self.last_word + 1, self.banks[index % 2])
        full = super().load(index, x)
        self.loaded = Span(LOADER, None, first, full - 1, full)
        return full

    def _issued(self, made, first, last):
        super()._issued(made, first, last)
        p, done = made.of, last + done_latency(self.config, made.of.walk)
        self.spans.append(
            Span(p.name.rstrip("0123456789"), p.layer, first, last, done, tuple(p.waits))
        )

    def _errors(self, made, arrived):
        begun = max(arrived, self.softmax_free)
        finished = super()._errors(made, arrived)
        self.spans.append(Span(SOFTMAX, made.of.layer, begun, finished - 1, finished))
        return finished

    def _put_out(self, made, offered):
        super()._put_out(made, offered)
        words = self.moved[-self.config.classes - 1 :]
        self.spans.append(Span(RESULTS, None, words[0], words[-1], words[-1]))


def timeline(config: CoreConfig, nonzero: int, learn: bool = True) -> tuple[list[Span], int]:
    """Spans of one sample in a long sequence of equal ones, and the clocks that it takes.

    Errors are other than zero, streams never pause: clocks are those of
    `hebbware.golden.estimate.estimate.clocks_per_sample`. The loader's span is that of the sample
    after it.

    Parameters
    ----------
    config : CoreConfig
        Of samples, not of sequences.
    nonzero : int
        Non-zero inputs of each sample.
    learn : bool
    """
    schedule = _Watched(_Busy(config))
    schedule.free = schedule.latest = start_clocks(config)
    count = (config.memory.window if config.memory.windowed else 0) + 6
    x, label = _inputs(config, nonzero), 0 if learn else None
    full = schedule.load(0, x)
    for index in range(count):
        begin, schedule.spans = schedule.free, []
        schedule.sample(x, label, full)
        schedule.release(index)
        full = schedule.load(index + 1, x)
    spans = [*schedule.spans, schedule.loaded]
    moved = [
        replace(s, **{key: int(getattr(s, key) - begin) for key in ("first", "last", "done")})
        for s in spans
    ]
    return sorted(moved, key=lambda span: span.first), int(schedule.free - begin)
