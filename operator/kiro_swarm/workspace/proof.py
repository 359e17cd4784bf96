"""What makes the work of an attempt fit to be merged: one function for all who ask.

Role: the runner asks before it calls an attempt Done (finished.py), the merge train again
before it merges. Both call ``prove``, so what is Done is not refused afterwards, unless it
changed.

Guarantees: the objects are proved by git in a repository of ours (intake.py). Every commit
and path that the work brings can be merged, written into an index and checked out. What does
not hold is told with the reason, the name of what is in the way, and what to do about it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.collisions import collision, words
from kiro_swarm.workspace.encrypted import READ, readable
from kiro_swarm.workspace.errors import GitFailed, GitHindered, ObjectsRefused
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import take_in
from kiro_swarm.workspace.largest import refuse_large_files
from kiro_swarm.workspace.limits import Limits, in_units
from kiro_swarm.workspace.messages import carries
from kiro_swarm.workspace.objects import sizes_of
from kiro_swarm.workspace.outcomes import Unproven
from kiro_swarm.workspace.patterns import (
    entry,
    files_of,
    is_pattern_file,
    objection,
)
from kiro_swarm.workspace.tree_names import too_many

#: What Linux takes; less for a path, which begins with the folder that it is checked out in.
_LONGEST_NAME = 255
_LONGEST_PATH = 3500
_LONGEST_LINK = 4000
_LINK, _NOTHING = b"120000", b"000000"
_SHOWN = 120


@dataclass(frozen=True)
class Claim:
    """The work of an attempt: ``commit`` in the repository of ``instance_dir``.

    ``base`` is where it began, ``trailer`` what its last commit says that it is of.
    """

    instance_dir: Path
    commit: str
    base: str
    trailer: str


class _Change(NamedTuple):
    """Path, mode and object id of what is other than before; zeros of what is gone."""

    path: bytes
    mode: bytes
    oid: bytes
    kind: bytes


def prove(
    git: Git,
    claim: Claim,
    head: str,
    limits: Optional[Limits] = None,
    *,
    copied: bool = False,
    merging: bool = False,
) -> Optional[Unproven]:
    """Take the work into the repository of ``git``; why it cannot be merged, or None.

    :param git: the mirror, or one that borrows its objects; the caller holds its lock.
    :param head: where the integration branch is.
    :param copied: as ``take_in`` has it.
    :param merging: the caller asks ``unfit`` of what a merge makes of it.

    Raises GitFailed, GitTimeout, OSError for what is not foreseen.
    """
    commit, base = claim.commit, claim.base
    bounds = limits or Limits()
    try:
        if not take_in(git, claim.instance_dir, commit, head, bounds, copied=copied):
            refuse_large_files(git, commit, head, bounds)
    except ObjectsRefused as refusal:
        return Unproven(refusal.reason, briefs.bounded(refusal.message))
    there, begun = git.commit_ids(commit, base)
    if there != commit:
        return Unproven(
            "CommitMissing",
            f"{commit[:12]} is a tag, and no commit itself; report the commit",
        )
    if begun != base or not git.is_ancestor(base, head):
        return Unproven(
            "BaseNotIntegrated",
            f"the task began at {base[:12]}, which is not, or no longer, part of"
            " the integration branch; it must be done again from the present state",
        )
    if commit == base or not git.is_ancestor(base, commit):
        return Unproven(
            "NotAheadOfBase",
            f"commit {commit[:12]} adds nothing to its base {base[:12]},"
            " or does not contain it",
        )
    if not carries(git, commit, claim.trailer):
        return Unproven(
            "TrailerMissing",
            f"the message of commit {commit[:12]} has no line 'Swarm-Task:"
            f" {claim.trailer}': it is not known to be of this attempt",
        )
    changes = list(_changes(git, base, commit))
    unusable = _unusable_path(git, changes) or _not_encrypted(
        git, (commit, head, base), changes
    )
    return unusable or (None if merging else _unfit(git, head, changes, bounds))


def unfit(
    git: Git, head: str, tree: str, limits: Optional[Limits] = None
) -> tuple[Optional[Unproven], list[bytes]]:
    """What of a merged tree does not go with what there was on ``head``; the new paths."""
    changes = list(_changes(git, head, tree))
    return _unfit(git, head, changes, limits or Limits()), _added(changes)


def _unfit(
    git: Git, head: str, changes: Sequence[_Change], limits: Limits
) -> Optional[Unproven]:
    """The same of changes that are to come there.

    More names than there is room for, a path of one task and a pattern of another that git would
    not come to an end with, or two names that are the same elsewhere.
    """
    added = _added(changes)
    if not added and not any(is_pattern_file(one.path) for one in changes):
        return None
    there = files_of(git, head)
    after = dict(there)
    for one in changes:
        after.pop(one.path, None)
        if one.mode != _NOTHING:
            after[one.path] = entry(one.path, one.mode, one.oid)
    said = too_many(there, after, added, limits.names_bytes)
    if said:
        return Unproven("TooLarge", briefs.bounded(said))
    said = objection(git, there, after)
    if said:
        return _unusable(b"", said)
    pair = collision(after, there, added)
    if pair is None:
        return None
    return Unproven(
        "UnusablePath",
        briefs.bounded(
            f"{words(pair)} are one name where case, or the form of a letter in Unicode, does"
            " not count (Windows, macOS, some volumes): one of the files would be lost there."
            " Rename one of them"
        ),
    )


def _added(changes: Sequence[_Change]) -> list[bytes]:
    return [one.path for one in changes if one.kind == b"A"]


def _unusable_path(git: Git, changes: Sequence[_Change]) -> Optional[Unproven]:
    changed = [(o.path, o.mode, o.oid) for o in changes if o.mode != _NOTHING]
    targets = sizes_of(
        git, {oid.decode("ascii") for _, mode, oid in changed if mode == _LINK}
    )
    for path, mode, oid in changed:
        target = targets.get(oid.decode("ascii")) if mode == _LINK else None
        objection = _objection(path, None if target is None else target.size)
        if objection:
            return _unusable(path, objection)
    with tempfile.TemporaryDirectory(prefix="kiro-index-") as folder:
        # git's own rules for paths, of which there are more than one would think.
        private = git.using({"GIT_INDEX_FILE": str(Path(folder, "index"))})
        lines = [b"%b %b\t%b\0" % (mode, oid, path) for path, mode, oid in changed]
        try:
            private.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
        except GitHindered:
            raise
        except GitFailed as error:
            return _unusable(b"", f"git does not take a path: {error.message}")
    return None


def _not_encrypted(
    git: Git, commits: tuple[str, str, str], changes: Sequence[_Change]
) -> Optional[Unproven]:
    plain = {o.path: o.oid.decode("ascii") for o in changes if o.mode[:3] == b"100"}
    gone = [one.path for one in changes if one.mode == _NOTHING]
    found = readable(git, commits, plain, gone)
    if found is None:
        return None
    name = found.path.decode("utf-8", "backslashreplace")
    how = (
        f"is kept encrypted in this repository (filter {found.why[:_SHOWN]})"
        if found.by_filter
        else f"is encrypted on the integration branch ({found.why})"
    )
    why = (
        f"has {in_units(found.size)}, and is not read to see that it is: at most {in_units(READ)}"
        if found.size > READ
        else "is readable in a commit of the task"
    )
    return Unproven(
        "NotEncrypted",
        briefs.bounded(
            f"{name[:_SHOWN]!r} {how}, and {why}. No filter runs here, and every commit is"
            " pushed: leave the file as it was, in each of them; who has the key changes it."
            " A person who wants it in plain text commits it so to the source, and `sync`"
            " brings that here: then tasks may edit it"
        ),
    )


def _changes(git: Git, base: str, commit: str) -> Iterator[_Change]:
    """Everything that is other than at the base."""
    fields = git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"),
        *(base, commit),
    ).stdout.split(b"\0")
    for facts, path in zip(fields[0::2], fields[1::2]):
        _, mode, _, oid, kind = facts.split(b" ")
        yield _Change(path, mode, oid, kind)


def _objection(path: bytes, target: Optional[int]) -> str:
    """What is wrong with a path; ``target``: bytes of what it leads to, if it is a link."""
    longest = max(map(len, path.split(b"/")))
    if longest > _LONGEST_NAME:
        return f"a name of {longest} bytes; a file system takes {_LONGEST_NAME}"
    if len(path) > _LONGEST_PATH:
        return f"a path of {len(path)} bytes; {_LONGEST_PATH} are allowed"
    if target is not None and not 0 < target <= _LONGEST_LINK:
        return f"a symbolic link to a name of {target} bytes; at most {_LONGEST_LINK}"
    return ""


def _unusable(path: bytes, objection: str) -> Unproven:
    name = path.decode("utf-8", "backslashreplace")
    shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
    where = f"{shown!r}: " if path else ""
    return Unproven(
        "UnusablePath",
        briefs.bounded(
            f"{where}{objection}. It cannot be checked out by everybody: rename it, or"
            " leave it out of the commits"
        ),
    )
