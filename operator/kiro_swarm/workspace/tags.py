"""The tags of the source, for whoever asks git for a version (``git describe``).

Role: mirror.py fetches them, a cut and a checkout for gates copy them.

Guarantees: a tag is a convenience: without one, or with a damaged one, everything else goes
on as before. A tag that the source moved or dropped is so for whatever is cut after the next
fetch; for what was cut before, its object stays (``DROPPED``). By a name of the source no ref
but a tag is ever written. None of them is pushed. At most ``MOST`` are copied, by the order of
names from the end, where versions are newest.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Callable

from kiro_swarm.workspace.disk import write_plain
from kiro_swarm.workspace.git import Git

log = logging.getLogger(__name__)

MOST = 5000
#: Below it what a tag was, by the second in which it was dropped: worktrees have it still.
DROPPED = "refs/kiro/dropped"
_HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
_FORMAT = "%(refname)%00%(objectname)%00%(*objectname)"


def drop_outdated(git: Git, there: Callable[[], Mapping[str, str]]) -> None:
    """Drop the mirror's tags that the source has no longer, or has as something else.

    Fetching follows with what is new in the history: git moves no tag that is here, and one
    that was moved to where nobody has fetched from brings nothing with it.

    :param there: asks the source for its tags; not called while the mirror has none.
    """
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/")
    lines = listed.lines
    if not lines:
        return
    wanted = there()
    here = (line.split(" ", 1) for line in lines)
    gone = [(oid, name) for oid, name in here if wanted.get(name) != oid]
    if gone:
        stay = _readable(git, {oid for oid, _ in gone})
        text = "".join(
            [f"update {DROPPED}/{int(time.time())}/{oid} {oid}\n" for oid in stay]
            + [f"delete {name} {oid}\n" for oid, name in gone]
        )
        git.run("update-ref", "--stdin", stdin=os.fsencode(text))


def _readable(git: Git, oids: Collection[str]) -> list[str]:
    """Those that are here: no ref can be made of another one."""
    asked = "".join(f"{oid}\n" for oid in sorted(oids)).encode("ascii")
    told = git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
    words = (line.split(" ") for line in told.lines)
    return [oid for oid, kind, *_ in words if kind != "missing"]


def forget_dropped(git: Git, before: float) -> None:
    """Let go of what was dropped before that second, and of the oldest beyond ``MOST``.

    The caller is sole owner of the mirror, and knows that nothing was cut earlier which is in
    use.
    """
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", DROPPED)
    dropped: list[tuple[int, str]] = []
    for line in listed.lines:
        oid, ref = line.split(" ", 1)
        second = ref[len(DROPPED) + 1 :].partition("/")[0]
        if second.isdigit():
            dropped.append((int(second), f"delete {ref} {oid}\n"))
    dropped.sort(reverse=True)
    young = sum(second >= before for second, _ in dropped)
    gone = [line for _, line in dropped[min(young, MOST) :]]
    if gone:
        git.run("update-ref", "--stdin", stdin=os.fsencode("".join(gone)))


def copy_tags(mirror: Path, repository: Path) -> None:
    """Give a repository that borrows from the mirror its tags; it has no packed refs yet."""
    try:
        packed = _packed(Git(mirror))
        if packed:
            write_plain(repository / "packed-refs", os.fsdecode(packed))
    except Exception:  # whatever it is, it is about a convenience
        log.warning("no tags are copied", exc_info=True)


def _packed(git: Git) -> bytes:
    """The newest tags as a file of packed refs. All in bytes: a name is any but a few."""
    listed = git.run(
        *("for-each-ref", "--sort=-version:refname", f"--count={MOST}"),
        *(f"--format={_FORMAT}", "refs/tags/"),
        ok=(0, 1, 128),
    ).stdout
    lines: list[bytes] = []
    # As git sorts them: by the bytes of their names.
    for name, oid, peeled in sorted(
        tuple(line.split(b"\0")) for line in listed.split(b"\n") if line
    ):
        lines.append(oid + b" " + name + b"\n" + (b"^" + peeled + b"\n") * bool(peeled))
    return _HEADER + b"".join(lines) if lines else b""
