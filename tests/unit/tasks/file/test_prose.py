"""A dependency in words is told, in whatever words; what only sounds like one is no alarm."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.support.pace import in_proportion
from tests.unit.tasks.file.reading import said

PLAN = """\
- [ ] 1. A
  - [ ] 1.1 A
    - _Depends: none_
  - [ ] 1.2 A
- [ ] 2. B
  - [ ] 2.1 B
- [ ] 3. C
- [ ] 4. D
- [ ] 9. Pages {title}
  {text}
"""
#: Told in a title and in a line of text alike.
SAID = """
(needs 1)                        1
only after 2 is there            2
This comes after step 3          3
(depends: 1, 2)                  1, 2
(after 1.2)                      1.2
once 3 is done                   3
blocked by 4                     4
builds on task 2                 2
following 2.1                    2.1
requires the output of 3         3
waits for `1.2`                  1.2
starts after 3                   3
can only start after 3           3
3 must be done first             3
(3 first)                        3
not before 2 is done             2
don't start before 2.1 is done   2.1
as soon as 3 is ready            3
when 4 is finished               4
(prerequisites: 1, 2)            1, 2
Requires task 2 and task 3       2, 3
needs 1.1/1.2                    1.1, 1.2
depends on tasks 1-3 and 4       1-3, 4
requires 1.1–1.2                 1.1-1.2
depende de 3                     3
(tras 3)                         3
después de la tarea 3            3
una vez terminada la 3           3
requiere 1.2                     1.2
(nach 3)                         3
erst nach Aufgabe 2              2
hängt von 3 ab                   3
sobald 3 fertig ist              3
nach Abschluss von 3             3
setzt 3 voraus                   3
baut auf 2.1 auf                 2.1
(après 1.2)                      1.2
après la tâche 2                 2
une fois 3 terminée              3
bloqué par 4                     4
depende da tarefa 3              3
dipende da 3                     3
зависит от 3                     3
依赖任务 1                       1
依赖1.2                          1.2
在任务 1 完成之后                1
1.2完成后                        1.2
需要先完成任务3                  3
タスク1に依存                    1
1.2の完了後に行う                1.2
3が完了したら                    3
タスク3が前提                    3
1에 의존                         1
1.2 완료 후                      1.2
task 3 is the foundation         3
task 3 is the basis              3
tasks 1 and 2 must both finish   1, 2
Aufgabe 3 ist die Grundlage      3
la tâche 3 est la base           3
la tarea 3 es la base            3
タスク 3 が両方の段の前提。      3
タスク 3 が全体の前提である      3
任务 3 是所有任务的前提          3
"""
#: Told where it stands alone; behind other words of a title it may be anything.
SAID_IN_TEXT = """
After 3, run it                  3
Do 3 first                       3
nach 3                           3
needs 1 & 2                      1, 2
Blocked until 4 lands; needs 3   4
"""
NOTHING = """
after 1.2 is released
requires Python 3.9
needs Node 18
step 1.2 of the installer
after 2025-01-01
at 3:00 after 12:30
needs 2 files
depends on 2 services
depends on 1.2 or newer
depends on 3rd party
waits for 2 seconds
after 2-3 seconds
after 3 retries
gives up after 3 attempts
stops after 3
before 3 it waits for 1 second
retry 3 times before 4 is tried
needs 2.5 GB
needs 100% of 2 branches
needs at least 2 of them
needs (2+)
needs 3x more
requires 3+ nodes
following 2 steps:
once 2 users are there
until 3 of them agree
blocks 3 requests
deprecated after v1.2
costs $3 after 2%
wait `after 3`
(1) first, (2) second
sorted by 1, then 2
the first 3 must be unique
1 is required by law
Section 1.2, Property 1
validates requirement 1.1
returns 1 when 2 is given
insert it before step 1
nach 3 Sekunden
après 2 jours
después de 2 días
等待3秒
需要3个文件
依赖3个库
要件 1.2 が前提
3回の後
3 is based in the foundation
タスク 3 は前提を確かめる試験
3 が全体の前提を壊す
"""
_ROWS = [row.rsplit("  ", 1) for row in SAID.strip().splitlines()]
_TEXTS = [row.rsplit("  ", 1) for row in SAID_IN_TEXT.strip().splitlines()]
PLACES = {"title": ("title", 9), "text": ("text", 10)}


def _told(words: str, place: str) -> list[tuple[int, int, str]]:
    text = "- " + words if place == "text" else ""
    plan = PLAN.format(title=words if place == "title" else "", text=text)
    found = parse(plan).diagnostics
    return [
        (d.line, d.column, d.message) for d in found if d.code == "prose-dependency"
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("words", "ids"), _ROWS)
def test_it_is_told_with_its_place_and_what_to_write(
    words: str, ids: str, place: str
) -> None:
    words = words.strip()
    name, line = PLACES[place]
    ((at, column, message),) = _told(words, place)
    start = {"title": len("- [ ] 9. Pages "), "text": len("  - ")}[place]
    assert at == line
    assert start < column <= start + len(words)
    assert f" in the {name} of task 9 is not read as a dependency; " in message
    assert message.endswith(
        f"write '_Depends: {ids.strip()}_' below task 9 to make it one"
    )


@pytest.mark.parametrize(("words", "ids"), _TEXTS)
def test_a_clause_of_its_own_is_enough(words: str, ids: str) -> None:
    assert any(f"'_Depends: {ids.strip()}_'" in m for _, _, m in _told(words, "text"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("words", NOTHING.strip().splitlines())
def test_numbers_of_other_things_are_no_alarm(words: str, place: str) -> None:
    assert _told(words, place) == []


def test_each_sentence_of_a_line_is_told() -> None:
    assert [
        m.split("'")[1] for _, _, m in _told("(after 1, blocked by 2)", "text")
    ] == [
        "after 1",
        "blocked by 2",
    ]


def test_what_waits_for_this_task_is_told_there() -> None:
    ((_, _, message),) = _told("Do it before task 4", "text")
    assert message.endswith("write '_Depends: 9_' below 4 to make it wait")


@pytest.mark.parametrize(
    "words",
    [
        "Finish task 1.1 before starting task 3",
        "Task 1.1 unlocks task 3",
        "タスク 1.1 blocks 3",
        "Task 1.1 feeds into task 3",
        "Task 1.1 blocks 3",
    ],
)
def test_what_a_task_named_in_front_is_before_is_told_there(words: str) -> None:
    found = parse(PLAN.format(title="", text="") + f"\n## Notes\n\n- {words}\n")
    (told,) = [d.message for d in found.diagnostics if d.code == "prose-dependency"]
    assert told.endswith("write '_Depends: 1.1_' below 3 to make it wait")


def test_only_tasks_that_are_there_count_and_a_word_for_a_task_is_one() -> None:
    assert _told("(needs 7)", "title") == []
    assert len(_told("depends on task 7", "title")) == 1


def test_steps_of_a_list_of_its_own_are_no_tasks() -> None:
    text = "- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B\n{}  - Runs after step 1\n"
    assert len(said(parse(text.format("")), "prose-dependency")) == 1
    own = "  1. Read it\n  2. Write it\n"
    assert said(parse(text.format(own)), "prose-dependency") == []


def test_all_of_a_range_is_compared_with_the_edges() -> None:
    text = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n- [ ] 4. D (after 1-3)\n  - _Depends: {}_\n"
    assert len(said(parse(text.format("1, 3")), "prose-dependency")) == 1
    assert said(parse(text.format("1, 2, 3")), "prose-dependency") == []


def test_a_field_on_the_line_does_not_hide_the_words_in_front_of_it() -> None:
    text = "- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B (needs 1) _Requirements: 3_\n"
    assert len(said(parse(text), "prose-dependency")) == 1


HARD = {
    "ones": "1 ",
    "lists": "1, ",
    "openers": "after 1 ",
    "sure": "waits for 1, 1, 1, 1, 1, 1 x ",
    "dates": "1-1-1-",
    "characters": "在1完成后",
    "names": "1a-",
}


@pytest.mark.parametrize("kind", HARD)
def test_words_take_time_in_proportion_to_their_length(kind: str) -> None:
    def made(length: int) -> str:
        line = "  - " + (HARD[kind] * 1_000)[:length] + "\n"
        return "- [ ] 1. A\n- [ ] 2. B\n" + line * 30

    in_proportion(made, parse, 1_900)


@pytest.mark.parametrize(
    "words",
    [
        "タスク 1.1 が両方の段の前提。後は自由",
        "1.1 is the foundation; the others build on it",
        "任务 1.1 是所有任务的前提",
    ],
)
def test_what_the_rest_builds_on_is_told_outside_of_the_tasks(words: str) -> None:
    found = parse(PLAN.format(title="", text="") + f"\n## Notes\n\n- {words}\n")
    (told,) = [d.message for d in found.diagnostics if d.code == "prose-dependency"]
    assert "write '_Depends: 1.1_' below the task that waits" in told


@pytest.mark.parametrize(
    "words",
    [
        *(
            "Do not start 3 unless the spike (1.1) confirms it",
            "3 after the store (1.1)",
        ),
        *("Task 3 is gated: do not begin until the review (task 1.1) passes",),
        *(
            "do not begin 3 unless 1.1 passes",
            "Aufgabe 3 beginnt erst nach dem Test (1.1)",
        ),
    ],
)
def test_what_is_named_before_its_task_is_found(words: str) -> None:
    plan = "- [ ] 3. C\n  - _Depends: none_\n- [ ] 1.1 A\n- [ ] 2. B\n\n## Notes\n\n"
    assert len(said(parse(f"{plan}{words}\n"), "prose-dependency")) == 1
    held = plan.replace("none", "1.1")
    assert not said(parse(f"{held}{words}\n"), "prose-dependency")


@pytest.mark.parametrize(
    "words",
    ["3 after the release (5.1)", "Retry 3 until it stops (3 times)", "Once done (2)"],
)
def test_words_with_another_number_behind_are_no_dependency(words: str) -> None:
    plan = "- [ ] 3. C\n  - _Depends: none_\n- [ ] 1.1 A\n- [ ] 2. B\n\n## Notes\n\n"
    assert not said(parse(f"{plan}{words}\n"), "prose-dependency")
