"""What kopf is given: settings, credentials, handlers. All that it runs for us is here."""

from __future__ import annotations

from typing import Any, Callable

import kopf

from kiro_swarm.handlers import events, session
from kiro_swarm.handlers.settings import configure
from kiro_swarm.reconcile.engine.context import Context


def build_registry(
    ctx: Context, *, on_stop: Callable[[], None]
) -> kopf.OperatorRegistry:
    """A registry of its own, so that two operators in one process share nothing.

    :param on_stop: called when kopf begins to stop. Whatever runs beside kopf has to end
        then: kopf waits for it, five seconds at most.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def startup(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)

    @kopf.on.cleanup(registry=registry)
    async def cleanup(**_: Any) -> None:
        on_stop()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> Any:
        info = kopf.login_with_service_account(**kwargs)
        info = info or kopf.login_with_kubeconfig(**kwargs)
        return session.session_of(info, ctx) if info and session.SUPPORTED else info

    events.register(registry, ctx)
    return registry
