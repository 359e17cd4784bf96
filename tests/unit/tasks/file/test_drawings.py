"""Drawings of boxes, forks and trees, graphs in any fence: told where the plan says otherwise."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.grid import Row, links_of
from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import said

#: Only 3 waits, for 1 alone.
PLAN = """\
- [ ] 1. Ground
- [ ] 2. Wall
- [ ] 3. Window
  - _Depends: 1_
- [ ] 4. Door

## Notes

{}
"""
FENCES = ("```\n{}\n```", "~~~text\n{}\n~~~", "{}")
#: In each of them 1 waits for 4.
DRAWINGS = {
    "box beside a box": """
+-------+     +-------+
| 4. Do | --> | 1. Gr |
+-------+     +-------+""",
    "boxes of lines": """
┌────────┐     ┌────────┐
│ Task 4 │────▶│ Task 1 │
└────────┘     └────────┘""",
    "box below a box": """
┌────────┐
│ Task 4 │
│ (last) │
└───┬────┘
    │
    ▼
┌────────┐
│ Task 1 │
└────────┘""",
    "box above a box": """
╔════════╗
║ Task 1 ║
╚════════╝
    ▲
    │
╔════════╗
║ Task 4 ║
╚════════╝""",
    "ASCII boxes": """
+--------+
| Task 4 |
+--------+
    |
    v
+--------+
| Task 1 |
+--------+""",
    "tree": """
Task 4
├── Task 1
│   └── Task 3
└── Task 2""",
    "ASCII tree": """
