"""Has git prove a commit and all that it brings, and bring it into the mirror.

Role: intake.py calls ``fetch_proved`` when the size of a candidate is known to be fair.

Guarantees: git checks hashes, form and connectivity of everything that comes in. What it
complains of although the integrated branch has it is not held against the candidate: the
configuration of a submodule that the repository has always had is checked again with each
new tree, and would otherwise stop every task of the swarm.
"""

from __future__ import annotations

import re
from pathlib import Path

from kiro_swarm.workspace.disk import write_plain
from kiro_swarm.workspace.git import Git, Output

_NAMED = re.compile(r"\bobject ([0-9a-f]{40}(?:[0-9a-f]{24})?):")
#: So many kinds of complaint about old objects are looked at; git names one or some a time.
_TRIES = 5
#: Files of a repository that git looks into, wherever they are.
_CHECKED = (".gitmodules", ".gitattributes")
#: A mirror has the branch that work is integrated into, and rarely another one.
_HEADS = 5


def fetch_proved(git: Git, incoming: Path, commit: str) -> Output:
    """Fetch ``commit`` from ``incoming``; of a status that is not 0, stderr says why."""
    write_plain(incoming / "packed-refs", f"{commit} refs/heads/candidate\n")
    excused = incoming / "known-objects"
    known: set[str] = set()
    for _ in range(_TRIES):
        write_plain(excused, "".join(f"{oid}\n" for oid in sorted(known)))
        fetched = git.run(
            *("-c", "fetch.fsckObjects=true", "-c", f"fetch.fsck.skipList={excused}"),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="),
            *("--end-of-options", str(incoming), "refs/heads/candidate"),
            ok=(0, 1, 128),
        )
        news = _had_before(git, fetched.stderr) - known if fetched.status else set()
        if not news:
            break
        known |= news
    return fetched


def _had_before(git: Git, complaint: str) -> set[str]:
    """Those of the objects that git complains of that a branch of the mirror has.

    Or HEAD: a repository that borrows from the mirror has the branch there, and no refs.

    Not those that the mirror has: a fetch that fails may leave objects there. And only under
    the names that git looks into: what was never checked under another name, because nobody
    reads it there, must not come in under one of these later on.
    """
    named = set(_NAMED.findall(complaint))
    if not named:
        return set()
    heads = git.run("for-each-ref", "--format=%(objectname)", "refs/heads").text.split()
    own = git.commit_id("HEAD")
    heads = heads if own is None else [own, *heads]
    listed = [
        git.run(
            *(
                "ls-tree",
                "-r",
                "-z",
                "--full-tree",
                "--format=%(objectname) %(path)",
                head,
            )
        ).text
        for head in heads[:_HEADS]
    ]
    entries = (entry for text in listed for entry in text.split("\0") if entry)
    pairs = (entry.split(" ", 1) for entry in entries)
    return named & {oid for oid, path in pairs if path.rpartition("/")[2] in _CHECKED}
