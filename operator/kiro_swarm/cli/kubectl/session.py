"""One way to the cluster for one run of ``kubectl swarm``: connection, namespace, swarm.

``run`` is what the click commands end in: it opens the session, does the work, puts what
went wrong into words and ends the process with the status that belongs to it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import sys
import threading
from typing import Awaitable, Callable, Optional, cast

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import ConfigMap, KubernetesObject, Pod
from kiro_swarm.api.meta import LABEL_COMPONENT, LABEL_SWARM
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cli.kubectl.failure import INTERRUPTED, NO_CLUSTER, Failure
from kiro_swarm.cli.kubectl.options import Target
from kiro_swarm.cli.kubectl.route import near_word
from kiro_swarm.cli.kubectl.terminal import Terminal
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    PODS,
    SWARMS,
    ObjectT,
    Resource,
    StatusT,
)
from kiro_swarm.policy.ownership import belongs_to, is_record, said_to

#: What a role that only looks would have allowed.
_LOOKING = re.compile(
    r"cannot (?:(?:get|list|watch) resource|create resource \"swarmcommands\")"
)
_VIEWER = (
    "the role kiro-swarm-viewer would do for a view; who keeps the namespace binds it"
)
#: The message of an API server that has no such kind.
_NO_KIND = "could not find the requested resource"
_SECONDS = 30.0


class Session:
    """What the work of a command gets."""

    def __init__(self, target: Target, connection: Connection) -> None:
        self.target = target
        self.connection = connection
        self.client = Client(connection)
        self.namespace = target.namespace or connection.namespace
        self.terminal = Terminal()

    async def swarm(self) -> KiroSwarm:
        """The KiroSwarm that was named, or the only one of the namespace.

        Raises Failure: there is none, or there are several; it names them.
        """
        name = self.target.swarm
        if name:
            try:
                return await self.client.get(SWARMS, self.namespace, name)
            except errors.NotFound as error:
                if _NO_KIND in error.message:
                    raise
        swarms, _ = await self.client.list(SWARMS, self.namespace)
        if len(swarms) == 1 and not name:
            return swarms[0]
        raise _which(name, self.namespace, [i["metadata"]["name"] for i in swarms])

    async def of_swarm(
        self, resource: Resource[ObjectT, StatusT], swarm: KiroSwarm
    ) -> list[ObjectT]:
        """Objects of one of our kinds that belong to this very swarm."""
        fields = f"spec.swarm={swarm['metadata']['name']}"
        items, _ = await self.client.list(resource, self.namespace, fields=fields)
        return [item for item in items if is_part(item, swarm)]

    async def labelled(
        self, resource: Resource[ObjectT, StatusT], swarm: KiroSwarm
    ) -> list[ObjectT]:
        """Objects with the label of a swarm: of an earlier one of its name as well."""
        labels = f"{LABEL_SWARM}={swarm['metadata']['name']}"
        items, _ = await self.client.list(resource, self.namespace, labels=labels)
        return items

    async def pod_of(self, instance: KiroInstance) -> Optional[Pod]:
        """The pod that the status of an instance names; None: it is gone, or another's."""
        name = status_of(instance).get("pod")
        if not name:
            return None
        try:
            pod = await self.client.get(PODS, self.namespace, name)
        except errors.NotFound:
            return None
        return pod if belongs_to(pod, instance["metadata"]["uid"]) else None

    async def records(self, swarm: KiroSwarm, component: str) -> list[ConfigMap]:
        """The ConfigMaps in which the operator or the Jobs of a swarm have written."""
        name, uid = swarm["metadata"]["name"], swarm["metadata"]["uid"]
        labels = f"{LABEL_SWARM}={name},{LABEL_COMPONENT}={component}"
        found, _ = await self.client.list(CONFIG_MAPS, self.namespace, labels=labels)
        return [item for item in found if is_record(item, uid, name)]


def is_part(item: KubernetesObject, swarm: KiroSwarm) -> bool:
    """Whether an object of one of our kinds is of this very swarm.

    A SwarmCommand has no owner; all others have.
    """
    if item["kind"] == COMMANDS.kind:
        return said_to(cast(SwarmCommand, item), swarm)
    return belongs_to(item, swarm["metadata"]["uid"])


def run(target: Target, work: Callable[[Session], Awaitable[int]]) -> None:
    """Do the work and end the process with its status; raises Failure."""
    # The client library reports on its own what becomes an error with a message here.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        status = asyncio.run(_within(target, work))
    except errors.ClusterError as error:
        raise in_words(error) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = INTERRUPTED
    sys.exit(status)


async def _within(target: Target, work: Callable[[Session], Awaitable[int]]) -> int:
    if sys.version_info < (3, 11):
        _cancel_at_ctrl_c()
    connection = await Connection.open(
        kubeconfig=target.kubeconfig,
        context=target.context,
        user_agent="kubectl-swarm",
        as_user=target.as_user,
        as_groups=target.as_groups,
        seconds=target.request_timeout or _SECONDS,
    )
    try:
        return await work(Session(target, connection))
    finally:
        await connection.close()


def _cancel_at_ctrl_c() -> None:
    """Let the first Ctrl-C cancel the work, as ``asyncio.run`` does since Python 3.11.

    Before, it was raised in whatever line was being run, past those who clean up or tell
    that they were interrupted. The second one is raised as ever.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # no signal comes here
    loop, work = asyncio.get_running_loop(), asyncio.current_task()
    assert work is not None  # noqa: S101 - a coroutine is run by a task

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(work.cancel)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def in_words(error: errors.ClusterError) -> Failure:
    """What an error of the API server means to a person."""
    # Whoever is refused wants the reason, not the name of the policy.
    message = error.message.partition("denied request: ")[2] or error.message
    if isinstance(error, errors.Forbidden):
        hints = [] if "auth" in message else ["kubectl auth can-i says what you may do"]
        if _LOOKING.search(message):
            hints.insert(0, _VIEWER)
        return Failure(message, NO_CLUSTER, hints)
    if isinstance(error, errors.NotFound) and _NO_KIND in message:
        hint = "helm install kiro-swarm helm/kiro-swarm"
        return Failure(
            "kiro-swarm is not installed in this cluster", NO_CLUSTER, [hint]
        )
    if isinstance(error, errors.Unavailable):
        cause = str(error.__cause__ or "") if error.status == 0 else ""
        if message.startswith("no way to the cluster"):
            return Failure(message, NO_CLUSTER)
        return Failure(f"no answer from the cluster: {cause or message}", NO_CLUSTER)
    return Failure(message)


def _which(name: str, namespace: str, names: list[str]) -> Failure:
    """For a swarm that is not there, or is not the only one."""
    listed = f"swarms in namespace {namespace}: {', '.join(names)}"
    if name:
        problem = f"there is no swarm {name} in namespace {namespace}"
        meant = near_word(name)
        hints = [listed] if names else []
        hints += [f"or is '{name}' a slip for '{meant}'?"] if meant else []
        return Failure(problem, hints=hints)
    if not names:
        hint = "kubectl swarm -n NAMESPACE says another one"
        return Failure(f"there is no swarm in namespace {namespace}", hints=[hint])
    hint = f"say which one: kubectl swarm {names[0]} SENTENCE"
    return Failure(f"there are {len(names)} {listed}", hints=[hint])


def named(items: list[ObjectT], name: str) -> Optional[ObjectT]:
    """The object of that name, None when there is none."""
    return next((item for item in items if item["metadata"]["name"] == name), None)
