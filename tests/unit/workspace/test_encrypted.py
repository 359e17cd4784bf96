"""Files that a repository keeps encrypted do not become readable; other filters are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.workspace.repositories import (
    Swarm,
    commit,
    git,
    merged,
    unproven,
    write,
)

SEALED = b"\0GITCRYPT\0\x12\x34"
ATTRIBUTES = {
    "by name": "*.key filter=git-crypt diff=git-crypt\n",
    "of a second key": "*.key filter=git-crypt-team\n",
    "by a macro": "[attr]sealed filter=transcrypt\n*.key sealed\n",
    "of age": "*.key filter=age\n",
}


def begun(swarm: Swarm, attributes: str = ATTRIBUTES["by name"]) -> None:
    write(swarm.upstream, {".gitattributes": attributes})
    (swarm.upstream / "old.key").write_bytes(SEALED)
    git(swarm.upstream, "add", "--all")
    git(swarm.upstream, "commit", "--quiet", "-m", "Sealed")
    swarm.prepare()


def done(swarm: Swarm, files: dict[str, bytes]) -> Candidate:
    made = swarm.cut()
    for name, content in files.items():
        (Path(made.tree) / name).write_bytes(content)
    return swarm.candidate(made, swarm.gather(made).commit)


@pytest.mark.parametrize("case", ATTRIBUTES)
@pytest.mark.parametrize("name", ["new.key", "old.key"])
def test_a_sealed_file_is_not_merged_readable(
    swarm: Swarm, case: str, name: str
) -> None:
    begun(swarm, ATTRIBUTES[case])
    said = unproven(swarm, done(swarm, {name: b"password\n"}))
    assert said.startswith(f"NotEncrypted: {name!r} is kept encrypted")


def test_nor_by_an_agent_that_takes_the_attributes_away(swarm: Swarm) -> None:
    begun(swarm)
    files = {".gitattributes": b"# none\n", "old.key": b"password\n"}
    assert unproven(swarm, done(swarm, files)).startswith("NotEncrypted: ")


def test_nor_where_the_branch_has_them_since(swarm: Swarm) -> None:
    swarm.prepare()
    late = done(swarm, {"new.key": b"password\n"})
    attributes = {".gitattributes": ATTRIBUTES["by name"]}
    merged(swarm, swarm.work(attributes, index=2, task="1.2"))
    assert unproven(swarm, late).startswith("NotEncrypted: 'new.key'")


@pytest.mark.parametrize(
    "files",
    [
        {"new.key": SEALED + b"more"},
        {"copy.key": SEALED},
        {"empty.key": b""},
        {"app.py": b"words about filter=git-crypt\n"},
    ],
)
def test_what_is_sealed_moved_or_of_something_else_is_merged(
    swarm: Swarm, files: dict[str, bytes]
) -> None:
    begun(swarm)
    merged(swarm, done(swarm, files))


def test_another_filter_is_named(swarm: Swarm) -> None:
    commit(swarm.upstream, {".gitattributes": "*.ipynb filter=nbstripout\n"})
    swarm.prepare()
    made = swarm.cut()
    write(Path(made.tree), {"a.ipynb": "{}\n", "app.py": "x\n"})
    found = swarm.gather(made)
    assert "without their filter: a.ipynb" in found.message
    assert "app.py" not in found.message
    merged(swarm, swarm.candidate(made, found.commit))
