"""Ticking: one byte per box, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.file.edit import CannotTick, tick
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.texts import group_in
from kiro_swarm.tasks.file.wire import describe, publish

PLAN = """\
# Plan 🎉

- [ ] 1. Groupe é
  - [ ] 1.1 First 🎉
  - [ ]* 1.2 Second
  - [ ] 1.3 Deep
    - [ ] 1.3.1 Deepest
- [-] 2. Running [ ] 1.1
```
- [ ] 1.1 not this
```
- [~] 3. Last
"""


def changed(before: bytes, after: bytes) -> list[int]:
    assert len(before) == len(after)
    return [at for at, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("tail", [b"", b"\n"], ids=["no newline at end", "newline"])
@pytest.mark.parametrize(
    ("task", "box"), [("1.1", "[ ] 1.1 First"), ("2", "[-] 2."), ("3", "[~] 3.")]
)
def test_a_tick_changes_one_byte(
    newline: str, head: bytes, tail: bytes, task: str, box: str
) -> None:
    text = PLAN.rstrip("\n").replace("\n", newline)
    before = head + text.encode() + tail
    after = tick(before, task)
    assert changed(before, after) == [before.index(box.encode()) + 1]
    assert after == before.replace(box.encode(), b"[x]" + box[3:].encode(), 1)
    assert tick(after, task) == after


def test_bytes_that_are_not_utf8_stay_as_they_are() -> None:
    before = b"- [ ] 1. caf\xe9 \xff\x00\n- [ ] 2. \xf0\x9f\x8e\x89 ok\xfe"
    assert tick(before, "2") == before.replace(b"[ ] 2", b"[x] 2")


def test_the_last_leaf_ticks_its_groups_too() -> None:
    data = PLAN.encode()
    for task in ("1.1", "1.2"):
        data = tick(data, task)
    assert b"- [ ] 1. Groupe" in data
    alone = tick(data, "1.3.1", groups=False)
    assert len(changed(data, alone)) == 1
    after = tick(data, "1.3.1")
    assert len(changed(data, after)) == 3
    assert {t.id for t in parse(after.decode()).tasks if t.state == "done"} == {
        *("1", "1.1", "1.2", "1.3", "1.3.1")
    }
    assert tick(alone, "1.3.1") == after  # a tick that was cut short is completed


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("9", "task 9 is not in the file"),
        ("1", "task 1 is a group; tick its sub-tasks"),
        ("", "task  is not in the file"),
    ],
)
def test_what_is_no_leaf_cannot_be_ticked(task: str, says: str) -> None:
    with pytest.raises(CannotTick, match=says):
        tick(PLAN.encode(), task)


def test_two_boxes_with_one_id_cannot_be_ticked() -> None:
    with pytest.raises(CannotTick, match="task id 5 is already defined: more than"):
        tick(b"- [ ] 5. A\n- [ ] 5. B\n", "5")


RENUMBERED = "- [ ] 1. One\n- [ ] 2. Fresh idea\n- [ ] 3. Two\n- [ ] 4. Three\n"


@pytest.mark.parametrize(
    ("task", "title", "box"),
    [
        ("2", "Two", "3. Two"),
        ("2", "two ✅", "3. Two"),
        ("3", "Two", "3. Two"),
        ("2", "Fresh idea", "2. Fresh idea"),
        ("9", "Three", "4. Three"),
        ("2", "Other", None),
        ("2", "", None),
    ],
)
def test_the_box_of_the_same_title_is_ticked_wherever_it_is_now_or_none(
    task: str, title: str, box: str | None
) -> None:
    data = RENUMBERED.encode()
    if box is None:
        with pytest.raises(CannotTick, match="0 tasks have the title of task 2"):
            tick(data, task, title=title)
        return
    ticked = tick(data, task, title=title)
    assert ticked == data.replace(f"[ ] {box}".encode(), f"[x] {box}".encode())
    assert tick(ticked, task, title=title) == ticked


def test_of_two_boxes_of_a_title_the_one_of_the_number_is_ticked_or_none() -> None:
    data = b"- [ ] 1.1 Write tests\n- [ ] 2.1 Write tests\n"
    assert tick(data, "2.1", title="Write tests").count(b"[x] 2.1") == 1
    with pytest.raises(CannotTick, match="2 tasks have the title of task"):
        tick(data, "3.1", title="Write tests")


def test_of_boxes_of_one_title_that_in_the_same_group_is_ticked() -> None:
    # A group was put in front: what was 2.1 is 3.1 now, and another task is 2.1.
    data = (
        b"- [ ] 2. New\n- [ ] 2.1 Write tests\n- [ ] 3. Data\n- [ ] 3.1 Write tests\n"
    )
    ticked = tick(data, "2.1", title="Write tests", group="Data", groups=False)
    assert ticked == data.replace(b"[ ] 3.1", b"[x] 3.1")
    assert tick(data, "2.1", title="Write tests", group="New").count(b"[x] 2.1") == 1
    with pytest.raises(CannotTick, match="nothing tells that one of them is this"):
        tick(data, "2.1", title="Write tests", group="Gone")
    alone = b"- [ ] 2. Renamed\n- [ ] 2.1 Write tests\n"
    assert b"[x] 2.1" in tick(alone, "2.1", title="Write tests", group="Data")


def test_the_group_of_a_kirotask_is_in_its_description() -> None:
    graph = publish(parse("- [ ] 1. A\n  a\n- [ ] 1.1 B\n- [ ] 1.1.1 C\n"), "t.md")
    task = describe(graph)(graph.tasks[0])
    assert group_in(task["description"], task["parent"]) == "B"
    assert group_in("Part of 2. X", None) == group_in("words", "1") == ""


def test_a_task_without_a_title_is_known_by_its_number_alone() -> None:
    data = b"- [ ] 1.\n- [ ] 2. B\n"
    assert tick(data, "1", title="") == data.replace(b"[ ] 1", b"[x] 1")
    with pytest.raises(CannotTick):
        tick(data, "2", title="")


def test_a_title_that_was_cut_for_a_kirotask_is_still_the_same() -> None:
    data = f"- [ ] 1. {'word ' * 400}\n".encode()
    assert tick(data, "1", title=("word " * 400)[:1024]).startswith(b"- [x]")


lines = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["", "  ", "\t"]),
            st.sampled_from(["- [ ]", "- [x]", "* [-]", "- [~]*", "- [ ]\\*"]),
            st.sampled_from(
                [" 1. a", " 1.1 é🎉", " 1.2 b", " 2. c", " T1: d", " no id"]
            ),
        ).map("".join),
        st.text(max_size=12),
        st.sampled_from(["```", "<!--", "-->", "# H", "  - _Depends: 1_", ""]),
    ),
    max_size=15,
)


@given(lines, st.sampled_from(["\n", "\r\n", "\r"]), st.binary(max_size=4))
def test_any_leaf_of_any_file_ticks_one_byte_per_box(
    parts: list[str], newline: str, tail: bytes
) -> None:
    data = newline.join(parts).encode("utf-8", "replace") + tail
    file = parse(data.decode("utf-8", "surrogateescape"))
    for leaf in file.leaves:
        try:
            after = tick(data, leaf.id, groups=False)
        except CannotTick:
            assert "duplicate-id" in {d.code for d in file.errors}
            continue
        places = changed(data, after)
        assert len(places) == (leaf.state != "done")
        assert all(data[at : at + 1] in b" -~" for at in places)
        assert all(after[at : at + 1] == b"x" for at in places)
        again = parse(after.decode("utf-8", "surrogateescape"))
        assert [t.id for t in again.tasks if t.state == "done"] == [
            t.id for t in file.tasks if t.state == "done" or t.id == leaf.id
        ]


COMMENTS = """\
<!-- @task id="A-1" status="completed" -->
### A-1 Première 🎉
<!-- @endtask -->
<!-- @task priority="high" id='A-2' status='in-progress' -->
### A-2
\t- [ ] a criterion
<!-- @endtask -->
<!-- @task id="A-3" -->
### A-3"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("task", "before", "after"),
    [
        ("A-1", "", ""),
        ("A-2", "status='in-progress'", "status='completed'"),
        ("A-3", 'id="A-3"', 'id="A-3" status="completed"'),
    ],
)
def test_of_a_task_that_is_a_comment_the_status_changes_in_the_files_own_word(
    newline: str, task: str, before: str, after: str
) -> None:
    data = COMMENTS.replace("\n", newline).encode()
    ticked = tick(data, task)
    assert ticked == data.replace(before.encode(), after.encode())
    assert tick(ticked, task) == ticked
    states = {leaf.id: leaf.state for leaf in parse(ticked.decode()).leaves}
    assert states[task] == "done"


