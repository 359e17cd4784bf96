"""What the integrate Job knows of candidates that are neither merged nor judged.

Role: a Job that is stopped, or killed, leaves here which candidate it was at; the next one
tries it after the others, so that one candidate never keeps the rest from being merged.

Guarantees: written durably before the work that may kill us. A file in the trusted mirror,
about attempts by their trailers; whatever stands in it, reading it gives an answer, and
losing it costs a try. A Job that dies while git works at a candidate counts against it, one
that dies while gates run does not: they take long, and a node may go at any time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from kiro_swarm.sandbox.bounds import ProtocolError, read_object
from kiro_swarm.workspace.disk import read_plain, write_plain

NAME = "kiro-doubts"
#: Hindered in so many Jobs, in which no other candidate was: it is the candidate.
HINDERED = 2
#: Kills come from outside as well, so it takes more of them.
KILLED = 3
_MOST = 500


@dataclass
class _Entry:
    hindered: int = 0
    killed: int = 0


class Doubts:
    """The file as one Job sees it. What an earlier Job died of is counted when it is read."""

    def __init__(self, mirror: Path) -> None:
        self._path = mirror / NAME
        self._trying, gates, self._entries = _read(read_plain(self._path))
        if self._trying:
            entry = self._entry(self._trying)
            entry.killed += 0 if gates else 1
            self._trying = ""
            self._write()

    def later(self, trailer: str) -> bool:
        """Whether this attempt is tried after the others."""
        return trailer in self._entries

    def verdict(self, trailer: str) -> str:
        """Why this attempt is to blame, in words; empty while it is not known to be."""
        entry = self._entries.get(trailer) or _Entry()
        if entry.killed >= KILLED:
            return f"{entry.killed} Jobs were killed while git worked at it"
        if entry.hindered >= HINDERED:
            return f"git was hindered in {entry.hindered} Jobs, and at no other work"
        return ""

    def begins(self, trailer: str) -> None:
        """This attempt is tried now. Raises OSError."""
        self._trying = trailer
        self._write()

    def at_the_gates(self) -> None:
        """git has worked at it, and the gates come next. Raises OSError."""
        self._write(gates=True)

    def hindered(self, trailer: str) -> None:
        """It was hindered, and not known by what. Raises OSError."""
        self._entry(trailer).hindered += 1
        self._trying = ""
        self._write()

    def nobodys(self, *trailers: str) -> None:
        """It was not these attempts: they are only tried later. Raises OSError."""
        for trailer in trailers:
            entry = self._entry(trailer)
            entry.hindered = max(0, entry.hindered - 1)
        self._trying = ""
        self._write()

    def rests(self) -> None:
        """Nothing is tried now. Raises OSError."""
        self._trying = ""
        self._write()

    def stopped(self, trailer: str) -> None:
        """The train was stopped at it, by no fault of its own. Raises OSError."""
        self._entry(trailer)
        self._trying = ""
        self._write()

    def over(self, trailer: str) -> None:
        """There is a verdict on it. Raises OSError."""
        self._entries.pop(trailer, None)
        self._trying = ""
        self._write()

    def _entry(self, trailer: str) -> _Entry:
        return self._entries.setdefault(trailer, _Entry())

    def _write(self, *, gates: bool = False) -> None:
        latest = list(self._entries.items())[-_MOST:]
        text = json.dumps(
            {
                "trying": self._trying,
                "gates": gates,
                "entries": {trailer: asdict(entry) for trailer, entry in latest},
            }
        )
        write_plain(self._path, text)


def _read(text: str) -> tuple[str, bool, dict[str, _Entry]]:
    try:
        found = read_object(text)
    except ProtocolError:
        found = {}
    trying, entries = found.get("trying"), found.get("entries")
    made: dict[str, _Entry] = {}
    if isinstance(entries, dict):
        for trailer, entry in list(entries.items())[:_MOST]:
            known = entry if isinstance(entry, dict) else {}
            made[str(trailer)] = _Entry(
                _count(known.get("hindered")), _count(known.get("killed"))
            )
    return trying if isinstance(trying, str) else "", found.get("gates") is True, made


def _count(value: object) -> int:
    return min(value, 1000) if isinstance(value, int) and value > 0 else 0
