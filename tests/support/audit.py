"""What the API server was asked, from its audit log: who wrote what, and how often.

Read by the cluster tests and the benchmarks. The API server writes a line when it has
answered, so after a client got its answer the line is there. A watch may tell of a write
before that: who counts what another client wrote last waits for it (``until``).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List

WRITES = ("create", "update", "patch", "delete", "deletecollection")
_READS = (b"get", b"list", b"watch")
OPERATOR = "kiro-swarm-operator"
#: kopf's own client: whatever the operator does not write itself.
OPERATOR_AGENTS = (OPERATOR, "kopf/")


@dataclass(frozen=True)
class Write:
    """One answered request that may change something; ``code`` is its HTTP status.

    ``received``: when the API server got it, as it writes times; they sort as texts.
    """

    agent: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    received: str

    @property
    def good(self) -> bool:
        """Whether the API server did it."""
        return self.code < 400

    @property
    def what(self) -> str:
        """``patch kirotasks/status``: the verb and where it went."""
        tail = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{tail}"


class AuditLog:
    """The audit log of one API server, read from a mark onwards."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self) -> int:
        """A place in the log: everything after it is new."""
        return self._path.stat().st_size

    def writes(self, since: int = 0, agents: Iterable[str] = ()) -> List[Write]:
        """Writes after the mark, oldest first; of user agents that begin so, if given."""
        wanted = tuple(agents)
        with self._path.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]
        found = (_write(json.loads(line)) for line in lines if _may_be_write(line))
        return [
            write
            for write in found
            if write.verb in WRITES and (not wanted or write.agent.startswith(wanted))
        ]

    def of_operator(self, namespace: str, since: int = 0) -> List[Write]:
        """Writes of the operator, and of the framework inside it, in a namespace."""
        found = self.writes(since, OPERATOR_AGENTS)
        return [write for write in found if write.namespace == namespace]

    async def until(
        self, namespace: str, good: Callable[[List[Write]], bool], patience: float = 30
    ) -> List[Write]:
        """The operator's writes in a namespace, as soon as ``good`` holds for them.

        When it never does, as they are then: what is wrong with them the test says.
        """
        deadline = time.monotonic() + patience
        while True:
            writes = await asyncio.to_thread(self.of_operator, namespace)
            if good(writes) or time.monotonic() > deadline:
                return writes
            await asyncio.sleep(0.1)


def created_twice(writes: Iterable[Write]) -> Dict[str, int]:
    """Objects that were created more than once with success, and how often.

    An object whose name was deleted in between counts from there on anew.
    """
    made: Counter[str] = Counter()
    twice: Dict[str, int] = {}
    for write in writes:
        if not write.good or write.subresource:
            continue
        name = f"{write.resource}/{write.namespace}/{write.name}"
        if write.verb == "delete":
            made.pop(name, None)
        elif write.verb == "create":
            made[name] += 1
            if made[name] > 1:
                twice[name] = made[name]
    return twice


def _may_be_write(line: bytes) -> bool:
    """Watches and reads are most of the log: they are not worth decoding."""
    return not any(b'"verb":"%b"' % verb in line for verb in _READS)


def _write(event: Dict[str, Any]) -> Write:
    reference = event.get("objectRef") or {}
    return Write(
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        resource=reference.get("resource", ""),
        subresource=reference.get("subresource", ""),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=int((event.get("responseStatus") or {}).get("code", 0)),
        received=event.get("requestReceivedTimestamp", ""),
    )
