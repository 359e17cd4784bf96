"""What of a cycle gets into a KiroTask, and what never does."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.runner import report
from kiro_swarm.runner.attempt import Failed
from kiro_swarm.runner.attempt_run import SupersededError
from kiro_swarm.runner.cycles import CycleEnd
from tests.support.shapes import valid
from tests.unit.runner.fakes import COMMIT, START, settle
from tests.unit.runner.test_loop import DONE, Bench, running

END = CycleEnd(
    number=1,
    of=5,
    outcome="VerificationFailed",
    message="the verification `check` exited with 1",
    commit=COMMIT,
    started_at=START,
)
SAID = "cycle 1 of 5: VerificationFailed: the verification `check` exited with 1"


def task_with(status: KiroTaskStatus) -> KiroTask:
    return {"metadata": {}, "spec": {"swarm": "demo", "id": "1.1"}, "status": status}


async def test_a_cycle_is_recorded_by_one_write_that_tells_the_progress_too() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await bench.clock.advance(4)
        bench.says("cycle 1 of 5: verifying")
        await bench.cycled(END)
        # The tick of the progress has nothing to add.
        await bench.clock.advance(60)
        assert len(bench.api.writes) == 2
        status = bench.api.status("1.1")
        assert status["cycles"] == [
            {
                "attempt": 1,
                "cycle": 1,
                "outcome": "VerificationFailed",
                "message": "the verification `check` exited with 1",
                "commit": COMMIT,
                "startedAt": "2026-11-22T10:00:00.000000Z",
                "finishedAt": "2026-11-22T10:00:04.000000Z",
            }
        ]
        assert status["progress"] == {
            "message": SAID,
            "updatedAt": "2026-11-22T10:00:04.000000Z",
        }
        assert status["state"] == "Running"
        bench.says("cycle 2 of 5: at work")
        await bench.clock.advance(5)
        assert bench.api.status("1.1")["progress"]["message"] == "cycle 2 of 5: at work"
        await bench.end(DONE)
    assert bench.api.status("1.1")["cycles"] == status["cycles"]


async def test_cycles_of_earlier_attempts_stay() -> None:
    bench = Bench()
    async with running(bench):
        for attempt in (1, 2):
            bench.api.bind("1.1", attempt=attempt)
            await settle()
            await bench.cycled(END)
            await bench.end(Failed("VerificationFailed", "red"))
    cycles = bench.api.status("1.1")["cycles"]
    assert [(item["attempt"], item["cycle"]) for item in cycles] == [(1, 1), (2, 1)]


async def test_a_conflict_is_answered_by_reading_again() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.put("1.1", message="somebody else wrote this")
        bench.api.conflicts = 2
        await bench.cycled(END)
        status = bench.api.status("1.1")
        assert [item["cycle"] for item in status["cycles"]] == [1]
        assert status["message"] == "somebody else wrote this"


async def test_a_cycle_of_an_older_attempt_changes_nothing_and_ends_it() -> None:
    """The task moves on while the watch is deaf; the fencing token holds alone."""
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.deafen_watch()
        bench.api.bind("1.1", attempt=2)
        before = copy.deepcopy(bench.api.tasks["1.1"])
        with pytest.raises(SupersededError) as caught:
            await bench.cycled(END)
        await bench.end_by(caught.value)
        assert bench.api.tasks["1.1"] == before
        assert bench.states_written() == ["Running"]


async def test_a_task_that_is_taken_away_between_cycles_ends_them() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        await bench.cycled(END)
        bench.api.put("1.1", state="Ready", instance="")
        await settle()
        assert bench.stopped == [("1.1", 1)]
        assert bench.states_written() == ["Running"]


async def test_a_cycle_waits_out_an_outage_and_is_recorded_once() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.break_watch()
        told = asyncio.ensure_future(bench.cycled(END))
        await bench.clock.advance(10)
        assert not told.done()
        bench.api.outage = False
        await bench.clock.advance(10)
        assert told.done()
        assert len(bench.api.status("1.1")["cycles"]) == 1


async def test_an_attempt_cut_short_between_cycles_is_not_gone_on_with() -> None:
    bench = Bench()
    cycles = report.cycle(task_with({"attempt": 1}), END, START)["cycles"]
    bench.api.bind("1.1", state="Running", cycles=cycles)
    async with running(bench):
        status = bench.api.status("1.1")
        assert (status["state"], status["reason"]) == ("Ready", "RunnerRestarted")
        assert status["cycles"] == cycles
    assert bench.begun == []


def test_a_write_whose_answer_was_lost_is_repeated_without_a_second_record() -> None:
    status: KiroTaskStatus = {"attempt": 2}
    first = report.cycle(task_with(status), END, START)
    again = report.cycle(task_with({**status, **first}), END, START)
    assert again == first


@pytest.mark.parametrize("commit", ["", COMMIT])
def test_any_message_fits_the_schema(commit: str) -> None:
    end = replace(END, message="m" * 5000, commit=commit)
    patch = report.cycle(task_with({"attempt": 1}), end, START)
    status = valid(KiroTaskStatus, patch)
    assert (len(status["cycles"][0]["message"]), status["cycles"][0]["commit"]) == (
        256,
        commit,
    )
    assert status["progress"] is not None


@given(plays=st.lists(st.integers(1, 20), max_size=5))
def test_the_latest_twenty_are_kept_in_order(plays: list[int]) -> None:
    """``plays`` has the number of cycles of each attempt."""
    status: KiroTaskStatus = {}
    every: list[tuple[int, int]] = []
    for attempt, count in enumerate(plays, start=1):
        status["attempt"] = attempt
        for number in range(1, count + 1):
            end = replace(END, number=number, of=count)
            now = START + timedelta(seconds=len(every))
            status.update(report.cycle(task_with(status), end, now))
            every.append((attempt, number))
    kept = valid(KiroTaskStatus, status).get("cycles", [])
    assert [(item["attempt"], item["cycle"]) for item in kept] == every[-20:]
