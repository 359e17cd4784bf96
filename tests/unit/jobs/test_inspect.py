"""The inspect Job: what it writes where, and what it says when it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS, TASKS
from kiro_swarm.jobs.inspect import Question, answer
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import merged

UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
DIFF = Question("diff", "demo-1.1", "say-1", UID)
LOG = Question("log", "demo-1.1", "say-1", UID)


@pytest.fixture
def done(job: Job) -> Job:
    """A swarm with one Done task."""
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"new.py": "x\ny\n"}))
    return job


def status(job: Job, **changes: Any) -> None:
    job.api.store.patch(TASKS, NAMESPACE, "demo-1.1", {"status": changes}, "status")


async def test_the_patch_is_in_a_configmap_of_the_command(done: Job) -> None:
    assert await answer(done.client, done.env, DIFF) == 0
    written = done.api.store.read(CONFIG_MAPS, NAMESPACE, "say-1-result")
    (owner,) = written["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == (
        "SwarmCommand",
        "say-1",
        UID,
    )
    text = written["data"]["diff.patch"]
    assert "+++ b/new.py" in text
    words = done.words()
    assert words["dataRef"] == {
        "configMap": "say-1-result",
        "key": "diff.patch",
        "sizeBytes": len(text),
        "truncated": False,
    }
    sizes = [words[key] for key in ("commits", "files", "insertions", "deletions")]
    assert sizes == [1, 1, 2, 0]
    assert words["attempt"] == 1


async def test_the_log_of_a_merged_task_has_its_merge(done: Job) -> None:
    candidate = done.repositories.work({"other.py": "1\n"}, 2, "1.2")
    merge = merged(done.repositories, candidate).commit
    status(done, state="Merged", mergeCommit=merge)
    assert await answer(done.client, done.env, LOG) == 0
    text = done.api.store.read(CONFIG_MAPS, NAMESPACE, "say-1-result")["data"][
        "log.txt"
    ]
    assert text.startswith(f"commit {merge}\n")
    assert done.words()["commit"] == merge


async def test_work_without_a_commit_writes_nothing(done: Job) -> None:
    made = done.repositories.cut(1, "1.1", 2)
    running = {"state": "Running", "branch": made.branch, "baseCommit": made.base}
    status(done, **running, attempt=2)
    assert await answer(done.client, done.env, DIFF) == 0
    assert done.words()["commits"] == 0
    assert "dataRef" not in done.words()
    names = [
        item["metadata"]["name"]
        for item in done.api.store.select(CONFIG_MAPS, NAMESPACE)
    ]
    assert names == ["demo-graph"]


async def test_a_task_that_moved_on_meanwhile_says_so(done: Job) -> None:
    status(done, state="Bound", baseCommit="")
    assert await answer(done.client, done.env, DIFF) == 1
    assert done.words()["reason"] == "NothingToShow"


async def test_a_commit_that_is_gone_is_said_so(done: Job) -> None:
    status(done, commit="f" * 40)
    assert await answer(done.client, done.env, DIFF) == 1
    assert done.words()["reason"] == "RefNotFound"
    assert "is no longer on the volume" in done.words()["message"]


async def test_a_result_of_somebody_else_is_never_overwritten(done: Job) -> None:
    foreign = {"metadata": {"name": "say-1-result"}, "data": {"mine": "x"}}
    done.api.store.create(CONFIG_MAPS, NAMESPACE, foreign)
    assert await answer(done.client, done.env, DIFF) == 1
    assert done.words()["reason"] == "ResultNameTaken"
    kept = done.api.store.read(CONFIG_MAPS, NAMESPACE, "say-1-result")
    assert kept["data"] == {"mine": "x"}


async def test_a_result_of_an_earlier_namesake_is_waited_out(done: Job) -> None:
    done.limit(name_seconds=60.0)
    old = {"metadata": {"name": "say-1-result"}, "data": {"old": "x"}}
    done.api.store.create(CONFIG_MAPS, NAMESPACE, old)
    tries: list[str] = []

    async def collected(request: Any) -> None:
        if request.method == "POST":
            tries.append(request.path)
            if len(tries) == 2:
                done.api.store.remove(CONFIG_MAPS, NAMESPACE, "say-1-result")

    done.api.intercept = collected
    assert await answer(done.client, done.env, DIFF) == 0
    made = done.api.store.read(CONFIG_MAPS, NAMESPACE, "say-1-result")
    assert set(made["data"]) == {"diff.patch"}
