"""What the demo reads from the cluster, what it says about it, when it gives up."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List

import pytest
from rich.console import Console

from hack.lib.demo import watch
from hack.lib.demo.screen import picture, screen
from hack.lib.demo.snapshot import EMPTY, Snapshot, events, read
from hack.lib.demo.tools import DemoError

NOW = datetime(2026, 5, 1, 10, 0, 30, tzinfo=timezone.utc)
HEAD = "a" * 40


def task(number: int, **status: Any) -> Dict[str, Any]:
    spec = {"swarm": "sample", "id": f"1.{number}", "title": f"T{number}"}
    return {
        "kind": "KiroTask",
        "metadata": {"name": f"sample-1.{number}"},
        "spec": {**spec, "order": number},
        "status": status,
    }


def instance(index: int, phase: str = "Ready") -> Dict[str, Any]:
    return {
        "kind": "KiroInstance",
        "metadata": {"name": f"sample-{index}"},
        "spec": {
            "swarm": "sample",
            "index": index,
            "colour": "#007fff",
            "colourName": "Azure Blue",
        },
        "status": {"phase": phase},
    }


def swarm(**status: Any) -> Dict[str, Any]:
    return {
        "kind": "KiroSwarm",
        "metadata": {"name": "sample"},
        "spec": {},
        "status": status,
    }


def seen(*objects: Dict[str, Any]) -> Snapshot:
    return read(objects, "sample")


def said(before: Snapshot, after: Snapshot) -> List[str]:
    return [f"{event.what}: {event.text}" for event in events(before, after)]


def test_objects_of_another_swarm_are_not_ours() -> None:
    foreign = task(1)
    foreign["spec"]["swarm"] = "other"
    assert seen(foreign, swarm(phase="Running")).tasks == ()


def test_tasks_stand_in_the_order_of_the_file() -> None:
    tasks = seen(task(2), task(1)).tasks
    assert [item.id for item in tasks] == ["1.1", "1.2"]


def test_objects_without_a_status_are_read() -> None:
    bare = task(1)
    del bare["status"]
    assert seen(bare, {**swarm(), "status": None}).tasks[0].state == "Blocked"


def test_an_instance_shows_the_task_that_it_has() -> None:
    busy = task(1, state="Running", instance="sample-1", attempt=1)
    done = task(2, state="Done", instance="sample-2", attempt=1)
    instances = seen(instance(1), instance(2), busy, done).instances
    assert [item.task for item in instances] == ["1.1", ""]


def test_a_running_task_says_what_its_agent_says() -> None:
    status = {"state": "Running", "message": "given", "progress": {"message": "wrote"}}
    assert seen(task(1, **status)).tasks[0].message == "wrote"


@pytest.mark.parametrize(
    ("pushed", "phase", "complete"),
    [
        (HEAD, "Succeeded", True),
        ("", "Succeeded", False),
        ("b" * 40, "Succeeded", False),
        (HEAD, "Running", False),
    ],
)
def test_complete_is_all_merged_and_all_of_it_pushed(
    pushed: str, phase: str, complete: bool
) -> None:
    integration = {"head": HEAD, "pushed": pushed}
    assert seen(swarm(phase=phase, integration=integration)).complete is complete


def test_time_is_counted_by_the_clock_until_the_swarm_has_measured_it() -> None:
    start = {"startedAt": "2026-05-01T10:00:00.000000Z"}
    speedup = {"elapsedSeconds": 12.5, "taskSeconds": 25.0, "ratio": 2.0}
    assert seen(swarm(phase="Running", **start)).seconds(NOW) == 30.0
    over = seen(swarm(phase="Succeeded", speedup=speedup, **start))
    assert (over.seconds(NOW), over.worked, over.ratio) == (12.5, 25.0, 2.0)
    assert EMPTY.seconds(NOW) == 0.0


def test_a_clock_that_is_behind_does_not_count_backwards() -> None:
    late = seen(swarm(phase="Running", startedAt="2026-05-01T10:05:00Z"))
    assert late.seconds(NOW) == 0.0


def test_the_way_of_a_task_is_told_step_by_step() -> None:
    history = [{"message": "tests failed"}]
    steps = [
        seen(task(1, state="Ready")),
        seen(task(1, state="Running", attempt=1, instance="sample-1")),
        seen(task(1, state="Ready", attempt=1, history=history)),
        seen(task(1, state="Running", attempt=2, instance="sample-2", history=history)),
        seen(task(1, state="Done", attempt=2, message="2 files", history=history)),
        seen(task(1, state="Merged", attempt=2, mergeCommit=HEAD, history=history)),
    ]
    told = [line for old, new in zip(steps, steps[1:]) for line in said(old, new)]
    assert told == [
        "Running: 1.1 T1 on sample-1",
        "Back: 1.1 T1: tests failed",
        "Running: 1.1 T1 on sample-2, attempt 2",
        "Done: 1.1 T1: 2 files",
        "Merged: 1.1 T1 as aaaaaaaaa",
    ]


def test_a_setback_between_two_looks_is_told() -> None:
    before = seen(task(1, state="Running", attempt=1, instance="a"))
    history = [{"message": "conflict"}]
    after = seen(task(1, state="Merged", attempt=2, mergeCommit=HEAD, history=history))
    assert said(before, after)[0] == "Back: 1.1 T1: conflict"


def test_instances_remarks_phase_and_push_are_told_once() -> None:
    after = seen(
        instance(1),
        instance(2, "Pending"),
        task(1, state="Skipped"),
        swarm(
            phase="Succeeded",
            message="all merged",
            prepare={"diagnostics": ["line 3: odd"]},
            integration={"branch": "swarm/x", "head": HEAD, "pushed": HEAD},
        ),
    )
    assert said(EMPTY, after) == [
        "Remark: line 3: odd",
        "Ready: instance sample-1",
        "Pending: instance sample-2",
        "Skipped: 1.1 T1",
        "Pushed: swarm/x at aaaaaaaaa",
        "Succeeded: all merged",
    ]
    assert said(after, after) == []


def shown(snapshot: Snapshot, height: int) -> str:
    console = Console(file=io.StringIO(), width=120, height=height)
    with console.capture() as capture:
        console.print(picture(snapshot, height, NOW))
    return capture.get()


def test_the_picture_has_tasks_instances_and_how_far_it_is() -> None:
    text = shown(
        seen(
            instance(1),
            instance(2),
            task(1, state="Merged", attempt=1, instance="sample-2"),
            task(2, state="Running", attempt=2, instance="sample-1"),
            swarm(
                phase="Running",
                message="1 of 2 merged",
                speedup={"ratio": 1.5},
                integration={"branch": "swarm/x", "head": HEAD},
            ),
        ),
        40,
    )
    for part in (
        "Running: 1 of 2 merged",
        "Azure Blue",
        "task 1.2",
        "Running (attempt 2)",
        "1/2 merged",
        "1.5 times",
        "swarm/x at aaaaaaaaa",
    ):
        assert part in text


def test_a_picture_of_many_tasks_fits_and_shows_what_moves() -> None:
    tasks = [task(number, state="Merged") for number in range(1, 90)]
    text = shown(seen(*tasks, task(95, state="Failed")), 24)
    assert len(text.splitlines()) <= 24
    assert "1.95" in text
    assert "and 76 more" in text


def test_without_a_terminal_there_is_a_line_for_each_event() -> None:
    out = io.StringIO()
    with screen(Console(file=out, width=40)) as show:
        show(seen(task(1, state="Ready"), swarm(phase="Running", message="m" * 90)))
        show(seen(task(1, state="Merged", mergeCommit=HEAD), swarm(phase="Running")))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("m" * 90)
    assert "1/1  Merged    1.1 T1" in lines[1]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waiting(snapshots: Iterator[Snapshot], quiet: float = 100.0) -> float:
    """Seconds that it took to wait through the snapshots."""
    time = Time()
    watch.wait(lambda: next(snapshots), quiet, time.clock, time.sleep)
    return time.now


def repeated(snapshot: Snapshot) -> Iterator[Snapshot]:
    while True:
        yield snapshot


def test_waiting_ends_as_soon_as_all_is_merged_and_pushed() -> None:
    end = replace(EMPTY, phase="Succeeded", head=HEAD, pushed=HEAD)
    assert waiting(iter([EMPTY, EMPTY, end])) == pytest.approx(1.4)


def test_a_swarm_in_which_nothing_changes_is_given_up() -> None:
    with pytest.raises(DemoError, match=r"nothing has changed for 100 s.*Pending"):
        waiting(repeated(EMPTY))


def test_a_swarm_that_stays_failed_is_given_up_early() -> None:
    failed = replace(EMPTY, phase="Failed", message="no such repository")
    with pytest.raises(DemoError, match="has failed: no such repository"):
        waiting(repeated(failed), quiet=10_000)


def test_a_failure_that_is_tried_again_is_waited_for() -> None:
    failed = replace(EMPTY, phase="Failed", message="remote is away")
    end = replace(EMPTY, phase="Succeeded", head=HEAD, pushed=HEAD)
    assert waiting(iter([*[failed] * 20, EMPTY, end])) < 40
