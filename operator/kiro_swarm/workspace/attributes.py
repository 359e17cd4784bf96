"""How a repository wants its files merged, for a merge without a checkout.

Role: trials.py, so that the merge train, the sync and the look ahead agree.

git reads attributes in a worktree; in a bare repository it reads none of the tree (before
2.43) or those of HEAD. So the ``.gitattributes`` files of the tree that is merged into are
laid out for it (attribute_files.py), as a merge in a checkout would read them.

Guarantees: of drivers only those that are part of git are named there: ``text``, ``binary``,
``union``, and none (``-merge``). One with a program is taken out, so its file is merged as text,
as git does where the program is not configured. What is too much to read is left out and
named; that decides nothing but whether two changes are called a conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kiro_swarm.workspace.attribute_files import (
    BYTES,
    DEEPEST,
    FILES,
    Said,
    laid_out,
    read_attributes,
)
from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.git import Git

_SHOWN = 3
#: In a file with one of these any word may stand for another: in quotes signs have numbers.
_MACROS = (b"[attr]", b'"')
#: "diff" says what is text where a file that was moved is looked for.
_DECIDES = (b"merge", b"diff", b"binary", b"conflict-marker-size")
#: git takes no line that is as long.
_LONGEST_LINE = 2048
#: The pattern of a line as git reads it: quoted as in C, or up to the next blank.
_PATTERN = re.compile(
    rb'[ \t\r]*(?:"(?:[^"\\]|\\[abfnrtv"\\]|\\[0-3][0-7]{2})*"|[^ \t\r]*)'
)
_PROGRAM = re.compile(
    rb"(?:(?<=[ \t\r])|\A)"
    rb"(?:merge=(?!(?:text|binary|union)(?:[ \t\r]|\Z))|filter=|diff=)[^ \t\r]*"
)
#: More than a merge could want: git takes so much memory for each mark.
_MARKS = re.compile(
    rb"(?:(?<=[ \t\r])|\A)conflict-marker-size=(?!0*[0-9]{1,3}(?:[ \t\r]|\Z))[^ \t\r]*"
)


@dataclass(frozen=True)
class MergeAttributes:
    """A git that merges as a tree wants it; ``remark``: but for what."""

    git: Git
    remark: str = ""


@contextmanager
def merge_attributes(git: Git, tree: str) -> Iterator[MergeAttributes]:
    """What merges as the tree of ``tree`` wants it."""
    files, over = read_attributes(git, tree)
    wanted = for_merges(files)
    if not wanted:
        yield MergeAttributes(git, _remark(over))
        return
    with laid_out(git, wanted) as (inside, without):
        yield MergeAttributes(inside, _remark(over + without))


def for_merges(files: Sequence[Said]) -> list[Said]:
    """Those that say something of merges, and of their lines no others. Pure.

    What names a program names none, and each line has the place and the length that it had.
    """
    tops = [one.text for one in files if not one.folder]
    macros = any(mark in text for text in tops for mark in _MACROS)
    said = (Said(one.folder, _lines_for_merges(one.text, macros)) for one in files)
    return [one for one in said if one.text.strip(b"\n")]


def _lines_for_merges(text: bytes, macros: bool) -> bytes:
    lines = text.split(b"\n")
    return b"\n".join(
        _without_programs(line) if macros or any(x in line for x in _DECIDES) else b""
        for line in lines
    )


def _without_programs(line: bytes) -> bytes:
    # git sees no more of a line, and not the mark that a file may begin with.
    line = line.split(b"\0", 1)[0]
    mark = 3 * line.startswith(b"\xef\xbb\xbf")
    found = _PATTERN.match(line, mark)
    if found is None or len(line) - mark > _LONGEST_LINE:
        return b""
    behind = _PROGRAM.sub(_unset, line[found.end() :])
    return line[: found.end()] + _MARKS.sub(_unset, behind)


def _unset(found: re.Match[bytes]) -> bytes:
    """As if nobody had said it, in as many bytes: never more than there were."""
    word = b"!" + found[0].partition(b"=")[0]
    return word.ljust(len(found[0]))


def _remark(over: Sequence[bytes]) -> str:
    if not over:
        return ""
    names = [path.decode("utf-8", "surrogateescape") for path in over[:_SHOWN]]
    shown = ", ".join(map(shown_name, names))
    more = f" and {len(over) - _SHOWN} more" if len(over) > _SHOWN else ""
    return (
        f"merged without what {shown}{more} say: at most {FILES} such files with"
        f" {BYTES // 1024} KiB together, {DEEPEST} folders deep, are read"
    )
