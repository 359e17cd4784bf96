"""One instance's repository and its one worktree, made good again for every task.

Role: ``kiro-swarm workspace cut`` runs ``cut`` in the agent container, before a task;
evidence.py uses ``Instance`` after it.

Guarantees: after a cut the folder is as that of an instance that never had a task: a
clean worktree on the task's branch at the integration head, and a repository that holds
nothing but tags and what borrows from the mirror. Whatever was in the folder is gone, objects first
of all: a planted one would be read in the place of the mirror's, and end up in the next
task's work. Finished work is elsewhere by then (finished.py). May be called again after
being killed anywhere.
"""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.workspace.disk import (
    read_plain,
    real_folder,
    remove,
    remove_attributes,
    write_plain,
)
from kiro_swarm.workspace.errors import VolumeTrouble, not_ours
from kiro_swarm.workspace.git import WORKTREE_SECONDS, Git
from kiro_swarm.workspace.locks import LOCK_NAME, sole_owner
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.patterns import told_of_patterns
from kiro_swarm.workspace.plain import is_readable, make_plain
from kiro_swarm.workspace.refs import check_task_branch, is_object_id
from kiro_swarm.workspace.settled import settle
from kiro_swarm.workspace.tags import copy_tags

log = logging.getLogger(__name__)

#: What a cut could not remove is kept out of the way under such a name.
_STUCK = ".kiro-not-ours-"
_CONFIGURATION = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tfsync = all
\tfsyncMethod = fsync
[gc]
\tauto = 0
\tpruneExpire = never
[maintenance]
\tauto = false
[user]
\tname = kiro-swarm
\temail = swarm@kiro.dev
"""


@dataclass(frozen=True)
class Instance:
    """The places in an instance's folder."""

    folder: Path

    @property
    def repository(self) -> Path:
        """The bare repository: own refs, objects borrowed from the mirror."""
        return self.folder / "repo.git"

    @property
    def tree(self) -> Path:
        """The worktree, what agent and editor see."""
        return self.folder / "tree"

    @property
    def admin(self) -> Path:
        """git's own folder for the worktree: HEAD and index."""
        return self.repository / "worktrees" / "tree"

    @property
    def mirror(self) -> Path:
        """Where the mirror is on the volume that the folder is on."""
        return self.folder.resolve().parent.parent / "repo.git"

    def restore_settings(self, branch: str) -> None:
        """Write configuration and pointers anew; drop hooks and all that runs or hides.

        What is neither a file nor a folder goes, for git waits at it (plain.py). Leaves refs,
        objects, index and a readable HEAD alone; a HEAD that git could not read leads to
        ``branch`` afterwards.
        """
        real_folder(self.repository)
        make_plain(self.repository)
        real_folder(self.repository / "refs")
        self._borrow_again()
        write_plain(self.repository / "config", _CONFIGURATION)
        for name in ("hooks", "info", "config.worktree", "commondir", "shallow"):
            remove(self.repository / name)
        real_folder(self.admin.parent)
        real_folder(self.admin)
        for name in ("config.worktree", "info", "hooks"):
            remove(self.admin / name)
        write_plain(self.admin / "commondir", "../..\n")
        write_plain(self.admin / "gitdir", f"{self.tree}/.git\n")
        head = read_plain(self.admin / "HEAD").strip()
        if not (head.startswith("ref: refs/heads/") or is_object_id(head)):
            self.attach(branch)

    def _borrow_again(self) -> None:
        """Borrow from the mirror, and from what an agent named where it can be read."""
        mirror = str(self.mirror / "objects")
        objects = self.repository / "objects"
        if os.path.isdir(mirror) and objects.is_dir():
            real_folder(objects / "info")
            said = read_plain(objects / "info" / "alternates").split("\n")
            more = [x for x in said if x and x != mirror and is_readable(Path(x))]
            lines = "".join(f"{line}\n" for line in (mirror, *more))
            write_plain(objects / "info" / "alternates", lines)

    def attach(self, branch: str) -> None:
        """Make the worktree stand on ``branch``."""
        write_plain(self.admin / "HEAD", f"ref: refs/heads/{branch}\n")


@dataclass(frozen=True)
class Cut:
    """A worktree ready for a task: ``base`` is the commit it was cut from."""

    base: str
    branch: str
    tree: str

    def to_json(self) -> dict[str, str]:
        """As the command line prints it."""
        return {"base": self.base, "branch": self.branch, "tree": self.tree}


def cut(folder: Path, mirror: Path, branch: str, integration_branch: str) -> Cut:
    """Give the instance a clean worktree on ``branch`` at the integration head.

    Nothing of what was in the folder is left, but what no agent can have put there
    (``_remove``). Raises InvalidRef, RefNotFound, RepositoryBusy, VolumeTrouble, GitFailed.
    """
    check_task_branch(branch)
    base = integration_head(mirror, integration_branch)
    instance = Instance(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sole_owner(folder) as held:
        _clear(folder)
        _make_repository(instance.repository, mirror)
        copy_tags(mirror, instance.repository)
        git = Git(instance.repository, held=held, seconds=WORKTREE_SECONDS)
        with told_of_patterns(git, base):
            git.run(
                *("worktree", "add", "--quiet", "--force", "--no-track", "-B", branch),
                *("--end-of-options", str(instance.tree), base),
            )
        settle(instance.tree, instance.admin / "index")
    return Cut(base, branch, str(instance.tree))


def clear(folder: Path) -> None:
    """Empty the instance's folder: there is nothing for git in it until the next cut.

    Raises RepositoryBusy, VolumeTrouble, OSError.
    """
    with sole_owner(folder):
        _clear(folder)


def _clear(folder: Path) -> None:
    """Empty the folder, down to what an agent can attach to the folder itself."""
    real_folder(folder)
    for name in os.listdir(folder):
        if name != LOCK_NAME:
            _remove(folder, name)
    remove_attributes(folder)


def _remove(folder: Path, name: str) -> None:
    """Remove one entry of an instance's folder, or what can be of it.

    What stays is another user's, or immutable: no agent can make such a thing, so nothing of
    theirs is in it. It must not keep the instance from working: it is moved out of the way, and
    tried again by the next cut.
    """
    try:
        remove(folder / name)
    except PermissionError as error:
        if name.startswith(_STUCK):
            return
        log.warning("%s", not_ours(error, folder))
        aside = folder / f"{_STUCK}{secrets.token_hex(8)}"
        try:
            os.rename(folder / name, aside)
        except OSError:
            raise VolumeTrouble(
                f"{not_ours(error, folder)}, and it cannot be moved out of the way",
                reason="VolumeNotWritable",
            ) from error


def _make_repository(repository: Path, mirror: Path) -> None:
    for folder in ("", "refs", "objects", "objects/info", "objects/pack"):
        real_folder(repository / folder)
    alternates = repository / "objects" / "info" / "alternates"
    write_plain(alternates, f"{mirror.resolve() / 'objects'}\n")
    write_plain(repository / "config", _CONFIGURATION)
    write_plain(repository / "HEAD", "ref: refs/heads/none\n")
