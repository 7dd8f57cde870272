"""Error sources: the components from which learning takes its errors."""

from amaranth.hdl import signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.program.passes import errors_of
from ..shapes import index
from ..trace import trace_ports


def take(target, source, *names) -> list:
    """Statements that connect the members `names` of `target` to those of `source`."""
    return [getattr(target, name).eq(getattr(source, name)) for name in names]


class ErrorSource(wiring.Component):
    """Component that turns similarities and scores into errors.

    A job is a hidden layer, whose similarities (projected activations, where the memory is a
    reservoir) arrive row after row, or the readout (job = number of hidden layers), whose scores
    do. Errors are kept per job until the job runs again.

    Parameters
    ----------
    config : CoreConfig
    rows : int
        Number of rows of a hidden layer or of the readout, whichever has more.
    value : int
        Bits of an arriving value.
    error : int
        Bits of an error.
    others : dict, optional
        Members of this source alone. Inputs are connected to what the core offers under the same
        name, see `hebbware.hdl.core`.
    traces : sequence of str
        Its trace ports besides that of the softmax errors, by name.

    Members
    -------
    arrive : In(1)
        `value` of `row` of `job` is here; `last` with the last row.
    learn : In(1)
        Arriving scores are wanted as errors too.
    label : In
        Class of the sample; must be stable while jobs run.
    done : Out, one bit for each job
        High for one clock; the job's errors are complete in the next.
    query_job, query_row : In
        Error to read; `error` follows a clock later.
    jacobians : Out, array over hidden layers
        Scalar of the direction's second term: ``sum_c e_c k_c`` of the layer's job.
    counts : Out, array over jobs
        How many errors of the job are not zero; valid in the clock of `done`.
    list_job, list_entry : In
        Entry of the list of errors that are not zero; `list_row`, its row, follows one clock later.
    trace_en, trace_job, trace_row, trace_error : Out
        Each softmax error as it is written.
    """

    similarities = True  # takes the values of hidden layers, not only scores

    def __init__(self, config, *, rows, value, error, others=None, traces=()):
        self.config, self.others, self.traces = config, others or {}, traces
        self.jobs = len(config.hidden) + 1
        self.readout = self.jobs - 1
        self.count_width = rows.bit_length()
        jobs, classes, rows = range(self.jobs), range(config.classes), index(rows)
        super().__init__(
            {
                "arrive": In(1),
                "job": In(jobs),
                "row": In(rows),
                "last": In(1),
                "value": In(signed(value)),
                "learn": In(1),
                "label": In(classes),
                "done": Out(self.jobs),
                "query_job": In(jobs),
                "query_row": In(rows),
                "error": Out(signed(error)),
                "jacobians": Out(config.k.width * self.readout),
                "counts": Out(self.jobs * self.count_width),
                "list_job": In(jobs),
                "list_entry": In(rows),
                "list_row": Out(rows),
                "trace_en": Out(1),
                "trace_job": Out(jobs),
                "trace_row": Out(classes),
                "trace_error": Out(signed(config.e.width)),
            }
            | self.others
            | {name: port for name, port in trace_ports(config).items() if name in traces}
        )

    @classmethod
    def check(cls, config):
        """Raise `InputError` where this source has no hardware for the configuration."""

    @property
    def memory_row(self):
        """Row of the class memory that the sample is written to."""
        return self.label

    def offered(self, available: dict) -> list:
        """Statements that connect the inputs of this source alone; `available` by their names."""
        inputs = [name for name, member in self.others.items() if member.flow is In]
        return [getattr(self, name).eq(available[name]) for name in inputs]

    def count(self, job):
        """How many errors of `job` are not zero."""
        return self.counts.word_select(job, self.count_width)

    def finished(self) -> dict:
        """Flags, by the names under which passes wait for them."""
        return {errors_of(job): self.done[job] for job in range(self.jobs)}

    def events(self) -> dict:
        """Of each trace port: enable, address and data."""
        address = self.trace_job * self.config.classes + self.trace_row
        ports = {name: getattr(self, name) for name in self.traces}
        shown = {name: (port.en, port.address, port.data) for name, port in ports.items()}
        return {"errors": (self.trace_en, address, self.trace_error)} | shown
