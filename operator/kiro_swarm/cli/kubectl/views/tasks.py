"""``kubectl swarm get tasks``: the tasks as a tree, as their ids nest.

``1.2.3`` stands under ``1.2`` under ``1``. A group is no KiroTask; its title is known
from the text of its tasks, which begins with "Part of 1. Title".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Optional

from kiro_swarm.api.meta import FAILED, MERGED
from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Part
from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    asks_people,
    dependencies,
    in_file_order,
    named_colour,
    number,
    part,
    state,
    states_of,
    task_id,
    why,
    worked_seconds,
)
from kiro_swarm.cli.kubectl.views.style import glyph, state_cell, swatch
from kiro_swarm.cli.kubectl.views.text import clean, duration
from kiro_swarm.tasks.file.ids import prefixes

_HEADINGS = ["TASK", "STATE", "TRY", "INSTANCE", "TIME", "TITLE", "WHY"]
_WIDE = ["BRANCH", "COMMIT", "WAITS FOR"]
_TITLE = 200


@dataclass
class Node:
    """A task or a group of tasks, with what is under it."""

    id: str
    task: Optional[Object] = None
    title: str = ""
    children: list[Node] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)


def tree_of(tasks: Sequence[Object]) -> list[Node]:
    """The roots of the tree, everything in the order of the task file."""
    nodes: dict[str, Node] = {}
    roots: list[Node] = []

    def place(identity: str, above: list[str], task: Object) -> Node:
        node = nodes.get(identity)
        if node is None:
            node = nodes[identity] = Node(identity)
            siblings = place(above[0], above[1:], task).children if above else roots
            siblings.append(node)
        return node

    for task in in_file_order(tasks):
        identity = task_id(task)
        above = prefixes(identity)[:6]
        node = place(identity, above, task)
        node.task, node.title = task, clean(part(task, "spec").get("title"), _TITLE)
        for group_id in above:
            group = nodes[group_id]
            now_in = state(task)
            group.tally[now_in] = group.tally.get(now_in, 0) + 1
            group.title = group.title or _group_title(task, group_id)
    return roots


def _group_title(task: Object, group: str) -> str:
    head = f"Part of {group}. "
    text = part(task, "spec").get("description")
    for line in (text if isinstance(text, str) else "")[:8192].split("\n"):
        if line.startswith(head):
            return clean(line[len(head) :], _TITLE)
    return ""


def pruned(nodes: Sequence[Node], keep: Collection[str]) -> list[Node]:
    """The tree with the tasks in ``keep`` and the groups above them; tallies stay."""
    kept = []
    for node in nodes:
        children = pruned(node.children, keep)
        if children or node.id in keep:
            kept.append(replace(node, children=children))
    return kept


def tree_rows(
    roots: Sequence[Node],
    states: dict[str, str],
    wide: bool,
    now: datetime,
    asks: bool = False,
) -> list[list[Cell]]:
    """A row for each node, with guides before what is inside of a group."""
    rows: list[list[Cell]] = []

    def walk(nodes: Sequence[Node], before: str, inner: bool) -> None:
        for place, node in enumerate(nodes):
            last = place == len(nodes) - 1
            guide = ("└─ " if last else "├─ ") if inner else ""
            head: list[Part] = [(before + guide, "dim")] if before + guide else []
            rows.append(_row(node, head, states, wide, now, asks))
            below = ("   " if last else "│  ") if inner else ""
            walk(node.children, before + below, True)

    walk(roots, "", False)
    return rows


def tasks_tree(
    swarm: Object, tasks: Sequence[Object], wide: bool = False, *, now: datetime
) -> Grid:
    """The tree of ``tasks`` of ``swarm``, one line a task or group."""
    title = len(_HEADINGS) - 2
    return Grid(
        _HEADINGS + (_WIDE if wide else []),
        tree_rows(tree_of(tasks), states_of(tasks), wide, now, asks_people(swarm)),
        elastic=[title, title + 1, *([title + 2, title + 4] if wide else [])],
        right=[2, 4],
        empty=f"no tasks of {clean(part(swarm, 'metadata').get('name'))} yet",
    )


def _row(
    node: Node,
    head: list[Part],
    states: dict[str, str],
    wide: bool,
    now: datetime,
    asks: bool,
) -> list[Cell]:
    if node.task is None:
        return _group_row(node, head, wide)
    task = node.task
    status, current = part(task, "status"), state(task)
    attempt = int(number(status.get("attempt")))
    instance = clean(status.get("instance"), 63)
    row: list[Cell] = [
        [*head, (node.id, "bold")],
        state_cell(current),
        [(str(attempt), "yellow" if attempt > 1 else "")] if attempt else "",
        swatch(named_colour(instance), instance),
        duration(worked_seconds(task, now)),
        node.title,
        [(why(task, states, wide, asks), "red" if current == FAILED else "dim")],
    ]
    if wide:
        commit = status.get("mergeCommit") or status.get("commit")
        row += [
            clean(status.get("branch"), 255),
            [(clean(commit, 64)[:10], "yellow")],
            " ".join(dependencies(task)[:100]),
        ]
    return row


def _group_row(node: Node, head: list[Part], wide: bool) -> list[Cell]:
    total = sum(node.tally.values())
    merged = node.tally.get(MERGED, 0)
    rest: list[Part] = []
    for name in ("Failed", "Running", "Done"):
        if node.tally.get(name):
            sign, style = glyph(name)
            rest += [(" ", ""), (f"{sign}{node.tally[name]}", style)]
    done: list[Part] = [(f"{merged}/{total}", "green" if merged == total else "")]
    row: list[Cell] = [
        [*head, (node.id, "bold")],
        done + rest,
        *("", "", ""),
        [(node.title, "bold")],
        "",
    ]
    return [*row, "", "", ""] if wide else row
