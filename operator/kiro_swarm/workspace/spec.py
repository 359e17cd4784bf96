"""Reading the spec's task file from a commit.

Role: the prepare job reads the plan by it. Nothing is checked out; git objects only.

Guarantees: a climbing path, a link, a folder, something huge or something that is not
text is refused with a message that names the place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional, Sequence

from kiro_swarm.tasks.file.sizes import MAX_BYTES
from kiro_swarm.workspace.errors import SpecError, SpecNotFound, SpecTooLarge
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.refs import check_object_id, check_path

MAXIMUM_BYTES = MAX_BYTES
_SPECS = ".kiro/specs"
_FILE = "tasks.md"
#: Mode of a submodule.
LINK = "160000"
_KINDS = {"120000": "a symbolic link", LINK: "a submodule", "040000": "a folder"}


def spec_file(spec_path: str) -> str:
    """The path of the task file that ``spec_path`` means.

    ``x`` -> ``.kiro/specs/x/tasks.md``; a folder -> its ``tasks.md``; a ``.md`` file ->
    itself. Raises InvalidPath.
    """
    path = check_path(spec_path.rstrip("/"))
    if path.endswith(".md"):
        return path
    if "/" not in path:
        path = f"{_SPECS}/{path}"
    return f"{path}/{_FILE}"


def read_spec(mirror: Path, commit: str, spec_path: str) -> tuple[str, bytes]:
    """The path and the content (UTF-8, at most 4 MiB) of the task file in ``commit``.

    Raises InvalidPath, SpecNotFound, SpecTooLarge, SpecError.
    """
    path = spec_file(spec_path)
    git = Git(mirror)
    check_object_id(commit)
    blob = _find(git, commit, path)
    size = int(git.run("cat-file", "-s", blob).text)
    if size > MAXIMUM_BYTES:
        raise SpecTooLarge(
            f"{path} has {size} bytes, {MAXIMUM_BYTES} at most; split it into more specs"
        )
    content = git.run("cat-file", "blob", blob).stdout
    _check_text(path, content)
    return path, content


def _find(git: Git, commit: str, path: str) -> str:
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        place = "/".join(parts[:depth])
        entry = tree_entry(git, commit, place)
        if entry is None:
            raise SpecNotFound(_not_found(git, commit, path))
        mode, blob = entry
        wanted_folder = depth < len(parts)
        if wanted_folder != (mode == "040000") or mode in ("120000", LINK):
            kind = _KINDS.get(mode, "a file")
            raise SpecError(f"{place} is {kind}; the spec must be a plain file")
    return blob


def tree_entry(git: Git, tree: str, path: str) -> Optional[tuple[str, str]]:
    """Mode and object id of one path of a tree or commit, or None."""
    return tree_entries(git, tree, (path,)).get(path)


def tree_entries(
    git: Git, tree: str, paths: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Path -> mode and object id, of those of these few paths that there are."""
    wanted = {os.fsencode(path): path for path in paths}
    listed = git.run("ls-tree", "-z", "--full-tree", tree, "--", *paths).stdout
    found: dict[str, tuple[str, str]] = {}
    for record in filter(None, listed.split(b"\0")):
        facts, _, name = record.partition(b"\t")
        if name in wanted:
            mode, _, oid = facts.decode("ascii").split(" ")
            found[wanted[name]] = (mode, oid)
    return found


def _not_found(git: Git, commit: str, path: str) -> str:
    listed = git.run(
        *("ls-tree", "-z", "--name-only", "--full-tree", f"{commit}:{_SPECS}"),
        ok=(0, 128),
    )
    names: list[str] = []
    if listed.status == 0:
        names = [n for n in listed.stdout.decode("utf-8", "replace").split("\0") if n]
    there = ", ".join(names[:10]) or "none"
    return f"{path} does not exist in commit {commit[:12]}; specs there: {there}"


def _check_text(path: str, content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SpecError(
            f"{path} line {line}: not valid UTF-8"
            f" (byte 0x{content[error.start]:02X} at offset {error.start})"
        ) from None
