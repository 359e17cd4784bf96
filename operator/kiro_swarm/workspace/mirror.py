"""The trusted bare mirror on the swarm's volume, and its integration branch.

Role: the prepare job calls ``prepare_mirror`` first of all; everything else opens
what it made. Agents mount it read-only and borrow its objects.

Guarantees: may be called again at any time and after being killed anywhere; fetches the
wanted ref only, with the tags in its history; the integration branch is created by
compare-and-swap and follows the wanted ref until something is merged into it, so that a
repaired spec is read; from then on it is never moved here. The mirror says whose it is before
anything is fetched into it, and that of another repository or swarm is left as it is.

Refs: ``refs/heads/<integration>``; ``refs/kiro/source``, the wanted ref as last fetched;
``refs/kiro/remote``, the remote's integration branch; ``refs/kiro/start``, where this
swarm's own history begins (set once).
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace.answers import no_git
from kiro_swarm.workspace.arriving import beside, take_in
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.disk import folders, remove
from kiro_swarm.workspace.errors import (
    BrokenRepository,
    GitFailed,
    GitHindered,
    RefNotFound,
    RemoteError,
    VolumeOfAnother,
    volume_trouble,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import remove_stale_locks, sole_owner_of_mirror
from kiro_swarm.workspace.patterns import too_costly
from kiro_swarm.workspace.plain_refs import read_refs
from kiro_swarm.workspace.refs import check_branch, is_object_id
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.tags import DROPPED, drop_broken, follow_tags
from kiro_swarm.workspace.whose import REMEDY, Owner, is_marked, mark, owner_in

log = logging.getLogger(__name__)

SOURCE_REF = "refs/kiro/source"
START_REF = "refs/kiro/start"
_REMOTE_REF = "refs/kiro/remote"

# Beside our own settings file: what must hold for anybody who runs git here by hand.
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
"""


@dataclass(frozen=True)
class MirrorHead:
    """What the mirror holds: full commit ids.

    ``continued``: the integration branch was there before, in the mirror or remotely.
    ``remark``: what of the repository is not in it that people may look for.
    """

    source: str
    integration: str
    start: str
    continued: bool
    remark: str = ""


def prepare_mirror(
    mirror: Path,
    url: str,
    ref: Optional[str],
    integration_branch: str,
    credentials: Optional[Credentials] = None,
    swarm_uid: str = "",
    begun: bool = False,
) -> MirrorHead:
    """Make or refresh the mirror of ``ref`` (a branch, a tag or a full commit id).

    None: the remote's default branch, which its HEAD leads to.

    :param begun: the swarm was prepared before, so a mirror that says nothing is its own.

    Raises VolumeOfAnother, InvalidUrl, InvalidRef, RemoteUnavailable, CredentialsRefused,
    CredentialsIncomplete, RefNotFound, BrokenRepository, RepositoryBusy, VolumeTrouble.
    """
    remote = Remote(url, credentials)
    check_branch(integration_branch)
    if ref is not None and not is_object_id(ref):
        check_branch(ref)
    _writable(mirror)
    owner = Owner(url, swarm_uid)
    with sole_owner_of_mirror(mirror) as held:
        marked = check_owner(mirror, owner, begun=begun)
        remove_stale_locks(mirror)
        git = Git(mirror, held=held)
        if not begun and owner_in(mirror) is None:
            _forget_fetched(mirror)
        _make(git, integration_branch)
        if not marked:
            mark(mirror, owner)
    branch = f"refs/heads/{integration_branch}"
    with fetched(mirror, remote, ref, SOURCE_REF, (branch, _REMOTE_REF)) as (git, said):
        found = replace(_branch_off(git, ref, integration_branch), remark=said)
        costly = too_costly(git, found.integration)
        if costly:
            raise BrokenRepository(f"no worktree can be made of it: {costly}")
        return found


def check_owner(mirror: Path, owner: Owner, *, begun: bool) -> bool:
    """Whether the mirror says that it is this one's; False: it says nothing, or not all.

    A mirror that an earlier release made says nothing. It is taken for the swarm's own where the
    swarm has begun, and where nothing in it would be lost or pushed elsewhere.

    Raises VolumeOfAnother.
    """
    marked = is_marked(mirror, owner)
    if not begun and owner_in(mirror) is None and _has_work(mirror):
        raise VolumeOfAnother(
            "the volume has merged or finished work, and this KiroSwarm has not begun:"
            f" it is another one's; {REMEDY}"
        )
    return marked


