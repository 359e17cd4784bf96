"""All files of a worktree into an index, and what of them git cannot take.

Role: evidence.py, when the agent has ended.

Guarantees: one file that cannot be read does not keep the others from being taken: it is made
readable if that is in our power, and named with what to do about it if not. A file that nobody
has touched keeps the others from nothing either (unfit.py). Nothing is left out silently: sockets,
pipes and devices alone, which git knows nothing of.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.disk import real_folder, walk
from kiro_swarm.workspace.errors import WorkspaceError, of_another
from kiro_swarm.workspace.git import Git, Output
from kiro_swarm.workspace.plain import opened_by_git

_ALL = ("add", "--all", "--ignore-errors")
_SHOWN = 5
_SHOWN_CHARACTERS = 80
_NO_ENCODING = (b"unspecified", b"unset", b"set", b"")


@dataclass(frozen=True)
class StagedChange:
    """One path that the index has otherwise than a commit: its mode there, mode and id here."""

    path: bytes
    before: str
    mode: str
    oid: str
    kind: str

    @property
    def shown(self) -> str:
        """The path for people."""
        return self.path.decode("utf-8", "replace")


def staged_changes(git: Git, base: str) -> list[StagedChange]:
    """What the index of ``git`` has otherwise than ``base``."""
    raw = git.run("diff-index", "--cached", "--raw", "--no-renames", "-z", base).stdout
    fields = raw.split(b"\0")
    found: list[StagedChange] = []
    for facts, path in zip(fields[0::2], fields[1::2]):
        before, mode, _, oid, kind = facts.decode("ascii").lstrip(":").split(" ")
        found.append(StagedChange(path, before, mode, oid, kind[:1]))
    return found


class Unreadable(WorkspaceError):
    """A path that git cannot take; the message names it, and what to do about it."""

    reason = "UnreadablePath"


def add_all(git: Git, tree: Path, untouched: Callable[[], list[bytes]]) -> list[bytes]:
    """Stage everything that is in the tree and not ignored; what was left as it was.

    :param untouched: asked where git cannot convert a file: of those with an encoding, what
        need not be looked at.

    Raises Unreadable, with reason UnreadablePath or NestedRepository; GitFailed.
    """
    endless = opened_by_git(tree)
    if endless:
        raise Unreadable(
            f"{_names(endless)}: git opens it, and it is a pipe, a socket or a device; remove"
            " it, or make it a plain file"
        )
    done = git.run(*_ALL, ok=(0, 1, 128))
    if _complete(done):
        return []
    left = untouched() if _of_an_encoding(done.stderr) else []
    _assume(git, left, True)
    try:
        _add_again(git, tree)
    finally:
        _assume(git, left, False)
    return left


def _add_again(git: Git, tree: Path) -> None:
    """The same, with what can be done about what was in the way."""
    make_readable(tree)
    done = git.run(*_ALL, ok=(0, 1, 128))
    if _complete(done):
        return
    closed = _not_ignored(git, out_of_reach(tree))
    if closed:
        more = f"; so are {_names(closed[1:])}" if closed[1:] else ""
        first = tree / os.fsdecode(closed[0])
        said = of_another(first, tree, _first_line(done))
        raise Unreadable(f"{said}, or put it into .gitignore{more}")
    wrong = _not_encoded(git, done.stderr)
    if wrong is not None:
        name, encoding = wrong
        raise Unreadable(
            f"{_names([name])}: .gitattributes says working-tree-encoding={encoding}, and it"
            f" is not in that encoding ({_first_line(done)}). Write the file in it, or take"
            " the attribute away"
        )
    empty = [name for name in _left(git) if _is_repository(tree, name)]
    if empty:
        raise Unreadable(
            f"{_names(empty)}: a git repository without a commit inside the worktree; its"
            " files would be lost. Remove its .git folder, which holds nothing yet, or put"
            " the folder into .gitignore",
            reason="NestedRepository",
        )
    left = _left(git)
    what = _names(left) if left else "a file or folder"
    raise Unreadable(
        f"{what}: cannot be taken by git ({_first_line(done)}). Make it a readable file with"
        " a plain name, remove it, or put it into .gitignore"
    )


def make_readable(tree: Path) -> None:
    """Give us, who own them, the right to read all files and folders below; follows no link."""
    real_folder(tree)
    # From the top: a folder is opened after its right was given.
    for entry in walk(tree):
        with suppress(OSError):  # it is named in the end
            mode = entry.stat(follow_symlinks=False).st_mode
            wanted = _wanted(mode)
            if mode & wanted != wanted:
                os.chmod(entry.path, stat.S_IMODE(mode) | wanted)


def out_of_reach(tree: Path) -> list[bytes]:
    """What below a folder we may not read. Relative paths."""
    found: list[bytes] = []
    for entry in walk(tree):
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder or entry.is_file(follow_symlinks=False):
            wanted = os.R_OK | os.X_OK if is_folder else os.R_OK
            there = os.access(entry.path, os.F_OK, follow_symlinks=False)
            # What is deeper than a path can be long is not there to be asked about.
            if there and not os.access(entry.path, wanted, effective_ids=True):
                found.append(os.fsencode(os.path.relpath(entry.path, tree)))
    return found


def _assume(git: Git, paths: Sequence[bytes], unchanged: bool) -> None:
    """Have git take these paths for unchanged without looking at them, or look again."""
    if paths:
        mark = "--assume-unchanged" if unchanged else "--no-assume-unchanged"
        names = b"".join(path + b"\0" for path in paths)
        git.run("update-index", mark, "-z", "--stdin", stdin=names)


def _of_an_encoding(stderr: str) -> bool:
    return "encod" in stderr or "byte order mark" in stderr


def _not_ignored(git: Git, names: list[bytes]) -> list[bytes]:
    if not names:
        return []
    said = git.run(
        *("check-ignore", "-z", "--stdin", "--no-index"),
        stdin=b"".join(name + b"\0" for name in names),
        ok=(0, 1, 128),
    )
    ignored = set(said.stdout.split(b"\0"))
    return [name for name in names if name not in ignored]


def _not_encoded(git: Git, stderr: str) -> Optional[tuple[bytes, str]]:
    """A file that is not in the encoding that it is said to have in the worktree, and which.

    git stops at the first one, and stages nothing then.
    """
    if not _of_an_encoding(stderr):
        return None
    left = [name for name in _left(git) if not name.endswith(b"/")]
    answer = git.run(
        *("check-attr", "-z", "--stdin", "working-tree-encoding"),
        stdin=b"".join(name + b"\0" for name in left),
        ok=(0, 128),
    ).stdout.split(b"\0")
    given = [
        (name, said.decode("utf-8", "replace")[:_SHOWN_CHARACTERS])
        for name, said in zip(answer[0::3], answer[2::3])
        if said not in _NO_ENCODING
    ]
    named = [one for one in given if f"'{one[0].decode('utf-8', 'replace')}'" in stderr]
    return next(iter(named or given), None)


def _wanted(mode: int) -> int:
    if stat.S_ISDIR(mode):
        return stat.S_IRWXU
    return stat.S_IRUSR if stat.S_ISREG(mode) else 0


def _complete(done: Output) -> bool:
    """Whether git has seen all; a folder that it could not open it only warns of."""
    return done.status == 0 and "could not open directory" not in done.stderr


def _left(git: Git) -> list[bytes]:
    """What is in the worktree otherwise than in the index."""
    others = git.run("ls-files", "--others", "--exclude-standard", "-z").stdout
    changed = git.run("diff-files", "--name-only", "-z", ok=(0, 1, 128)).stdout
    return [name for name in (others + changed).split(b"\0") if name]


def _is_repository(tree: Path, name: bytes) -> bool:
    return name.endswith(b"/") and os.path.lexists(
        os.path.join(os.fsencode(tree), name, b".git")
    )


def _names(paths: list[bytes]) -> str:
    shown = [repr(path.decode("utf-8", "backslashreplace")) for path in paths[:_SHOWN]]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(shown) + more


def _first_line(done: Output) -> str:
    lines = [line for line in done.stderr.split("\n") if line.strip()]
    return lines[0][:200] if lines else f"status {done.status}"
