"""How many git processes the steps of a task start: each costs 2 ms, and it adds up.

Who needs one more raises the number here, and says in the commit what it is for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.ledger import news
from kiro_swarm.workspace.outcomes import Conflict
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.upkeep import Needed, tidy
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    Swarm,
    commit,
    git,
    merged,
    train,
    write,
)

#: A cut, the evidence of changed files, keeping them, merging them, the ledger of it, the push.
MOST = {"cut": 3, "evidence": 30, "keep": 8, "merge": 38, "ledger": 4, "push": 5}


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The git commands since this was asked last."""
    folder, real = tmp_path / "counting", shutil.which("git")
    folder.mkdir()
    log = folder / "log"
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def since() -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [line.replace("--no-pager ", "", 1) for line in lines]

    return since


def test_the_steps_of_a_task_start_few_processes(
    swarm: Swarm, started: Callable[[], list[str]]
) -> None:
    commands: dict[str, list[str]] = {}
    made = swarm.cut()
    commands["cut"] = started()
    write(Path(made.tree), {"app.py": "four\n", "new.py": "new\n"})
    evidence = swarm.gather(made)
    assert evidence.reason == "Done"
    commands["evidence"] = started()
    done = swarm.candidate(made, evidence.commit)
    swarm.keep(done)
    commands["keep"] = started()
    merged(swarm, swarm.kept(done))
    commands["merge"] = started()
    found = news(swarm.mirror, INTEGRATION, [], 0, MOVER, "2026-11-22T10:00:00Z")
    assert len(found.entries) == 1
    commands["ledger"] = started()
    push_integration(swarm.mirror, swarm.url, INTEGRATION, mover=MOVER)
    commands["push"] = started()
    for step, lines in commands.items():
        assert 0 < len(lines) <= MOST[step], (step, len(lines), lines)


def _count(top: Path, number: int, started: Callable[[], list[str]]) -> dict[str, int]:
    """What the steps start where a repository has so many of everything."""
    top.mkdir()
    swarm, counts = Swarm(top), {}

    def step(name: str) -> None:
        counts[name] = len(started())

    places = [f"d{index}/.gitattributes" for index in range(number)]
    shared = [f"shared{index}" for index in range(number)]
    commit(swarm.upstream, dict.fromkeys(places, "*.log merge=union\n"))
    commit(swarm.upstream, dict.fromkeys(shared, "one\n"))
    _refs(swarm.upstream, "refs/tags/v", number)
    started()
    swarm.prepare()
    step("prepare")
    commit(swarm.upstream, {"newer": "1"})
    _refs(swarm.upstream, "refs/tags/v", number)
    started()
    swarm.prepare()
    step("prepare with moved tags")
    first, second = swarm.cut(1), swarm.cut(2, "1.2")
    step("cuts")
    for made in (first, second):
        tree = Path(made.tree)
        commit(tree, {"side": made.branch})
        _refs(tree, "refs/heads/side", number)
        git(tree, "reset", "--quiet", "--hard", made.base)
        write(tree, dict.fromkeys(shared, made.branch))
        for index in range(number):
            (tree / f"{made.branch[-3:].replace('/', '')}-{index}").symlink_to("app.py")
    started()
    done = swarm.candidate(first, swarm.gather(first).commit)
    step("evidence")
    late = swarm.gather(second, 2, "1.2")
    other = swarm.candidate(second, late.commit, 2, "1.2")
    started()
    swarm.keep(done)
    step("keep")
    merged(swarm, swarm.kept(done))
    step("merge")
    assert isinstance(train(swarm).merge(other), Conflict)
    step("conflict")
    names = ("demo-1", "demo-2")
    needed = Needed({}, names, (first.base, swarm.head())[:number], busy=names)
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed, pressed=True)
    step("tidy")
    return counts


def _refs(folder: Path, prefix: str, number: int) -> None:
    """So many refs, to as many commits on top of where the folder is."""
    for index in range(number):
        made = git(folder, "commit-tree", "-p", "HEAD", "-m", f"{index}", "HEAD^{tree}")
        git(folder, "update-ref", f"{prefix}{index}", made)


def test_what_a_repository_holds_many_of_starts_no_more_processes(
    tmp_path: Path, started: Callable[[], list[str]]
) -> None:
    few, many = (_count(tmp_path / str(n), n, started) for n in (2, 12))
    assert many == few
