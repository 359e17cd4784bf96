"""The audit log's writer: appends lines to the ConfigMaps of a swarm, each command once.

Called by the command reconcile before the answer is written. Lines that come in while one
write is under way go into the next one together. A line is found again by the command's
uid: whoever finishes a command after a crash gets the line that is there.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Optional

from kiro_swarm.api.command import AuditReference
from kiro_swarm.api.kubernetes import ConfigMap
from kiro_swarm.api.meta import COMPONENT_AUDIT, LABEL_COMPONENT, LABEL_SWARM
from kiro_swarm.api.swarm_status import AuditStatus, KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.cluster.segments import write_segment
from kiro_swarm.observe import audit
from kiro_swarm.policy import chain, naming
from kiro_swarm.policy.ownership import is_record
from kiro_swarm.reconcile.objects.manifests import metadata

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """Where a command is in the log."""

    sequence: int
    hash: str

    def to_wire(self) -> AuditReference:
        """As in ``SwarmCommand.status.audit``."""
        return {"sequence": self.sequence, "hash": self.hash}


@dataclass
class _Book:
    """The end of one swarm's log, as this process knows it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[tuple[audit.Record, asyncio.Future[Line]]] = field(
        default_factory=list
    )
    end: Optional[Line] = None
    by_uid: dict[str, Line] = field(default_factory=dict)
    versions: dict[int, str] = field(default_factory=dict)


class AuditLog:
    """The logs of all swarms. One for each operator process, inside its event loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._books: dict[str, _Book] = {}

    def anchor(self, swarm: KiroSwarm) -> Optional[AuditStatus]:
        """``KiroSwarm.status.audit``; None while this process has not read the log."""
        book = self._books.get(swarm["metadata"]["uid"])
        if book is None or book.end is None or not book.end.sequence:
            return None
        return {"lines": book.end.sequence, "head": book.end.hash}

    async def open(self, swarm: KiroSwarm) -> None:
        """Read the end of a log that this process does not know yet."""
        book = self._books.setdefault(swarm["metadata"]["uid"], _Book())
        async with book.lock:
            if book.end is None:
                await self._load(swarm, book)

    def forget(self, uid: str) -> None:
        """The swarm of this uid is gone."""
        self._books.pop(uid, None)

    def uids(self) -> set[str]:
        """The swarms of which anything is known."""
        return set(self._books)

    async def append(self, swarm: KiroSwarm, entry: audit.Record) -> Line:
        """Log ``entry`` unless its command is in the log; returns its place.

        Raises errors.ClusterError: it could not be written; try again.
        """
        book = self._books.setdefault(swarm["metadata"]["uid"], _Book())
        place: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        book.waiting.append((entry, place))
        async with book.lock:
            if not place.done():
                await self._write_all(swarm, book)
        return await place

    async def _write_all(self, swarm: KiroSwarm, book: _Book) -> None:
        """Write everything that waits; whoever waits gets its place or the error."""
        batch, book.waiting = book.waiting, []
        try:
            if book.end is None:
                await self._load(swarm, book)
            while batch:
                batch = await self._write_some(swarm, book, batch)
        except errors.AlreadyExists:
            _fail(book, batch, await self._why_there(swarm, book))
        except errors.Conflict as error:
            moved = errors.Conflict(f"the audit log has moved on: {error.message}")
            _fail(book, batch, moved)
        except errors.ClusterError as error:
            _fail(book, batch, error)

    async def _write_some(
        self,
        swarm: KiroSwarm,
        book: _Book,
        batch: list[tuple[audit.Record, asyncio.Future[Line]]],
    ) -> list[tuple[audit.Record, asyncio.Future[Line]]]:
        """Write what fits into one ConfigMap; returns the rest."""
        assert book.end is not None  # noqa: S101 - loaded by the caller
        end, lines = book.end, {}
        placed: list[tuple[str, Line, asyncio.Future[Line]]] = []
        segment = chain.segment_of(end.sequence + 1)
        rest = list(batch)
        while rest and chain.segment_of(end.sequence + 1) == segment:
            entry, place = rest.pop(0)
            known = book.by_uid.get(entry["uid"])
            if known is None:
                record = chain.chained(entry, end.sequence + 1, end.hash)
                known = end = Line(end.sequence + 1, str(record["hash"]))
                lines[chain.key_of(end.sequence)] = chain.write(record)
                book.by_uid[entry["uid"]] = known
            placed.append((entry["uid"], known, place))
        if lines:
            await self._put(swarm, book, segment, lines)
            for text in lines.values():
                log.info("audit %s", text)
        book.end = end
        for _, line, place in placed:
            if not place.done():
                place.set_result(line)
        return rest

    async def _why_there(self, swarm: KiroSwarm, book: _Book) -> errors.ClusterError:
        """What it means that the next part of a log is there: another has written it, or
        what stands there is no part of it, and none would ever be read."""
        assert book.end is not None  # noqa: S101 - it was written from there
        number = chain.segment_of(book.end.sequence + 1)
        try:
            if number in await self._parts(swarm):
                return errors.Conflict("the audit log has moved on")
        except errors.ClusterError as error:
            return error
        name = naming.audit_segment(swarm["metadata"]["name"], number)
        return errors.NameTaken(
            f"ConfigMap {name} is in the place of the audit log and is no part of it; "
            "delete it"
        )

    async def _put(
        self, swarm: KiroSwarm, book: _Book, segment: int, lines: dict[str, str]
    ) -> None:
        """Add lines to a ConfigMap that nobody else has written to meanwhile."""
        namespace = swarm["metadata"]["namespace"]
        name = naming.audit_segment(swarm["metadata"]["name"], segment)
        made = await write_segment(
            self._client,
            namespace,
            metadata(swarm, name, COMPONENT_AUDIT),
            lines,
            book.versions.get(segment),
        )
        book.versions[segment] = made

    async def _load(self, swarm: KiroSwarm, book: _Book) -> None:
        """Read the log's end, and which commands are in it."""
        mine = await self._parts(swarm)
        book.by_uid.clear()
        book.versions.clear()
        end = Line(0, chain.BEGINNING)
        for record in audit.read(mine.values()):
            number = chain.sequence_of(record)
            if number != end.sequence + 1 and "unreadable" in record:
                continue  # under a key that no line has
            end = Line(number, str(record.get("hash", "")))
            book.by_uid[str(record.get("uid"))] = end
        for number, item in mine.items():
            book.versions[number] = item["metadata"]["resourceVersion"]
        book.end = end

    async def _parts(self, swarm: KiroSwarm) -> dict[int, ConfigMap]:
        """The ConfigMaps of a log by their numbers: of this very swarm, and so named."""
        namespace, name = swarm["metadata"]["namespace"], swarm["metadata"]["name"]
        labels = f"{LABEL_SWARM}={name},{LABEL_COMPONENT}={COMPONENT_AUDIT}"
        found, _ = await self._client.list(CONFIG_MAPS, namespace, labels=labels)
        parts: dict[int, ConfigMap] = {}
        for item in found:
            number = naming.audit_number(name, item["metadata"]["name"])
            if number is not None and is_record(item, swarm["metadata"]["uid"], name):
                parts[number] = item
        return parts


def _fail(
    book: _Book,
    batch: list[tuple[audit.Record, asyncio.Future[Line]]],
    error: errors.ClusterError,
) -> None:
    """Give everybody who waits the error; what is there is read again next time."""
    book.end = None
    for _, place in batch:
        if not place.done():
            place.set_exception(error)
