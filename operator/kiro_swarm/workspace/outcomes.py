"""What goes into the merge train and what comes out of it.

Role: the integrate job makes candidates, implements ``GatePort`` and turns outcomes
into the state of tasks; train.py decides which outcome it is.

Guarantees: data only; every outcome but Merged has a brief for the next attempt (8 KiB).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Union


@dataclass(frozen=True)
class GateRun:
    """One gate that passed, and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class GateVerdict:
    """What the gates said about a commit; ``gate`` names the one that decided.

    ``runs``: those that passed, in their order. ``reason``: why it did not pass. ``said``: the
    same for people, in one line.
    """

    passed: bool
    gate: str = ""
    output: str = ""
    runs: tuple[GateRun, ...] = ()
    reason: str = "GateFailed"
    said: str = ""


class GatePort(Protocol):
    """Runs the gates on a commit of the mirror, without credentials."""

    def check(self, commit: str) -> GateVerdict:
        """Check out ``commit`` somewhere and run every gate on it.

        Raises GateUnavailable: gates cannot be run, whatever the commit; Doubtful: they
        were cut off, and nobody knows by what.
        """
        ...


@dataclass(frozen=True)
class Candidate:
    """A task's attempt that claims to be Done; ``asked`` is of ``policy.asked``.

    ``group`` is the title of the group of the task file that it belongs to, if known.
    """

    task_id: str
    title: str
    uid: str
    attempt: int
    instance_dir: Path
    branch: str
    commit: str
    base: str
    asked: str = ""
    group: str = ""

    @property
    def trailer(self) -> str:
        """``<uid>/<attempt>``."""
        return f"{self.uid}/{self.attempt}"


@dataclass(frozen=True)
class Merged:
    """The integration branch moved from ``before`` to ``commit``.

    ``said``: what a person should know of it, in one line; mostly nothing.
    """

    commit: str
    before: str
    said: str = ""


@dataclass(frozen=True)
class Conflict:
    """The work contradicts what was merged before it."""

    files: tuple[str, ...]
    brief: str


@dataclass(frozen=True)
class GateFailed:
    """The merged result did not pass ``gate``; ``reason`` in one word, ``said`` in one line."""

    gate: str
    brief: str
    reason: str = "GateFailed"
    said: str = ""


@dataclass(frozen=True)
class Unproven:
    """The claim does not hold: what is there is not what a Done task leaves."""

    reason: str
    brief: str


Outcome = Union[Merged, Conflict, GateFailed, Unproven]
