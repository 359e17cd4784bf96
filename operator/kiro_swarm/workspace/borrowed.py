"""An empty repository of our own that borrows the objects of the mirror.

Role: whoever has to look at commits without writing into the mirror works in one
(inspect.py, lookahead.py), and gates get one (checkout.py); intake.py gathers in one what
an instance offers.

Guarantees: nothing of it is anybody else's; what git writes stays in it.
"""

from __future__ import annotations

from pathlib import Path

from kiro_swarm.workspace.disk import real_folder, write_plain

_CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tbare = {}\n"


def make_borrower(path: Path, mirror: Path, head: str, *, bare: bool = True) -> None:
    """Make the repository at ``path``; ``head`` is what its HEAD holds.

    ``bare``: whether it has no worktree around it.
    """
    make_repository(path, head, bare=bare)
    borrow(path, mirror)


def make_repository(path: Path, head: str, *, bare: bool = True) -> None:
    """The same, which does not borrow yet."""
    for folder in ("", "refs", "objects", "objects/info", "objects/pack", "info"):
        real_folder(path / folder)
    write_plain(path / "HEAD", f"{head}\n")
    write_plain(path / "config", _CONFIGURATION.format(str(bare).lower()))


def borrow(path: Path, *lenders: Path) -> None:
    """From now on the objects of these repositories are its own, too."""
    alternates = path / "objects" / "info" / "alternates"
    lent = (f"{lender.resolve() / 'objects'}\n" for lender in lenders)
    write_plain(alternates, "".join(lent))
