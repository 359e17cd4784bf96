"""The cluster tool stands alone: the standard library and itself are all that it imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Iterator

import pytest

TOOL = Path(__file__).resolve().parents[3] / "hack" / "cluster_tool"


def imported(source: str) -> Iterator[str]:
    """The names of the modules that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize(
    "path", sorted(TOOL.glob("*.py")), ids=lambda path: str(path.name)
)
def test_nothing_of_the_project_is_imported(path: Path) -> None:
    names = set(imported(path.read_text(encoding="utf-8")))
    others = {name for name in names if not name.startswith("hack.cluster_tool")}
    assert not any(name.split(".")[0] in ("hack", "kiro_swarm") for name in others)
    if sys.version_info >= (3, 10):
        assert {name.split(".")[0] for name in others} <= sys.stdlib_module_names
