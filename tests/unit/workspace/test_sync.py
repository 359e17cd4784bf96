"""New work of the source repository comes in by the rules of the train, and only by them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import (
    IntegrationBusy,
    InvalidRef,
    RefNotFound,
    RemoteUnavailable,
    SyncRefused,
)
from kiro_swarm.workspace.outcomes import GateVerdict, Merged
from kiro_swarm.workspace.sync import Source, Synced, sync
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    TASKS,
    Gate,
    Swarm,
    commit,
    git,
    merged,
    train,
)

UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
OTHER = "11111111-5b1c-4a53-9a5e-2f6d3a1c9b7e"


def run(
    swarm: Swarm, gate: Gate | None = None, uid: str = UID, branch: str = ""
) -> Synced:
    source = Source(swarm.url, branch or "main", upstream=not branch)
    return sync(swarm.mirror, source, INTEGRATION, SPEC, gate or Gate(), uid)


def refused(swarm: Swarm, gate: Gate | None = None) -> SyncRefused:
    before = swarm.head()
    with pytest.raises(SyncRefused) as caught:
        run(swarm, gate)
    assert swarm.head() == before, "nothing was moved"
    return caught.value


def test_new_commits_are_merged_and_counted(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"task.py": "1\n"}))
    before = swarm.head()
    commit(swarm.upstream, {"new.py": "x\n"})
    source = commit(swarm.upstream, {"more.py": "y\n"})
    gate = Gate()
    made = run(swarm, gate)
    assert made == Synced(before, swarm.head(), source, 2)
    assert gate.asked == [swarm.head()]
    assert swarm.show("new.py") == "x"
    assert swarm.show("task.py") == "1"
    parents = git(swarm.mirror, "log", "-1", "--format=%P", INTEGRATION)
    assert parents == f"{before} {source}"
    message = git(swarm.mirror, "log", "-1", "--format=%B", INTEGRATION)
    assert message == (
        f"Merge main of the repository at {source[:12]}\n\nSwarm-Sync: {UID}"
    )
    assert swarm.fsck(swarm.mirror) == ""


def test_without_a_ref_the_default_branch_is_merged(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"task.py": "1\n"}))
    git(swarm.upstream, "checkout", "--quiet", "-b", "trunk")
    newer = commit(swarm.upstream, {"new.py": "x\n"})
    source = Source(swarm.url, None, upstream=True)
    made = sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), UID)
    assert made.source == newer
    subject = git(swarm.mirror, "log", "-1", "--format=%s", INTEGRATION)
    assert subject == f"Merge the default branch of the repository at {newer[:12]}"


def test_a_second_time_there_is_nothing_new(swarm: Swarm) -> None:
    commit(swarm.upstream, {"new.py": "x\n"})
    first = run(swarm)
    gate = Gate()
    again = run(swarm, gate, OTHER)
    assert again == Synced(first.head, first.head, first.source, 0)
    assert gate.asked == []


def test_the_same_command_gives_the_same_answer(swarm: Swarm) -> None:
    commit(swarm.upstream, {"new.py": "x\n"})
    first = run(swarm)
    merged(swarm, swarm.work({"task.py": "1\n"}))
    commit(swarm.upstream, {"later.py": "x\n"})
    assert run(swarm) == first


def test_tasks_that_began_before_merge_after_it_and_are_known(swarm: Swarm) -> None:
    candidate = swarm.work({"task.py": "1\n"})
    early = merged(swarm, swarm.work({"early.py": "1\n"}, 2, "1.2"))
    commit(swarm.upstream, {"new.py": "x\n"})
    run(swarm)
    late = merged(swarm, candidate)
    assert train(swarm).merged_trailers() == {
        "uid-1-1/1": late.commit,
        "uid-1-2/1": early.commit,
    }


def test_upstream_that_has_merged_the_integration_branch_loses_no_trailer(
    swarm: Swarm,
) -> None:
    candidate = swarm.work({"task.py": "1\n"})
    one = merged(swarm, candidate)
    git(swarm.upstream, "fetch", "-q", str(swarm.mirror), INTEGRATION)
    git(swarm.upstream, "merge", "-q", "--no-ff", "-m", "Take it", "FETCH_HEAD")
    made = run(swarm)
    assert made.commits == 1
    assert train(swarm).merge(candidate) == one
    assert isinstance(one, Merged)


def test_another_branch_is_merged_by_its_name(swarm: Swarm) -> None:
    git(swarm.upstream, "checkout", "-q", "-b", "feature/parallel-dev")
    ahead = commit(swarm.upstream, {"feature.py": "x\n"})
    git(swarm.upstream, "checkout", "-q", "main")
    known = git(swarm.mirror, "rev-parse", "refs/kiro/source")
    made = run(swarm, branch="feature/parallel-dev")
    assert (made.source, made.commits) == (ahead, 1)
    assert swarm.show("feature.py") == "x"
    assert git(swarm.mirror, "rev-parse", "refs/kiro/source") == known


def test_a_conflict_is_refused_with_its_files(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"app.py": "one\nours\nthree\n", "b.py": "ours\n"}))
    commit(swarm.upstream, {"app.py": "one\ntheirs\nthree\n", "b.py": "theirs\n"})
    error = refused(swarm)
    assert error.reason == "SyncConflict"
    assert "in 2 file(s): app.py, b.py. Nothing was moved" in error.message


def test_names_in_a_conflict_cannot_steer_a_terminal(swarm: Swarm) -> None:
    names = [f"{n}\x1b[2J\u202e\n" + "x" * 150 for n in range(15)]
    merged(swarm, swarm.work(dict.fromkeys(names, "ours")))
    commit(swarm.upstream, dict.fromkeys(names, "theirs"))
    error = refused(swarm)
    assert "15 file(s): 0<U+001B>[2J<U+202E><U+000A>x" in error.message
    assert "and 5 more" in error.message
    assert re.fullmatch(r"[ -~]+", error.message)


def test_a_red_gate_moves_nothing(swarm: Swarm) -> None:
    commit(swarm.upstream, {"new.py": "x\n"})
    error = refused(swarm, Gate(False, "1 test failed"))
    assert error.reason == "GateFailed"
    assert "gate unit is red on main" in error.message
    assert "1 test failed" in error.message


def test_a_plan_that_both_sides_changed_is_the_swarm_s_own(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"task.py": "1\n"}))
    theirs = TASKS.replace("- [ ] 1.1 First", "- [ ] 1.1 Other title")
    commit(swarm.upstream, {SPEC: theirs, "new.py": "x\n"})
    made = run(swarm)
    assert made.kept_plan
    assert swarm.show(SPEC) == TASKS.replace("[ ] 1.1", "[x] 1.1").strip()
    assert swarm.show("new.py") == "x"


def test_a_plan_that_merges_keeps_ticks_and_gets_the_new_lines(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"task.py": "1\n"}))
    commit(swarm.upstream, {SPEC: TASKS.replace("# Plan\n", "# The plan\n")})
    made = run(swarm)
    assert not made.kept_plan
    shown = swarm.show(SPEC)
    assert shown.startswith("# The plan")
    assert "[x] 1.1" in shown


def test_history_of_another_repository_is_refused(swarm: Swarm) -> None:
    git(swarm.upstream, "checkout", "-q", "--orphan", "fresh")
    commit(swarm.upstream, {"fresh.py": "x\n"})
    git(swarm.upstream, "branch", "-q", "-M", "fresh", "main")
    assert refused(swarm).reason == "UnrelatedHistory"


def test_a_rewritten_upstream_is_merged_like_any_other(swarm: Swarm) -> None:
    commit(swarm.upstream, {"one.py": "x\n"})
    run(swarm)
    git(swarm.upstream, "commit", "-q", "--amend", "-m", "Another history")
    assert run(swarm, uid=OTHER).commits == 1


def test_a_branch_that_moves_while_the_gate_runs_is_tried_again(swarm: Swarm) -> None:
    commit(swarm.upstream, {"new.py": "x\n"})
    candidate = swarm.work({"task.py": "1\n"})

    class Meanwhile(Gate):
        def check(self, commit: str) -> GateVerdict:
            if not self.asked:
                merged(swarm, candidate)
            return super().check(commit)

    gate = Meanwhile()
    made = run(swarm, gate)
    assert len(gate.asked) == 2
    assert made.head == swarm.head()
    assert swarm.show("task.py") == "1"
    assert swarm.show("new.py") == "x"


def test_a_branch_that_never_rests_is_given_up(swarm: Swarm) -> None:
    commit(swarm.upstream, {"new.py": "x\n"})

    class Restless(Gate):
        def check(self, commit: str) -> GateVerdict:
            tree = git(swarm.mirror, "rev-parse", f"{INTEGRATION}^{{tree}}")
            said = ("-p", swarm.head(), "-m", str(len(self.asked)))
            moved = git(swarm.mirror, "commit-tree", tree, *said)
            git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", moved)
            return super().check(commit)

    with pytest.raises(IntegrationBusy, match="moved 5 times"):
        run(swarm, Restless())


@pytest.mark.parametrize("name", ["a;b", "../main", "-x", "refs/heads/main", "a b"])
def test_names_outside_the_allow_list_are_refused(swarm: Swarm, name: str) -> None:
    with pytest.raises(InvalidRef):
        run(swarm, branch=name)


def test_what_is_not_there_is_said_so(swarm: Swarm) -> None:
    with pytest.raises(
        RefNotFound, match="no branch or tag 'gone'; its branches: main"
    ):
        run(swarm, branch="gone")
    source = Source(f"file://{swarm.top}/nowhere", "main", upstream=True)
    with pytest.raises(RemoteUnavailable):
        sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), UID)


def test_without_a_plan_in_the_repository(swarm: Swarm) -> None:
    source = Source(swarm.url, "main", upstream=True)
    made = commit(swarm.upstream, {"new.py": "x\n"})
    assert sync(swarm.mirror, source, INTEGRATION, None, Gate(), UID).source == made


def test_of_tasks_of_one_title_the_file_that_work_began_with_tells_which(
    swarm: Swarm,
) -> None:
    commit(swarm.upstream, {SPEC: _boxes("A", "Check", "B", "Check")})
    run(swarm)
    work = swarm.work({"a": "1"})
    # Two tasks in front of the others: 4 is another task of that title now.
    late = _boxes("X", "Y", "A", "Check", "B", "Check")
    commit(swarm.upstream, {SPEC: late})
    run(swarm, uid=OTHER)
    merged(swarm, replace(work, task_id="4", title="Check"))
    assert swarm.show(SPEC) == late.replace("[ ] 6", "[x] 6").strip()


def _boxes(*titles: str) -> str:
    return "".join(f"- [ ] {n}. {title}\n" for n, title in enumerate(titles, 1))


def test_a_plan_that_upstream_deleted_stays_deleted(swarm: Swarm) -> None:
    (swarm.upstream / SPEC).unlink()
    commit(swarm.upstream, {"new.py": "x\n"})
    run(swarm)
    assert SPEC not in git(swarm.mirror, "ls-tree", "-r", "--name-only", INTEGRATION)
    merged(swarm, swarm.work({"task.py": "1\n"}))
    assert Path(swarm.mirror).is_dir()
