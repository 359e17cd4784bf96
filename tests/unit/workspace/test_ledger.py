"""A ledger compared with its branch: what stands, what is lacking, whatever happened."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.api.ledger import LedgerEntry
from kiro_swarm.workspace import ledger
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.ledger import News, news, place_of
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.push import last_push, push_integration
from kiro_swarm.workspace.sync import Source, sync
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    merged,
)

NOW = "2026-11-29T22:00:00Z"
Entries = list[LedgerEntry]


def ask(swarm: Swarm, entries: Entries, proved: int = 0) -> News:
    return news(swarm.mirror, INTEGRATION, entries, proved, MOVER, NOW)


def caught_up(swarm: Swarm, entries: Entries) -> Entries:
    """The ledger after a Job has looked."""
    told = ask(swarm, entries)
    after = [*entries[: told.kept], *told.entries]
    assert ask(swarm, after) == News(len(after), []), "there is nothing left to tell"
    return after


def push(swarm: Swarm, job: str = "demo-integrate-1") -> str:
    mover = Mover(MOVER.swarm, job)
    return push_integration(swarm.mirror, swarm.url, INTEGRATION, mover=mover)


def move_branch(swarm: Swarm, to: str) -> None:
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", to)


@pytest.fixture
def three(swarm: Swarm, told: tuple[Path, Entries]) -> Entries:
    """Three moves and a push, each noted when it was made; ``swarm`` is where they were."""
    folder, entries = told
    shutil.rmtree(swarm.top)
    shutil.copytree(folder, swarm.top)
    return copy.deepcopy(entries)


@pytest.fixture(scope="module")
def told(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Entries]:
    """The swarm of ``three``, made once: each test has a copy."""
    swarm = Swarm(shutil.copytree(prepared, tmp_path_factory.mktemp("told") / "swarm"))
    entries: Entries = []
    merged(swarm, swarm.work({"a": "1"}, 1, "1.1"))
    entries = caught_up(swarm, entries)
    commit(swarm.upstream, {"new.py": "x\n"})
    source = Source(swarm.url, "main", upstream=True)
    sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), "command", MOVER)
    entries = caught_up(swarm, entries)
    merged(swarm, swarm.work({"b": "1"}, 2, "1.2"))
    push(swarm)
    return swarm.top, caught_up(swarm, entries)


def kinds(entries: Entries) -> list[str]:
    return [entry["kind"] for entry in entries]


def test_each_move_is_told_once_and_in_order(swarm: Swarm, three: Entries) -> None:
    assert kinds(three) == ["merge", "sync", "merge", "push"]
    assert place_of(three) == swarm.head() == three[3]["after"]
    for one, next_one in zip(three, three[1:3]):
        assert next_one["before"] == one["after"]
    assert ask(swarm, three, len(three)) == News(4, [])


def test_a_ledger_that_is_lost_is_the_same_again(swarm: Swarm, three: Entries) -> None:
    assert caught_up(swarm, []) == three
    for kept in range(4):
        assert caught_up(swarm, three[:kept]) == three, kept


def test_before_the_first_move_there_is_nothing_to_tell(swarm: Swarm) -> None:
    assert ask(swarm, []) == News(0, [])


def changed(name: str, value: Any) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        return [entries[0], {**entries[1], name: value}, *entries[2:]]  # type: ignore[misc]

    return change


@pytest.mark.parametrize(
    "tamper",
    [
        changed("job", "somebody"),
        changed("after", "f" * 40),
        changed("before", "f" * 40),
        changed("command", "another"),
        changed("kind", "merge"),
        changed("time", NOW),
        lambda entries: [entries[0], *entries[2:]],
        lambda entries: [entries[1], entries[0], *entries[2:]],
    ],
)
def test_what_the_branch_contradicts_is_not_kept(
    swarm: Swarm, three: Entries, tamper: Callable[[Entries], Entries]
) -> None:
    assert caught_up(swarm, tamper(three)) == three


def test_a_branch_that_was_moved_back_is_a_rollback(
    swarm: Swarm, three: Entries
) -> None:
    move_branch(swarm, three[0]["after"])
    after = caught_up(swarm, three)
    assert after[:4] == three
    (back,) = after[4:]
    assert (back["kind"], back["time"], back["job"]) == ("rollback", NOW, MOVER.job)
    assert (back["before"], back["after"]) == (three[2]["after"], three[0]["after"])
    assert [task["id"] for task in back["tasks"]] == ["1.2"]
    merged(swarm, swarm.work({"c": "1"}, 3, "2"))
    after = caught_up(swarm, after)
    assert kinds(after)[4:] == ["rollback", "merge"]
    move_branch(swarm, three[0]["before"])
    (again,) = caught_up(swarm, after)[6:]
    assert again["after"] == three[0]["before"]
    assert [task["id"] for task in again["tasks"]] == ["1.1", "2"], "1.2 was undone"


def test_moved_back_and_on_is_both(swarm: Swarm, three: Entries) -> None:
    move_branch(swarm, three[0]["after"])
    merged(swarm, swarm.work({"c": "1"}, 3, "2"))
    after = caught_up(swarm, three)
    assert kinds(after)[4:] == ["rollback", "merge"]
    assert after[5]["before"] == after[4]["after"] == three[0]["after"]


def test_a_branch_of_another_history_is_found_and_not_explained(
    swarm: Swarm, three: Entries
) -> None:
    tree = git(swarm.mirror, "rev-parse", f"{swarm.head()}^{{tree}}")
    move_branch(swarm, git(swarm.mirror, "commit-tree", tree, "-m", "x"))
    after = caught_up(swarm, three)
    (found,) = after[4:]
    assert (found["kind"], found["after"]) == ("external", swarm.head())
    assert [task["id"] for task in found["tasks"]] == ["1.1", "1.2"], "they are gone"
    merged(swarm, swarm.work({"d": "1"}, 3, "2"))
    assert kinds(caught_up(swarm, after))[4:] == ["external", "merge"]


def made_up(kind: str, before: int, after: int, **more: Any) -> Callable[..., Entries]:
    """An entry behind three others, from and to where such entries are."""

    def make(entries: Entries) -> Entries:
        places = [entries[0]["before"], *(entry["after"] for entry in entries[:3])]
        forged = {**entries[3], "kind": kind, "time": NOW, **more}
        forged.update(before=places[before], after=places[after])
        return [*entries, forged]  # type: ignore[list-item]

    return make


def another_push(of: str) -> Callable[..., Entries]:
    """A push of a commit before the one that was noted; ``of``: which."""

    def make(entries: Entries) -> Entries:
        forged = {**entries[3], "after": of, "time": NOW}
        return [*entries[:3], forged, entries[3]]  # type: ignore[list-item]

    return make


@pytest.mark.parametrize(
    "forge",
    [
        another_push("f" * 40),
        made_up("push", 3, 3),
        made_up("push", 3, 1),
        made_up("rollback", 3, 3),
        made_up("rollback", 3, 3, tasks=[{"id": "1.1", "uid": "u", "attempt": 1}]),
        made_up("external", 3, 3),
        made_up("external", 3, 3, tasks=[{"id": "1.1", "uid": "u", "attempt": 1}]),
        lambda entries: made_up("rollback", 3, 2)(entries),
        lambda entries: made_up("external", 0, 3)(entries)[4:],
    ],
)
def test_an_entry_that_somebody_made_up_is_not_kept(
    swarm: Swarm, three: Entries, forge: Callable[[Entries], Entries]
) -> None:
    assert caught_up(swarm, forge(three)) == three


def test_a_rollback_to_where_the_branch_is_already_is_none(
    swarm: Swarm, three: Entries
) -> None:
    """What was lost is told once, also where somebody told it in other words."""
    first = three[0]
    move_branch(swarm, first["before"])
    back: Any = {"before": first["after"], "after": first["before"], "gates": []}
    lost: Any = {**first, **back, "kind": "external"}
    forged: Any = {**lost, "kind": "rollback", "before": first["before"]}
    assert ask(swarm, [first, lost]).kept == 2
    assert ask(swarm, [first, lost, forged]).kept == 2


def test_commits_of_others_hide_nothing_and_are_on_the_branch(
    swarm: Swarm, three: Entries
) -> None:
    """Somebody made up a move to another history, or lied about what was lost by one."""
    tree = git(swarm.mirror, "rev-parse", f"{swarm.head()}^{{tree}}")
    other = git(swarm.mirror, "commit-tree", tree, "-m", "x")
    lost: Any = [*three[0]["tasks"], *three[2]["tasks"]]
    left: Any = {**three[2], "kind": "external", "gates": [], "tasks": lost}
    left.update(before=swarm.head(), after=other)
    assert ask(swarm, [*three, left]).kept == 4, "the branch was never there"
    move_branch(swarm, other)
    assert ask(swarm, [*three, left]).kept == 5
    for tasks in ([], lost[:1], [*lost, *lost[:1]]):
        lied: Any = {**left, "tasks": tasks}
        assert ask(swarm, [*three, lied]).kept == 4


def test_a_push_that_nobody_noted_is_not_believed(swarm: Swarm, three: Entries) -> None:
    git(swarm.mirror, "update-ref", "-d", "refs/kiro/pushed")
    assert caught_up(swarm, three) == three[:3], "so that it is pushed again"


def test_a_rollback_of_many_tasks_is_several_entries(
    swarm: Swarm, three: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_TASKS", 1)
    move_branch(swarm, three[0]["before"])
    parts = caught_up(swarm, three)[4:]
    assert [[task["id"] for task in part["tasks"]] for part in parts] == [
        ["1.2"],
        ["1.1"],
    ]
    assert parts[-1]["after"] == swarm.head()


def test_commits_of_others_are_found_between_ours(swarm: Swarm, three: Entries) -> None:
    head = swarm.head()
    tree = git(swarm.mirror, "rev-parse", f"{head}^{{tree}}")
    made = git(swarm.mirror, "commit-tree", tree, "-p", head, "-m", "x")
    move_branch(swarm, made)
    merged(swarm, swarm.work({"c": "1"}, 3, "2"))
    assert kinds(caught_up(swarm, three)) == [*kinds(three), "external", "merge"]
    assert kinds(caught_up(swarm, [])) == [
        *kinds(three)[:3],
        "external",
        "merge",
        "push",
    ]


def test_a_push_is_noted_once_with_what_was_there_before(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}))
    first = push(swarm)
    entries = caught_up(swarm, [])
    assert push(swarm, "later") == first, "everything was there"
    assert caught_up(swarm, entries) == entries
    merged(swarm, swarm.work({"b": "1"}, 2, "1.2"))
    second = push(swarm, "later")
    noted = caught_up(swarm, entries)[-1]
    assert (noted["before"], noted["after"], noted["job"]) == (first, second, "later")
    assert swarm.fsck(swarm.mirror) == ""


def test_a_push_that_nobody_noted_is_noted_by_the_next(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}))
    push(swarm)
    git(swarm.mirror, "update-ref", "-d", "refs/kiro/pushed")  # killed before that
    assert last_push(Git(swarm.mirror)) is None
    head = push(swarm)
    noted = last_push(Git(swarm.mirror))
    assert noted is not None
    assert (noted["before"], noted["after"]) == ("", head)
