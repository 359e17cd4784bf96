"""What goes with the volume and is nowhere else is pushed where nobody works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiro_swarm.workspace.done import DONE_REFS
from kiro_swarm.workspace.doubts import KILLED
from kiro_swarm.workspace.errors import InvalidRef, RemoteError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.outcomes import Candidate
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.rescue import RESCUE_REFS, Rescued, rescue
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    adopted,
    commit,
    git,
    merged,
)
from tests.unit.workspace.test_done import put_aside
from tests.unit.workspace.test_faults_of_the_source import BAD

ROOT = Path(__file__).parents[3]
UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
INTO = f"{RESCUE_REFS}/{UID}"


def tried(swarm: Swarm) -> Rescued:
    return rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, UID)


def saved(swarm: Swarm) -> list[str]:
    made = tried(swarm)
    assert made.left == []
    return made.refs


def theirs(swarm: Swarm) -> dict[str, str]:
    """What the repository has now."""
    listed = git(swarm.upstream, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in listed.splitlines())


def test_merged_and_done_work_that_was_never_pushed_is_saved(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    waits = swarm.work({"b.py": "b\n"}, index=2, task="2")
    put_aside(swarm, waits)
    branches = theirs(swarm)
    names = saved(swarm)
    assert names == [f"{INTO}/integration", f"{INTO}/done/uid-2/1"]
    assert theirs(swarm) == {
        **branches,
        f"{INTO}/integration": swarm.head(),
        f"{INTO}/done/uid-2/1": waits.commit,
    }, "and no branch of it is touched"
    assert git(swarm.upstream, "show", f"{waits.commit}:b.py") == "b"
    assert saved(swarm) == names, "said twice, the same"


def test_what_the_repository_has_is_not_pushed_again(swarm: Swarm) -> None:
    assert saved(swarm) == [], "nothing was done yet"
    merged(swarm, swarm.work({"a.py": "a\n"}))
    push_integration(swarm.mirror, swarm.url, INTEGRATION)
    before = theirs(swarm)
    assert saved(swarm) == []
    assert theirs(swarm) == before
    merged(swarm, swarm.work({"b.py": "b\n"}, index=2, task="2"))
    assert saved(swarm) == [f"{INTO}/integration"], "it has moved on"


def test_what_was_pushed_and_deleted_there_since_is_saved(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    push_integration(swarm.mirror, swarm.url, INTEGRATION)
    git(swarm.upstream, "update-ref", "-d", f"refs/heads/{INTEGRATION}")
    assert saved(swarm) == [f"{INTO}/integration"]
    assert theirs(swarm)[f"{INTO}/integration"] == swarm.head()


def test_what_was_pushed_and_moved_back_there_since_is_saved(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    push_integration(swarm.mirror, swarm.url, INTEGRATION)
    git(swarm.upstream, "update-ref", f"refs/heads/{INTEGRATION}", "main")
    assert saved(swarm) == [f"{INTO}/integration"]


def merged_by_hand(swarm: Swarm, folder: Path, files: dict[str, str]) -> str:
    """A commit on the integration branch, whatever the train would say of it."""
    git(swarm.mirror, "worktree", "add", "--detach", str(folder), INTEGRATION)
    commit(folder, files)
    head = git(folder, "rev-parse", "HEAD")
    git(swarm.mirror, "worktree", "remove", "--force", str(folder))
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", head)
    return head


@pytest.mark.parametrize("poisoned", range(5))
def test_all_that_was_merged_before_what_is_refused_is_saved(
    swarm: Swarm, tmp_path: Path, poisoned: int
) -> None:
    heads = [swarm.head()]
    for number in range(5):
        bad = {".gitmodules": BAD["url"]} if number == poisoned else {}
        files = {f"file-{number}": "x\n", **bad}
        heads.append(merged_by_hand(swarm, tmp_path / "tree", files))
    git(swarm.upstream, "config", "receive.fsckObjects", "true")
    made = tried(swarm)
    assert len(made.left) == 1, made.left
    assert f"{INTO}/integration" in made.left[0]
    there = theirs(swarm).get(f"{INTO}/integration")
    assert there == (heads[poisoned] if poisoned else None)
    assert made.refs == ([f"{INTO}/integration"] if poisoned else [])
    assert tried(swarm) == made, "and said the same again"


def test_a_repository_that_does_not_take_it_says_so(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    git(swarm.upstream, "config", "receive.hideRefs", "refs/kiro")
    made = tried(swarm)
    assert made.refs == []
    assert "hidden ref" in made.left[0]
    assert INTO in made.left[0]


def waiting(swarm: Swarm, count: int) -> list[Candidate]:
    """Merged work that is not pushed, and finished work on the shelf."""
    merged(swarm, swarm.work({"merged.py": "a\n"}))
    works = []
    for number in range(2, 2 + count):
        work = swarm.work({f"{number}.py": "b\n"}, index=number, task=str(number))
        put_aside(swarm, work)
        works.append(work)
    return works


@pytest.mark.parametrize("refused", ["integration", "done/uid-2/1", "done/uid-3/1"])
def test_what_one_ref_is_refused_for_holds_up_no_other(
    swarm: Swarm, refused: str
) -> None:
    first, second = waiting(swarm, 2)
    assert adopted(swarm) == 2
    put_aside(swarm, second)
    git(swarm.upstream, "config", "receive.hideRefs", f"{INTO}/{refused}")
    made = tried(swarm)
    everything = {"integration", f"done/{first.trailer}", f"done/{second.trailer}"}
    left = {f"{INTO}/{name}" for name in everything - {refused}}
    assert left <= set(theirs(swarm))
    assert any(refused in line and "hidden ref" in line for line in made.left)


def test_work_that_git_does_not_take_is_named_and_the_rest_saved(swarm: Swarm) -> None:
    broken, good = waiting(swarm, 2)
    place = swarm.top / "finished" / broken.instance_dir.name
    (pack,) = place.rglob("*.pack")
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-4])
    made = tried(swarm)
    assert made.refs == [f"{INTO}/integration", f"{INTO}/done/{good.trailer}"]
    assert [line.split(":")[0] for line in made.left] == [broken.trailer]
    assert place.is_dir()


#: The rescue, in a process that is killed when it starts a program with this argument.
KILLS = """
import os, signal, sys
from pathlib import Path
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.rescue import rescue
def told(event, arguments):
    starts = event in ("subprocess.Popen", "os.posix_spawn")
    if starts and sys.argv[5] in str(arguments):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(told)
