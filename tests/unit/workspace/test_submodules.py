"""What an agent did inside of a submodule is named: only an id of it is ever merged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.submodules import is_local
from kiro_swarm.workspace.verdict import Evidence
from tests.unit.workspace.poison import Canary
from tests.unit.workspace.repositories import Swarm, commit, git, write


@pytest.fixture
def made(swarm: Swarm) -> Cut:
    """A worktree in which the agent has checked out the submodule ``lib``."""
    library = swarm.top / "library"
    library.mkdir()
    git(library, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(library, {"lib.c": "1\n", ".gitignore": "*.o\n"})
    allowed = ("-c", "protocol.file.allow=always")
    git(swarm.upstream, *allowed, "submodule", "--quiet", "add", str(library), "lib")
    commit(swarm.upstream, {})
    newer = commit(library, {"lib.c": "2\n"})
    swarm.prepare()
    cut = swarm.cut()
    git(Path(cut.tree), *allowed, "submodule", "--quiet", "update", "--init", "lib")
    git(Path(cut.tree) / "lib", "rev-parse", newer)
    return cut


def test_a_submodule_that_is_checked_out_is_no_change(swarm: Swarm, made: Cut) -> None:
    write(Path(made.tree), {"lib/a.o": "ignored"})
    assert swarm.gather(made).reason == "NoChanges"
    write(Path(made.tree), {"a": "1"})
    done = swarm.gather(made)
    assert (done.reason, done.files, done.warning) == ("Done", ["a"], "")


def test_a_published_commit_is_taken(swarm: Swarm, made: Cut) -> None:
    git(Path(made.tree) / "lib", "checkout", "--quiet", "origin/main")
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["lib"])


@pytest.mark.parametrize("by_the_agent", [True, False])
def test_a_commit_that_nobody_else_has_is_refused(
    swarm: Swarm, made: Cut, by_the_agent: bool
) -> None:
    tree = Path(made.tree)
    new = commit(tree / "lib", {"lib.c": "mine\n"})
    write(tree, {"a": "1"})
    if by_the_agent:
        commit(tree, {})
    done = swarm.gather(made)
    assert done.reason == "ContentElsewhere"
    assert f"lib ({new[:12]}): a commit in a submodule" in done.message
    git(tree / "lib", "checkout", "--quiet", "origin/main~")
    assert swarm.gather(made).files == ["a"]


@pytest.mark.parametrize("change", [{"lib.c": "mine\n"}, {"new.c": "1\n"}])
def test_changes_inside_are_named(
    swarm: Swarm, made: Cut, change: dict[str, str]
) -> None:
    write(Path(made.tree) / "lib", change)
    write(Path(made.tree), {"a": "1"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["a"])
    assert done.warning == "not taken: changes inside of submodules: lib"


def test_nothing_of_a_submodule_runs(swarm: Swarm, made: Cut, canary: Canary) -> None:
    tree = Path(made.tree)
    repository = Path(git(tree / "lib", "rev-parse", "--absolute-git-dir"))
    call = canary.call
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process"):
        git(tree / "lib", "config", key, call(key))
    hook = repository / "hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{call('hook')}\n")
    hook.chmod(0o755)
    write(tree / "lib", {".gitattributes": "* filter=evil\n", "lib.c": "mine\n"})
    write(tree, {"a": "1"})
    assert "lib" in swarm.gather(made).warning
    assert canary.sung() == []


def test_a_submodule_that_is_removed_is_removed(swarm: Swarm, made: Cut) -> None:
    git(Path(made.tree), "rm", "--quiet", "--force", "lib")
    assert swarm.gather(made).files == [".gitmodules", "lib"]


def _vendored(library: Path) -> None:
    (library / ".git").unlink()


def _a_file(library: Path) -> None:
    shutil.rmtree(library)
    library.write_text("plain")


def _a_link(library: Path) -> None:
    shutil.rmtree(library)
    library.symlink_to("app.py")


@pytest.mark.parametrize(
    ("put", "files"),
    [
        (_vendored, ["lib", "lib/.gitignore", "lib/lib.c"]),
        (_a_file, ["lib"]),
        (_a_link, ["lib"]),
    ],
)
def test_what_took_the_place_of_a_submodule_is_taken(
    swarm: Swarm, made: Cut, put: Callable[[Path], None], files: list[str]
) -> None:
    put(Path(made.tree) / "lib")
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", files)
    assert swarm.gather(made) == done


def test_a_submodule_that_is_not_checked_out_stays(swarm: Swarm, made: Cut) -> None:
    other = swarm.cut(2, "1.2")
    write(Path(other.tree), {"a": "1"})
    assert swarm.gather(other, 2, "1.2").files == ["a"]


def test_a_branch_of_a_submodule_is_followed(swarm: Swarm, made: Cut) -> None:
    library = Path(made.tree) / "lib"
    git(library, "checkout", "--quiet", "-B", "main", "origin/main")
    assert swarm.gather(made).files == ["lib"]
    git(library, "pack-refs", "--all")
    assert swarm.gather(made).files == ["lib"]


def test_a_submodule_that_leads_out_is_not_followed(swarm: Swarm, made: Cut) -> None:
    tree = Path(made.tree)
    (tree / "lib/.git").write_text(f"gitdir: {swarm.top}/library/.git\n")
    write(tree, {"a": "1"})
    done = swarm.gather(made)
    assert (done.reason, done.warning) == ("Done", "")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("/tmp/x", True),
        ("file:///tmp/x", True),
        ("FILE:/tmp/x", True),
        ("~/x", True),
        ("x/y", True),
        ("x/y:z", True),
        ("/a:b", True),
        ("/\u202e\n/x", True),
        ("https://example.org/x.git", False),
        ("ssh://git@example.org/x", False),
        ("git@example.org:x.git", False),
        ("example.org:/tmp/x", False),
        ("../x.git", False),
        ("./x", False),
        ("", False),
    ],
)
def test_an_address_is_local_where_git_reads_a_path(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_a_submodule_that_nobody_else_can_fetch_is_refused(
    swarm: Swarm, made: Cut
) -> None:
    tree = Path(made.tree)
    git(tree, "clone", "--quiet", str(swarm.top / "library"), "new")

    def said(field: str, value: str) -> Evidence:
        git(tree, "config", "--file", ".gitmodules", f"submodule.{field}", value)
        return swarm.gather(made)

    done = said("new.path", "new")
    assert done.reason == "ContentElsewhere", done
    assert "new (no url in .gitmodules): a submodule that nobody" in done.message
    assert "new (url '/tmp/\\n')" in said("new.url", "/tmp/\n").message
    write(tree, {".gitmodules": "[include]\npath = x\n"})
    assert "new (no url in .gitmodules)" in swarm.gather(made).message
    git(tree, "checkout", "--quiet", "HEAD", ".gitmodules")
    # It had one, but not this one.
    assert "lib (url 'file:///x')" in said("lib.url", "file:///x").message
    said("lib.url", "https://example.org/lib.git")
    said("new.url", "https://example.org/new.git")
    assert said("new.path", "new").files == [".gitmodules", "new"]
