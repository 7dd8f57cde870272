"""Builds a program around a component: Verilator's model and a C++ main, kept by content."""

from collections.abc import Callable
from pathlib import Path

from amaranth.lib import wiring

from ...cosim.build import FLAGS, emit
from ...cosim.cache import from_cache
from ...cosim.toolchain import compile_program, find

HERE = Path(__file__).parent


def build_program(
    name: str, component: wiring.Component, *, sources: dict[str, str] | None = None,
    top: str = "dut", quick: bool = False, tell: Callable[[], None] = lambda: None,
) -> Path:  # fmt: skip
    """The program of ``NAME.cpp`` with the component as the module ``dut``, built if it is new.

    Parameters
    ----------
    name : str
        Of the C++ file in this folder, without its ending, and of the program.
    component : Component
    sources : dict, optional
        More Verilog: text by file name.
    top : str
        The module that the C++ file knows.
    quick : bool
        Compile without optimisation: sooner ready, slower.
    tell : callable
        Called before it is built.

    Raises
    ------
    InputError
        A tool is missing or the cache cannot be written.
    ToolError
        Verilator or the compiler fails.
    """
    texts = {"dut.v": emit(component), **(sources or {})}
    texts |= {file.name: file.read_text() for file in (HERE / f"{name}.cpp", *HERE.glob("*.h"))}
    tools = find()
    flags = (
        *(*FLAGS, "--cc", "--exe", "--build", "--top-module", top, "-o", name),
        *(("-CFLAGS", "-O1") if quick else ()),
    )

    def compile_into(directory: Path) -> None:
        files = [directory.parent / text for text in texts if not text.endswith(".h")]
        include = ("-CFLAGS", f"-I{directory.parent}")
        compile_program(files, (*flags, *include), tools, directory)

    directory, _ = from_cache(name, texts, flags, tools, compile_into, tell)
    return directory / name
