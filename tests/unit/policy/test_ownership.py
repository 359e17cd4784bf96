"""Every name that is made of another is asked whose it is before anything is gone by it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, Iterator

import pytest

import kiro_swarm
from kiro_swarm.policy import naming
from kiro_swarm.policy.ownership import (
    DERIVED,
    Derived,
    belongs_to,
    is_record,
    same_owner,
)

PACKAGE = Path(kiro_swarm.__file__).parent
#: Who answers whose an object is.
ASKED = {
    *("belongs_to", "is_owned", "is_record", "same_owner", "must_be_ours"),
    "belongs_to_swarm",
}
#: What is no name of an object: parts of names and branches, and questions about names.
NO_OBJECTS = {
    *("short_hash", "task_part", "task_branch", "integration_branch"),
    *("is_graph_part", "is_ledger_segment", "audit_number", "finished_folder"),
}


def item(*uids: str, **labels: str) -> Any:
    references = [{"uid": uid} for uid in uids]
    return {"metadata": {"name": "x", "labels": labels, "ownerReferences": references}}


def functions(path: Path) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, ast.unparse(node)


def test_every_name_is_listed() -> None:
    named = {
        name
        for name, function in inspect.getmembers(naming, inspect.isfunction)
        if function.__module__ == naming.__name__ and not name.startswith("_")
    }
    assert {one.name for one in DERIVED} == named - NO_OBJECTS


@pytest.mark.parametrize("one", DERIVED, ids=lambda one: f"{one.name} {one.resource}")
def test_whose_it_is_is_asked_where_the_list_says(one: Derived) -> None:
    module, _, function = one.asked_by.partition(":")
    sources = [text for name, text in functions(PACKAGE / module) if name == function]
    assert sources, one.asked_by
    assert any(f"{asked}(" in text for text in sources for asked in ASKED)


def test_nobody_else_reads_references_to_owners() -> None:
    """One place says what they mean; ``hand_out`` finds the owner of each pod by them."""
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if '.get("ownerReferences")' in path.read_text(encoding="utf-8")
    }
    assert readers == {"policy/ownership.py", "reconcile/tasks/hand_out.py"}


def test_an_object_belongs_to_whom_it_names_by_uid() -> None:
    assert belongs_to(item("a", "b"), "b")
    assert not belongs_to(item("a"), "b")
    assert not belongs_to(item(), "")
    assert not belongs_to(item(""), "")
    assert not belongs_to({"metadata": {"name": "x"}}, "a")
    assert same_owner(item("a"), item("a", "c"))
    assert not same_owner(item("a"), item("b"))
    assert not same_owner(item(), item())


def test_a_record_has_the_labels_that_nobody_else_can_write() -> None:
    marks = {"swarm.kiro.dev/swarm": "s", "app.kubernetes.io/managed-by": "kiro-swarm"}
    assert is_record(item("u", **marks), "u", "s")
    assert not is_record(item("u", **marks), "other", "s")
    assert not is_record(item("u", **marks), "u", "t")
    for name in marks:
        assert not is_record(item("u", **{**marks, name: "x"}), "u", "s")
    assert not is_record(item("u"), "u", "s")
