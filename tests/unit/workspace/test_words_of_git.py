"""No name, ref or content of a repository passes for a machine in trouble."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kiro_swarm.workspace import errors
from kiro_swarm.workspace.blame import may_be_the_machine
from kiro_swarm.workspace.errors import GitHindered, GitSaysHindered
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.git import says_hindered
from kiro_swarm.workspace.outcomes import Unproven
from kiro_swarm.workspace.probe import place_trouble
from tests.unit.workspace.hostile import put
from tests.unit.workspace.repositories import INTEGRATION, Swarm, train

#: What git says when the machine is in its way, or a part of it.
WORDS = (
    *("Out of memory", "fatal: Out of memory, malloc failed", "died of signal 9"),
    *("Cannot allocate memory", "No space left on device", "x: Too many open files"),
    *("Disk quota exceeded", "Read-only file system", "Input/output error"),
    *(
        "Stale file handle",
        "Resource temporarily unavailable",
        "inflate: out of memory",
    ),
    "error: pack-objects died of signal 9",
    "fatal: write error: No space left on device",
)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "line",
    [
        f"error: object {'a' * 40}: gitmodulesUrl: disallowed submodule url: {{}}",
        f"error: object {'a' * 64}: badTree: {{}}",
        "error: unable to create file {}: File name too long",
        "error: invalid path '{}'",
        "error: pathspec '{}' did not match any file(s) known to git",
        "fatal: bad object {}/x",
        "warning: {}",
        "remote: {}",
        "CONFLICT (content): Merge conflict in {}",
        "{} is what it is called",
        "fatal: ambiguous argument '{}': unknown revision",
    ],
)
def test_words_of_a_repository_are_a_failure_and_no_more(line: str, words: str) -> None:
    said = f"Auto-merging x\n{line.format(words)}\nfatal: it did not work\n"
    assert not says_hindered(said)


def test_a_repository_of_such_words_is_charged_to_the_candidate(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    module = "".join(
        f'[submodule "{words}"]\n\tpath = -{words}\n\turl = -{words}\n'
        for words in WORDS
    )
    blob = bytes.fromhex(put(done, "blob", module.encode()))
    names = sorted([".gitmodules", *(words.replace("/", "") for words in WORDS)])
    tree = put(
        done,
        "tree",
        b"".join(b"100644 " + name.encode() + b"\0" + blob for name in names),
    )
    text = f"tree {tree}\nparent {done.base}\nauthor {WORDS[0]} <a@b> 0 +0000\n"
    text += f"committer {WORDS[1]} <a@b> 0 +0000\n\n{WORDS[2]}\n\n"
    text += f"Swarm-Task: {done.trailer}\n"
    bad = replace(done, commit=put(done, "commit", text.encode()))
    work = (bad.uid, bad.attempt, bad.instance_dir, swarm.mirror, INTEGRATION)
    with pytest.raises(errors.ObjectsRefused):
        keep(swarm.shelf(), *work, bad.commit, bad.base)
    outcome = train(swarm).merge(bad)
    assert isinstance(outcome, Unproven), outcome
    assert outcome.reason == "BadObjects"


def test_words_are_no_evidence_where_all_is_well(tmp_path: Path) -> None:
    none = tmp_path / "memory.events"

    def asked(error: Exception) -> bool:
        return may_be_the_machine(error, lambda: place_trouble(tmp_path, none))

    said = GitSaysHindered("git fetch: fatal: write error: No space left on device")
    assert not asked(said)
    assert asked(GitHindered("git fetch was ended by signal 9"))
    assert asked(OSError(28, "No space left on device"))
    full = place_trouble(tmp_path, none, room=2**62)
    assert full is not None
    assert may_be_the_machine(said, lambda: full)


@pytest.mark.parametrize(
    ("events", "machine"),
    [
        ("low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n", False),
        ("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n", False),
        ("low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\noom_group_kill 0\n", True),
        ("rubbish", False),
        ("oom_kill x\n", False),
    ],
)
def test_a_node_without_memory_is_told_from_a_limit_of_our_own(
    tmp_path: Path, events: str, machine: bool
) -> None:
    (tmp_path / "memory.events").write_text(events)
    trouble = place_trouble(tmp_path, tmp_path / "memory.events")
    assert (trouble is not None) == machine
