"""The files of a commit, for a gate to run on.

Role: ``kiro-swarm workspace checkout`` runs ``checkout_tree`` in the gate container.

Gates ask git (``git diff --exit-code`` after code was generated, ``git describe``), so the
result is a worktree of a repository of its own, at a detached HEAD, in which git sees no
change before somebody makes one (settled.py).

Guarantees: the mirror is only read; no filter, hook or driver runs, for none is configured.
Earlier files in the folder are gone afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import clear_folder
from kiro_swarm.workspace.errors import RefNotFound
from kiro_swarm.workspace.git import WORKTREE_SECONDS, Git
from kiro_swarm.workspace.patterns import told_of_patterns
from kiro_swarm.workspace.refs import check_object_id
from kiro_swarm.workspace.settled import settle
from kiro_swarm.workspace.tags import copy_tags


@dataclass(frozen=True)
class Checkout:
    """The files of ``commit`` are in ``tree``."""

    commit: str
    tree: str

    def to_json(self) -> dict[str, str]:
        """As the command line prints it."""
        return {"commit": self.commit, "tree": self.tree}


def checkout_tree(mirror: Path, commit: str, into: Path) -> Checkout:
    """Fill the folder ``into`` with the files of ``commit``, and nothing else.

    Raises InvalidRef, RefNotFound, GitFailed.
    """
    check_object_id(commit)
    if Git(mirror).commit_id(commit) is None:
        raise RefNotFound(f"commit {commit} is not in {mirror}")
    into.parent.mkdir(parents=True, exist_ok=True)
    clear_folder(into)
    own = into / ".git"
    make_borrower(own, mirror, commit, bare=False)
    copy_tags(mirror, own)
    git = Git(own, work_tree=into, index=own / "index", seconds=WORKTREE_SECONDS)
    git.run("read-tree", commit)
    with told_of_patterns(git, commit):
        git.run("checkout-index", "--all", "--force", "--quiet", "--index")
    settle(into, own / "index")
    return Checkout(commit, str(into))
