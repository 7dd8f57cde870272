"""Behavioural models of vendors' cells, for simulation."""

from importlib.resources import files


def read(*names: str) -> dict[str, str]:
    """Text of models by file name, as `hebbware.cosim.build.build` takes them."""
    return {f"{name}.sv": files(__name__).joinpath(f"{name}.sv").read_text() for name in names}
