"""A branch whose gates do not end well without any work: nobody who waits is charged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Callable, Optional, Union

import pytest

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.gates import GATE_FAILED, GATE_TIMED_OUT
from kiro_swarm.jobs.integrate import Integration
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.workspace.errors import BranchHinders, Doubtful, GateLost
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import INTEGRATION, commit, git


class EndOfTheJobError(BaseException):
    """The pod is evicted, or killed for memory."""


def red(reason: str = GATE_FAILED, passed: tuple[str, ...] = ()) -> GateVerdict:
    runs = tuple(GateRun(name, 1.0) for name in passed)
    return GateVerdict(
        False, "tests", "1 failed: test_old\ntests ended 1", runs, reason
    )


def raised(error: Callable[[str], BaseException]) -> BaseException:
    return error("the gate container was ended")


Ends = Union[GateVerdict, Callable[[str], BaseException]]
#: What the gates of a branch can come to, and the same of what is merged into it.
KIND: dict[str, Ends] = {
    "red": red(),
    "late": red(GATE_TIMED_OUT),
    "killed": Doubtful,
    "lost": GateLost,
    "evicted": EndOfTheJobError,
}


class Gates:
    """Gates that end in the same way on each commit of a branch that has a file ``bad``.

    They end well where the commit has a file ``mend``.
    """

    def __init__(self, job: Job, ends: Ends, *, at_start: bool = False) -> None:
        self._mirror = job.repositories.mirror
        self._ends = ends
        self._at_start = at_start
        self.asked: list[str] = []

    def check(self, commit: str) -> GateVerdict:
        self.asked.append(commit)
        names = git(self._mirror, "ls-tree", "--name-only", commit).split()
        bad = "bad" in names or self._at_start
        if not bad or "mend" in names:
            return GateVerdict(passed=True)
        if isinstance(self._ends, GateVerdict):
            return self._ends
        raise raised(self._ends)


class Well:
    """Gates that pass, as they did when ``bad`` was merged."""

    def check(self, commit: str) -> GateVerdict:
        return GateVerdict(passed=True)


async def run(
    job: Job, gates: Union[Gates, Well], evicted: bool = False
) -> Optional[str]:
    """One Job; its reason, None where all is well, and ``died``."""

    async def work(merging: Merging) -> IntegrateReport:
        return await Integration(merging, gates).run()

    env = replace(job.env, evicted=evicted)
    with suppress(EndOfTheJobError):
        await report_of(job.client, env, work)
        reason: Optional[str] = job.words().get("reason")
        return reason
    return "died"


async def begin(job: Job) -> None:
    """A swarm that has merged ``bad``, and two candidates that wait."""
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"bad": "x"}, 1, "1.1"))
    assert await run(job, Well()) is None
    assert job.status("1.1")["state"] == "Merged"
    for number, task in ((2, "1.2"), (3, "2")):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))


@pytest.mark.parametrize("kind", KIND)
async def test_nobody_is_charged_for_what_was_merged_before(
    job: Job, kind: str
) -> None:
    await begin(job)
    said: list[Optional[str]] = []
    while "BranchHinders" not in said:
        assert len(said) < 8, said
        said.append(await run(job, Gates(job, KIND[kind]), kind == "evicted"))
    for task in ("1.2", "2"):
        status = job.status(task)
        assert (status["state"], status.get("failures", 0)) == ("Done", 0), said
    # It is tried again as it is: what has passed needs nobody.
    assert await run(job, Well()) is None
    assert {job.status(task)["state"] for task in ("1.2", "2")} == {"Merged"}


@pytest.mark.parametrize("ends", [KIND["red"], KIND["late"], KIND["killed"]])
async def test_the_reason_names_the_gate_and_what_to_do(job: Job, ends: Ends) -> None:
    await begin(job)
    assert await run(job, Gates(job, ends)) == "BranchHinders"
    message = job.words()["message"]
    assert "branch swarm/demo/integration" in message
    assert "No attempt was charged" in message
    assert "spec.integration.gates" in message
    if isinstance(ends, GateVerdict):
        assert "gate tests fails" in message
        assert "test_old | tests ended 1" in message


async def test_what_mends_the_branch_is_merged_and_the_others_with_it(job: Job) -> None:
    await begin(job)
    job.done(job.repositories.work({"mend": "x"}, 4, "9"))
    assert await run(job, Gates(job, red())) is None
    assert {job.status(task)["state"] for task in ("1.2", "2", "9")} == {"Merged"}


async def test_another_gate_than_that_of_the_branch_is_the_work_s(job: Job) -> None:
    """The branch passes what the work does not."""
    await begin(job)

    class Two(Gates):
        def check(self, commit: str) -> GateVerdict:
            names = git(self._mirror, "ls-tree", "--name-only", commit).split()
            if "2.txt" in names:
                return replace(red(), gate="lint")
            return red(passed=("lint",))

    assert await run(job, Two(job, red())) == "BranchHinders"
    assert job.words()["tasks"] == ["1.2"]
    status = job.status("2")
    assert (status["state"], status["reason"]) == ("Ready", "GateFailed")


async def test_the_branch_is_judged_once_a_job(job: Job) -> None:
    await begin(job)
    gates = Gates(job, red())
    await run(job, gates)
    assert len(gates.asked) == 3
    gates = Gates(job, Doubtful)
    await run(job, gates)
    # Both works, the branch, and the commit that it began at.
    assert len(gates.asked) == 4


@pytest.mark.parametrize("kind", ["red", "late"])
async def test_nobody_is_charged_for_gates_that_were_red_when_the_swarm_began(
    job: Job, kind: str
) -> None:
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"1.1.txt": "x"}, 1, "1.1"))
    for _ in range(4):
        gates = Gates(job, KIND[kind], at_start=True)
        assert await run(job, gates) == "BranchHinders"
    status = job.status("1.1")
    assert (status["state"], status.get("failures", 0)) == ("Done", 0)
    began = job.repositories.head()[:12]
    assert f"Nothing was merged since the swarm began there, at {began}" in (
        job.words()["message"]
    )


async def test_the_one_who_makes_red_gates_green_is_merged(job: Job) -> None:
    """A project that begins with nothing: the others wait for it, uncharged."""
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"1.1.txt": "x"}, 1, "1.1"))
    job.done(job.repositories.work({"mend": "x"}, 2, "1.2"))
    assert await run(job, Gates(job, red(), at_start=True)) is None
    assert {job.status(task)["state"] for task in ("1.1", "1.2")} == {"Merged"}
    assert job.status("1.1")["attempt"] == 1


async def test_nobody_is_charged_for_what_somebody_else_pushed(job: Job) -> None:
    """Onto the integration branch, before the swarm merged anything."""
    job.apply()
    swarm = job.repositories
    swarm.prepare()
    job.done(swarm.work({"1.1.txt": "x"}, 1, "1.1"))
    theirs = commit(swarm.upstream, {"bad": "x"}, "Theirs")
    git(swarm.mirror, "fetch", "-q", swarm.url, f"main:refs/heads/{INTEGRATION}")
    assert await run(job, Gates(job, red())) == "BranchHinders"
    assert job.status("1.1")["state"] == "Done"
    assert f"commit {theirs[:12]}, which is none of the swarm's" in (
        job.words()["message"]
    )


async def test_what_came_since_the_gate_passed_is_named(job: Job) -> None:
    await begin(job)
    bad = job.repositories.head()
    assert await run(job, Gates(job, red())) == "BranchHinders"
    assert f"came task 1.1 ({bad[:12]})" in job.words()["message"]


async def test_gates_run_on_the_branch_once_whatever_the_candidates_and_jobs(
    job: Job,
) -> None:
    await begin(job)
    head, asked = job.repositories.head(), []
    for number in range(4, 8):
        job.done(job.repositories.work({f"{number}.txt": "x"}, number, f"9.{number}"))
    for _ in range(3):
        gates = Gates(job, red())
        assert await run(job, gates) == "BranchHinders"
        asked += gates.asked
    assert asked.count(head) == 1
    assert len(asked) == 3 * 6 + 1
    # Other gates say something else of it.
    changed = {"spec": {"integration": {"gates": [{"name": "a", "command": ["a"]}]}}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", changed)
    gates = Gates(job, red())
    assert await run(job, gates) == "BranchHinders"
    assert gates.asked.count(head) == 1


async def test_one_that_is_simply_wrong_costs_one_run_of_the_branch(job: Job) -> None:
    """Though the tree of the head has just passed: the machine may have changed since."""
    job.apply()
    job.repositories.prepare()
    for number, name in enumerate(("1.1.txt", "bad", "2.txt"), 1):
        task = {"1.1.txt": "1.1", "bad": "1.2", "2.txt": "2"}[name]
        job.done(job.repositories.work({name: "x"}, number, task))
    gates = Gates(job, red())
    assert await run(job, gates) is None
    said = [job.status(task)["state"] for task in ("1.1", "1.2", "2")]
    assert said == ["Merged", "Ready", "Merged"]
    assert len(gates.asked) == 4


class Outage(Gates):
    """What a gate needs goes away after so many runs; one work is red by itself, at any time."""

    def __init__(self, job: Job, after: int, gate: str = "tests") -> None:
        super().__init__(job, red())
        self._after = after
        self._gate = gate

    def check(self, commit: str) -> GateVerdict:
        if len(self.asked) < self._after:
            return super().check(commit)
        self.asked.append(commit)
        return replace(red(), gate=self._gate, output="npm ERR! registry away")


@pytest.mark.parametrize("after", range(1, 5))
async def test_an_outage_is_charged_to_nobody_whenever_it_begins(
    job: Job, after: int
) -> None:
    job.apply()
    job.repositories.prepare()
    for number, name in enumerate(("1.1", "bad", "2", "3"), 1):
        work = job.repositories.work({name: "x"}, number, f"1.{number}")
        job.done(work)
    others = ("1.1", "1.3", "1.4")
    for runs in (after, 1):
        await run(job, Outage(job, runs))
        told = {task: job.status(task).get("failures", 0) for task in others}
        assert set(told.values()) == {0}, told
    await run(job, Gates(job, red()))
    assert {job.status(task)["state"] for task in others} == {"Merged"}


async def test_a_gate_that_passed_beside_a_red_one_is_asked_again(job: Job) -> None:
    """It is remembered that the branch is red at another gate, and nothing else of it."""
    await begin(job)
    late = red(passed=("lint",))
    assert await run(job, Gates(job, late)) == "BranchHinders"
    assert await run(job, Outage(job, 0, "lint")) == "BranchHinders"
    for task in ("1.2", "2"):
        assert job.status(task).get("failures", 0) == 0


async def test_a_gate_that_is_nowhere_does_not_keep_the_one_who_brings_it(
    job: Job,
) -> None:
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"1.1.txt": "x"}, 1, "1.1"))
    job.done(job.repositories.work({"mend": "x"}, 2, "1.2"))

    def missing(said: str) -> BaseException:
        return BranchHinders(said, reason="GateNotRunnable")

    assert await run(job, Gates(job, missing, at_start=True)) is None
    assert {job.status(task)["state"] for task in ("1.1", "1.2")} == {"Merged"}
