"""Taking a commit from an instance's repository into the mirror, or a copy of it.

Role: the merge train calls ``take_in`` for a commit that an instance claims is Done,
inspect.py for one that a person wants to see.

Guarantees: git never opens the instance's repository, for the agent can write it. Only its
object files are linked (or copied) into a repository of our own, found without following
any link; from there they are fetched, so that our git proves every byte (fsck, hashes,
connectivity). No configuration, hook, ref or alternate of the agent is read. What is
larger than the limits is refused before git parses it (weight.py), and the git that
reads it has bounds on memory and time.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional

from kiro_swarm.workspace.borrowed import borrow, make_repository
from kiro_swarm.workspace.disk import read_plain, real_folder, remove
from kiro_swarm.workspace.errors import (
    MACHINE_ERRNOS,
    GitFailed,
    GitHindered,
    ObjectsRefused,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import ANY_FILE, Limits, in_units
from kiro_swarm.workspace.objects import packed_objects, sizes_of, stored_objects
from kiro_swarm.workspace.proving import fetch_proved
from kiro_swarm.workspace.refs import is_object_id
from kiro_swarm.workspace.weight import check_weight

_FOLDER = re.compile(r"[0-9a-f]{2}")
_LOOSE = re.compile(r"[0-9a-f]{38}([0-9a-f]{24})?")
_PACK = re.compile(r"pack-[0-9a-f]{40,64}\.(pack|idx)")
_MIB = 1024 * 1024
#: Folder, name in it, where to, bytes left: brings one file; how many bytes it has.
_Bring = Callable[[int, str, Path, int], int]


def take_in(
    git: Git,
    instance_dir: Path,
    commit: str,
    head: str,
    limits: Limits,
    *,
    copied: bool = False,
) -> bool:
    """Bring ``commit`` into the repository of ``git``, whose lock the caller holds.

    False: it was there. ``copied``: the repository is on another volume, where nothing can be
    linked. Raises ObjectsRefused with reason CommitMissing, TooLarge, FileTooLarge,
    ForeignFiles or BadObjects.
    """
    if git.commit_id(commit) is not None:
        _weigh_here(git, commit, head, limits)
        return False
    with _own_repository(git) as incoming:
        bring = _copy if copied else _link
        _gather_objects(instance_dir, incoming / "objects", limits, bring)
        _weigh(git, incoming, commit, limits)
        borrow(incoming, git.git_dir)
        fetched = fetch_proved(git.bounded(), incoming, commit)
    if fetched.status != 0:
        raise ObjectsRefused(
            f"git refused the objects of commit {commit}: {fetched.stderr.strip()}",
            reason="BadObjects",
        )
    return True


def claimed_commit(instance_dir: Path, branch: str) -> str:
    """Where the instance says that its branch is: an object id, not proved.

    ``branch`` is one that check_task_branch let through. Raises ObjectsRefused with reason
    CommitMissing or ForeignFiles.
    """
    found = read_branch(instance_dir, branch)
    if found is None:
        raise ObjectsRefused(
            f"branch {branch} is not in the instance's repository",
            reason="CommitMissing",
        )
    return found


def read_branch(folder: Path, branch: str) -> Optional[str]:
    """Where a branch of ``repo.git`` in the folder is, read from its files without git.

    ``branch`` is one that check_branch let through. Raises ObjectsRefused with reason
    ForeignFiles where the repository is not a plain folder.
    """
    *folders, name = f"refs/heads/{branch}".split("/")
    with ExitStack() as opened:
        place: Optional[int] = None
        for part in (str(folder), "repo.git"):
            place = opened.enter_context(_opened(part, place))
        packed = read_plain(Path("packed-refs"), place)
        with suppress(ObjectsRefused):
            for part in folders:
                place = opened.enter_context(_opened(part, place))
            loose = read_plain(Path(name), place).strip()
            if is_object_id(loose):
                return loose
    found = re.search(rf"^(\S+) refs/heads/{re.escape(branch)}$", packed, re.MULTILINE)
    return found[1] if found and is_object_id(found[1]) else None


def _weigh(git: Git, incoming: Path, commit: str, limits: Limits) -> None:
    count = packed_objects(incoming / "objects" / "pack")
    if count > limits.objects:
        raise _too_many(limits)
    ours = Git(incoming, seconds=git.seconds).bounded()
    try:
        table = stored_objects(ours)
        for known in sizes_of(git, table):
            del table[known]
        if commit not in table:
            raise ObjectsRefused(
                f"commit {commit} is not in the instance's repository",
                reason="CommitMissing",
            )
        check_weight(ours, git, table, commit, limits)
    except GitHindered:
        raise
    except GitFailed as error:
        raise ObjectsRefused(
            f"the objects of commit {commit} cannot be read: {error.message}",
            reason="BadObjects",
        ) from error


def _weigh_here(git: Git, commit: str, head: str, limits: Limits) -> None:
    """The same of what came with other work: only what that ended with was weighed then.

    The size of a single file is asked about by who knows what the branch has (largest.py).
    """
    listed = git.run(
        "rev-list", "--objects", "--no-object-names", commit, f"^{head}"
    ).lines
    try:
        _weigh_listed(git, listed, commit, limits)
    except ObjectsRefused:
        # What an earlier commit had is not brought by who brings it back, and git leaves out
        # what the newest has alone; the walk through all of them is for the few who need it.
        asked, head_has = set(listed), git.run(
            "rev-list", "--objects", "--no-object-names", head
        )
        known = {
            name
            for found in re.finditer(rb"[0-9a-f]+", head_has.stdout)
            if (name := found[0].decode("ascii")) in asked
        }
        if not known:
            raise
        fresh = [name for name in listed if name not in known]
        _weigh_listed(git, fresh, commit, limits)


def _weigh_listed(git: Git, listed: list[str], commit: str, limits: Limits) -> None:
    if len(listed) > limits.objects:
        raise _too_many(limits)
    table = sizes_of(git, listed)
    if commit in table:
        check_weight(git, git, table, commit, replace(limits, file_bytes=ANY_FILE))


def _too_many(limits: Limits) -> ObjectsRefused:
    return ObjectsRefused(
        f"the instance's repository holds more than {limits.objects} objects or"
        f" {in_units(limits.stored_bytes)}",
        reason="TooLarge",
    )


@contextmanager
def _own_repository(git: Git) -> Iterator[Path]:
    """One that does not borrow yet: what is in it is the instance's alone."""
    incoming = git.git_dir / "kiro-incoming"
    remove(incoming)
    make_repository(incoming, "ref: refs/heads/candidate")
    try:
        yield incoming
    finally:
        remove(incoming)


