"""A machine in trouble, and a candidate that looks like one: told apart over two Jobs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Callable

import pytest

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.jobs.integrate import Integration
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.workspace.doubts import GATED, HINDERED, STOPPED
from kiro_swarm.workspace.errors import (
    Doubtful,
    GateLost,
    GateUnavailable,
    VolumeTrouble,
)
from kiro_swarm.workspace.outcomes import GateVerdict
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import git

ALONE, START = "the branch", "its beginning"


class Gates:
    """Gates that raise for commits with one of these files; they know who was asked.

    ``ALONE`` among the files is the branch as it is, ``START`` the commit that it began at.
    """

    def __init__(
        self, job: Job, raises: Callable[[], BaseException], *files: str
    ) -> None:
        self._repositories = job.repositories
        self._raises = raises
        self._files = set(files)
        self.asked: list[str] = []

    def check(self, commit: str) -> GateVerdict:
        mirror = self._repositories.mirror
        if commit == git(mirror, "rev-parse", "refs/kiro/start"):
            new = [START]
        elif commit == self._repositories.head():
            new = [ALONE]
        else:
            names = git(mirror, "diff", "--name-only", f"{commit}^1", commit)
            new = [name for name in names.split() if name.endswith(".txt")]
        self.asked += new
        if self._files.intersection(new):
            raise self._raises()
        return GateVerdict(passed=True)


def hindered() -> Exception:
    return Doubtful("the gate container was ended")


def ready(job: Job, *tasks: str) -> None:
    job.apply()
    job.repositories.prepare()
    for number, task in enumerate(tasks, 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))


async def run(job: Job, gates: Gates, evicted: bool = False) -> int:
    async def work(merging: Merging) -> IntegrateReport:
        return await Integration(merging, gates).run()

    env = replace(job.env, evicted=evicted)
    return await report_of(job.client, env, work)


async def test_one_that_is_hindered_twice_is_to_blame(job: Job) -> None:
    ready(job, "1.1", "1.2", "2")
    gates = Gates(job, hindered, "1.1.txt")
    assert await run(job, gates) == 1
    assert gates.asked == ["1.1.txt", "1.2.txt", "2.txt"]
    assert (job.words()["reason"], job.words()["tasks"]) == ("MergeHindered", ["1.1"])
    assert job.status("1.2")["state"] == job.status("2")["state"] == "Merged"
    status = job.status("1.1")
    assert (status["state"], status.get("failures", 0)) == ("Done", 0)
    assert await run(job, gates) == 0
    status = job.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")
    assert "the gate container was ended" in status["brief"]
    assert status["failures"] == 1


async def test_one_that_was_hindered_by_chance_is_merged(job: Job) -> None:
    ready(job, "1.1", "1.2")
    assert await run(job, Gates(job, hindered, "1.1.txt")) == 1
    assert await run(job, Gates(job, hindered)) == 0
    assert job.status("1.1")["state"] == "Merged"


async def test_a_machine_that_hinders_all_costs_nobody_an_attempt(job: Job) -> None:
    ready(job, "1.1", "1.2", "2")
    for _ in range(6):
        gates = Gates(job, hindered, "1.1.txt", "1.2.txt", "2.txt", START)
        assert await run(job, gates) == 1
        assert job.words()["reason"] == "MachineInTrouble"
        assert gates.asked[-1] == START
        assert len(gates.asked) <= 3, "after the second one it is known"
    for task in ("1.1", "1.2", "2"):
        assert job.status(task)["state"] == "Done"
        assert job.status(task).get("failures", 0) == 0
    assert await run(job, Gates(job, hindered)) == 0
    assert {job.status(task)["state"] for task in ("1.1", "1.2", "2")} == {"Merged"}


async def test_a_machine_that_hinders_the_only_task_costs_it_no_attempt(
    job: Job,
) -> None:
    ready(job, "1.1")
    for _ in range(6):
        assert await run(job, Gates(job, hindered, "1.1.txt", START)) == 1
    assert job.words()["reason"] == "MachineInTrouble"
    assert job.status("1.1").get("failures", 0) == 0
    assert await run(job, Gates(job, hindered)) == 0
    assert job.status("1.1")["state"] == "Merged"


async def test_two_that_end_their_container_are_judged_and_the_third_is_merged(
    job: Job,
) -> None:
    ready(job, "1.1", "1.2", "2")
    gates = Gates(job, hindered, "1.1.txt", "1.2.txt")
    assert await run(job, gates) == 1
    assert gates.asked == ["1.1.txt", "1.2.txt", START, "2.txt"]
    assert job.words()["reason"] == "MergeHindered"
    assert job.words()["tasks"] == ["1.1", "1.2"]
    assert job.status("2")["state"] == "Merged"
    gates = Gates(job, hindered, "1.1.txt", "1.2.txt")
    assert await run(job, gates) == 0
    assert gates.asked == ["1.1.txt", ALONE, "1.2.txt", ALONE], "once for each charged"
    for task in ("1.1", "1.2"):
        status = job.status(task)
        assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")
        assert status["failures"] == 1


async def test_a_machine_that_hinders_after_a_merge_costs_nobody_an_attempt(
    job: Job,
) -> None:
    """What passed in the Job before that says nothing of the machine since."""
    ready(job, "1.1", "1.2")
    assert await run(job, Gates(job, hindered, "1.1.txt", "1.2.txt")) == 1
    job.done(job.repositories.work({"2.txt": "x"}, 3, "2"))
    gates = Gates(job, hindered, "1.1.txt", "1.2.txt", ALONE, START)
    assert await run(job, gates) == 1
    assert gates.asked == ["2.txt", "1.1.txt", ALONE, START]
    assert job.words()["reason"] == "MachineInTrouble"
    for task in ("1.1", "1.2"):
        assert job.status(task).get("failures", 0) == 0
    assert await run(job, Gates(job, hindered)) == 0
    assert job.status("1.1")["state"] == job.status("1.2")["state"] == "Merged"


async def test_all_that_there_are_may_end_their_container(job: Job) -> None:
    ready(job, "1.1", "1.2", "2")
    files = ("1.1.txt", "1.2.txt", "2.txt")
    assert await run(job, Gates(job, hindered, *files)) == 1
    assert await run(job, Gates(job, hindered, *files)) == 0
    assert {job.status(task)["state"] for task in ("1.1", "1.2", "2")} == {"Ready"}


async def test_a_container_that_is_gone_for_good_is_somebody_s_doing(job: Job) -> None:
    def gone() -> Exception:
        return GateLost("the gate container was lost")

    ready(job, "1.1", "1.2")
    for _ in range(2):
        assert await run(job, Gates(job, gone, "1.1.txt")) == 1
        assert job.words()["reason"] == "GateUnavailable"
    assert job.status("1.2")["state"] == "Merged"
    assert await run(job, Gates(job, gone, "1.1.txt")) == 0
    status = job.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")


async def test_a_container_that_is_gone_for_all_is_the_machine(job: Job) -> None:
    def gone() -> Exception:
        return GateLost("the gate container was lost")

    ready(job, "1.1", "1.2")
    for _ in range(8):
        assert await run(job, Gates(job, gone, "1.1.txt", "1.2.txt", START)) == 1
    for task in ("1.1", "1.2"):
        assert job.status(task).get("failures", 0) == 0


class _EndOfTheJob(BaseException):
    """The pod is evicted."""


@pytest.mark.parametrize(("evicted", "jobs"), [(False, GATED), (True, HINDERED)])
async def test_gates_that_end_every_job_are_judged_after_some(
    job: Job, evicted: bool, jobs: int
) -> None:
    ready(job, "1.1")
    for _ in range(jobs):
        with pytest.raises(_EndOfTheJob):
            await run(job, Gates(job, _EndOfTheJob, "1.1.txt"), evicted)
    gates = Gates(job, _EndOfTheJob, "1.1.txt")
    assert await run(job, gates, evicted) == 0
    assert gates.asked == [START]
    status = job.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")


async def test_one_that_fills_what_only_its_gates_use_is_judged_at_last(
    job: Job,
) -> None:
    def full() -> Exception:
        return VolumeTrouble("no room is left in /tmp", reason="VolumeFull")

    ready(job, "1.1")
    for _ in range(STOPPED - 1):
        assert await run(job, Gates(job, full, "1.1.txt")) == 1
        assert job.words()["reason"] == "VolumeFull"
        assert job.status("1.1").get("failures", 0) == 0
    # An outage is asked of the branch: nobody is charged while it lasts.
    for _ in range(2):
        assert await run(job, Gates(job, full, "1.1.txt", START)) == 1
        assert job.status("1.1").get("failures", 0) == 0
    gates = Gates(job, full, "1.1.txt")
    assert await run(job, gates) == 0
    assert gates.asked == ["1.1.txt", START]
    status = job.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")


@pytest.mark.parametrize("evicted", [True, False])
async def test_a_pod_that_is_asked_to_end_under_gates_counts(
    job: Job, evicted: bool
) -> None:
    """The kubelet asks before it kills, and the Job has time to write."""
    ready(job, "1.1")
    for _ in range(HINDERED if evicted else GATED):
        with pytest.raises(asyncio.CancelledError):
            await run(job, Gates(job, asyncio.CancelledError, "1.1.txt"), evicted)
    assert await run(job, Gates(job, hindered), evicted) == 0
    assert job.status("1.1")["reason"] == "Unmergeable"


async def test_jobs_that_end_whatever_they_try_burn_no_attempt(job: Job) -> None:
    ready(job, "1.1", "1.2")
    for _ in range(2 * GATED + 2):
        gates = Gates(job, _EndOfTheJob, "1.1.txt", "1.2.txt", START)
        with suppress(_EndOfTheJob):
            await run(job, gates)
            assert job.words()["reason"] == "MachineInTrouble"
    for task in ("1.1", "1.2"):
        assert job.status(task).get("failures", 0) == 0
    assert await run(job, Gates(job, hindered)) == 0
    for task in ("1.1", "1.2"):
        assert job.status(task).get("failures", 0) == 0


async def test_an_outage_begins_with_another_task_the_next_time(job: Job) -> None:
    ready(job, "1.1", "1.2")

    def away() -> Exception:
        return GateUnavailable("no answer")

    first = Gates(job, away, "1.1.txt", "1.2.txt")
    assert await run(job, first) == 1
    assert job.words()["reason"] == "GateUnavailable"
    assert first.asked == ["1.1.txt"]
    second = Gates(job, away)
    assert await run(job, second) == 0
    assert second.asked == ["1.2.txt", "1.1.txt"]
    assert job.status("1.1")["state"] == job.status("1.2")["state"] == "Merged"


async def test_our_own_defect_has_a_reason(job: Job) -> None:
    ready(job, "1.1")

    async def work(merging: Merging) -> IntegrateReport:
        raise RecursionError("too deep")

    assert await report_of(job.client, job.env, work) == 1
    assert job.words()["reason"] == "InternalError"
    assert "RecursionError" in job.words()["message"]


async def test_a_full_volume_outside_of_any_task_has_its_reason(job: Job) -> None:
    ready(job, "1.1")

    async def work(merging: Merging) -> IntegrateReport:
        raise OSError(28, "No space left on device")

    assert await report_of(job.client, job.env, work) == 1
    assert job.words()["reason"] == "VolumeFull"
