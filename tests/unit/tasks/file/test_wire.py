"""The published graph: there and back, and what is refused."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from kiro_swarm.api.task import KiroTaskSpec
from kiro_swarm.tasks.file import wire
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import (
    MOST_BYTES,
    MOST_VALUES,
    GraphTooLargeError,
    describe,
    graph_of,
    pack,
    parts,
    publish,
    read_published,
    unpack,
)
from tests.support.shapes import valid

PLAN = """\
- [ ] 1. Group
  - why we do this
  - **Priority:** High
  - _Capabilities: go_
  - [x] 1.1 First
    - _Requirements: 1.1_
    - _Files: a.py_
    - _Boundary: Core_
    - _Estimate: 30min_
    - _Complexity: high_
    - _Capabilities: docker_
    - **Acceptance Criteria:**
      - Tests are green
    - [ ] It is fast
  - [ ]* 1.2 Second
    - detail
    - _Depends: 1.1_
- [~] 2. Checkpoint
"""


def test_only_leaves_are_published_with_the_fields_of_a_kirotask() -> None:
    graph = publish(parse(PLAN), ".kiro/specs/demo/tasks.md")
    data = json.loads(graph.to_json())
    assert data["version"] == 1
    assert data["specPath"] == ".kiro/specs/demo/tasks.md"
    own = (
        "- _Requirements: 1.1_\n- _Files: a.py_\n"
        "- _Boundary: Core_\n- _Estimate: 30min_\n- _Complexity: high_\n"
        "- _Capabilities: docker_\n- **Acceptance Criteria:**\n  - Tests are green\n"
        "- [ ] It is fast"
    )
    theirs = "- why we do this\n- **Priority:** High\n- _Capabilities: go_"
    assert data["groups"] == [{"id": "1", "title": "Group", "description": theirs}]
    assert describe(graph)(graph.tasks[0])["description"] == (
        f"Part of 1. Group\n{theirs}\n{own}"
    )
    assert data["tasks"][0] == {
        "id": "1.1",
        "title": "First",
        "description": own,
        "requirements": ["1.1"],
        "dependencies": [],
        "optional": False,
        "ticked": True,
        "deferred": False,
        "checkpoint": False,
        "order": 0,
        "line": 5,
        "estimateSeconds": 1800,
        "files": ["a.py", "Core"],
        "parent": "1",
        "priority": 50,
        "complexity": "High",
        "capabilities": ["docker", "go"],
        "acceptanceCriteria": ["Tests are green", "It is fast"],
        "paused": False,
    }
    assert data["tasks"][1]["dependencies"] == ["1.1"]
    assert data["tasks"][1]["optional"] is True
    assert (data["tasks"][2]["deferred"], data["tasks"][2]["order"]) == (True, 2)
    assert data["tasks"][2]["checkpoint"] is True
    for task in data["tasks"]:
        valid(KiroTaskSpec, {"swarm": "demo", **task})


def test_what_was_published_is_read_back_the_same() -> None:
    graph = publish(parse(PLAN + "- [ ] 3. X\n  - _Depends: 9_\n"), "tasks.md")
    assert read_published(graph.to_json()) == graph
    assert [str(remark) for remark in graph.errors] == [
        "line 20: task 3 depends on 9, which is not defined; the nearest is 2"
    ]
    assert graph_of(graph).dependencies == [[], [0], [], []]


@pytest.mark.parametrize("size", [4, 64, wire.PART_CHARACTERS])
def test_parts_are_base64_by_themselves_and_the_graph_together(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(wire, "PART_CHARACTERS", size)
    graph = publish(parse(PLAN), "tasks.md")
    pieces = parts(pack(graph))
    assert max(map(len, pieces)) <= size
    assert (len(pieces) == 1) == (size > 64)
    for piece in pieces:
        base64.b64decode(piece, validate=True)
    assert unpack("".join(pieces)) == graph


def test_a_text_too_long_for_a_kirotask_is_cut_and_that_is_said() -> None:
    many = ", ".join(f"{'r' * 300}{n}" for n in range(300))
    text = f"- [ ] 1. {'t' * 2000}\n  - _Requirements: {many}_\n  - {'x' * 70000}\n"
    graph = publish(parse(text), "tasks.md")
    assert [remark.code for remark in graph.diagnostics] == ["cut"]
    assert str(graph.diagnostics[0]).startswith(
        "line 1: the text of task 1 is too long"
    )
    task = graph.tasks[0]
    assert (len(task["title"]), len(task["description"])) == (1024, 65536)
    assert len(task["requirements"]) == 256
    valid(KiroTaskSpec, {"swarm": "demo", **task})


def test_what_unpacks_to_more_than_anybody_publishes_is_not_unpacked() -> None:
    bomb = base64.b64encode(gzip.compress(b" " * (MOST_BYTES + 1), mtime=0)).decode()
    assert len(bomb) < wire.PART_CHARACTERS
    with pytest.raises(ValueError, match="larger than any that is published"):
        unpack(bomb)


def test_the_text_of_a_group_is_published_once() -> None:
    text = "- [ ] 1. Group\n" + "  word\n" * 8_000
    text += "".join(f"  - [ ] 1.{n} t\n" for n in range(400))
    graph = publish(parse(text), "tasks.md")
    assert graph.errors == []
    assert len(graph.to_json()) < 2 * len(text) + 400 * len(graph.tasks)
    assert unpack(pack(graph)) == graph
    described = describe(graph)(graph.tasks[399])["description"]
    assert described.startswith("Part of 1. Group\nword\n")
    assert len(described) > 39_000


def test_groups_in_groups_say_what_they_say_outside_in() -> None:
    text = "- [ ] 1. A\n  a\n- [ ] 1.1 B\n  b\n- [ ] 1.1.1 C\n  c\n"
    graph = publish(parse(text), "tasks.md")
    assert describe(graph)(graph.tasks[0])["description"] == (
        "Part of 1. A\na\nPart of 1.1. B\nb\nc"
    )


def test_more_text_than_kirotasks_can_carry_together_is_an_error_that_names_it() -> (
    None
):
    text = "# Plan\n\n- [ ] 1. Group\n" + f"  {'word ' * 12}\n" * 1_000
    text += "".join(f"  - [ ] 1.{n} t\n" for n in range(3700))
    assert len(text) < 130_000
    graph = publish(parse(text), "tasks.md")
    (error,) = graph.errors
    assert (error.code, error.line) == ("too-large", 3)
    assert "the 60004 characters of group 1 stand in front of each of its 3700" in (
        error.message
    )
    assert len(graph.to_json()) < 2**21


def test_a_graph_of_a_release_without_groups_is_read() -> None:
    data = good()
    del data["groups"]
    data["tasks"][0]["description"] = "Part of 1. Group\nwhole"
    graph = read_published(json.dumps(data))
    assert describe(graph)(graph.tasks[0])["description"] == "Part of 1. Group\nwhole"


def test_a_graph_with_errors_is_not_carried_out() -> None:
    graph = publish(parse("- [ ] 1. X\n  - _Depends: 9_\n"), "tasks.md")
    with pytest.raises(ValueError, match="has errors: line 2: task 1 depends on 9"):
        unpack(pack(graph))


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"tasks":' * 100_000])
def test_what_is_nested_without_end_is_refused(deep: str) -> None:
    with pytest.raises(
        ValueError, match="the published task graph is wrong at its start: JSON nested"
    ):
        unpack(base64.b64encode(gzip.compress(deep.encode())).decode())


def test_a_graph_that_nobody_would_unpack_is_not_packed() -> None:
    text = "".join(f"- [ ] {n}. T\n  - {'x' * 65000}\n" for n in range(1, 600))
    with pytest.raises(GraphTooLargeError, match="599 tasks make a graph of"):
        pack(publish(parse(text), "tasks.md"))
    wide = "- [ ] 1. T\n  - _Requirements: " + "a, " * 200 + "\n"
    graph = publish(parse(wide), "tasks.md")
    tasks = [
        {**graph.tasks[0], "requirements": ["a"] * 250}
        for n in range(MOST_VALUES // 250)
    ]
    with pytest.raises(GraphTooLargeError, match="8000 tasks make a graph that nobody"):
        pack(graph.model_copy(update={"tasks": tasks}))


def good() -> Any:
    return json.loads(publish(parse(PLAN), "tasks.md").to_json())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(version=2), "wrong at version"),
        (lambda d: d.update(surprise=1), "wrong at surprise"),
        (lambda d: d["tasks"][0].update(id="../x"), r"wrong at tasks\.0\.id"),
        (lambda d: d["tasks"][1].pop("order"), r"wrong at tasks\.1\.order"),
        (lambda d: d["tasks"][1].update(id="1.1"), "a task id twice"),
        (lambda d: d["tasks"][1].update(dependencies=["7"]), "1.2 depends on 7, which"),
        (lambda d: d["tasks"][1].update(dependencies=["1.2"]), "dependency cycle"),
    ],
)
def test_a_graph_of_another_shape_is_refused_by_field(change: Any, says: str) -> None:
    data = good()
    change(data)
    with pytest.raises(ValueError, match=says):
        read_published(json.dumps(data))


def test_a_name_that_is_long_or_cannot_be_shown_is_not_repeated_whole() -> None:
    data = good()
    data["tasks"][0]["x\n\u202e" + "y" * 100_000] = 1
    with pytest.raises(
        ValueError, match=r"wrong at tasks\.0\.'x\\n\\u202ey+': "
    ) as caught:
        read_published(json.dumps(data))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_what_is_no_graph_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the published task graph is wrong at"):
        read_published(text)


def test_a_task_that_waits_for_another_spec_is_paused_until_a_person_says_otherwise() -> (
    None
):
    text = "- [ ] 1. A\n  - _Depends: auth:2.1_\n- [x] 2. B\n  - _Depends: auth spec_\n"
    graph = publish(parse(text), "tasks.md")
    assert [(task["id"], task["paused"]) for task in graph.tasks] == [
        ("1", True),
        ("2", False),
    ]
    assert [remark.code for remark in graph.diagnostics] == [
        "cross-spec-dependency",
        "cross-spec-dependency",
    ]
