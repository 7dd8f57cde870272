"""What components do with parameters that they cannot have."""

from contextlib import contextmanager

from ..golden.errors import InputError


@contextmanager
def checking(component):
    """Check parameters inside this block: Amaranth is not to warn of a component that refused them.

    It warns of each that is made and never elaborated, also of one whose constructor raised.
    """
    try:
        yield
    except InputError:
        component._MustUse__used = True
        raise
