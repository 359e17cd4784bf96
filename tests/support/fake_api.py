"""A fake of the Kubernetes API server for unit tests: real HTTP, objects in memory.

Role: what ``cluster.Client``, kopf and the reconciles talk to in tests/unit. It listens on
127.0.0.1 and can be made to fail: die after a number of writes, drop its watches, forget
history, answer what a test wants. The real API server is used in tests/cluster; what this
one leaves out is listed in ``fake_store``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Optional

import yaml
from aiohttp import web

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import AnyResource
from tests.support.fake_store import (
    RESOURCES,
    Change,
    Object,
    Refused,
    Store,
    matches,
)
from tests.support.traffic import CountedConnection, Traffic

Intercept = Callable[[web.Request], Awaitable[Optional[web.StreamResponse]]]
_MERGE = "application/merge-patch+json"
TOKEN = "the-token-of-the-tests"
USER = "tester"


def _now() -> datetime:
    return datetime.now(timezone.utc)


class FakeApi:
    """One server. ``store`` is what it knows; tests may read and write it directly.

    :param now: the clock of creation and deletion timestamps.
    """

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self.store = Store(now)
        #: Every request that was let in, as ``METHOD path?query``.
        self.requests: list[str] = []
        #: Every accepted write, as ``METHOD plural/name/subresource``.
        self.writes: list[str] = []
        #: A test's own answer to a request; None lets it through.
        self.intercept: Optional[Intercept] = None
        self.url = ""
        #: What its clients have asked for and not heard of yet.
        self.traffic = Traffic()
        self._writes_left: Optional[int] = None
        self._news = asyncio.Event()
        self._round = 0
        self._bookmarks = 0
        self._runner: Optional[web.AppRunner] = None

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """End the watches and stop listening."""
        self.cut_watches()
        if self._runner is not None:
            await self._runner.cleanup()

    def forget(self) -> None:
        """Begin again with an empty store."""
        self.store = Store(self._now)
        self.requests.clear()
        self.writes.clear()
        self.revive()

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig that leads here."""
        path = folder / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": TOKEN}}],
            "contexts": [
                {"name": "fake", "context": {"cluster": "fake", "user": "fake"}}
            ],
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    def crash_after(self, writes: int) -> None:
        """Let this many writes in; the answer to the last one and all else is lost."""
        self._writes_left = writes

    @property
    def crashed(self) -> bool:
        """Whether the connection is cut since ``crash_after``."""
        return self._writes_left == 0

    def revive(self) -> None:
        """Answer again."""
        self._writes_left = None

    def cut_watches(self) -> None:
        """End every open watch, as a server that restarts does."""
        self._round += 1
        self.tell()

    def send_bookmarks(self) -> None:
        """Tell every open watch how far it is."""
        self._bookmarks += 1
        self.tell()

    def compact(self) -> None:
        """Forget history: a watch or page from before now is answered 410 Gone.

        A watch by an event, as the real server does it.
        """
        self.store.compacted = self.store.version

    def tell(self) -> None:
        """Wake the open watches. Needed after a test wrote to ``store`` itself."""
        self._news.set()
        self._news = asyncio.Event()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.crashed:
            return _hang_up(request)
        self.requests.append(f"{request.method} {request.path_qs}")
        try:
            if self.intercept is not None:
                answer = await self.intercept(request)
                if answer is not None:
                    return answer
            found = _discovery(request.path) or _who_asks(request)
            if found is not None:
                return web.json_response(found)
            return await self.carry_out(request)
        except Refused as refused:
            return web.json_response(refused.to_wire(), status=refused.status)

    async def carry_out(self, request: web.Request) -> web.StreamResponse:
        """Do what a request asks for, whether or not anybody still waits for the answer."""
        resource, namespace, name, subresource = _target(request.path)
        if request.method == "GET" and not name:
            if request.query.get("watch") == "true":
                return await self._watch(request, resource, namespace)
            return web.json_response(self._list(request, resource, namespace))
        if namespace is None:
            raise Refused(405, "MethodNotAllowed", "needs a namespace")
        if request.method == "GET":
            return web.json_response(self.store.read(resource, namespace, name))
        body = json.loads(await request.read() or b"{}")
        if request.method == "POST":
            metadata = body["metadata"]
            if "generateName" in metadata:
                metadata["name"] = f"{metadata['generateName']}{secrets.token_hex(3)}"
            name = metadata["name"]
            dry_run = request.query.get("dryRun") == "All"
            made = self.store.create(resource, namespace, body, dry_run)
        elif request.method == "PATCH":
            if request.content_type != _MERGE:
                raise Refused(415, "UnsupportedMediaType", request.content_type)
            made = self.store.patch(resource, namespace, name, body, subresource)
        elif request.method == "PUT":
            made = self.store.replace(resource, namespace, name, body)
        else:
            only = body.get("preconditions") or {}
            seen = only.get("uid"), only.get("resourceVersion")
            made = self.store.delete(resource, namespace, name, *seen)
        self.writes.append(
            "/".join([f"{request.method} {resource.plural}", name, subresource]).rstrip(
                "/"
            )
        )
        self.tell()
        if self._writes_left is not None:
            self._writes_left -= 1
            if self.crashed:
                return _hang_up(request)
        status = 201 if request.method == "POST" else 200
        return web.json_response(made, status=status)

    def _list(
        self, request: web.Request, resource: AnyResource, namespace: Optional[str]
    ) -> Object:
        items = self.store.select(resource, namespace, *_selectors(request))
        limit = int(request.query.get("limit", 0)) or len(items)
        version, start = str(self.store.version), 0
        if "continue" in request.query:
            version, start = json.loads(base64.b64decode(request.query["continue"]))
            if int(version) < self.store.compacted:
                raise Refused(410, "Expired", "the continue token is too old")
        metadata: Object = {"resourceVersion": version}
        if start + limit < len(items):
            token = json.dumps([version, start + limit]).encode()
            metadata["continue"] = base64.b64encode(token).decode()
        page = [  # the items of a list do not say what they are
            {key: item[key] for key in item if key not in ("apiVersion", "kind")}
            for item in items[start : start + limit]
        ]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": page,
        }

    async def _watch(
        self, request: web.Request, resource: AnyResource, namespace: Optional[str]
    ) -> web.StreamResponse:
        version = int(request.query.get("resourceVersion") or self.store.version)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        if version < self.store.compacted:
            gone = Refused(410, "Expired", f"too old resource version: {version}")
            error = {"type": "ERROR", "object": gone.to_wire()}
            await response.write(json.dumps(error).encode() + b"\n")
            return response
        with contextlib.suppress(ConnectionResetError):
            async for line in self._lines(request, resource, namespace, version):
                await response.write(json.dumps(line).encode() + b"\n")
        return response

    async def _lines(
        self,
        request: web.Request,
        resource: AnyResource,
        namespace: Optional[str],
        version: int,
    ) -> AsyncIterator[Object]:
        """What a watch has to say, until it is cut."""
        labels, fields = _selectors(request)

        def fits(item: Optional[Object]) -> bool:
            return item is not None and matches(
                resource, item, namespace, labels, fields
            )

        round_, bookmarks = self._round, self._bookmarks
        seen = 0
        while self._round == round_ and not self.crashed:
            news = self._news
            changes, seen = self.store.changes[seen:], len(self.store.changes)
            for change in changes:
                if change.resource is not resource or change.version <= version:
                    continue
                event = _event(change, fits(change.before), fits(change.after))
                if event is not None:
                    yield event
            if bookmarks != self._bookmarks:
                bookmarks = self._bookmarks
                metadata = {"resourceVersion": str(self.store.version)}
                yield {
                    "type": "BOOKMARK",
                    "object": {"kind": resource.kind, "metadata": metadata},
                }
            await news.wait()


