"""Every module that meets a client, kopf, pydantic or asyncio has tests at the edge."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Iterator, List, Optional, Set

import pytest

from tests.support import edges

UNIT = edges.ROOT / "tests" / "unit"


def file_of(name: str) -> Path:
    """Where a module of ours or a helper of the tests is, if it is one."""
    names = name.split(".")
    top = edges.ROOT if names[0] == "tests" else edges.SOURCES
    path = top.joinpath(*names)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def goes_on(name: str, other: str) -> bool:
    """Whether a test of ``name`` is one of ``other``, which it imports: in one package, it is.

    What is registered with kopf runs where host starts it.
    """
    package, its = name.split(".")[:2], other.split(".")[:2]
    registered = (package[-1], its[-1]) == ("host", "handlers")
    return name.startswith("tests.") or its == package or registered


#: In code that is started as a text, too; what ends in a dot goes on at run time.
NAME = re.compile(r"\b(?:kiro_swarm|tests)(?:\.\w+)+\.?")


def named_in(path: Path) -> Iterator[str]:
    """What of ours a file names, by import or in the text of a program that it starts."""
    yield from edges.imports_of(path)
    for name in NAME.findall(path.read_text(encoding="utf-8")):
        yield name
        if name.endswith(".") and name.startswith("kiro_swarm."):
            folder = edges.SOURCES.joinpath(*name.rstrip(".").split("."))
            yield from (f"{name}{each.stem}" for each in folder.glob("*.py"))


def reached(without: Optional[Path] = None) -> Set[str]:
    """What tests at the edge import, with what that imports of its own package."""
    waiting: List[str] = []
    for path in UNIT.rglob("test_*.py"):
        if edges.runs_between(path) and path != without:
            waiting += named_in(path)
    found: Set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        path = file_of(name)
        if name.startswith(("kiro_swarm.", "tests.")) and path.is_file():
            waiting += [n for n in named_in(path) if goes_on(name, n)]
    return found


@pytest.mark.parametrize("module", sorted(edges.edge_modules()))
def test_a_module_at_the_edge_is_run_on_every_python(
    module: str, all_reached: Set[str]
) -> None:
    assert module in all_reached, (
        f"{module} imports {sorted(edges.edge_modules()[module])}, and no test that runs on "
        "every Python imports it: import it in its test"
    )


@pytest.fixture(scope="module")
def all_reached() -> Set[str]:
    return reached()


def test_the_libraries_are_all_met_somewhere() -> None:
    met = set().union(*edges.edge_modules().values())
    assert met >= {"aiohttp", "asyncio", "kopf", "pydantic"}


def _written(folder: Path, text: str) -> Path:
    """A file of this text. No two have one name: what a file imports is remembered by its
    path, and the folder of a test that has passed may be that of the next."""
    path = folder / f"test_{zlib.crc32(text.encode())}.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import asyncio\n", True),
        ("def f():\n    from kopf import on\n", True),
        ("from kiro_swarm.cluster import client\n", True),
        ("from kiro_swarm.policy import naming\n", False),
        ("import json\n", False),
    ],
)
def test_what_a_file_imports_makes_it_one_at_the_edge(
    text: str, expected: bool, tmp_path: Path
) -> None:
    path = _written(tmp_path, text)
    assert edges.is_edge(path) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from kiro_swarm.workspace.errors import RemoteUnavailable\n", True),
        ("from kiro_swarm.workspace.git import Git\n", False),
        ("from kiro_swarm.workspace.push import push_integration\n", False),
        ("from tests.unit.workspace.repositories import Gate\n", False),
        ("from tests.unit.runner.pods import git\n", False),
    ],
)
def test_to_name_an_error_is_not_to_work_with_git(
    text: str, expected: bool, tmp_path: Path
) -> None:
    """A file of which no time is known counts as long."""
    path = _written(tmp_path, f"import asyncio\n{text}")
    assert edges.runs_between(path) is expected


def test_what_plays_with_asyncio_alone_runs_on_every_python() -> None:
    assert edges.runs_between(UNIT / "jobs" / "test_pushing.py")


def test_what_is_long_because_of_git_runs_on_two_pythons_alone() -> None:
    left_out = {
        str(path.relative_to(UNIT))
        for path in UNIT.rglob("test_*.py")
        if edges.is_edge(path) and not edges.runs_between(path)
    }
    with_git = ("hostile/", "jobs/", "runner/", "workspace/")
    assert [name for name in left_out if not name.startswith(with_git)] == []


@pytest.mark.parametrize(("file", "module"), sorted(edges.KEPT.items()))
def test_what_is_long_stays_only_for_a_module_without_another(
    file: str, module: str
) -> None:
    assert edges.runs_between(edges.ROOT / file)
    assert module not in reached(without=edges.ROOT / file)
