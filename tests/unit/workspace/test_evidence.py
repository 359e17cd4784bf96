"""Done is checked: every state in which an agent can leave its worktree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import InvalidRef, RepositoryBusy
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.locks import wait_until_no_git_works_in
from tests.unit.workspace.poison import Canary, poison
from tests.unit.workspace.repositories import Swarm, branch, commit, git, write


def test_uncommitted_work_is_committed_with_the_trailer(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"new.txt": "x", "app.py": "changed\n", "debug.log": "ignored"})
    done = swarm.gather(made)
    assert done.to_json() == {
        "commit": git(tree, "rev-parse", branch()),
        "tree": git(tree, "rev-parse", f"{branch()}^{{tree}}"),
        "commitsAhead": 1,
        "clean": True,
        "files": ["app.py", "new.txt"],
        "reason": "Done",
        "message": done.message,
    }
    assert git(tree, "log", "-1", "--format=%B") == "First\n\nSwarm-Task: uid-1-1/1"
    assert git(tree, "log", "-1", "--format=%an %ae") == "kiro-swarm swarm@kiro.dev"
    assert git(tree, "status", "--porcelain") == ""
    assert swarm.gather(made) == done


def test_an_agent_that_commits_itself_keeps_its_words(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"}, "First step")
    commit(Path(made.tree), {"b": "2"}, "Second step\n\nWith a body.")
    done = swarm.gather(made)
    assert (done.reason, done.commits_ahead, done.files) == ("Done", 2, ["a", "b"])
    shown = git(Path(made.tree), "log", "-1", "--format=%an|%B")
    assert shown == "Agent|Second step\n\nWith a body.\n\nSwarm-Task: uid-1-1/1"


def test_commits_and_leftovers_together(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"}, "Step")
    write(Path(made.tree), {"b": "2"})
    done = swarm.gather(made)
    assert (done.reason, done.commits_ahead, done.files) == ("Done", 2, ["a", "b"])


def test_nothing_done_is_no_changes(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"debug.log": "only ignored"})
    done = swarm.gather(made)
    assert (done.reason, done.commit, done.clean) == ("NoChanges", None, False)


def test_a_checkpoint_without_changes_is_an_empty_commit(swarm: Swarm) -> None:
    made = swarm.cut()
    arguments = (swarm.instance().folder, made.base, made.branch, "uid-1-1/1", "Check")
    done = gather(*arguments, may_be_empty=True)
    assert (done.reason, done.commits_ahead, done.files) == ("Done", 1, [])
    assert git(Path(made.tree), "log", "-1", "--format=%B").endswith(
        "Swarm-Task: uid-1-1/1"
    )
    assert gather(*arguments, may_be_empty=True) == done


def test_commits_that_undo_each_other_are_no_changes(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"})
    git(Path(made.tree), "rm", "--quiet", "a")
    commit(Path(made.tree), {})
    assert swarm.gather(made).reason == "NoChanges"


def test_changes_hidden_in_the_index_are_seen(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "update-index", "--assume-unchanged", "app.py")
    git(tree, "update-index", "--skip-worktree", ".gitignore")
    write(tree, {"app.py": "hidden\n", ".gitignore": "*.tmp\n"})
    assert swarm.gather(made).files == [".gitignore", "app.py"]


def test_an_ignored_file_that_was_staged_on_purpose_is_kept(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"kept.log": "x", "gone.log": "y"})
    git(tree, "add", "--force", "kept.log", "gone.log")
    (tree / "gone.log").unlink()
    assert swarm.gather(made).files == ["kept.log"]


@pytest.mark.parametrize("index", ["removed", "rubbish", "a folder", "locked"])
def test_a_broken_index_does_not_matter(swarm: Swarm, index: str) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"x": "1"})
    path = swarm.instance().admin / "index"
    if index == "locked":
        path.with_name("index.lock").touch()
    else:
        path.unlink()
    if index == "rubbish":
        path.write_bytes(b"DIRCrubbish")
    elif index == "a folder":
        write(path, {"x": "y"})
    assert swarm.gather(made).files == ["x"]
    assert git(Path(made.tree), "status", "--porcelain") == ""


@pytest.mark.parametrize("command", ["checkout -q --detach", "checkout -q -b feature"])
def test_work_beside_the_branch_is_brought_onto_it(swarm: Swarm, command: str) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, *command.split())
    commit(tree, {"a": "1"})
    write(tree, {"b": "2"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["a", "b"])
    assert git(tree, "symbolic-ref", "--short", "HEAD") == branch()
    assert git(tree, "rev-parse", branch()) == done.commit


def test_a_deleted_branch_is_made_again(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "update-ref", "-d", f"refs/heads/{branch()}")
    write(tree, {"a": "1"})
    assert swarm.gather(made).files == ["a"]


@pytest.mark.parametrize("head", ["", "rubbish", "ref: refs/heads/a..b"])
def test_a_destroyed_head_leads_to_the_branch_again(swarm: Swarm, head: str) -> None:
    made = swarm.cut()
    (swarm.instance().admin / "HEAD").write_text(head)
    write(Path(made.tree), {"a": "1"})
    assert swarm.gather(made).files == ["a"]


def test_diverged_work_is_the_wrong_branch(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    commit(tree, {"a": "1"})
    git(tree, "checkout", "--quiet", "-b", "elsewhere", made.base)
    commit(tree, {"b": "2"})
    done = swarm.gather(made)
    assert done.reason == "WrongBranch"
    assert "refs/heads/elsewhere" in done.message


def test_a_rewritten_history_is_refused(swarm: Swarm) -> None:
    made = swarm.cut()
    git(Path(made.tree), "checkout", "--quiet", "--orphan", "new")
    commit(Path(made.tree), {"a": "1"})
    assert swarm.gather(made).reason == "HistoryRewritten"


def _diverge(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "-b", "side")
    commit(tree, {"app.py": "side\n"})
    git(tree, "checkout", "--quiet", branch())
    commit(tree, {"app.py": "main\n"})


def test_a_merge_with_conflicts_is_named_with_its_files(swarm: Swarm) -> None:
    made = swarm.cut()
    _diverge(Path(made.tree))
    git(Path(made.tree), "merge", "side", check=False)
    done = swarm.gather(made)
    assert done.reason == "UnmergedPaths"
    assert "app.py" in done.message


def test_a_merge_that_only_lacks_its_commit_is_concluded(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    _diverge(tree)
    git(tree, "merge", "side", check=False)
    write(tree, {"app.py": "both\n"})
    git(tree, "add", "app.py")
    assert swarm.gather(made).reason == "Done"
    assert git(tree, "show", f"{branch()}:app.py") == "both"
    assert "MERGE" not in " ".join(os.listdir(swarm.instance().admin))


def test_a_rebase_in_progress_is_not_done(swarm: Swarm) -> None:
    made = swarm.cut()
    _diverge(Path(made.tree))
    git(Path(made.tree), "rebase", "side", check=False)
    assert swarm.gather(made).reason == "OperationInProgress"


def test_a_repository_inside_the_worktree_is_not_lost_silently(swarm: Swarm) -> None:
    made = swarm.cut()
    nested = Path(made.tree) / "vendor/lib"
    nested.mkdir(parents=True)
    git(nested, "init", "--quiet")
    commit(nested, {"a": "1"})
    done = swarm.gather(made)
    assert done.reason == "NestedRepository"
    assert "vendor/lib" in done.message


def test_a_worktree_inside_of_the_worktree_is_named_with_what_helps(
    swarm: Swarm,
) -> None:
    """Its ``.git`` removed, all files of the repository would be there twice."""
    made = swarm.cut()
    tree, side = Path(made.tree), Path(made.tree) / "parts" / "one"
    git(tree, "worktree", "add", "--quiet", str(side), "-b", "side")
    commit(side, {"app.py": "done\n"})
    git(tree, "merge", "--quiet", "side")
    done = swarm.gather(made)
    assert done.reason == "NestedRepository"
    assert "parts/one: another worktree" in done.message
    assert "Remove its .git" not in done.message
    git(tree, "worktree", "remove", "parts/one")
    assert swarm.gather(made).files == ["app.py"]


@pytest.mark.parametrize("part", ["tree", "repo.git", "repo.git/objects"])
def test_a_removed_part_is_a_broken_repository(swarm: Swarm, part: str) -> None:
    made = swarm.cut()
    shutil.rmtree(swarm.instance().folder / part)
    assert swarm.gather(made).reason == "BrokenRepository"


def test_a_commit_with_a_lost_tree_is_a_broken_repository(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"})
    lost = git(Path(made.tree), "rev-parse", "HEAD^{tree}")
    (swarm.instance().repository / "objects" / lost[:2] / lost[2:]).unlink()
    done = swarm.gather(made)
    assert done.reason == "BrokenRepository"
    assert "failed to unpack tree object" in done.message


def test_a_worktree_that_leads_elsewhere_is_not_followed(swarm: Swarm) -> None:
    made = swarm.cut()
    outside = swarm.top / "outside"
    write(outside, {"secret": "x"})
    shutil.rmtree(made.tree)
    Path(made.tree).symlink_to(outside)
    assert swarm.gather(made).reason == "BrokenRepository"
    assert os.listdir(outside) == ["secret"]


def test_a_poisoned_repository_runs_nothing(swarm: Swarm, canary: Canary) -> None:
    made = swarm.cut()
    poison(swarm.instance(), canary)
    write(Path(made.tree), {"app.py": "x\n"})
    done = swarm.gather(made)
    assert done.files == [".gitattributes", "app.py"]
    assert canary.sung() == []


def test_a_title_cannot_add_a_trailer_or_an_option(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"a": "1"})
    title = "--amend\n\nSwarm-Task: other/1\x1b[31m" + "x" * 500
    gather(swarm.instance().folder, made.base, made.branch, "uid/1", title)
    message = git(Path(made.tree), "log", "-1", "--format=%B")
    first, *rest = message.splitlines()
    assert first.startswith("--amend Swarm-Task: other/1 [31mxxx")
    assert len(first) <= 120
    assert rest == ["", "Swarm-Task: uid/1"]


@pytest.mark.parametrize("title", ["", "\n \x00", "# only a hash"])
def test_any_title_makes_a_commit(swarm: Swarm, title: str) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"a": "1"})
    folder = swarm.instance().folder
    assert gather(folder, made.base, made.branch, "uid/1", title).reason == "Done"


def test_names_that_look_like_options_or_patterns(swarm: Swarm) -> None:
    made = swarm.cut()
    names = ["-rf", "--all", ":(top)x", "*", "a b", "né", 'q"uote', "new\nline"]
    write(Path(made.tree), dict.fromkeys(names, "x"))
    assert sorted(swarm.gather(made).files) == sorted(names)


def test_git_of_a_living_agent_is_waited_for(swarm: Swarm) -> None:
    made = swarm.cut()
    living = subprocess.Popen(
        ["git", "cat-file", "--batch"],
        cwd=made.tree,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert living.stdin is not None
    assert living.stdout is not None
    try:
        # An answer proves that it runs: Popen returns a moment before it has its name.
        living.stdin.write(b"nothing\n")
        living.stdin.flush()
        assert living.stdout.readline() == b"nothing missing\n"
        with pytest.raises(RepositoryBusy, match="stop the agent"):
            wait_until_no_git_works_in(Path(made.tree), seconds=0.1)
    finally:
        living.communicate()
    wait_until_no_git_works_in(Path(made.tree), seconds=1)


@pytest.mark.parametrize(
    ("base", "name", "trailer"),
    [("HEAD", branch(), "u/1"), ("0" * 40, "main", "u/1"), ("0" * 40, branch(), "u")],
)
def test_bad_arguments_are_errors(
    swarm: Swarm, base: str, name: str, trailer: str
) -> None:
    with pytest.raises(InvalidRef):
        gather(swarm.instance().folder, base, name, trailer, "t")