def claim(mirror: Path, owner: Owner) -> None:
    """Say whose it is in the mirror of a swarm that has begun, where nothing says it yet.

    Raises VolumeOfAnother, RepositoryBusy, VolumeTrouble, OSError.
    """
    if not check_owner(mirror, owner, begun=True) and mirror.is_dir():
        with sole_owner_of_mirror(mirror):
            mark(mirror, owner)


def _has_work(mirror: Path) -> bool:
    """Whether more is there than what was fetched: merges, work that waits for them."""
    refs = read_refs(mirror)
    ours = (SOURCE_REF, START_REF, _REMOTE_REF)
    # A branch that is continued begins at the remote's, and not where the swarm does.
    fetched = {refs.found[name] for name in ours if name in refs.found}
    for name in (*refs.found, *refs.broken):
        stays = name not in refs.broken and refs.found[name] in fetched
        moved = name.startswith("refs/heads/") and not stays
        more = name.startswith("refs/kiro/") and name not in ours
        if moved or (more and not name.startswith(f"{DROPPED}/")):
            return True
    shelves = mirror.parent / Path(naming.finished_folder("x")).parent
    return any(folders(shelf) for shelf in folders(shelves))


def _forget_fetched(mirror: Path) -> None:
    """Drop what was fetched before anybody said of what: it may be another repository.

    The objects as well: every agent can read the mirror. In this order what a kill leaves of it
    is no work either, and the next one, to whom it says nothing, drops the rest.
    """
    if not _has_work(mirror):
        for name in ("refs/heads", "packed-refs", "refs", "objects", "kiro-incoming"):
            remove(mirror / name)


def integration_head(mirror: Path, integration_branch: str) -> str:
    """The commit of the integration branch; RefNotFound when there is none yet."""
    return start_and_head(mirror, integration_branch)[1]


def start_and_head(mirror: Path, integration_branch: str) -> tuple[Optional[str], str]:
    """Where the swarm began, if that is known yet, and as ``integration_head``."""
    start, head = Git(mirror).commit_ids(
        START_REF, f"refs/heads/{check_branch(integration_branch)}"
    )
    if head is None:
        raise RefNotFound(
            f"the mirror {mirror} has no branch {integration_branch!r};"
            " the prepare job must have run first"
        )
    return start, head


def _writable(mirror: Path) -> None:
    """Make the folder. Raises VolumeTrouble where its volume is not ours to write to."""
    try:
        mirror.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=mirror):
            pass
    except OSError as error:
        raise volume_trouble(error, mirror) from error


def _make(git: Git, integration_branch: str) -> None:
    # Written whole and renamed: `git init` would leave half a file when killed.
    fresh = git.git_dir / "config.new"
    fresh.write_text(_CONFIGURATION)
    os.replace(fresh, git.git_dir / "config")
    git.run(
        *("init", "--quiet", "--bare", "--template="),
        f"--initial-branch={integration_branch}",
    )
    head = f"refs/heads/{integration_branch}"
    git.run("symbolic-ref", "HEAD", head)
    loose = git.git_dir / head
    if loose.is_file() and git.commit_id(head) is None:
        raise BrokenRepository(
            f"{head} of the mirror cannot be read ({loose.stat().st_size} bytes);"
            f" restore it from the log or delete {loose} to begin again"
        )


