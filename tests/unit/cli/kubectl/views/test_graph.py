"""The drawing of the task graph: read back, it has the edges of the graph."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.graph import graph_terminal
from kiro_swarm.cli.kubectl.views.layers import reduced
from tests.support.pace import in_proportion
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.drawing import read_edges
from tests.unit.cli.kubectl.views.sample import shown, task


def graph(needs: dict[str, list[str]]) -> list[dict[str, Any]]:
    tasks = [task(name, needs=found) for name, found in needs.items()]
    for order, item in enumerate(tasks):
        item["spec"]["order"] = order
    return tasks


def drawn(needs: dict[str, list[str]], width: int = 100) -> str:
    return shown(graph_terminal(graph(needs), width), width)


def edges_of(needs: dict[str, list[str]]) -> set[tuple[str, str]]:
    """The edges that do not follow from others."""
    return {(n, t) for t, found in reduced(needs)[0].items() for n in found}


@pytest.mark.parametrize(
    "needs",
    [
        {"1": [], "2": ["1"], "3": ["2"]},
        {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]},
        {"1": [], "2": [], "3": ["1", "2"], "4": ["1", "2"]},
        {"1": [], "2": ["1"], "3": ["2"], "4": ["3"], "5": ["1"], "6": ["4", "5"]},
        {"1": [], "2": [], "3": ["2"], "4": ["1"]},
        {"CORE-1": [], "1.10": ["CORE-1"]},
    ],
    ids=["chain", "diamond", "two by two", "long edge", "crossing", "words"],
)
def test_what_is_drawn_is_the_graph(needs: dict[str, list[str]]) -> None:
    assert read_edges(drawn(needs)) == edges_of(needs)


def test_the_sample_is_drawn_as_it_is() -> None:
    needs = {t["spec"]["id"]: t["spec"]["dependencies"] for t in sample.tasks()}
    said = shown(graph_terminal(sample.tasks(), 80), 80)
    assert read_edges(said) == edges_of(needs)
    assert said.splitlines()[0].strip() == "✔ 1.1"
    assert "✘ failed" in said
    assert max(map(len, said.splitlines())) <= 80


def random_graph(seed: int) -> dict[str, list[str]]:
    dice = random.Random(seed)
    return {
        str(place): [
            str(other)
            for other in dice.sample(
                range(place), min(place, dice.choice([0, 1, 1, 2]))
            )
        ]
        for place in range(dice.randint(2, 14))
    }


def test_graphs_of_all_shapes_are_readable() -> None:
    graphs = [random_graph(seed) for seed in range(150)]
    exact = 0
    for needs in graphs:
        found = read_edges(drawn(needs, 300))
        assert edges_of(needs) <= found
        exact += found == edges_of(needs)
    assert exact >= 148, "a line may seem to be another's only in the densest graphs"


@given(st.integers(0, 10**6), st.integers(20, 60))
def test_no_drawing_is_wider_than_it_may_be(seed: int, width: int) -> None:
    said = drawn(random_graph(seed), width)
    lines = said.split("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= width


def test_edges_that_follow_from_others_are_left_out_and_counted() -> None:
    needs = {"1": [], "2": ["1"], "3": ["1", "2", "2"], "4": ["gone", "3"]}
    assert edges_of(needs) == {("1", "2"), ("2", "3"), ("3", "4")}
    assert "1 edge left out that follow from others" in drawn(needs)


def test_a_wide_layer_is_bundled_with_the_interesting_ones_kept() -> None:
    tasks = graph({str(number): [] for number in range(40)})
    tasks[33]["status"]["state"] = "Running"
    said = shown(graph_terminal(tasks, 60), 60)
    first = said.splitlines()[0]
    assert "● 33" in first
    assert "⋯ +" in first
    bundled = int(first.split("+")[1].split()[0])
    assert f"{bundled} tasks stand together as +N" in said
    assert first.count("○") + first.count("●") + bundled == 40


def test_edges_to_bundled_tasks_lead_to_the_bundle() -> None:
    needs: dict[str, list[str]] = {"0": []}
    needs.update({str(number): ["0"] for number in range(1, 50)})
    needs["50"] = [str(number) for number in range(1, 50)]
    found = read_edges(drawn(needs, 60))
    bundle = next(lower for _, lower in found if lower.startswith("+"))
    assert {("0", bundle), (bundle, "50")} <= found


def test_long_edges_without_room_are_counted() -> None:
    needs: dict[str, list[str]] = {f"a{n}": [] for n in range(6)}
    needs.update({f"b{n}": [f"a{n}"] for n in range(6)})
    needs.update({f"c{n}": [f"b{n}"] for n in range(6)})
    needs["x"] = []
    needs.update({f"z{n}": [f"c{n}", f"a{(n + 1) % 6}", "x"] for n in range(6)})
    assert "over many layers" in drawn(needs, 56)


def test_tasks_that_wait_in_a_circle_are_counted() -> None:
    said = drawn({"1": ["2"], "2": ["1"], "3": ["3"], "4": []})
    assert "3 tasks left out that wait in a circle" in said


def test_no_tasks_are_no_drawing() -> None:
    assert shown(graph_terminal([])) == "no tasks\n"


def test_a_long_id_is_cut() -> None:
    assert "x" * 15 + "…" in drawn({"x" * 100: []})


def test_a_chain_of_thousands_and_a_crowd_of_thousands_are_drawn() -> None:
    def chain(count: int) -> dict[str, list[str]]:
        return {str(n): [str(n - 1)] if n else [] for n in range(count)}

    def crowd(count: int) -> dict[str, list[str]]:
        dice = random.Random(7)
        return {
            str(n): [str(dice.randrange(max(0, n - 300), n))] if n % 3 else []
            for n in range(count)
        }

    assert len(in_proportion(chain, drawn, 3000).result.splitlines()) > 5999
    assert "stand together" in in_proportion(crowd, drawn, 10_000).result
