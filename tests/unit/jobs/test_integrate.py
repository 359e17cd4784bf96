"""The integrate Job: what the train did to each task, and the push."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Optional

import pytest

from kiro_swarm.api.swarm import Gate
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.jobs import merging
from kiro_swarm.jobs.gates import ContainerGates
from kiro_swarm.jobs.integrate import integrate, status_after
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.outcomes import (
    Conflict,
    GateFailed,
    Merged,
    Unproven,
)
from tests.support.entrypoint import Entrypoint
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import git

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
PROGRAM = [sys.executable, "-c", "from kiro_swarm.cli.main import main; main()"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            Merged("m" * 40, "b" * 40),
            {"state": "Merged", "mergeCommit": "m" * 40, "reason": ""},
        ),
        (
            Conflict(("a.py", "b.py"), "both changed a.py"),
            {
                "state": "Ready",
                "reason": "MergeConflict",
                "brief": "both changed a.py",
                "message": "attempt 2: conflicts with merged work in a.py, b.py",
            },
        ),
        (
            GateFailed("tests", "1 failed", said="(exited with 1): 1 failed"),
            {
                "state": "Ready",
                "reason": "GateFailed",
                "brief": "1 failed",
                "message": "attempt 2: gate tests is red on the merged result "
                "(exited with 1): 1 failed",
            },
        ),
        (
            Unproven("CommitMissing", "no such commit\nmore"),
            {
                "state": "Ready",
                "reason": "CommitMissing",
                "message": "attempt 2: no such commit",
            },
        ),
    ],
)
def test_what_becomes_of_a_task(outcome: Any, expected: dict[str, Any]) -> None:
    task: Any = {
        "spec": {"maxAttempts": 3},
        "status": {"state": "Done", "attempt": 2, "instance": "demo-1", "failures": 1},
    }
    patch: Any = status_after(task, outcome, NOW)
    assert {key: patch[key] for key in expected} == expected
    task["spec"]["maxAttempts"] = 2
    final = status_after(task, outcome, NOW)["state"]
    assert final == ("Merged" if isinstance(outcome, Merged) else "Failed")


async def test_done_tasks_are_merged_in_order_and_pushed_at_the_end(job: Job) -> None:
    job.apply(integration={"push": "OnComplete"})
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))
    urgent = {"spec": {"priority": 5}}
    job.api.store.patch(TASKS, NAMESPACE, "demo-1.2", urgent)
    assert await integrate(job.client, job.env) == 0
    head = job.repositories.head()
    words = job.words()
    assert {name: words[name] for name in words if "volume" not in name} == {
        "head": head,
        "pushed": head,
        "message": "merged 2, sent back 0",
        "ledger": 3,
    }
    assert job.status("1.1")["mergeCommit"] == head, "the urgent one came first"
    assert job.status("1.2")["mergedAt"] < job.status("1.1")["mergedAt"]
    assert git(job.repositories.upstream, "rev-parse", "swarm/demo/integration") == head
    assert "- [x] 1.1" in job.repositories.show(".kiro/specs/demo/tasks.md")


async def test_a_conflict_goes_back_to_its_task_and_the_rest_is_merged(
    job: Job,
) -> None:
    job.apply(integration={"push": "Always"})
    job.repositories.prepare()
    work = [
        job.repositories.work({"app.py": f"{n}\n"}, n, task)
        for n, task in enumerate(("1.1", "1.2"), 1)
    ]
    for candidate in work:
        job.done(candidate)
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    second = job.status("1.2")
    assert (second["state"], second["reason"]) == ("Ready", "MergeConflict")
    assert "app.py" in second["brief"]
    assert job.words()["message"] == "merged 1, sent back 1"


async def test_a_merge_that_nobody_heard_of_is_the_same_merge(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    task = job.api.store.read(TASKS, NAMESPACE, "demo-1.1")
    # The status of the task changes while it is merged: the write conflicts.
    told: list[str] = []

    async def meanwhile(request: Any) -> None:
        if request.method == "PATCH" and not told:
            told.append(request.path)
            change = {"status": {"message": "seen by somebody"}}
            job.api.store.patch(TASKS, NAMESPACE, "demo-1.1", change, "status")

    job.api.intercept = meanwhile
    assert task["status"]["state"] == "Done"
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["mergeCommit"] == job.repositories.head()
    log = git(job.repositories.mirror, "log", "--oneline", "swarm/demo/integration")
    assert len(log.splitlines()) == 3, "begin, work, one merge"


@pytest.mark.parametrize(
    ("state", "attempt", "ends_as"),
    [
        ("Failed", 1, "Merged"),
        ("Ready", 1, "Merged"),
        ("Bound", 2, "Bound"),
        ("Ready", 2, "Ready"),
    ],
    ids=["cancelled", "taken back", "the next one runs", "the next one was"],
)
async def test_what_is_on_the_branch_is_merged_whatever_was_said_meanwhile(
    job: Job, state: str, attempt: int, ends_as: str
) -> None:
    """A cancel that was under way when the Job began must not hide a merge."""
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"a.txt": "1"}, 1, "1.1"))
    record = {"attempt": 1, "outcome": "Cancelled"}

    async def meanwhile(request: Any) -> None:
        if request.method == "PATCH" and "kirotasks" in request.path:
            job.api.intercept = None
            word = {"state": state, "attempt": attempt, "history": [record]}
            job.api.store.patch(
                TASKS, NAMESPACE, "demo-1.1", {"status": word}, "status"
            )

    job.api.intercept = meanwhile
    assert await integrate(job.client, job.env) == 0
    status = job.status("1.1")
    assert status["state"] == ends_as
    if ends_as == "Merged":
        assert status["mergeCommit"] == job.repositories.head()
        assert status["history"] == [], "the attempt did not end without a merge"


async def test_what_comes_a_little_later_is_merged_by_the_same_job(job: Job) -> None:
    job.limit(linger_seconds=5.0)
    job.apply(tasks={"inline": "- [ ] 1.1. a\n- [ ] 1.2. b\n"})
    job.repositories.prepare()
    first = job.repositories.work({"a": "1"}, 1, "1.1")
    second = job.repositories.work({"b": "1"}, 2, "1.2")
    job.done(first)
    job.done(second)
    running = {"status": {"state": "Running"}}
    job.api.store.patch(TASKS, NAMESPACE, "demo-1.2", running, "status")
    working = asyncio.ensure_future(integrate(job.client, job.env))
    while not any("watch" in request for request in job.api.requests):
        await asyncio.wait([working], timeout=0.01)
    done = {"status": {"state": "Done"}}
    job.api.store.patch(TASKS, NAMESPACE, "demo-1.2", done, "status")
    job.api.tell()
    assert await working == 0
    assert job.status("1.2")["state"] == "Merged"
    assert "pushed" not in job.words()


def approve(job: Job, task_id: str, attempt: int = 1) -> None:
    """A person's word, written by the operator."""
    patch = {"spec": {"approvedAttempt": attempt}}
    job.api.store.patch(TASKS, NAMESPACE, f"demo-{task_id}", patch)
    job.api.tell()