def _event(change: Change, before: bool, after: bool) -> Optional[Object]:
    """An object that begins to match is ADDED, one that no longer does is DELETED."""
    if after:
        return {"type": "MODIFIED" if before else "ADDED", "object": change.after}
    if before:
        gone = change.after or change.before
        return {"type": "DELETED", "object": gone}
    return None


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _selectors(request: web.Request) -> tuple[str, str]:
    query = request.query
    return query.get("labelSelector", ""), query.get("fieldSelector", "")


def _target(path: str) -> tuple[AnyResource, Optional[str], str, str]:
    """AnyResource, namespace, name and subresource of a path."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = None
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    rest += [""] * (3 - len(rest))
    for resource in RESOURCES:
        if (resource.group, resource.plural) == (group, rest[0]):
            return resource, namespace, rest[1], rest[2]
    raise Refused(404, "NotFound", "the server could not find the requested resource")


def _discovery(path: str) -> Optional[Object]:
    """What kopf asks to find out which resources there are."""
    groups = sorted({(r.group, r.version) for r in RESOURCES if r.group})
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        versions = {
            group: {"groupVersion": f"{group}/{version}", "version": version}
            for group, version in groups
        }
        return {
            "kind": "APIGroupList",
            "groups": [
                {"name": group, "versions": [one], "preferredVersion": one}
                for group, one in versions.items()
            ],
        }
    for group, version in [("", "v1"), *groups]:
        if path == (f"/apis/{group}/{version}" if group else f"/api/{version}"):
            return {"kind": "APIResourceList", "resources": _listed(group)}
    return None


def _who_asks(request: web.Request) -> Optional[Object]:
    """A SelfSubjectReview: the one user there is, or who is impersonated."""
    if not request.path.endswith("/selfsubjectreviews"):
        return None
    name = request.headers.get("Impersonate-User", USER)
    return {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": name}}}


def _listed(group: str) -> list[Object]:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return [
        {
            "name": resource.plural,
            "singularName": resource.kind.lower(),
            "kind": resource.kind,
            "namespaced": resource.plural != "namespaces",
            "verbs": verbs,
        }
        for resource in RESOURCES
        if resource.group == group
    ]


@contextlib.asynccontextmanager
async def fake_api(now: Callable[[], datetime] = _now) -> AsyncIterator[FakeApi]:
    """A running fake API server."""
    api = FakeApi(now)
    await api.start()
    try:
        yield api
    finally:
        await api.stop()


@contextlib.asynccontextmanager
async def client_of(api: FakeApi, folder: Path) -> AsyncIterator[Client]:
    """A client of a fake API server, found by a kubeconfig as everywhere."""
    connection = await CountedConnection.open(kubeconfig=str(api.kubeconfig(folder)))
    assert isinstance(connection, CountedConnection)
    connection.traffic = api.traffic
    client = Client(connection)
    try:
        yield client
    finally:
        await client.close()


async def until(holds: Callable[[], bool]) -> None:
    """Let others run until it is so; a test that waits in vain fails."""
    for _ in range(4000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("never happened")
