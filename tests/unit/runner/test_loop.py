"""What an instance does about the tasks that are bound to it, moment by moment."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Optional

import pytest

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.loop import Runner
from kiro_swarm.runner.ports import Identity
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut
from kiro_swarm.workspace.lookahead import Prediction
from tests.unit.runner.fakes import BASE, COMMIT, POD, FakeApi, FakeClock, settle

DONE = Finished(COMMIT, BASE, "swarm/demo/1.1/1", 3.0, "1 file changed")


class Bench:
    """A runner on fakes; each attempt it starts can be ended by the test."""

    def __init__(self, pod_uid: str = POD) -> None:
        self.api = FakeApi("demo-1")
        self.clock = FakeClock()
        self.begun: list[tuple[str, int]] = []
        self.agents: list[tuple[str, int]] = []
        self.stopped: list[tuple[str, int]] = []
        self.says: OnProgress = print
        self.cycled: OnCycle
        self._result: asyncio.Future[Result] = asyncio.Future()
        me = Identity("demo-1", pod_uid)
        self.runner = Runner(self.api, self.clock, me, self.work_on, 10, self.look)

    def work_on(self, task: KiroTask) -> Work:
        key = (task["metadata"]["name"], int(task["status"]["attempt"]))

        async def work(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            self.begun.append(key)
            self.says, self.cycled = on_progress, on_cycle
            self._result = asyncio.Future()
            try:
                await on_cut(Cut(BASE, f"swarm/demo/{key[0]}/{key[1]}"))
                self.agents.append(key)
                return await self._result
            except asyncio.CancelledError:
                self.stopped.append(key)
                raise

        return work

    async def look(self, branch: str) -> Optional[Prediction]:
        """No answer, unless a test has another idea."""
        return None

    async def end(self, result: Result) -> None:
        self._result.set_result(result)
        await settle()

    async def end_by(self, error: Exception) -> None:
        """End the attempt as one ends in which this was raised."""
        self._result.set_exception(error)
        await settle()

    def states_written(self) -> list[str]:
        return [patch["state"] for _, patch in self.api.writes if "state" in patch]


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[asyncio.Future[None]]:
    run = asyncio.ensure_future(bench.runner.run())
    await settle()
    yield run
    bench.runner.stop()
    await settle()
    await asyncio.wait_for(run, 30)


async def test_a_bound_task_is_run_and_reported_done() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1", boundAt="2026-11-22T09:59:59.000000Z")
        await settle()
        status = bench.api.status("1.1")
        assert (status["state"], status["branch"], status["baseCommit"]) == (
            "Running",
            "swarm/demo/1.1/1",
            BASE,
        )
        assert status["startedAt"] == "2026-11-22T10:00:00.000000Z"
        await bench.clock.advance(4)
        await bench.end(DONE)
        status = bench.api.status("1.1")
        assert (status["state"], status["commit"]) == ("Done", COMMIT)
        assert status["finishedAt"] == "2026-11-22T10:00:04.000000Z"
        assert status["runningSeconds"] == 4.0
        assert status["instance"] == "demo-1"
    assert bench.states_written() == ["Running", "Done"]


async def test_a_failed_attempt_sends_the_task_back_with_a_brief() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        await bench.end(Failed("NoChanges", "nothing there", "write something"))
        status = bench.api.status("1.1")
        assert (status["state"], status["reason"]) == ("Ready", "NoChanges")
        assert status["brief"] == "write something"
        assert status["history"][0]["outcome"] == "NoChanges"
        bench.api.bind("1.1", attempt=2)
        await settle()
    assert bench.begun == [("1.1", 1), ("1.1", 2)]


async def test_an_idle_instance_writes_nothing() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.put("other", state="Bound", instance="demo-2", attempt=1)
        await bench.clock.advance(3600)
    assert bench.api.writes == []
    assert bench.api.leases == []


async def test_heartbeats_come_while_busy_and_end_with_the_work() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(35)
        assert bench.api.leases == [True] * 4
        await bench.end(DONE)
        await bench.clock.advance(3600)
        assert bench.api.leases == [True] * 4 + [False]


async def test_progress_is_written_when_it_changed_and_at_most_every_five_seconds() -> (
    None
):
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        for second in range(12):
            bench.says(f"line {second}")
            await bench.clock.advance(1)
        await bench.clock.advance(60)
        told = [p["progress"]["message"] for _, p in bench.api.writes if p["progress"]]
        assert told == ["line 4", "line 9", "line 11"]
        await bench.end(DONE)
        assert "progress" not in bench.api.status("1.1")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "Ready", "instance": ""},
        {"state": "Bound", "instance": "demo-2", "attempt": 2},
        {"state": "Bound", "podUid": "the next one's", "attempt": 2},
        {"state": "Skipped"},
        {"state": "Failed"},
        None,
    ],
    ids=[
        "unbound",
        "rebound elsewhere",
        "to the next pod",
        "skipped",
        "failed",
        "deleted",
    ],
)
async def test_an_attempt_is_stopped_when_its_task_is_no_longer_there_for_it(
    change: dict[str, Any] | None,
) -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        if change is None:
            bench.api.delete("1.1")
        else:
            bench.api.put("1.1", **change)
        await settle()
        assert bench.stopped == [("1.1", 1)]
        assert bench.states_written() == ["Running"]


async def test_a_late_report_of_an_old_attempt_changes_nothing() -> None:
    """The task moves on while the watch is deaf; the fencing token holds alone."""
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.deafen_watch()
        bench.api.bind("1.1", attempt=2)
        before = copy.deepcopy(bench.api.tasks["1.1"])
        await bench.end(DONE)
        assert bench.api.tasks["1.1"] == before
        assert bench.states_written() == ["Running"]


async def test_a_claim_that_comes_too_late_ends_before_the_agent_starts() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        bench.api.deafen_watch()
        bench.api.bind("1.1", attempt=2)
        await settle()
        assert bench.begun == [("1.1", 1)]
        assert bench.agents == []
        assert bench.api.writes == []


async def test_a_conflict_is_answered_by_reading_again_and_deciding_again() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.conflicts = 1
        bench.api.bind("1.1")
        await settle()
        assert bench.api.status("1.1")["state"] == "Running"
        bench.api.put("1.1", message="somebody else wrote this")
        bench.api.conflicts = 2
        await bench.end(DONE)
        assert bench.api.status("1.1")["state"] == "Done"


async def test_a_report_outlasts_an_outage_of_the_api_server() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.break_watch()
        await bench.end(DONE)
        await bench.clock.advance(60)
        assert bench.api.status("1.1")["state"] == "Running"
        bench.api.outage = False
        await bench.clock.advance(11)
        assert bench.api.status("1.1")["state"] == "Done"
        bench.api.bind("1.2")
        await settle()
        assert bench.begun == [("1.1", 1), ("1.2", 1)]


@pytest.mark.parametrize("deleted", [True, False])
async def test_what_was_taken_away_during_an_outage_is_stopped_after_it(
    deleted: bool,
) -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.break_watch()
        await bench.clock.advance(5)
        assert bench.stopped == []
        if deleted:
            bench.api.tasks.clear()
        else:
            bench.api.put("1.1", state="Ready", instance="")
        bench.api.outage = False
        await bench.clock.advance(2)
        assert bench.stopped == [("1.1", 1)]


async def test_an_attempt_of_an_earlier_runner_process_is_reported_not_repeated() -> (
    None
):
    bench = Bench()
    bench.api.bind("1.1", state="Running")
    async with running(bench):
        status = bench.api.status("1.1")
        assert (status["state"], status["reason"]) == ("Ready", "RunnerRestarted")
        assert status["instance"] == ""
    assert bench.begun == []


async def test_an_old_watch_event_does_not_revive_a_reported_attempt() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        old = copy.deepcopy(bench.api.tasks["1.1"])
        await bench.end(DONE)
        bench.api.replay(old)
        await settle()
        assert bench.begun == [("1.1", 1)]
        assert bench.api.status("1.1")["state"] == "Done"


async def test_two_bound_tasks_are_done_one_after_the_other_oldest_first() -> None:
    bench = Bench()
    bench.api.bind("late", boundAt="2026-11-22T09:00:02.000000Z")
    bench.api.bind("early", boundAt="2026-11-22T09:00:01.000000Z")
    async with running(bench):
        assert bench.begun == [("early", 1)]
        await bench.end(DONE)
        assert bench.begun == [("early", 1), ("late", 1)]


async def test_sigterm_stops_the_attempt_and_says_so() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
    assert bench.stopped == [("1.1", 1)]
    status = bench.api.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "RunnerStopped")
    assert status["failures"] == 0


async def test_an_api_server_that_refuses_while_it_starts_costs_no_attempt() -> None:
    bench = Bench()
    bench.api.bind("1.1")
    async with running(bench):
        for _ in range(3):  # each start of the server has its own patience
            bench.api.break_watch()
            await bench.clock.advance(30)
            bench.api.outage, bench.api.refusing = False, True
            await bench.clock.advance(40)
            bench.api.refusing = False
            await bench.clock.advance(40)
        await bench.end(DONE)
    assert bench.agents == [("1.1", 1)]
    assert bench.stopped == []
    assert bench.api.status("1.1")["state"] == "Done"


async def test_heartbeats_that_are_refused_use_up_nobodys_patience() -> None:
    bench = Bench()
    refused: list[bool] = []

    async def forbidden(busy: bool) -> None:
        refused.append(busy)
        raise errors.Forbidden("leases is forbidden", 403)

    bench.api.renew_lease = forbidden  # type: ignore[method-assign]
    bench.api.bind("1.1")
    async with running(bench):
        await bench.clock.advance(90)
        assert len(refused) >= 9
        bench.api.break_watch()
        bench.api.outage, bench.api.refusing = False, True
        await bench.clock.advance(40)
        bench.api.refusing = False
        await bench.clock.advance(10)
        await bench.end(DONE)
    assert bench.api.status("1.1")["state"] == "Done"


async def test_a_report_is_kept_while_the_api_server_refuses_it() -> None:
    bench = Bench()
    bench.api.bind("1.1")
    async with running(bench):
        bench.api.refusing = True
        await bench.end(DONE)
        await bench.clock.advance(40)
        bench.api.refusing = False
        await bench.clock.advance(15)
    assert bench.api.status("1.1")["state"] == "Done"


async def test_what_cannot_be_mended_by_waiting_ends_the_runner() -> None:
    bench = Bench()
    bench.api.refusing = True
    bench.api.bind("1.1")
    running = asyncio.ensure_future(bench.runner.run())
    await bench.clock.advance(59)
    assert not running.done()
    await bench.clock.advance(3)
    with pytest.raises(errors.Forbidden):
        await asyncio.wait_for(running, 30)


async def test_a_role_without_the_right_to_report_ends_the_runner() -> None:
    bench = Bench()

    async def forbidden(name: str, patch: object, resource_version: str) -> Any:
        raise errors.Forbidden("kirotasks/status is forbidden")

    bench.api.patch_status = forbidden  # type: ignore[method-assign]
    bench.api.bind("1.1")
    running = asyncio.ensure_future(bench.runner.run())
    await bench.clock.advance(90)
    with pytest.raises(errors.Forbidden):
        await asyncio.wait_for(running, 30)
