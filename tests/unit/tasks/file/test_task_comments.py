"""Tasks that are written as HTML comments, and comments that are none."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import clean, read, said

COMMENTS = """\
# To do

## Phase 1

<!-- @task id="WEB-1" status="completed" priority="critical" -->
### Task WEB-1: Offline page
**Status:** ✅ Completed | **Priority:** Critical | **Estimate:** 30min

**Description:**
Something to look at.

```bash
- [ ] 9. not a task
```

**Acceptance Criteria:**
- [x] Works without a network
- [ ] Shown in under 1.5 s
<!-- @endtask -->

---

<!-- @task
     id="WEB-2"
     status='in-progress'
     depends="WEB-1"
     owner="Ada" -->
### WEB-2 - Cache
**Estimate:** 1h 15min
<!-- @endtask -->
<!-- @task id="WEB-3" depends="WEB-2" optional="true" -->
### Sync
<!-- @endtask -->
- [ ] WEB-4 A box beside them
  - _Depends: Phase 1_
"""


def test_tasks_that_are_comments_have_state_priority_estimate_and_criteria() -> None:
    # The box stands below the heading of the phase, so it would wait for itself.
    tasks = clean(COMMENTS.replace("_Depends: Phase 1_", "_Depends: WEB-3_"))
    assert [(t.title, t.state, t.line) for t in tasks.values()] == [
        ("Offline page", "done", 5),
        ("Cache", "running", 23),
        ("Sync", "open", 31),
        ("A box beside them", "open", 34),
    ]
    first, second, third, last = tasks.values()
    assert (first.priority, first.estimate_seconds) == (100, 1800)
    assert first.acceptance_criteria == (
        "Works without a network",
        "Shown in under 1.5 s",
    )
    assert "- [ ] 9. not a task" in first.description
    assert (second.dependencies, second.estimate_seconds) == (("WEB-1",), 4500)
    assert second.description.startswith("owner: Ada\n")
    assert third.optional
    assert set(last.waits_for) == {"WEB-2", "WEB-3"}


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ('id="../x"', "its id is '../x'"),
        ('status="done"', "its id is ''"),
        ('id="A-1" status="perhaps"', "its status 'perhaps' is none of"),
    ],
)
def test_a_comment_that_cannot_be_a_task_is_an_error(comment: str, says: str) -> None:
    file = parse(f"<!-- @task {comment} -->\n### X\n<!-- @endtask -->\n- [ ] 1. A\n")
    assert says in said(file, "bad-task-comment")[0]


def test_a_comment_without_an_end_ends_at_the_next_one() -> None:
    file = parse('<!-- @task id="A-1" -->\n### A\n<!-- @task id="A-2" -->\n### B\n')
    assert [t.title for t in file.tasks] == ["A", "B"]
    assert len(said(file, "unclosed-task")) == 2
    assert read('<!-- @task id="A-1"\n- [ ] 1. X\n').errors != ()


def test_a_field_in_a_comment_of_a_box_is_not_passed_over() -> None:
    file = read("- [ ] 1. A <!-- depends: 2 -->\n- [ ] 2. B <!-- nice -->\n")
    assert [t.title for t in file.tasks] == ["A", "B"]
    assert len(said(file, "comment-field")) == 1
