"""Which tests are at the edges: where our code meets what is not the same on every Python.

On the oldest and the newest Python all unit tests run, on those between only these
(``-m edge``, see .ci/run): clients of the API server, kopf, pydantic, asyncio. Nobody keeps a
list: a test file is at the edge when it imports one of these libraries or a module of ours
that does, itself or by a helper of the unit tests. Those that are long because they work with
git, which is the same under every Python, are left out (``runs_between``), unless a module at
the edge has no shorter one (``KEPT``). To name an error or a word of the workspace is not to work
with git: what counts is a module that leads to the one that starts it, or real repositories.
tests/unit/support/test_edges.py makes sure that every such module has one of the others.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Dict, FrozenSet, Iterator

from hack.lib import times

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "operator"
LIBRARIES = frozenset(
    ("aiohttp", "asyncio", "kopf", "kubernetes", "kubernetes_asyncio", "pydantic")
)
WORKSPACE = "kiro_swarm.workspace"
#: The helper that makes real repositories; another's function that runs git is called ``git``.
REPOSITORIES = "tests.unit.workspace.repositories"
#: Seconds of a file in tests/times.json from which on it is long; one that is not there is.
LONG = 3.5
#: Long ones that stay, each with the module that has no other test at the edge.
KEPT = {"tests/unit/runner/test_room.py": "kiro_swarm.runner.room"}


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
    return any(
        name in edge_modules() or name.split(".")[0] in LIBRARIES
        for name in _met_by(path)
    )


def runs_between(path: Path) -> bool:
    """Whether it is run on the Pythons between the oldest and the newest, too."""
    return is_edge(path) and not (_is_long(path) and _works_with_git(path))


def _is_long(path: Path) -> bool:
    file = str(path.relative_to(ROOT)) if ROOT in path.parents else ""
    return file not in KEPT and _recorded().get(file, float("inf")) > LONG


@functools.cache
def _recorded() -> Dict[str, float]:
    return times.recorded()


def _works_with_git(path: Path) -> bool:
    return any(
        name == REPOSITORIES or name.endswith(".git") or _leads_to_git(name)
        for name in _met_by(path)
    )


@functools.cache
def _leads_to_git(name: str) -> bool:
    """Whether a module of the workspace starts git, or imports one that leads there."""
    path = SOURCES.joinpath(*name.split(".")).with_suffix(".py")
    if not name.startswith(f"{WORKSPACE}.") or not path.is_file():
        return False
    return name == f"{WORKSPACE}.git" or any(map(_leads_to_git, imports_of(path)))


@functools.cache
def _met_by(path: Path) -> FrozenSet[str]:
    """What a test file imports, itself or by a helper of the unit tests."""
    named = imports_of(path)
    for name in named:
        helper = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith("tests.unit.") and helper.is_file():
            named |= imports_of(helper)
    return named


def imports_of(path: Path) -> FrozenSet[str]:
    """Every module that a file names in an import; ``from a import b`` names a and a.b."""
    return frozenset(_named(ast.parse(path.read_text(encoding="utf-8"))))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All of them, however deep: an import is one, and expressions are most of a tree."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, field, ())
        for child in inner if isinstance(inner, list) else ():
            yield child
            yield from _statements(child)


def _module(path: Path) -> str:
    names = list(path.relative_to(SOURCES).with_suffix("").parts)
    return ".".join(names[:-1] if names[-1] == "__init__" else names)
