"""Files of work that is in the mirror already, held to the policy of today.

Role: proof.py. Finished work is taken into the mirror at once and may wait for a person for
days; whether its files are small enough (weight.py) was judged by the policy of then.

Guarantees: git is asked once, and reads no file. What the branch has anywhere in its history is
not counted: a host has taken it.
"""

from __future__ import annotations

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import ANY_FILE, Limits, file_too_large


def refuse_large_files(git: Git, commit: str, head: str, limits: Limits) -> None:
    """Raise ObjectsRefused, FileTooLarge, if the commits that ``head`` has not bring one."""
    if limits.file_bytes == ANY_FILE:
        return
    found = _larger(git, limits.file_bytes, commit, f"^{head}")
    if not found:
        return
    # Without ``^head`` beside it git walks less of what head has than there is.
    found -= _larger(git, limits.file_bytes, head)
    listed = git.run("rev-list", "--objects", commit, f"^{head}").stdout
    for line in listed.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if oid.decode("ascii") in found:
            size = int(git.run("cat-file", "-s", oid.decode("ascii")).text)
            raise file_too_large(path, size, limits)


def _larger(git: Git, size: int, *commits: str) -> set[str]:
    """The blobs of more bytes that these commits lead to."""
    listed = git.run(
        *("rev-list", "--objects", "--no-object-names", "--filter-print-omitted"),
        f"--filter=blob:limit={size + 1}",
        *commits,
    ).lines
    return {line[1:] for line in listed if line.startswith("~")}
