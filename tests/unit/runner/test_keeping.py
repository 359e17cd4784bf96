"""An attempt ends in Finished only when its work is out of its agent's reach."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import List, Optional

import pytest

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.reasons import WORKSPACE_FAILED
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.keeping import Keeping
from kiro_swarm.runner.ports import Key
from kiro_swarm.runner.work import OnCut
from kiro_swarm.workspace.done import is_adopted
from kiro_swarm.workspace.limits import limits_of
from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.runner.fakes import FakeApi
from tests.unit.workspace.repositories import INTEGRATION, Swarm, adopted, merged


@pytest.fixture
def swarm(tmp_path: Path) -> Swarm:
    made = Swarm(tmp_path)
    made.prepare()
    return made


async def nobody() -> List[KiroTask]:
    """The instance never had a task."""
    return []


async def ended(
    swarm: Swarm,
    done: Candidate,
    result: Result,
    said: List[str],
    largest: Optional[str] = None,
) -> Result:
    """How an attempt ends whose work ended with ``result``."""

    async def work(on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle) -> Result:
        return result

    shelf = swarm.top / "finished" / done.instance_dir.name
    keeping = Keeping(
        shelf, done.instance_dir, swarm.mirror, INTEGRATION, limits_of(largest), nobody
    )
    around = keeping.around(work, Key(done.uid, done.attempt))

    async def cut(*_: object) -> None:
        """Nobody asks."""

    return await around(cut, said.append, cut)


def finished(done: Candidate) -> Finished:
    return Finished(done.commit, done.base, done.branch, 1.0, "done")


async def test_what_is_finished_outlives_its_instance(swarm: Swarm) -> None:
    said: List[str] = []
    done = swarm.work({"a": "1"})
    assert await ended(swarm, done, finished(done), said) == finished(done)
    assert said == ["keeping the work"]
    shutil.rmtree(swarm.instance().folder)
    merged(swarm, swarm.kept(done))


async def test_what_failed_is_not_kept(swarm: Swarm) -> None:
    said: List[str] = []
    done = swarm.work({"a": "1"})
    failed = Failed("NoChanges", "nothing")
    assert await ended(swarm, done, failed, said) == failed
    assert said == []
    assert swarm.kept(done) == done


async def test_work_whose_objects_are_gone_is_not_finished(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    shutil.rmtree(done.instance_dir / "repo.git" / "objects")
    (done.instance_dir / "repo.git" / "objects").mkdir()
    result = await ended(swarm, done, finished(done), [])
    assert isinstance(result, Failed)
    assert result.reason == "CommitMissing"


@pytest.mark.parametrize(
    ("largest", "reason"), [("2k", "FileTooLarge"), ("3k", ""), ("0", ""), (None, "")]
)
async def test_the_largest_file_is_as_the_swarm_says(
    swarm: Swarm, largest: Optional[str], reason: str
) -> None:
    done = swarm.work({"a": "x" * 3000})
    result = await ended(swarm, done, finished(done), [], largest)
    assert getattr(result, "reason", "") == reason
    if isinstance(result, Failed):
        assert "a has 3000 bytes; 2000 bytes are allowed" in result.message
        assert "spec.integration.maxFileSize" in result.message


async def test_a_mirror_that_is_away_is_not_the_fault_of_the_work(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    swarm.mirror.rename(swarm.top / "away.git")
    result = await ended(swarm, done, finished(done), [])
    assert isinstance(result, Failed)
    assert result.reason == WORKSPACE_FAILED


async def test_work_that_an_older_runner_left_is_kept_before_the_next_cut(
    swarm: Swarm,
) -> None:
    left = swarm.work({"a": "1"})
    api = FakeApi(left.instance_dir.name)
    api.put(
        "left",
        state="Done",
        instance=api.instance,
        attempt=left.attempt,
        commit=left.commit,
        baseCommit=left.base,
    )
    api.tasks["left"]["metadata"]["uid"] = left.uid
    api.put("odd", state="Done", instance=api.instance, attempt=1, commit="--help")
    api.put("bad", state="Done", instance=api.instance, attempt=1, commit="f" * 40)
    api.put("else", state="Running", instance=api.instance, attempt=1)
    shelf = swarm.top / "finished" / api.instance
    keeping = Keeping(
        *(shelf, left.instance_dir, swarm.mirror, INTEGRATION, limits_of(None)),
        api.list_mine,
    )
    cuts: List[str] = []

    async def cuts_anew(*_: object) -> Result:
        cuts.append(swarm.cut(task="1.2").base)
        return Failed("NoChanges", "nothing")

    async def nothing(*_: object) -> None:
        """Nobody asks."""

    async def next_task() -> Result:
        work = keeping.around(cuts_anew, Key("uid-next", 1))
        return await work(nothing, nothing, nothing)  # type: ignore[arg-type]

    api.outage = True
    result = await next_task()
    assert isinstance(result, Failed)
    assert result.reason == WORKSPACE_FAILED
    assert cuts == [], "nothing is emptied while it cannot be seen what is Done"
    api.outage = False
    assert await next_task() == Failed("NoChanges", "nothing")
    assert len(cuts) == 1
    kept = [place.name for place in shelf.iterdir() if place.is_dir()]
    assert kept == [f"{left.uid}.{left.attempt}"]
    adopted(swarm)
    merged(swarm, left)


async def test_what_a_job_has_taken_is_not_kept_again(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    assert await ended(swarm, done, finished(done), []) == finished(done)
    adopted(swarm)
    assert is_adopted(swarm.mirror, done.uid, done.attempt, done.commit)
    assert not is_adopted(swarm.mirror, done.uid, done.attempt + 1, done.commit)