@contextmanager
def fetched(
    mirror: Path,
    remote: Remote,
    ref: Optional[str],
    into: str,
    *more: tuple[str, str],
) -> Iterator[tuple[Git, str]]:
    """Fetch a branch, a tag or a full commit id into the ref ``into``; hold the mirror then.

    git for the mirror's sole owner, and what is to be said of the tags in its history, mostly
    nothing. ``ref`` is None: what the remote's HEAD leads to. ``more``: full names of refs
    there and here, fetched when they exist there. Raises RefNotFound, BrokenRepository,
    RepositoryBusy and as Remote does.
    """
    with beside(mirror) as arrived:
        try:
            _fetch(arrived, remote, ref, into, *more)
        except BrokenRepository:
            with sole_owner_of_mirror(mirror) as held:
                # A tag that leads nowhere is in the way of all else, and stands for nothing.
                if not drop_broken(Git(mirror, held=held)):
                    raise
            _fetch(arrived, remote, ref, into, *more)
        # A version is a convenience: it does not matter if this fails, or how.
        said = _convenient(follow_tags, arrived, remote)
        with sole_owner_of_mirror(mirror) as held:
            remove_stale_locks(mirror)
            git = Git(mirror, held=held)
            with _broken():
                take_in(git, arrived, [into, *(here for _, here in more)])
            if said is not None:
                near = Remote(f"file://{arrived.git_dir}")
                _convenient(follow_tags, git, near)
            yield git, said or ""


def _convenient(
    follow: Callable[[Git, Remote], str], git: Git, remote: Remote
) -> Optional[str]:
    try:
        return follow(git, remote)
    except Exception:
        log.warning("not all tags are fetched", exc_info=True)
        return None


def _fetch(
    git: Git, remote: Remote, ref: Optional[str], into: str, *more: tuple[str, str]
) -> None:
    wanted = ["HEAD"] if ref is None else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    # HEAD is asked for in any case: it tells of what kind the object ids are.
    there = remote.list_refs(git, ["HEAD", *wanted, *(name for name, _ in more)])
    refspecs = [f"+{name}:{into}" for name in wanted if name in there][:1]
    if ref is not None and is_object_id(ref):
        refspecs = [f"+{ref}:{into}"]
    if not refspecs:
        raise _no_such_ref(git, remote, ref)
    refspecs += [f"+{name}:{here}" for name, here in more if name in there]
    with _broken():
        remote.fetch(git, refspecs)


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except GitHindered:
        raise  # it says nothing about the mirror
    except GitFailed as error:
        raise BrokenRepository(f"fetching into the mirror: {error.message}") from error


def _no_such_ref(git: Git, remote: Remote, ref: Optional[str]) -> RemoteError:
    branches: list[str] = sorted(remote.branches(git))
    if not branches:
        if not remote.speaks_git(git):
            return no_git(remote.url)
        where = "" if ref is None else f" to {ref!r}"
        return RefNotFound(
            f"repository {remote.url} is empty; push a first commit{where}"
        )
    lacks = f"has no branch or tag {ref!r}"
    if ref is None:
        lacks = "has no default branch (name one in spec.repository.ref)"
    return RefNotFound(
        f"repository {remote.url} {lacks}; its branches: {', '.join(branches[:5])}"
        + (", ..." if len(branches) > 5 else "")
    )


def _branch_off(git: Git, ref: Optional[str], integration_branch: str) -> MirrorHead:
    source = git.commit_id(SOURCE_REF)
    if source is None:
        shown = "its default branch" if ref is None else repr(ref)
        raise RefNotFound(f"{shown} (spec.repository.ref) does not lead to a commit")
    branch = f"refs/heads/{integration_branch}"
    remote_head = git.commit_id(_REMOTE_REF)
    here = git.commit_id(branch)
    begin = here or remote_head or source
    start = git.commit_id(START_REF)
    if here is not None and here == start and source != start:
        moved = ((branch, source, here), (START_REF, source, start))
        lines = [f"update {name} {new} {old}\n" for name, new, old in moved]
        git.run("update-ref", "--stdin", stdin=os.fsencode("".join(lines)))
        return MirrorHead(source, source, source, continued=True)
    # The start is set first: killed between the two, the next run sets the other.
    wanted: dict[str, str] = {}
    if start is None:
        start = _fork_point(git, source, begin)
        wanted[START_REF] = start
    if here is None:
        wanted[branch] = begin
    for name, commit in wanted.items():
        # The empty old value means: only if it does not exist.
        git.run("update-ref", "--end-of-options", name, commit, "")
    return MirrorHead(source, begin, start, continued=bool(here or remote_head))


def _fork_point(git: Git, source: str, head: str) -> str:
    found = git.run("merge-base", source, head, ok=(0, 1))
    return found.lines[0] if found.status == 0 else head
