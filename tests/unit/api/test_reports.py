"""What a Job says at its end: any text is a report of the asked kind, or a ReportError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.reports import (
    MOST_CHARACTERS,
    InspectReport,
    IntegrateReport,
    JobFailure,
    PrepareReport,
    ReportError,
    SyncReport,
    read_failure,
    read_report,
)
from tests.support.shapes import valid

KINDS: list[Any] = [PrepareReport, IntegrateReport, SyncReport, InspectReport]
SHA = "a" * 40
#: As release 6cb2b6b wrote them.
WRITTEN: dict[Any, dict[str, Any]] = {
    PrepareReport: {
        "base": SHA,
        "head": SHA,
        "tasksFile": ".kiro/specs/demo/tasks.md",
        "tasks": 3,
        "diagnostics": ["line 1: too long"],
    },
    IntegrateReport: {"head": SHA, "message": "merged 1, sent back 0", "pushed": SHA},
    SyncReport: {
        "before": SHA,
        "head": SHA,
        "source": SHA,
        "commits": 2,
        "keptPlan": False,
    },
    InspectReport: {
        "base": SHA,
        "commit": SHA,
        "commits": 1,
        "files": 1,
        "insertions": 5,
        "deletions": 0,
        "attempt": 1,
        "dataRef": {
            "configMap": "word-result",
            "key": "diff.patch",
            "sizeBytes": 9,
            "truncated": False,
        },
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_read_as_it_was_written(kind: Any) -> None:
    assert read_report(json.dumps(WRITTEN[kind]), kind) == WRITTEN[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_newer_release_says_beyond_is_left_out(kind: Any) -> None:
    text = json.dumps({**WRITTEN[kind], "gates": [{"name": "unit"}]})
    assert read_report(text, kind) == WRITTEN[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_was_always_there_must_be(kind: Any) -> None:
    for name in kind.__required_keys__:
        less = {key: value for key, value in WRITTEN[kind].items() if key != name}
        with pytest.raises(ReportError, match=f"{name}: Field required"):
            read_report(json.dumps(less), kind)


def test_an_inspection_that_found_nothing_to_show() -> None:
    text = json.dumps({**WRITTEN[InspectReport], "dataRef": {}})
    assert read_report(text, InspectReport).get("dataRef") is None


def test_why_a_job_failed() -> None:
    said = {"reason": "PushRejected", "message": "no", "diagnostics": []}
    assert read_failure(json.dumps(said)) == said
    with pytest.raises(ReportError, match="reason: Field required"):
        read_failure(json.dumps(WRITTEN[PrepareReport]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Invalid JSON"),
        ("[" * 16_000, "recursion limit"),
        ('{"a":' * 3_000, "recursion limit"),
        (" " * (MOST_CHARACTERS + 1), "longer than 16384"),
        ('{"head": "\\ud800"}', "Invalid JSON"),
        ("\ud800", "unicode"),
        ('{"head": 1e999, "message": ""}', "head: Input should be a valid string"),
        ('{"head": "; rm -rf /", "message": ""}', "head: String should match"),
        ("null", "Input should be"),
    ],
)
def test_what_is_no_report_is_told_by_an_error_of_its_own(text: str, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        read_report(text, IntegrateReport)


@given(st.text() | JSON.map(json.dumps), st.sampled_from([*KINDS, JobFailure]))
def test_any_text_is_a_report_or_a_report_error(text: str, kind: Any) -> None:
    read = read_failure if kind is JobFailure else lambda t: read_report(t, kind)
    try:
        found = read(text)
    except ReportError:
        return
    assert valid(kind, found) == found
