"""Ends the programs that a process has started, where that process is killed.

Run as a program of its own (see `hebbware.golden.system.children`), from this file alone. Standard
input is a pipe from the process: ``+N`` and ``-N``, a line each, say that the process group N is
there, and that it is over. When the pipe ends, the process is gone, and so the groups left are
ended.
"""

import os
import signal
import sys
import time

GRACE = 2.0  # seconds between asking a group to end and killing it


def main():
    """Keep the list until the pipe ends, then end what is on it."""
    groups = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    # a stopped program would not know that it is to end
    for number, pause in ((signal.SIGTERM, 0), (signal.SIGCONT, GRACE), (signal.SIGKILL, 0)):
        for group in list(groups):
            try:
                os.killpg(group, number)
            except OSError:  # none of it is left
                groups.remove(group)
        if groups:
            time.sleep(pause)


if __name__ == "__main__":
    main()
