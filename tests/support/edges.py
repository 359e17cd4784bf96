"""Which tests are at the edges: where our code meets what is not the same on every Python.

On the oldest and the newest Python all unit tests run, on those between only these
(``-m edge``, see .ci/run): clients of the API server, kopf, pydantic, asyncio. Nobody keeps a
list: a test file is at the edge when it imports one of these libraries or a module of ours
that does, itself or by a helper of the unit tests. tests/unit/support/test_edges.py makes sure
that every such module has one.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Dict, FrozenSet, Iterator

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "operator"
LIBRARIES = frozenset(
    ("aiohttp", "asyncio", "kopf", "kubernetes", "kubernetes_asyncio", "pydantic")
)


@functools.cache
def edge_modules() -> Dict[str, FrozenSet[str]]:
    """Module of ours -> the libraries of the edge that it imports itself; those that do."""
    found = {}
    for path in sorted((SOURCES / "kiro_swarm").rglob("*.py")):
        libraries = frozenset(name.split(".")[0] for name in imports_of(path))
        if libraries & LIBRARIES:
            found[_module(path)] = libraries & LIBRARIES
    return found


@functools.cache
def is_edge(path: Path) -> bool:
    """Whether a test file is at the edge."""
    named = imports_of(path)
    for name in named:
        helper = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith("tests.unit.") and helper.is_file():
            named |= imports_of(helper)
    return any(
        name in edge_modules() or name.split(".")[0] in LIBRARIES for name in named
    )


def imports_of(path: Path) -> FrozenSet[str]:
    """Every module that a file names in an import; ``from a import b`` names a and a.b."""
    return frozenset(_named(ast.parse(path.read_text(encoding="utf-8"))))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module(path: Path) -> str:
    names = list(path.relative_to(SOURCES).with_suffix("").parts)
    return ".".join(names[:-1] if names[-1] == "__init__" else names)
