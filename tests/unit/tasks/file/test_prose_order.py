"""A sentence that orders other tasks, or sets them side by side, is told where it is not so."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import said

ROW = """\
- [ ] 1. A
{none}- [ ] 2. B
{none}- [ ] 3. C
  - [ ] 3.1 C
{none}  - [ ] 3.2 D
{none}- [ ] 4. E
{none}  - {text}
- [ ] 5. F
{none}
## Notes

{notes}
"""
FREE = "    - _Depends: none_\n"

#: Told in the text of task 4 and outside of the tasks, where nothing waits; what to write.
ORDERS = """
Order: 1, 2, 4                                   1 below 2
**Execution order:** 1, 2, 4                     1 below 2
Critical path: Task 1 → Task 2                   1 below 2
Recommended order: 3.1, then 3.2                 3.1 below 3.2
1 > 2                                            1 below 2
5 > 2 > 1                                        5 below 2
Task 1 > Task 2 in any case                      1 below 2
first 1, then 2                                  1 below 2
1 first, then 2                                  1 below 2
First task 1, then task 2, and finally task 5    1 below 2
Start with task 5, followed by tasks 1 and 2     5 below 1
complete 1 before moving to 3.1                  1 below 3.1
Do 2 after 1                                     1 below task 2
Task 2 depends on task 1                         1 below task 2
Tasks 4-5 depend on tasks 1-2                    1-2 below task 4
Task 1 must come before task 2                   1 below 2
Task 1 (the store) must be merged before task 2  1 below 2
3.1 (x) is there; 3.2 builds on it               3.1 below task 3.2
Run tasks 1-2 in order                           1 below 2
tasks 1 and 2 must run sequentially              1 below 2
依次执行任务 1、2                                1 below 2
the store（Task 1）→ the pages（Task 2）         1 below 2
タスク 1 → タスク 3.1                            1 below 3.1
先做 1，然后做 2                                 1 below 2
执行顺序：1, 2, 5                                1 below 2
先に 1、次に 2                                   1 below 2
実行順: 1、2                                     1 below 2
먼저 1, 그다음 2                                 1 below 2
zuerst 1, dann 2                                 1 below 2
Reihenfolge: 1, 2                                1 below 2
d'abord 1, puis 2                                1 below 2
Ordre: 1, 2                                      1 below 2
primero 1, luego 2                               1 below 2
primeiro 1, depois 2                             1 below 2
prima 1, poi 2                                   1 below 2
сначала 1, потом 2                               1 below 2
"""
#: Told in the text of task 4 alone, which is what it is about.
OF_ITSELF = """
depends on all previous tasks
requires everything above
after all of the above
once all previous tasks are complete
Run it after completion of all prior tasks
depends on the previous task
hängt von allen vorherigen Aufgaben ab
dépend de toutes les tâches précédentes
depende de todas las tareas anteriores
depende de todas as tarefas anteriores
dipende da tutte le attività precedenti
зависит от всех предыдущих задач
依赖所有前面的任务
上記すべてに依存
이전 모든 작업에 의존
reuses the client from task 1
uses the types that are defined in task 1, defined in task 1
Run the suite after completing tasks 1, 2, and 3
タスク1で作成した型を使う
任务 1 中定义的类型
must come before all other tasks
"""
BESIDE = """
in parallel with 3.2
can run alongside task 3.2
parallel zu 3.2
en parallèle avec 3.2
en paralelo con 3.2
em paralelo com 3.2
параллельно с 3.2
3.2と並行して
3.2와 병렬로
Tasks 1 and 2 can run in parallel
3.1 (x) and 3.2 (y) are independent and can proceed in parallel
任务 1、2 可以并行
the tests can be parallel (3.1, 3.2)
the types (3.1) in parallel with the pages (3.2)
the types (3.1) and the design (3.2) can be made in parallel
Parallel: 1, 2
**Parallelizable**: 1, 2
"""
NOTHING = """
sorted by 1, then 2
rows 3.2, 3.1 in order of size
Requirements 3.2, 3.1 in order
(1) first, (2) second
retry if 3 > 2
assert that 5 > 4
Sort order: 2, 1
Dependencies: 3.2, 3.1
order: 2, 1 of the list
without waiting for task 5
does not depend on task 5
independent of task 5
タスク 5 に依存しない
不依赖任务 5
5 に依存せず進める
the profile is created in task 5
new in 3.2
all previous versions
after all tests above pass
requires all of the above fields
from 1 to 5
first 5 of 2
then 5, then 2 apples
runs 5 in parallel with 2 others
4 and 5 workers in parallel
3.1 と並行実行不可
Tasks 1 and 2 must not run in parallel
"""


def _rows(table: str) -> list[str]:
    return [row.strip() for row in table.strip().splitlines()]


def _file(text: str = "text", notes: str = "notes", none: str = FREE) -> str:
    return ROW.format(text=text, notes=notes, none=none)


@pytest.mark.parametrize("place", ["text", "notes"])
@pytest.mark.parametrize("row", _rows(ORDERS))
def test_an_order_of_tasks_is_told_with_what_to_write(row: str, place: str) -> None:
    words, _, advice = row.rpartition("  ")
    needed, _, below = advice.strip().partition(" below ")
    plan = _file(**{place: words.strip()})
    (told,) = [d for d in parse(plan).diagnostics if d.severity == "warning"]
    line = plan.split("\n")[told.line - 1]
    assert words.strip() in line
    assert told.column >= line.index(words.strip()) + 1
    if told.code != "unread-field":  # a name and ids in the text of a task is a field
        assert f"write '_Depends: {needed}_' below {below} to make it" in told.message


@pytest.mark.parametrize("words", _rows(OF_ITSELF))
def test_what_a_task_says_of_all_the_others_is_told(words: str) -> None:
    assert said(parse(_file(words)), "prose-dependency") != []
    # As the lines stand, all of it is so, or no task is there that it could be about.
    outside = said(parse(_file(notes=words, none="")), "prose-dependency")
    assert outside == []


@pytest.mark.parametrize("words", ["Task 4 depends on all previous tasks"])
def test_all_above_of_a_task_that_is_named_is_told_outside(words: str) -> None:
    assert len(said(parse(_file(notes=words)), "prose-dependency")) == 1


@pytest.mark.parametrize(
    "words",
    [
        "depends on all previous tasks",
        "requires everything above",
        "depends on the previous task",
        "first 1, then 2",
        "1 > 2 > 3.1",
        "Critical path: Task 1 → Task 5",
        "complete 1 before moving to 3.1",
        "reuses the client from task 1",
        "Task 1 must be done before all other tasks",
    ],
)
def test_what_the_order_of_the_lines_already_says_is_no_alarm(words: str) -> None:
    assert said(parse(_file(words, none="")), "prose-dependency") == []


@pytest.mark.parametrize("words", _rows(BESIDE))
def test_tasks_that_wait_though_they_may_run_side_by_side_are_told(words: str) -> None:
    (told,) = said(parse(_file(words, none="")), "prose-dependency")
    assert "waits for" in told
    assert said(parse(_file(words)), "prose-dependency") == []


@pytest.mark.parametrize("words", _rows(NOTHING))
def test_what_only_sounds_like_an_order_is_no_alarm(words: str) -> None:
    for none in ("", FREE):
        assert said(parse(_file(words, none=none)), "prose-dependency") == []
        assert said(parse(_file(notes=words, none=none)), "prose-dependency") == []
