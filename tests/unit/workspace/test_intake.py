"""What a hostile instance offers to the mirror, and what of it gets in."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.outcomes import (
    Conflict,
    Merged,
)
from tests.unit.workspace.poison import Canary, poison
from tests.unit.workspace.repositories import (
    Swarm,
    git,
    merged,
    train,
    unproven,
    write,
)


def test_fetching_and_merging_from_a_poisoned_repository_runs_nothing(
    swarm: Swarm, canary: Canary
) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"app.py": "one\npoison\nthree\n"})
    write(Path(made.tree), {".gitattributes": "* filter=evil merge=evil diff=evil\n"})
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    poison(swarm.instance(), canary)
    other = swarm.work({"app.py": "one\ntwo\nother\n"}, index=2, task="1.2")
    assert isinstance(train(swarm).merge(other), Merged)
    outcome = train(swarm).merge(candidate)
    assert isinstance(outcome, (Merged, Conflict))
    checkout_tree(swarm.mirror, swarm.head(), swarm.top / "gate")
    swarm.cut(index=3)
    assert canary.sung() == []
    assert "evil" not in (swarm.mirror / "config").read_text()


def test_the_canary_would_sing(swarm: Swarm, canary: Canary) -> None:
    """The poison works on plain git; otherwise the tests above would prove nothing."""
    swarm.cut()
    poison(swarm.instance(), canary)
    git(swarm.instance().tree, "status", check=False)
    git(swarm.instance().tree, "add", "--all", check=False)
    git(swarm.instance().tree, "commit", "-m", "x", check=False)
    assert len(canary.sung()) >= 2


@pytest.mark.parametrize(
    "part", ["repo.git", "repo.git/objects", "repo.git/objects/ab"]
)
def test_a_folder_that_is_a_link_is_not_followed(swarm: Swarm, part: str) -> None:
    candidate = swarm.work({"a": "1"})
    target = candidate.instance_dir / part
    if target.exists():
        shutil.rmtree(target)
    target.symlink_to(swarm.mirror)
    assert "ForeignFiles" in unproven(swarm, candidate)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_an_object_that_is_no_plain_file_is_refused(swarm: Swarm, kind: str) -> None:
    candidate = swarm.work({"a": "1"})
    place = candidate.instance_dir / "repo.git/objects/ff" / ("0" * 38)
    place.parent.mkdir(exist_ok=True)
    os.symlink("/etc/passwd", place) if kind == "link" else os.mkfifo(place)
    assert "ForeignFiles" in unproven(swarm, candidate)


def test_objects_of_another_instance_cannot_be_borrowed(swarm: Swarm) -> None:
    secret = swarm.work({"secret": "x"}, index=1, task="1.1")
    thief = swarm.work({"a": "1"}, index=2, task="1.2")
    alternates = thief.instance_dir / "repo.git/objects/info/alternates"
    with open(alternates, "a") as target:
        target.write(f"{secret.instance_dir}/repo.git/objects\n")
    tree = swarm.instance(2).tree
    stolen = git(tree, "rev-parse", f"{secret.commit}^{{tree}}")
    message = "Steal\n\nSwarm-Task: uid-1-2/1"
    forged = git(tree, "commit-tree", stolen, "-p", thief.base, "-m", message)
    candidate = dataclasses.replace(thief, commit=forged)
    assert "BadObjects" in unproven(swarm, candidate)


def test_a_tampered_object_is_refused(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"a": "the right text\n"})
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    objects = candidate.instance_dir / "repo.git/objects"
    right = git(Path(made.tree), "rev-parse", "HEAD:a")
    write(Path(made.tree), {"b": "another text\n"})
    wrong = git(Path(made.tree), "hash-object", "-w", "b")
    target = objects / right[:2] / right[2:]
    target.chmod(0o644)
    shutil.copy(objects / wrong[:2] / wrong[2:], target)
    assert "BadObjects" in unproven(swarm, candidate)


def test_a_path_into_git_itself_is_refused(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"config": "[core]\n\tfsmonitor = id\n"})
    blob = git(tree, "hash-object", "-w", "config")
    (tree / "config").unlink()
    raw = swarm.top / "raw"
    raw.write_bytes(b"100644 config\x00" + bytes.fromhex(blob))
    inner = git(tree, "hash-object", "-w", "-t", "tree", "--literally", str(raw))
    raw.write_bytes(b"40000 .git\x00" + bytes.fromhex(inner))
    outer = git(tree, "hash-object", "-w", "-t", "tree", "--literally", str(raw))
    message = "Evil\n\nSwarm-Task: uid-1-1/1"
    forged = git(tree, "commit-tree", outer, "-p", made.base, "-m", message)
    reason = unproven(swarm, swarm.candidate(made, forged))
    assert "BadObjects" in reason
    assert ".git" in reason


@pytest.mark.parametrize(
    "limits",
    [Limits(stored_bytes=1000), Limits(unpacked_bytes=50_000), Limits(objects=2)],
)
def test_more_than_the_limits_is_refused(swarm: Swarm, limits: Limits) -> None:
    candidate = swarm.work({"bomb": "\0" * 1_000_000})
    assert "TooLarge" in unproven(swarm, candidate, limits=limits)
    assert git(swarm.mirror, "cat-file", "-t", candidate.commit, check=False) == ""


def test_a_packed_instance_repository_is_taken_as_well(swarm: Swarm) -> None:
    candidate = swarm.work({"a": "1"})
    git(candidate.instance_dir / "repo.git", "repack", "-q", "-a", "-d", "-l")
    merged(swarm, candidate)
