"""How a repository wants its files merged, for a merge without a checkout.

Role: trials.py, so that the merge train, the sync and the look ahead agree.

git reads attributes in a worktree; in a bare repository it reads none of the tree (before
2.43) or those of HEAD. So the ``.gitattributes`` files of the tree that is merged into are
read from its objects and given to git as one file, as a merge in a checkout would use them.

Guarantees: of an attribute only what decides a merge is passed on, and of drivers only those
that are part of git: ``text``, ``binary``, ``union``, and none (``-merge``). A driver with a
program is never named, so its file is merged as text, as git does where the program is not
configured. What is too much to read (``FILES``, ``BYTES``) is left out from the end, deepest
folders last to go in, and named; that decides nothing but whether two changes are called a
conflict. However many there are, git is started three times.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.objects import contents, sizes_of

FILES = 500
BYTES = 256 * 1024
_NAME = b".gitattributes"
_SHOWN = 3
_BUILT_IN = {
    *("merge", "-merge", "!merge", "merge=text", "merge=binary", "merge=union"),
    *("binary", "-binary", "!binary"),
}
_MARKER = re.compile(r"[-!]?conflict-marker-size(=[0-9]{1,3})?")
_MACRO = re.compile(r"\[attr\]([A-Za-z0-9_.][-A-Za-z0-9_.]*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class MergeAttributes:
    """Options for git by which it merges as a tree wants it; ``remark``: but for what."""

    options: tuple[str, ...] = ()
    remark: str = ""


@contextmanager
def merge_attributes(git: Git, tree: str) -> Iterator[MergeAttributes]:
    """What git merges by as the tree of ``tree`` wants it."""
    files, over = _files(git, tree)
    remark = _remark(over) if over else ""
    text = for_merges(files)
    if not text:
        yield MergeAttributes(remark=remark)
        return
    with tempfile.TemporaryDirectory(prefix="kiro-attributes-") as folder:
        file = Path(folder, "attributes")
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
        yield MergeAttributes(("-c", f"core.attributesFile={file}"), remark)


def for_merges(files: list[tuple[str, str]]) -> str:
    """One file of attributes that says of merges what these say. Pure.

    :param files: folder (empty for the top) and text of each ``.gitattributes``.
    """
    lines: list[str] = []
    macros: set[str] = set()
    for folder, text in sorted(files, key=lambda item: (item[0].count("/"), item[0])):
        for line in text.split("\n"):
            macro = _MACRO.match(line) if not folder else None
            if macro is not None:
                macros.add(macro[1])
            pattern, *said = _split(line)
            kept = [word for word in said if _decides(word, macros)]
            place = pattern if macro else _below(folder, pattern)
            if place and kept:
                lines.append(f"{place} {' '.join(kept)}\n")
    return "".join(lines)


def _decides(word: str, macros: set[str]) -> bool:
    if word in _BUILT_IN or _MARKER.fullmatch(word):
        return True
    return word.lstrip("-!") in macros


def _split(line: str) -> list[str]:
    """Pattern and attributes of a line; nothing of a comment or a line that means nothing."""
    line = line.strip(" \t\r")
    if not line or line.startswith("#"):
        return [""]
    quoted = _QUOTED.match(line)
    if quoted is not None:
        return [quoted[0], *_words(line[quoted.end() :])]
    return _words(line)


def _words(line: str) -> list[str]:
    # As git parts them: more than that is white to Unicode.
    return [word for word in re.split(r"[ \t\r]+", line) if word]


def _below(folder: str, pattern: str) -> str:
    """The pattern as a file at the top would write it; empty where it means nothing."""
    quoted = pattern.startswith('"')
    inner = pattern[1:-1] if quoted else pattern
    if not inner or inner.startswith("!"):
        return ""
    place = _literal(folder) + "/" if folder else ""
    if folder:
        anywhere = "/" not in inner.rstrip("/")
        inner = f"**/{inner}" if anywhere else inner.lstrip("/")
    if quoted:
        return f'"{_quoted(place)}{inner}"'
    whole = place + inner
    return f'"{_quoted(whole)}"' if re.search(r'[\s"]', whole) else whole


def _literal(folder: str) -> str:
    """A folder's name, with nothing in it that a pattern reads otherwise."""
    return re.sub(r"([*?\[\\])", r"\\\1", folder)


def _quoted(text: str) -> str:
    """As it stands between double quotes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(c if c >= " " else f"\\{ord(c):03o}" for c in plain)


def _files(git: Git, tree: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Folder and text of each of the files; the paths of those that are too much to read."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout
    found: list[tuple[str, str]] = []
    for record in listed.split(b"\0"):
        if not record.endswith(_NAME):
            continue
        facts, _, name = record.partition(b"\t")
        folder, _, last = name.rpartition(b"/")
        # A link of that name is not followed, as git does not.
        if last == _NAME and facts.startswith(b"100"):
            place = folder.decode("utf-8", "surrogateescape")
            found.append((place, facts.decode("ascii").split(" ")[2]))
    found.sort(key=lambda item: (item[0].count("/"), item[0]))
    sizes = sizes_of(git, {blob for _, blob in found[:FILES]})
    read: list[tuple[str, str]] = []
    over: list[str] = []
    left = BYTES
    for place, blob in found:
        size = sizes[blob].size if blob in sizes else BYTES + 1
        if len(read) < FILES and size <= left:
            left -= size
            read.append((place, blob))
        else:
            over.append(f"{place}/.gitattributes" if place else ".gitattributes")
    texts = contents(git, {blob for _, blob in read})
    return [
        (place, bytes(texts[blob]).decode("utf-8", "surrogateescape"))
        for place, blob in read
    ], over


def _remark(over: list[str]) -> str:
    shown = ", ".join(map(shown_name, over[:_SHOWN]))
    more = f" and {len(over) - _SHOWN} more" if len(over) > _SHOWN else ""
    return (
        f"merged without what {shown}{more} say: at most {FILES} such files with"
        f" {BYTES // 1024} KiB together are read"
    )
