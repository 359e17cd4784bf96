"""What a part of the operator process is, and how a list of parts runs.

Called by ``operator`` with all parts. Guarantees: a part starts when the one before it in
the list has begun; they stop in the opposite order, each when the one after it has stopped;
a part that ends by itself stops the process.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, Awaitable, Callable, Optional, Protocol, Sequence

from kiro_swarm.observe.health import Health

log = logging.getLogger(__name__)


class Part(Protocol):
    """A long-lived part of the operator process."""

    name: str
    """What it is called in /healthz and in the log."""

    async def run(self, begun: Callable[[], None]) -> None:
        """Work until cancelled; finish in an orderly way then.

        :param begun: to be called once, when the next part may start.
        """

    def health(self) -> Health:
        """How it is now."""


async def run_parts(
    parts: Sequence[Part],
    stop: asyncio.Event,
    ready: Optional[asyncio.Event] = None,
) -> None:
    """Run parts until ``stop`` is set or one of them ends; nothing runs afterwards.

    :param ready: is set when all have begun.

    Raises Exception: what the first part that failed has raised.
    """
    running: list[asyncio.Task[None]] = []
    failures: list[BaseException] = []

    def ended(part: Part, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failures.append(error)
        if not stop.is_set():
            # A defect, or the end of our term: Kubernetes starts us anew.
            log.error("%s ended by itself: stopping", part.name, exc_info=error)
        elif error is not None:
            log.error("%s did not stop well", part.name, exc_info=error)
        stop.set()

    try:
        for part in parts:
            begun = asyncio.Event()
            task = asyncio.ensure_future(part.run(begun.set))
            running.append(task)
            task.add_done_callback(partial(ended, part))
            await first_of(begun.wait(), stop.wait())
            if stop.is_set():
                break
        else:
            if ready is not None:
                ready.set()
        await stop.wait()
    finally:
        stop.set()
        for task in reversed(running):
            task.cancel()
            await asyncio.wait({task})
    if failures:
        raise failures[0]


async def first_of(*calls: Awaitable[Any]) -> None:
    """Wait for the first of several; the others are cancelled, its error is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
