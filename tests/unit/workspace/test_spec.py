"""Reading the plan out of a commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import (
    InvalidPath,
    SpecError,
    SpecNotFound,
    SpecTooLarge,
)
from kiro_swarm.workspace.spec import MAXIMUM_BYTES, read_spec
from tests.unit.workspace.repositories import SPEC, TASKS, Swarm, commit


@pytest.mark.parametrize(
    "given", [SPEC, ".kiro/specs/demo", ".kiro/specs/demo/", "demo"]
)
def test_a_spec_may_be_named_in_three_ways(swarm: Swarm, given: str) -> None:
    assert read_spec(swarm.mirror, swarm.head(), given) == (SPEC, TASKS.encode())


@pytest.mark.parametrize(
    "given", ["../x", "/etc/passwd", ".git/config", "a/../../b", ""]
)
def test_a_climbing_path_is_refused(swarm: Swarm, given: str) -> None:
    with pytest.raises(InvalidPath):
        read_spec(swarm.mirror, swarm.head(), given)


def test_a_missing_spec_names_those_there_are(swarm: Swarm) -> None:
    with pytest.raises(SpecNotFound, match=r"specs there: demo"):
        read_spec(swarm.mirror, swarm.head(), "dmeo")


def test_a_repository_without_specs_says_none(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    (swarm.upstream / SPEC).unlink()
    commit(swarm.upstream, {"x": "y"})
    head = swarm.prepare()
    with pytest.raises(SpecNotFound, match="specs there: none"):
        read_spec(swarm.mirror, head.source, "demo")


def _spec_with(tmp_path: Path, name: str, content: bytes) -> tuple[Path, str]:
    swarm = Swarm(tmp_path)
    target = swarm.upstream / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    commit(swarm.upstream, {})
    return swarm.mirror, swarm.prepare().source


def test_a_byte_that_is_not_utf8_is_named_by_line(tmp_path: Path) -> None:
    mirror, head = _spec_with(tmp_path, SPEC, b"# one\n\nb\xc3d\n")
    with pytest.raises(
        SpecError, match=r"line 3: not valid UTF-8 \(byte 0xC3 at offset 8"
    ):
        read_spec(mirror, head, "demo")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    mirror, head = _spec_with(tmp_path, SPEC, b"x" * (MAXIMUM_BYTES + 1))
    with pytest.raises(SpecTooLarge, match=str(MAXIMUM_BYTES)):
        read_spec(mirror, head, "demo")


def test_links_and_folders_are_not_followed(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    specs = swarm.upstream / ".kiro/specs"
    (specs / "link").mkdir()
    os.symlink("/etc/passwd", specs / "link/tasks.md")
    os.symlink("demo", specs / "linked-folder")
    (specs / "folder/tasks.md").mkdir(parents=True)
    commit(swarm.upstream, {".kiro/specs/folder/tasks.md/x": "y"})
    head = swarm.prepare().source
    for name, kind in [
        ("link", "tasks.md is a symbolic link"),
        ("linked-folder", "linked-folder is a symbolic link"),
        ("folder", "tasks.md is a folder"),
        ("demo/tasks.md/deeper", "InvalidPath|demo"),
    ]:
        with pytest.raises(SpecError, match=kind):
            read_spec(swarm.mirror, head, name)
    with pytest.raises(SpecError, match="is a file"):
        read_spec(swarm.mirror, head, f"{SPEC}/x.md")
