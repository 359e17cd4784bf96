"""The report of a Job, out of whatever stands in the status of its pod."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.snapshot.reports import (
    Failure,
    report_in,
    used_too_much,
)
from kiro_swarm.reconcile.swarms.integrate import next_job, observe
from tests.unit.reconcile.executors.jobs_of import job, owned
from tests.unit.reconcile.executors.jobs_of import pod as pod_of_job

SETTINGS = OperatorSettings(image="ours:1")
REPORT = {"head": "", "message": "merged 0, sent back 0"}


def pod(message: Any, code: Any = 0, name: str = "main") -> Any:
    ended = {"terminated": {"message": message, "exitCode": code, "reason": "Error"}}
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": []},
        "status": {
            "containerStatuses": [
                {"name": "gate", "state": {"running": {}}},
                {"name": name, "state": ended},
            ]
        },
    }


def test_a_report_a_failure_and_neither() -> None:
    assert report_in(pod(json.dumps(REPORT)), IntegrateReport) == REPORT
    failure = {"reason": "GateUnavailable", "message": "it does not answer"}
    found = report_in(pod(json.dumps(failure), 1), IntegrateReport)
    assert found == Failure("GateUnavailable", "it does not answer")
    assert report_in(None, IntegrateReport) is None
    assert report_in(pod("", name="other"), IntegrateReport) is None
    starting: Any = {"metadata": {"name": "p"}, "spec": {"containers": []}}
    assert report_in(starting, IntegrateReport) is None


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("Traceback\nKilled", 137, ("JobFailed", "exit status 137: Traceback\nKilled")),
        (None, 137, ("JobFailed", "exit status 137: Error")),
        ("x" * 5000, 1, ("JobFailed", "exit status 1: " + "x" * 800)),
        ("[" * 9000, 1, ("JobFailed", "exit status 1: " + "[" * 800)),
        ("{}", 0, ("ReportUnreadable", "its report is none: head: Field required")),
    ],
)
def test_a_job_that_left_no_report_has_failed(
    message: Any, code: int, said: tuple[str, str]
) -> None:
    failure = report_in(pod(message, code), IntegrateReport)
    assert failure == Failure(*said)


@given(st.text() | st.none(), st.integers())
def test_any_end_of_a_container_is_understood(message: Any, code: int) -> None:
    assert report_in(pod(message, code), IntegrateReport) is not None


EVICTIONS = [
    ('Usage of EmptyDir volume "scratch" exceeds the limit "20Gi". ', True),
    ('Container gate exceeded its local ephemeral storage limit "1Gi". ', True),
    (
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
        True,
    ),
    ("The node was low on resource: ephemeral-storage. Container gate was ...", False),
    ("The node had condition: [DiskPressure]. Usage of EmptyDir volume x", False),
    ("", False),
    (None, False),
]


@pytest.mark.parametrize(("message", "own"), EVICTIONS)
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "never began"])
def test_a_pod_that_was_evicted_says_why(message: Any, own: bool, ended: bool) -> None:
    evicted = pod("", 137)
    if not ended:
        del evicted["status"]["containerStatuses"]
    evicted["status"].update(phase="Failed", reason="Evicted", message=message)
    said = report_in(evicted, IntegrateReport)
    assert said == Failure("PodEvicted", (message or "").strip())
    assert used_too_much(evicted) == own


def test_what_a_job_said_before_it_was_evicted_is_its_answer() -> None:
    evicted = pod(json.dumps(REPORT))
    evicted["status"].update(phase="Failed", reason="Evicted", message=EVICTIONS[0][0])
    assert report_in(evicted, IntegrateReport) == REPORT


@pytest.mark.parametrize(("message", "own"), EVICTIONS)
def test_the_next_integrate_job_hears_of_it(message: Any, own: bool) -> None:
    made = owned()
    job(made, "demo-integrate-1", False)
    job(made, "demo-integrate-2", False)
    for name in ("demo-integrate-1", "demo-integrate-2"):
        pod_of_job(made, name, {"name": "main", "state": {}})
    words = {"phase": "Failed", "reason": "Evicted", "message": message}
    made.pods["demo-integrate-2"]["status"].update(words)
    train = observe(made.view)
    assert (train.reason, train.message) == ("PodEvicted", (message or "").strip())
    template = next_job(made.view, 3, SETTINGS)["spec"]["template"]
    env = template["spec"]["containers"][0]["env"]
    assert ({"name": "KIRO_EVICTED", "value": "true"} in env) == own
    # It was not the last one that was evicted.
    job(made, "demo-integrate-3", False)
    template = next_job(made.view, 4, SETTINGS)["spec"]["template"]
    assert "KIRO_EVICTED" not in str(template)


def test_who_was_not_evicted_did_not_use_too_much() -> None:
    killed = pod(EVICTIONS[0][0], 137)
    killed["status"].update(phase="Failed", message=EVICTIONS[0][0])
    assert not used_too_much(killed)
    assert not used_too_much(None)
