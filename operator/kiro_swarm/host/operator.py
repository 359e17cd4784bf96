"""The operator process, put together: the only place that knows every part.

Called by the command line and, in tests, inside the test's own process.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

from kiro_swarm.cluster.cache import LOCAL, Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.leases import Leader
from kiro_swarm.host.kopf_part import Kopf
from kiro_swarm.host.leadership import Leadership
from kiro_swarm.host.loop import Loop
from kiro_swarm.host.part import Part, run_parts
from kiro_swarm.host.probes import Probes
from kiro_swarm.host.signals import signals_set
from kiro_swarm.host.watches import Sweep, Watches
from kiro_swarm.observe.health import report
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.worker import Workers


@dataclass(frozen=True)
class ProcessOptions:
    """How this process runs, apart from what it decides."""

    port: int = 8080
    """Port of the probes; 0 for none."""

    identity: str = "operator"
    """Name of this process in the leader Lease."""

    leader_namespace: Optional[str] = None
    """Namespace of the leader Lease; None: no election, this is the only operator."""

    lease_seconds: int = 15
    """The leadership ends this long after the last renewal."""


async def run_operator(
    settings: OperatorSettings,
    options: ProcessOptions,
    *,
    stop: Optional[asyncio.Event] = None,
    ready: Optional[asyncio.Event] = None,
) -> None:
    """Run until ``stop`` is set, a signal comes, or the leadership is lost.

    :param ready: is set when all parts have begun.
    """
    stop = stop or asyncio.Event()
    with signals_set(stop):
        client = Client(await Connection.open(user_agent="kiro-swarm-operator"))
        try:
            ctx = Context(
                client=client,
                cache=Cache(LOCAL),
                queue=WorkQueue(time.monotonic, settings.workers),
                settings=settings,
                now=lambda: datetime.now(timezone.utc),
                monotonic=time.monotonic,
            )
            parts = parts_of(ctx, options, stop)
            ctx.health = lambda: report(parts)
            await run_parts(parts, stop, ready)
        finally:
            await client.close()


def parts_of(ctx: Context, options: ProcessOptions, stop: asyncio.Event) -> list[Part]:
    """The parts in the order in which they start. They stop in the opposite order."""
    parts: list[Part] = []
    parts += [
        Loop(),
        Probes(parts, options.port),
        Leadership(_leader(ctx.client, options)),
        # Only the leader comes this far.
        Watches(ctx),
        Kopf(ctx, stop),
        Workers(ctx),
        Sweep(ctx),
    ]
    return parts


def _leader(client: Client, options: ProcessOptions) -> Optional[Leader]:
    if not options.leader_namespace:
        return None
    return Leader(
        client,
        options.leader_namespace,
        "kiro-swarm-operator",
        options.identity,
        seconds=options.lease_seconds,
        clock=time.monotonic,
    )
