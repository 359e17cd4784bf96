"""House rules that neither the linter nor the import contracts can see.

The import direction itself is in pyproject.toml (hack/verify-imports). Here: how long a
file may be, that operator/ stays a source root, and that pure packages neither wait, nor
look at a clock, nor touch the world, whichever way they spell it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator, List

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "operator" / "kiro_swarm"
PURE_PACKAGES = ("api", "commands", "lifecycle", "policy", "tasks")
LONGEST = 400

IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "__import__"}
CLOCKS = {"now", "utcnow", "today", "uuid1", "uuid4"}


def python_files(*folders: Path) -> List[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def source_files() -> List[Path]:
    """All code that people read: the package, the tests, the tools with and without suffix."""
    tools = [path for path in (ROOT / "hack").iterdir() if path.is_file()]
    folders = (PACKAGE, ROOT / "tests", ROOT / "hack")
    return python_files(*folders) + sorted(tools)


def pure_files() -> List[Path]:
    return python_files(*(PACKAGE / name for name in PURE_PACKAGES))


def impurities(source: str) -> Iterator[str]:
    """What a pure module may not contain, as "line: what"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(
            node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
        ):
            yield f"{node.lineno}: async code"
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            bare = isinstance(node.func, ast.Name)
            if (bare and name in IMPURE_CALLS) or name in CLOCKS:
                yield f"{node.lineno}: calls {name}()"
        elif isinstance(node, ast.Global):
            yield f"{node.lineno}: global state"


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_a_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_a_pure_package_takes_time_as_an_argument_and_does_no_io(path: Path) -> None:
    assert list(impurities(path.read_text())) == []


@pytest.mark.parametrize("path", python_files(PACKAGE), ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_operator_is_a_source_root_and_no_package() -> None:
    # With an __init__.py it would hide the operator module of the standard library.
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from datetime import datetime\ndatetime.now()", ["2: calls now()"]),
        ("import datetime as d\nd.date.today()", ["2: calls today()"]),
        ("open('x')", ["1: calls open()"]),
        ("async def f() -> None: ...", ["1: async code"]),
        ("def f() -> None:\n    global x", ["2: global state"]),
        ("def f(now: float) -> float:\n    return now + 1", []),
        ("box.open()", []),
    ],
    ids=["clock", "alias", "file", "async", "global", "time as argument", "a method"],
)
def test_the_check_sees_what_it_must(source: str, found: List[str]) -> None:
    assert list(impurities(source)) == found
