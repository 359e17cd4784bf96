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


async def test_a_label_that_is_not_allowed_makes_nothing_and_says_so(
    world: World,
) -> None:
    template = {
        "agent": {"command": ["agent"]},
        "podOverrides": {"labels": {"istio.io/rev": "default", "team": "a"}},
    }
    world.apply_swarm(template=template)
    await world.live(3)
    assert world.conditions()["Stalled"] == ("True", "AnnotationNotAllowed")
    assert "labels: istio.io/rev may not be given" in world.status()["message"]
    assert world.cluster.names(INSTANCES) == []


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


@pytest.mark.parametrize("reason", ["SecretKeyMissing", "CredentialsRefused"])
async def test_a_secret_that_does_not_do_is_named_with_the_time_of_the_next_try(
    world: World, reason: str
) -> None:
    said = {"reason": reason, "message": "there is no such Secret, or it has no keys"}
    world.cluster.failing = {f"demo-prepare-{n}": said for n in range(1, 2)}
    secret = {"name": "nope"}
    world.apply_swarm(
        repository={"url": "https://example.com/x.git", "credentialsSecret": secret}
    )
    await world.live(6)
    status = world.status()
    again = str(status["prepare"]["retryAt"])[11:19]
    assert status["message"] == (
        "there is no such Secret, or it has no keys; spec.repository.credentialsSecret "
        f"names the Secret nope in team; it is read again at {again} UTC"
    )
    world.clock.seconds += 60
    await world.live(10)
    assert world.conditions()["Prepared"] == ("True", "Prepared"), "when it is there"
