"""A template that nobody can run takes a quarter of the pods that are ready, and is told."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import EVENTS, INSTANCES, PODS, TASKS
from kiro_swarm.reconcile.instances.decision import POD_KEPT, WAITS
from kiro_swarm.reconcile.instances.rollout import Turn, rollout
from kiro_swarm.reconcile.objects.pods import TEMPLATE_HASH
from tests.support.fake_store import Refused
from tests.unit.reconcile.test_instance import READY, STUCK
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World

NEW, OLD = "new", "old"


def row(
    *pods: str, rolling: tuple[int, ...] = (), kept: tuple[int, ...] = ()
) -> tuple[list[Any], list[Any]]:
    """Instances and pods of a word each: old, new, stuck (new, not ready), none."""
    instances, made = list[Any](), list[Any]()
    for index, word in enumerate(pods, 1):
        status: Any = {"rolling": index in rolling}
        if index in kept:
            status["message"] = f"{POD_KEPT}a webhook says so"
        meta = {"name": f"demo-{index}", "uid": f"u{index}"}
        spec = {"swarm": "demo", "index": index}
        instances.append({"metadata": meta, "spec": spec, "status": status})
        if word == "none":
            continue
        annotations = {TEMPLATE_HASH: OLD if word == "old" else NEW}
        owner = {"uid": f"u{index}", "kind": "KiroInstance", "name": meta["name"]}
        of_pod = {
            "name": f"demo-{index}-0",
            "uid": f"p{index}",
            "annotations": annotations,
            "ownerReferences": [owner],
        }
        status = STUCK if word == "stuck" else READY
        made.append({"metadata": of_pod, "status": status})
    return instances, made


OLDS = ("old",) * 8


@pytest.mark.parametrize(
    ("case", "made", "busy", "turns"),
    [
        ("alone", row("old"), (), {1: "any"}),
        ("two", row("old", "old"), (), {1: "first", 2: "wait"}),
        ("eight", row(*OLDS), (), {1: "first", 2: "first", 3: "wait", 8: "wait"}),
        ("busy ones are passed over", row("old", "old"), (1,), {2: "first"}),
        (
            "one has gone",
            row("none", "old", "old", rolling=(1,)),
            (),
            {2: "wait", 3: "wait"},
        ),
        (
            "its pod is stuck",
            row("stuck", "old", "old", rolling=(1,)),
            (),
            {2: "wait", 3: "wait"},
        ),
        (
            "one was stuck before: it has lost nothing",
            row("stuck", "old", "old"),
            (),
            {2: "first", 3: "wait"},
        ),
        ("a new one is ready", row("new", "old", "old"), (), {2: "any", 3: "any"}),
        (
            "one is ready, another one not yet",
            row("new", "stuck", "old", rolling=(2,)),
            (),
            {3: "any"},
        ),
        (
            "one that may not go holds up no other",
            row("old", "old", "old", kept=(1,)),
            (),
            {1: "first", 2: "first", 3: "wait"},
        ),
        (
            "and does not go when another one has",
            row("old", "none", "old", rolling=(2,), kept=(1,)),
            (),
            {1: "wait", 3: "wait"},
        ),
    ],
)
def test_whose_turn_it_is(
    case: str, made: Any, busy: tuple[int, ...], turns: dict[int, Turn]
) -> None:
    instances, pods = made
    names = [f"demo-{index}" for index in busy]
    state = rollout(instances, pods, NEW, len(instances), names, POD_KEPT)
    found = {}
    for index in turns:
        said = instances[index - 1]["status"].get("message") or ""
        found[index] = state.turn(f"demo-{index}", said.startswith(POD_KEPT))
    assert found == turns, case


def template(image: str) -> Any:
    return {"agent": {"command": ["agent"]}, "image": image}


def images(world: World) -> dict[str, str]:
    """Instance -> image of its pod, with ``!`` where that is not ready."""
    found = {}
    for pod in world.cluster.all(PODS):
        name = pod["metadata"]["labels"].get("swarm.kiro.dev/instance")
        if name:
            image = pod["spec"]["containers"][1]["image"]
            bad = image.startswith("bad")
            found[name] = f"{image}!" if bad else image
    return found


def with_images(world: World) -> None:
    """No image that is bad can be pulled."""
    ordinary = world.cluster._kubelet

    def kubelet(pod: Any) -> None:
        bad = pod["spec"].get("containers", [{}])[-1].get("image", "").startswith("bad")
        gone = pod["metadata"].get("deletionTimestamp")
        if not bad or gone:
            ordinary(pod)
        elif not pod.get("status"):
            world.cluster.set_status(PODS, pod["metadata"]["name"], **STUCK)

    world.cluster._kubelet = kubelet  # type: ignore[method-assign]


async def eight(world: World, **spec: Any) -> World:
    """Eight instances that are idle: one task is done and waits for a person."""
    world.graph = world.cluster.graph = {"1": []}
    with_images(world)
    world.apply_swarm(
        instances=8,
        template=template("good"),
        integration={"approval": "Required"},
        **spec,
    )
    await lives(world, 12)
    assert set(images(world).values()) == {"good"}
    return world


async def test_a_bad_image_takes_a_quarter_and_is_told(world: World) -> None:
    await eight(world)
    world.edit_swarm(template=template("bad"))
    await lives(world, 120)
    found = images(world)
    assert sorted(found.values()) == ["bad!"] * 2 + ["good"] * 6
    said = conditions(world)["Hindered"]
    assert (said["status"], said["reason"]) == ("True", "ImageUnavailable")
    assert "demo-1, demo-2: agent: ImagePullBackOff" in said["message"]
    assert "the other pods are of the template before" in said["message"]
    told = [one["message"] for one in world.cluster.all(EVENTS)]
    assert len([text for text in told if text == said["message"]]) == 1
    message = world.cluster.status(INSTANCES, "demo-8")["message"]
    assert message == WAITS
    assert "6 wait for a first pod of the new template" in world.status()["message"]
    rest = len(world.api.writes)
    await lives(world, 5)
    assert world.api.writes[rest:] == [], "to wait costs nothing"


async def test_the_person_corrects_the_image(world: World) -> None:
    await eight(world)
    world.edit_swarm(template=template("bad"))
    await lives(world, 20)
    world.edit_swarm(template=template("bad-too"))
    await lives(world, 20)
    assert sorted(images(world).values()) == ["bad-too!"] * 2 + ["good"] * 6
    world.edit_swarm(template=template("better"))
    await lives(world, 6)
    assert set(images(world).values()) == {"better"}
    await lives(world, 6)
    statuses = [one["status"] for one in world.cluster.all(INSTANCES)]
    assert {one["phase"] for one in statuses} == {"Ready"}
    assert not any(one.get("rolling") or one["message"] for one in statuses)
    assert conditions(world)["Hindered"]["status"] == "False"


async def test_the_person_takes_the_edit_back(world: World) -> None:
    """The pods that stayed are of the right template, and work at once."""
    await eight(world)
    before = {pod["metadata"]["uid"] for pod in world.cluster.all(PODS)}
    world.edit_swarm(template=template("bad"))
    await lives(world, 20)
    world.edit_swarm(template=template("good"))
    await lives(world, 8)
    assert set(images(world).values()) == {"good"}
    after = {pod["metadata"]["uid"] for pod in world.cluster.all(PODS)}
    assert len(before & after) >= 6
    statuses = [one["status"] for one in world.cluster.all(INSTANCES)]
    assert not any(one.get("rolling") or one["message"] for one in statuses)


async def test_pods_that_wait_are_given_no_task(world: World) -> None:
    world.graph = world.cluster.graph = {str(n): [] for n in range(1, 21)}
    world.cluster.tasks_run = False
    with_images(world)
    world.apply_swarm(instances=4, template=template("good"))
    await world.live(8)
    world.edit_swarm(template=template("bad"))
    world.cluster.tasks_run = True
    await lives(world, 40)
    states = [
        (one.get("status") or {}).get("state") for one in world.cluster.all(TASKS)
    ]
    assert states.count("Merged") == 4, "those that were under way"
    assert sorted(images(world).values()) == ["bad!"] + ["good"] * 3
    world.edit_swarm(template=template("good"))
    await lives(world, 40)
    assert {one["status"]["state"] for one in world.cluster.all(TASKS)} == {"Merged"}


async def test_no_pod_that_is_ready_goes_before_its_status_says_so(
    world: World,
) -> None:
    async def refuse(request: Any) -> None:
        if request.method == "PATCH" and "/kiroinstances/" in request.path:
            raise Refused(403, "Forbidden", "no status is written")

    await eight(world)
    world.tolerant = True
    world.api.intercept = refuse
    world.edit_swarm(template=template("bad"))
    await lives(world, 60)
    assert set(images(world).values()) == {"good"}
    said = conditions(world)["Hindered"]["message"]
    assert "refuses to write the status of KiroInstance demo-1" in said
    world.api.intercept = None
    await lives(world, 60)
    assert sorted(images(world).values()) == ["bad!"] * 2 + ["good"] * 6


async def test_those_that_may_not_be_deleted_go_in_turn_when_they_may(
    world: World,
) -> None:
    async def refuse(request: Any) -> None:
        if request.method == "DELETE" and "/pods/" in request.path:
            raise Refused(403, "Forbidden", 'admission webhook "keep" denied it')

    await eight(world)
    world.tolerant = True
    world.api.intercept = refuse
    world.edit_swarm(template=template("bad"))
    await lives(world, 60)
    assert set(images(world).values()) == {"good"}
    messages = [one["status"]["message"] for one in world.cluster.all(INSTANCES)]
    assert all(text.startswith(POD_KEPT) for text in messages), "they work on"
    world.api.intercept = None
    await lives(world, 90)
    assert sorted(images(world).values()) == ["bad!"] * 2 + ["good"] * 6
    world.edit_swarm(template=template("better"))
    await lives(world, 60)
    assert set(images(world).values()) == {"better"}


async def test_no_more_go_wherever_the_operator_is_killed(world: World) -> None:
    for write in range(1, 80):
        world.begin_again()
        await eight(world)
        world.edit_swarm(template=template("bad"))
        before = len(world.api.writes)
        await world.live_killed_after(write, 15)
        assert sorted(images(world).values()) == ["bad!"] * 2 + ["good"] * 6, write
        world.api.revive()  # there may be fewer writes
        made = len(world.api.writes) - before
        world.edit_swarm(template=template("better"))
        await lives(world, 12)
        assert set(images(world).values()) == {"better"}, write
        if made < write:
            break
    assert 10 < write < 79