def test_without_a_word_of_the_file_a_status_becomes_done() -> None:
    data = b'<!-- @task id="A-2" status="" -->\n### A\n<!-- @endtask -->'
    assert tick(data, "A-2") == data.replace(b'""', b'"done"')


attributes = st.sampled_from(
    [
        *('status="pending"', "status='in progress'", 'status=""', 'state="todo"'),
        *('priority="high"', 'note="é 🎉"', 'depends="none"', "", 'optional="true"'),
    ]
)


@given(
    st.lists(st.tuples(attributes, attributes), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([" ", "\n     "]),
    st.binary(max_size=4),
)
def test_any_task_that_is_a_comment_becomes_done_and_nothing_else_changes(
    plan: list[tuple[str, str]], newline: str, between: str, tail: bytes
) -> None:
    text = "".join(
        f"<!-- @task{between}{one}{between}id='Q-{n}'{between}{two} -->\n### T é\n"
        f"- [ ] ok\n<!-- @endtask -->\n"
        for n, (one, two) in enumerate(plan)
    ).replace("\n", newline)
    data = text.encode() + tail
    before = parse(data.decode("utf-8", "surrogateescape"))
    for leaf in before.leaves:
        after = parse(tick(data, leaf.id).decode("utf-8", "surrogateescape"))
        assert [(t.id, t.title, t.priority, t.optional) for t in after.tasks] == [
            (t.id, t.title, t.priority, t.optional) for t in before.tasks
        ]
        assert [t.state for t in after.tasks] == [
            "done" if t.id == leaf.id else t.state for t in before.tasks
        ]
