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
from kiro_swarm.workspace.push import push_integration
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    Swarm,
    merged,
    write,
)

#: A cut, the evidence of changed files, keeping them, merging them, the ledger of it, the push.
MOST = {"cut": 3, "evidence": 30, "keep": 8, "merge": 32, "ledger": 4, "push": 5}


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
