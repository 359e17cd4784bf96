"""What the integrate Job knows of candidates that are neither merged nor judged.

Role: a Job that is stopped, or killed, leaves here which candidate it was at; the next one
tries it after the others, so that one candidate never keeps the rest from being merged.

Guarantees: written durably before the work that may kill us. A file in the trusted mirror,
about attempts by their trailers; whatever stands in it, reading it gives an answer, and
losing it costs a try. A Job that dies while git works at a candidate, or while its gates
run, counts against it; the latter take long, and a node may go at any time, so it takes more
of them. Whether it was the machine all the same is asked before anybody is charged
(jobs/tries.py), of the branch without the work; that is noted here as well, for the Job may
die of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from kiro_swarm.sandbox.bounds import ProtocolError, read_object
from kiro_swarm.workspace.disk import read_plain, write_plain

NAME = "kiro-doubts"
#: Hindered in so many Jobs: it is the candidate, if it is not the machine.
HINDERED = 2
#: Kills come from outside as well, so it takes more of them.
KILLED = 3
#: Gates take far longer than git does, and a kill from outside hits them first.
GATED = 6
#: The train was stopped at it so often, by what looks like no fault of its own.
STOPPED = 6
_MOST = 500
_MOST_ALONE = 4


@dataclass
class _Entry:
    hindered: int = 0
    killed: int = 0
    gated: int = 0
    stopped: int = 0


class Doubts:
    """The file as one Job sees it. What an earlier Job died of is counted when it is read.

    :param evicted: the earlier Job was ended for what it used itself, by the status of its
        pod: that is no accident.
    """

    def __init__(self, mirror: Path, *, evicted: bool = False) -> None:
        self._path = mirror / NAME
        self._file = _read(read_plain(self._path))
        self._entries = self._file.entries
        trying = self._file.trying
        if trying or self._file.alone:
            if self._file.alone:
                self._count_end(self._file.alone)
                self._not_them()
            elif evicted:
                self._entry(trying).hindered += 1
            elif self._file.gates:
                self._entry(trying).gated += 1
            else:
                self._entry(trying).killed += 1
            # Where there is no room, the next one reads the same, and counts the same.
            with suppress(OSError):
                self._write("")

    def ended(self, commit: str) -> bool:
        """Whether a Job ended while this commit, without any work, was tried alone."""
        return commit in self._file.ended

    @property
    def gating(self) -> bool:
        """Whether the gates of what is tried are next, or run."""
        return self._file.gates

    def later(self, trailer: str) -> bool:
        """Whether this attempt is tried after the others."""
        return trailer in self._entries

    def verdict(self, trailer: str) -> str:
        """Why this attempt is to blame, in words; empty while it is not known to be."""
        why = self.killer(trailer)
        if why:
            return why
        entry = self._entries.get(trailer) or _Entry()
        if entry.gated >= GATED:
            return f"{entry.gated} Jobs were ended while its gates ran"
        if entry.hindered >= HINDERED:
            return f"{entry.hindered} Jobs were hindered at it, and not by the machine"
        return ""

    def killer(self, trailer: str) -> str:
        """Why git is not let at this attempt again, in words; empty while it may be."""
        entry = self._entries.get(trailer) or _Entry()
        if entry.killed >= KILLED:
            return f"{entry.killed} Jobs were killed while git worked at it"
        return ""

    def begins(self, trailer: str) -> None:
        """This attempt is tried now. Raises OSError."""
        self._write(trailer)

    def at_the_gates(self) -> None:
        """git has worked at it, and the gates come next. Raises OSError."""
        self._write(self._file.trying, gates=True)

    def alone(self, commit: str) -> None:
        """This commit, without any work, is tried now. Raises OSError."""
        self._write(self._file.trying, gates=self._file.gates, alone=commit)

    def lost_alone(self, commit: str) -> None:
        """This Job can try nothing more after it has tried this commit. Raises OSError."""
        self._count_end(commit)
        self._not_them()
        self._write("")

    def not_alone(self) -> None:
        """It is known of the commit; what it was asked for goes on. Raises OSError."""
        self._write(self._file.trying, gates=self._file.gates)

    def nobody(self, trailer: str = "") -> None:
        """It is known that no work is to blame; this one comes later. Raises OSError.

        What is known is forgotten: it may have passed by the next Job.
        """
        if trailer:
            self._entry(trailer)
        self._not_them()
        self._file.ended.clear()
        self._write("")

    def hindered(self, trailer: str) -> None:
        """It was hindered, and not known by what. Raises OSError."""
        self._entry(trailer).hindered += 1
        self._write("")

    def rests(self) -> None:
        """Nothing is tried now. Raises OSError."""
        self._write("")

    def stopped(self, trailer: str) -> bool:
        """The train was stopped at it, by no fault of its own that is known.

        Whether that was too often to be so, if it is not the machine. Raises OSError.
        """
        entry = self._entry(trailer)
        entry.stopped += 1
        self._write("")
        return entry.stopped >= STOPPED

    def over(self, trailer: str) -> None:
        """There is a verdict on it. Raises OSError."""
        self._entries.pop(trailer, None)
        self._write("")

    def _not_them(self) -> None:
        """Whoever was to blame has one more try, for it may have been the machine."""
        for entry in self._entries.values():
            entry.hindered = min(entry.hindered, HINDERED - 1)
            entry.killed = min(entry.killed, KILLED - 1)
            entry.gated = min(entry.gated, GATED - 1)
            entry.stopped = min(entry.stopped, STOPPED - 1)

    def _count_end(self, commit: str) -> None:
        known = [one for one in self._file.ended if one != commit]
        self._file.ended = [*known, commit][-_MOST_ALONE:]

    def _entry(self, trailer: str) -> _Entry:
        return self._entries.setdefault(trailer, _Entry())

    def _write(self, trying: str, *, gates: bool = False, alone: str = "") -> None:
        found = self._file
        found.trying, found.gates, found.alone = trying, gates, alone
        latest = list(self._entries.items())[-_MOST:]
        text = json.dumps(
            {
                "trying": trying,
                "gates": gates,
                "alone": alone,
                "ended": found.ended,
                "entries": {trailer: asdict(entry) for trailer, entry in latest},
            }
        )
        write_plain(self._path, text)


@dataclass
class _File:
    trying: str
    gates: bool
    alone: str
    ended: list[str]
    entries: dict[str, _Entry]


def _read(text: str) -> _File:
    try:
        found = read_object(text)
    except ProtocolError:
        found = {}
    trying, entries = found.get("trying"), found.get("entries")
    alone, ended = found.get("alone"), found.get("ended")
    made: dict[str, _Entry] = {}
    if isinstance(entries, dict):
        for trailer, entry in list(entries.items())[:_MOST]:
            known = entry if isinstance(entry, dict) else {}
            counts = (
                known.get(name) for name in ("hindered", "killed", "gated", "stopped")
            )
            made[str(trailer)] = _Entry(*map(_count, counts))
    return _File(
        trying if isinstance(trying, str) else "",
        found.get("gates") is True,
        alone if isinstance(alone, str) else "",
        [str(one) for one in ended[:_MOST_ALONE]] if isinstance(ended, list) else [],
        made,
    )


def _count(value: object) -> int:
    return min(value, 1000) if isinstance(value, int) and value > 0 else 0
