"""Files that a repository keeps encrypted (git-crypt, transcrypt and the like).

Role: proof.py asks before anything is Done, and before it is merged. No filter runs here, so what
an agent writes into such a file would be merged, and pushed, for everybody to read.

Guarantees: what the attributes of the branch, of where the attempt began, or of its own commit
give to a filter that encrypts is taken only as the branch has it, or encrypted, in each commit of
the attempt: all of them are pushed. So is what the branch has encrypted (sealed.py), whatever the
attributes say, at its path and where a commit of the attempt moved it unchanged: who takes the
attributes away in one task opens nothing in the next. What the branch has readable under that name
may be edited. Nothing is changed. In an earlier commit a file is known by the name that git walks
to it by; what lies elsewhere as well, without a filter, is readable there anyhow. What is
larger than ``READ`` is not known to be encrypted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, Optional

from kiro_swarm.workspace.attribute_files import read_attributes, values_of
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.objects import BLOB, Stored, contents, sizes_of
from kiro_swarm.workspace.patterns import too_costly
from kiro_swarm.workspace.sealed import Seal, is_secret, opens, seal_of

#: In the name of a filter. An "image" is no "age".
_ENCRYPTS: Final = re.compile(
    rb"crypt|cipher|secret|vault|sops|gpg|openssl|strongbox|(?:^|[^a-z])age(?:[^a-z]|$)",
    re.IGNORECASE,
)
_BLANKS: Final = re.compile(rb"[ \t\r\n\0]+")
#: A larger one is not read, and not taken; of smaller ones, so much at once.
READ: Final = 8 << 20
_AT_ONCE: Final = 32 << 20
#: So many of the latest commits, and files, are looked at for a move; so many paths asked at once.
_MOVES, _MOVED, _PATHS = 1000, 100, 200

#: The attempt, the branch, where it began.
Commits = tuple[str, str, str]


class Readable(NamedTuple):
    """A file that is to be encrypted and is not known to be.

    ``why``: the name of its filter, or how the branch has it; ``by_filter``: which of them.
    """

    path: bytes
    why: str
    by_filter: bool
    size: int


def readable(
    git: Git, commits: Commits, files: Mapping[bytes, str], gone: Collection[bytes]
) -> Optional[Readable]:
    """What of an attempt is to be encrypted and is not; or None.

    :param commits: of the attempt, of the branch, and where it began: their attributes count.
    :param files: path -> object id of plain files that are new or changed.
    :param gone: paths of those that are no more.
    """
    brought = [*files.items(), *_earlier(git, commits)]
    if not brought:
        return None
    paths = {path for path, _ in brought}
    given = dict(_given(git, commits, list(paths))) if _named(git, commits) else {}
    there = _Branch(git, commits, paths.union(gone), {oid for _, oid in brought})
    new = [(path, oid) for path, oid in brought if oid not in there.known]
    moved = _moved(git, commits, there.secrets(gone))
    suspects: list[tuple[bytes, str, list[Optional[Seal]]]] = []
    for path, oid in new:
        was = there.seals(path)
        if None in was:
            continue
        was += [there.seal[one] for one in moved.get(path, ())]
        if path in given or any(is_secret(one, path) for one in was) or path in moved:
            suspects.append((path, oid, was))
    sizes = _blobs(git, {oid for _, oid, _ in suspects})
    seals = dict(_seals(git, sizes))
    found = [
        (path, oid, was)
        for path, oid, was in suspects
        if oid in sizes and _opened(seals.get(oid), was, path in given)
    ]
    for path, oid in _in_commits(git, commits, files, [one[:2] for one in found]):
        by = next((s.by for p, _, was in found if p == path for s in was if s), "")
        return Readable(path, given.get(path, by), path in given, sizes[oid].size)
    return None


def _opened(seal: Optional[Seal], was: list[Optional[Seal]], to_seal: bool) -> bool:
    """``to_seal``: by a filter, whose tool would have sealed it anew."""
    before = [one for one in was if one is not None]
    if not to_seal:
        return any(opens(seal, one) for one in before)
    stale = seal is not None and seal.macs in [one.macs for one in before if one.macs]
    return seal is None or stale


class _Branch:
    """What the branch, and the commit that the attempt began from, have at these paths."""

    def __init__(
        self, git: Git, commits: Commits, paths: set[bytes], oids: set[str]
    ) -> None:
        self.known: set[str] = set()
        self._at: list[dict[bytes, str]] = []
        for commit in dict.fromkeys(commits[1:]):
            at: dict[bytes, str] = {}
            for path, oid in _plain(git, commit):
                if path in paths:
                    at[path] = oid
                if oid in oids:
                    self.known.add(oid)
            self._at.append(at)
        sizes = _blobs(git, {oid for one in self._at for oid in one.values()})
        self.seal = dict(_seals(git, sizes))

    def seals(self, path: bytes) -> list[Optional[Seal]]:
        """How the file is sealed there, of each that was read."""
        there = [one[path] for one in self._at if path in one]
        return [self.seal[oid] for oid in there if oid in self.seal]

    def secrets(self, paths: Collection[bytes]) -> list[str]:
        """Object ids of those of the files that are surely kept encrypted."""
        there = [(path, one[path]) for one in self._at for path in paths if path in one]
        return [o for path, o in there if is_secret(self.seal.get(o), path)]


def _earlier(git: Git, commits: Commits) -> Iterator[tuple[bytes, str]]:
    """Path and object id of all that commits of the attempt bring; folders and links as well."""
    commit, head, base = commits
    listed = git.run("rev-list", "--objects", commit, f"^{head}", f"^{base}").stdout
    for line in listed.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if path:
            yield path, oid.decode("ascii")


def _plain(git: Git, commit: str) -> Iterator[tuple[bytes, str]]:
    """Path and object id of the plain files of a commit."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout
    for record in listed.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if facts.startswith(b"100"):
            yield path, facts[-40:].decode("ascii")


