"""Orders over several lines are told where the edges of the file do not have them."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import said

LISTED = {
    "days": ("## Plan", "**Day 1:**\n- Task 2\n\n**Day 2:**\n- Task 1", 5),
    "waves": ("## Plan", "- Wave 1: tasks 2, 3\n- Wave 2: task 1", 2),
    "weeks": ("# Plan", "## Week 1\n- Task 2\n\n## Week 2\n- Task 1", 5),
    "phases": ("## Plan", "第1阶段：任务 2\n第2阶段：任务 1", 2),
    "order": ("## Implementation Order", "1. Task 2: pages\n2. **Task 1**: data", 2),
    "no heading": ("## Notes\n\nRecommended order:", "1. Task 2\n2. Task 1", 2),
    "Chinese": ("## 实施顺序", "1. 任务 2\n2. 任务 1", 2),
    "groups": ("## Build order", "1. Tasks 1, 2\n2. Task 3", 2),
    "table": ("## Notes", "| Task | Depends on |\n|---|---|\n| 2 | - |\n| 1 | 2 |", 4),
    "titles": (
        "## Notes",
        "| T | N | Needs | Depends |\n|--|--|--|--|\n| 1. A | 4 | x | 2 |",
        3,
    ),
    "blocks": ("## Notes", "| Task | Blocks |\n|---|---|\n| Task 2 | Task 1 |", 3),
    "Japanese": ("## 備考", "| タスク | 依存 |\n|---|---|\n| 1 | 2 |", 3),
}


@pytest.mark.parametrize("shape", LISTED)
def test_an_order_over_several_lines_is_told_where_it_is_not_so(shape: str) -> None:
    heading, listed, line = LISTED[shape]
    plan = "- [ ] 1. A\n{0}- [ ] 2. B\n{0}- [ ] 3. C\n{0}\n"
    free = plan.format("  - _Depends: none_\n")
    text = f"{free}{heading}\n\n{listed}\n"
    (remark,) = [d for d in parse(text).diagnostics if d.severity == "warning"]
    assert remark.code == "diagram"
    begun = text[: text.index(listed)].count("\n")
    assert remark.line == begun + line
    assert "write '_Depends: " in remark.message


@pytest.mark.parametrize(
    "text",
    [
        "## Notes\n\n1. Task 2\n2. Task 1",  # nothing says that an order is meant
        "## Order of fields\n\n1. 2 rows\n2. 1 column",
        "## Order\n\n1. Task 1\n2. Task 2\n3. Task 3",  # and so it is
        "## Order\n\n1. Read\n2. Write\n   1. Task 2\n3. Task 1",
        "| Task | Depends on |\n|---|---|\n| 2 | 1 |\n| 3 | 1, 2 |",
        "| Task | Depends on |\n|---|---|\n| 1 | 2 services |\n| v2 | 3 |",
        "| # | After Task | Check |\n|---|---|---|\n| 1 | 3 | x |",
        "- Phase 1: 2.5 hours\n- Phase 2: 1 hour",
        "- Phase 1: Requirement 2\n- Phase 2: Requirement 1",
        "- Day 2: Task 2\n- Day 1: Task 1",
        "| Requirement | Tasks |\n|---|---|\n| 1 | 3 |",
    ],
)
def test_a_list_or_a_table_of_something_else_is_no_alarm(text: str) -> None:
    plan = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n\n"
    assert said(parse(plan + text + "\n"), "diagram") == []


def test_an_arrow_in_the_code_of_a_task_is_an_example() -> None:
    plan = "- [ ] 1. A\n  - Add keys `2->1`\n- [ ] 2. B\n"
    assert said(parse(plan), "diagram") == []
    assert len(said(parse(plan + "\n# N\n\n`2->1`\n"), "diagram")) == 1
