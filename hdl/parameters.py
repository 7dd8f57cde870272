"""Checks of the parameters of components."""

from contextlib import contextmanager

from ..golden.errors import InputError


@contextmanager
def checking(component):
    """Check parameters inside this block, without a warning of Amaranth where they are refused.

    It warns of each component that is never elaborated, even if its constructor raised.
    """
    try:
        yield
    except InputError:
        component._MustUse__used = True
        raise
