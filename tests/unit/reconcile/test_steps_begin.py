"""What is refused before a swarm is at work, and a status that cannot be written."""

from __future__ import annotations

import pytest

from tests.support.sizes import every
from tests.unit.reconcile.test_steps import (
    ANSWERS,
    WIDE,
    Server,
    at_work,
    conditions,
    counted,
    lives,
)
from tests.unit.reconcile.world import World

__all__ = ["at_work"]


#: A request that is refused, and how that is told.
REQUESTS = [
    (r"POST .*/serviceaccounts$ demo-runner", "create ServiceAccount demo-runner"),
    (r"POST .*/roles$ demo-jobs", "create Role demo-jobs"),
    (r"POST .*/rolebindings$ demo-jobs", "create RoleBinding demo-jobs"),
    (r"POST .*/configmaps$ demo-graph", "create ConfigMap demo-graph"),
    (
        r"POST .*/persistentvolumeclaims$",
        "create PersistentVolumeClaim demo-workspace",
    ),
    (r"POST .*/networkpolicies$", "create NetworkPolicy demo"),
    (r"PATCH .*/kiroswarms/demo$", "set the finalizers of KiroSwarm demo"),
    (r"POST .*/kiroinstances$ demo-1", "create KiroInstance demo-1"),
    (r"POST .*/jobs$", "create Job demo-prepare-1"),
    (r"POST .*/kirotasks$ demo.4", "create KiroTask demo.4"),
]


@pytest.mark.parametrize(
    ("request_", "what", "answer"),
    every(
        3,
        ((*told, answer) for told in REQUESTS for answer in ANSWERS if answer != "409"),
    ),
)
async def test_what_is_refused_from_the_beginning_is_told_within_ten_seconds(
    world: World, answer: str, request_: str, what: str
) -> None:
    world.hurry()
    server = Server(world, request_, ANSWERS[answer])
    world.apply_swarm(integration={"onDelete": "Rescue"}, instances=1)
    await lives(world, 10 if "kirotasks" not in request_ else 14)
    assert server.met
    assert what in conditions(world)["Hindered"]["message"]
    assert conditions(world)["Ready"]["status"] == "False"
    if "kirotasks" in request_:  # of a diamond: the others go their way
        assert world.cluster.task("1")["state"] == "Merged"
    server.mend()
    await lives(world, 50)
    assert world.status()["phase"] == "Succeeded", world.status()["message"]
    assert conditions(world)["Hindered"]["status"] == "False"


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_status_that_cannot_be_written_stops_no_work(
    at_work: World, answer: str
) -> None:
    server = Server(at_work, r"PATCH .*/kiroswarms/demo/status$", ANSWERS[answer])
    await lives(at_work, 20)
    assert server.met
    assert counted(at_work)["merged"] == len(WIDE)
    server.mend()
    await lives(at_work, 40)
    assert at_work.status()["phase"] == "Succeeded"
