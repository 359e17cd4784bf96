"""Whatever is in a file: no crash, no lost task, bounded time."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import graph_of, publish, read_published
from kiro_swarm.tasks.plan.graph import TaskGraph
from tests.support.sizes import sized

SCRAPS = st.sampled_from(
    [
        *("- [ ] ", "- [x]", "[-]", "* ", "1.", "1.1", " 2.1 ", "CORE-1", "**", "_"),
        *("_Depends: ", "_Requirements: ", "_Files: ", "Blocks:", "(", ")", ",", ":"),
        *("\n", "\r\n", "\r", "\n\n", "  ", "\t", "```", "~~~", "<!--", "-->", "> "),
        *('{"waves":[["1"],', '["1.1"]]}', "json", "Checkpoint", "# ", "\ufeff", "🎉"),
        *(
            '<!-- @task id="A-1" -->\n',
            "<!-- @endtask -->\n",
            "@task ",
            ' status="done"',
        ),
        *("## Phase 1\n", "Phase 1", "(P) ", "1.1-2.1", "1.x", "all previous tasks"),
        *("auth:2.1", "## Checklist\n", "1.1 --> 2.1", "_Priority: ", "high", " | "),
        *("\x00", "\ud800", "\u202e", "`", "\\", "- ", "none", "Task "),
    ]
)
#: What a box may hold around its sign, of which nothing can be seen.
UNSEEN = re.compile(r"[\s\u200b-\u200d\u2060\ufe0e\ufe0f\ufeff]+")
MARKS = ("", *"xX-~✓✔☑✅√ｘＸ")
texts = st.one_of(st.text(), st.lists(SCRAPS, max_size=60).map("".join))


@given(texts)
def test_no_text_crashes_the_parser_and_every_answer_is_sound(text: str) -> None:
    file = parse(text)
    names = [task.id for task in file.tasks]
    leaves = {task.id for task in file.leaves}
    assert len(set(names)) == len(names)
    count = len(text) + 1
    for task in file.tasks:
        assert is_id(task.id)
        assert set(task.waits_for) <= leaves
        assert task.parent is None or task.parent in names
        if task.ticked_mark == "x":
            mark = text[task.offset : task.offset + task.width]
            assert UNSEEN.sub("", mark) in MARKS or file.errors
    for remark in file.diagnostics:
        assert 1 <= remark.line <= count
        assert 1 <= remark.column <= count
    graph = publish(file, "tasks.md")
    assert read_published(json.dumps(json.loads(graph.to_json()))) == graph
    if not file.errors:
        assert graph_of(graph).find_cycle() is None


plans = st.lists(st.integers(1, 4), min_size=1, max_size=6).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes),
        st.lists(
            st.tuples(
                st.sampled_from(" x-~"),
                st.booleans(),
                st.lists(st.integers(0, 30), max_size=3),
                st.sampled_from(
                    ["Title", "🎉 mit Umlaut ä", "a_b *c* [d]", "1.1 again"]
                ),
            ),
            min_size=sum(sizes),
            max_size=sum(sizes),
        ),
    )
)


@given(plans, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_graph_that_is_written_down_is_read_back_the_same(
    plan: tuple[list[int], list[tuple[str, bool, list[int], str]]],
    newline: str,
    nested: bool,
) -> None:
    sizes, leaves = plan
    names = [f"{g}.{n}" for g, size in enumerate(sizes, 1) for n in range(1, size + 1)]
    lines: list[str] = ["# Implementation Plan", ""]
    indent = "  " if nested else ""
    expected = {}
    for index, (name, (mark, optional, before, title)) in enumerate(zip(names, leaves)):
        if name.endswith(".1"):
            lines.append(f"- [ ] {name[:-2]}. Group")
        needed = sorted({b % index for b in before}) if index else []
        ids = [names[n] for n in needed]
        lines += [
            f"{indent}- [{mark}]{'*' if optional else ''} {name} {title}",
            f"{indent}  - _Depends: {', '.join(ids) or 'none'}_",
        ]
        expected[name] = (mark, optional, title, tuple(ids))
    file = parse(newline.join(lines))
    assert [d for d in file.diagnostics if d.severity != "info"] == []
    marks = {"open": " ", "done": "x", "running": "-", "deferred": "~"}
    assert {
        t.id: (marks[t.state], t.optional, t.title, t.dependencies) for t in file.leaves
    } == expected
    place = {name: at for at, name in enumerate(names)}
    order = TaskGraph(
        [[place[n] for n in task.waits_for] for task in file.leaves]
    ).topological_order()
    assert len(order) == len(names)


#: Of each kind of noise; what takes time in the square of it does not end in time.
MEGABYTE = sized(2**18, 2**20)
#: For words that take the same path through the same rules.
PIECE = MEGABYTE // 4
#: Processor time that a MiB of anything may take, of a machine that does other things, too.
SECONDS = 6.0
NOISE = {
    "one line": "x" * MEGABYTE,
    "blanks": " " * MEGABYTE,
    "newlines": "\n" * MEGABYTE,
    "returns": "\r" * MEGABYTE,
    "underscores": "- [ ] 1. a\n  - _Depends: " + "_ " * (MEGABYTE // 2),
    "brackets": "- [ ] 1. a\n  - _Depends: " + "(" * MEGABYTE,
    "fences": "```\n" * (MEGABYTE // 4),
    "comments": "<!--" * (MEGABYTE // 4),
    "waves": '```\n{"waves":[' + "[" * MEGABYTE,
    "digits": '```\n{"waves":[' + "9" * MEGABYTE + "]}\n```",
    "fields": "- [ ] 1. a\n  - " + "_Files: " * (MEGABYTE // 8),
    "quotes": ">" * MEGABYTE + "- [ ] 1. a",
    "stars": "- [ ]" + " " * MEGABYTE + "x",
    "seconds": "- [ ] 1. a\n  - _Estimate: " + "1" * MEGABYTE,
    "boxes": "- [ ] x\n" * (MEGABYTE // 8),
    "arrows": "- [ ] 1. a\n\n# b\n" + "1 --> 1 " * (MEGABYTE // 8),
    "drawings": "- [ ] 1. a\n# x\n" + "1 --> 1\n\n" * (MEGABYTE // 9),
    "task comments": "<!-- @task id= -->\n" * (MEGABYTE // 19),
    "open task comment": '<!-- @task id="' + "a=" * (MEGABYTE // 2),
    "phases": "- [ ] 1. a\n" + "## Phase 1\n### Phase 2\n" * (MEGABYTE // 23),
    "ranges": "- [ ] 1. a\n" + "  - _Depends: 1-999999_\n" * (MEGABYTE // 24),
    "words": "- [ ] 1. a\n  - _Depends: "
    + "after all of the tasks " * (MEGABYTE // 23),
    "specs": "- [ ] 1. a\n  - _Depends: " + "a-" * (MEGABYTE // 2),
    "loose waves": "- [ ] 1. a\n\n{\n" + '"waves": {\n' * (MEGABYTE // 11),
    "criteria": "- [ ] 1. a\n  - Acceptance criteria:\n"
    + "    - x\n" * (MEGABYTE // 8),
    "priorities": "- [ ] 1. a\n" + "  - _Priority: x_ | " * (MEGABYTE // 20),
    "capabilities": "- [ ] 1. g\n  - _Capabilities: "
    + "".join(f"c{n}, " for n in range(MEGABYTE // 8)),
    "bars": "- [ ] 1. a\n  - _Files: " + " |" * (MEGABYTE // 2),
    "many lines": "".join(
        f"{n} - [ ] _{n}: **x** `y` (z)\r\n" for n in range(sized(32_000, 320_000))
    ),
    "labels": "- [ ] " + "[WIP] " * (MEGABYTE // 6),
    "signs": "- [ ] " + "✅ " * (MEGABYTE // 2),
    "half boxes": "- [ 1\n" * (MEGABYTE // 6),
    "rows": "| [ ] | 1.1 |\n" * (MEGABYTE // 14),
    "cells": "|" * MEGABYTE,
    "prose": "- [ ] 1. a\n" + "  depends on the completion of " * (MEGABYTE // 31),
    "verbs": "- [ ] 1. a\n  after " + "task " * (MEGABYTE // 5),
    "names": "- [ ] 1. a\n  - _" + "a " * (MEGABYTE // 2) + ": 1_",
    "colons": "- [ ] 1. a\n" + "  - _a: 1_\n" * (MEGABYTE // 11),
    "nodes": "- [ ] 1. a\n# g\n```mermaid\n" + "A[1. a" * (MEGABYTE // 6) + "\n```",
    "links": "- [ ] 1. a\n# g\n```mermaid\n" + "1 --> 1\n" * (MEGABYTE // 8) + "```",
    "headings": "- [ ] 1. a\n" + "## Dependencies\n1, 1\n" * (MEGABYTE // 22),
    "chains": "- [ ] 1. a\n\n" + "1 > 1\n" * (PIECE // 6),
    "long chains": "- [ ] 1. a\n\n" + "1 > 1 > " * (PIECE // 8),
    "orders": "- [ ] 1. a\n\n" + "Order: 1, 1, 1\n" * (PIECE // 15),
    "asides": "- [ ] 1. a\n\n" + "1 (a b c d e f), " * (PIECE // 17),
    "all above": "- [ ] 1. a\n" + "  needs all previous tasks\n" * (PIECE // 27),
    "all others": "- [ ] 1. a\n" + "  before all other tasks\n" * (PIECE // 25),
    "side by side": "- [ ] 1. a\n\n" + "tasks 1 and 1 in parallel\n" * (PIECE // 26),
    "pairs": "- [ ] 1. a\n\n"
    + ("tasks " + "1, " * 50 + "need tasks " + "1, " * 50 + "\n") * (PIECE // 318),
    "it": "- [ ] 1. a\n\n" + "1 builds on it; " * (PIECE // 16),
    "wide signs": "［" * MEGABYTE,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", list(NOISE))
def test_noise_takes_bounded_time(kind: str) -> None:
    begun = time.process_time()
    file = parse(NOISE[kind])
    spent = time.process_time() - begun
    assert spent < 1 + SECONDS * len(NOISE[kind]) / 2**20
    assert len(file.tasks) <= 1
    assert len(file.diagnostics) <= 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize("graph", ["", "\n# G\n```\n{}\n```\n"], ids=["row", "waves"])
def test_ten_thousand_tasks_are_read_in_bounded_time(graph: str) -> None:
    count = sized(2_500, 10_000)
    text = "".join(f"- [ ] {g}.{n} T\n" for g in range(count // 50) for n in range(50))
    waves = {"waves": [[f"{g}.{n}" for n in range(50)] for g in range(count // 50)]}
    file = parse(text + graph.replace("{}", json.dumps(waves)))
    assert file.errors == ()
    assert len(file.leaves) == count


GROUP = "- [ ] 1. Group\n"
COUNT = sized(4_000, 20_000)
LEAVES = "".join(f"  - [ ] 1.{n} T\n" for n in range(COUNT))
WIDE = {
    "previous": "  - _Depends: all previous tasks_\n" * COUNT,
    "specs": "  - _Depends: auth:2_\n" * COUNT,
    "capabilities": "  - _Capabilities: "
    + ", ".join(f"c{n}" for n in range(COUNT))
    + "_\n",
    "itself": "  - _Depends: 1.1_\n" * COUNT,
    "priorities": "  - _Priority: x_\n" * COUNT,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", list(WIDE))
def test_what_a_group_says_often_is_not_multiplied_by_its_sub_tasks(kind: str) -> None:
    file = parse(GROUP + WIDE[kind] + LEAVES)
    assert len(file.leaves) == COUNT
    assert len(file.diagnostics) <= 200


DRAWN = {
    "above": "Task 1.999 depends on all previous tasks.\n" * (COUNT // 4),
    "rest": "Task 1.1 must come before all other tasks.\n" * (COUNT // 4),
    "beside": "Task 1.999 runs in parallel with task 1.1.\n" * (COUNT // 4),
    "drawing": "```mermaid\n" + "1.9 & 1.8 & 1.7 --> 1.1 & 1.2 & 1.3\n" * COUNT + "```",
    "words": "Task 1.1 depends on task 1.999.\n" * COUNT,
    "arrows": "1.9 --> 1.8\n\n" * COUNT,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", list(DRAWN))
def test_whether_a_drawing_is_true_is_found_out_in_bounded_time(kind: str) -> None:
    graph = f"\n# Dependencies\n\n{DRAWN[kind]}\n"
    begun = time.process_time()
    file = parse(GROUP + LEAVES + graph)
    assert time.process_time() - begun < sized(8, 30)
    assert len(file.diagnostics) <= 200


@pytest.mark.timeout(60)
def test_more_edges_than_a_task_can_carry_are_an_error() -> None:
    text = "".join(f"- [ ] 1.{n} T\n" for n in range(3000))
    file = parse(text + "- [ ] 2. Last\n  - _Depends: 1_\n")
    assert [str(d) for d in file.errors] == [
        "line 1: too many dependencies at task 2 (line 3001): "
        "at most 2000 for a task and 1000000 for a file"
    ]
