"""What one Job leaves to the next about the candidate that it was at."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.doubts import GATED, HINDERED, KILLED, NAME, Doubts

ONE, OTHER = "uid-1/1", "uid-2/1"


def test_who_was_never_tried_is_in_no_doubt(tmp_path: Path) -> None:
    doubts = Doubts(tmp_path)
    assert not doubts.later(ONE)
    assert doubts.verdict(ONE) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_dies_at_it_tries_it_later_and_at_last_blames_it(
    tmp_path: Path,
) -> None:
    for count in range(1, KILLED + 1):
        Doubts(tmp_path).begins(ONE)
        found = Doubts(tmp_path)
        assert found.later(ONE)
        assert not found.later(OTHER)
        assert bool(found.verdict(ONE)) == (count == KILLED)
    assert "killed" in Doubts(tmp_path).verdict(ONE)


def test_gates_under_which_jobs_die_are_to_blame_later(tmp_path: Path) -> None:
    for count in range(1, GATED + 1):
        doubts = Doubts(tmp_path)
        doubts.begins(ONE)
        doubts.at_the_gates()
        found = Doubts(tmp_path)
        assert found.later(ONE)
        assert bool(found.verdict(ONE)) == (count == GATED)
    assert GATED > KILLED
    assert "gates" in Doubts(tmp_path).verdict(ONE)


@pytest.mark.parametrize("gates", [True, False])
def test_a_job_that_was_evicted_for_its_own_use_is_no_accident(
    tmp_path: Path, gates: bool
) -> None:
    for count in range(1, HINDERED + 1):
        doubts = Doubts(tmp_path)
        doubts.begins(ONE)
        if gates:
            doubts.at_the_gates()
        found = Doubts(tmp_path, evicted=True)
        assert bool(found.verdict(ONE)) == (count == HINDERED)
    assert Doubts(tmp_path, evicted=True).verdict(OTHER) == ""


def test_a_job_that_dies_of_the_branch_alone_counts_for_that(tmp_path: Path) -> None:
    for count in range(5):
        doubts = Doubts(tmp_path, evicted=True)
        assert doubts.ended("a") == (count > 0)
        doubts.begins(ONE)
        doubts.at_the_gates()
        doubts.alone("a")
    doubts = Doubts(tmp_path)
    assert doubts.ended("a")
    assert not doubts.ended("b")
    assert doubts.verdict(ONE) == ""
    doubts.nobody(ONE)
    assert not Doubts(tmp_path).ended("a"), "it is tried again"
    assert Doubts(tmp_path).later(ONE)


def test_what_the_branch_was_asked_for_goes_on(tmp_path: Path) -> None:
    doubts = Doubts(tmp_path)
    doubts.begins(ONE)
    doubts.alone("a")
    doubts.not_alone()
    found = Doubts(tmp_path)
    assert not found.ended("a")
    assert found.later(ONE), "what it was at is not forgotten"


def test_few_commits_are_known_to_end_jobs(tmp_path: Path) -> None:
    for number in range(20):
        Doubts(tmp_path).alone(f"{number}")
    found = Doubts(tmp_path)
    assert found.ended("19")
    assert not found.ended("1")


def test_who_was_hindered_in_two_jobs_is_to_blame(tmp_path: Path) -> None:
    for count in range(1, HINDERED + 1):
        doubts = Doubts(tmp_path)
        doubts.begins(ONE)
        doubts.hindered(ONE)
        assert bool(doubts.verdict(ONE)) == (count == HINDERED)


def test_what_hinders_the_branch_too_is_the_machine(tmp_path: Path) -> None:
    for _ in range(5):
        doubts = Doubts(tmp_path)
        doubts.hindered(ONE)
        doubts.hindered(OTHER)
        doubts.nobody()
    doubts = Doubts(tmp_path)
    assert doubts.verdict(ONE) == doubts.verdict(OTHER) == ""
    assert doubts.later(ONE)
    assert doubts.later(OTHER)


def test_an_outage_blames_nobody(tmp_path: Path) -> None:
    for _ in range(20):
        doubts = Doubts(tmp_path)
        doubts.begins(ONE)
        doubts.stopped(ONE)
    assert Doubts(tmp_path).verdict(ONE) == ""
    assert Doubts(tmp_path).later(ONE)


def test_a_verdict_ends_it(tmp_path: Path) -> None:
    doubts = Doubts(tmp_path)
    doubts.hindered(ONE)
    doubts.begins(ONE)
    doubts.over(ONE)
    assert not Doubts(tmp_path).later(ONE)


def test_the_file_has_a_bound(tmp_path: Path) -> None:
    doubts = Doubts(tmp_path)
    for number in range(600):
        doubts.stopped(f"uid-{number}/1")
    assert (tmp_path / NAME).stat().st_size < 64 * 1024
    assert Doubts(tmp_path).later("uid-599/1")
    assert not Doubts(tmp_path).later("uid-0/1")


@pytest.mark.parametrize(
    "content",
    [
        *("", "rubbish", "[" * 100_000, "9" * 9000, "null", "[]", '{"trying": 3}'),
        *('{"entries": []}', '{"entries": {"uid-1/1": 7}}', '{"trying": null}'),
        '{"entries": {"uid-2/1": {"hindered": -1, "killed": "x"}}, "gates": 1}',
        *('{"alone": 3, "ended": "y"}', '{"ended": [1, null], "entries": {"a": null}}'),
    ],
    ids=lambda text: text[:24],
)
def test_whatever_is_in_the_file_it_is_read(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    doubts = Doubts(tmp_path)
    assert doubts.verdict(ONE) == doubts.verdict(OTHER) == ""
    assert not doubts.ended("a")
    doubts.begins(ONE)
    doubts.over(ONE)
    assert not Doubts(tmp_path).later(ONE)
