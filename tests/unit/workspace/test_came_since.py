"""What came into a branch since its gate passed: by task, sync and commit."""

from __future__ import annotations

from kiro_swarm.workspace.came_since import came_since
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import START_REF
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict, Merged
from kiro_swarm.workspace.sync import Source, sync
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    merged,
)


class Passes:
    """Gates of these names that pass."""

    def __init__(self, *names: str) -> None:
        self._runs = tuple(GateRun(name, 1.0) for name in names)

    def check(self, commit: str) -> GateVerdict:
        return GateVerdict(passed=True, runs=self._runs)


def said(swarm: Swarm, gate: str = "tests") -> str:
    git_of = Git(swarm.mirror)
    return came_since(git_of, git_of.commit_id(START_REF), swarm.head(), gate)


def test_nothing_came(swarm: Swarm) -> None:
    began = swarm.head()[:12]
    assert said(swarm) == (
        f"Nothing was merged since the swarm began there, at {began}"
    )


def test_all_that_came_is_named(swarm: Swarm) -> None:
    began = swarm.head()[:12]
    merged(swarm, swarm.work({"a": "1"}))
    first = swarm.head()[:12]
    commit(swarm.upstream, {"new": "x"})
    source = Source(swarm.url, "main", upstream=True)
    sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), "command-uid")
    synced = swarm.head()[:12]
    # Somebody moves the branch by hand.
    tree = git(swarm.mirror, "rev-parse", f"{INTEGRATION}^{{tree}}")
    theirs = git(swarm.mirror, "commit-tree", tree, "-p", swarm.head(), "-m", "By hand")
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", theirs)
    assert said(swarm) == (
        f"Since the swarm began, at {began}, where nobody has seen it pass, came task 1.1"
        f" ({first}), the sync {synced}, commit {theirs[:12]}, which is none of the"
        " swarm's"
    )


def test_what_came_before_it_passed_is_not_named(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}, 1, "1.1"))
    made = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Passes("lint", "tests")).merge(
        swarm.work({"b": "1"}, 2, "1.2")
    )
    assert isinstance(made, Merged)
    green = swarm.head()[:12]
    assert said(swarm).startswith(f"It passed when {green} was made")
    merged(swarm, swarm.work({"c": "1"}, 3, "2"))
    last = swarm.head()[:12]
    assert said(swarm) == (f"Since it passed last, at {green}, came task 2 ({last})")
    assert "task 1.1" in said(swarm, "another")
    assert "task 1.1" not in said(swarm, "")


def test_of_many_the_latest_are_named(swarm: Swarm) -> None:
    for number in range(9):
        tree = git(swarm.mirror, "rev-parse", f"{INTEGRATION}^{{tree}}")
        words = ("commit-tree", tree, "-p", swarm.head(), "-m", f"No. {number}")
        git(
            swarm.mirror,
            "update-ref",
            f"refs/heads/{INTEGRATION}",
            git(swarm.mirror, *words),
        )
    assert said(swarm).endswith("swarm's and 3 more")
    assert swarm.head()[:12] in said(swarm)
