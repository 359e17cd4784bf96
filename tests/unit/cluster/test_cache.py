"""What the operator knows: only ever newer, nothing that is gone, found by swarm."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.api.meta import LABEL_SWARM
from kiro_swarm.cluster import cache as module
from kiro_swarm.cluster.cache import Cache, swarm_of
from kiro_swarm.cluster.resources import PODS, TASKS


def task(version: int, uid: str = "u1", name: str = "a", swarm: str = "demo") -> Any:
    return {
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": uid,
            "resourceVersion": str(version),
        },
        "spec": {"swarm": swarm},
    }


def test_an_older_or_equal_version_never_replaces_what_is_known() -> None:
    cache = Cache()
    assert cache.put(TASKS, task(9))
    assert not cache.put(TASKS, task(9))
    assert not cache.put(TASKS, task(8))
    assert cache.put(TASKS, task(10)), "numbers, not texts: 10 is newer than 9"
    known = cache.get(TASKS, "team", "a")
    assert known is not None
    assert known["metadata"]["resourceVersion"] == "10"


def test_late_news_about_what_was_deleted_is_ignored() -> None:
    cache = Cache()
    cache.put(TASKS, task(9))
    cache.remove(TASKS, task(12))
    assert not cache.put(TASKS, task(11))
    assert cache.get(TASKS, "team", "a") is None
    assert cache.put(TASKS, task(13, uid="u2")), "a namesake is another object"


def test_news_of_a_deletion_that_come_late_spare_the_namesake() -> None:
    cache = Cache()
    cache.put(TASKS, task(20, uid="u2"))
    cache.remove(TASKS, task(12, uid="u1"))
    assert cache.get(TASKS, "team", "a") is not None
    assert len(cache.of_swarm(TASKS, "team", "demo")) == 1


def test_a_deletion_of_something_unknown_is_remembered() -> None:
    cache = Cache()
    cache.remove(TASKS, task(5))
    assert not cache.put(TASKS, task(4))


def test_objects_are_found_by_swarm_in_their_namespace() -> None:
    cache = Cache()
    for name in ("a", "b"):
        cache.put(TASKS, task(1, uid=name, name=name))
    cache.put(TASKS, task(1, uid="c", name="c", swarm="other"))
    assert [t["metadata"]["name"] for t in cache.of_swarm(TASKS, "team", "demo")] == [
        "a",
        "b",
    ]
    assert cache.of_swarm(TASKS, "elsewhere", "demo") == []
    assert cache.of_swarm(PODS, "team", "demo") == []
    assert len(list(cache.all(TASKS))) == 3
    for name in ("a", "b"):
        cache.remove(TASKS, task(2, uid=name, name=name))
    assert cache.of_swarm(TASKS, "team", "demo") == []


def test_an_object_that_changes_its_swarm_leaves_the_old_one() -> None:
    cache = Cache()
    cache.put(TASKS, task(1))
    cache.put(TASKS, task(2, swarm="other"))
    assert cache.of_swarm(TASKS, "team", "demo") == []
    assert len(cache.of_swarm(TASKS, "team", "other")) == 1


@pytest.mark.parametrize(
    ("item", "swarm"),
    [
        ({"metadata": {}, "spec": {"swarm": "demo"}}, "demo"),
        ({"metadata": {"labels": {LABEL_SWARM: "demo"}}}, "demo"),
        ({"metadata": {"labels": None}, "spec": {"swarm": 3}}, ""),
        ({"metadata": {}, "spec": None}, ""),
    ],
)
def test_the_swarm_of_an_object(item: Any, swarm: str) -> None:
    assert swarm_of(item) == swarm
    cache = Cache()
    item["metadata"].update(namespace="team", name="x")
    cache.put(PODS, item)
    cache.remove(PODS, item)
    assert list(cache.all(PODS)) == []


def test_tombstones_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_TOMBSTONES", 3)
    cache = Cache()
    for number in range(5):
        cache.remove(TASKS, task(1, uid=f"u{number}"))
    assert not cache.put(TASKS, task(1, uid="u4"))
    assert cache.put(TASKS, task(1, uid="u0")), "the oldest is forgotten"


class Fails:
    """A follower that cannot bear what it sees."""

    def put(self, item: Any) -> None:
        raise RecursionError

    def remove(self, item: Any) -> None:
        raise RecursionError


class Counts:
    """A follower that is content."""

    def __init__(self) -> None:
        self.seen = 0

    def put(self, item: Any) -> None:
        self.seen += 1

    def remove(self, item: Any) -> None:
        self.seen -= 1


def followed_by_one_that_fails() -> Cache:
    cache = Cache()
    cache.put(TASKS, task(1))
    fails = Fails()
    following = Counts()
    made = cache.follower(TASKS, "team", "demo", "u", lambda uid: following)
    made.put = fails.put  # type: ignore[method-assign]
    made.remove = fails.remove  # type: ignore[method-assign]
    return cache


def test_a_follower_that_fails_harms_nobody_and_is_made_anew() -> None:
    cache = followed_by_one_that_fails()
    assert cache.put(TASKS, task(2))
    again = cache.follower(TASKS, "team", "demo", "u", lambda uid: Counts())
    assert again.seen == 1
    cache = followed_by_one_that_fails()
    cache.remove(TASKS, task(2))
    assert cache.get(TASKS, "team", "a") is None
    assert not cache.of_swarm(TASKS, "team", "demo")
