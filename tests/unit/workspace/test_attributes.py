"""Files are merged as the repository asks, by what is part of git alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.attribute_files import BYTES, FILES, Said
from kiro_swarm.workspace.attributes import for_merges
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.outcomes import Conflict, Merged
from kiro_swarm.workspace.trials import merge_trees
from tests.unit.workspace.ahead import Bench, names
from tests.unit.workspace.poison import Canary
from tests.unit.workspace.repositories import Swarm, commit, git, train, write

LOG = "# Changes\n\n{}- first\n"
#: The .gitattributes, and whether two entries at one place are both taken.
UNION = {
    "CHANGES.md merge=union\n": True,
    "*.md merge=union\n": True,
    "* text=auto\n*.md  text   merge=union\r\n": True,
    "[attr]log merge=union\n*.md log\n": True,
    '"CHANGES.md" merge=union\n': True,
    "*.md merge=union\n*.md merge=text\n": False,
    "*.md merge=union\n*.md !merge\n": False,
    "*.md merge=union\n*.md -merge\n": False,
    "*.md merge=union\n*.md binary\n": False,
    "# *.md merge=union\n": False,
    "*.md merge=evil\n": False,
    "*.txt merge=union\n": False,
    # As git reads files, which is not as it reads its index.
    "\ufeff*.md merge=union\n": True,
    "#\0\n*.md merge=union\n": True,
    "*.md merge=\0\n*.md merge=union\n": True,
    "*.md merge=union\n*.md text\0merge=text\n": True,
    # A name that is none, or a line that is too long, takes its line with it.
    "*.md merge=union no/name\n": False,
    f"*.md merge=union {'x' * 2030}\n": True,
    f"*.md merge=union {'x' * 2031}\n": False,
    f"*.md {' ' * 2048}merge=union\n": False,
    # The one that comes last counts, whether git has it or not.
    "* merge=union\n*.md merge=evil\n": False,
    "* merge=union\n*.md merge\n": False,
    "* log\n[attr]log merge=union\n": True,
    "[attr]log merge=union\n[attr]log text\n*.md log\n": False,
    '"[attr]log" merge=union\n*.md log\n': True,
    '"\\133attr]log" merge=union\n*.md log\n': True,
    "*.md merge=union\n*.md log=1\n[attr]log -merge\n": True,
    '"C*.md"merge=union\n': True,
    '"C\\x*.md" merge=union\n': False,
    "!*.md merge=union\n": False,
}


def repository(swarm: Swarm, files: dict[str, str]) -> None:
    commit(swarm.upstream, files)
    swarm.prepare()


def entries(swarm: Swarm, path: str) -> list[object]:
    """What the train says of two tasks with an entry each."""
    made = {number: swarm.cut(number, str(number)) for number in (1, 2)}
    outcomes: list[object] = []
    for number, cut in made.items():
        write(Path(cut.tree), {path: LOG.format(f"- task {number}\n")})
        done = swarm.gather(cut, number, str(number)).commit
        candidate = swarm.candidate(cut, done, number, str(number))
        outcomes.append(train(swarm).merge(candidate))
    return outcomes


@pytest.mark.parametrize("attributes", UNION, ids=lambda text: repr(text[:30]))
def test_a_merge_is_as_git_makes_it_in_a_checkout(
    tmp_path: Path, attributes: str
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    git(folder, "init", "--quiet", "--template=", "--initial-branch=one")
    commit(folder, {".gitattributes": attributes, "CHANGES.md": LOG.format("")})
    git(folder, "branch", "two")
    one = commit(folder, {"CHANGES.md": LOG.format("- task 1\n")})
    git(folder, "checkout", "--quiet", "two")
    two = commit(folder, {"CHANGES.md": LOG.format("- task 2\n")})
    ours = merge_trees(Git(folder / ".git"), one, two)
    git(folder, "checkout", "--quiet", "one")
    git(folder, "merge", "--quiet", "two", check=False)
    assert (ours.conflicts == ()) is UNION[attributes]
    assert (git(folder, "ls-files", "--unmerged") == "") is UNION[attributes]
    if UNION[attributes]:
        assert ours.tree == git(folder, "rev-parse", "HEAD^{tree}")


def test_the_train_takes_both_entries(swarm: Swarm) -> None:
    files = {".gitattributes": "*.md merge=union\n", "CHANGES.md": LOG.format("")}
    repository(swarm, files)
    assert [type(one) for one in entries(swarm, "CHANGES.md")] == [Merged, Merged]
    assert {"- task 1", "- task 2"} <= set(swarm.show("CHANGES.md").splitlines())


def test_the_look_ahead_agrees(swarm: Swarm) -> None:
    attributes = "CHANGES.md merge=union\n"
    repository(swarm, {".gitattributes": attributes, "CHANGES.md": LOG.format("")})
    bench = Bench(swarm)
    write(bench.tree, {"CHANGES.md": LOG.format("- mine\n"), "app.py": "one\nME\n"})
    entry = {"CHANGES.md": LOG.format("- theirs\n"), "app.py": "one\nTHEM\n"}
    bench.others_merge(entry)
    assert names(bench.look()) == ("app.py",)


def test_no_driver_of_a_repository_runs(swarm: Swarm, canary: Canary) -> None:
    lines = "*.md merge=evil\n[attr]x merge=evil filter=evil\n*.md x\n* diff=evil\n"
    said = for_merges([Said(b"", lines.encode())])
    assert all(b"evil" not in one.text for one in said)
    repository(swarm, {".gitattributes": lines, "CHANGES.md": LOG.format("")})
    for key in ("merge.evil.driver", "filter.evil.clean", "filter.evil.smudge"):
        git(swarm.mirror, "config", key, canary.call("driver"))
    for key in ("diff.evil.command", "diff.evil.textconv"):
        git(swarm.mirror, "config", key, canary.call("driver"))
    entries(swarm, "CHANGES.md")
    assert canary.sung() == []


def test_a_strange_file_of_attributes_is_nothing(swarm: Swarm) -> None:
    folder = swarm.upstream
    (folder / ".gitattributes").write_bytes(b"\xff\x00 merge=union\n*.md merge=union\n")
    (folder / "link").mkdir()
    (folder / "link/.gitattributes").symlink_to("/etc/passwd")
    commit(folder, {"a/.gitattributes": "!x merge=union\n\n \n" * 1000})
    swarm.prepare()
    git_ = Git(swarm.mirror)
    head = swarm.head()
    assert merge_trees(git_, head, head).conflicts == ()


LINE = "*.md merge=union\n"
#: Files of attributes of which some are too much, and what is said of those.
TOO_MANY = {
    "files": (
        {f"d{n:03}/.gitattributes": LINE for n in range(FILES + 5)},
        "d500/.gitattributes, d501/.gitattributes, d502/.gitattributes and 2 more",
    ),
    "the same text": (
        {"z/z/.gitattributes": LINE}
        | {f"d{n:03}/.gitattributes": LINE for n in range(FILES)},
        "z/z/.gitattributes",
    ),
    "bytes": (
        {".gitattributes": LINE, "a/.gitattributes": f"#{'x' * BYTES}"},
        "a/.gitattributes",
    ),
    "together": (
        {f"{n}/.gitattributes": f"#{'x' * (BYTES // 2)}" for n in range(3)},
        "1/.gitattributes, 2/.gitattributes",
    ),
    "a name": (
        {"\u202e\n/.gitattributes": f"#{'x' * BYTES}"},
        "<U+202E><U+000A>/.gitattributes",
    ),
}


@pytest.mark.parametrize("case", TOO_MANY)
def test_attributes_that_are_too_much_are_named(tmp_path: Path, case: str) -> None:
    files, named = TOO_MANY[case]
    git(tmp_path, "init", "--quiet", "--template=", "--initial-branch=one")
    head = commit(tmp_path, {**files, "x.md": "1"})
    said = merge_trees(Git(tmp_path / ".git"), head, head).remark
    assert said.startswith(f"merged without what {named} say: at most ")


def test_a_person_is_told_of_attributes_that_were_not_read(swarm: Swarm) -> None:
    large = {"a/.gitattributes": f"#{'x' * BYTES}", "CHANGES.md": LOG.format("")}
    repository(swarm, large)
    done, late = entries(swarm, "CHANGES.md")
    assert isinstance(done, Merged)
    assert "a/.gitattributes" in done.said
    assert isinstance(late, Conflict)
    assert "without what a/.gitattributes" in late.brief