def _gather_objects(
    instance_dir: Path, target: Path, limits: Limits, bring: _Bring
) -> None:
    stored = count = 0
    with ExitStack() as opened:
        objects: Optional[int] = None
        for name in (str(instance_dir), "repo.git", "objects"):
            objects = opened.enter_context(_opened(name, objects))
        # Packs last: a file that is gone by then has been packed.
        for folder in sorted(os.listdir(objects)):
            pattern = _PACK if folder == "pack" else _LOOSE
            if folder != "pack" and not _FOLDER.fullmatch(folder):
                continue
            real_folder(target / folder)
            with _opened(folder, objects) as source:
                for name in filter(pattern.fullmatch, os.listdir(source)):
                    room = limits.stored_bytes - stored
                    stored += bring(source, name, target / folder / name, room)
                    count += 1
                    if stored > limits.stored_bytes or count > limits.objects:
                        raise _too_many(limits)


def _link(source: int, name: str, target: Path, room: int) -> int:
    """Link one file; its size in bytes. Checked after linking: nobody can swap it then."""
    try:
        os.link(name, target, src_dir_fd=source, follow_symlinks=False)
    except FileNotFoundError:
        return 0  # the agent has packed its objects since they were listed
    except OSError:
        # A folder, or a file system or an owner that does not let us.
        return _copy(source, name, target, room)
    facts = os.lstat(target)
    if not stat.S_ISREG(facts.st_mode):
        raise _foreign(target)
    return facts.st_size


def _copy(source: int, name: str, target: Path, room: int) -> int:
    """Copy one file as it is now, little more than ``room`` bytes; its size in bytes."""
    try:
        # Without O_NONBLOCK a pipe would keep us waiting for its writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=source)
    except FileNotFoundError:
        return 0  # the agent has packed its objects since they were listed
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise
        raise _foreign(target) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _foreign(target)
    with os.fdopen(descriptor, "rb") as opened, open(target, "xb") as copy:
        # The file may grow while it is read: its size is what was read of it.
        copied = 0
        while copied <= room and (part := opened.read(_MIB)):
            copied += copy.write(part)
    return copied


def _foreign(target: Path) -> ObjectsRefused:
    return ObjectsRefused(
        f"objects/{target.parent.name}/{target.name} is not a plain file",
        reason="ForeignFiles",
    )


@contextmanager
def _opened(name: str, parent: Optional[int] = None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=parent)
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise
        raise ObjectsRefused(
            f"{name} of the instance is not a plain folder ({error.strerror})",
            reason="ForeignFiles",
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
