"""One instance's repository and its one worktree, made good again for every task.

Role: ``kiro-swarm workspace cut`` runs ``cut`` in the agent container, before a task;
evidence.py uses ``Instance`` after it.

Guarantees: whatever the last agent did to its folder (a poisoned configuration, hooks,
planted refs, a deleted repository, folders it made unreadable), after a cut there is a
clean worktree on the task's branch at the integration head. Of what was there only git
objects and commits are kept: every commit that a ref led to stays reachable, so a Done
task that is not merged yet is not lost. May be called again after being killed anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.workspace.disk import (
    clear_folder,
    read_plain,
    real_folder,
    remove,
    write_plain,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import sole_owner
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.refs import check_task_branch, is_object_id, is_task_branch

_CONFIGURATION = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tfsync = all
\tfsyncMethod = batch
[gc]
\tauto = 0
\tpruneExpire = never
[maintenance]
\tauto = false
[user]
\tname = kiro-swarm
\temail = swarm@kiro.dev
"""
# An agent may make as many refs as it likes; we carry over so many.
_MAXIMUM_REFS = 5000
_PACKED_REF = re.compile(r"([0-9a-f]{40,64}) (refs/\S+)")


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

    def restore_settings(self, branch: str) -> None:
        """Write configuration and pointers anew; drop hooks and all that runs or hides.

        Leaves refs, objects, index and a readable HEAD alone; a HEAD that git could not
        read leads to ``branch`` afterwards.
        """
        real_folder(self.repository)
        real_folder(self.repository / "refs")
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

    A branch of that name that exists already begins anew; what it held stays reachable
    under ``refs/kept``. Raises InvalidRef, RefNotFound, RepositoryBusy, GitFailed.
    """
    check_task_branch(branch)
    base = integration_head(mirror, integration_branch)
    instance = Instance(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sole_owner(folder) as held:
        _rebuild(instance, mirror, held)
        clear_folder(instance.tree)
        Git(instance.repository, held=held).run(
            *("worktree", "add", "--quiet", "--force", "--no-track", "-B", branch),
            *("--end-of-options", str(instance.tree), base),
        )
    return Cut(base, branch, str(instance.tree))


def _rebuild(instance: Instance, mirror: Path, held: int) -> None:
    """Keep objects and commits, make everything else new.

    The order matters: the commits are noted in packed-refs before anything that led to
    them is removed, so a run that is killed in between loses none.
    """
    repository = instance.repository
    real_folder(repository)
    real_folder(repository / "objects")
    remove(repository / "objects" / "info")
    real_folder(repository / "objects" / "info")
    alternates = repository / "objects" / "info" / "alternates"
    write_plain(alternates, f"{mirror.resolve() / 'objects'}\n")
    real_folder(repository / "objects" / "pack")

    noted = dict(_refs_without_git(instance))
    if noted:
        _make_repository(repository, keep_refs=True)
        noted = _existing_commits(Git(repository, held=held), noted)
    write_plain(repository / "packed-refs", _packed(noted))
    _make_repository(repository, keep_refs=False)


def _make_repository(repository: Path, *, keep_refs: bool) -> None:
    kept = {"objects", "packed-refs"} | ({"refs", "worktrees"} if keep_refs else set())
    for name in os.listdir(repository):
        if name not in kept:
            remove(repository / name)
    real_folder(repository / "refs")
    write_plain(repository / "config", _CONFIGURATION)
    write_plain(repository / "HEAD", "ref: refs/heads/none\n")


def _refs_without_git(instance: Instance) -> Iterator[tuple[str, str]]:
    """Ref name -> object id of all refs and a detached HEAD, read as plain files."""
    repository = instance.repository
    found = 0
    for line in read_plain(repository / "packed-refs").splitlines():
        packed = _PACKED_REF.fullmatch(line)
        if packed and found < _MAXIMUM_REFS:
            found += 1
            yield packed[2], packed[1]
    for folder, _, names in os.walk(repository / "refs"):
        for name in names:
            path = Path(folder, name)
            content = read_plain(path).strip()
            if is_object_id(content) and found < _MAXIMUM_REFS:
                found += 1
                yield str(path.relative_to(repository)), content
    detached = read_plain(instance.admin / "HEAD").strip()
    if is_object_id(detached):
        yield "HEAD", detached


def _existing_commits(git: Git, refs: dict[str, str]) -> dict[str, str]:
    """Those refs that lead to a commit, under a name that is ours to give.

    A task branch keeps its name; anything else becomes ``refs/kept/<commit>``, so that
    no planted name can stand in the way of a later branch.
    """
    asked = "".join(f"{oid}\n" for oid in refs.values()).encode()
    answers = git.run("cat-file", "--batch-check", stdin=asked).text.splitlines()
    kept: dict[str, str] = {}
    for (name, oid), answer in zip(refs.items(), answers):
        if answer.split(" ")[1:2] != ["commit"]:
            continue
        kept[f"refs/kept/{oid}"] = oid
        if name.startswith("refs/heads/") and is_task_branch(
            name[len("refs/heads/") :]
        ):
            kept[name] = oid
    return kept


def _packed(refs: dict[str, str]) -> str:
    lines = [f"{refs[name]} {name}\n" for name in sorted(refs)]
    return "# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines)