rescue(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[6])
"""


@pytest.mark.parametrize("at", ["adopted", "pushed"])
def test_work_that_kills_the_job_keeps_nothing_else_from_being_saved(
    swarm: Swarm, at: str
) -> None:
    killer, good = waiting(swarm, 2)
    if at == "pushed":
        adopted(swarm)
    # git is asked for this commit by its name when it is taken, and when it is pushed.
    arguments = [str(swarm.mirror), str(swarm.top), swarm.url, INTEGRATION]
    saw = []
    for _ in range(KILLED + 1):
        ended = subprocess.run(
            [sys.executable, "-c", KILLS, *arguments, killer.commit, UID],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator")},
            check=False,
        )
        found = set(theirs(swarm))
        assert f"{INTO}/integration" in found, "before anything is adopted"
        there = f"{INTO}/done/{good.trailer}" in found
        saw.append((there, ended.returncode == -signal.SIGKILL))
    kills = [(True, True)] * (KILLED - 1)
    assert saw == [(False, True), *kills, (True, False)]
    assert tried(swarm).left == [
        f"{killer.trailer}: {KILLED} Jobs were killed while git worked at it"
    ]


def test_without_an_integration_branch_finished_work_is_saved(swarm: Swarm) -> None:
    (work,) = waiting(swarm, 1)
    adopted(swarm)
    git(swarm.mirror, "update-ref", "-d", f"refs/heads/{INTEGRATION}")
    (left,) = tried(swarm).left
    assert f"{INTO}/integration: branch {INTEGRATION} of the mirror is gone" in left
    assert f"{INTO}/done/{work.trailer}" in theirs(swarm)


def test_a_remote_that_is_away_is_not_asked_for_each(swarm: Swarm) -> None:
    waiting(swarm, 4)
    swarm.upstream.rename(swarm.top / "away")
    with pytest.raises(RemoteError):
        tried(swarm)


def test_a_name_that_is_none_is_refused(swarm: Swarm) -> None:
    with pytest.raises(InvalidRef):
        rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, "../heads/main")


def test_more_works_are_asked_for_than_a_command_line_can_name(swarm: Swarm) -> None:
    names = [f"refs/kiro/rescue/{'u' * 40}/done/{n}/1" for n in range(40_000)]
    there = {name: swarm.head() for name in names[::20_000]}
    for name, oid in there.items():
        git(swarm.upstream, "update-ref", name, oid)
    assert Remote(swarm.url).list_refs(Git(swarm.mirror), names) == there


def done_in_the_mirror(swarm: Swarm, folder: Path, bad: int = 0) -> list[str]:
    """Seven finished works that the mirror has; ``bad``: of which a server refuses one."""
    refs = []
    for number in range(1, 8):
        files = {f"{number}.py": "x\n"}
        if number == bad:
            files[".gitmodules"] = BAD["url"]
        git(swarm.mirror, "worktree", "add", "--detach", str(folder), INTEGRATION)
        commit(folder, files)
        head = git(folder, "rev-parse", "HEAD")
        git(swarm.mirror, "worktree", "remove", "--force", str(folder))
        git(swarm.mirror, "update-ref", f"{DONE_REFS}/uid-{number}/1", head)
        refs.append(f"{INTO}/done/uid-{number}/1")
    return refs


def counted(swarm: Swarm) -> Path:
    """Where the repository notes each push that it takes something of."""
    hooks = swarm.upstream / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-receive").write_text("#!/bin/sh\necho >>pushes\n")
    (hooks / "pre-receive").chmod(0o755)
    git(swarm.upstream, "config", "core.hooksPath", str(hooks))
    return swarm.upstream / ".git/pushes"


def test_many_works_are_pushed_by_one_connection(swarm: Swarm, tmp_path: Path) -> None:
    refs = done_in_the_mirror(swarm, tmp_path / "tree")
    pushes = counted(swarm)
    assert saved(swarm) == refs
    assert pushes.read_text() == "\n"
    assert saved(swarm) == refs, "said twice, the same"
    assert pushes.read_text() == "\n", "and nothing is pushed again"


def test_one_that_is_refused_by_name_costs_no_other_a_connection(
    swarm: Swarm, tmp_path: Path
) -> None:
    refs = done_in_the_mirror(swarm, tmp_path / "tree")
    git(swarm.upstream, "config", "receive.hideRefs", refs[3])
    pushes = counted(swarm)
    made = tried(swarm)
    assert made.refs == [ref for ref in refs if ref != refs[3]]
    assert [refs[3] in line and "hidden ref" in line for line in made.left] == [True]
    assert pushes.read_text() == "\n" * 2, "alone once more, to say why"


@pytest.mark.parametrize("bad", [1, 4, 7])
def test_all_but_the_one_for_which_the_server_refuses_all_are_saved(
    swarm: Swarm, tmp_path: Path, bad: int
) -> None:
    refs = done_in_the_mirror(swarm, tmp_path / "tree", bad)
    git(swarm.upstream, "config", "receive.fsckObjects", "true")
    pushes = counted(swarm)
    made = tried(swarm)
    assert made.refs == [ref for ref in refs if ref != refs[bad - 1]]
    assert [refs[bad - 1] in line for line in made.left] == [True]
    assert len(pushes.read_text()) <= 4, "halves, and not one at a time"
