"""Killed at any moment, the next run completes, and nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiro_swarm.workspace.disk import folders
from kiro_swarm.workspace.outcomes import Merged
from kiro_swarm.workspace.restore import restore
from kiro_swarm.workspace.sync import Source, Synced, sync
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    branch,
    commit,
    git,
    merged,
)

_ROOT = Path(__file__).parents[3]
_KILLS = 8
_CALLS = {
    "prepare": "Swarm(top).prepare()",
    "cut": "Swarm(top).cut()",
    "keep": (
        "from kiro_swarm.workspace.finished import keep; swarm = Swarm(top);"
        "keep(swarm.shelf(), 'uid-1-1', 1, swarm.instance().folder, swarm.mirror,"
        "INTEGRATION, sys.argv[2])"
    ),
    "gather": (
        "from kiro_swarm.workspace.evidence import gather;"
        "gather(Swarm(top).instance().folder, sys.argv[2], branch(), 'uid-1-1/1', 't')"
    ),
    "restore": (
        "from kiro_swarm.workspace.restore import restore;"
        "restore(Swarm(top).instance().folder, branch(), sys.argv[2])"
    ),
    "sync": (
        "from kiro_swarm.workspace.sync import Source, sync;"
        "swarm = Swarm(top);"
        "source = Source(swarm.url, 'main', upstream=True);"
        "sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), 'command-uid')"
    ),
    "merge": (
        "swarm = Swarm(top);"
        "train = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Gate());"
        "made = Cut(sys.argv[2], branch(), '');"
        "train.merge(swarm.candidate(made, sys.argv[3]))"
    ),
}
_PROGRAM = """
import sys
from pathlib import Path
from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import *
from tests.unit.workspace.repositories import INTEGRATION, SPEC, Gate, Swarm, branch
top = Path(sys.argv[1])
print("go", flush=True)
sys.stdin.readline()
"""


def _run_and_kill(name: str, top: Path, *arguments: str, after: float) -> bool:
    """Start a call and kill it after so many seconds; whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM + _CALLS[name], str(top), *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{_ROOT}/operator:{_ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdin.write(b"\n")
    process.stdin.flush()
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        # As in a pod: git's own processes die with their parent's container, or, when
        # only the parent is shot, live on for a moment under the inherited lock.
        os.kill(process.pid, signal.SIGKILL)
    finally:
        killed = process.wait() == -signal.SIGKILL
        process.stdin.close()
        process.stdout.close()
    return killed


def _moments(longest: float) -> list[float]:
    chosen = random.Random(20261122)
    return [chosen.uniform(0.001, longest) for _ in range(_KILLS)]


def test_prepare_is_killed_and_completes(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    killed = 0
    for after in _moments(0.12):
        killed += _run_and_kill("prepare", tmp_path, after=after)
        commit(swarm.upstream, {"x": str(after)})
    head = swarm.prepare()
    assert killed > 0
    assert head.source == git(swarm.upstream, "rev-parse", "main")
    assert git(swarm.mirror, "merge-base", head.start, head.source) == head.start
    assert swarm.fsck(swarm.mirror) == ""
    assert not list(swarm.mirror.rglob("*.lock"))


def test_cut_is_killed_and_completes(swarm: Swarm) -> None:
    swarm.work({"x": "1"}, task="2")
    killed = sum(_run_and_kill("cut", swarm.top, after=m) for m in _moments(0.08))
    assert killed > 0
    tree = Path(swarm.cut().tree)
    assert git(tree, "status", "--porcelain", "--ignored") == ""
    assert git(tree, "rev-parse", "HEAD") == swarm.head()
    assert git(tree, "for-each-ref", "--format=%(refname:short)") == branch()
    assert swarm.fsck(swarm.instance().repository) == ""


def test_keep_is_killed_and_completes(swarm: Swarm) -> None:
    done = swarm.work({f"f{n}": str(n) for n in range(20)})
    moments = _moments(0.2)
    killed = sum(
        _run_and_kill("keep", swarm.top, done.commit, after=m) for m in moments
    )
    assert killed > 0
    swarm.keep(done)
    swarm.cut(task="1.2")
    merged(swarm, swarm.kept(done))
    assert [one.name for one in folders(swarm.shelf())] == ["uid-1-1.1"]


def test_gather_is_killed_and_commits_once(swarm: Swarm) -> None:
    made = swarm.cut()
    (Path(made.tree) / "new").write_text("x")
    moments = _moments(0.12)
    killed = sum(
        _run_and_kill("gather", swarm.top, made.base, after=m) for m in moments
    )
    assert killed > 0
    done = swarm.gather(made)
    assert (done.reason, done.commits_ahead, done.files) == ("Done", 1, ["new"])
    assert git(Path(made.tree), "status", "--porcelain") == ""


def test_restore_is_killed_and_completes(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    (tree / "work").write_text("x")
    done = swarm.gather(made)
    assert done.commit is not None
    killed = 0
    for after in _moments(0.08):
        (tree / "litter").mkdir(exist_ok=True)
        (tree / "litter" / "a").write_text("y")
        (tree / "work").unlink(missing_ok=True)
        killed += _run_and_kill("restore", swarm.top, done.commit, after=after)
    assert killed > 0
    restore(swarm.instance().folder, made.branch, done.commit)
    assert git(tree, "status", "--porcelain") == ""
    assert swarm.gather(made) == done


def test_sync_is_killed_and_merges_once(swarm: Swarm) -> None:
    before = swarm.head()
    source = commit(swarm.upstream, {"new": "x"})
    killed = sum(_run_and_kill("sync", swarm.top, after=m) for m in _moments(0.25))
    assert killed > 0
    upstream = Source(swarm.url, "main", upstream=True)
    made = sync(swarm.mirror, upstream, INTEGRATION, SPEC, Gate(), "command-uid")
    assert made == Synced(before, swarm.head(), source, 1)
    merges = git(swarm.mirror, "log", "--merges", "--oneline", INTEGRATION)
    assert len(merges.splitlines()) == 1
    assert swarm.show("new") == "x"
    assert swarm.fsck(swarm.mirror) == ""


@pytest.mark.parametrize("only", range(2))
def test_merge_is_killed_and_merges_once(swarm: Swarm, only: int) -> None:
    candidate = swarm.work({"x": "1"})
    moments = _moments(0.25)[only::2]
    for after in moments:
        _run_and_kill("merge", swarm.top, candidate.base, candidate.commit, after=after)
    # What was killed holds up nothing: no lock is left that the next one waits for.
    began = time.monotonic()
    outcome = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Gate()).merge(candidate)
    assert time.monotonic() - began < 30
    assert isinstance(outcome, Merged)
    assert outcome.commit == swarm.head()
    assert outcome.before == candidate.base
    merges = git(swarm.mirror, "log", "--merges", "--oneline", INTEGRATION)
    assert len(merges.splitlines()) == 1
    assert "[x] 1.1" in swarm.show(SPEC)
    assert swarm.fsck(swarm.mirror) == ""
