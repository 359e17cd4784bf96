"""Where the branch is, and what was pushed: by the ledger, or by what was said before it."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.policy import chain
from kiro_swarm.policy.ledger import Book, MergedTask
from kiro_swarm.reconcile.snapshot.ledger import LedgerFollower
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.integrate import has_work, head_of, observe, pushed_of
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import swarm_status
from tests.unit.reconcile.executors.builders import Scene
from tests.unit.reconcile.executors.jobs_of import job, owned
from tests.unit.reconcile.surroundings import Object, an_entry

BASE, MERGE, SYNC, LATER = "a" * 40, "b" * 40, "c" * 40, "d" * 40
UID = "swarm-uid"
TASK: Object = {
    "metadata": {"uid": "u-1"},
    "spec": {"id": "1"},
    "status": {"attempt": 2},
}


#: What a prepare and a sync Job report.
READ: Object = {"base": BASE, "head": MERGE, "tasksFile": "t", "tasks": 1}
CAME_IN: Object = {"before": MERGE, "head": SYNC, "source": LATER, "commits": 1}


def lines(*entries: Object) -> list[Object]:
    made: list[Object] = []
    for number, entry in enumerate(entries, 1):
        previous = made[-1]["hash"] if made else chain.BEGINNING
        made.append(chain.chained(entry, number, previous))
    return made


def book(*entries: Object) -> Book:
    made = Book(UID)
    for line in lines(*entries):
        assert made.add(line) is not None
    return made


def scene(**integration: Any) -> Scene:
    """A swarm with one merged task, all that was done."""
    made = owned(integration={"push": "Always"})
    made.task("1", "Merged", mergeCommit=MERGE, mergedAt="2026-11-22T09:59:00.000000Z")
    made.swarm["status"]["integration"] = {"base": BASE, "head": MERGE, **integration}
    return made


def view(made: Scene, *entries: Object) -> View:
    found = made.view
    return View(
        *(found.swarm, found.spec, found.instances, found.tasks, found.jobs),
        *(found.pods, found.now),
        ledger=book(*entries),
    )


def where(seen: View) -> tuple[str, str]:
    train = observe(seen)
    return head_of(seen, train), pushed_of(seen, train)


MERGED = an_entry("merge", MERGE, UID, TASK)
SYNCED = an_entry("sync", SYNC, UID)


def test_the_ledger_says_where_the_branch_is_and_what_was_pushed() -> None:
    made = scene(head=LATER, pushed=LATER)
    seen = view(made, MERGED, an_entry("push", MERGE, UID), SYNCED)
    assert where(seen) == (SYNC, MERGE)
    assert has_work(seen, observe(seen))
    seen = view(made, MERGED, SYNCED, an_entry("push", SYNC, UID))
    assert where(seen) == (SYNC, SYNC)
    assert not has_work(seen, observe(seen))


def test_no_clock_decides_between_a_sync_and_a_merge() -> None:
    """Both Jobs ended in the same second; the one is told of, the other was later."""
    made = scene()
    job(made, "demo-integrate-1", True, {"head": MERGE, "pushed": MERGE})
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC, "pushed": SYNC})
    assert where(view(made, SYNCED, MERGED))[0] == MERGE
    assert where(view(made, MERGED, SYNCED))[0] == SYNC


def test_before_there_is_a_ledger_the_last_report_counts_then_the_status() -> None:
    made = scene(head=SYNC, pushed=MERGE)
    assert where(view(made)) == (SYNC, MERGE)
    job(made, "demo-integrate-1", True, {"head": LATER, "pushed": LATER})
    assert where(view(made)) == (LATER, LATER)
    assert where(view(made, MERGED)) == (MERGE, ""), "nobody else is believed now"


def test_a_sync_that_runs_pushes_for_itself() -> None:
    made = scene()
    job(made, "demo-sync-0b5e7f1a")
    seen = view(made, MERGED, SYNCED)
    assert not has_work(seen, observe(seen))
    job(made, "demo-sync-0b5e7f1a", True, {"head": SYNC})
    seen = view(made, MERGED, SYNCED)
    assert has_work(seen, observe(seen))


@pytest.mark.parametrize("push", ["Never", "OnComplete", "Always"])
def test_a_job_that_died_after_its_last_write_is_followed_by_one_that_says_so(
    push: str,
) -> None:
    made = owned(integration={"push": push})
    made.task("1", "Merged", mergeCommit=MERGE)
    job(made, "demo-integrate-1", False)
    seen = view(made, MERGED, an_entry("push", MERGE, UID))
    assert has_work(seen, observe(seen))
    job(made, "demo-integrate-1", True, {"head": MERGE, "pushed": MERGE})
    seen = view(made, MERGED, an_entry("push", MERGE, UID))
    assert not has_work(seen, observe(seen))


def test_what_is_merged_is_of_this_swarm_and_not_taken_back() -> None:
    other: Object = {**TASK, "spec": {"id": "2"}}
    ledger = book(
        MERGED,
        an_entry("merge", SYNC, "another", other),
        an_entry("merge", LATER, "", {**TASK, "spec": {"id": "3"}}),
    )
    assert ledger.merged == {"1": MergedTask(MERGE, "u-1", 2, MERGED["time"])}
    line = chain.chained(an_entry("rollback", BASE, UID, TASK), 4, ledger.hash)
    assert ledger.add(line) is not None
    assert (ledger.merged, ledger.head) == ({}, BASE)


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"unreadable": "x", "sequence": 2},
        {**lines(MERGED, SYNCED)[1], "after": LATER},
        {**lines(MERGED, SYNCED)[1], "sequence": 3},
        lines(SYNCED)[0],
        chain.chained({**SYNCED, "kind": "nonsense"}, 2, book(MERGED).hash),
        chain.chained({**SYNCED, "tasks": "none"}, 2, book(MERGED).hash),
    ],
)
def test_what_does_not_follow_is_not_believed(line: Object) -> None:
    ledger = book(MERGED)
    assert ledger.add(line) is None
    assert (ledger.lines, ledger.head) == (1, MERGE)


def config_map(
    number: int, *texts: Optional[str], owner: str = UID, name: str = "demo-ledger"
) -> Object:
    keys = range(number * 2 - 1, number * 2 - 1 + len(texts))
    data = {chain.key_of(key): text for key, text in zip(keys, texts) if text}
    labels = {
        "swarm.kiro.dev/component": "ledger",
        "swarm.kiro.dev/swarm": "demo",
        "app.kubernetes.io/managed-by": "kiro-swarm",
    }
    owners = [{"uid": owner}]
    about = {"name": f"{name}-{number}", "labels": labels, "ownerReferences": owners}
    return {"metadata": about, "data": data}


def test_the_follower_reads_what_is_chained_in_any_order_of_news() -> None:
    entries = [MERGED, SYNCED, an_entry("merge", LATER, UID, TASK)]
    one, two, three = map(chain.write, lines(*entries))
    following = LedgerFollower(UID)
    following.put(config_map(2, three))
    assert following.book.lines == 0
    following.put(config_map(1, one, owner="another"))
    following.put(config_map(1, one, name="anything"))
    following.put(config_map(1, one, name="demo-ledger-1"))
    assert following.book.lines == 0
    following.put(config_map(1, one))
    first = following.book
    following.put(config_map(1, one, two))
    assert (first.lines, first.head) == (3, LATER)
    following.put(config_map(1, one, two.replace(SYNC, BASE)))
    assert (following.book.lines, following.book.head) == (1, MERGE)
    assert first.lines == 3, "who has asked before keeps what it was told"
    following.put(config_map(1, one, two))
    following.remove(config_map(2))
    assert (following.book.lines, following.book.head) == (2, SYNC)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("demo-integrate-1", {"head": MERGE, "ledger": 1}),
        ("demo-prepare-1", {**READ, "diagnostics": [], "ledger": 1}),
        ("demo-sync-1", {**CAME_IN, "keptPlan": False, "ledger": 1}),
    ],
)
def test_the_status_anchors_the_ledger_and_does_not_follow_who_cuts_it(
    name: str, told: Object
) -> None:
    made = scene()
    prepared = Prepared(True, "Prepared", "", 1)

    def anchor(*entries: Object) -> Any:
        seen = view(made, *entries)
        return swarm_status(seen, prepared, observe(seen))["integration"].get("ledger")

    assert anchor() is None
    whole = {"entries": 2, "head": book(MERGED, SYNCED).hash}
    assert anchor(MERGED, SYNCED) == whole
    made.swarm["status"]["integration"]["ledger"] = whole
    assert anchor() == anchor(MERGED) == whole
    job(made, name, True, told)
    assert anchor(MERGED) == {"entries": 1, "head": book(MERGED).hash}
