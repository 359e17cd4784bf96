"""What a task changed, shown to people: nothing runs, nothing hides, nothing steers."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.policy.work import Work
from kiro_swarm.workspace import inspect as module
from kiro_swarm.workspace.errors import InvalidRef, ObjectsRefused, RefNotFound
from kiro_swarm.workspace.inspect import MAXIMUM_BYTES, Inspected, inspect, printable
from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.workspace.poison import Canary, poison
from tests.unit.workspace.repositories import (
    SPEC,
    Swarm,
    adopted,
    branch,
    commit,
    git,
    merged,
    write,
)
from tests.unit.workspace.test_done import put_aside

#: Told of what this process opens; an audit hook cannot be taken away again.
watched: list[Callable[[str, Any], None]] = []
sys.addaudithook(lambda event, arguments: [told(event, arguments) for told in watched])


def look(swarm: Swarm, work: Work, what: str = "diff") -> Inspected:
    return inspect(swarm.mirror, swarm.top / "instances", work, what)


def done(candidate: Candidate) -> Work:
    return Work(
        base=candidate.base,
        commit=candidate.commit,
        branch=candidate.branch,
        instance=candidate.instance_dir.name,
        attempt=candidate.attempt,
    )


def under_way(candidate: Candidate) -> Work:
    return dataclasses.replace(done(candidate), commit="")


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if not path.is_symlink()
    }


def test_a_done_commit_that_only_its_instance_has_is_shown(swarm: Swarm) -> None:
    candidate = swarm.work({"app.py": "one\n2\nthree\n", "new.py": "x\n"})
    before = everything(swarm.mirror)
    shown = look(swarm, done(candidate))
    assert (shown.base, shown.commit) == (candidate.base, candidate.commit)
    assert (shown.files, shown.insertions, shown.deletions) == (2, 2, 1)
    assert shown.commits == 1
    assert not shown.truncated
    assert " app.py | 2 +-\n" in shown.text
    assert "create mode 100644 new.py" in shown.text
    assert "-two\n+2\n" in shown.text
    assert everything(swarm.mirror) == before, "looking leaves no trace"


def test_the_shown_patch_can_be_applied(swarm: Swarm) -> None:
    candidate = swarm.work({"app.py": "one\n2\nthree\n", "deep/new.py": "x\n"})
    patch = swarm.top / "patch"
    patch.write_text(look(swarm, done(candidate)).text)
    git(swarm.upstream, "apply", str(patch))
    assert (swarm.upstream / "app.py").read_text() == "one\n2\nthree\n"
    assert (swarm.upstream / "deep/new.py").read_text() == "x\n"


def test_a_merged_task_is_what_its_merge_brought_in(swarm: Swarm) -> None:
    one = merged(swarm, swarm.work({"a.py": "1\n"}, 1, "1.1"))
    merged(swarm, swarm.work({"b.py": "2\n"}, 2, "1.2"))
    shutil.rmtree(swarm.top / "instances")
    shown = look(swarm, Work(merge=one.commit))
    assert (shown.base, shown.commit) == (one.before, one.commit)
    assert "+++ b/a.py" in shown.text
    assert SPEC in shown.text, "its box is ticked by the merge"
    assert "b.py" not in shown.text
    log = look(swarm, Work(merge=one.commit), "log")
    assert log.commits == 2
    assert "Merge task 1.1: First" in log.text
    assert "a.py | 1 +" in log.text


def test_work_under_way_is_what_its_branch_leads_to(swarm: Swarm) -> None:
    made = swarm.cut()
    first = commit(Path(made.tree), {"a": "1\n"}, "First")
    candidate = swarm.candidate(made, first)
    assert look(swarm, under_way(candidate)).commit == first
    second = commit(Path(made.tree), {"b": "2\n"}, "Second")
    git(swarm.instance().repository, "pack-refs", "--all")
    shown = look(swarm, under_way(candidate), "log")
    assert (shown.commit, shown.commits) == (second, 2)
    order = [line.strip() for line in shown.text.splitlines()]
    assert order.index("Second") < order.index("First")


def test_nothing_committed_yet_is_an_empty_text(swarm: Swarm) -> None:
    made = swarm.cut()
    shown = look(swarm, under_way(swarm.candidate(made, made.base)))
    assert (shown.text, shown.commits, shown.files) == ("", 0, 0)


@pytest.mark.parametrize("what", ["diff", "log"])
def test_nothing_of_a_poisoned_instance_is_run(
    swarm: Swarm, canary: Canary, what: str
) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"app.py": "one\npoison\nthree\n"})
    write(Path(made.tree), {".gitattributes": "* filter=evil merge=evil diff=evil\n"})
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    poison(swarm.instance(), canary)
    shown = look(swarm, done(candidate), what)
    assert "app.py" in shown.text
    assert look(swarm, under_way(candidate), what).text == shown.text
    one = merged(swarm, candidate)
    assert "app.py" in look(swarm, Work(merge=one.commit), what).text
    assert canary.sung() == []


@pytest.mark.parametrize(
    "attributes", ["* -diff", "* binary", "[attr]hide -diff\n* hide"]
)
def test_an_attribute_of_the_tree_hides_no_change(
    swarm: Swarm, attributes: str
) -> None:
    files = {".gitattributes": f"{attributes}\n", "app.py": "one\nmalice\nthree\n"}
    candidate = swarm.work(files)
    assert "+malice" in look(swarm, done(candidate)).text
    one = merged(swarm, candidate)
    assert "+malice" in look(swarm, Work(merge=one.commit)).text


def test_names_and_texts_that_steer_a_terminal_are_written_out(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    names = ["a\nb", "x\x1b[2Jy", 'q"uote', "na\u202eme", "--output=evil"]
    write(tree, dict.fromkeys(names, "\x1b]0;title\x07 \u202eevil\rhidden\r\n"))
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    for what in ("diff", "log"):
        text = look(swarm, done(candidate), what).text
        assert not set(text) & set("\x1b\x07\u202e")
        assert r'"a\nb"' in text or r"a\nb" in text
    text = look(swarm, done(candidate)).text
    assert r"\033[2J" in text
    assert "<U+001B>]0;title<U+0007> <U+202E>evil<U+000D>hidden\r\n" in text


def test_a_hostile_title_cannot_pass_for_a_commit_of_its_own(swarm: Swarm) -> None:
    made = swarm.cut()
    done_ = commit(Path(made.tree), {"a": "1"}, "x\n\ncommit ffff\nAuthor: Boss\x1b[0m")
    text = look(swarm, under_way(swarm.candidate(made, done_)), "log").text
    heads = [line for line in text.splitlines() if line.startswith("commit ")]
    assert heads == [f"commit {done_}"]
    assert "    Author: Boss<U+001B>[0m" in text


def test_a_binary_file_is_named_and_not_shown(swarm: Swarm) -> None:
    made = swarm.cut()
    (Path(made.tree) / "logo.png").write_bytes(b"\x89PNG\0\1\2" * 1000)
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    shown = look(swarm, done(candidate))
    assert "Binary files /dev/null and b/logo.png differ" in shown.text
    assert len(shown.text) < 1000


def test_a_text_that_is_not_utf8_does_not_stop_it(swarm: Swarm) -> None:
    made = swarm.cut()
    (Path(made.tree) / "latin").write_bytes(b"gr\xfc\xdfe\n")
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    assert "+gr\ufffd\ufffde" in look(swarm, done(candidate)).text


def test_more_than_a_configmap_takes_is_cut_at_a_line(swarm: Swarm) -> None:
    line = "\u00e4" * 50 + "\n"
    candidate = swarm.work({"big.txt": line * 12_000})
    shown = look(swarm, done(candidate))
    assert shown.truncated
    assert shown.insertions == 12_000
    assert MAXIMUM_BYTES - 200 < len(shown.text.encode()) <= MAXIMUM_BYTES
    *_, whole, last = shown.text.splitlines()
    assert whole == "+" + line.strip()
    assert last.startswith("... cut here: the whole has 12")


def test_what_is_written_out_counts_for_the_limit(swarm: Swarm) -> None:
    candidate = swarm.work({"bells": "\x07\x07\x07\x07\n" * 40_000})
    shown = look(swarm, done(candidate))
    assert shown.truncated
    assert len(shown.text.encode()) <= MAXIMUM_BYTES


def test_a_tampered_object_is_not_shown(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"a": "the right text\n"})
    candidate = swarm.candidate(made, swarm.gather(made).commit)
    objects = candidate.instance_dir / "repo.git/objects"
    right = git(Path(made.tree), "rev-parse", "HEAD:a")
    write(Path(made.tree), {"b": "another text\n"})
    wrong = git(Path(made.tree), "hash-object", "-w", "b")
    target = objects / right[:2] / right[2:]
    target.chmod(0o644)
    shutil.copy(objects / wrong[:2] / wrong[2:], target)
    with pytest.raises(ObjectsRefused, match="git refused"):
        look(swarm, done(candidate))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_an_object_that_is_no_plain_file_is_refused(swarm: Swarm, kind: str) -> None:
    candidate = swarm.work({"a": "1"})
    place = candidate.instance_dir / "repo.git/objects/ff" / ("0" * 38)
    place.parent.mkdir(exist_ok=True)
    make = {"link": lambda at: os.symlink("/etc/passwd", at), "pipe": os.mkfifo}
    make.get(kind, os.mkdir)(place)
    with pytest.raises(ObjectsRefused, match="is not a plain file"):
        look(swarm, under_way(candidate))


def test_an_object_that_goes_while_it_is_copied_is_left_out(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the agent packs its repository in the meantime."""
    candidate = swarm.work({"a": "1\n"})
    gone, listed = "0" * 38, os.listdir

    def with_a_ghost(place: Any) -> list[str]:
        names = listed(place)
        loose = names and all(len(name) == 38 for name in names)
        return [*names, gone] if loose else names

    monkeypatch.setattr(os, "listdir", with_a_ghost)
    assert "+1" in look(swarm, done(candidate)).text


