"""The verbs of the API, each answer a dict or a typed error."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import CONFIG_MAPS, PODS, TASKS, Resource
from tests.support.fake_api import TOKEN, FakeApi, until

NS = "team"


def task(name: str, state: str = "", **labels: str) -> KiroTask:
    return {
        "apiVersion": TASKS.api_version,
        "kind": TASKS.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {"swarm": "demo", "id": name},
    }


async def test_an_object_is_made_read_changed_and_deleted(client: Client) -> None:
    made = await client.create(TASKS, NS, task("a"))
    assert made["metadata"]["uid"]
    patched = await client.patch(TASKS, NS, "a", {"spec": {"priority": 7, "id": None}})
    assert patched["spec"] == {"swarm": "demo", "priority": 7}
    whole = await client.get(TASKS, NS, "a")
    whole["spec"] = {"swarm": "demo", "id": "b"}
    replaced = await client.replace(TASKS, NS, "a", whole)
    assert replaced["spec"]["id"] == "b"
    await client.delete(TASKS, NS, "a", grace_seconds=0)
    with pytest.raises(errors.NotFound):
        await client.get(TASKS, NS, "a")


async def test_what_is_gone_already_may_be_deleted(client: Client) -> None:
    await client.delete(TASKS, NS, "never-was")


async def test_a_delete_by_uid_spares_a_later_namesake(client: Client) -> None:
    await client.create(TASKS, NS, task("a"))
    await client.delete(TASKS, NS, "a", uid="of an earlier one")
    assert (await client.get(TASKS, NS, "a"))["metadata"]["name"] == "a"


async def test_a_dry_run_makes_nothing(client: Client) -> None:
    await client.create(TASKS, NS, task("a"), dry_run=True)
    with pytest.raises(errors.NotFound):
        await client.get(TASKS, NS, "a")


async def test_a_name_is_taken_once(client: Client) -> None:
    await client.create(TASKS, NS, task("a"))
    with pytest.raises(errors.AlreadyExists):
        await client.create(TASKS, NS, task("a"))


async def test_a_status_write_names_the_version_it_is_based_on(client: Client) -> None:
    made = await client.create(TASKS, NS, task("a"))
    version = made["metadata"]["resourceVersion"]
    done = await client.patch_status(
        TASKS, NS, "a", {"state": "Bound"}, version=version
    )
    assert done["status"] == {"state": "Bound"}
    with pytest.raises(errors.Conflict):
        await client.patch_status(TASKS, NS, "a", {"state": "Done"}, version=version)
    await client.patch_status(TASKS, NS, "a", {"state": "Done"})


async def test_a_status_write_does_not_change_the_spec_nor_the_other_way(
    client: Client,
) -> None:
    await client.create(TASKS, NS, task("a"))
    await client.patch(
        TASKS, NS, "a", {"spec": {"id": "x"}, "status": {}}, subresource="status"
    )
    await client.patch(TASKS, NS, "a", {"status": {"state": "Done"}})
    now = await client.get(TASKS, NS, "a")
    assert (now["spec"]["id"], now.get("status", {})) == ("a", {})


async def test_a_list_comes_in_pages_and_its_items_say_what_they_are(
    api: FakeApi, client: Client
) -> None:
    for number in range(1203):
        api.store.create(TASKS, NS, task(f"t{number:04}"))
    items, version = await client.list(TASKS, NS)
    assert [item["metadata"]["name"] for item in items] == [
        f"t{number:04}" for number in range(1203)
    ]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {
        (TASKS.api_version, "KiroTask")
    }
    assert version == str(api.store.version)
    assert len(api.requests) == 3


async def test_a_page_that_is_too_old_is_said_so(api: FakeApi, client: Client) -> None:
    for number in range(501):
        api.store.create(TASKS, NS, task(f"t{number}"))

    async def forget(request: web.Request) -> Optional[web.StreamResponse]:
        if "continue" in request.query:
            api.store.create(TASKS, NS, task("new"))
            api.compact()
        return None

    api.intercept = forget
    with pytest.raises(errors.Expired):
        await client.list(TASKS, NS)


async def test_selectors_choose_by_label_and_field_in_one_or_all_namespaces(
    api: FakeApi, client: Client
) -> None:
    api.store.create(TASKS, NS, task("a", colour="red"))
    api.store.create(TASKS, NS, task("b", colour="blue"))
    api.store.create(TASKS, "other", task("c", colour="red"))
    api.store.patch(TASKS, NS, "b", {"status": {"state": "Done"}}, "status")

    async def names(
        namespace: Optional[str],
        labels: Optional[str] = None,
        fields: Optional[str] = None,
    ) -> list[str]:
        items, _ = await client.list(TASKS, namespace, labels=labels, fields=fields)
        return [item["metadata"]["name"] for item in items]

    assert await names(None, labels="colour=red") == ["c", "a"]
    assert await names(NS, labels="colour=red") == ["a"]
    assert await names(NS, fields="spec.swarm=demo,status.state=Done") == ["b"]
    with pytest.raises(errors.Invalid, match="not supported"):
        await names(NS, fields="spec.title=x")


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (404, b'{"reason": "NotFound", "message": "no x"}', errors.NotFound, "no x"),
        (409, b'{"reason": "AlreadyExists"}', errors.AlreadyExists, "409"),
        (409, b'{"reason": "Conflict"}', errors.Conflict, "409"),
        (410, b"{}", errors.Expired, "410"),
        (401, b"{}", errors.Forbidden, "401"),
        (403, b'{"message": "role"}', errors.Forbidden, "role"),
        (400, b"plain words", errors.Invalid, "plain words"),
        (422, b'["a", "list"]', errors.Invalid, "list"),
        (429, b"{}", errors.Unavailable, "429"),
        (500, b"\xff\xfe", errors.Unavailable, ""),
        (503, b"", errors.Unavailable, "503"),
    ],
)
def test_every_answer_has_a_type_that_says_what_to_do(
    status: int, body: bytes, kind: type[errors.ClusterError], words: str
) -> None:
    error = errors.from_response(status, body, None)
    assert type(error) is kind
    assert error.status == status
    assert words in error.message


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("3", 3.0), ("Wed, 21 Oct", None)]
)
def test_the_server_says_when_to_come_back(
    header: Optional[str], seconds: Optional[float]
) -> None:
    assert errors.from_response(429, b"{}", header).retry_after == seconds


async def test_credentials_and_the_name_of_the_process_are_sent(
    api: FakeApi, client: Client
) -> None:
    heard: list[tuple[str, str]] = []

    async def listen(request: web.Request) -> None:
        heard.append((request.headers["Authorization"], request.headers["User-Agent"]))

    api.intercept = listen
    await client.list(TASKS)
    assert heard == [(f"Bearer {TOKEN}", "kiro-swarm")]


async def test_a_server_that_is_gone_is_unavailable(
    api: FakeApi, client: Client
) -> None:
    await api.stop()
    with pytest.raises(errors.Unavailable):
        await client.list(TASKS)


async def test_an_answer_that_is_no_json_is_unavailable(
    api: FakeApi, client: Client
) -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text="<html>a proxy</html>")

    api.intercept = nonsense
    with pytest.raises(errors.Unavailable):
        await client.get(PODS, NS, "x")


async def test_without_credentials_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(errors.Unavailable, match="KUBECONFIG"):
        await Connection.open(kubeconfig=str(tmp_path / "none"))


def test_paths_of_the_core_group_and_of_others() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("n", "p", "log") == "/api/v1/namespaces/n/pods/p/log"
    own = "/apis/swarm.kiro.dev/v1alpha1/namespaces/n/kirotasks"
    assert TASKS.path("n") == own
    assert CONFIG_MAPS.api_version == "v1"
    assert Resource("g", "v2", "xs", "X").api_version == "g/v2"


class Watching:
    """A consumer of ``watch`` that says what it heard."""

    def __init__(self, client: Client, **selectors: Any) -> None:
        self._events = client.watch(TASKS, NS, **selectors)

    async def next(self) -> tuple[str, str]:
        event = self._events.__anext__()
        kind, item = await asyncio.wait_for(event, 30)
        return kind, item["metadata"]["name"]


async def test_a_watch_begins_with_what_is_there_and_goes_on(
    api: FakeApi, client: Client
) -> None:
    api.store.create(TASKS, NS, task("a"))
    watching = Watching(client)
    assert await watching.next() == ("SET", "a")
    await client.create(TASKS, NS, task("b"))
    assert await watching.next() == ("SET", "b")
    await client.patch_status(TASKS, NS, "a", {"state": "Ready"})
    assert await watching.next() == ("SET", "a")
    await client.delete(TASKS, NS, "b")
    assert await watching.next() == ("GONE", "b")


async def test_what_stops_to_match_is_gone_and_what_begins_is_there(
    api: FakeApi, client: Client
) -> None:
    api.store.create(TASKS, NS, task("a"))
    api.store.create(TASKS, NS, task("b"))
    await client.patch_status(TASKS, NS, "b", {"instance": "demo-1"})
    watching = Watching(client, fields="status.instance=demo-1")
    assert await watching.next() == ("SET", "b")
    await client.patch_status(TASKS, NS, "a", {"instance": "demo-1"})
    assert await watching.next() == ("SET", "a")
    await client.patch_status(TASKS, NS, "b", {"instance": "demo-2"})
    assert await watching.next() == ("GONE", "b")


async def test_a_watch_that_is_cut_goes_on_where_it_was(
    api: FakeApi, client: Client
) -> None:
    watching = Watching(client)
    await client.create(TASKS, NS, task("a"))
    assert await watching.next() == ("SET", "a")
    api.cut_watches()
    await client.create(TASKS, NS, task("b"))
    assert await watching.next() == ("SET", "b")
    lists = [one for one in api.requests if "GET" in one and "watch" not in one]
    assert len(lists) == 1, "no need to list again"


async def test_a_bookmark_saves_a_list(api: FakeApi, client: Client) -> None:
    api.store.create(TASKS, NS, task("a"))
    watching = Watching(client)
    assert await watching.next() == ("SET", "a")
    after = asyncio.ensure_future(watching.next())
    await until(lambda: any("watch" in one for one in api.requests))
    for number in range(5):
        api.store.create(CONFIG_MAPS, NS, {"metadata": {"name": f"c{number}"}})
    api.send_bookmarks()
    bookmarked = api.store.version
    await asyncio.sleep(0.01)
    api.compact()
    api.cut_watches()
    await until(lambda: f"resourceVersion={bookmarked}" in api.requests[-1])
    await client.create(TASKS, NS, task("b"))
    assert await after == ("SET", "b")


async def test_history_that_is_gone_is_listed_again_and_ghosts_are_reported(
    api: FakeApi, client: Client
) -> None:
    for name in ("a", "b"):
        api.store.create(TASKS, NS, task(name))
    watching = Watching(client)
    assert [await watching.next(), await watching.next()] == [
        ("SET", "a"),
        ("SET", "b"),
    ]
    api.store.remove(TASKS, NS, "a")
    api.store.create(TASKS, NS, task("c"))
    api.compact()
    assert [await watching.next() for _ in range(3)] == [
        ("GONE", "a"),
        ("SET", "b"),
        ("SET", "c"),
    ]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("an error event", '{"type": "ERROR", "object": {"code": 410}}\n'),
        ("half a line", '{"type": "ADDED", "obj'),
    ],
)
async def test_a_watch_that_talks_nonsense_is_begun_anew(
    api: FakeApi, client: Client, case: str, text: str
) -> None:
    told: list[str] = []

    async def nonsense(request: web.Request) -> Optional[web.StreamResponse]:
        if "watch" in request.query and not told:
            told.append(text)
            return web.Response(text=text)
        return None

    api.intercept = nonsense
    watching = Watching(client)
    await client.create(TASKS, NS, task("a"))
    assert await watching.next() == ("SET", "a"), case
    assert await watching.next() == ("SET", "a"), "listed again"
    assert told


async def test_an_object_longer_than_any_buffer_is_heard_of(
    api: FakeApi, client: Client
) -> None:
    api.store.create(TASKS, NS, task("a"))
    watching = Watching(client)
    assert await watching.next() == ("SET", "a")
    big = task("big")
    big["spec"]["description"] = "x" * 400_000
    heard = asyncio.ensure_future(watching.next())
    await until(lambda: any("watch" in one for one in api.requests))
    await client.create(TASKS, NS, big)
    assert await heard == ("SET", "big")
    lists = [one for one in api.requests if "GET" in one and "watch" not in one]
    assert len(lists) == 1, "no need to list again"


async def test_a_watch_of_the_whole_cluster_tells_namesakes_apart(
    api: FakeApi, client: Client
) -> None:
    for space in ("one", "two"):
        api.store.create(TASKS, space, task("a"))
    events = client.watch(TASKS, None)
    for space in ("one", "two"):
        kind, item = await asyncio.wait_for(events.__anext__(), 30)
        assert (kind, item["metadata"]["namespace"]) == ("SET", space)
    gone = asyncio.ensure_future(events.__anext__())
    await until(lambda: any("watch" in one for one in api.requests))
    api.store.remove(TASKS, "two", "a")
    api.compact()  # so it must be listed again, and only the list tells
    api.cut_watches()
    found = [await asyncio.wait_for(gone, 30)]
    while found[-1][0] != "GONE":
        found.append(await asyncio.wait_for(events.__anext__(), 30))
    assert found[-1][1]["metadata"]["namespace"] == "two"