async def test_only_what_a_person_approved_is_merged(job: Job) -> None:
    job.apply(integration={"approval": "Required", "push": "Always"})
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))
    approve(job, "1.2")
    assert await integrate(job.client, job.env) == 0
    assert job.words()["message"] == "merged 1, sent back 0"
    assert job.status("1.1")["state"] == "Done"
    assert job.status("1.2")["mergeCommit"] == job.repositories.head()
    tree = git(job.repositories.mirror, "ls-tree", "--name-only", "HEAD:")
    assert "1.1.txt" not in tree


async def test_an_approval_that_comes_a_little_later_is_heard(job: Job) -> None:
    job.limit(linger_seconds=5.0)
    job.apply(
        integration={"approval": "Required"},
        tasks={"inline": "- [ ] 1.1. a\n- [ ] 1.2. b\n"},
    )
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))
    approve(job, "1.1")
    working = asyncio.ensure_future(integrate(job.client, job.env))
    while not any("watch" in request for request in job.api.requests):
        await asyncio.wait([working], timeout=0.01)
    assert job.status("1.2")["state"] == "Done"
    approve(job, "1.2")
    assert await working == 0
    assert job.words()["message"] == "merged 2, sent back 0"


@pytest.mark.parametrize(
    ("case", "meanwhile", "state"),
    [
        (
            "a person rejects the second",
            (TASKS, "demo-1.2", {"status": {"state": "Ready"}}, "status"),
            "Ready",
        ),
        (
            "a person begins to ask for approvals",
            (SWARMS, "demo", {"spec": {"integration": {"approval": "Required"}}}, ""),
            "Done",
        ),
    ],
)
async def test_what_changes_while_another_task_is_merged_counts(
    job: Job, case: str, meanwhile: tuple[Any, ...], state: str
) -> None:
    job.apply()
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))
    resource, name, patch, part = meanwhile

    async def change(request: Any) -> None:
        if request.method == "PATCH" and "1.1" in request.path:
            job.api.store.patch(resource, NAMESPACE, name, patch, part)

    job.api.intercept = change
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    assert job.status("1.2")["state"] == state, case
    assert job.words()["message"] == "merged 1, sent back 0"


