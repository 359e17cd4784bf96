"""The judge of test reports: a run that skipped something is no success."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from hack.lib.results import main, problems

PASSED = '<testcase classname="tests.unit.api.test_meta" name="test_a"/>'
CLUSTER = '<testcase classname="tests.cluster.test_apply" name="test_b"/>'
SKIPPED = (
    '<testcase classname="tests.cluster.test_apply" name="test_b">'
    '<skipped message="no cluster"/></testcase>'
)
FAILED = (
    '<testcase classname="tests.unit.api.test_meta" name="test_c"><failure/></testcase>'
)


def report(folder: Path, *cases: str) -> Path:
    path = folder / "report.xml"
    body = "".join(cases)
    path.write_text(f"<testsuites><testsuite>{body}</testsuite></testsuites>")
    return path


def test_a_run_of_all_parts_is_fine(tmp_path: Path) -> None:
    path = report(tmp_path, PASSED, CLUSTER)
    assert main([str(path), "--parts", "unit", "cluster"]) == 0


@pytest.mark.parametrize(
    ("cases", "complaint"),
    [
        ([PASSED], "no test of tests/cluster ran"),
        ([], "no test of tests/unit ran"),
        ([PASSED, CLUSTER, SKIPPED], "was skipped: no cluster"),
        ([PASSED, CLUSTER, FAILED], "test_c failed"),
    ],
    ids=["a part is missing", "nothing ran", "skipped", "failed"],
)
def test_what_did_not_run_is_a_complaint(
    tmp_path: Path, cases: List[str], complaint: str
) -> None:
    found = list(problems([report(tmp_path, *cases)], ["unit", "cluster"]))
    assert any(complaint in problem for problem in found)


def test_a_report_that_was_never_written_is_a_failure(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.xml")]) == 1
