"""Files that a repository keeps encrypted do not become readable; other filters are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.encrypted import READ
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
SOPS = b"password: ENC[AES256_GCM,data:%b]\nsops:\n    mac: ENC[AES256_GCM,data:%b]\n"
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


def _then_sealed(tree: Path) -> None:
    commit(tree, {"new.key": "password\n"})
    (tree / "new.key").write_bytes(SEALED)


def _then_deleted(tree: Path) -> None:
    commit(tree, {"new.key": "password\n", "app.py": "x\n"})
    (tree / "new.key").unlink()


def _then_restored(tree: Path) -> None:
    commit(tree, {"old.key": "password\n", "app.py": "x\n"})
    (tree / "old.key").write_bytes(SEALED)


def _on_a_side(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "-b", "side")
    commit(tree, {"new.key": "password\n", "app.py": "x\n"})
    git(tree, "checkout", "--quiet", "-")
    git(tree, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    git(tree, "rm", "--quiet", "--force", "new.key")
    git(tree, "commit", "--quiet", "-m", "Merged without it")


def _of_no_parent(tree: Path) -> None:
    branch = git(tree, "symbolic-ref", "--short", "HEAD").strip()
    git(tree, "checkout", "--quiet", "--orphan", "other")
    commit(tree, {"new.key": "password\n"})
    git(tree, "checkout", "--quiet", "--force", branch)
    git(tree, "merge", "--quiet", "-s", "ours", "--allow-unrelated-histories", "other")
    write(tree, {"app.py": "x\n"})


HISTORIES = [_then_sealed, _then_deleted, _then_restored, _on_a_side, _of_no_parent]


@pytest.mark.parametrize("worked", HISTORIES)
def test_nor_is_a_commit_that_had_it_readable(
    swarm: Swarm, worked: Callable[[Path], None]
) -> None:
    """Each commit of the task is merged and pushed, not the last one alone."""
    begun(swarm)
    made = swarm.cut()
    worked(Path(made.tree))
    said = unproven(swarm, swarm.candidate(made, swarm.gather(made).commit))
    assert said.startswith("NotEncrypted: ")
    assert "readable in a commit of the task" in said


def test_a_link_or_a_folder_of_that_name_is_no_secret(swarm: Swarm) -> None:
    begun(swarm)
    made = swarm.cut()
    tree = Path(made.tree)
    (tree / "link.key").symlink_to("app.py")
    commit(tree, {"folder.key/a.txt": "words\n"})
    (tree / "link.key").unlink()
    write(tree, {"app.py": "x\n"})
    merged(swarm, swarm.candidate(made, swarm.gather(made).commit))


def test_what_the_branch_has_readable_may_be_edited(swarm: Swarm) -> None:
    """The attributes came after the file, or who committed it had no filter."""
    write(swarm.upstream, {"plain.key": "never sealed\n"})
    begun(swarm)
    made = swarm.cut()
    commit(Path(made.tree), {"plain.key": "edited\n"})
    write(Path(made.tree), {"plain.key": "edited twice\n"})
    found = swarm.gather(made)
    assert "without their filter: plain.key" in found.message
    merged(swarm, swarm.candidate(made, found.commit))


def test_what_sops_encrypts_is_merged_and_what_is_added_to_it_is_not(
    swarm: Swarm,
) -> None:
    (swarm.upstream / "a.yaml").write_bytes(SOPS % (b"x", b"y"))
    begun(swarm, "*.yaml filter=sops\n")
    added = (SOPS % (b"x", b"y")).replace(b"sops:", b"token: readable\nsops:")
    assert unproven(swarm, done(swarm, {"a.yaml": added})).startswith("NotEncrypted: ")
    merged(swarm, done(swarm, {"a.yaml": SOPS % (b"new", b"new"), "b.yaml": SOPS}))


FORMATS = [
    b"$ANSIBLE_VAULT;1.1;AES256\n3132\n",
    b'{"data": "ENC[AES256_GCM,data:x]", "sops": {"mac": "ENC[AES256_GCM,data:y]"}}',
    b"a=ENC[AES256_GCM,data:x]\nsops_mac=ENC[AES256_GCM,data:y]\n",
    b"[sops]\nmac = ENC[AES256_GCM,data:y]\n",
    b"\x85\x02\x0c\x03\x12\x34",
    b"\x84\x5e\x03\x12\x34",
    b"\x8c\x0d\x04\x09\x03",
]


def test_the_formats_of_filters_that_are_known_by_name_are_known(swarm: Swarm) -> None:
    begun(swarm)
    merged(swarm, done(swarm, {f"{n}.key": text for n, text in enumerate(FORMATS)}))


def test_a_file_that_is_too_large_to_be_read_is_not_called_readable(
    swarm: Swarm,
) -> None:
    begun(swarm)
    said = unproven(swarm, done(swarm, {"new.key": SEALED + bytes(READ)}))
    assert "is not read to see that it is: at most 8 MiB" in said
    assert "readable" not in said


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
