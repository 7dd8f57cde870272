"""What place and route is doing, read from the lines that it prints."""

import re

# of nextpnr: a pattern, and what its groups say
PATTERNS = (
    (r"iter=(\d+) wires=\d+ overused=(\d+) ", "routing, round {0}: {1} overused wires left"),
    (r"Info: +\d+ \| +\d+ +\d+ \| +\d+ +\d+ \| +(\d+)\|", "routing: {0} connections left"),
    (r"iter=(\d+) steplen=", "placing, round {0}"),
    (r"at iteration #(\d+), type \S+: wirelen solved = \d+, spread = \d+, legal = (\d+)",
     "placing, round {0}: wires of {1} in all"),
    (r"Strict legalising (\d+) cells", "placing: {0} cells to where there are some"),
    (r"at iteration #(\d+): temp = \S+, timing cost = \d+, wirelen = (\d+)",
     "placing, refinement {0}: wires of {1} in all"),
    (r"Info: Packing", "packing"),
    (r"Info: (?:Creating initial|Running main) .*placement", "placing"),
    (r"Info: Routing\.\.", "routing"),
)  # fmt: skip


def doing(line: str) -> str | None:
    """What a line of nextpnr says that it is doing now, None where it says something else."""
    for pattern, text in PATTERNS:
        if found := re.search(pattern, line):
            return text.format(*(f"{int(number):,}" for number in found.groups()))
    return None
