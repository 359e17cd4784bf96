"""``kubectl swarm watch``: the swarm, live.

On a terminal a dashboard that is drawn again when something changes, and each second for
the clocks in it; elsewhere one line for each change of a state. Ends with Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timezone

import click
from rich.live import Live
from typing_extensions import Unpack

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cli.kubectl.failure import Failure
from kiro_swarm.cli.kubectl.options import ClusterOptions, Target, cluster_options
from kiro_swarm.cli.kubectl.session import Session, is_part, run
from kiro_swarm.cli.kubectl.views.dashboard import Dashboard, dashboard
from kiro_swarm.cli.kubectl.views.objects import part
from kiro_swarm.cli.kubectl.views.text import clean
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, TASKS, AnyResource
from kiro_swarm.policy.ownership import is_same

_RESOURCES = (SWARMS, INSTANCES, TASKS, COMMANDS)
#: Changes come in showers: not more often than this is drawn.
_PAUSE = 0.1
_TICK = 1.0
_RETRY = 1.0


@click.command("watch")
@cluster_options
def watch(**cluster: Unpack[ClusterOptions]) -> None:
    """Follow a swarm until Ctrl-C."""
    run(Target(**cluster), _watch)


class _Picture:
    """The objects of a swarm as they are now, and whether something is new."""

    def __init__(self, session: Session, swarm: KiroSwarm) -> None:
        self._session = session
        self._swarm = swarm
        self.objects: dict[AnyResource, dict[str, KubernetesObject]] = {
            r: {} for r in _RESOURCES
        }
        self.news = asyncio.Event()
        self.changes: asyncio.Queue[KubernetesObject] = asyncio.Queue()

    async def follow(self, resource: AnyResource) -> None:
        """Keep one kind up to date; a server that is away comes back."""
        name = self._swarm["metadata"]["name"]
        key = "metadata.name" if resource is SWARMS else "spec.swarm"
        while True:
            try:
                async for kind, item in self._session.client.watch(
                    resource, self._session.namespace, fields=f"{key}={name}"
                ):
                    self._take(resource, kind, item)
            except errors.Unavailable:
                await asyncio.sleep(_RETRY)

    def _take(self, resource: AnyResource, kind: str, item: KubernetesObject) -> None:
        name = item["metadata"]["name"]
        if resource is SWARMS:
            # What is there now may be another one of the name, made before we looked.
            if kind == "GONE" or not is_same(item, self._swarm["metadata"]["uid"]):
                raise Failure(f"swarm {name} was deleted")
        elif not is_part(item, self._swarm):
            return
        if kind == "GONE":
            self.objects[resource].pop(name, None)
        else:
            self.objects[resource][name] = item
            self.changes.put_nowait(item)
        self.news.set()

    def all(self, resource: AnyResource) -> list[KubernetesObject]:
        """The objects of a kind."""
        return list(self.objects[resource].values())


async def _watch(session: Session) -> int:
    swarm = await session.swarm()
    picture = _Picture(session, swarm)
    picture.objects[SWARMS][swarm["metadata"]["name"]] = swarm
    show = _draw if session.terminal.out.is_terminal else _write_changes
    work = [picture.follow(resource) for resource in _RESOURCES]
    tasks = [asyncio.ensure_future(each) for each in [*work, show(session, picture)]]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise AssertionError("a watch does not end")


async def _draw(session: Session, picture: _Picture) -> None:
    """On a screen of its own; what was seen last stays on the other one."""
    console = session.terminal.out
    try:
        with Live(console=console, auto_refresh=False, screen=True) as live:
            while True:
                picture.news.clear()
                live.update(_now(picture), refresh=True)
                await asyncio.sleep(_PAUSE)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(picture.news.wait(), _TICK)
    finally:
        session.terminal.show(_now(picture))


def _now(picture: _Picture) -> Dashboard:
    return dashboard(
        picture.all(SWARMS)[0],
        picture.all(INSTANCES),
        picture.all(TASKS),
        picture.all(COMMANDS),
        datetime.now(timezone.utc),
    )


async def _write_changes(session: Session, picture: _Picture) -> None:
    """One line for each object whose state is another than before."""
    told: dict[tuple[str, str], str] = {}
    try:
        while True:
            _write(session, told, await picture.changes.get())
    finally:
        # The end may come in the same moment as changes of before.
        while not picture.changes.empty():
            _write(session, told, picture.changes.get_nowait())


def _write(
    session: Session, told: dict[tuple[str, str], str], item: KubernetesObject
) -> None:
    """``told``: kind and name -> the state that was written last."""
    status, spec = part(item, "status"), part(item, "spec")
    state = str(status.get("state") or status.get("phase") or "")
    key = item["kind"], item["metadata"]["name"]
    if told.get(key) == state:
        return
    told[key] = state
    name = spec["id"] if item["kind"] == "KiroTask" else key[1]
    line = f"{key[0]} {name} {state} {status.get('message') or ''}"
    session.terminal.show(clean(line))
    session.terminal.out.file.flush()
