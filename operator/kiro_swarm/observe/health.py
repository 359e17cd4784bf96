"""ReflectiveModule: every long-lived part can say how it is, with reasons, since when.

/healthz, /readyz and ``status swarm detailed`` are made of these answers; a probe that only
proves that its own HTTP server runs proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Iterable, Literal, Optional, Protocol, Sequence

from aiohttp import web
from typing_extensions import TypedDict

from kiro_swarm.observe.serving import serve_bounded
from kiro_swarm.policy.times import stamp


class Report(TypedDict):
    """A Health as JSON-ready data."""

    name: str
    alive: bool
    ready: bool
    reasons: list[str]
    since: str


@dataclass(frozen=True)
class Health:
    """What a part says of itself.

    ``alive`` False: only a restart helps. ``ready`` False: wait. ``reasons`` say why.
    """

    name: str
    alive: bool
    ready: bool
    reasons: tuple[str, ...]
    since: datetime

    def to_wire(self) -> Report:
        """As JSON-ready data."""
        return {
            "name": self.name,
            "alive": self.alive,
            "ready": self.ready,
            "reasons": list(self.reasons),
            "since": stamp(self.since),
        }


class Speaks(Protocol):
    """Whoever says how it is."""

    def health(self) -> Health:
        """How it is now."""


class ReflectiveModule:
    """Base of every long-lived part. Subclasses answer ``health`` by ``judge``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._last: Optional[Health] = None

    def health(self) -> Health:
        """How this part is now. Default: well."""
        return self.judge(True)

    def judge(
        self, ready: bool, reasons: Sequence[str] = (), *, alive: bool = True
    ) -> Health:
        """A Health whose ``since`` moves only when the verdict does."""
        last = self._last
        if last is not None and (last.alive, last.ready) == (alive, ready):
            since = last.since
        else:
            since = datetime.now(timezone.utc)
        self._last = Health(self.name, alive, ready, tuple(reasons), since)
        return self._last


def report(modules: Iterable[Speaks]) -> list[Report]:
    """The health of all parts, as JSON-ready data."""
    return [module.health().to_wire() for module in modules]


def application(modules: Sequence[Speaks]) -> web.Application:
    """GET /healthz and /readyz: 200 or 503, and every part's own words as JSON."""

    def answer(field: Literal["alive", "ready"]) -> Any:
        async def handler(_: web.Request) -> web.Response:
            parts = report(modules)
            good = all(part[field] for part in parts)
            return web.json_response(
                {"ok": good, "modules": parts}, status=200 if good else 503
            )

        return handler

    app = web.Application()
    app.router.add_get("/healthz", answer("alive"))
    app.router.add_get("/readyz", answer("ready"))
    return app


async def serve(
    modules: Sequence[Speaks], port: int, host: str = "0.0.0.0"  # noqa: S104
) -> web.AppRunner:
    """Serve the probes; the caller closes the answer with ``cleanup``."""
    return await serve_bounded(application(modules), host, port)