@pytest.mark.parametrize(
    ("before", "after", "states"),
    [
        ("2k", "4k", ("Ready", "Merged")),
        ("0", "2k", ("Merged", "Ready")),
        (None, "2k", ("Merged", "Ready")),
        ("2k", None, ("Ready", "Merged")),
    ],
)
async def test_each_merge_goes_by_the_largest_file_of_now(
    job: Job, before: Optional[str], after: Optional[str], states: tuple[str, str]
) -> None:
    job.apply(integration={} if before is None else {"maxFileSize": before})
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": task * 1000}, number, task))

    async def change(request: Any) -> None:
        if request.method == "PATCH" and "1.1" in request.path:
            spec = {"spec": {"integration": {"maxFileSize": after}}}
            job.api.store.patch(SWARMS, NAMESPACE, "demo", spec)

    job.api.intercept = change
    assert await integrate(job.client, job.env) == 0
    found = [job.status(task) for task in ("1.1", "1.2")]
    assert tuple(status["state"] for status in found) == states
    refused = next(status for status in found if status["state"] == "Ready")
    assert refused["reason"] == "FileTooLarge"
    assert "has 3000 bytes; 2000 bytes are allowed" in refused["message"]


async def test_a_task_that_is_deleted_meanwhile_is_left_alone(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))

    async def delete(request: Any) -> None:
        if request.method == "PATCH" and "1.1" in request.path:
            job.api.store.remove(TASKS, NAMESPACE, "demo-1.2")

    job.api.intercept = delete
    assert await integrate(job.client, job.env) == 0
    assert job.words()["message"] == "merged 1, sent back 0"


async def test_a_push_that_is_refused_is_told(job: Job) -> None:
    job.apply(integration={"push": "Always"})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    git(job.repositories.upstream, "checkout", "-q", "-b", "swarm/demo/integration")
    git(job.repositories.upstream, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(job.repositories.upstream, "checkout", "-q", "main")
    assert await integrate(job.client, job.env) == 1
    assert "Push" in job.words()["reason"]
    assert job.status("1.1")["state"] == "Merged", "the merge is not lost"


async def test_a_gate_container_that_does_not_answer_stops_the_train(job: Job) -> None:
    job.apply(integration={"gates": [{"name": "tests", "command": ["true"]}]})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    assert await integrate(job.client, job.env) == 1
    assert job.words()["reason"] == "GateUnavailable"
    assert job.status("1.1")["state"] == "Done"


async def test_a_job_with_a_green_gate_merges(
    job: Job, gate: Entrypoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OwnGates(ContainerGates):
        """The gate container of these tests: its own tree and program."""

        def __init__(
            self,
            socket: AgentSocket,
            gates: Sequence[Gate],
            mirror: str,
            loop: asyncio.AbstractEventLoop,
        ) -> None:
            tree = str(job.folder / "gate-tree")
            super().__init__(socket, gates, mirror, loop, tree, PROGRAM)

    monkeypatch.setattr(merging, "ContainerGates", OwnGates)
    command = ["test", "!", "-e", "bad"]
    job.apply(integration={"gates": [{"name": "tests", "command": command}]})
    job.repositories.prepare()
    job.done(job.repositories.work({"new": "1"}, 1, "1.1"))
    job.done(job.repositories.work({"bad": "1"}, 2, "1.2"), priority=9)
    env = replace(job.env, socket=gate.socket)
    assert await integrate(job.client, env) == 0
    assert job.status("1.1")["state"] == "Merged"
    other = job.status("1.2")
    assert (other["state"], other["reason"]) == ("Ready", "GateFailed")


async def test_what_only_says_that_it_is_of_the_swarm_is_neither_merged_nor_waited_for(
    job: Job,
) -> None:
    """A task of an earlier swarm of the name: one is Done, one never will be."""
    job.apply(integration={"push": "OnComplete"})
    job.repositories.prepare()
    job.done(job.repositories.work({"ours.txt": "x"}))
    store = job.api.store
    for number, state in enumerate(("Done", "Blocked")):
        ours = store.read(TASKS, NAMESPACE, "demo-1.1")
        about: Any = {
            "name": f"demo-9.{number}",
            "ownerReferences": [{"uid": "of-before"}],
        }
        spec = {**ours["spec"], "id": f"9.{number}"}
        store.create(TASKS, NAMESPACE, {**ours, "metadata": about, "spec": spec})
        status = {**ours["status"], "state": state}
        store.patch(TASKS, NAMESPACE, about["name"], {"status": status}, "status")
    job.api.tell()
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    assert job.words()["pushed"] == job.words()["head"]
    assert [job.status(f"9.{number}")["state"] for number in range(2)] == [
        "Done",
        "Blocked",
    ]
