"""Who did what when: bars where the times are, in the terminal and in the picture."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.bars import tick_label, ticks, timeline
from kiro_swarm.cli.kubectl.views.timeline import timeline_terminal
from kiro_swarm.cli.kubectl.views.timeline_svg import LEFT, RIGHT, timeline_svg
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import NOW, START, at, shown, task

SVG = "{http://www.w3.org/2000/svg}"


def test_every_attempt_is_a_bar() -> None:
    line = timeline(sample.tasks(), NOW)
    assert len(line.bars) == 15
    assert list(line.lanes) == ["shop-1", "shop-2", "shop-3"]
    by_task = {(bar.task, bar.attempt): bar for bar in line.bars}
    assert by_task["1.3", 1].outcome == "failed"
    assert by_task["1.3", 1].reason == "VerificationFailed"
    assert by_task["1.3", 1].seconds == 96
    assert by_task["1.3", 2].outcome == "merged"
    assert by_task["2.4", 1].outcome == "running"
    assert by_task["2.4", 1].end == NOW
    assert by_task["3.3", 1].outcome == "done"


def test_attempts_that_overlap_get_lanes_of_their_own() -> None:
    waited = task("1", history=[record(1, 0, 100), record(2, 100, 120)])
    meanwhile = task("2", history=[record(1, 50, 90)])
    lanes = timeline([waited, meanwhile], NOW).lanes["shop-1"]
    assert [[bar.task for bar in lane] for lane in lanes] == [["1", "1"], ["2"]]


def record(attempt: int, start: float, end: float, who: str = "shop-1") -> Any:
    return {
        "attempt": attempt,
        "instance": who,
        "outcome": "AgentFailed",
        "startedAt": at(start),
        "finishedAt": at(end),
    }


def test_instances_stand_in_the_order_of_their_numbers_and_nobody_last() -> None:
    history = [record(1, 0, 5, who) for who in ("", "shop-10", "shop-2", "odd")]
    line = timeline([task("1", history=[*history, "nonsense", {}])], NOW)
    assert list(line.lanes) == ["odd", "shop-2", "shop-10", "(unknown)"]


@given(st.floats(1, 10**8), st.integers(1, 40))
def test_ticks_are_round_and_not_too_many(seconds: float, most: int) -> None:
    length = timedelta(seconds=seconds)
    one = task("1", history=[record(1, 0, 0)])
    one["status"]["history"][0]["finishedAt"] = (START + length).isoformat()
    line = timeline([one], NOW)
    marks = ticks(line, most)
    assert marks[0] == START
    assert len(marks) <= most + 1
    assert marks[-1] <= line.end + timedelta(milliseconds=1)


def test_a_tick_says_whole_minutes_and_hours_shortly() -> None:
    said = [tick_label(seconds) for seconds in (0, 30, 90, 120, 7200, 5400)]
    assert said == ["0s", "30s", "1m30s", "2m", "2h", "1h30m"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_in_the_terminal_begin_where_their_time_is(width: int) -> None:
    view = timeline_terminal(sample.swarm(), sample.tasks(), NOW, width)
    lines = shown(view, width).splitlines()
    assert lines[0].startswith("shop  7/15 merged in 11m55s, 15 attempts, 5 failed")
    assert max(map(len, lines)) <= width
    margin = len("■ shop-1 ")
    room = width - margin
    row = next(line for line in lines if line.startswith("■ shop-1"))
    for identity, start in (("1.1", 0), ("2.1", 250), ("2.4", 530)):
        column = row.index(identity) - margin
        assert abs(column - start / 715 * room) <= 1
    assert row.endswith("▸"), "it still runs"
    assert lines[3].count("✘") == 4
    merged = next(line for line in lines if line.startswith("merged"))
    assert merged.count("✔") == 7
    assert lines[-1].startswith("━━ worked")


def test_merges_of_one_moment_are_counted() -> None:
    tasks = [
        task(
            str(number),
            state="Merged",
            instance=f"shop-{number}",
            startedAt=at(0),
            finishedAt=at(10),
            mergedAt=at(20),
        )
        for number in range(1, 13)
    ]
    few = shown(timeline_terminal(sample.swarm(), tasks[:3], NOW))
    assert re.search(r"^merged +3 *$", few, re.MULTILINE)
    many = shown(timeline_terminal(sample.swarm(), tasks, NOW))
    assert re.search(r"^merged +\+ *$", many, re.MULTILINE)


def test_short_attempts_side_by_side_do_not_push_each_other_out() -> None:
    history = [record(n, n * 10, n * 10 + 9) for n in range(1, 11)]
    tasks = [task("1.1", history=history), task("2", history=[record(1, 9000, 9500)])]
    view = timeline_terminal(sample.swarm(), tasks, NOW, 60)
    row = shown(view, 60).splitlines()[2]
    assert row.index("2╌") >= 50
    assert len(row) <= 60


def test_a_swarm_that_has_not_begun_says_so() -> None:
    said = shown(timeline_terminal(sample.swarm(), [task("1")], NOW))
    assert said == "no task of shop has started yet\n"
    root = ElementTree.fromstring(timeline_svg(sample.swarm(), [], NOW))
    words = "".join(root.itertext())
    assert "nothing has started yet" in words


def drawn(svg: str) -> dict[tuple[str, str], ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return {
        (group.attrib["data-task"], group.attrib["data-attempt"]): group
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "bar"
    }


def test_bars_of_the_picture_are_proportional_to_time() -> None:
    tasks = sample.tasks()
    bars = drawn(timeline_svg(sample.swarm(), tasks, NOW))
    assert len(bars) == 15
    scale = (RIGHT - LEFT) / 715
    for key, start, end in (
        (("1.1", "1"), 0, 55),
        (("1.3", "1"), 67, 163),
        (("2.4", "1"), 530, 715),
        (("3.2", "3"), 698, 709),
    ):
        box = bars[key].find(f"{SVG}rect")
        assert box is not None
        assert float(box.attrib["x"]) == pytest.approx(LEFT + start * scale, abs=0.02)
        assert float(box.attrib["width"]) == pytest.approx(
            (end - start) * scale, abs=0.02
        )


def test_bars_have_the_colour_of_their_instance_and_failed_ones_are_hatched() -> None:
    bars = drawn(timeline_svg(sample.swarm(), sample.tasks(), NOW))
    for (identity, attempt), group in bars.items():
        boxes = [box.get("fill") for box in group.findall(f"{SVG}rect")]
        failed = group.attrib["data-outcome"] == "failed"
        assert ("url(#hatch)" in boxes) == failed, (identity, attempt)
        assert boxes[0] in ("#007fff", "#42b883", "#ff3d00")


def test_the_picture_marks_merges_and_tells_what_a_bar_is() -> None:
    svg = timeline_svg(sample.swarm(), sample.tasks(), NOW)
    root = ElementTree.fromstring(svg)
    merged = [g for g in root.iter(f"{SVG}g") if g.get("class") == "merged"]
    assert len(merged) == 7
    tip = drawn(svg)["1.3", "1"].findtext(f"{SVG}title")
    assert tip == (
        "1.3 Structured logging\nattempt 1 on shop-2, 1m36s: VerificationFailed"
    )


def test_the_picture_needs_nothing_from_outside() -> None:
    svg = timeline_svg(sample.swarm(), sample.tasks(), NOW)
    addresses = re.findall(r'(?:href=|src=|url\()"?([^") ]+)', svg)
    assert set(addresses) == {"#hatch"}
    assert "<script" not in svg
    assert "prefers-color-scheme: dark" in svg


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_the_picture_is_xml_whatever_a_task_is_called(title: str) -> None:
    tasks = sample.tasks()
    tasks[0]["spec"]["title"] = title
    tasks[0]["spec"]["id"] = f'"/><script>{title}'
    tasks[1]["status"]["instance"] = f"<b>&{title}"
    svg = timeline_svg(sample.swarm(), tasks, NOW)
    svg.encode()
    root = ElementTree.fromstring(svg)
    assert not [item for item in root.iter() if item.tag.endswith("script")]
    assert len(drawn(svg)) == 15