Task 4
|-- Task 1
|   `-- Task 3
+-- Task 2""",
    "tree of titles": """
Door
├── Ground
└── Wall""",
    "fork": """
Task 4 ──┬──▶ Task 1
         └──▶ Task 2""",
    "fork of numbers": """
4 ──┬──> 1
    └──> 2""",
    "ASCII fork": """
Task 4 --+--> Task 1
         |
         +--> Task 2""",
    "join": """
Task 4 ──┐
         ├──▶ Task 1
Task 3 ──┘""",
    "slashes": """
       Task 4
       /    \\
Task 1      Task 2""",
    "fork of boxes": """
      ┌──────┐
      │  4   │
      └──┬───┘
   ┌─────┴─────┐
┌──▼───┐   ┌───▼──┐
│  1   │   │  2   │
└──────┘   └──────┘""",
    "emoji": "Task 4 ➡️ Task 1",
    "a double arrow": "4 ⟹ 1",
    "a heavy arrow": "4 ⮕ 1",
    "long arrow": "4 ------> 1",
    "long line": "4 ──> 1",
    "triangle": "[4] ► [1]",
    "to the left": "Task 1 ◀── Task 4",
    "double line": "Task 4 ══▶ Task 1",
    "branches without a line": "Task 4\n  -> Task 1\n  -> Task 2",
}
GRAPHS = {
    "mermaid": "graph TD\n  A[4. Door] --> B[1. Ground]",
    "words on a link": "flowchart LR\n  T4 -- then --> T1",
    "label on a link": "graph TD\n  T4 -->|then| T1",
    "a round end": "graph TD\n  T4 --o T1",
    "titles": "graph TD\n  A[Door] --> B[Ground]",
    "to the left": "graph TD\n  T1 <-- T4",
    "parts": "graph LR\nsubgraph One\nA[Task 4]\nend\nsubgraph Two\nB[Task 1]\nend\nOne --> Two",
    "gantt": "gantt\n  section A\n  Task 4 :t4, 3d\n  Task 1 :t1, after t4, 2d",
    "dot": 'digraph {\n  a [shape=box, label="4. Door"];\n  b [label="Ground"];\n  a -> b;\n}',
    "undirected": 'graph {\n  "4" -- "1";\n}',
    "plantuml": "@startuml\n:Task 4;\n:Task 1;\n@enduml",
}


@pytest.mark.parametrize("fence", FENCES, ids=["fence", "text", "none"])
@pytest.mark.parametrize("name", list(DRAWINGS))
def test_a_drawing_is_told_once_with_its_place(name: str, fence: str) -> None:
    text = PLAN.format(fence.format(DRAWINGS[name].strip("\n")))
    found = parse(text).diagnostics
    # Two names and an arrow in words are a sentence.
    (remark,) = [d for d in found if d.code == "diagram"] or [
        d for d in found if d.code == "prose-dependency" and fence == "{}"
    ]
    line = text.split("\n")[remark.line - 1]
    assert remark.line > 8
    assert 1 <= remark.column <= len(line)
    if "this drawing" in remark.message:
        named = ("Task 1", "Task 2", "1", "2", "Ground", "Wall")
        assert line[remark.column - 1 :].startswith(named)


@pytest.mark.parametrize("fence", [*FENCES, "```mermaid\n{}\n```", "```dot\n{}\n```"])
@pytest.mark.parametrize("name", list(GRAPHS))
def test_a_graph_is_told_whatever_its_fence_says(name: str, fence: str) -> None:
    assert said(parse(PLAN.format(fence.format(GRAPHS[name]))), "diagram")


def test_a_list_of_tasks_with_what_they_need_is_told() -> None:
    listed = "tasks:\n  - id: 1\n    depends_on: [4]"
    assert said(parse(PLAN.format(f"```yaml\n{listed}\n```")), "diagram")
    assert said(parse(PLAN.format(f"```\n{listed}\n```")), "diagram")
    service = "services:\n  web:\n    depends_on: [4]"
    assert not said(parse(PLAN.format(f"```\n{service}\n```")), "diagram")


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_a_drawing_that_the_plan_has_is_no_alarm(name: str) -> None:
    held = "- [ ] 1. Ground\n  - _Depends: 4_\n- [ ] 2. Wall\n  - _Depends: 4_\n" + (
        "- [ ] 3. Window\n  - _Depends: 1_\n- [ ] 4. Door\n\n```\n{}\n```\n"
    )
    if name == "join":
        held = held.replace("_Depends: 4_", "_Depends: 3, 4_").replace(
            "  - _Depends: 1_\n", "  - _Depends: none_\n"
        )
    text = held.format(DRAWINGS[name].strip("\n"))
    assert not said(parse(text), "diagram")


@pytest.mark.parametrize(
    "drawing",
    [
        "src\n├── main.py\n├── 4 files\n└── tests",
        "4\n|\n1",
        "| 4 | 1 |\n|---|---|\n| 4 | 1 |",
        "Task 4\nTask 1",
        "┌──────┐   ┌──────┐\n│  4   │   │  1   │\n└──────┘   └──────┘",
        "version 4 ── release 1",
        "if x == 4: y == 1",
        "run --cov 4 --jobs 1",
    ],
)
def test_what_joins_no_tasks_is_no_alarm(drawing: str) -> None:
    for fence in FENCES[:2]:
        assert not said(parse(PLAN.format(fence.format(drawing))), "diagram")


@pytest.mark.parametrize(
    "listed",
    ["- Task 4\n  - Task 1", "* 4. Door\n  * 1. Ground", "1. Door\n   - Ground"],
)
def test_a_list_in_a_list_about_an_order_is_told(listed: str) -> None:
    text = PLAN.replace("## Notes", "## Dependency graph").format(listed)
    (remark,) = [d for d in parse(text).diagnostics if d.code == "diagram"]
    line = text.split("\n")[remark.line - 1]
    assert line[remark.column - 1 :].startswith(("Task 1", "1. Ground", "Ground"))
    assert not said(parse(PLAN.format(listed)), "diagram")
    held = text.replace("1. Ground\n-", "1. Ground\n  - _Depends: 4_\n-", 1)
    assert not said(parse(held), "diagram")


def test_a_part_of_the_plan_in_a_drawing_is_not_the_task_of_its_number() -> None:
    plan = "## Phase 1\n\n- [ ] 3. A\n\n## Phase 2\n\n- [ ] 1. B\n- [ ] 2. C\n  - _Depends: 3_\n"
    (remark,) = said(parse(f"{plan}\n```\nPhase 1 ──▶ Phase 2\n```\n"), "diagram")
    assert "phase 1" in remark


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_what_a_grid_joins_begins_at_the_task_that_is_first(name: str) -> None:
    rows = [
        Row(n, text) for n, text in enumerate(DRAWINGS[name].strip("\n").split("\n"))
    ]
    links = [
        (link.before.labels[0][2], link.after.labels[0][2]) for link in links_of(rows)
    ]
    firsts = {before.split("(")[0].strip() for before, _ in links}
    assert firsts & {"Task 4", "4", "4. Do", "Door"}, links
