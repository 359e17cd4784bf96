"""What a look at work under way says: the kinds of conflicts, and how they end."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from kiro_swarm.workspace import lookahead as module
from kiro_swarm.workspace.lookahead import Lookahead, Prediction
from kiro_swarm.workspace.outcomes import Conflict
from tests.unit.workspace.ahead import CLEAN, MINE, THEIRS, Bench, names
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    commit,
    git,
    train,
    write,
)


def test_work_that_touches_nothing_of_others_merges(bench: Bench) -> None:
    assert bench.look() == CLEAN
    commit(bench.tree, {"mine.py": "x\n"})
    bench.others_merge({"theirs.py": "y\n"})
    assert bench.look() == CLEAN


def test_a_commit_that_conflicts_is_told_with_file_and_task(bench: Bench) -> None:
    commit(bench.tree, {"app.py": MINE, "mine.py": "x\n"})
    assert bench.look() == CLEAN
    bench.others_merge({"theirs.py": "y\n"}, "2")
    assert bench.look() == CLEAN
    bench.others_merge({"app.py": THEIRS})
    assert bench.look() == Prediction(("app.py",), 1, ("1.2",))


def test_a_change_that_is_not_committed_is_told_as_well(bench: Bench) -> None:
    bench.others_merge({"app.py": THEIRS})
    assert bench.look() == CLEAN
    write(bench.tree, {"app.py": MINE})
    assert bench.look() == Prediction(("app.py",), 1, ("1.2",))
    write(bench.tree, {"app.py": "one\ntwo\nthree\n"})
    assert bench.look() == CLEAN


def test_what_is_predicted_is_what_the_train_says(bench: Bench) -> None:
    write(bench.tree, {"app.py": MINE, "new.py": "mine\n"})
    bench.others_merge({"app.py": THEIRS, "new.py": "theirs\n"})
    predicted = bench.look()
    outcome = bench.merge_mine()
    assert isinstance(outcome, Conflict)
    assert names(predicted) == outcome.files == ("app.py", "new.py")


@pytest.mark.parametrize("seed", range(8))
def test_whatever_two_do_the_train_says_the_same(bench: Bench, seed: int) -> None:
    """Edits at any place of a few files, files removed, renamed and made."""
    chance = random.Random(seed)
    texts = {f"f{name}": [f"{name}{line}\n" for line in range(12)] for name in "abc"}
    bench.others_merge({name: "".join(lines) for name, lines in texts.items()}, "2")
    bench.made = bench.swarm.cut(1, "1.1", 2)

    def change(tree: Path) -> None:
        for name, lines in texts.items():
            what = chance.choice(["edit", "edit", "leave", "remove", "rename"])
            if what == "edit":
                at = chance.randrange(12)
                edited = [*lines[:at], f"{chance.random()}\n", *lines[at + 1 :]]
                (tree / name).write_text("".join(edited))
            elif what == "remove":
                (tree / name).unlink()
            elif what == "rename":
                (tree / name).rename(tree / f"{name}{chance.randrange(2)}")
        write(tree, {f"new{chance.randrange(3)}": f"{chance.random()}\n"})

    change(bench.tree)
    bench.others_do(change)
    done = bench.swarm.gather(bench.made, attempt=2).commit
    predicted = bench.look()
    candidate = bench.swarm.candidate(bench.made, done, attempt=2)
    outcome = train(bench.swarm).merge(candidate)
    assert names(predicted) == (outcome.files if isinstance(outcome, Conflict) else ())


def test_two_who_change_different_parts_of_a_file_do_not_conflict(bench: Bench) -> None:
    text = [f"{number}\n" for number in range(20)]
    bench.others_merge({"long.txt": "".join(text)}, "2")
    bench.made = bench.swarm.cut(1, "1.1", 2)
    write(bench.tree, {"long.txt": "first\n" + "".join(text)})
    bench.others_merge({"long.txt": "".join(text) + "last\n"})
    assert bench.look() == CLEAN


def test_while_nothing_changes_there_is_no_news(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    assert names(bench.look()) == ("app.py",)

    def no_git(*_: object, **__: object) -> None:
        raise AssertionError("git was started although nothing changed")

    monkeypatch.setattr(module, "Git", no_git)
    assert bench.look() is None
    write(bench.tree, {"another.py": "of no interest to anybody\n"})
    assert bench.look() is None


def test_it_is_over_when_the_agent_merges_what_came(bench: Bench) -> None:
    commit(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    assert names(bench.look()) == ("app.py",)
    git(bench.tree, "merge", "--quiet", bench.swarm.head(), check=False)
    assert names(bench.look()) == ("app.py",), "the markers are still there"
    commit(bench.tree, {"app.py": "one\nBOTH\nthree\n"})
    assert bench.look() == CLEAN


def test_it_is_over_when_the_agent_rebases_on_what_came(bench: Bench) -> None:
    commit(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    assert names(bench.look()) == ("app.py",)
    git(bench.tree, "reset", "--quiet", "--hard", bench.swarm.head())
    commit(bench.tree, {"app.py": "one\nTHEIRS\nMINE\nthree\n"})
    assert bench.look() == CLEAN


def test_a_new_attempt_is_looked_at_anew(bench: Bench) -> None:
    write(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    assert names(bench.look()) == ("app.py",)
    bench.made = bench.swarm.cut(1, "1.1", 2)
    assert bench.look() == CLEAN


# --------------------------------------------------------- kinds of conflicts


def test_one_removes_what_the_other_changes(bench: Bench) -> None:
    (bench.tree / "app.py").unlink()
    commit(bench.tree, {})
    bench.others_merge({"app.py": "other\n" * 9})
    assert names(bench.look()) == ("app.py",)


def test_the_other_removes_what_is_being_changed(bench: Bench) -> None:
    write(bench.tree, {"app.py": "other\n" * 9})
    bench.others_do(lambda tree: (tree / "app.py").unlink())
    assert names(bench.look()) == ("app.py",)


def test_a_file_that_is_gone_and_not_committed_may_have_been_renamed(
    bench: Bench,
) -> None:
    os.rename(bench.tree / "app.py", bench.tree / "moved.py")
    bench.others_merge({"app.py": "one\ntwo\nthree\nfour\n"})
    assert bench.look() == CLEAN
    assert not isinstance(bench.merge_mine(), Conflict), "git follows the rename"


def test_a_renamed_file_is_followed_to_its_new_name(bench: Bench) -> None:
    write(bench.tree, {"app.py": MINE})

    def rename(tree: Path) -> None:
        (tree / "app.py").unlink()
        write(tree, {"moved.py": THEIRS})

    bench.others_do(rename)
    assert "moved.py" in names(bench.look())


def test_both_rename_one_file(bench: Bench) -> None:
    text = "".join(f"line {number}\n" for number in range(30))
    bench.others_merge({"long.txt": text}, "2")
    bench.made = bench.swarm.cut(1, "1.1", 2)
    git(bench.tree, "mv", "long.txt", "mine.txt")
    commit(bench.tree, {})
    bench.others_do(lambda tree: os.rename(tree / "long.txt", tree / "theirs.txt"))
    assert set(names(bench.look())) == {"long.txt", "mine.txt", "theirs.txt"}


def test_two_binary_files(bench: Bench) -> None:
    (bench.tree / "logo").write_bytes(b"\0mine" * 99)
    bench.others_do(lambda tree: (tree / "logo").write_bytes(b"\0theirs" * 99))
    assert names(bench.look()) == ("logo",)


def test_a_file_where_the_other_made_a_link(bench: Bench) -> None:
    write(bench.tree, {"thing": "a file\n"})
    bench.others_do(lambda tree: os.symlink("app.py", tree / "thing"))
    assert "thing" in str(names(bench.look()))


def test_two_links_that_lead_elsewhere(bench: Bench) -> None:
    os.symlink("/etc/passwd", bench.tree / "link")
    bench.others_do(lambda tree: os.symlink("app.py", tree / "link"))
    assert names(bench.look()) == ("link",)


def test_two_modes_of_one_file(bench: Bench) -> None:
    write(bench.tree, {"run": "#!/bin/sh\n"})
    (bench.tree / "run").chmod(0o755)
    commit(bench.tree, {})
    bench.others_merge({"run": "#!/bin/sh\n"})
    assert names(bench.look()) == ("run",)
    assert isinstance(bench.merge_mine(), Conflict)


def test_two_modes_of_one_file_that_is_not_committed(bench: Bench) -> None:
    write(bench.tree, {"run": "#!/bin/sh\n"})
    (bench.tree / "run").chmod(0o755)
    bench.others_merge({"run": "#!/bin/sh\n"})
    assert names(bench.look()) == ("run",)
    assert isinstance(bench.merge_mine(), Conflict)


def test_a_file_where_the_other_made_a_folder(bench: Bench) -> None:
    commit(bench.tree, {"place": "a file\n"})
    bench.others_merge({"place/inside": "x\n"})
    assert "place" in str(names(bench.look()))


def test_a_folder_where_the_other_made_a_file(bench: Bench) -> None:
    """Not committed yet, it is passed over; git is not asked about what is no file."""
    write(bench.tree, {"place/inside": "x\n"})
    bench.others_merge({"place": "a file\n"})
    assert bench.look() == CLEAN
    commit(bench.tree, {})
    assert "place" in str(names(bench.look()))


def test_two_commits_of_a_submodule(bench: Bench) -> None:
    """A folder that is no file of the repository, whatever is in it."""

    def link(tree: Path, commit_id: str) -> None:
        git(tree, "update-index", "--add", "--cacheinfo", f"160000,{commit_id},sub")
        git(tree, "commit", "--quiet", "--message", "sub")

    clone = bench.swarm.top / "clone"
    git(bench.swarm.top, "clone", "--quiet", str(bench.swarm.mirror), clone.name)
    git(clone, "checkout", "--quiet", "-B", "theirs", bench.swarm.head())
    link(clone, "a" * 40)
    to = f"HEAD:refs/heads/{INTEGRATION}"
    git(clone, "push", "--quiet", str(bench.swarm.mirror), to)
    write(bench.tree, {"sub/file": "not a submodule\n"})
    assert bench.look() == CLEAN
    link(bench.tree, "b" * 40)
    assert names(bench.look()) == ("sub",)


def test_the_task_file_of_the_swarm_is_in_nobodys_way(bench: Bench) -> None:
    write(bench.tree, {SPEC: "- [x] everything\n"})
    bench.others_merge({"theirs.py": "y\n"})
    assert bench.look() == CLEAN
    commit(bench.tree, {})
    assert bench.look() == CLEAN


def test_without_a_task_file_in_the_repository_every_file_counts(bench: Bench) -> None:
    folder = bench.swarm.instance(1).folder
    bench.ahead = Lookahead(folder, bench.swarm.mirror, INTEGRATION, None)
    write(bench.tree, {SPEC: "- [x] everything\n"})
    bench.others_merge({"theirs.py": "y\n"})
    assert names(bench.look()) == (SPEC,)


def test_line_ends_that_a_checkout_made_are_no_change(bench: Bench) -> None:
    attributes = {".gitattributes": "*.bat text eol=crlf\n", "run.bat": "one\ntwo\n"}
    bench.others_merge(attributes, "2")
    bench.made = bench.swarm.cut(1, "1.1", 2)
    assert (bench.tree / "run.bat").read_bytes() == b"one\r\ntwo\r\n"
    bench.others_merge({"run.bat": "one\nTWO\n"})
    assert bench.look() == CLEAN


def test_of_many_files_in_conflict_some_are_named_and_all_counted(
    bench: Bench,
) -> None:
    many = [f"part{number:03}.txt" for number in range(300)]
    write(bench.tree, dict.fromkeys(many, "mine\n"))
    bench.others_merge(dict.fromkeys(many, "theirs\n"))
    prediction = bench.look()
    assert prediction is not None
    assert prediction.files == tuple(many[:10])
    assert prediction.count == 300


def test_the_tasks_are_those_that_changed_these_files(bench: Bench) -> None:
    write(bench.tree, {"app.py": MINE})
    bench.others_merge({"theirs.py": "y\n"}, "1.3")
    bench.others_merge({"app.py": THEIRS}, "1.2")
    bench.others_merge({"app.py": "one\nAGAIN\nthree\n"}, "2")
    prediction = bench.look()
    assert prediction is not None
    assert prediction.tasks == ("2", "1.2")
