"""Files that a repository keeps encrypted do not become readable; other filters are named."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.encrypted import READ, names_one
from kiro_swarm.workspace.outcomes import Candidate
from kiro_swarm.workspace.sealed import seal_of
from kiro_swarm.workspace.sync import Source, sync
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Gate,
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


def sealed_without_a_word(swarm: Swarm, files: dict[str, bytes]) -> None:
    """Files that are encrypted, and no attribute that says so."""
    for name, content in files.items():
        (swarm.upstream / name).write_bytes(content)
    git(swarm.upstream, "add", "--all")
    git(swarm.upstream, "commit", "--quiet", "-m", "Sealed")
    swarm.prepare()


SOPS_FILE = SOPS % (b"x", b"y")
#: A file that the branch has encrypted, and what opens it.
OPENED = {
    "git-crypt": ("a.txt", SEALED, b"password\n"),
    "transcrypt": ("a", b"U2FsdGVkX1+x\n", b"password\n"),
    "age": ("a.age", b"age-encryption.org/v1\n-> x\n", b"password\n"),
    "age as text": ("a", b"-----BEGIN AGE ENCRYPTED FILE-----\n", b"password\n"),
    "PGP as text": ("a.asc", b"-----BEGIN PGP MESSAGE-----\n", b"password\n"),
    "PGP": ("a.gpg", b"\x85\x02\x0c\x03\x12\x34", b"password\n"),
    "Ansible": ("vars.yml", b"$ANSIBLE_VAULT;1.1;AES256\n3132\n", b"password: a\n"),
    "sops": ("a.yaml", SOPS_FILE, b"password: a\n"),
    "one value": (
        "a.yaml",
        SOPS_FILE,
        SOPS_FILE.replace(b"ENC[AES256_GCM,data:x]", b"a"),
    ),
}
#: What a change leaves as encrypted as it was.
STILL = {
    "sealed anew": ("a.txt", SEALED, SEALED + b"more"),
    "by another tool": ("a.txt", SEALED, b"$ANSIBLE_VAULT;1.1;AES256\n3132\n"),
    "a value that sops leaves alone": ("a.yaml", SOPS_FILE, b"port: 1\n" + SOPS_FILE),
    "of sops anew": ("a.yaml", SOPS_FILE, SOPS % (b"z", b"z")),
    "sops in a manual": ("a.md", SOPS_FILE, b"# Manual\n"),
    "bytes like PGP's": ("a.bin", b"\x85\x02\x0c\x03\x12\x34", b"new\n"),
    "a vault inside": ("a.yml", b"a: !vault |\n  $ANSIBLE_VAULT;1.1\n", b"b: 1\n"),
    "nothing": ("a.txt", b"", b"words\n"),
    "emptied": ("a.txt", SEALED, b""),
}


@pytest.mark.parametrize("case", OPENED)
def test_what_the_branch_has_encrypted_is_not_opened(swarm: Swarm, case: str) -> None:
    name, was, becomes = OPENED[case]
    sealed_without_a_word(swarm, {name: was})
    said = unproven(swarm, done(swarm, {name: becomes}))
    assert said.startswith(f"NotEncrypted: {name!r} is encrypted on the integration")
    assert "commits it so to the source" in said


def test_what_is_as_encrypted_as_before_is_merged(swarm: Swarm) -> None:
    """One task of all of them: no name is in two cases."""
    files = {
        f"{n}{name}": (was, now) for n, (name, was, now) in enumerate(STILL.values())
    }
    sealed_without_a_word(swarm, {name: was for name, (was, _) in files.items()})
    merged(swarm, done(swarm, {name: now for name, (_, now) in files.items()}))


def test_two_tasks_do_not_open_what_one_may_not(swarm: Swarm) -> None:
    """The first takes the attributes away, the second has none to go by."""
    begun(swarm)
    merged(swarm, done(swarm, {".gitattributes": b"# none\n"}))
    made = swarm.cut(2, "1.2")
    (Path(made.tree) / "old.key").write_bytes(b"password\n")
    found = swarm.gather(made, 2, "1.2")
    said = unproven(swarm, swarm.candidate(made, found.commit, 2, "1.2"))
    assert said.startswith("NotEncrypted: 'old.key' is encrypted on the integration")


def test_nor_by_a_filter_whose_name_tells_nothing(swarm: Swarm) -> None:
    begun(swarm, "*.key filter=team\n")
    assert unproven(swarm, done(swarm, {"old.key": b"password\n"})).startswith("NotE")


def _moved_and_opened(tree: Path) -> None:
    git(tree, "mv", "old.key", "new.txt")
    git(tree, "commit", "--quiet", "-m", "Moved")
    (tree / "new.txt").write_bytes(b"password\n")


def _moved_opened_and_deleted(tree: Path) -> None:
    _moved_and_opened(tree)
    git(tree, "commit", "--quiet", "-a", "-m", "Opened")
    (tree / "new.txt").unlink()


@pytest.mark.parametrize("worked", [_moved_and_opened, _moved_opened_and_deleted])
def test_nor_where_it_was_moved_before(
    swarm: Swarm, worked: Callable[[Path], None]
) -> None:
    begun(swarm, "# none\n")
    made = swarm.cut()
    worked(Path(made.tree))
    said = unproven(swarm, swarm.candidate(made, swarm.gather(made).commit))
    assert said.startswith("NotEncrypted: 'new.txt' is encrypted on the integration")


def test_what_is_moved_deleted_or_begun_anew_is_merged(swarm: Swarm) -> None:
    begun(swarm, "# none\n")
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "mv", "old.key", "new.key")
    write(tree, {"other.key": "never sealed\n"})
    merged(swarm, swarm.candidate(made, swarm.gather(made).commit))


def test_what_a_person_opened_in_the_source_may_be_edited(swarm: Swarm) -> None:
    """As the message advises; no matter that the attempt began before."""
    begun(swarm, "# none\n")
    (swarm.upstream / "old.key").write_bytes(b"no secret any more\n")
    commit(swarm.upstream, {})
    source = Source(swarm.url, "main", upstream=True)
    sync(swarm.mirror, source, INTEGRATION, None, Gate(), "uid-1")
    merged(swarm, done(swarm, {"old.key": b"edited\n"}))


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"#\0\n"])
def test_strange_attributes_are_read_as_git_reads_them(
    swarm: Swarm, mark: bytes
) -> None:
    """A mark of byte order, a NUL: who commits with a filter commits it encrypted."""
    swarm.upstream.joinpath(".gitattributes").write_bytes(
        mark + b"*.key filter=git-crypt\n"
    )
    commit(swarm.upstream, {})
    swarm.prepare()
    said = unproven(swarm, done(swarm, {"new.key": b"password\n"}))
    assert said.startswith("NotEncrypted: 'new.key' is kept encrypted")


def test_a_line_of_a_megabyte_costs_what_it_is_long(swarm: Swarm) -> None:
    """Its square, before: such a line is nothing to git, and it is in the source."""
    long = b"* " + b"filter=" * 200_000 + b"\n*.key filter=git-crypt\n"
    swarm.upstream.joinpath(".gitattributes").write_bytes(long)
    commit(swarm.upstream, {})
    swarm.prepare()
    begin = time.process_time()
    assert names_one(long)
    assert time.process_time() - begin < 1
    said = unproven(swarm, done(swarm, {"new.key": b"password\n"}))
    assert said.startswith("NotEncrypted: 'new.key'")


def test_a_seal_is_looked_for_in_linear_time() -> None:
    for text in (b"mac=ENC[" * 500_000, b"mac" * 1_000_000, b"mac" + b" " * 4_000_000):
        begin = time.process_time()
        assert seal_of(text) is None
        assert time.process_time() - begin < 2


def test_another_filter_is_named(swarm: Swarm) -> None:
    commit(swarm.upstream, {".gitattributes": "*.ipynb filter=nbstripout\n"})
    swarm.prepare()
    made = swarm.cut()
    write(Path(made.tree), {"a.ipynb": "{}\n", "app.py": "x\n"})
    found = swarm.gather(made)
    assert "without their filter: a.ipynb" in found.message
    assert "app.py" not in found.message
    merged(swarm, swarm.candidate(made, found.commit))
