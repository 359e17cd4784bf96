"""A tick is that of the task that was done, whatever people did to the file meanwhile, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.file.edit import CannotTick, tick
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.same_box import words_of as words


@dataclass(frozen=True)
class Box:
    """A task of a plan; ``key`` says which it is, whatever becomes of number and title."""

    key: int
    title: str


@dataclass(frozen=True)
class Group:
    title: str
    boxes: tuple[Box, ...]


TITLES = (
    "Write tests",
    "Use C",
    "Use C++",
    "Use C#",
    "use c",
    "Checkpoint",
    "Öffne *es*",
)
GROUPS = ("Data", "Pages", "Data layer", "Docs")
STYLES = (
    ("\n", "", "  ", True),
    ("\r\n", "\ufeff", "\t", False),
    ("\n", "\ufeff", "    ", False),
)


def _write(
    plan: list[Group], style: tuple[str, str, str, bool]
) -> tuple[str, list[int]]:
    """The text of a plan, and the keys of its leaves in order."""
    newline, head, indent, last = style
    lines, keys = ["# Plan", ""], []
    for number, group in enumerate(plan, 1):
        if not group.boxes:
            continue
        lines.append(f"- [ ] {number}. {group.title}")
        for place, box in enumerate(group.boxes, 1):
            lines.append(f"{indent}- [ ] {number}.{place} {box.title}")
            keys.append(box.key)
    return head + newline.join(lines) + (newline if last else ""), keys


# Two of one title in two groups of one title are the same in any file.
boxes = st.lists(st.sampled_from(TITLES), min_size=1, max_size=4, unique=True)
plans = st.lists(
    st.tuples(st.sampled_from(GROUPS), boxes),
    min_size=1,
    max_size=4,
    unique_by=lambda group: group[0],
)
edits = st.lists(
    st.tuples(
        st.sampled_from(("insert", "delete", "retitle", "group", "rename", "drop")),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=4,
)


def _plan(written: list[tuple[str, list[str]]]) -> list[Group]:
    keys = iter(range(1_000))
    return [
        Group(name, tuple(Box(next(keys), title) for title in titles))
        for name, titles in written
    ]


def _edit(plan: list[Group], kind: str, at: int, place: int, fresh: int) -> list[Group]:
    plan = list(plan)
    if kind == "group" or not plan:
        plan.insert(
            at % (len(plan) + 1), Group(f"New {fresh}", (Box(fresh, f"N {fresh}"),))
        )
        return plan
    at %= len(plan)
    group = plan[at]
    inside = list(group.boxes)
    if kind == "drop":
        del plan[at]
        return plan
    if kind == "rename":
        plan[at] = replace(group, title=f"Renamed {fresh}")
        return plan
    if kind == "insert":
        inside.insert(place % (len(inside) + 1), Box(fresh, f"Fresh {fresh}"))
    elif inside and kind == "delete":
        del inside[place % len(inside)]
    elif inside:
        inside[place % len(inside)] = Box(fresh, f"Other {fresh}")
    plan[at] = replace(group, boxes=tuple(inside))
    return plan


def _ticked(before: str, after: bytes) -> Optional[int]:
    leaves = parse(after.decode()).leaves
    done = [at for at, leaf in enumerate(leaves) if leaf.state == "done"]
    assert len(done) <= 1
    assert len(parse(before).leaves) == len(leaves)
    return done[0] if done else None


@given(plans, edits, st.sampled_from(STYLES), st.integers(0, 15))
def test_nothing_is_ticked_that_nobody_did(
    written: list[tuple[str, list[str]]],
    changes: list[tuple[str, int, int]],
    style: tuple[str, str, str, bool],
    which: int,
) -> None:
    plan = _plan(written)
    early, keys = _write(plan, style)
    leaf = parse(early).leaves[which % len(keys)]
    key, title = keys[which % len(keys)], leaf.title
    group = next(t.title for t in parse(early).tasks if t.id == leaf.parent)
    for fresh, (kind, at, place) in enumerate(changes, 1_000):
        plan = _edit(plan, kind, at, place, fresh)
    late, now = _write(plan, style)
    data = late.encode()
    try:
        after = tick(
            data,
            leaf.id,
            title=title,
            group=group,
            groups=False,
            earlier=early.encode,
        )
    except CannotTick:
        # Not without need: it is gone, or another one reads like it.
        alike = [t for _, titles in written for t in titles if words(t) == words(title)]
        assert key not in now or len(alike) > 1
        return
    place_of = _ticked(late, after)
    assert place_of is not None
    assert now[place_of] == key
    changed = [at for at, pair in enumerate(zip(data, after)) if pair[0] != pair[1]]
    assert len(after) == len(data)
    assert len(changed) == 1


PLAN = (
    "- [ ] 1. A\n- [ ] 2. Checkpoint\n- [ ] 3. B\n- [ ] 4. Checkpoint\n- [ ] 5. Use C\n"
)


@pytest.mark.parametrize(
    ("task", "title", "late", "box"),
    [
        # Two tasks in front: what was 4 is 6, and 4 is what was 2.
        (
            "4",
            "Checkpoint",
            "1. X\n2. Y\n3. A\n4. Checkpoint\n5. B\n6. Checkpoint",
            "6",
        ),
        (
            "2",
            "Checkpoint",
            "1. X\n2. Y\n3. A\n4. Checkpoint\n5. B\n6. Checkpoint",
            "4",
        ),
        # The first one is gone, and with it its number.
        ("2", "Checkpoint", "1. B\n2. Checkpoint\n3. Use C", None),
        ("4", "Checkpoint", "1. B\n2. Checkpoint\n3. Use C", "2"),
        ("2", "Checkpoint", "1. A\n2. B\n3. Checkpoint\n4. Use C", None),
        # More of them below change nothing above.
        (
            "2",
            "Checkpoint",
            "1. A\n2. Checkpoint\n3. B\n4. Checkpoint\n5. Checkpoint",
            "2",
        ),
        # Other words, of the same letters and digits alone.
        ("5", "Use C", "1. A\n5. Use C++", None),
        ("5", "Use C", "1. A\n5. Use C#", None),
        ("5", "Use C", "1. A\n5. use  **C**.", "5"),
        ("5", "Use C", "1. A\n3. `Use C` ✅", "3"),
        ("5", "Use C", "1. A\n3. __Use C__", "3"),
        ("5", "Use C", "1. A\n5. Use D", None),
    ],
)
def test_a_box_of_a_changed_file_is_known_by_what_the_file_was(
    task: str, title: str, late: str, box: Optional[str]
) -> None:
    data = "".join(f"- [ ] {line}\n" for line in late.split("\n")).encode()
    if box is None:
        with pytest.raises(CannotTick):
            tick(data, task, title=title, earlier=PLAN.encode)
        return
    ticked = tick(data, task, title=title, earlier=PLAN.encode)
    assert ticked == data.replace(f"[ ] {box}.".encode(), f"[x] {box}.".encode())
    assert tick(ticked, task, title=title, earlier=PLAN.encode) == ticked


def test_titles_that_differ_in_case_alone_are_two_where_both_are_there() -> None:
    early = b"- [ ] 1. Use C\n- [ ] 2. use c\n"
    assert b"[x] 2" in tick(early, "2", title="use c", earlier=lambda: early)
    with pytest.raises(CannotTick):  # the first is gone: this is the other one
        tick(b"- [ ] 1. use c\n", "1", title="Use C", earlier=lambda: early)
