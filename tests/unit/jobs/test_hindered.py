"""A machine in trouble, and a candidate that looks like one: told apart over two Jobs."""

from __future__ import annotations

from typing import Callable

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.jobs.integrate import Integration
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.workspace.errors import Doubtful, GateUnavailable
from kiro_swarm.workspace.outcomes import GateVerdict
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import git


class Gates:
    """Gates that raise for commits with one of these files; they know who was asked."""

    def __init__(self, job: Job, raises: Callable[[], Exception], *files: str) -> None:
        self._mirror = job.repositories.mirror
        self._raises = raises
        self._files = set(files)
        self.asked: list[str] = []

    def check(self, commit: str) -> GateVerdict:
        names = git(self._mirror, "diff", "--name-only", f"{commit}^1", commit)
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


async def run(job: Job, gates: Gates) -> int:
    async def work(merging: Merging) -> IntegrateReport:
        return await Integration(merging, gates).run()

    return await report_of(job.client, job.env, work)


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
    for _ in range(4):
        assert await run(job, Gates(job, hindered, "1.1.txt", "1.2.txt", "2.txt")) == 1
        assert job.words()["reason"] == "MachineInTrouble"
    for task in ("1.1", "1.2", "2"):
        assert job.status(task)["state"] == "Done"
        assert job.status(task).get("failures", 0) == 0
    assert await run(job, Gates(job, hindered)) == 0
    assert {job.status(task)["state"] for task in ("1.1", "1.2", "2")} == {"Merged"}


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
