"""What a swarm stands on: accounts, roles, volume, policy. Made once for each swarm.

Called first in the reconcile of a swarm. Idempotent: what is there already and the swarm's is
left, but for what an earlier release made with fewer rights. Each object is a step of its own:
what is refused keeps none of the others from being made.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Optional, cast

from kiro_swarm.api.claims import PersistentVolumeClaim
from kiro_swarm.api.kubernetes import KubernetesObject, PolicyRule, Role
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import CLAIMS, ROLES, SWARMS, AnyResource
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.owned import is_leaving
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.objects.manifests import foundations, is_owned
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms import volume

log = logging.getLogger(__name__)


async def lay(ctx: Context, view: View, steps: Steps) -> list[str]:
    """Accounts, roles, volume, policy: once for each swarm and operator process.

    Returns the objects that stand in the way: of an earlier swarm of this name, which are
    on their way out. What is refused is in ``steps``.
    """
    if view.uid in ctx.ensured:
        return []
    made = foundations(
        view.swarm, view.spec.storage, network_policy=ctx.settings.network_policy
    )
    answers: list[Optional[bool]] = await side_by_side(
        partial(
            steps.take,
            f"create {resource.kind} {body['metadata']['name']}",
            partial(_lay, ctx, view.swarm, resource, body),
            None,
            weight="vital",
        )
        for resource, body in made
    )
    if all(answers):
        ctx.ensured.add(view.uid)
    return [
        f"{resource.kind} {body['metadata']['name']}"
        for (resource, body), mine in zip(made, answers)
        if mine is False
    ]


async def _lay(
    ctx: Context, swarm: KiroSwarm, resource: AnyResource, body: KubernetesObject
) -> bool:
    """Make one object that is not watched; True when it is there and the swarm's.

    The Roles of a swarm that an earlier release made get the rights that its Jobs need now.
    """
    namespace, name = swarm["metadata"]["namespace"], body["metadata"]["name"]
    try:
        there = await ctx.client.create(resource, namespace, body)
    except errors.AlreadyExists:
        there = await ctx.client.get(resource, namespace, name)
        if not is_owned(there, swarm):
            if is_leaving(ctx, there):
                return False
            raise errors.NameTaken(
                f"{resource.kind} {name} is there already and is somebody else's; "
                "delete it"
            ) from None
        if resource is ROLES:
            await _give_rights(ctx, swarm, there, cast(Role, body)["rules"])
    if resource is CLAIMS:
        volume.laid(ctx, swarm, cast(PersistentVolumeClaim, there))
    return True


async def _give_rights(
    ctx: Context, swarm: KiroSwarm, role: Role, rules: list[PolicyRule]
) -> None:
    """Let a Role allow this, and nothing else.

    Where the operator's own rights are kept by somebody else, it may not be allowed to.
    What the swarm did until now, it can do with the Role as it is: it goes on, and says so.
    """
    if role.get("rules") == rules:
        return
    metadata = role["metadata"]
    version = {"resourceVersion": metadata["resourceVersion"]}
    patch = {"metadata": version, "rules": rules}
    try:
        await ctx.client.patch(ROLES, metadata["namespace"], metadata["name"], patch)
    except errors.Forbidden as error:
        message = (
            f"Role {metadata['name']} lacks what Jobs of this release need, and the "
            f"operator may not change it: {error.message}"
        )
        log.warning(
            "%s/%s: %s", metadata["namespace"], swarm["metadata"]["name"], message
        )
        await emit(
            ctx.client,
            SWARMS,
            swarm,
            reason="RoleOutdated",
            message=message,
            now=ctx.now(),
            warning=True,
        )
