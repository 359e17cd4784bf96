"""What an agent did inside of submodules: a commit there is another repository's.

Role: evidence.py stages them by ``staged_by_us``, losses.py asks what is in them. Of a
submodule a task's commit holds an id and nothing else.

Guarantees: no configuration, hook or filter of a submodule is read or run (``git add`` would
ask for its status): git works in a repository of ours that borrows its objects, and its refs
are read as plain files. A submodule that is not checked out is as it was; one whose
repository is not in the instance's folder is not looked into.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import read_plain, walk
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.objects import COMMIT, sizes_of
from kiro_swarm.workspace.refs import is_object_id
from kiro_swarm.workspace.staging import StagedChange

_LINK = "160000"
_MOST = 200
_MOST_REFS = 2000
_LONGEST_URL = 200
#: Where a repository keeps what it has from others.
_OF_OTHERS = ("refs/remotes/", "refs/tags/")


@contextmanager
def staged_by_us(git: Git, instance: Instance) -> Iterator[None]:
    """While git stages the worktree, leave submodules out; then stage where they stand."""
    links = _links(git)
    names = b"".join(path + b"\0" for path in links)
    if links:
        git.run("update-index", "--skip-worktree", "-z", "--stdin", stdin=names)
    yield
    if links:
        git.run("update-index", "--no-skip-worktree", "-z", "--stdin", stdin=names)
        lines = [_staged(instance, path, oid) for path, oid in links.items()]
        git.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
        plain = [path for path in links if _is_plain(_place(instance, path))]
        if plain:
            git.run(
                *("add", "--pathspec-from-file=-", "--pathspec-file-nul"),
                stdin=b"\0".join(plain),
            )


def _links(git: Git) -> dict[bytes, str]:
    """Path -> commit of the submodules in the index."""
    found: dict[bytes, str] = {}
    for record in git.run("ls-files", "--stage", "-z").stdout.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if facts.startswith(b"160000"):
            found[path] = facts.decode("ascii").split(" ")[1]
    return found


def _staged(instance: Instance, path: bytes, oid: str) -> bytes:
    """One line for ``update-index --index-info``."""
    place = _place(instance, path)
    if _is_plain(place) or not os.path.lexists(place):
        return b"0 " + b"0" * len(oid) + b"\t" + path + b"\0"
    repository = _repository_of(instance, place)
    stands = _head(repository) if repository is not None else None
    return f"{_LINK} {stands or oid}\t".encode("ascii") + path + b"\0"


def _is_plain(place: Path) -> bool:
    """Whether a file, or a folder with files of the task's own, took the place."""
    if place.is_symlink() or not place.is_dir():
        return os.path.lexists(place)
    return not os.path.lexists(place / ".git") and bool(os.listdir(place))


def _head(repository: Path) -> Optional[str]:
    """Where the HEAD of a repository is, read from its files."""
    said = read_plain(repository / "HEAD").strip()
    if said.startswith("ref: refs/heads/") and ".." not in said:
        name = said[len("ref: ") :]
        said = read_plain(repository / name).strip()
        for line in read_plain(repository / "packed-refs").split("\n"):
            oid, _, packed = line.partition(" ")
            said = oid if packed == name and not said else said
    return said if is_object_id(said) else None


def _place(instance: Instance, path: bytes) -> Path:
    return Path(os.fsdecode(os.path.join(os.fsencode(instance.tree), path)))


def unpublished(instance: Instance, changes: Sequence[StagedChange]) -> list[str]:
    """Submodules that are staged at commits which no server is known to have."""
    found: list[str] = []
    for change in changes:
        if change.mode != _LINK or len(found) >= _MOST:
            continue
        if _only_here(instance, _place(instance, change.path), change.oid):
            found.append(f"{change.shown} ({change.oid[:12]})")
    return found


def unfetchable(git: Git, base: str, changes: Sequence[StagedChange]) -> list[str]:
    """What the index says of submodules that nobody else could fetch them by.

    ``changes``: of the index since ``base``. That is an address on this machine, where
    ``base`` has not the same, and none at all for a submodule that is new. A relative
    address is next to the repository's own.
    """
    urls = _urls(git, ":.gitmodules")
    local = {name: url for name, (_, url) in urls.items() if is_local(url)}
    before = _urls(git, f"{base}:.gitmodules") if local else {}
    said = [
        f"{name} (url {url[:_LONGEST_URL]!r})"
        for name, url in local.items()
        if before.get(name, ("", ""))[1] != url
    ]
    known = {path for path, url in urls.values() if url}
    for change in changes:
        if change.mode == _LINK != change.before and change.shown not in known:
            said.append(f"{change.shown} (no url in .gitmodules)")
    return said[:_MOST]


