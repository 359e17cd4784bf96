"""What a look ahead writes into a KiroTask, and that no attempt ever depends on it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional, Union

import pytest

from kiro_swarm.api.task import KiroTaskStatus
from kiro_swarm.runner import report
from kiro_swarm.runner.ahead import Ahead
from kiro_swarm.runner.attempt import Failed
from kiro_swarm.workspace.errors import GitTimeout
from kiro_swarm.workspace.lookahead import Lookahead, Prediction
from tests.support.shapes import Object, valid
from tests.unit.runner.fakes import START, settle
from tests.unit.runner.test_loop import DONE, Bench, running

CLEAN = Prediction()
ONE = Prediction(("app.py",), 1, ("1.2",))
TWO = Prediction(("app.py", "b.py"), 2, ("1.2", "1.3"))
LATE = {
    "type": "Late",
    "status": "True",
    "reason": "SlowerThanExpected",
    "message": "",
    "lastTransitionTime": "2026-11-22T09:00:00.000000Z",
}


class Looking(Bench):
    """A runner whose looks answer as told, one after the other, then with no news."""

    def __init__(self, *answers: Optional[Prediction]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []

    async def look(self, branch: str) -> Optional[Prediction]:
        self.asked.append(branch)
        return self.answers.pop(0) if self.answers else None

    def told(self) -> list[tuple[str, str, str]]:
        """Status, reason and message of each write of the condition."""
        conditions = [
            item
            for _, patch in self.api.writes
            for item in patch.get("conditions") or []
            if item["type"] == "ConflictPredicted"
        ]
        return [(c["status"], c["reason"], c["message"]) for c in conditions]


async def test_a_conflict_is_told_once_with_files_and_tasks() -> None:
    bench = Looking(CLEAN, ONE, ONE, None)
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(60)
        message = "as it is now, the work conflicts with the merged task 1.2 in app.py"
        assert bench.told() == [("True", "OverlapsMergedWork", message)]
        assert bench.asked == ["swarm/demo/1.1/1"] * 6
        status = bench.api.status("1.1")
        assert status["state"] == "Running"
        assert status["conditions"][0]["lastTransitionTime"] == (
            "2026-11-22T10:00:20.000000Z"
        )
        valid(KiroTaskStatus, status)


async def test_what_never_conflicted_is_not_told_at_all() -> None:
    bench = Looking(CLEAN, None, CLEAN)
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(60)
        assert "conditions" not in bench.api.status("1.1")
        assert len(bench.api.writes) == 1


async def test_each_change_is_one_write_and_the_end_of_it_is_told() -> None:
    bench = Looking(ONE, TWO, CLEAN, CLEAN, ONE)
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(60)
        assert [status for status, _, _ in bench.told()] == [
            *("True", "True", "False", "True"),
        ]
        assert bench.told()[1][2].endswith("tasks 1.2, 1.3 in app.py, b.py")
        assert bench.told()[2][1:] == (
            "MergesCleanly",
            "as it is now, the work merges cleanly",
        )


async def test_conditions_of_others_are_kept() -> None:
    bench = Looking(ONE, CLEAN)
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.put("1.1", conditions=[LATE])
        await bench.clock.advance(30)
        late, mine = bench.api.status("1.1")["conditions"]
        assert late == LATE
        assert (mine["type"], mine["status"]) == ("ConflictPredicted", "False")


async def test_a_finished_attempt_keeps_what_was_predicted_and_is_asked_no_more() -> (
    None
):
    bench = Looking(ONE)
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(15)
        await bench.end(DONE)
        asked = len(bench.asked)
        await bench.clock.advance(100)
        assert len(bench.asked) == asked
        status = bench.api.status("1.1")
        assert status["state"] == "Done"
        assert status["conditions"][0]["status"] == "True"


async def test_a_new_attempt_begins_without_the_old_prediction() -> None:
    bench = Looking(ONE)
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.put("1.1", conditions=[LATE])
        await bench.clock.advance(15)
        await bench.end(Failed("NoChanges", "nothing there"))
        assert bench.api.status("1.1")["conditions"] == [LATE]
        bench.answers = [ONE]
        bench.api.bind("1.1", attempt=2)
        await bench.clock.advance(15)
        assert bench.asked[-1] == "swarm/demo/1.1/2"
        assert len(bench.told()) == 2, "told anew, though it reads the same"


async def test_a_task_that_moved_on_gets_no_prediction_any_more() -> None:
    bench = Looking(None, ONE)
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.deafen_watch()
        bench.api.bind("1.1", attempt=2)
        await bench.clock.advance(60)
        assert bench.told() == []


async def test_an_attempt_does_not_wait_for_a_look_that_hangs() -> None:
    bench = Looking()

    async def hangs(branch: str) -> Optional[Prediction]:
        bench.asked.append(branch)
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    bench.runner._look = hangs
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(60)
        assert bench.asked == ["swarm/demo/1.1/1"], "one look at a time"
        assert bench.api.leases == [True] * 7
        await bench.end(DONE)
        assert bench.api.status("1.1")["state"] == "Done"


# ------------------------------------------------------------ the thread beside


class Fake(Lookahead):
    """Answers, or raises, one after the other; notes the threads that asked."""

    def __init__(self, *answers: Union[Prediction, Exception, None]) -> None:
        self.answers = list(answers)
        self.threads: set[str] = set()

    def look(self, branch: str) -> Optional[Prediction]:
        self.threads.add(threading.current_thread().name)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def asked(look: Ahead, times: int) -> list[Optional[Prediction]]:
    return [await look("swarm/demo/1.1/1") for _ in range(times)]


async def test_looks_are_made_in_one_thread_of_their_own() -> None:
    fake = Fake(ONE, None, CLEAN)
    assert await asked(Ahead(fake), 3) == [ONE, None, CLEAN]
    assert fake.threads == {"lookahead_0"}


async def test_whatever_goes_wrong_is_no_answer_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = GitTimeout("git merge-tree did not finish within 15 seconds")
    fake = Fake(slow, slow, OSError("disk"), ValueError("what?"), slow, ONE)
    with caplog.at_level(logging.WARNING):
        answers = await asked(Ahead(fake), 6)
    assert answers == [None] * 5 + [ONE]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "swarm/demo/1.1/1: cannot look ahead: " + slow.message,
        "swarm/demo/1.1/1: cannot look ahead: disk",
        "swarm/demo/1.1/1: cannot look ahead",
        "swarm/demo/1.1/1: cannot look ahead: " + slow.message,
    ], "the same trouble is told once in a row"


async def test_a_folder_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    nowhere = Lookahead(tmp_path / "x", tmp_path / "repo.git", "main", None)
    assert await asked(Ahead(nowhere), 1) == [None]


@pytest.mark.parametrize("bad", ["../x", "", "a b"])
async def test_bad_settings_are_no_answer(tmp_path: Path, bad: str) -> None:
    wrong = Lookahead(tmp_path, tmp_path / "repo.git", bad, "../../etc")
    assert await asked(Ahead(wrong), 1) == [None]


# ----------------------------------------------------------------- the words


def patched(
    found: Prediction, before: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    task: Object = {
        "metadata": {"generation": 3},
        "status": {"conditions": list(before)},
    }
    patch: Any = report.prediction(found, task, START)
    conditions: list[dict[str, Any]] = patch["conditions"]
    return conditions


def test_the_message_says_how_many_more_files_there_are() -> None:
    (condition,) = patched(Prediction(("a", "b"), 300, ()))
    assert condition["message"] == (
        "as it is now, the work conflicts with the integration branch in a, b"
        " and 298 more"
    )
    assert condition["observedGeneration"] == 3


def test_the_longest_message_fits() -> None:
    files, tasks = tuple("n" * 120 for _ in range(10)), tuple(
        "t" * 128 for _ in "x" * 10
    )
    status = {"conditions": patched(Prediction(files, 10**6, tasks))}
    message = valid(KiroTaskStatus, status)["conditions"][0]["message"]
    assert message.endswith("and 999990 more")


def test_the_time_moves_with_the_status_only() -> None:
    first = patched(ONE)
    later: Object = {"metadata": {}, "status": {"conditions": first}}
    now = START + timedelta(seconds=60)
    (same,) = report.prediction(TWO, later, now)["conditions"]
    assert same["lastTransitionTime"] == first[0]["lastTransitionTime"]
    (over,) = report.prediction(CLEAN, later, now)["conditions"]
    assert over["lastTransitionTime"] == "2026-11-22T10:01:00.000000Z"
