"""What a worktree holds at a few paths, as a commit of our own.

Role: lookahead.py, which has to know what an agent has not committed yet.

Guarantees: git is not run in the worktree, and nothing in it is written, locked or waited
for: an agent at work notices nothing. No link is followed; a file that is large, or no file,
is left out, and so are all beyond the first ``FILES`` and ``TOTAL_BYTES``.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.git import Git

FILES = 500
FILE_BYTES = 4 * 1024 * 1024
TOTAL_BYTES = 32 * 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe would keep us waiting for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LINK = "120000"
_HEADER = "commit refs/heads/work\ncommitter us <us@localhost> 0 +0000\ndata 0\n"

#: Path in the repository -> object id of what is committed there, zeros for nothing.
Paths = Mapping[bytes, str]
Stamps = tuple[Optional[tuple[int, ...]], ...]


@dataclass(frozen=True)
class _File:
    mode: str
    content: bytes


def stamps(tree: Path, paths: Paths) -> Stamps:
    """What changes when one of the files does; cheap, reads no file."""
    return tuple(_stamp(tree, name) for name in islice(paths, FILES))


def with_uncommitted(git: Git, tree: Path, commit: str, paths: Paths) -> str:
    """A commit on top of ``commit`` with these files as the worktree has them.

    ``commit`` itself when they are as they were. A file that is not there is taken for
    unchanged: whether it was removed or renamed shows when the agent commits. Raises
    GitFailed, GitTimeout.
    """
    found = {
        name: file
        for name, file in _read(tree, islice(paths, FILES))
        if not _is_blob(file, paths[name])
    }
    if not found:
        return commit
    stream = [_HEADER.encode("ascii"), f"from {commit}\n".encode("ascii")]
    for name, file in found.items():
        stream.append(f"M {file.mode} inline {_quoted(name)}\n".encode("ascii"))
        stream.append(b"data %d\n%b\n" % (len(file.content), file.content))
    git.run("fast-import", "--quiet", "--force", stdin=b"".join(stream))
    return git.run("rev-parse", "--verify", "refs/heads/work").text


def _stamp(tree: Path, name: bytes) -> Optional[tuple[int, ...]]:
    try:
        facts = os.lstat(os.path.join(os.fsencode(tree), name))
    except OSError:
        return None
    return (
        facts.st_mode,
        facts.st_ino,
        facts.st_size,
        facts.st_mtime_ns,
        facts.st_ctime_ns,
    )


def _read(tree: Path, names: Iterator[bytes]) -> Iterator[tuple[bytes, _File]]:
    left = TOTAL_BYTES
    for name in names:
        try:
            file = _read_one(tree, name, min(left, FILE_BYTES))
        except OSError:
            continue  # gone, not to be read, or behind a link
        if file is not None:
            left -= len(file.content)
            yield name, file


def _read_one(tree: Path, name: bytes, room: int) -> Optional[_File]:
    """The file or link at a path below the tree; None when it is another thing."""
    *folders, last = name.split(b"/")
    with ExitStack() as opened:
        place: Optional[int] = None
        for part in (os.fsencode(tree), *folders):
            place = os.open(part, _FOLDER, dir_fd=place)
            opened.callback(os.close, place)
        try:
            descriptor = os.open(last, _FILE, dir_fd=place)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return _File(_LINK, os.readlink(last, dir_fd=place))
        with os.fdopen(descriptor, "rb") as source:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                return None
            # The file may grow while it is read: its size is what was read of it.
            content = source.read(room + 1)
    if len(content) > room:
        return None
    return _File("100755" if mode & stat.S_IXUSR else "100644", content)


def _is_blob(file: _File, oid: str) -> bool:
    """Whether the content is that object, but for line ends that a checkout makes."""
    plain = file.content.replace(b"\r\n", b"\n")
    return oid in (_object_id(text, len(oid)) for text in (file.content, plain))


def _object_id(content: bytes, length: int) -> str:
    algorithm = "sha1" if length == 40 else "sha256"
    blob = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    blob.update(content)
    return blob.hexdigest()


def _quoted(name: bytes) -> str:
    return '"' + "".join(f"\\{byte:03o}" for byte in name) + '"'
