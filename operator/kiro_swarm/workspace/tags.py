"""The tags of the source, for whoever asks git for a version (``git describe``).

Role: mirror.py fetches them, a cut and a checkout for gates copy them.

Guarantees: a tag is a convenience: without one, or with a damaged one, everything else goes
on as before. None of them is ever pushed. At most ``MOST`` are copied, by the order of names
from the end, where versions are newest.
"""

from __future__ import annotations

from pathlib import Path

from kiro_swarm.workspace.disk import write_plain
from kiro_swarm.workspace.git import Git

MOST = 5000
_HEADER = "# pack-refs with: peeled fully-peeled sorted \n"
_FORMAT = "%(refname)%00%(objectname)%00%(*objectname)"


def copy_tags(mirror: Path, repository: Path) -> None:
    """Give a repository that borrows from the mirror its tags; it has no packed refs yet."""
    listed = Git(mirror).run(
        *("for-each-ref", "--sort=-version:refname", f"--count={MOST}"),
        *(f"--format={_FORMAT}", "refs/tags/"),
        ok=(0, 1, 128),
    )
    lines: list[str] = []
    # As git sorts them: by their bytes.
    for line in sorted(listed.stdout.decode("utf-8", "surrogateescape").splitlines()):
        name, oid, peeled = line.split("\0")
        lines.append(f"{oid} {name}\n" + (f"^{peeled}\n" if peeled else ""))
    if lines:
        write_plain(repository / "packed-refs", _HEADER + "".join(lines))
