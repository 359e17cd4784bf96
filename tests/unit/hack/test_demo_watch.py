"""What the demo reads from the cluster, when it gives up, and what is shown meanwhile."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from hack.lib.demo import watch
from hack.lib.demo.tools import DemoError
from hack.lib.demo.watch import NOTHING, Seen, read

HEAD = "a" * 40


def task(number: int, **status: Any) -> Dict[str, Any]:
    return {
        "kind": "KiroTask",
        "metadata": {"name": f"sample-1.{number}"},
        "spec": {"swarm": "sample", "id": f"1.{number}", "order": number},
        "status": status,
    }


def swarm(**status: Any) -> Dict[str, Any]:
    return {
        "kind": "KiroSwarm",
        "metadata": {"name": "sample"},
        "spec": {},
        "status": status,
    }


def seen(*objects: Dict[str, Any]) -> Seen:
    return read(objects, "sample")


def test_objects_of_another_swarm_are_not_ours() -> None:
    foreign = task(1)
    foreign["spec"]["swarm"] = "other"
    assert seen(foreign, swarm(phase="Running")) == Seen({"phase": "Running"})


def test_tasks_stand_in_the_order_of_the_file_and_need_no_status() -> None:
    bare = task(1)
    del bare["status"]
    tasks = seen(task(2, state="Ready"), bare, {**swarm(), "status": None}).tasks
    assert tasks == ({"id": "1.1"}, {"id": "1.2", "state": "Ready"})


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


def test_nothing_merged_is_not_complete() -> None:
    assert not seen(swarm(phase="Succeeded", integration={})).complete


def test_setbacks_are_told_with_their_reasons() -> None:
    history = [{"message": "tests failed"}, {}]
    told = seen(task(1, attempt=3, history=history), task(2, attempt=1)).setbacks()
    assert list(told) == [
        "1.1 took 3 attempts: tests failed",
        "1.1 took 3 attempts: ",
    ]


def test_the_result_is_what_the_swarm_measured() -> None:
    speedup = {"elapsedSeconds": 12.5, "taskSeconds": 25.0, "ratio": 2.0}
    end = seen(
        task(1, state="Merged"), task(2, state="Skipped"), swarm(speedup=speedup)
    )
    assert end.result() == (
        "1 tasks in 12.5 s; their times sum to 25.0 s: 2.00 times as fast as one by one"
    )


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waiting(looks: Iterator[Seen], quiet: float = 100.0) -> float:
    """Seconds that it took to wait through what is seen."""
    time = Time()
    watch.wait(lambda: next(looks), quiet, time.clock, time.sleep)
    return time.now


def repeated(look: Seen) -> Iterator[Seen]:
    while True:
        yield look


END = Seen({"phase": "Succeeded", "integration": {"head": HEAD, "pushed": HEAD}})


def test_waiting_ends_as_soon_as_all_is_merged_and_pushed() -> None:
    assert waiting(iter([NOTHING, NOTHING, END])) == pytest.approx(1.4)


def test_a_swarm_in_which_nothing_changes_is_given_up() -> None:
    with pytest.raises(DemoError, match=r"nothing has changed for 100 s.*Pending"):
        waiting(repeated(NOTHING))


def test_a_swarm_whose_agent_says_something_is_waited_for() -> None:
    spoken = (
        Seen({"phase": "Running"}, ({"id": "1", "progress": {"message": str(number)}},))
        for number in range(1000)
    )
    with pytest.raises(StopIteration):
        waiting(spoken)


def test_a_swarm_that_stays_failed_is_given_up_early() -> None:
    failed = Seen({"phase": "Failed", "message": "no such repository"})
    with pytest.raises(DemoError, match="has failed: no such repository"):
        waiting(repeated(failed), quiet=10_000)


def test_a_failure_that_is_tried_again_is_waited_for() -> None:
    failed = Seen({"phase": "Failed", "message": "remote is away"})
    assert waiting(iter([*[failed] * 20, NOTHING, END])) < 40


SCRIPT = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path(sys.argv[1]).write_text("ended")
    sys.exit(130)
signal.signal(signal.SIGINT, end)
pathlib.Path(sys.argv[1]).write_text("began")
time.sleep(60)
"""


def test_what_is_shown_meanwhile_ends_by_a_ctrl_c_and_is_waited_for(
    tmp_path: Path,
) -> None:
    note = tmp_path / "note"
    with watch.beside([sys.executable, "-c", SCRIPT, str(note)]):
        deadline = time.monotonic() + 30
        while not note.exists() or note.read_text() != "began":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert note.read_text() == "ended"


#: Says that it got a Ctrl-C, unless it was started where that is ignored.
DEAF = """
import pathlib, sys, time
note = pathlib.Path(sys.argv[1])
try:
    note.write_text("began")
    time.sleep(60)
except KeyboardInterrupt:
    note.write_text("ended")
"""


def test_it_ends_by_a_ctrl_c_where_we_ignore_that(tmp_path: Path) -> None:
    """As a shell starts what is in the background: killed, it would leave its screen."""
    note = tmp_path / "note"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with watch.beside([sys.executable, "-c", DEAF, str(note)]):
            deadline = time.monotonic() + 30
            while not note.exists() or note.read_text() != "began":
                assert time.monotonic() < deadline
                time.sleep(0.02)
    finally:
        signal.signal(signal.SIGINT, before)
    assert note.read_text() == "ended"


def test_what_has_ended_by_itself_is_no_trouble() -> None:
    with watch.beside([sys.executable, "-c", ""]):
        pass
