"""One dialect of docstrings, as CONTRIBUTING.md has it: code in double backticks, no roles.

Left out is what people read as help: the docstring of a click command, and that of a module
which prints it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.unit.docs.pages import ROOT, name_of, read

FOLDERS = ("operator", "hack", "tests", "examples")
FILES = sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))

_FAULTS = {
    "code in single backticks: write two": re.compile(r"(?<![`:\\])`[^`\n]+`(?!`)"),
    "a role of Sphinx: write the name in double backticks": re.compile(r":[a-z]+:`"),
    "`:raises X:`: write `Raises X when ...`": re.compile(r"^\s*:raises? ", re.M),
    "a section: write a sentence, or `:param name:`": re.compile(
        r"^\s*(?:Args|Arguments|Parameters|Returns|Raises|Yields):?\s*$", re.M
    ),
}


def docstrings(source: str) -> Iterator[ast.Constant]:
    """Every docstring that is for those who read the code."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            continue
        if isinstance(node, ast.Module) and "__doc__" in source:
            continue
        decorators = getattr(node, "decorator_list", [])
        if any(
            "command" in ast.unparse(it) or "group" in ast.unparse(it)
            for it in decorators
        ):
            continue
        # A class or a module may say below a name what it is.
        several = isinstance(node, (ast.Module, ast.ClassDef))
        for statement in node.body if several else node.body[:1]:
            if isinstance(statement, ast.Expr):
                value = statement.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value


def faults(source: str) -> Iterator[str]:
    """What is not in the dialect, with the line of the docstring that it is in."""
    for docstring in docstrings(source):
        for what, pattern in _FAULTS.items():
            if pattern.search(str(docstring.value)):
                yield f"{docstring.lineno}: {what}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_docstrings_are_in_one_dialect(path: Path) -> None:
    assert list(faults(read(path))) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("The ``name``.", []),
        ("The `name`.", ["1: code in single backticks: write two"]),
        (
            "A :class:`Thing`.",
            ["1: a role of Sphinx: write the name in double backticks"],
        ),
        (":raises X: it is none.", ["1: `:raises X:`: write `Raises X when ...`"]),
        (
            "One.\n\nArgs:\n    x: y",
            ["1: a section: write a sentence, or `:param name:`"],
        ),
        (":param x: y. Raises X when z.", []),
    ],
)
def test_another_dialect_is_seen(text: str, seen: List[str]) -> None:
    assert list(faults(f'"""{text}"""\n')) == seen
    assert (
        list(faults(f'@click.command("x")\ndef f() -> None:\n    """{text}"""\n')) == []
    )
