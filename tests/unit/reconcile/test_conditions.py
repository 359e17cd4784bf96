"""No condition contradicts itself or another one, whatever a swarm has come through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_swarm.api.condition_reasons import REASONS, fits, said_by_job
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.delivery import expires_at
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import swarm_status
from tests.unit.reconcile.surroundings import START, an_entry
from tests.unit.reconcile.test_head import LATER, MERGE, MERGED, UID, book
from tests.unit.reconcile.views import DONE, Object, instance, task, view

_OWN = sorted(
    w for t in REASONS["KiroSwarm"].values() for s in t.values() for w in s.words
)
#: What a Job may have reported: its own words, ours (of another release, or forged), others'.
_REPORTED = st.sampled_from(
    [*_OWN, "PushRejected", "RemoteUnavailable", "LedgerFull", "VolumeFull", "X1"]
)
_STATES = (
    "Blocked",
    "Ready",
    "Bound",
    "Running",
    "Done",
    "Merged",
    "Failed",
    "Skipped",
)
_PUSHED = an_entry("push", MERGE, UID)
_BOOKS = ((), (MERGED,), (MERGED, _PUSHED), (MERGED, an_entry("push", LATER, UID)))


@st.composite
def moments(draw: Any) -> tuple[View, Prepared, Train]:
    """One moment of a swarm, with its preparation and its train."""
    tasks: list[Object] = []
    for number in range(draw(st.integers(0, 4))):
        made = task(number, draw(st.sampled_from(_STATES)), attempt=1)
        made["spec"]["paused"] = draw(st.booleans())
        made["spec"]["approvedAttempt"] = draw(st.integers(0, 1))
        made["spec"]["assignedTo"] = draw(st.sampled_from(["", "", "demo-1", "demo-9"]))
        made["spec"]["dependencies"] = draw(st.sampled_from([[], [], ["0"], ["77"]]))
        made["status"]["finishedAt"] = "2026-11-22T09:00:00Z"
        tasks.append(made)
    spec: Object = {
        "instances": draw(st.integers(0, 3)),
        "suspend": draw(st.booleans()),
        "ttlSecondsAfterFinished": 0,
        "integration": {
            "push": draw(st.sampled_from(["Never", "OnComplete", "Always"])),
            "approval": draw(st.sampled_from(["Never", "Required"])),
        },
    }
    seen = view(tasks=tasks, deleting=draw(st.booleans()), **spec)
    instances = []
    for index in range(1, 1 + draw(st.integers(0, 3))):
        one = instance(
            index, draw(st.sampled_from(["Ready", "Busy", "Pending", "Paused"]))
        )
        one["spec"]["desired"] = draw(st.sampled_from(["Running", "Paused", "Stopped"]))
        instances.append(one)
    prepared = draw(
        st.one_of(
            *(st.just(DONE), st.just(Prepared(None, "Preparing", "reading", 1))),
            st.builds(lambda why: Prepared(False, why, "no", 1, START), why=_REPORTED),
        )
    )
    ok = draw(st.booleans())
    why = "" if ok else draw(_REPORTED)
    train = Train(2, draw(st.booleans()), ok, "" if ok else "refused", why)
    seen = replace(
        seen, instances=instances, ledger=book(*draw(st.sampled_from(_BOOKS)))
    )
    return seen, prepared, train


@settings(max_examples=400, deadline=None)
@given(st.lists(moments(), min_size=1, max_size=3))
def test_in_any_history_no_condition_contradicts_its_reason_or_another(
    history: list[tuple[View, Prepared, Train]],
) -> None:
    before: Object = {}
    for seen, prepared, train in history:
        swarm: Object = {**seen.swarm, "status": before}
        seen = replace(seen, swarm=swarm)
        status = swarm_status(seen, prepared, train)
        before = status
        found = {item["type"]: item for item in status["conditions"]}
        for kind, item in found.items():
            assert fits("KiroSwarm", kind, item["status"], item["reason"]), item
        true = {kind for kind, item in found.items() if item["status"] == "True"}
        assert not {"Reconciling", "Stalled"} <= true, "kstatus knows one at a time"
        delivered = seen.ledger.head == seen.ledger.pushed and not train.running
        if seen.spec.integration.push != "Never" and seen.ledger.head:
            assert delivered or "Complete" not in true
            assert delivered or status["phase"] != "Succeeded"
            assert delivered or not (seen.finished and "Integrated" in true)
            assert delivered or not status.get("finishedAt")
            assert delivered or expires_at(seen, train, status) is None
        if prepared.done is True:
            assert not {"Complete", "Stalled"} <= true
        if status["phase"] == "Succeeded":
            assert "Complete" in true
            assert "Stalled" not in true
        if "Integrated" in true:
            assert "Done" not in seen.states.values()
        if "Ready" in true and not seen.complete:
            assert status["readiness"] != "0/0", "nobody is there to work"


@settings(max_examples=200, deadline=None)
@given(moments(), _REPORTED)
def test_a_refused_push_says_the_same_while_it_is_tried_again(
    moment: tuple[View, Prepared, Train], why: str
) -> None:
    seen, _, train = moment
    if not seen.finished:
        return
    told = []
    for running in (False, True):
        refused = replace(train, running=running, ok=False, reason=why, message="no")
        status = swarm_status(seen, DONE, refused)
        told.append((status["phase"], status.get("finishedAt"), status["conditions"]))
    assert told[0] == told[1]


def test_a_word_of_ours_is_none_that_a_job_may_give() -> None:
    assert said_by_job("Integrated", "IntegrateFailed") == "IntegrateFailed"
    assert said_by_job("PushRejected", "IntegrateFailed") == "PushRejected"
    assert not fits("KiroSwarm", "Integrated", "False", "Integrated")
    assert not fits("KiroSwarm", "Stalled", "True", "Progressing")
    assert not fits("KiroSwarm", "Invented", "True", "PushRejected")
