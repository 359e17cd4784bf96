"""Workers: take a key, reconcile it, decide what an error means.

The one place where errors of a reconcile end up: a conflict or a missing server means
"later", anything else is a defect, logged with its traceback, and later as well.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Awaitable, Callable, Mapping

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, AnyResource
from kiro_swarm.observe.health import Health, ReflectiveModule
from kiro_swarm.reconcile.commands import command
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.steps import is_ours
from kiro_swarm.reconcile.instances import instance
from kiro_swarm.reconcile.swarms import swarm

log = logging.getLogger(__name__)

Reconcilers = Mapping[AnyResource, Callable[[Context, Key], Awaitable[None]]]
RECONCILERS: Reconcilers = {
    SWARMS: swarm.reconcile,
    INSTANCES: instance.reconcile,
    COMMANDS: command.reconcile,
}


class Workers(ReflectiveModule):
    """A bounded number of reconciles at the same time, fed by the queue.

    :param ctx: of the cluster that the operator runs in.
    :param others: of further clusters, with the same queue.
    :param reconcilers: who reconciles the objects of a kind.
    :param patience_seconds: for reconciles under way when the process stops. One can end
        anywhere: the next process finishes its work.
    """

    def __init__(
        self,
        ctx: Context,
        *others: Context,
        reconcilers: Reconcilers = RECONCILERS,
        patience_seconds: float = 5.0,
    ) -> None:
        super().__init__("workers")
        self._patience_seconds = patience_seconds
        self._ctx = ctx
        self._contexts = {one.cluster: one for one in (ctx, *others)}
        self._reconcilers = reconcilers
        self._failing: dict[Key, str] = {}

    def health(self) -> Health:
        """Unhealthy while some object cannot be reconciled for a reason of ours.

        What the API server refuses for one swarm, by a quota for one, says nothing of us.
        """
        reasons = [
            f"{key.namespace}/{key.name}: {text}" for key, text in self._failing.items()
        ]
        return self.judge(not reasons, reasons[:5])

    async def run(self, begun: Callable[[], None]) -> None:
        """Work until cancelled; lets reconciles under way finish, and cancels the slow."""
        begun()
        busy: set[asyncio.Task[None]] = set()
        try:
            while True:
                if len(busy) >= self._ctx.settings.workers:
                    await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
                    continue
                key = await self._ctx.queue.take()
                assert isinstance(key, Key)  # noqa: S101 - nothing else is ever added
                task = asyncio.ensure_future(self._one(key))
                busy.add(task)
                task.add_done_callback(busy.discard)
                if key.flow:
                    # Of people's commands each begins alone: what many of them take to be
                    # understood is not one long turn of the event loop.
                    await asyncio.sleep(0)
        finally:
            if busy:
                _, slow = await asyncio.wait(busy, timeout=self._patience_seconds)
                for task in slow:
                    task.cancel()
                if slow:
                    await asyncio.wait(slow)

    async def _one(self, key: Key) -> None:
        queue = self._ctx.queue
        try:
            reconcile = self._reconcilers[key.resource]
            await reconcile(self._contexts[key.cluster], key)
        except (errors.Conflict, errors.Unavailable, errors.NotFound) as error:
            log.info("%s %s/%s: %s", key.resource.kind, key.namespace, key.name, error)
            queue.failed(key, error.retry_after)
        except errors.ClusterError as error:
            log.warning(
                "%s %s/%s: %s", key.resource.kind, key.namespace, key.name, error
            )
            if is_ours(error):
                self._failing[key] = error.message
            else:
                self._failing.pop(key, None)
            queue.failed(key, error.retry_after)
        except Exception:
            log.exception("%s %s/%s", key.resource.kind, key.namespace, key.name)
            self._failing[key] = "internal error, see the log"
            queue.failed(key)
        else:
            self._failing.pop(key, None)
            queue.succeeded(key)
        finally:
            queue.done(key)
