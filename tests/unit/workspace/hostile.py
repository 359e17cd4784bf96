"""Candidates that no well-behaved agent leaves, each with the reason of its verdict."""

from __future__ import annotations

import dataclasses
import os
from typing import Callable

from kiro_swarm.workspace.outcomes import Candidate
from tests.support import plain_git
from tests.unit.workspace.repositories import Swarm, git

Hostile = Callable[[Swarm], tuple[Candidate, str]]


def put(candidate: Candidate, kind: str, content: bytes) -> str:
    """An object of any content in the instance's repository; its id."""
    done = plain_git.start(
        candidate.instance_dir / "repo.git",
        *("hash-object", "-t", kind, "--literally", "-w", "--stdin"),
        env={"PATH": os.environ["PATH"], "HOME": "/dev/null"},
        said=content,
    )
    done.check_returncode()
    return done.stdout.decode().strip()


def with_commit(candidate: Candidate, tree: str) -> Candidate:
    """The candidate with a commit of this tree on its base."""
    text = f"tree {tree}\nparent {candidate.base}\nauthor a <a@b> 1 +0000\n"
    text += f"committer a <a@b> 1 +0000\n\nx\n\nSwarm-Task: {candidate.trailer}\n"
    commit = put(candidate, "commit", text.encode())
    return dataclasses.replace(candidate, commit=commit)


def _with_entry(swarm: Swarm, mode: bytes, name: bytes, oid: str = "") -> Candidate:
    candidate = swarm.work({"a": "1"})
    oid = oid or put(candidate, "blob", b"x")
    entry = mode + b" " + name + b"\0" + bytes.fromhex(oid)
    return with_commit(candidate, put(candidate, "tree", entry))


def a_folder_named_like_an_object(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    (candidate.instance_dir / "repo.git/objects/ab" / ("0" * 38)).mkdir(parents=True)
    return candidate, "ForeignFiles"


def a_tag_for_a_commit(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    text = f"object {candidate.commit}\ntype commit\ntag t\ntagger a <a@b> 0 +0000\n\n"
    forged = put(candidate, "tag", f"{text}x ,{candidate.trailer},\n".encode())
    return dataclasses.replace(candidate, commit=forged), "CommitMissing"


def a_tree_for_a_commit(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    tree = git(candidate.instance_dir / "repo.git", "rev-parse", f"{candidate.commit}:")
    return dataclasses.replace(candidate, commit=tree), "CommitMissing"


def a_name_of_301_bytes(swarm: Swarm) -> tuple[Candidate, str]:
    return _with_entry(swarm, b"100644", b"z" * 301), "UnusablePath"


def a_path_of_5000_bytes(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    made = b"100644 x\0" + bytes.fromhex(put(candidate, "blob", b"x"))
    for _ in range(25):
        tree = put(candidate, "tree", made)
        made = b"40000 " + b"d" * 200 + b"\0" + bytes.fromhex(tree)
    return with_commit(candidate, put(candidate, "tree", made)), "UnusablePath"


def a_submodule_of_nothing(swarm: Swarm) -> tuple[Candidate, str]:
    return _with_entry(swarm, b"160000", b"zz", "0" * 40), "BadObjects"


def a_folder_that_is_git_s(swarm: Swarm) -> tuple[Candidate, str]:
    return _with_entry(swarm, b"100644", b".git"), "BadObjects"


def a_name_with_a_slash(swarm: Swarm) -> tuple[Candidate, str]:
    return _with_entry(swarm, b"100644", b"../../x"), "BadObjects"


def an_unknown_mode(swarm: Swarm) -> tuple[Candidate, str]:
    return _with_entry(swarm, b"000000", b"x"), "BadObjects"


def a_link_with_a_long_target(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    target = put(candidate, "blob", b"x" * 5000)
    entry = b"120000 link\0" + bytes.fromhex(target)
    return with_commit(candidate, put(candidate, "tree", entry)), "UnusablePath"


def a_damaged_object(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    repository = candidate.instance_dir / "repo.git"
    blob = git(repository, "rev-parse", f"{candidate.commit}:a")
    path = repository / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"garbage")
    return candidate, "BadObjects"


def a_commit_without_an_author(swarm: Swarm) -> tuple[Candidate, str]:
    candidate = swarm.work({"a": "1"})
    tree = git(candidate.instance_dir / "repo.git", "rev-parse", f"{candidate.commit}:")
    text = f"tree {tree}\nparent {candidate.base}\n\nSwarm-Task: {candidate.trailer}\n"
    commit = put(candidate, "commit", text.encode())
    return dataclasses.replace(candidate, commit=commit), "BadObjects"


#: All of them.
HOSTILE: list[Hostile] = [
    a_folder_named_like_an_object,
    a_tag_for_a_commit,
    a_tree_for_a_commit,
    a_name_of_301_bytes,
    a_path_of_5000_bytes,
    a_submodule_of_nothing,
    a_folder_that_is_git_s,
    a_name_with_a_slash,
    an_unknown_mode,
    a_link_with_a_long_target,
    a_damaged_object,
    a_commit_without_an_author,
]