def _moved(
    git: Git, commits: Commits, secrets: Sequence[str]
) -> dict[bytes, list[str]]:
    """Where commits of the attempt put files of the branch as they were: path -> object ids."""
    wanted = list(dict.fromkeys(secrets))[:_MOVED]
    if not wanted:
        return {}
    commit, head, base = commits
    latest = git.run(
        *("rev-list", f"--max-count={_MOVES}", "--no-merges"),
        *(commit, f"^{head}", f"^{base}"),
    ).stdout
    fields = git.run(
        *("diff-tree", "--stdin", "-r", "-z", "--root", "--no-commit-id", "--raw"),
        *("--no-renames", "--no-abbrev", *(f"--find-object={o}" for o in wanted)),
        stdin=latest,
    ).stdout.split(b"\0")
    found: dict[bytes, list[str]] = {}
    for facts, path in zip(fields[0::2], fields[1::2]):
        oid = facts.split(b" ")[3].decode("ascii")
        if oid in wanted:
            found.setdefault(path, []).append(oid)
    return found


def _in_commits(
    git: Git,
    commits: Commits,
    files: Mapping[bytes, str],
    found: Sequence[tuple[bytes, str]],
) -> Iterator[tuple[bytes, str]]:
    """Those that are a plain file in a commit of the attempt, and not a link; the last first."""
    yield from (one for one in found if files.get(one[0]) == one[1])
    commit, head, base = commits
    rest = iter(found)
    while some := list(islice(rest, _PATHS)):
        fields = git.run(
            *("log", "--format=", "--raw", "-z", "-m", "--no-renames", "--no-abbrev"),
            *("--full-history", commit, f"^{head}", f"^{base}", "--"),
            *dict.fromkeys(os.fsdecode(path) for path, _ in some),
        ).stdout.split(b"\0")
        there = set()
        for facts, path in zip(fields[0::2], fields[1::2]):
            _, mode, _, oid, _ = facts.split(b" ")
            if mode.startswith(b"100"):
                there.add((path, oid.decode("ascii")))
        yield from (one for one in some if one in there)


def _blobs(git: Git, oids: Collection[str]) -> dict[str, Stored]:
    return {oid: one for oid, one in sizes_of(git, oids).items() if one.kind == BLOB}


def _seals(
    git: Git, sizes: Mapping[str, Stored]
) -> Iterator[tuple[str, Optional[Seal]]]:
    """How each of these that is small enough to be read is sealed: None is not at all."""
    batch: list[str] = []
    room = _AT_ONCE
    small = [(oid, one.size) for oid, one in sizes.items() if one.size <= READ]
    for oid, size in (*small, ("", _AT_ONCE + 1)):
        if size > room:
            for found, text in contents(git, batch).items():
                yield found, seal_of(bytes(text))
            batch, room = [], _AT_ONCE
        batch.append(oid)
        room -= size


def _named(git: Git, commits: Sequence[str]) -> bool:
    """Whether attributes of any of the commits may name a filter that encrypts."""
    patterns = git.using({"GIT_LITERAL_PATHSPECS": "0"})
    # No pattern: what one costs on a line of a megabyte is its square.
    found = patterns.run(
        *("grep", "-q", "-a", "-F", "-e", "filter="),
        *dict.fromkeys(commits),
        *("--", ":(top,glob)**/.gitattributes"),
        ok=(0, 1),
    )
    if found.status:
        return False
    for commit in dict.fromkeys(commits):
        files, over = read_attributes(git, commit)
        if over or any(names_one(one.text) for one in files):
            return True
    return False


def names_one(attributes: bytes) -> bool:
    """Whether a word of a file of attributes names such a filter. Pure, linear."""
    words = _BLANKS.split(attributes)
    return any(_ENCRYPTS.search(word.partition(b"filter=")[2]) for word in words)


def _given(
    git: Git, commits: Commits, paths: Sequence[bytes]
) -> Iterator[tuple[bytes, str]]:
    """Those of the paths that belong to a filter that encrypts, and its name."""
    for commit in dict.fromkeys(commits):
        # What git would not come to an end with is refused by its own name, and not read.
        if commit == commits[0] and too_costly(git, commit):
            continue
        for path, value in values_of(git, commit, paths, "filter"):
            if _ENCRYPTS.search(value):
                yield path, value.decode("utf-8", "backslashreplace")
