"""Files that a repository keeps encrypted (git-crypt, transcrypt and the like).

Role: proof.py asks before anything is Done, and before it is merged. No filter runs here, so what
an agent writes into such a file would be merged, and pushed, for everybody to read.

Guarantees: what the attributes of the branch, of where the attempt began, or of its own commit
give to a filter that encrypts is taken only as it was there already, or encrypted. Nothing is
changed. One process where no attributes name such a filter.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Optional

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.objects import contents, sizes_of

#: In the name of a filter; as git's grep and ours read it. An "image" is no "age".
_WORDS: Final = "crypt|cipher|secret|vault|sops|gpg|openssl|strongbox"
_AGE: Final = "age([^a-z]|$)"
_ENCRYPTS: Final = re.compile(
    f"{_WORDS}|(^|[^a-z]){_AGE}".encode("ascii"), re.IGNORECASE
)
_IN_ATTRIBUTES: Final = f"filter=([^ \t]*({_WORDS})|([^ \t]*[^a-z])?{_AGE})"
#: What a file begins with that is encrypted: git-crypt, openssl (transcrypt), age, PGP, strongbox.
_ENCRYPTED: Final = (
    *(b"\0GITCRYPT\0", b"U2FsdGVkX1", b"Salted__", b"age-encryption.org/"),
    *(b"-----BEGIN AGE ENCRYPTED", b"-----BEGIN PGP MESSAGE", b"# STRONGBOX"),
)
#: A larger one is not read, and not taken.
_READ: Final = 8 << 20


def readable(
    git: Git, commits: Sequence[str], files: Mapping[bytes, str]
) -> Optional[tuple[bytes, str]]:
    """A file that is to be encrypted and is not, and the name of its filter; or None.

    :param commits: whose attributes count; what the last of them has already may be moved.
    :param files: path -> object id of plain files that are new or changed.
    """
    if not files or not _named(git, commits):
        return None
    given = dict(_given(git, commits, list(files)))
    if not given:
        return None
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commits[-1]).stdout
    known = {r.split(b"\t")[0][-40:].decode("ascii") for r in listed.split(b"\0") if r}
    new = {files[path] for path in given} - known
    small = {oid for oid, one in sizes_of(git, new).items() if one.size <= _READ}
    texts = contents(git, small)
    for path, name in given.items():
        oid = files[path]
        text = bytes(texts.get(oid, b"")[:32])
        empty = oid in texts and not text
        if oid in new and not empty and not text.startswith(_ENCRYPTED):
            return path, name
    return None


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
