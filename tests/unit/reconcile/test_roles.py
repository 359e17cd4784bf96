"""The Roles of a swarm that is there keep up with what its Jobs need."""

from __future__ import annotations

from typing import Optional

from aiohttp import web

from kiro_swarm.cluster.resources import EVENTS, ROLES
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World


async def test_roles_of_an_earlier_release_get_the_rights_that_jobs_need_now(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(20)
    roles = {
        name: world.cluster.one(ROLES, name) for name in world.cluster.names(ROLES)
    }
    assert set(roles) == {"demo-runner", "demo-jobs"}
    old = roles["demo-jobs"]["rules"][:3]
    world.api.store.patch(ROLES, NAMESPACE, "demo-jobs", {"rules": old})
    await world.live(5)
    assert world.cluster.one(ROLES, "demo-jobs")["rules"] == old, "once a process"
    await world.restart()
    await world.live(5)
    assert world.cluster.one(ROLES, "demo-jobs")["rules"] == roles["demo-jobs"]["rules"]
    rest = world.api.store.version
    await world.restart()
    await world.live(5)
    assert world.api.store.version == rest, "what is up to date is left alone"


async def test_a_role_that_the_operator_may_not_change_holds_up_no_swarm(
    world: World,
) -> None:
    async def refuse(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method == "PATCH" and "/roles/" in request.path:
            return web.json_response({"message": "may not patch roles"}, status=403)
        return None

    world.apply_swarm()
    await world.live(3)
    old = world.cluster.one(ROLES, "demo-jobs")["rules"][:3]
    world.api.store.patch(ROLES, NAMESPACE, "demo-jobs", {"rules": old})
    world.api.intercept = refuse
    await world.restart()
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"
    (told,) = [e for e in world.cluster.all(EVENTS) if e["reason"] == "RoleOutdated"]
    assert told["type"] == "Warning"
    assert "demo-jobs" in told["message"]
    assert "may not patch roles" in told["message"]


async def test_a_role_of_somebody_else_is_left_alone(world: World) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    theirs = {"metadata": {"name": "demo-jobs"}, "rules": rules}
    world.api.store.create(ROLES, NAMESPACE, theirs)
    world.apply_swarm()
    await world.live(5)
    assert world.cluster.one(ROLES, "demo-jobs")["rules"] == rules
    assert "demo-jobs" in world.status()["message"]
