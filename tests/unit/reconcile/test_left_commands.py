"""What one person leaves stored costs the operator little, and goes by itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from kiro_swarm.api import meta
from kiro_swarm.api.meta import ANNOTATION_DELETE_ANYWAY
from kiro_swarm.cluster.resources import COMMANDS, SWARMS, TASKS
from kiro_swarm.reconcile.engine.answered import MOST_KEPT, Answered
from kiro_swarm.reconcile.engine.kept_parts import kept_parts
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World

DAY = 86400
#: What the API server takes of each, and more of what it does not bound.
LARGE = "y" * 250_000
HOSTILE: Any = {
    "annotations": {"x": LARGE, ANNOTATION_DELETE_ANYWAY: LARGE},
    "labels": {f"label-{number}": "z" * 63 for number in range(4000)},
    "finalizers": [f"evil.example/{number}" for number in range(8000)],
    "managedFields": [{"manager": LARGE}],
}


def held(world: World) -> int:
    return sum(len(json.dumps(item)) for item in world.ctx.cache.all(COMMANDS))


def a_command(name: str, sentence: str = "status swarm", **spec: Any) -> Any:
    said = {"swarm": "demo", "command": sentence, "requestedBy": "viewer", **spec}
    return body(COMMANDS, name, said)


async def test_what_a_viewer_writes_beside_his_sentences_takes_no_memory(
    world: World,
) -> None:
    """1,700 commands with 250 KiB of annotations ended the operator, and each one after it."""
    world.apply_swarm()
    await world.live(3)
    uid = world.cluster.one(SWARMS, "demo")["metadata"]["uid"]
    owner = {"apiVersion": SWARMS.api_version, "kind": SWARMS.kind, "uid": uid}
    for number in range(20):
        item = a_command(f"c{number}")
        item["metadata"].update(HOSTILE)
        item["metadata"]["ownerReferences"] = [{**owner, "name": LARGE}]
        world.api.store.create(COMMANDS, NAMESPACE, item)
    await world.live(3)
    assert held(world) < 20 * 4000
    await world.restart()
    assert held(world) < 20 * 4000
    assert world.answer("c0")["phase"] == "Succeeded"


async def test_a_list_holds_no_more_than_a_page_of_it(world: World) -> None:
    for number in range(150):
        item = a_command(f"c{number}")
        item["metadata"]["annotations"] = {"x": "y" * 20_000}
        world.api.store.create(COMMANDS, NAMESPACE, item)
    asked: list[str] = []

    def keep(item: Any) -> Any:
        asked.append(item["metadata"]["name"])
        return kept_parts(COMMANDS, item)

    items, _ = await world.client.list(COMMANDS, keep=keep)
    assert len(asked) == len(items) == 150
    assert len(json.dumps(items)) < 150 * 1000
    assert [request.count("limit=100") for request in world.api.requests] == [1, 1]


def test_what_is_read_is_kept_and_nothing_is_changed() -> None:
    swarm = body(
        SWARMS, "demo", {}, annotations={"x": "y", ANNOTATION_DELETE_ANYWAY: ""}
    )
    before = json.dumps(swarm)
    kept: Any = kept_parts(SWARMS, swarm)
    assert kept["metadata"]["annotations"] == {ANNOTATION_DELETE_ANYWAY: ""}
    task = body(TASKS, "t", {}, labels={"a": "b"}, finalizers=["f"])
    assert kept_parts(TASKS, task) == task
    said = a_command("c", correlationId="id")
    said["status"] = {"phase": "Succeeded", "result": {"success": True}}
    assert kept_parts(COMMANDS, said) == said
    del said["spec"]["correlationId"]
    kept = kept_parts(COMMANDS, said)
    assert (kept["status"], kept["spec"]) == ({"phase": "Succeeded"}, said["spec"])
    assert json.dumps(swarm) == before


def test_an_annotation_of_ours_is_kept() -> None:
    """Whoever reads one more of them would read nothing."""
    ours = {
        value for name, value in vars(meta).items() if name.startswith("ANNOTATION")
    }
    item = body(SWARMS, "demo", {}, annotations=dict.fromkeys(ours, "x"))
    kept: Any = kept_parts(SWARMS, item)
    assert set(kept["metadata"]["annotations"]) == ours
    assert len(ours) > 1


async def test_what_changed_nothing_goes_after_a_day_and_what_changed_stays(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(9)
    for name, sentence in {
        "look": "status swarm",
        "nonsense": "x" * 4096,
        "change": "scale instances 3",
        "refused": "approve task 99",
    }.items():
        world.say(sentence, name, requestedBy="viewer")
    world.say("scale instances 9", "dry", dryRun=True)
    world.say("status swarm", "kept", ttlSecondsAfterFinished=10 * DAY)
    world.say("status swarm", "nowhere", swarm="nobody")
    await world.live(3)
    world.clock.seconds += 11  # the patience with a swarm that is not there
    await world.live(20)
    assert len(world.cluster.names(COMMANDS)) == 7
    world.clock.seconds += DAY + 60
    await world.live(3)
    assert set(world.cluster.names(COMMANDS)) == {"change", "refused", "kept"}


async def test_beyond_some_hundreds_the_oldest_of_the_same_person_go_at_once(
    world: World,
) -> None:
    world.ctx.answered = Answered(most=5)
    world.apply_swarm()
    await world.live(9)
    world.say("status swarm", "ann", requestedBy="ann")
    world.say("scale instances 3", "change", requestedBy="viewer")
    for number in range(12):
        swarm = "demo" if number % 2 else f"none-{number}"
        world.say(
            "status swarm",
            f"c{number:02}",
            requestedBy="viewer",
            swarm=swarm,
            ttlSecondsAfterFinished=10 * DAY,
        )
        await world.live(1)  # it is seen, and its patience begins
        world.clock.seconds += 11
        await world.live(2)
    await world.live(5)
    expected = {"ann", "change", *(f"c{number:02}" for number in range(7, 12))}
    assert set(world.cluster.names(COMMANDS)) == expected


def finished(number: int, at: int, who: str = "viewer") -> Any:
    item = a_command(f"c{number}", requestedBy=who)
    item["metadata"].update(uid=f"u{number}", namespace=NAMESPACE)
    item["metadata"].update(resourceVersion=str(1000 + at))
    when = f"2026-11-22T10:{at // 60:02}:{at % 60:02}Z"
    action = {"permission": "get"}
    item["status"] = {"phase": "Succeeded", "finishedAt": when, "action": action}
    return item


def test_who_stands_too_far_back_is_known_in_whatever_order_they_are_heard() -> None:
    there = Answered()
    items = [finished(number, number * 7 % 601) for number in range(601)]
    woken = {there.note(item) for item in items} - {None}
    oldest = {item["metadata"]["name"] for item in items if _at(item) < 601 - MOST_KEPT}
    assert {i["metadata"]["name"] for i in items if there.is_too_many(i)} == oldest
    alone = {item["metadata"]["name"] for item in items[-101:]}
    assert oldest <= {str(name) for name in woken} | alone
    assert there.note(finished(700, 0, "ann")) is None
    for item in items:
        there.forget(item)
        there.forget(item)
    assert not there.is_too_many(items[0])


def test_a_clock_that_was_ahead_takes_no_answer_of_now() -> None:
    there = Answered()
    for number in range(MOST_KEPT):
        ahead = finished(number, number)
        ahead["status"]["finishedAt"] = "2027-01-01T00:00:00Z"
        there.note(ahead)
    now = finished(900, 900)
    assert there.note(now) == "c0"
    assert not there.is_too_many(now)
    # A write after the answer, its line in the audit log, makes nothing the last.
    first = finished(0, 999)
    assert there.note(first) == "c0"
    assert there.is_too_many(first)


async def test_a_clock_that_was_ahead_takes_no_long_answer_of_now(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(9)
    right, ahead = world.clock.now, timedelta(days=1)
    world.ctx.now = lambda: right() + ahead
    for number in range(24):
        if number == 22:
            world.ctx.now = right
        world.say("status swarm detailed", f"l{number:02}", requestedBy="ann")
        await world.live(3)
        name = f"l{number:02}"
        long = {"status": {"dataRef": {"kind": "ConfigMap", "name": "x"}}}
        world.api.store.patch(COMMANDS, NAMESPACE, name, long, "status")
        await world.live(2)
    expected = [f"l{number:02}" for number in range(4, 24)]
    assert sorted(world.cluster.names(COMMANDS)) == expected


def _at(item: Any) -> int:
    _, minute, second = item["status"]["finishedAt"][:-1].split(":")
    return int(minute) * 60 + int(second)
