"""Every name that is made of another is asked whose it is before anything is gone by it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest

import kiro_swarm
from kiro_swarm.cluster import resources
from kiro_swarm.cluster.resources import Resource
from kiro_swarm.policy import naming
from kiro_swarm.policy.ownership import (
    DERIVED,
    UNASKED,
    Derived,
    belongs_to,
    is_record,
    same_owner,
)
from tests.unit.policy.test_irreversible import called

PACKAGE = Path(kiro_swarm.__file__).parent
#: Who answers whose an object is.
ASKED = {
    *("belongs_to", "is_owned", "is_record", "same_owner", "belongs_to_swarm"),
    *("owned", "owned_by_any", "said_to", "is_part", "is_for_the_same", "is_same"),
}
RAISES = {"must_be_ours"}
#: What is no name of an object: parts of names and branches, and questions about names.
NO_OBJECTS = {
    *("short_hash", "task_part", "task_branch", "integration_branch"),
    *("is_graph_part", "is_ledger_segment", "audit_number", "finished_folder"),
}


def item(*uids: str, **labels: str) -> Any:
    references = [{"uid": uid} for uid in uids]
    return {"metadata": {"name": "x", "labels": labels, "ownerReferences": references}}


def functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node


def asks(function: ast.AST) -> bool:
    """Whether whose an object is is asked, and what is said is not thrown away.

    Who raises need not be looked at.
    """
    bare = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Expr)}
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(
        called(call) in RAISES or (called(call) in ASKED and id(call) not in bare)
        for call in calls
    )


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
    found = [node for name, node in functions(PACKAGE / module) if name == function]
    assert found, one.asked_by
    assert any(asks(node) for node in found), one.asked_by


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("if is_owned(x, y): use(x)", True),
        ("return [a for a in x if is_owned(a, y)]", True),
        ("ours = belongs_to(x, y)", True),
        ("await must_be_ours(x, y)", True),
        ("is_owned(x, y)", False),
        ("use('is_owned(')", False),
        ("pass", False),
    ],
)
def test_an_answer_that_nobody_looks_at_does_not_count(body: str, right: bool) -> None:
    assert asks(ast.parse(f"async def f(x, y):\n    {body}\n")) is right


#: What is asked of a cluster, of the cache of it, or of a session of kubectl.
READS = {
    *("get", "list", "few", "find", "watch", "of_swarm", "labelled"),
    *("follower", "following", "all"),
}
RESOURCES = {name for name, one in vars(resources).items() if isinstance(one, Resource)}
#: It keeps what it is given, and is asked as the cluster is.
CACHE = "cluster/cache.py"


def _resource(node: ast.expr) -> str:
    """The constant of a resource that is an argument; ``resource`` where any may be."""
    if isinstance(node, ast.Name):
        return node.id if node.id in RESOURCES | {"resource"} else ""
    return (
        "resource"
        if isinstance(node, ast.Attribute) and node.attr == "resource"
        else ""
    )


def reads(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, str, bool]]:
    """Function, resource, whether it asks: of every read, also one that is handed on."""

    def walk(node: ast.AST, function: Optional[ast.AST], name: str) -> Any:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from walk(child, child, child.name)
                continue
            if isinstance(child, ast.Call):
                named = [child.func, *child.args]
                verbs = {n.attr for n in named if isinstance(n, ast.Attribute)}
                for found in filter(None, map(_resource, child.args)):
                    if verbs & READS:
                        yield name, found, function is not None and asks(function)
            yield from walk(child, function, name)

    yield from walk(tree, None, inside)


def test_who_reads_an_object_by_name_or_label_asks_whose_it_is() -> None:
    unasked = {
        f"{module}:{function} {resource}"
        for path in PACKAGE.rglob("*.py")
        if (module := str(path.relative_to(PACKAGE))) != CACHE
        for function, resource, asked in reads(ast.parse(path.read_text("utf-8")))
        if not asked
    }
    assert unasked - set(UNASKED) == set(), "ask, or say in UNASKED why not"
    assert set(UNASKED) - unasked == set(), "these are gone, or ask by now"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("return await client.get(PODS, n, name)", [False]),
        ("return owned(await client.list(PODS, n), uid)", [True]),
        ("return partial(client.get, CONFIG_MAPS, n)", [False]),
        ("owned(client.list(resource, n), uid)", [False]),
        ("x = cache.of_swarm(self.resource, n, s)", [False]),
        ("return labels.get(name)", []),
    ],
)
def test_a_read_is_seen_and_whether_it_asks(body: str, asked: list[bool]) -> None:
    tree = ast.parse(f"async def f():\n    {body}\n")
    assert [one[2] for one in reads(tree)] == asked


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
