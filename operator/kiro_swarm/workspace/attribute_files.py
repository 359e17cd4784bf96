"""The ``.gitattributes`` files of a tree, laid out so that git itself reads them.

Role: attributes.py for merges, encrypted.py and missing.py for filters.

git has two readers. The one of files passes over a mark of byte order at the beginning, and a NUL
ends a line; to that of the index the mark is a part of the first pattern, and a NUL ends the file.
Who adds a file goes by the former, a checkout by the latter. So nothing is parsed here: the files
are written into a folder, and git is started with it as its worktree. Which lines are too long
(2,048 bytes), and what else git passes over, is for git to say.

Guarantees: what is read and written is bounded (``FILES``, ``BYTES``, ``DEEPEST``), the files
of the deepest folders are left out first, and are named. No link is followed, and no name of a
tree leads out of the folder. However many files there are, git is started three times.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.objects import contents, sizes_of

FILES = 500
BYTES = 256 * 1024
DEEPEST = 100
NAME = b".gitattributes"
#: What a volume says of a name that it cannot have, or that a file has already.
_NO_PLACE = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


class Said(NamedTuple):
    """A folder, empty for the top, and what its file says."""

    folder: bytes
    text: bytes


def read_attributes(git: Git, tree: str) -> tuple[list[Said], list[bytes]]:
    """What the files of a tree say, and the paths of those that are too much to read."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout
    found: list[tuple[bytes, str]] = []
    for record in listed.split(b"\0"):
        if not record.endswith(NAME):
            continue
        facts, _, path = record.partition(b"\t")
        folder, _, last = path.rpartition(b"/")
        # A link of that name is not followed, as git does not.
        if last == NAME and facts.startswith(b"100"):
            found.append((folder, facts.decode("ascii").split(" ")[2]))
    found.sort(key=lambda item: (item[0].count(b"/"), item[0]))
    sizes = sizes_of(git, {blob for _, blob in found[:FILES]})
    read: list[tuple[bytes, str]] = []
    over: list[bytes] = []
    left = BYTES
    for folder, blob in found:
        size = sizes[blob].size if blob in sizes else BYTES + 1
        if len(read) < FILES and size <= left and folder.count(b"/") < DEEPEST:
            left -= size
            read.append((folder, blob))
        else:
            over.append(path_of(folder))
    texts = contents(git, {blob for _, blob in read})
    return [Said(folder, bytes(texts[blob])) for folder, blob in read], over


def path_of(folder: bytes) -> bytes:
    """The path of the file of a folder."""
    return folder + b"/" + NAME if folder else NAME


@contextmanager
def laid_out(git: Git, files: Sequence[Said]) -> Iterator[tuple[Git, list[bytes]]]:
    """git in a worktree that has these files and no others; those that it cannot have."""
    with tempfile.TemporaryDirectory(prefix="kiro-attributes-") as folder:
        place = Path(folder, "tree")
        place.mkdir()
        over = [path_of(one.folder) for one in files if not _written(place, one)]
        yield git.in_work_tree(place), over


def values_of(
    git: Git, commit: str, paths: Sequence[bytes], attribute: str
) -> Iterator[tuple[bytes, bytes]]:
    """Path and value of an attribute in a commit, by each of git's two readers.

    Of files that are too much to be laid out the reader of the index speaks alone.
    """
    asked = b"".join(path + b"\0" for path in paths)
    files, _ = read_attributes(git, commit)
    with laid_out(git, files) as (inside, _):
        own = inside.using({"GIT_INDEX_FILE": str(inside.directory.with_name("index"))})
        own.run("read-tree", commit)
        for reader in ((), ("--cached",)):
            answer = own.run(
                *("check-attr", *reader, "-z", "--stdin", attribute), stdin=asked
            ).stdout.split(b"\0")
            yield from zip(answer[0::3], answer[2::3])


def _written(place: Path, one: Said) -> bool:
    parts = one.folder.split(b"/") if one.folder else []
    if any(part in (b"", b".", b"..") for part in parts):
        return False
    folder = os.path.join(os.fsencode(place), *parts)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, NAME), "xb") as file:
            file.write(one.text)
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        return False
    return True
