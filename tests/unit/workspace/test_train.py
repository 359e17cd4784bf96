"""The merge train: what gets in, what goes back, and that nothing else moves the branch."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import IntegrationBusy, InvalidRef
from kiro_swarm.workspace.outcomes import (
    Conflict,
    GateFailed,
    GateVerdict,
    Merged,
)
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    SPEC,
    TASKS,
    Gate,
    Swarm,
    commit,
    git,
    merged,
    train,
    unproven,
    write,
)


def test_a_done_task_is_merged_and_ticked(swarm: Swarm) -> None:
    candidate = swarm.work({"new.py": "x\n"})
    before = swarm.head()
    gate = Gate()
    merged = train(swarm, gate).merge(candidate)
    assert merged == Merged(swarm.head(), before)
    assert gate.asked == [merged.commit]
    assert swarm.show("new.py") == "x"
    assert swarm.show(SPEC) == TASKS.replace("[ ] 1.1", "[x] 1.1").strip()
    parents = git(swarm.mirror, "log", "-1", "--format=%P", INTEGRATION)
    assert parents == f"{before} {candidate.commit}"
    message = git(swarm.mirror, "log", "-1", "--format=%B", INTEGRATION)
    assert message == (
        "Merge task 1.1: First\n\nSwarm-Task: uid-1-1/1\nSwarm-Task-Id: 1.1\n"
        f"Swarm-Uid: {MOVER.swarm}\nSwarm-Job: {MOVER.job}"
    )
    assert swarm.fsck(swarm.mirror) == ""
    assert not (swarm.mirror / "kiro-incoming").exists()


def test_the_group_is_ticked_with_its_last_task(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}, index=1, task="1.1"))
    merged(swarm, swarm.work({"b": "2"}, index=1, task="1.2"))
    ticked = TASKS.replace("[ ] 1", "[x] 1")
    assert swarm.show(SPEC) == ticked.strip()


def test_a_repeat_answers_with_the_same_merge(swarm: Swarm) -> None:
    candidate = swarm.work({"a": "1"})
    first = merged(swarm, candidate)
    merged(swarm, swarm.work({"b": "2"}, index=2, task="1.2"))
    gate = Gate()
    assert train(swarm, gate).merge(candidate) == first
    assert gate.asked == []
    assert train(swarm).merged_trailers() == {
        "uid-1-1/1": first.commit,
        "uid-1-2/1": swarm.head(),
    }


def test_parallel_work_of_many_instances_comes_together(swarm: Swarm) -> None:
    tasks = {1: "1.1", 2: "1.2", 3: "2"}
    candidates = [
        swarm.work({f"file{index}": "x"}, index=index, task=task)
        for index, task in tasks.items()
    ]
    for candidate in candidates:
        merged(swarm, candidate)
    assert swarm.show("file1") == swarm.show("file3") == "x"
    assert "[ ]" not in swarm.show(SPEC)


def test_the_tasks_file_of_the_branch_always_wins(swarm: Swarm) -> None:
    first = swarm.work({"a": "1", SPEC: "- [x] everything\n"}, index=1, task="1.1")
    made = swarm.cut(index=2, task="1.2")
    shutil.rmtree(Path(made.tree) / ".kiro")
    write(Path(made.tree), {"b": "2"})
    second = swarm.candidate(
        made, swarm.gather(made, 2, "1.2").commit, index=2, task="1.2"
    )
    third = swarm.work({f"{SPEC}.bak": "x", SPEC: TASKS + "more\n"}, index=3, task="2")
    for candidate in (first, second, third):
        merged(swarm, candidate)
    assert swarm.show(SPEC) == TASKS.replace("[ ]", "[x]").strip()
    assert swarm.show("a") + swarm.show("b") == "12"


def test_a_task_that_left_the_file_is_merged_without_a_tick(swarm: Swarm) -> None:
    work = swarm.work({"a": "1"})
    merged(swarm, dataclasses.replace(work, task_id="7.7", title="Another"))
    assert swarm.show(SPEC) == TASKS.strip()


def test_of_a_plan_that_was_renumbered_the_box_of_the_same_title_is_ticked(
    swarm: Swarm,
) -> None:
    work = swarm.work({"a": "1"})  # 1.1 was "Second" when the task was made
    merged(swarm, dataclasses.replace(work, title="Second"))
    assert swarm.show(SPEC) == TASKS.replace("[ ] 1.2", "[x] 1.2").strip()


@pytest.mark.parametrize("spec", [None, "docs/none.md"])
def test_without_a_tasks_file_nothing_is_ticked(swarm: Swarm, spec: str | None) -> None:
    train = MergeTrain(swarm.mirror, INTEGRATION, spec, Gate())
    assert isinstance(train.merge(swarm.work({"a": "1"})), Merged)
    assert swarm.show(SPEC) == TASKS.strip()


def test_a_conflict_goes_back_with_both_sides(swarm: Swarm) -> None:
    first = swarm.work({"app.py": "one\nFIRST\nthree\n"}, index=1, task="1.1")
    second = swarm.work({"app.py": "one\nSECOND\nthree\n"}, index=2, task="1.2")
    head = merged(swarm, first).commit
    gate = Gate()
    outcome = train(swarm, gate).merge(second)
    assert isinstance(outcome, Conflict)
    assert outcome.files == ("app.py",)
    for part in (
        "FIRST",
        "SECOND",
        "|||||||",
        "two",
        head[:12],
        "app.py",
        "What to do",
    ):
        assert part in outcome.brief
    assert swarm.head() == head
    assert gate.asked == []


def test_a_file_removed_by_one_and_changed_by_the_other(swarm: Swarm) -> None:
    made = swarm.cut()
    (Path(made.tree) / "app.py").unlink()
    first = swarm.candidate(made, swarm.gather(made).commit)
    second = swarm.work({"app.py": "x\n" * 9}, index=2, task="1.2")
    merged(swarm, first)
    outcome = train(swarm).merge(second)
    assert isinstance(outcome, Conflict)
    assert "CONFLICT (modify/delete)" in outcome.brief


def test_a_huge_conflict_has_a_bounded_brief(swarm: Swarm) -> None:
    long, wide, large = "many\n" * 500, "ö" * 9_000, "z" * 2_000_000
    names = ("app.py", ".gitignore", "data")
    first = swarm.work(dict.fromkeys(names, "x\n"), index=1, task="1.1")
    second = swarm.work(dict(zip(names, (long, wide, large))), index=2, task="1.2")
    merged(swarm, first)
    outcome = train(swarm).merge(second)
    assert isinstance(outcome, Conflict)
    assert set(outcome.files) == set(names)
    assert 8000 < len(outcome.brief.encode()) <= 8192
    assert outcome.brief.endswith("... (cut)")


def test_a_red_gate_goes_back_with_the_end_of_its_output(swarm: Swarm) -> None:
    candidate = swarm.work({"a": "1"})
    before = swarm.head()
    gate = Gate(passed=False, output="x" * 20_000 + "AssertionError: two")
    outcome = train(swarm, gate).merge(candidate)
    assert isinstance(outcome, GateFailed)
    assert outcome.gate == "unit"
    assert outcome.brief.endswith("AssertionError: two")
    assert len(outcome.brief.encode()) <= 8192
    assert swarm.head() == before
    assert isinstance(train(swarm).merge(candidate), Merged)


def test_the_gate_sees_the_merged_result(swarm: Swarm) -> None:
    first = swarm.work({"a": "1"}, index=1, task="1.1")
    second = swarm.work({"b": "2"}, index=2, task="1.2")
    merged(swarm, first)
    gate = Gate()
    train(swarm, gate).merge(second)
    checkout_tree(swarm.mirror, gate.asked[0], swarm.top / "gate")
    assert (swarm.top / "gate/a").read_text() + (
        swarm.top / "gate/b"
    ).read_text() == "12"


class _MovingGate(Gate):
    """While it checks, somebody else moves the integration branch."""

    def __init__(self, swarm: Swarm, times: int) -> None:
        super().__init__()
        self._swarm, self._times = swarm, times

    def check(self, commit: str) -> GateVerdict:
        if len(self.asked) < self._times:
            head = self._swarm.head()
            tree = git(self._swarm.mirror, "rev-parse", f"{head}^{{tree}}")
            other = git(self._swarm.mirror, "commit-tree", tree, "-p", head, "-m", "x")
            ref = f"refs/heads/{INTEGRATION}"
            git(self._swarm.mirror, "update-ref", ref, other, head)
        return super().check(commit)


def test_a_branch_that_moved_is_merged_into_again(swarm: Swarm) -> None:
    gate = _MovingGate(swarm, 2)
    merged = train(swarm, gate).merge(swarm.work({"a": "1"}))
    assert isinstance(merged, Merged)
    assert len(gate.asked) == 3
    assert merged.commit == gate.asked[-1] == swarm.head()
    assert git(swarm.mirror, "log", "--first-parent", "--oneline", INTEGRATION).count(
        "x"
    )


def test_a_branch_that_never_rests_is_an_error(swarm: Swarm) -> None:
    with pytest.raises(IntegrationBusy, match="second integrate job"):
        train(swarm, _MovingGate(swarm, 99)).merge(swarm.work({"a": "1"}))


def test_a_late_attempt_is_refused_when_another_wasmerged(swarm: Swarm) -> None:
    late = swarm.work({"a": "1"}, index=1, attempt=1)
    merged(swarm, swarm.work({"a": "2"}, index=2, attempt=2))
    assert "AlreadyMerged: attempt 2" in unproven(swarm, late)
    assert swarm.show("a") == "2"


def test_a_claim_about_a_commit_that_is_not_there(swarm: Swarm) -> None:
    candidate = dataclasses.replace(swarm.work({"a": "1"}), commit="1" * 40)
    assert "CommitMissing" in unproven(swarm, candidate)


def test_a_claim_with_the_trailer_of_another_attempt(swarm: Swarm) -> None:
    candidate = dataclasses.replace(swarm.work({"a": "1"}), attempt=2)
    assert "TrailerMissing" in unproven(swarm, candidate)


def test_a_trailer_in_an_agents_commit_does_not_make_itmerged(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"}, "Cheat\n\nSwarm-Task: uid-1-2/1")
    merged(swarm, swarm.candidate(made, swarm.gather(made).commit))
    assert list(train(swarm).merged_trailers()) == ["uid-1-1/1"]


def test_a_claim_that_adds_nothing(swarm: Swarm) -> None:
    made = swarm.cut()
    candidate = swarm.candidate(made, made.base)
    assert "NotAheadOfBase" in unproven(swarm, candidate)


def test_a_base_that_was_rolled_back_is_not_smuggled_in(swarm: Swarm) -> None:
    start = swarm.head()
    merged(swarm, swarm.work({"undone": "1"}, index=1, task="1.1"))
    later = swarm.work({"b": "2"}, index=2, task="1.2")
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", start)
    assert "BaseNotIntegrated" in unproven(swarm, later)


def test_an_unknown_base_is_refused(swarm: Swarm) -> None:
    candidate = dataclasses.replace(swarm.work({"a": "1"}), base="2" * 40)
    assert "BaseNotIntegrated" in unproven(swarm, candidate)


def test_a_malformed_claim_is_an_error(swarm: Swarm) -> None:
    good = swarm.candidate(swarm.cut(), "4" * 40)
    for bad in (
        dataclasses.replace(good, commit="--upload-pack=x"),
        dataclasses.replace(good, base="main"),
        dataclasses.replace(good, uid="a b"),
        dataclasses.replace(good, attempt=0),
    ):
        with pytest.raises(InvalidRef):
            train(swarm).merge(bad)


def test_a_title_cannot_forge_a_trailer(swarm: Swarm) -> None:
    title = "Nice\n\nSwarm-Task: uid-1-2/1"
    merged(swarm, dataclasses.replace(swarm.work({"a": "1"}), title=title))
    assert list(train(swarm).merged_trailers()) == ["uid-1-1/1"]
