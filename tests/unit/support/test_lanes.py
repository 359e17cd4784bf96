"""Who of the workers takes what: each its own part first, the longest of it at once."""

from __future__ import annotations

from typing import Dict, List

import pytest

from tests.support import lanes

WAITING = [
    "tests/unit/test_a.py",
    "tests/unit/test_b.py",
    "tests/cluster/test_c.py",
    "tests/e2e/test_d.py::test_one",
    "tests/e2e/test_d.py::test_two",
]
KNOWN: Dict[str, float] = {
    "tests/unit/test_a.py": 1.0,
    "tests/unit/test_b.py": 5.0,
    "tests/cluster/test_c.py": 9.0,
    "tests/e2e/test_d.py": 60.0,
}


@pytest.mark.parametrize(
    ("worker", "first", "last"),
    [
        (0, "tests/e2e/test_d.py::test_one", "tests/unit/test_a.py"),
        (1, "tests/cluster/test_c.py", "tests/unit/test_a.py"),
        (2, "tests/unit/test_b.py", "tests/e2e/test_d.py::test_two"),
        (3, "tests/e2e/test_d.py::test_one", "tests/unit/test_a.py"),
    ],
)
def test_a_worker_takes_its_part_first_and_all_in_the_end(
    worker: int, first: str, last: str
) -> None:
    waiting, taken = list(WAITING), []
    while waiting:
        taken.append(lanes.choose(waiting, worker, KNOWN))
        waiting.remove(taken[-1])
    assert sorted(taken) == sorted(WAITING)
    assert (taken[0], taken[-1]) == (first, last)


def test_what_nobody_knows_yet_is_begun_first() -> None:
    new = "tests/unit/test_new.py"
    assert lanes.choose([*WAITING, new], 2, KNOWN) == new


@pytest.mark.parametrize(
    ("nodeids", "together"),
    [
        (["tests/unit/test_a.py::test_1[a::b]", "tests/unit/test_a.py::test_2"], True),
        (
            [
                "tests/e2e/test_forty_tasks.py::test_1",
                "tests/e2e/test_forty_tasks.py::test_2",
            ],
            True,
        ),
        (
            ["tests/e2e/test_faults.py::test_1", "tests/e2e/test_faults.py::test_2"],
            False,
        ),
        (
            [
                "tests/e2e/test_faults.py::test_1[a]",
                "tests/e2e/test_faults.py::test_1[b]",
            ],
            True,
        ),
    ],
)
def test_tests_that_share_what_a_file_starts_stay_together(
    nodeids: List[str], together: bool
) -> None:
    assert (len({lanes.scope_of(nodeid) for nodeid in nodeids}) == 1) is together
