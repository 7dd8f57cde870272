"""Whether the machine code of the twin is kept from earlier: it takes a minute and more to make."""

from pathlib import Path

from . import kernels, ticks


def is_kept(recurrent: bool = False) -> bool:
    """Whether code of the dense core's loops, or of the recurrent one's, is newer than its source.

    Of other number types than those wanted it may still have to be made.
    """
    source = Path((ticks if recurrent else kernels).__file__)
    folder = Path(kernels._FOLDER) if kernels._FOLDER else source.with_name("__pycache__")
    made = source.stat().st_mtime
    found = folder.rglob(f"{source.stem}.*run-*.nbi")
    return any(path.stat().st_mtime >= made for path in found)
