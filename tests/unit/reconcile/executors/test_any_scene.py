"""Whatever a swarm looks like: every sentence is decided, and comes to rest."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.meta import TASK_STATES
from kiro_swarm.commands.parser import parse
from kiro_swarm.commands.table import COMMANDS
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from tests.unit.reconcile.executors.builders import Scene, Story

SENTENCES = [
    *("run task 1", "run task 2 beast-mode", "stop task 1", "pause task 1"),
    *("resume task 1", "assign task 1 to demo-2", "unassign task 1", "cancel task 1"),
    *("retry task 1", "retry failed tasks", "approve task 1", "reject task 1"),
    *("stop instance demo-1", "stop instance demo-1 graceful", "pause instance demo-1"),
    *("resume instance demo-1", "restart instance demo-1", "pause swarm"),
    *(
        "restart instance demo-1 graceful",
        "reassign tasks from demo-1",
        "cleanup swarm",
    ),
    *("stop all tasks", "stop all tasks graceful", "resume swarm", "scale instances 1"),
    *("scale swarm demo to 4", "scale up instances 1", "scale down instances 1"),
    *(
        "cancel command other",
        "cancel rescue",
        "test failure simulate instance-crash recovery-time",
    ),
    *("status swarm detailed health", "status task 1", "status instance demo-1"),
    *("explain task 1", 'test protocol parse "status"'),
]
#: Sentences that need git: a Job answers them, see the tests of those.
BY_JOB = {"diff", "log", "merge", "resolve", "sync"}

DESIRED = ("Running", "Paused", "Drained", "Stopped")
PHASES = ("Pending", "Ready", "Busy", "Paused", "Draining", "Restarting", "Stopped")


@st.composite
def scenes(draw: Any) -> Scene:
    """Up to three instances and tasks, in any state, fitting together or not."""
    scene = Scene(
        suspend=draw(st.booleans()),
        instances=draw(st.integers(0, 3)),
        integration={"approval": draw(st.sampled_from(["Never", "Required"]))},
    )
    for index in range(1, draw(st.integers(1, 4))):
        scene.instance(
            index,
            draw(st.sampled_from(PHASES)),
            spec={"desired": draw(st.sampled_from(DESIRED))},
        )
    for number in range(1, draw(st.integers(1, 4))):
        scene.task(
            str(number),
            draw(st.sampled_from(TASK_STATES)),
            needs=[str(number - 1)] if draw(st.booleans()) else [],
            spec={
                "paused": draw(st.booleans()),
                "assignedTo": draw(st.sampled_from(["", "demo-1", "demo-9"])),
                "approvedAttempt": draw(st.integers(0, 1)),
            },
        )
        if draw(st.booleans()):
            del scene.tasks[str(number)]["spec"]["paused"]
    if draw(st.booleans()):
        scene.command("other", draw(st.sampled_from(["Pending", "Running", "Failed"])))
    scene.job("integrate", 1, ended=draw(st.sampled_from([True, False, None])))
    return scene


def test_the_sentences_are_those_of_the_table() -> None:
    said = {parse(sentence).command.name for sentence in SENTENCES}
    there = {row.name for row in COMMANDS if row.available and row.verb not in BY_JOB}
    assert said == there <= set(EXECUTORS)


@given(scenes(), st.sampled_from(SENTENCES))
def test_a_sentence_is_decided_and_comes_to_rest(scene: Scene, sentence: str) -> None:
    story = Story(scene, sentence)
    first = story.look()
    assert first.message
    assert story.look() == first, "deciding changes nothing"
    if first.success is False and "resume swarm" not in first.message:
        assert first.effects == (), "who is refused changes nothing"
    last = story.step()
    if last.success is None:
        assert first.success is None, "who has an answer does not wait after all"


@given(scenes(), st.sampled_from(SENTENCES))
def test_every_change_says_of_what_object_and_is_short(
    scene: Scene, sentence: str
) -> None:
    for effect in Story(scene, sentence).look().effects:
        name = f"{effect.resource.kind.lower()}/{effect.item['metadata']['name']}: "
        assert effect.says.startswith(name)
        assert len(effect.says) <= 256
