"""An edit of ``spec.recovery.maxAttempts`` reaches the tasks that exist already."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy.naming import task_name
from kiro_swarm.reconcile.tasks.limits import MOST
from tests.support.fake_store import Refused
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World

FAILS = {"reason": "NoChanges", "message": "nothing committed"}


def limits(world: World) -> list[int]:
    return [task["spec"]["maxAttempts"] for task in world.cluster.all(TASKS)]


def edit(world: World, number: int) -> None:
    world.edit_swarm(recovery={"maxAttempts": number})


@pytest.mark.parametrize("number", [5, 1])
async def test_a_task_that_is_not_merged_has_the_limit_of_its_swarm(
    world: World, number: int
) -> None:
    world.cluster.agents_fail = dict(FAILS)
    world.cluster.tasks_run = False
    world.apply_swarm(recovery={"maxAttempts": 3})
    await lives(world, 5)
    assert limits(world) == [3, 3, 3, 3]
    edit(world, number)
    await lives(world, 2)
    assert limits(world) == [number] * 4
    world.cluster.tasks_run = True
    await lives(world, 30)
    status = world.cluster.status(TASKS, task_name("demo", "1"))
    assert (status["state"], status["failures"]) == ("Failed", number)
    writes = len(world.api.writes)
    await lives(world, 30)
    patched = [one for one in world.api.writes[writes:] if "maxAttempts" in str(one)]
    assert patched == [], "it is written once"


async def test_what_is_merged_is_left_as_it_was(world: World) -> None:
    world.apply_swarm(recovery={"maxAttempts": 3})
    await lives(world, 30)
    assert world.status()["phase"] == "Succeeded"
    edit(world, 5)
    await lives(world, 5)
    assert limits(world) == [3, 3, 3, 3]


async def test_so_many_at_once_and_the_others_after_them(world: World) -> None:
    number = MOST + 7
    world.graph = world.cluster.graph = {str(n): [] for n in range(1, number + 1)}
    world.cluster.tasks_run = False
    world.apply_swarm()
    await lives(world, 4)
    edit(world, 9)
    await lives(world, 8)
    assert limits(world) == [9] * number


@pytest.mark.parametrize("refused", [1, MOST])
async def test_what_cannot_be_changed_holds_up_no_other(
    world: World, refused: int
) -> None:
    number = refused + 3
    world.graph = world.cluster.graph = {str(n): [] for n in range(1, number + 1)}
    world.hurry()
    world.tolerant = True
    world.cluster.tasks_run = False
    world.apply_swarm()
    await lives(world, 5)
    held = {task_name("demo", str(n)) for n in range(1, refused + 1)}

    async def refuse(request: Any) -> None:
        name = request.path.rpartition("/")[2]
        if request.method == "PATCH" and name in held:
            raise Refused(403, "Forbidden", "frozen")

    world.api.intercept = refuse
    edit(world, 9)
    await lives(world, 10)
    assert sorted(limits(world)) == [3] * refused + [9] * 3
    assert "to change KiroTask demo" in conditions(world)["Hindered"]["message"]
    world.api.intercept = None
    await lives(world, 60)
    assert limits(world) == [9] * number
