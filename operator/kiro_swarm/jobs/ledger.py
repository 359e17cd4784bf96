"""The integration ledger's writer: what the branch has and the ledger lacks is written.

Role: the Jobs that move the branch, or read it for new KiroTasks, call ``Ledger.catch_up``
before they begin and after each move and push, before they tell anybody of it.

Guarantees: each move has one entry, in order, chained, whoever dies or writes at the same
time: what is written follows from the branch, and a write that another Job came before is
made again from what that one left. A ledger that was deleted, cut or changed is mended from
the branch. Only the ConfigMaps of this ledger are read and written, by their names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

from kiro_swarm.api.ledger import LedgerEntry
from kiro_swarm.api.meta import COMPONENT_LEDGER
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.cluster.segments import write_segment
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.owned import belongs_to_swarm, metadata_of
from kiro_swarm.policy import chain, naming
from kiro_swarm.policy.ledger import LEDGER_FULL, MOST_SEGMENTS, Book
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.ledger import News, news

log = logging.getLogger(__name__)
_TRIES = 10
#: Entries of a move: the move, and its push.
_A_MOVE = 2


@dataclass
class _Segment:
    """One ConfigMap as it was read or written last."""

    version: str
    texts: dict[str, str]


class Ledger:
    """The ledger of the swarm that a Job works for. Made inside the running event loop."""

    def __init__(self, client: Client, env: JobEnvironment, branch: str) -> None:
        self._client = client
        self._env = env
        self._branch = branch
        self._segments: dict[int, _Segment] = {}
        self._entries: Optional[list[LedgerEntry]] = None
        self._book = Book(env.uid)
        self._proved = 0
        #: A push is noted while the next merge is.
        self._writing = asyncio.Lock()

    @property
    def lines(self) -> int:
        """How many entries it has."""
        return self._book.lines

    def check_room(self) -> None:
        """Raise WorkspaceError, LedgerFull, where one more move and its push have no place.

        Asked before the branch is moved: afterwards it would be too late.
        """
        most = self._env.limits.ledger_entries
        if self._book.lines + _A_MOVE > most:
            raise _full(most)

    async def catch_up(self) -> None:
        """Write what the branch has, and was pushed, and the ledger lacks.

        Raises ClusterError, and what ``workspace.ledger.news`` raises; the next Job
        goes on from there.
        """
        async with self._writing:
            await self._catch_up()

    async def _catch_up(self) -> None:
        for _ in range(_TRIES):
            if self._entries is None:
                await self._load()
            try:
                await self._write(await self._news())
                return
            except (errors.Conflict, errors.AlreadyExists, errors.NotFound):
                # Another Job was faster, or a person deleted it: look again.
                self._entries = None
        raise WorkspaceError(
            f"the ConfigMaps of the ledger changed {_TRIES} times while they were"
            " being written",
            reason="LedgerBusy",
        )

    async def _news(self) -> News:
        entries = self._entries or []
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = await asyncio.get_running_loop().run_in_executor(
            None,
            news,
            self._env.mirror,
            self._branch,
            entries,
            self._proved,
            self._env.mover,
            now,
        )
        most = self._env.limits.ledger_entries
        if told.kept + len(told.entries) > most:
            raise _full(most)
        return told

    async def _write(self, told: News) -> None:
        """Write the entries behind those that stand, and take away what does not."""
        entries = (self._entries or [])[: told.kept]
        if told.kept < self._book.lines:
            log.warning("entries after %d contradict the branch", told.kept)
            self._book = self._book_of(told.kept)
        lines: dict[int, dict[str, Optional[str]]] = {}
        for entry in told.entries:
            line = chain.chained({**entry}, self._book.lines + 1, self._book.hash)
            number = self._book.lines + 1
            segment = lines.setdefault(self._segment_of(number), {})
            segment[chain.key_of(number)] = chain.write(line)
            self._book.add(line)
            entries.append(entry)
        last = chain.key_of(self._book.lines)
        for number, segment_read in self._segments.items():
            for key in segment_read.texts:
                if key > last:
                    lines.setdefault(number, {})[key] = None
        for number in sorted(lines):
            await self._put(number, lines[number])
        self._entries, self._proved = entries, len(entries)

    def _segment_of(self, number: int) -> int:
        return chain.segment_of(number, self._env.limits.ledger_lines)

    async def _put(self, number: int, lines: Mapping[str, Optional[str]]) -> None:
        known = self._segments.get(number)
        name = naming.ledger_segment(self._env.swarm, number)
        version = await write_segment(
            self._client,
            self._env.namespace,
            metadata_of(self._env, name, COMPONENT_LEDGER),
            lines,
            None if known is None else known.version,
        )
        texts = {} if known is None else dict(known.texts)
        for key, text in lines.items():
            texts.pop(key, None)
            if text is not None:
                texts[key] = text
        self._segments[number] = _Segment(version, texts)

    async def _load(self) -> None:
        """Read the ledger, up to the first line that cannot be believed."""
        seen, self._segments = max(self._segments, default=0), {}
        for number in range(1, MOST_SEGMENTS + 1):
            found = await self._read(number)
            if found is not None:
                self._segments[number] = found
            elif number > seen:
                break
        self._book, self._proved = Book(self._env.uid), 0
        self._entries = []
        for line in chain.read(self._texts()):
            entry = self._book.add(line)
            if entry is None:
                log.warning("line %d is not to be believed", self._book.lines + 1)
                break
            self._entries.append(entry)

    def _texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for segment in self._segments.values():
            texts.update(segment.texts)
        return texts

    def _book_of(self, lines: int) -> Book:
        book = Book(self._env.uid)
        for line in chain.read(self._texts())[:lines]:
            book.add(line)
        return book

    async def _read(self, number: int) -> Optional[_Segment]:
        """One ConfigMap; that of an earlier swarm of this name is waited out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._env.limits.name_seconds
        name = naming.ledger_segment(self._env.swarm, number)
        while True:
            try:
                item = await self._client.get(CONFIG_MAPS, self._env.namespace, name)
            except errors.NotFound:
                return None
            if belongs_to_swarm(item, self._env):
                version = str(item["metadata"]["resourceVersion"])
                return _Segment(version, dict(item.get("data") or {}))
            if loop.time() > deadline:
                raise WorkspaceError(
                    f"a ConfigMap {name} of somebody else is in the place of the"
                    " integration ledger; delete it",
                    reason="LedgerNameTaken",
                )
            await asyncio.sleep(0.5)


def _full(most: int) -> WorkspaceError:
    return WorkspaceError(
        f"the integration ledger is full: it takes {most} entries; nothing more is merged. Go"
        " on in a new KiroSwarm, on the branch as it is",
        reason=LEDGER_FULL,
    )
