"""Files that a repository keeps encrypted (git-crypt, transcrypt and the like).

Role: proof.py asks before anything is Done, and before it is merged. No filter runs here, so what
an agent writes into such a file would be merged, and pushed, for everybody to read.

Guarantees: what the attributes of the branch, of where the attempt began, or of its own commit
give to a filter that encrypts is taken only as the branch has it, or encrypted, in each commit of
the attempt: all of them are pushed. What the branch has readable under that name may be edited.
Nothing is changed. One process where no attributes name such a filter. A file is known by the name
that git walks to it by; what lies elsewhere as well, without a filter, is readable there anyhow.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Optional

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.objects import BLOB, Stored, contents, sizes_of

#: In the name of a filter; as git's grep and ours read it. An "image" is no "age".
_WORDS: Final = "crypt|cipher|secret|vault|sops|gpg|openssl|strongbox"
_AGE: Final = "age([^a-z]|$)"
_ENCRYPTS: Final = re.compile(
    f"{_WORDS}|(^|[^a-z]){_AGE}".encode("ascii"), re.IGNORECASE
)
_IN_ATTRIBUTES: Final = f"filter=([^ \t]*({_WORDS})|([^ \t]*[^a-z])?{_AGE})"
#: What a file begins with that is encrypted: git-crypt, openssl (transcrypt), age, PGP, strongbox,
#: Ansible Vault; the last are packets of PGP that hold the key of a session.
_ENCRYPTED: Final = re.compile(
    rb"\0GITCRYPT\0|U2FsdGVkX1|Salted__|age-encryption\.org/|-----BEGIN AGE ENCRYPTED"
    rb"|-----BEGIN PGP MESSAGE|# STRONGBOX|\$ANSIBLE_VAULT;"
    rb"|\x84.\x03|\x85..\x03|\xc1.{1,2}\x03|\x8c.\x04",
    re.DOTALL,
)
#: What sops, which encrypts values, writes anew into a file each time that it encrypts some.
_SOPS: Final = re.compile(rb"mac[\"']?[ \t]*[:=][ \t]*[\"']?(ENC\[[^\]]*\])")
#: A larger one is not read, and not taken; of smaller ones, so much at once.
READ: Final = 8 << 20
_AT_ONCE: Final = 32 << 20


class Readable(NamedTuple):
    """A file that is to be encrypted and is not known to be; the name of its filter."""

    path: bytes
    filter: str
    size: int


def readable(
    git: Git, commits: tuple[str, str, str], files: Mapping[bytes, str]
) -> Optional[Readable]:
    """What of an attempt is to be encrypted and is not; or None.

    :param commits: of the attempt, of the branch, and where it began: their attributes count.
    :param files: path -> object id of plain files that are new or changed.
    """
    if not _named(git, commits):
        return None
    brought = [*files.items(), *_earlier(git, commits)]
    given = dict(_given(git, commits, list({path for path, _ in brought})))
    if not given:
        return None
    before = [_plain(git, commit) for commit in dict.fromkeys(commits[1:])]
    known = {oid for one in before for oid in one.values()}
    new = [(p, oid) for p, oid in brought if p in given and oid not in known]
    old = {path: [one[path] for one in before if path in one] for path, _ in new}
    asked = {oid for _, oid in new}.union(*old.values())
    sizes = {o: one for o, one in sizes_of(git, asked).items() if one.kind == BLOB}
    seals = dict(_seals(git, sizes))
    for path, oid in new:
        was = [seals[one] for one in old[path] if one in seals]
        seal = seals.get(oid)
        sealed = seal is not None and (not seal or seal not in was)
        if oid not in sizes or sealed or None in was:
            continue
        if files.get(path) == oid or oid in _files_at(git, commits, path):
            return Readable(path, given[path], sizes[oid].size)
    return None


def _earlier(git: Git, commits: tuple[str, str, str]) -> Iterator[tuple[bytes, str]]:
    """Path and object id of all that commits of the attempt bring; folders and links as well."""
    commit, head, base = commits
    listed = git.run("rev-list", "--objects", commit, f"^{head}", f"^{base}").stdout
    for line in listed.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if path:
            yield path, oid.decode("ascii")


def _plain(git: Git, commit: str) -> dict[bytes, str]:
    """Path -> object id of the plain files of a commit."""
    found: dict[bytes, str] = {}
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout
    for record in listed.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if facts.startswith(b"100"):
            found[path] = facts[-40:].decode("ascii")
    return found


def _files_at(git: Git, commits: tuple[str, str, str], path: bytes) -> set[str]:
    """What the commits of the attempt have as a plain file there, and not as a link."""
    commit, head, base = commits
    fields = git.run(
        *("log", "--format=", "--raw", "-z", "-m", "--no-renames", "--no-abbrev"),
        *("--full-history", commit, f"^{head}", f"^{base}", "--", os.fsdecode(path)),
    ).stdout.split(b"\0")
    facts = [field.split(b" ") for field in fields[0::2] if field]
    return {one[3].decode("ascii") for one in facts if one[1].startswith(b"100")}


def _seals(
    git: Git, sizes: Mapping[str, Stored]
) -> Iterator[tuple[str, Optional[tuple[bytes, ...]]]]:
    """How each of these that is small enough to be read is sealed: None is not at all."""
    batch: list[str] = []
    room = _AT_ONCE
    small = [(oid, one.size) for oid, one in sizes.items() if one.size <= READ]
    for oid, size in (*small, ("", _AT_ONCE + 1)):
        if size > room:
            for found, text in contents(git, batch).items():
                yield found, _seal(bytes(text))
            batch, room = [], _AT_ONCE
        batch.append(oid)
        room -= size


def _seal(text: bytes) -> Optional[tuple[bytes, ...]]:
    """None of a readable text; of sops, what is other after each time that it has encrypted."""
    if not text or _ENCRYPTED.match(text):
        return ()
    return tuple(_SOPS.findall(text)) or None


def _named(git: Git, commits: Sequence[str]) -> bool:
    """Whether attributes of any of the commits name a filter that encrypts."""
    patterns = git.using({"GIT_LITERAL_PATHSPECS": "0"})
    found = patterns.run(
        *("grep", "-q", "-i", "-E", "-e", _IN_ATTRIBUTES),
        *dict.fromkeys(commits),
        *("--", ":(top,glob)**/.gitattributes"),
        ok=(0, 1),
    )
    return found.status == 0


def _given(
    git: Git, commits: Sequence[str], paths: Sequence[bytes]
) -> Iterator[tuple[bytes, str]]:
    """Those of the paths that belong to a filter that encrypts, and its name."""
    asked = b"".join(path + b"\0" for path in paths)
    with tempfile.TemporaryDirectory(prefix="kiro-filters-") as folder:
        own = git.using({"GIT_INDEX_FILE": str(Path(folder, "index"))})
        for commit in dict.fromkeys(commits):
            own.run("read-tree", commit)
            answer = own.run(
                *("check-attr", "--cached", "-z", "--stdin", "filter"), stdin=asked
            ).stdout.split(b"\0")
            for path, value in zip(answer[0::3], answer[2::3]):
                if _ENCRYPTS.search(value):
                    yield path, value.decode("utf-8", "backslashreplace")
