"""Version of the code that computes a result: the hash of what it does, not of how it is written.

Hashed are the statements of the modules that compute results, and of all modules that these import
from hebbware, by whatever way. Of each module every statement at its outermost level counts by
itself, in no order, as its syntax tree without comments, docstrings, annotations and imports. So a
comment, a line break or a function that moves to another file leaves stored results valid, as does
a change in a module that computes none; an operator, a number or a name that changes does not.

What this cannot see: an import that is turned to another function of the same name, which was there
already.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hebbware import golden

ROOT = Path(golden.__file__).parents[1]
"""Folder whose subfolders are the subpackages of hebbware, installed or in a working tree."""

UNREAD = ("annotation", "returns", "ctx", "kind", "type_comment")  # fields of a syntax tree


def code_version(*modules: str) -> str:
    """Return the version of the code of these modules and of all that they import.

    Parameters
    ----------
    modules : str
        Dotted names, ``hebbware.study.run``.
    """
    return hash_of(path.read_text(encoding="utf-8") for path in sources(*modules).values())


def sources(*modules: str) -> dict[str, Path]:
    """Return the files of modules and of all that they import from hebbware, by dotted name."""
    found, ahead = {}, list(modules)
    while ahead:
        module = ahead.pop()
        path = ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if module in found or not path.is_file():
            continue  # a package, or what another statement than an import has put into one
        found[module] = path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                parts = module.split(".")[: -node.level] if node.level else []
                base = ".".join([*parts, *filter(None, [node.module])])
                ahead += [base, *(f"{base}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                ahead += [alias.name for alias in node.names]
    return {name: path for name, path in found.items() if name.startswith("hebbware.")}


def hash_of(texts: Iterable[str]) -> str:
    """Return the hash of source texts."""
    statements = [json.dumps(one) for text in texts for one in _plain(ast.parse(text).body)]
    return hashlib.sha256("\n".join(sorted(statements)).encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """Return a syntax tree as lists, the same in all versions of Python."""
    if isinstance(node, list):
        return [_plain(one) for one in node if not _silent(one)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [f for f in ast.iter_fields(node) if f[0] not in UNREAD and f[1] not in (None, [])]
    return [type(node).__name__, *([name, _plain(value)] for name, value in fields)]


def _silent(node: Any) -> bool:
    """Whether a statement changes no result."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Import, ast.ImportFrom))
