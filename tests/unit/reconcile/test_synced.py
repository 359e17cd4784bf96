"""The status knows where the branch is after a sync Job has moved it."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.reconcile.swarms.integrate import has_work, head_of, observe, pushed_of
from tests.unit.reconcile.executors.builders import Scene
from tests.unit.reconcile.executors.jobs_of import job, owned

BASE, MERGE, SYNC, LATER = "a" * 40, "b" * 40, "c" * 40, "d" * 40
BEFORE = "2026-11-22T09:59:00.000000Z"
AFTER = "2026-11-22T10:00:01.500000Z"


def scene(merged_at: str = BEFORE, **integration: Any) -> Scene:
    """A swarm with one merged task. Jobs of these tests end at 10:00:00."""
    made = owned(integration={"push": "Always"})
    made.task("1", "Merged", mergeCommit=MERGE, mergedAt=merged_at)
    made.swarm["status"]["integration"] = {"base": BASE, "head": MERGE, **integration}
    return made


def head(made: Scene) -> str:
    return head_of(made.view, observe(made.view))


def pushed(made: Scene) -> str:
    return pushed_of(made.view, observe(made.view))


def test_a_sync_moves_head_and_pushed() -> None:
    made = scene(pushed=MERGE)
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC, "pushed": SYNC})
    assert (head(made), pushed(made)) == (SYNC, SYNC)
    assert not has_work(made.view, observe(made.view))


def test_what_a_sync_could_not_push_the_train_pushes() -> None:
    made = scene(pushed=MERGE)
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC})
    assert (head(made), pushed(made)) == (SYNC, MERGE)
    assert has_work(made.view, observe(made.view))


def test_a_later_merge_counts_more() -> None:
    made = scene(merged_at=AFTER)
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC})
    job(made, "demo-integrate-1")
    assert head(made) == MERGE


def test_an_integrate_job_of_before_counts_less() -> None:
    made = scene()
    job(made, "demo-integrate-1", True, {"head": MERGE})
    made.jobs[0]["status"]["conditions"][0]["lastTransitionTime"] = BEFORE
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC})
    assert head(made) == SYNC
    made.jobs[0]["status"]["conditions"][0]["lastTransitionTime"] = AFTER
    assert head(made) == MERGE


@pytest.mark.parametrize("ended", [None, False])
def test_a_sync_that_did_not_end_well_moves_nothing(ended: Any) -> None:
    made = scene()
    job(made, "demo-sync-0b5e7f1a", ended, {"reason": "SyncConflict", "message": ""})
    assert head(made) == MERGE


def test_a_head_that_was_recorded_outlives_its_job() -> None:
    made = scene(head=SYNC)
    assert head(made) == SYNC
    made.task("2", "Merged", mergeCommit=LATER, mergedAt=AFTER)
    job(made, "demo-integrate-1")
    assert head(made) == LATER


def test_the_base_is_no_news() -> None:
    assert head(scene(head=BASE)) == MERGE