@pytest.mark.parametrize("part", ["repo.git/refs", "repo.git"])
def test_refs_behind_a_link_are_not_read(swarm: Swarm, part: str) -> None:
    other = swarm.work({"secret": "x"}, 2, "1.2")
    candidate = swarm.work({"a": "1"})
    mine, theirs = candidate.instance_dir / part, other.instance_dir / part
    shutil.rmtree(mine)
    mine.symlink_to(theirs)
    stolen = dataclasses.replace(under_way(candidate), branch=other.branch)
    with pytest.raises(ObjectsRefused):
        look(swarm, stolen)


def test_objects_over_the_limit_are_not_copied(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = swarm.work({"random": os.urandom(200_000).hex()})
    small = dataclasses.replace(module._LIMITS, stored_bytes=10_000)
    monkeypatch.setattr(module, "_LIMITS", small)
    with pytest.raises(ObjectsRefused, match="more than"):
        look(swarm, done(candidate))


@pytest.mark.parametrize("gone", ["instances/demo-1", "instances/demo-1/repo.git"])
def test_a_commit_that_went_with_its_instance_is_said_so(
    swarm: Swarm, gone: str
) -> None:
    candidate = swarm.work({"a": "1"})
    shutil.rmtree(swarm.top / gone)
    with pytest.raises(RefNotFound, match="instance demo-1 or its folder is gone"):
        look(swarm, done(candidate))


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (Work(merge="f" * 40), RefNotFound),
        (Work(merge="HEAD"), InvalidRef),
        (Work(base="f" * 40, commit="f" * 40), RefNotFound),
        (Work(base="--output=x", commit="f" * 40), InvalidRef),
    ],
)
def test_names_that_are_no_commits_are_refused(
    swarm: Swarm, work: Work, error: type[Exception]
) -> None:
    with pytest.raises(error):
        look(swarm, work)