def _urls(git: Git, blob: str) -> dict[str, tuple[str, str]]:
    """Name -> path and url of what a ``.gitmodules`` says; nothing of one that is none."""
    listed = git.run(
        *("config", "--blob", blob, "--no-includes", "-z"),
        *("--get-regexp", r"^submodule\..*\.(path|url)$"),
        ok=range(256),
    )
    found: dict[str, tuple[str, str]] = {}
    for record in listed.stdout.decode("utf-8", "replace").split("\0"):
        key, _, value = record.partition("\n")
        name, _, field = key[len("submodule.") :].rpartition(".")
        if name:
            path, url = found.get(name, ("", ""))
            found[name] = (value, url) if field == "path" else (path, value)
    return found


def is_local(url: str) -> bool:
    """Whether an address is a path, as git reads it, or ``file:``."""
    if not url or url.startswith(("./", "../")) or url in (".", ".."):
        return False
    if url.lower().startswith("file:"):
        return True
    before_slash = url.partition("/")[0]
    return "://" not in url and ":" not in before_slash


def changed_inside(git: Git, instance: Instance) -> list[str]:
    """Submodules with files that are changed, or new, and not committed there."""
    return [
        path.decode("utf-8", "replace")
        for path in list(_links(git))[:_MOST]
        if _is_dirty(instance, _place(instance, path))
    ]


def _only_here(instance: Instance, place: Path, oid: str) -> bool:
    repository = _repository_of(instance, place)
    if repository is None:
        return False
    with _borrowed(repository) as git:
        if git.commit_id(oid) is None:
            return False
        known = sizes_of(git, sorted(set(_refs(repository))))
        lines = "".join(f"^{oid}\n" for oid in known if known[oid].kind == COMMIT)
        asked = f"{oid}\n{lines}".encode("ascii")
        new = git.run("rev-list", "--max-count=1", "--stdin", stdin=asked, ok=(0, 128))
        return new.status != 0 or bool(new.text)


def _is_dirty(instance: Instance, place: Path) -> bool:
    repository = _repository_of(instance, place)
    if repository is None or not (repository / "index").is_file():
        return False
    with _borrowed(repository) as own:
        index = own.git_dir / "index"
        # With its time, by which git knows what may have changed in that very second.
        shutil.copy2(repository / "index", index)
        git = Git(own.git_dir, work_tree=place, index=index)
        git.run("update-index", "-q", "--refresh", ok=(0, 1, 128))
        changed = git.run("diff-files", "--name-only", ok=(0, 1, 128)).stdout
        others = git.run(
            *("ls-files", "--others", "--exclude-standard", "--directory"), ok=(0, 128)
        ).stdout
        return bool(changed or others)


def _repository_of(instance: Instance, place: Path) -> Optional[Path]:
    """The git directory of a submodule that is checked out in the instance's folder."""
    own = place / ".git"
    said = read_plain(own).strip()
    if said.startswith("gitdir: "):
        own = place / said[len("gitdir: ") :]
    found = Path(os.path.realpath(own))
    inside = found.is_relative_to(os.path.realpath(instance.folder))
    return found if inside and (found / "objects").is_dir() else None


@contextmanager
def _borrowed(repository: Path) -> Iterator[Git]:
    with tempfile.TemporaryDirectory(prefix="kiro-submodule-") as folder:
        place = Path(folder, "repo.git")
        make_borrower(place, repository, "ref: refs/heads/none", bare=False)
        yield Git(place)


def _refs(repository: Path) -> Iterator[str]:
    """The ids of what the repository has from others."""
    count = 0
    for line in read_plain(repository / "packed-refs").split("\n"):
        oid, _, name = line.partition(" ")
        if name.startswith(_OF_OTHERS) and is_object_id(oid) and count < _MOST_REFS:
            count += 1
            yield oid
    for top in _OF_OTHERS:
        for entry in walk(repository / top):
            oid = read_plain(Path(entry.path)).strip()
            if is_object_id(oid) and count < _MOST_REFS:
                count += 1
                yield oid
