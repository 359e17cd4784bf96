"""Mermaid and dot: parseable whatever the titles are, every task and edge in them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.graph_text import graph_dot, graph_mermaid
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import task

HOSTILE = st.text(st.characters(exclude_categories=[]), max_size=80)
_NODE = re.compile(r'  t([0-9]+)\["([^"\[\]{}<>`|\\]*)<br/>([^"<>`|\\]*)"\]:::([a-z]+)')
_EDGE = re.compile(r"  t([0-9]+) --> t([0-9]+)")
_CLASS = re.compile(r"  classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},.*")
_DOT_NODE = re.compile(
    r'  t([0-9]+) \[label="((?:[^"\\]|\\.)*)", fillcolor="#\w+", color="#\w+", '
    r'fontcolor="#\w+"\];'
)
_DOT_EDGE = re.compile(r"  t([0-9]+) -> t([0-9]+);")


def read_mermaid(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Labels and edges; raises where a line is none of ours."""
    head, *lines = text.rstrip("\n").split("\n")
    assert head == "flowchart TD"
    labels: list[str] = []
    edges: list[tuple[int, int]] = []
    for line in lines:
        node, edge = _NODE.fullmatch(line), _EDGE.fullmatch(line)
        if node:
            assert int(node.group(1)) == len(labels)
            labels.append(f"{node.group(2)} {node.group(3)}")
        elif edge:
            edges.append((int(edge.group(1)), int(edge.group(2))))
        else:
            assert _CLASS.fullmatch(line), line
    for label in labels:
        assert re.sub(r"#[0-9]+;", "", label).count(";") == 0
    return labels, edges


def read_dot(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    lines = text.rstrip("\n").split("\n")
    assert lines[0] == "digraph tasks {"
    assert lines[-1] == "}"
    labels: list[str] = []
    edges: list[tuple[int, int]] = []
    for line in lines[5:-1]:
        node, edge = _DOT_NODE.fullmatch(line), _DOT_EDGE.fullmatch(line)
        if node:
            labels.append(node.group(2))
        else:
            assert edge, line
            edges.append((int(edge.group(1)), int(edge.group(2))))
    return labels, edges


def edges_of(tasks: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(n, t["spec"]["id"]) for t in tasks for n in t["spec"]["dependencies"]}


def test_every_task_and_edge_is_there() -> None:
    tasks = sample.tasks()
    ids = [item["spec"]["id"] for item in tasks]
    for labels, edges in (
        read_mermaid(graph_mermaid(tasks)),
        read_dot(graph_dot(tasks)),
    ):
        assert len(labels) == 15
        assert {(ids[a], ids[b]) for a, b in edges} == edges_of(tasks)


def test_a_state_has_its_sign_and_colour() -> None:
    text = graph_mermaid(sample.tasks())
    assert "✔" not in text
    assert re.search(
        r't0\["#10004; 1\.1<br/>Create the project skeleton"\]:::merged', text
    )
    assert "classDef failed fill:#ffebe9" in text
    assert 'label="✘ 3.2\\nPayments through the provider"' in graph_dot(sample.tasks())


@given(HOSTILE, HOSTILE)
@example('"]; click t0 "javascript:alert(1)"', "%%{init: {}}%%")
@example('\\" \\', "end\nsubgraph")
@example("<img src=x onerror=alert(1)>", "`**bold**`")
@example("\\N \\G \\l", "&quot;&#34;#34;")
def test_no_title_or_id_ends_its_label(title: str, identity: str) -> None:
    tasks = [task(identity or "1", title), task("2", "next", [identity, "gone"])]
    tasks[1]["spec"]["order"] = 1
    for labels, edges in (
        read_mermaid(graph_mermaid(tasks)),
        read_dot(graph_dot(tasks)),
    ):
        assert len(labels) == 2
        assert set(edges) <= {(0, 1), (1, 1)}


def test_long_titles_are_cut_and_no_tasks_are_a_graph() -> None:
    text = graph_dot([task("1", "word " * 300, state="Odd")])
    assert len(text) < 600
    assert read_mermaid(graph_mermaid([])) == ([], [])
    assert read_dot(graph_dot([])) == ([], [])
