"""Where the files of data sets lie that nothing fetches."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from hebbware.golden.errors import InputError


def folder(
    name: str,
    data_dir: str | Path | None,
    places: Iterable[str],
    holds: Callable[[Path], bool],
    wanted: str,
    source: str,
) -> Path:
    """Return the first folder within ``data_dir``, or ``$HEBBWARE_DATA``, that holds a set.

    Parameters
    ----------
    name : str
        Of the data set.
    data_dir : path, optional
    places : iterable of str
        The folders, in the order in which they are looked at.
    holds : callable
        Whether a folder holds the set.
    wanted, source : str
        What it would hold, and what to get, for the message.

    Raises
    ------
    InputError
        There is none; says how to get it.
    """
    base = data_dir or os.environ.get("HEBBWARE_DATA")
    for found in (Path(base) / place for place in places) if base else ():
        if holds(found):
            return found
    raise InputError(
        f"data set {name}: no folder holds {wanted}; get {source}, and give its folder with --data "
        "DIR or $HEBBWARE_DATA"
    )
