"""What is merged is read once, and yet is what the branch says now, whoever moved it."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

import pytest

from kiro_swarm.workspace.merged import Found, MergedTasks
from kiro_swarm.workspace.mirror import START_REF
from kiro_swarm.workspace.outcomes import Merged
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    Gate,
    Swarm,
    git,
    merged,
    train,
)

BRANCH = f"refs/heads/{INTEGRATION}"


class Counter:
    """A git on the PATH that notes each command, and what ``git log`` answers."""

    def __init__(self, swarm: Swarm, patch: pytest.MonkeyPatch) -> None:
        self._log, self._calls = swarm.top / "logged", swarm.top / "calls"
        real, folder = shutil.which("git"), swarm.top / "bin"
        folder.mkdir()
        (folder / "git").write_text(
            f"#!/bin/sh\necho >> {self._calls}\n"
            f'case " $*" in *" --no-pager log "*) {real} "$@" | tee -a {self._log};;\n'
            f'*) exec {real} "$@";; esac\n'
        )
        (folder / "git").chmod(0o755)
        patch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    @property
    def merges_read(self) -> int:
        return self._log.read_bytes().count(b"Swarm-Task: ")

    @property
    def commands(self) -> int:
        return len(self._calls.read_bytes())


def test_a_merge_is_read_once_however_many_follow(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = [
        swarm.work({f"file{number}": "x"}, index=number, task=f"9.{number}")
        for number in range(1, 6)
    ]
    counter, one, commands = Counter(swarm, monkeypatch), train(swarm), [0]
    for candidate in work:
        assert isinstance(one.merge(candidate), Merged)
        commands.append(counter.commands)
    assert counter.merges_read == len(work) - 1, "the last one is not asked for yet"
    each = {after - before for before, after in zip(commands[1:], commands[2:])}
    assert len(each) == 1, "and the last costs as many commands as the second"
    answers = [one.merge(candidate) for candidate in work]
    assert [answer.commit for answer in answers if isinstance(answer, Merged)] == [
        *git(
            swarm.mirror, "rev-list", "--first-parent", "--reverse", INTEGRATION
        ).split()
    ][-len(work) :]
    assert counter.merges_read == len(work)


def test_what_another_train_has_merged_is_known(swarm: Swarm) -> None:
    gate = Gate()
    one = train(swarm, gate)
    first, second = swarm.work({"a": "1"}), swarm.work({"b": "1"}, 2, "1.2")
    assert isinstance(one.merge(first), Merged)
    made = merged(swarm, second)
    assert one.merge(second) == made
    assert len(gate.asked) == 1


def test_what_was_taken_back_is_merged_again(swarm: Swarm) -> None:
    start, gate = swarm.head(), Gate()
    one, candidate = train(swarm, gate), swarm.work({"a": "1"})
    first = one.merge(candidate)
    assert isinstance(first, Merged)
    git(swarm.mirror, "update-ref", BRANCH, start)
    assert isinstance(one.merge(candidate), Merged)
    assert len(gate.asked) == 2
    assert swarm.show("a") == "1"


def test_a_line_whose_last_commit_was_thrown_away_is_read_again(swarm: Swarm) -> None:
    start, known = swarm.head(), MergedTasks(swarm.mirror, INTEGRATION)
    lost = by_hand(swarm, 0, start, start)
    move(swarm, BRANCH, lost)
    assert known.trailers() == {"uid-0/1": lost}
    kept = by_hand(swarm, 2, start, start)
    move(swarm, BRANCH, kept)
    (swarm.mirror / "objects" / lost[:2] / lost[2:]).unlink()
    assert known.trailers() == {"uid-2/1": kept}


@pytest.mark.parametrize("seed", range(2))
def test_it_says_what_one_says_that_reads_all(swarm: Swarm, seed: int) -> None:
    """The branch, and where the swarm began, at any commit of ours, of others, of both."""
    chance, known = random.Random(seed), MergedTasks(swarm.mirror, INTEGRATION)
    commits = [swarm.head()]
    for _ in range(16):
        commits.append(grown(swarm, chance, commits))
        step = chance.random()
        if step < 0.6:
            move(swarm, BRANCH, commits[-1])
        elif step < 0.9:
            move(swarm, BRANCH, chance.choice(commits))
        else:
            move(swarm, START_REF, chance.choice(commits))
        fresh = MergedTasks(swarm.mirror, INTEGRATION)
        assert known.trailers() == fresh.trailers()
        uid, task_id = f"uid-{chance.randrange(5)}", str(chance.randrange(3))
        by = chance.choice([MOVER.swarm, ""])
        assert said(known.find(uid, by, task_id)) == said(fresh.find(uid, by, task_id))


def grown(swarm: Swarm, chance: random.Random, commits: list[str]) -> str:
    """A commit on the head, or on any other one; most are merges of ours."""
    on = chance.choice([swarm.head(), swarm.head(), chance.choice(commits)])
    others = [chance.choice(commits)] if chance.random() < 0.8 else []
    return by_hand(swarm, chance.randrange(4), on, *others)


def by_hand(swarm: Swarm, task: int, *parents: str) -> str:
    tree = git(swarm.mirror, "rev-parse", f"{parents[0]}^{{tree}}")
    named = [word for parent in dict.fromkeys(parents) for word in ("-p", parent)]
    if len(set(parents)) < len(parents):
        side = git(swarm.mirror, "commit-tree", tree, "-p", parents[0], "-m", "Side")
        named += ["-p", side]
    message = (
        f"Merge task {task}: By hand\n\nSwarm-Task: uid-{task}/{1 + task % 2}\n"
        f"Swarm-Task-Id: {task // 2}\nSwarm-Uid: {MOVER.swarm}"
    )
    return git(swarm.mirror, "commit-tree", tree, *named, "-m", message)


def move(swarm: Swarm, ref: str, commit: str) -> None:
    git(swarm.mirror, "update-ref", ref, commit)


def said(found: Found | None) -> list[str]:
    if found is None:
        return []
    return [found.task["uid"], found.move["before"], found.move["after"]]


def test_an_id_that_was_reused_for_other_work_is_not_merged(swarm: Swarm) -> None:
    """Task 1.1 was merged; then its title and text were changed, and it was made again."""
    first = replace(swarm.work({"a": "1"}), asked="a" * 16)
    done = merged(swarm, first)
    again = swarm.work({"b": "1"}, 2, "1.1", 1)
    same = replace(again, uid="made-again", asked="a" * 16)
    assert merged(swarm, same) == done
    other = replace(again, uid="uid-1-1", attempt=1, asked="b" * 16)
    assert merged(swarm, other) == done, "it is this very KiroTask"
    known = MergedTasks(swarm.mirror, INTEGRATION)
    assert known.find("made-again", MOVER.swarm, "1.1", "b" * 16) is None
    found = known.find("made-again", MOVER.swarm, "1.1", "a" * 16)
    assert found is not None
    assert found.task["asked"] == "a" * 16


def test_what_an_earlier_release_merged_is_known_by_its_id(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}))
    known = MergedTasks(swarm.mirror, INTEGRATION)
    found = known.find("made-again", MOVER.swarm, "1.1", "b" * 16)
    assert found is not None
    assert "asked" not in found.task
