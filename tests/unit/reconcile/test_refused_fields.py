"""Fields of a KiroSwarm that are refused, or cannot be changed: what is said of them."""

from __future__ import annotations

import pytest

from kiro_swarm.cluster.resources import INSTANCES
from tests.unit.reconcile.world import World


async def test_an_annotation_that_is_not_allowed_makes_nothing_and_says_so(
    world: World,
) -> None:
    template = {
        "agent": {"command": ["agent"]},
        "podOverrides": {"annotations": {"example.com/role": "admin", "team": "a"}},
    }
    world.apply_swarm(template=template)
    await world.live(3)
    assert world.conditions()["Stalled"] == ("True", "AnnotationNotAllowed")
    assert "annotations: example.com/role may not be given" in world.status()["message"]
    assert world.cluster.names(INSTANCES) == []
    world.edit_swarm(template={"podOverrides": {"annotations": None}})
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("reason", "tasks", "field"),
    [
        ("RemoteUnavailable", {"specPath": "a"}, "spec.repository.url"),
        ("RefNotFound", {"specPath": "a"}, "spec.repository.ref"),
        ("SpecNotFound", {"specPath": "a"}, "spec.tasks.specPath"),
        ("TaskFileInvalid", {"inline": "x"}, "spec.tasks.inline"),
        ("TaskFileInvalid", {"specPath": "a"}, ""),
        ("CredentialsRefused", {"specPath": "a"}, ""),
    ],
)
async def test_a_field_that_cannot_be_changed_has_its_remedy_in_the_message(
    world: World, reason: str, tasks: dict[str, str], field: str
) -> None:
    said = {"reason": reason, "message": "no"}
    world.cluster.failing = {f"demo-prepare-{n}": said for n in range(1, 9)}
    world.apply_swarm(tasks=tasks)
    await world.live(6)
    # A server that is away comes back: nobody is told to give up at once.
    first = "cannot be changed" in world.status()["message"]
    assert first == (bool(field) and reason != "RemoteUnavailable")
    for _ in range(30):
        await world.live(1)
    message = world.status()["message"]
    wanted = f"{field} cannot be changed: where it is wrong, delete this KiroSwarm"
    assert (wanted in message) == bool(field)
    assert ("cannot be changed" in message) == bool(field)
