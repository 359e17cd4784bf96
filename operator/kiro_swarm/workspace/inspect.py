"""What a task changed, as text for people: its patch or its commits.

Role: the inspect Job calls ``inspect``.

Guarantees: the mirror and the instances' folders are only read; objects that are in an
instance alone are copied and proved as for a merge (intake.py). No driver, filter, hook or
program that a repository names is started, and none of its attributes hides a change. The
text is UTF-8 of at most ``MAXIMUM_BYTES``, its last line says when it was cut, and
nothing in it steers a terminal: control characters and direction marks are written out.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.policy.work import Work
from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import write_plain
from kiro_swarm.workspace.errors import ObjectsRefused, RefNotFound
from kiro_swarm.workspace.finished import place_of
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import claimed_commit, take_in
from kiro_swarm.workspace.limits import ANY_FILE, Limits
from kiro_swarm.workspace.refs import (
    check_instance,
    check_object_id,
    check_task_branch,
)

MAXIMUM_BYTES = 512 * 1024
_COMMITS = 500
_SECONDS = 120.0
#: Work goes from its instance to the shelf, and from there into the mirror.
_TRIES = 3
#: Less than a merge may bring: this is copied into the Job's own small disk.
_LIMITS = Limits(stored_bytes=256 * 1024 * 1024, file_bytes=ANY_FILE)
# The last word on attributes: what a tree says of itself ("* -diff") would hide changes.
_ATTRIBUTES = "* !diff !text !eol !filter !ident !encoding !working-tree-encoding\n"
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short")
# Names as git quotes them: whatever is not plain ASCII is written out.
_QUOTED = ("-c", "core.quotePath=true")
_FORMAT = "commit %H%nAuthor: %an <%ae>%nDate:   %aI%n%n%w(0,4,4)%B"
_STEERING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
    "|\r(?!\n)"
)
_COUNT = re.compile(rb" (\d+) (file|insertion|deletion)")


@dataclass(frozen=True)
class Inspected:
    """The text, and what it is about: full commit ids and the size of the change.

    ``commits`` counts those between ``base`` and ``commit``; a merge is one of them.
    """

    text: str
    truncated: bool
    base: str
    commit: str
    commits: int
    files: int
    insertions: int
    deletions: int


def inspect(mirror: Path, instances: Path, work: Work, what: str) -> Inspected:
    """The text of ``what``, ``diff`` or ``log``, for a task's work.

    Raises InvalidName, RefNotFound (a commit is not, or no longer, there), ObjectsRefused,
    GitFailed, GitTimeout.
    """
    with tempfile.TemporaryDirectory(prefix="kiro-inspect-") as folder:
        git = _own_repository(Path(folder, "repo.git"), mirror)
        base, commit = _commits(git, instances, work)
        command = {"diff": _diff, "log": _log}[what](base, commit)
        text, truncated = _written(git, command, Path(folder, "text"))
        count = git.run("rev-list", "--count", commit, f"^{base}").text
        sizes = _sizes(git, base, commit)
    return Inspected(text, truncated, base, commit, int(count), *sizes)


def _own_repository(path: Path, mirror: Path) -> Git:
    make_borrower(path, mirror, "ref: refs/heads/none")
    write_plain(path / "info" / "attributes", _ATTRIBUTES)
    return Git(path)


def _commits(git: Git, instances: Path, work: Work) -> tuple[str, str]:
    """Where the work began and where it ends."""
    if work.merge:
        check_object_id(work.merge)
        return _there(git, f"{work.merge}^1"), work.merge
    base = _there(git, check_object_id(work.base))
    check_instance(work.instance)
    commit = work.commit
    for left in reversed(range(_TRIES)):
        folder = instances / work.instance
        if work.uid:
            folder = place_of(instances.parent, work.instance, work.uid, work.attempt)
        try:
            if not work.commit:
                commit = claimed_commit(folder, check_task_branch(work.branch))
            take_in(git, folder, check_object_id(commit), base, _LIMITS, copied=True)
            return base, commit
        except ObjectsRefused as refusal:
            # Kept, or taken into the mirror, while we looked where it was: it is elsewhere now.
            if left:
                continue
            if work.commit and refusal.reason in ("CommitMissing", "ForeignFiles"):
                raise RefNotFound(
                    f"commit {commit[:12]} of attempt {work.attempt} is no longer on the"
                    f" volume: instance {work.instance} or its folder is gone"
                ) from refusal
            raise
    return base, commit


def _there(git: Git, name: str) -> str:
    found = git.commit_id(name)
    if found is None:
        raise RefNotFound(f"commit {name} is not in the mirror")
    return found


def _diff(base: str, commit: str) -> tuple[str, ...]:
    shape = ("--stat=100", "--stat-count=500", "--summary", "--patch")
    return ("diff", *_PLAIN, *shape, base, commit)


def _log(base: str, commit: str) -> tuple[str, ...]:
    quiet = ("--no-decorate", "--no-show-signature", "--no-notes", "--no-mailmap")
    shape = (f"--format={_FORMAT}", "--stat=100", "--stat-count=100")
    limit = f"--max-count={_COMMITS}"
    return ("log", *_PLAIN, *quiet, *shape, limit, commit, f"^{base}")


def _sizes(git: Git, base: str, commit: str) -> tuple[int, int, int]:
    """Files, insertions, deletions between two commits."""
    said = git.run("diff", *_PLAIN, "--shortstat", base, commit, seconds=_SECONDS)
    found = {kind: int(number) for number, kind in _COUNT.findall(said.stdout)}
    return found.get(b"file", 0), found.get(b"insertion", 0), found.get(b"deletion", 0)


def _written(git: Git, command: tuple[str, ...], target: Path) -> tuple[str, bool]:
    """What a command writes, through a file: it may be far more than we keep."""
    name, *arguments = command
    git.run(*_QUOTED, name, f"--output={target}", *arguments, seconds=_SECONDS)
    with open(target, "rb") as source:
        kept = source.read(MAXIMUM_BYTES)
    return bounded(printable(kept.decode("utf-8", "replace")), target.stat().st_size)


def bounded(text: str, size: int) -> tuple[str, bool]:
    """The text with at most 512 KiB, and whether it was cut; ``size``: all, in bytes."""
    data = text.encode("utf-8")
    if size <= MAXIMUM_BYTES and len(data) <= MAXIMUM_BYTES:
        return text, False
    note = f"... cut here: the whole has {size} bytes; look at it with git\n"
    whole_lines, _, _ = data[: MAXIMUM_BYTES - len(note)].rpartition(b"\n")
    return whole_lines.decode("utf-8", "ignore") + "\n" + note, True


def printable(text: str) -> str:
    """The text with everything written out that would steer a terminal."""
    return _STEERING.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)
