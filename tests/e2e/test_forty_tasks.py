"""Forty tasks on four instances, one of which is killed under its work, and on one instance.

All that is judged was recorded by the API server and by git; tests/support/judging.py has the
checks. Both swarms work through the same repository at the same time, so that whatever else
the machine does slows both of them. That is not in favour of the four, which share it with
the one to their end, while the one has it for itself from then on. The agent's work is a wait
of known length. All forty in hack/soak, 26 of them in hack/test.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List

import pytest

from tests.support import forty, journal, judging
from tests.support.cluster import Cluster
from tests.support.journal import Attempt, Journal
from tests.support.sizes import Figures, sized
from tests.support.swarm import Place, place_named

BRANCH = "swarm/demo/integration"
#: How many times as fast four instances must be at least. It is more where nothing else
#: runs, but never four: two cores start, check and merge the work of all of them.
TIMES_AS_FAST = sized(1.3, 1.5)
#: How many of the four must have a task, on average. Where the machine is slow everything
#: takes longer, so this does not depend on it.
BUSY = sized(2.0, 2.5)
SPEC = sized(forty.SOME, forty.FORTY)
COUNT = len(SPEC.leaves)


@dataclass(frozen=True)
class Worked:
    """What is left of a swarm: its attempts, its KiroTasks by id, its branch."""

    attempts: List[Attempt]
    tasks: Dict[str, Dict[str, Any]]
    line: List[str]
    trailers: List[str]
    tree: Dict[str, str]


@dataclass(frozen=True)
class Both:
    """The two runs, and the instance whose pod was killed."""

    four: Worked
    one: Worked
    killed: str


def begin(place: Place, url: str, instances: int) -> None:
    """Apply the swarm."""
    place.swarm(
        url,
        instances=instances,
        tasks={"specPath": "demo", "optional": "Run"},
        # A busy machine may be slow for a moment; nothing but the kill is to end an attempt.
        distribution={"slowInstances": "Keep"},
    )


def kill_who_has(place: Place, written: Journal, task: str) -> str:
    """The name of the instance whose pod was killed while it worked on this task."""
    place.wait(written.states, lambda states: states.get(task) == "Running")
    name = str(written.latest()[task]["status"]["instance"])
    place.kubectl("delete", "pod", f"{name}-0", "--grace-period=0", "--force")
    return name


def end(place: Place, written: Journal) -> Worked:
    """Wait until everything is merged and pushed, and look at it."""
    place.wait(
        written.states,
        lambda states: states and set(states.values()) == {"Merged"},
        seconds=400,
    )
    place.wait(place.status, lambda status: status["integration"].get("pushed"))
    log = place.git("log", "--first-parent", "--reverse", "--format=%H", BRANCH)
    listed = place.git("ls-tree", "-r", BRANCH).splitlines()
    return Worked(
        journal.attempts(written.events()),
        written.latest(),
        log.split(),
        place.trailers(),
        {line.split("\t")[1]: line.split()[2] for line in listed},
    )


@pytest.fixture(scope="module")
def both(
    installed: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """Two swarms side by side, to the end of both."""
    scratch = tmp_path_factory.mktemp("journals")
    with ExitStack() as stack:
        one = stack.enter_context(place_named(installed, "forty-on-one"))
        four = stack.enter_context(place_named(installed, "forty-on-four"))
        urls = [place.serve(SPEC.repository()) for place in (one, four)]
        of_one, of_four = (
            stack.enter_context(journal.recorded(place, scratch / place.name))
            for place in (one, four)
        )
        begin(one, urls[0], 1)
        begin(four, urls[1], 4)
        killed = kill_who_has(four, of_four, forty.SLOW)
        found = Both(end(four, of_four), end(one, of_one), killed)
        four.wait(
            lambda: four.get("kiroinstance", killed)["status"],
            lambda status: status.get("restarts") == 1,
        )
        yield found


@pytest.fixture(params=["four", "one"])
def worked(both: Both, request: pytest.FixtureRequest) -> Worked:
    """Each of the two runs."""
    found: Worked = getattr(both, request.param)
    return found


def test_every_task_is_merged_once_and_all_of_them_are_there(worked: Worked) -> None:
    assert len(worked.tasks) == COUNT
    assert judging.not_merged_once(worked.attempts, SPEC.dependencies) == []
    # Git knows the same: a merge for the last attempt of every task, and nothing else.
    assert sorted(worked.trailers) == sorted(
        f"{task['metadata']['uid']}/{task['status']['attempt']}"
        for task in worked.tasks.values()
    )
    assert len(worked.line) == 1 + COUNT
    order = sorted(worked.tasks, key=lambda t: worked.line.index(merge_of(worked, t)))
    assert worked.tree == forty.blobs(SPEC.outcome(order))


def merge_of(worked: Worked, task: str) -> str:
    """The commit that merged a task."""
    return str(worked.tasks[task]["status"]["mergeCommit"])


def test_no_task_begins_before_what_it_needs_is_merged(worked: Worked) -> None:
    assert judging.begun_early(worked.attempts, SPEC.dependencies) == []
    merges = {task: merge_of(worked, task) for task in worked.tasks}
    bases = {name: task["status"]["baseCommit"] for name, task in worked.tasks.items()}
    needs = SPEC.dependencies
    assert judging.begun_without(worked.line, merges, bases, needs) == []


def test_an_instance_has_one_task_at_a_time(worked: Worked) -> None:
    assert judging.given_two(worked.attempts) == []


@pytest.mark.parametrize("pair", forty.OVERLAPS, ids="-".join)
def test_tasks_that_touch_the_same_are_never_out_at_once(
    both: Both, pair: tuple[str, str]
) -> None:
    assert judging.met(both.four.attempts, pair) == []
    assert judging.met(both.one.attempts, pair) == []
    # There was an occasion: less urgent tasks were begun while one of them had to wait.
    first = next(attempt for attempt in both.four.attempts if attempt.task in pair)
    meanwhile = judging.bound_during(both.four.attempts, first)
    assert set(meanwhile) - forty.URGENT


def test_nobody_is_passed_over_by_a_less_urgent_or_an_optional_task(
    worked: Worked,
) -> None:
    assert judging.passed_over(worked.attempts, SPEC.urgency) == []


def test_the_task_of_a_killed_instance_is_done_again_and_nothing_else(
    both: Both,
) -> None:
    again = [each for each in both.four.attempts if each.task == forty.SLOW]
    assert [each.number for each in again] == [1, 2]
    assert again[0].instance == both.killed
    assert again[0].outcome in ("InstanceLost", "RunnerStopped")
    assert judging.met(both.four.attempts, [forty.SLOW]) == []
    # The instance was back at work before the end, in another pod.
    assert any(
        attempt.instance == both.killed and again[0].ended.is_before(attempt.bound)
        for attempt in both.four.attempts
    )
    assert both.four.tasks[forty.SLOW]["status"]["failures"] == 0
    assert len(both.four.attempts) == COUNT + 1
    assert len(both.one.attempts) == COUNT


def test_four_instances_are_faster_than_one(both: Both, figures: Figures) -> None:
    """Although one of the four was killed on the way."""
    four, one = both.four.attempts, both.one.attempts
    assert len({attempt.instance for attempt in four}) == 4
    assert len({attempt.instance for attempt in one}) == 1
    times_as_fast = judging.elapsed(one) / judging.elapsed(four)
    figures(
        tasks=COUNT,
        seconds_on_four=round(judging.elapsed(four), 1),
        seconds_on_one=round(judging.elapsed(one), 1),
        times_as_fast=round(times_as_fast, 2),
        busy_of_four=round(judging.busy(four), 2),
    )
    # The agent alone needs this long, one task after another.
    assert judging.elapsed(one) > sum(leaf.seconds for leaf in SPEC.leaves)
    assert times_as_fast >= TIMES_AS_FAST
    assert judging.busy(four) >= BUSY
