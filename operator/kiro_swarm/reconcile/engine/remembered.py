"""What an operator remembers of the objects of one cluster: a base of ``Context``.

Data alone; what is kept here is documented beside each field. Guarantees: it begins empty in
each process, nothing is decided wrongly without it, and what it says of an object goes with that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import AbstractSet, Optional

from kiro_swarm.api.command import SwarmCommandStatus
from kiro_swarm.reconcile.engine.answered import Answered
from kiro_swarm.reconcile.engine.audit import AuditLog
from kiro_swarm.reconcile.engine.backlog import Backlog
from kiro_swarm.reconcile.engine.elapsed import Elapsed
from kiro_swarm.reconcile.engine.resizes import Resize
from kiro_swarm.reconcile.engine.steps import StepMemory
from kiro_swarm.reconcile.engine.unheard import Unheard


@dataclass
class Remembered:
    """What is remembered of the objects of one cluster, and lost when the process ends.

    Nothing here may be needed to decide rightly: a new process begins without it.
    """

    heartbeats: dict[str, tuple[Optional[str], float]] = field(default_factory=dict)
    """Uid of a task under way or of a Lease -> its version when it was seen to change last,
    and when that was (monotonic)."""

    listening_since: float = 0.0
    """Since when the Leases are watched without a gap (monotonic): silence before that
    says nothing about the silent."""

    ensured: set[str] = field(default_factory=set)
    """Uids of swarms whose accounts and volume this process has made sure of, of Jobs whose
    pod it has asked for, and of commands that it has given up in an Event."""

    volumes: dict[str, Resize] = field(default_factory=dict)
    """Uid of a swarm -> what is known of its claim; see ``reconcile/swarms/volume.py``."""

    filling: set[str] = field(default_factory=set)
    """Uids of swarms whose missing instances are being made right now. Words about those
    that are up already would take the API server's time from the pods of the others."""
    written: dict[str, float] = field(default_factory=dict)
    """Uid of a swarm -> when its status was written last (monotonic)."""

    backlog: Backlog = field(default_factory=Backlog)
    """Commands without an answer, in their order."""

    answered: Answered = field(default_factory=Answered)
    """Commands that have one and changed nothing."""
    refused: dict[str, float] = field(default_factory=dict)
    """Uid of a command -> since when its writes are refused (monotonic)."""
    heard: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Uid of a Job without a pod -> when its Events were listed (monotonic), and what they say."""

    step_memory: StepMemory = field(init=False)
    """The steps of swarms and instances that could not be taken, or are not answered."""
    elapsed: Elapsed = field(init=False)
    """Since when commands are at work or answered, and swarms finished."""

    answers: dict[str, SwarmCommandStatus] = field(default_factory=dict)
    """Uid of a command -> its answer, which is decided and could not be written yet."""
    log_failures: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Uid of a swarm -> when its audit log could not be written last (monotonic), and why."""
    kept: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Uid of a swarm that goes -> for how long it was kept, and by when (monotonic)."""

    unheard: Unheard = field(default_factory=Unheard)
    """Kinds that are to be listed soon. A new process lists all of them."""

    audit: AuditLog = field(init=False)
    """The audit logs of all swarms."""

    def drop(self, uid: str) -> None:
        """The object of this uid is gone."""
        self.ensured.discard(uid)
        self.volumes.pop(uid, None)
        self.kept.pop(uid, None)
        self.heartbeats.pop(uid, None)
        self.written.pop(uid, None)
        self.refused.pop(uid, None)
        self.answers.pop(uid, None)
        self.log_failures.pop(uid, None)
        self.heard.pop(uid, None)
        self.audit.forget(uid)
        self.step_memory.forget(uid)
        self.elapsed.forget(uid)

    def drop_all_but(self, known: AbstractSet[str]) -> None:
        """The objects of all other uids are gone."""
        noted: set[str] = set().union(
            *(self.ensured, self.volumes, self.kept, self.heartbeats, self.written),
            *(self.refused, self.answers, self.log_failures, self.heard),
            *(self.audit.uids(), self.step_memory.uids(), self.elapsed.uids()),
        )
        for uid in noted - known:
            self.drop(uid)
