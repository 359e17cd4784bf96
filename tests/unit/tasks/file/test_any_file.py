"""Whatever is in a file: no crash, no lost task, bounded time."""

from __future__ import annotations

import json
import re
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import graph_of, publish, read_published
from kiro_swarm.tasks.plan.graph import TaskGraph
from tests.support.large_spec import large_spec
from tests.support.pace import Norm, in_proportion, measured
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


#: Of each kind of noise: what takes time in the square of it is seen in it.
SIZE = sized(2**17, 2**20)
#: How much longer noise may be read than a plan of people that is as long.
TIMES = 20.0
PLAN = large_spec(1_000, detail=2)
OF_A_PLAN = Norm(lambda: measured(lambda: parse(PLAN)).seconds)


NOISE: dict[str, Callable[[int], str]] = {
    "one line": lambda n: "x" * n,
    "blanks": lambda n: " " * n,
    "newlines": lambda n: "\n" * n,
    "returns": lambda n: "\r" * n,
    "underscores": lambda n: "- [ ] 1. a\n  - _Depends: " + "_ " * (n // 2),
    "brackets": lambda n: "- [ ] 1. a\n  - _Depends: " + "(" * n,
    "fences": lambda n: "```\n" * (n // 4),
    "comments": lambda n: "<!--" * (n // 4),
    "waves": lambda n: '```\n{"waves":[' + "[" * n,
    "digits": lambda n: '```\n{"waves":[' + "9" * n + "]}\n```",
    "fields": lambda n: "- [ ] 1. a\n  - " + "_Files: " * (n // 8),
    "quotes": lambda n: ">" * n + "- [ ] 1. a",
    "stars": lambda n: "- [ ]" + " " * n + "x",
    "seconds": lambda n: "- [ ] 1. a\n  - _Estimate: " + "1" * n,
    "boxes": lambda n: "- [ ] x\n" * (n // 8),
    "arrows": lambda n: "- [ ] 1. a\n\n# b\n" + "1 --> 1 " * (n // 8),
    "drawings": lambda n: "- [ ] 1. a\n# x\n" + "1 --> 1\n\n" * (n // 9),
    "task comments": lambda n: "<!-- @task id= -->\n" * (n // 19),
    "open task comment": lambda n: '<!-- @task id="' + "a=" * (n // 2),
    "phases": lambda n: "- [ ] 1. a\n" + "## Phase 1\n### Phase 2\n" * (n // 23),
    "ranges": lambda n: "- [ ] 1. a\n" + "  - _Depends: 1-999999_\n" * (n // 24),
    "words": lambda n: "- [ ] 1. a\n  - _Depends: "
    + "after all of the tasks " * (n // 23),
    "specs": lambda n: "- [ ] 1. a\n  - _Depends: " + "a-" * (n // 2),
    "loose waves": lambda n: "- [ ] 1. a\n\n{\n" + '"waves": {\n' * (n // 11),
    "criteria": lambda n: "- [ ] 1. a\n  - Acceptance criteria:\n"
    + "    - x\n" * (n // 8),
    "priorities": lambda n: "- [ ] 1. a\n" + "  - _Priority: x_ | " * (n // 20),
    "capabilities": lambda n: "- [ ] 1. g\n  - _Capabilities: "
    + "".join(f"c{m}, " for m in range(n // 8)),
    "bars": lambda n: "- [ ] 1. a\n  - _Files: " + " |" * (n // 2),
    "many lines": lambda n: "".join(
        f"{m} - [ ] _{m}: **x** `y` (z)\r\n" for m in range(n // sized(8, 3))
    ),
    "labels": lambda n: "- [ ] " + "[WIP] " * (n // 6),
    "signs": lambda n: "- [ ] " + "✅ " * (n // 2),
    "half boxes": lambda n: "- [ 1\n" * (n // 6),
    "rows": lambda n: "| [ ] | 1.1 |\n" * (n // 14),
    "cells": lambda n: "|" * n,
    "prose": lambda n: "- [ ] 1. a\n" + "  depends on the completion of " * (n // 31),
    "verbs": lambda n: "- [ ] 1. a\n  after " + "task " * (n // 5),
    "names": lambda n: "- [ ] 1. a\n  - _" + "a " * (n // 2) + ": 1_",
    "colons": lambda n: "- [ ] 1. a\n" + "  - _a: 1_\n" * (n // 11),
    "nodes": lambda n: "- [ ] 1. a\n# g\n```mermaid\n" + "A[1. a" * (n // 6) + "\n```",
    "links": lambda n: "- [ ] 1. a\n# g\n```mermaid\n" + "1 --> 1\n" * (n // 8) + "```",
    "headings": lambda n: "- [ ] 1. a\n" + "## Dependencies\n1, 1\n" * (n // 22),
    # Of a quarter of it: words that take the same path through the same rules.
    "chains": lambda n: "- [ ] 1. a\n\n" + "1 > 1\n" * (n // 24),
    "long chains": lambda n: "- [ ] 1. a\n\n" + "1 > 1 > " * (n // 32),
    "orders": lambda n: "- [ ] 1. a\n\n" + "Order: 1, 1, 1\n" * (n // 60),
    "asides": lambda n: "- [ ] 1. a\n\n" + "1 (a b c d e f), " * (n // 68),
    "all above": lambda n: "- [ ] 1. a\n" + "  needs all previous tasks\n" * (n // 108),
    "all others": lambda n: "- [ ] 1. a\n" + "  before all other tasks\n" * (n // 100),
    "side by side": lambda n: "- [ ] 1. a\n\n"
    + "tasks 1 and 1 in parallel\n" * (n // 104),
    "pairs": lambda n: "- [ ] 1. a\n\n"
    + ("tasks " + "1, " * 50 + "need tasks " + "1, " * 50 + "\n") * (n // 1272),
    "table": lambda n: "- [ ] 1. a\n\n| A | Depends |\n" + "| 1 | 1 |\n" * (n // 40),
    "tables": lambda n: "- [ ] 1. a\n\n"
    + "| A | Depends |\n| 1 | 1 |\n\n" * (n // 108),
    "numbered": lambda n: "- [ ] 1. a\n\nOrder:\n" + "1. Task 1\n" * (n // 40),
    "days": lambda n: "- [ ] 1. a\n\n" + "Day 1: Task 1\n" * (n // 60),
    "it": lambda n: "- [ ] 1. a\n\n" + "1 builds on it; " * (n // 64),
    "wide signs": lambda n: "［" * n,
    "slips": lambda n: "- [ ] 1. a\n"
    + "".join(f"  - _depen{m % 997}s: x_\n" for m in range(n // 40)),
    "no colons": lambda n: "- [ ] 1. a\n" + "  - _Depends on - 2_ -\n" * (n // 40),
    "drawn boxes": lambda n: "- [ ] 1. a\n\n"
    + ("+--+ " * 20 + "\n" + "| 1|->" * 20 + "\n" + "+--+ " * 20 + "\n") * (n // 650),
    "open boxes": lambda n: "- [ ] 1. a\n\n" + "┌──┐│ ╔══╗\n" * (n // 24),
    "one tall box": lambda n: "- [ ] 1. a\n\n┌──┐\n" + "│1 │\n" * (n // 12),
    "stairs": lambda n: "- [ ] 1. a\n\n" + "┐└┐ 1 ├ 1\n│ ├──▶ 1\n" * (n // 50),
    "branches": lambda n: "- [ ] 1. a\n\n1\n" + "├── 1\n" * (n // 12),
    "branches apart": lambda n: "- [ ] 1. a\n\n1\n" + "  -> 1\n" * (n // 16),
    "lines": lambda n: "- [ ] 1. a\n\n" + "1 ─ │ ┼ / | -- 1\n" * (n // 60),
    "graphs": lambda n: "- [ ] 1. a\n\n" + "graph TD\nA[1] --> B[1]\n\n" * (n // 60),
    "lists in lists": lambda n: "- [ ] 1. a\n\n# Order\n\n- 1\n"
    + "  - 1\n - 1\n" * (n // 12),
    "emoji": lambda n: "- [ ] 1. a\n\n" + "1 ➡️ " * (n // 20),
    "lists": lambda n: "- [ ] 1. a\n```\n" + "- id: 1\n  deps: [1]\n" * (n // 44),
    "links without end": lambda n: "- [ ] 1. a\n  - _Depends" + " on - " * (n // 6),
}


@pytest.mark.parametrize("kind", list(NOISE))
def test_noise_takes_bounded_time(kind: str) -> None:
    read = in_proportion(NOISE[kind], parse, SIZE)
    text = NOISE[kind](SIZE)
    share = len(text) / len(PLAN)
    OF_A_PLAN.at_most(
        TIMES * share, read.seconds, lambda: measured(lambda: parse(text)).seconds
    )
    assert len(read.result.tasks) <= 1
    assert len(read.result.diagnostics) <= 200


#: What may stand in front of blanks. Of the blanks: as many as two runs of them make slow.
LEADS = (
    *("#", "######", "#-", "-", "1.", "# 1.", "*", "[", "- [", "- [ ]", "[x]", "[]"),
    *("- [ ] 2.", "1.1", "1.1 [", "**", "|", "| 1 |", ">", "_", "_Depends:", "(", "☐"),
    *("Phase", "Phase 1", "## Phase", "## Phase 1:", "US1", "第", "## a depends on"),
    *(
        "task",
        "# task",
        "all",
        "depends on",
        "task 1 after",
        "  |",
        "\\[",
        "(P)",
        "1 ->",
    ),
)
BLANKS = sized(2**13, 2**16)


@pytest.mark.parametrize("blank", [" ", "\t"], ids=["blanks", "tabs"])
@pytest.mark.parametrize("lead", LEADS)
def test_blanks_inside_of_a_line_cost_what_they_are_long(lead: str, blank: str) -> None:
    def made(count: int) -> str:
        long = f"{lead}{blank * count}x\n"
        return f"{long}- [ ] 1. a\n  {long}"

    in_proportion(made, parse, BLANKS)


@pytest.mark.parametrize("graph", ["", "\n# G\n```\n{}\n```\n"], ids=["row", "waves"])
def test_ten_thousand_tasks_are_read_in_bounded_time(graph: str) -> None:
    def made(count: int) -> str:
        groups = range(count // 50)
        text = "".join(f"- [ ] {g}.{n} T\n" for g in groups for n in range(50))
        waves = {"waves": [[f"{g}.{n}" for n in range(50)] for g in groups]}
        return text + graph.replace("{}", json.dumps(waves))

    count = sized(2_500, 10_000)
    file = in_proportion(made, parse, count).result
    assert file.errors == ()
    assert len(file.leaves) == count


GROUP = "- [ ] 1. Group\n"
COUNT = sized(4_000, 20_000)
WIDE: dict[str, Callable[[int], str]] = {
    "previous": lambda n: "  - _Depends: all previous tasks_\n" * n,
    "specs": lambda n: "  - _Depends: auth:2_\n" * n,
    "capabilities": lambda n: "  - _Capabilities: "
    + ", ".join(f"c{m}" for m in range(n))
    + "_\n",
    "itself": lambda n: "  - _Depends: 1.1_\n" * n,
    "priorities": lambda n: "  - _Priority: x_\n" * n,
}


def leaves(count: int) -> str:
    return "".join(f"  - [ ] 1.{n} T\n" for n in range(count))


@pytest.mark.parametrize("kind", list(WIDE))
def test_what_a_group_says_often_is_not_multiplied_by_its_sub_tasks(kind: str) -> None:
    def made(count: int) -> str:
        return GROUP + WIDE[kind](count) + leaves(count)

    file = in_proportion(made, parse, COUNT).result
    assert len(file.leaves) == COUNT
    assert len(file.diagnostics) <= 200


DRAWN: dict[str, Callable[[int], str]] = {
    "above": lambda n: "Task 1.999 depends on all previous tasks.\n" * (n // 4),
    "rest": lambda n: "Task 1.1 must come before all other tasks.\n" * (n // 4),
    "beside": lambda n: "Task 1.999 runs in parallel with task 1.1.\n" * (n // 4),
    "drawing": lambda n: "```mermaid\n"
    + "1.9 & 1.8 & 1.7 --> 1.1 & 1.2 & 1.3\n" * n
    + "```",
    "words": lambda n: "Task 1.1 depends on task 1.999.\n" * n,
    "arrows": lambda n: "1.9 --> 1.8\n\n" * n,
}


@pytest.mark.parametrize("kind", list(DRAWN))
def test_whether_a_drawing_is_true_is_found_out_in_bounded_time(kind: str) -> None:
    def made(count: int) -> str:
        return f"{GROUP}{leaves(count)}\n# Dependencies\n\n{DRAWN[kind](count)}\n"

    assert len(in_proportion(made, parse, COUNT).result.diagnostics) <= 200


def boxes(first: int, count: int) -> list[str]:
    return [f"- [ ] {number}. T" for number in range(first, first + count)]


def deep(count: int) -> str:
    """Sections with many tasks, then headings that wait for what is none."""
    lines = [f"{'#' * level} c{level}" for level in range(1, 7)] + boxes(1, count)
    for number in range(count // 16):
        lines += [f"# s{number} depends on {'+'.join(['q', 'c1'] * 40)}"]
        lines += boxes(count + 1 + number, 1)
    return "\n".join(lines)


def test_headings_needs_and_tasks_are_not_multiplied_by_each_other() -> None:
    file = in_proportion(deep, parse, sized(2_400, 9_600)).result
    assert len(file.diagnostics) <= 201


PARTS = (
    *("Phase 1: Layer", "Stage 1: Tier", "Sprint 1: Iteration", "Wave 1: Epic"),
    *("Milestone 1: Fase", "User Story 1: Step"),
)


def whole(count: int) -> str:
    """Parts that have all tasks, and sentences about each part and each task."""
    lines = [f"{'#' * level} {part} 1" for level, part in enumerate(PARTS, 1)]
    lines += [*boxes(1, count), ""]
    for part in " 1: ".join(PARTS).split(" 1: "):
        for first in range(1, count, 40):
            listed = ", ".join(map(str, range(first, min(count + 1, first + 40))))
            lines.append(f"{part} 1 depends on tasks {listed}.")
    return "\n".join(lines)


def test_the_tasks_of_a_part_are_not_multiplied_by_sentences_about_it() -> None:
    file = in_proportion(whole, parse, sized(8_000, 16_000)).result
    assert len(file.diagnostics) <= 201


def test_more_edges_than_a_task_can_carry_are_an_error() -> None:
    text = "".join(f"- [ ] 1.{n} T\n" for n in range(3000))
    file = parse(text + "- [ ] 2. Last\n  - _Depends: 1_\n")
    assert [str(d) for d in file.errors] == [
        "line 1: too many dependencies at task 2 (line 3001): "
        "at most 2000 for a task and 1000000 for a file"
    ]
