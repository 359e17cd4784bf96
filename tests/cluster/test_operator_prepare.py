"""What can be wrong before the first task, and how a swarm ends."""

from __future__ import annotations

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import INSTANCES, JOBS, SWARMS, TASKS
from kiro_swarm.policy.conditions import find
from tests.support.played import PlayedNode
from tests.support.shapes import Object
from tests.support.swarms import independent, swarm
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")

CYCLE = """\
- [ ] 1. Hen
  - _Depends: 2_
- [ ] 2. Egg
  - _Depends: 1_
"""


def condition(item: Object, kind: str) -> Object:
    found = find(item["status"]["conditions"], kind)
    assert found is not None, f"no condition {kind}"
    return found


async def test_failed_prepare_says_why_and_is_tried_again(
    world: World, node: PlayedNode
) -> None:
    node.script.prepare_failures = [
        {"reason": "RemoteUnavailable", "message": "git.example.com: no route to host"}
    ]
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    failed = await world.until_phase("demo", "Failed")
    stalled = condition(failed, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "RemoteUnavailable")
    assert "no route to host" in failed["status"]["message"]
    assert failed["status"]["prepare"]["retryAt"]
    await world.until_phase("demo", "Succeeded")
    assert "demo-prepare-2" in await world.names(JOBS)


async def test_cycle_in_the_task_file_is_told_with_its_lines(
    world: World, node: PlayedNode
) -> None:
    await world.create(SWARMS, swarm("demo", CYCLE, instances=1))
    failed = await world.until_phase("demo", "Failed")
    prepared = condition(failed, "Prepared")
    assert (prepared["status"], prepared["reason"]) == ("False", "TaskFileInvalid")
    assert "line 1" in prepared["message"]
    assert "cycle" in prepared["message"]
    assert any("line" in text for text in failed["status"]["prepare"]["diagnostics"])
    assert await world.tasks("demo") == {}


@pytest.mark.parametrize("url", ["http://git.example.com/a.git", "file:///srv/a.git"])
async def test_repository_of_a_scheme_that_is_not_allowed_is_refused(
    world: World, node: PlayedNode, url: str
) -> None:
    body = swarm("demo", independent(1), repository={"url": url})
    await world.create(SWARMS, body)
    refused = await world.until_phase("demo", "Failed")
    stalled = condition(refused, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "RepositoryNotAllowed")
    assert "spec.repository.url" in stalled["message"]
    assert "repositorySchemes" in stalled["message"]
    assert await world.names(JOBS) == []
    assert await world.names(INSTANCES) == []


async def test_finished_swarm_is_deleted_when_its_time_is_up(
    world: World, node: PlayedNode
) -> None:
    body = swarm("demo", independent(1), instances=1, ttlSecondsAfterFinished=2)
    await world.create(SWARMS, body)
    finished = await world.until_phase("demo", "Succeeded")
    assert finished["status"]["finishedAt"]
    await world.until_gone(SWARMS, "demo")
    await world.until_gone(INSTANCES, "demo-1")


async def test_foreign_object_of_the_same_name_is_never_taken_over(
    world: World, node: PlayedNode
) -> None:
    foreign = {
        "apiVersion": TASKS.api_version,
        "kind": TASKS.kind,
        "metadata": {"name": "demo.1"},
        "spec": {"swarm": "demo", "id": "1"},
    }
    await world.create(TASKS, foreign)
    await world.create(SWARMS, swarm("demo", independent(2), instances=1))
    waiting = await world.until(
        SWARMS,
        "demo",
        lambda item: "somebody else" in item.get("status", {}).get("message", ""),
    )
    assert waiting["status"]["phase"] == "Preparing"
    untouched = await world.client.get(TASKS, world.namespace, "demo.1")
    assert untouched["status"] == {"state": "Blocked"}
    await world.client.delete(TASKS, world.namespace, "demo.1")
    await world.until_phase("demo", "Succeeded")


async def test_a_swarm_that_does_nothing_yet_is_refused_by_the_api_server(
    world: World,
) -> None:
    body = swarm("demo", independent(1), autoscaling={"minimum": 1, "maximum": 2})
    with pytest.raises(errors.Invalid, match=r"spec\.autoscaling"):
        await world.create(SWARMS, body)
