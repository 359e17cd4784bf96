"""The report of a Job, out of whatever stands in the status of its pod."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.reconcile.snapshot.reports import Failure, report_in

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
