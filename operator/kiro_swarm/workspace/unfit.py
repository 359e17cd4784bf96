"""Files that git cannot take back as it checked them out, and that nobody has touched.

Role: staging.py asks when git cannot convert a file of the worktree.

A line of ``.gitattributes`` may name an encoding that does not fit a file of the tree: nobody
notices when the two come from different tasks, for a checkout writes such a file as it is, and
git complains only when the file is added. Evidence adds every file to a new index, so one such
pair would end every later attempt, whatever it is about.

Guarantees: only a file that looks as a checkout makes it look is named, and only where the
encoding is what the commit says that the work began from: a line that this attempt wrote is this
attempt's to answer for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.unchanged import Change, as_checked_out

_ENCODING = "working-tree-encoding"
_NONE = (b"unspecified", b"unset", b"")
_SHOWN = 5


def unfit(git: Git, tree: Path, commits: Sequence[str]) -> list[bytes]:
    """Paths with an encoding in the index of ``git`` that are as they were checked out.

    :param commits: the one that the index holds, and the one that the work began from, last.
    """
    entries = _entries(git)
    encoded = _encodings(git, list(entries))
    if not encoded:
        return []
    with tempfile.TemporaryDirectory(prefix="kiro-encodings-") as folder:
        own = git.using({"GIT_INDEX_FILE": str(Path(folder, "index"))})
        own.run("read-tree", commits[-1])
        before = _encodings(own, list(encoded), "--cached")
    left = [entries[path] for path, said in encoded.items() if before.get(path) == said]
    found: list[bytes] = []
    for commit in dict.fromkeys(commits):
        if left:
            every = {entry.path for entry in left}
            same = {c.path for c in as_checked_out(git, tree, commit, left, every)}
            found += same
            left = [entry for entry in left if entry.path not in same]
    return sorted(found)


def words(paths: Sequence[bytes]) -> str:
    """What people should know of it; empty for no path."""
    if not paths:
        return ""
    shown = [shown_name(p.decode("utf-8", "backslashreplace")) for p in paths[:_SHOWN]]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return (
        f"left as they were, for {_ENCODING} in .gitattributes does not fit all of them and"
        f" git cannot add them: {', '.join(shown)}{more}; correct the line, or the file"
    )


def _entries(git: Git) -> dict[bytes, Change]:
    """Every plain file of the index, as a change of it."""
    found: dict[bytes, Change] = {}
    for record in git.run("ls-files", "--stage", "-z").stdout.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if facts.startswith(b"100"):
            mode, oid, _ = facts.decode("ascii").split(" ")
            found[path] = Change(path, mode, oid, oid, "M")
    return found


def _encodings(git: Git, paths: Sequence[bytes], *options: str) -> dict[bytes, bytes]:
    """The encodings that attributes give these paths; of the worktree, or ``--cached``."""
    answer = git.run(
        *("check-attr", *options, "-z", "--stdin", _ENCODING),
        stdin=b"".join(path + b"\0" for path in paths),
    ).stdout.split(b"\0")
    said = zip(answer[0::3], answer[2::3])
    return {path: value for path, value in said if value not in _NONE}
