"""Which finished task the merge train may take."""

from __future__ import annotations

import pytest

from kiro_swarm.policy.approval import asks_person, may_merge
from tests.support.shapes import Object


def task(state: str, attempt: int, approved: int = 0) -> Object:
    return {
        "spec": {"approvedAttempt": approved},
        "status": {"state": state, "attempt": attempt},
    }


@pytest.mark.parametrize(
    ("case", "item", "approval", "merge", "ask"),
    [
        ("nobody is asked", task("Done", 1), "Never", True, False),
        ("it is not approved yet", task("Done", 1), "Required", False, True),
        ("it is approved", task("Done", 2, 2), "Required", True, False),
        ("an earlier attempt was", task("Done", 2, 1), "Required", False, True),
        ("a later one is not this one", task("Done", 1, 2), "Required", False, True),
        ("approved too early", task("Running", 1, 1), "Required", False, False),
        ("merged", task("Merged", 1, 1), "Required", False, False),
        ("a status that claims no attempt", task("Done", 0), "Required", False, True),
        ("no status at all", {"spec": {}}, "Required", False, False),
        (
            "a spec of before there were approvals",
            {"spec": {}, "status": {"state": "Done", "attempt": 1}},
            "Required",
            False,
            True,
        ),
    ],
)
def test_approval_is_for_one_attempt(
    case: str, item: Object, approval: str, merge: bool, ask: bool
) -> None:
    assert may_merge(item, approval) is merge, case
    assert asks_person(item, approval) is ask, case