@pytest.mark.parametrize("name", ["main", "swarm/demo/../x/1", "swarm/a;b/1.1/1"])
def test_only_branches_of_tasks_are_looked_up(swarm: Swarm, name: str) -> None:
    candidate = swarm.work({"a": "1"})
    with pytest.raises(InvalidRef):
        look(swarm, dataclasses.replace(under_way(candidate), branch=name))


def test_a_branch_that_its_instance_does_not_have(swarm: Swarm) -> None:
    candidate = swarm.work({"a": "1"})
    other = dataclasses.replace(under_way(candidate), branch=branch("1.1", 7))
    with pytest.raises(ObjectsRefused, match="is not in the instance's repository"):
        look(swarm, other)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r\n", "a\tb\nc\r\n"),
        ("a\rb", "a<U+000D>b"),
        ("\x9b31m", "<U+009B>31m"),
        ("\u2067x\u2069", "<U+2067>x<U+2069>"),
        ("gr\u00fc\u00dfe \u4e2d", "gr\u00fc\u00dfe \u4e2d"),
    ],
)
def test_what_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("moment", ["kept", "adopted", "both"])
def test_work_that_moves_on_while_it_is_looked_for_is_found(
    swarm: Swarm, moment: str
) -> None:
    candidate = swarm.work({"new.py": "x\n"})
    work = dataclasses.replace(done(candidate), uid=candidate.uid)
    if moment != "kept":
        put_aside(swarm, candidate)
    instance = str(candidate.instance_dir)
    moves = ["kept", "adopted"] if moment == "both" else [moment]

    def told(event: str, arguments: Any) -> None:
        # What it is looked for in is opened: by now it is elsewhere.
        opened = str(arguments[0]) if event == "open" else ""
        if not moves or not (opened == instance or "finished" in opened):
            return
        move = moves.pop(0)
        if move == "kept" and not swarm.shelf().is_dir():
            put_aside(swarm, candidate)
        shutil.rmtree(candidate.instance_dir, ignore_errors=True)
        if move == "adopted":
            adopted(swarm)

    watched.append(told)
    try:
        shown = look(swarm, work)
    finally:
        watched.remove(told)
    assert shown.commit == candidate.commit
    assert moves == []
