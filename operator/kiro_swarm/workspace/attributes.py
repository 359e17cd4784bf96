"""How a repository wants its files merged, for a merge without a checkout.

Role: trials.py, so that the merge train, the sync and the look ahead agree.

git reads attributes in a worktree; in a bare repository it reads none of the tree (before
2.43) or those of HEAD. So the ``.gitattributes`` files of the tree that is merged into are
read from its objects and given to git as one file, as a merge in a checkout would use them.

Guarantees: of an attribute only what decides a merge is passed on, and of drivers only those
that are part of git: ``text``, ``binary``, ``union``, and none (``-merge``). A driver with a
program is never named, so its file is merged as text, as git does where the program is not
configured. What is too much to read (``FILES``, ``BYTES``) is left out from the end, deepest
folders last to go in; that decides nothing but whether two changes are called a conflict.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiro_swarm.workspace.git import Git

FILES = 500
BYTES = 256 * 1024
_NAME = ".gitattributes"
_BUILT_IN = {
    *("merge", "-merge", "!merge", "merge=text", "merge=binary", "merge=union"),
    *("binary", "-binary", "!binary"),
}
_MARKER = re.compile(r"[-!]?conflict-marker-size(=[0-9]{1,3})?")
_MACRO = re.compile(r"\[attr\]([A-Za-z0-9_.][-A-Za-z0-9_.]*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@contextmanager
def merge_attributes(git: Git, tree: str) -> Iterator[tuple[str, ...]]:
    """Options for git by which it merges as the tree of ``tree`` wants it."""
    text = for_merges(list(_files(git, tree)))
    if not text:
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="kiro-attributes-") as folder:
        file = Path(folder, "attributes")
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
        yield ("-c", f"core.attributesFile={file}")


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


def _files(git: Git, tree: str) -> Iterator[tuple[str, str]]:
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout
    found: list[tuple[str, str]] = []
    for record in listed.split(b"\0"):
        facts, _, name = record.partition(b"\t")
        path = name.decode("utf-8", "surrogateescape")
        folder, _, last = path.rpartition("/")
        # A link of that name is not followed, as git does not.
        if last == _NAME and facts.startswith(b"100"):
            found.append((folder, facts.decode("ascii").split(" ")[2]))
    found.sort(key=lambda item: (item[0].count("/"), item[0]))
    left = BYTES
    for folder, blob in found[:FILES]:
        size = int(git.run("cat-file", "-s", blob).text)
        if size <= left:
            left -= size
            content = git.run("cat-file", "blob", blob).stdout
            yield folder, content.decode("utf-8", "surrogateescape")
