"""What place and route is doing, from lines that nextpnr printed."""

import pytest

from hebbware.boards.watch import doing
from hebbware.cosim import tools
from hebbware.golden.errors import ToolError


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Info: Packing carries...", "packing"),
        ("Info: Creating initial analytic placement for 3480 cells, random placement wirelen = 9.",
         "placing"),
        ("Info: iter=3 steplen=0.780095 a=2.749791 penalty=[0.00, 0.00, 0.00, 0.00]",
         "placing, round 3"),
        ("Info:     at iteration #4, type ALL: wirelen solved = 4527, spread = 15503, "
         "legal = 19606; time = 0.25s", "placing, round 4: wires of 19,606 in all"),
        ("Info: Strict legalising 63077 cells...", "placing: 63,077 cells to where there are some"),
        ("Info:   at iteration #5: temp = 0.000000, timing cost = 702, wirelen = 568358",
         "placing, refinement 5: wires of 568,358 in all"),
        ("Info: Routing..", "routing"),
        ("Info:     iter=1 wires=49117 overused=2789 overuse=3386 archfail=NA",
         "routing, round 1: 2,789 overused wires left"),
        ("Info:       6000 |      688       5123 |  198   746 |      6522|       0.31       2.88|",
         "routing: 6,522 connections left"),
        ("Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|",
         None),
        ("Warning: 3 of 5", None),
        ("", None),
    ],
)  # fmt: skip
def test_lines(line, text):
    assert doing(line) == text


def test_lines_of_a_program_are_watched_and_logged(tmp_path):
    log, seen = tmp_path / "log", []
    script = "echo one; echo two >&2; exit 3"

    def watch(line):
        seen.append(line)
        assert log.read_text() == "".join(seen)  # at once: who waits looks there

    with pytest.raises(ToolError, match=r"step: sh ended with exit code 3 \(log .*one \| two"):
        tools.call(
            tools.Tool("sh", ("sh",), "PATH"), ["-c", script], step="step", folder=tmp_path,
            log=log, watch=watch,
        )  # fmt: skip
    assert log.read_text() == "one\ntwo\n" == "".join(seen)
