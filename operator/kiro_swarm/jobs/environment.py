"""What a Job's pod tells its process, which answers with its termination message."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from kiro_swarm.api.repository import Repository
from kiro_swarm.policy.chain import LINES_PER_SEGMENT
from kiro_swarm.policy.ledger import MOST_ENTRIES
from kiro_swarm.policy.volume import FILLING
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.messages import Mover

#: The kubelet takes at most 4096 bytes of a termination message.
_MOST = 4000
_LONG_FIELDS = ("diagnostics", "message")


@dataclass(frozen=True)
class Limits:
    """How long a Job waits, and how much it writes."""

    linger_seconds: float = 10.0
    """For another task to merge."""
    gate_start_seconds: float = 60.0
    """For the gate container to answer."""
    other_seconds: float = 300.0
    """For another Job that is at work on the volume to end."""
    name_seconds: float = 30.0
    """For a ConfigMap of an earlier owner of its name to go."""
    look_seconds: float = 5.0
    """Until it looks again whether its swarm is being deleted."""
    leave_seconds: float = 10.0
    """For what it is at to end, when the swarm is being deleted."""
    looked_ahead: int = 20
    """Tasks that wait for a person and are told of what a merge would say."""
    ledger_lines: int = LINES_PER_SEGMENT
    """Lines in one ConfigMap of the ledger."""
    ledger_entries: int = MOST_ENTRIES
    """Entries of the ledger."""
    volume_part: float = FILLING
    """Part of the volume above which it is tidied before anything else."""


@dataclass(frozen=True)
class JobEnvironment:
    """Who this Job works for, and where its volumes are."""

    swarm: str
    namespace: str
    uid: str
    root: Path = Path("/swarm")
    socket: str = "/run/kiro/agent.sock"
    credentials_folder: Path = Path("/credentials")
    authorities_file: Path = Path("/authorities/ca.crt")
    tasks_folder: Path = Path("/swarm-tasks")
    termination_message: Path = Path("/dev/termination-log")
    job: str = ""
    """Name of the Job; empty in one that an earlier release made."""
    evicted: bool = False
    """The Job before was ended for what it used itself: memory or room of its own."""
    limits: Limits = Limits()

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> JobEnvironment:
        """Read KIRO_SWARM, KIRO_NAMESPACE, KIRO_SWARM_UID; KIRO_JOB, KIRO_EVICTED if there.

        Raises KeyError: one is missing; the operator sets them in the pod.
        """
        named = (env["KIRO_SWARM"], env["KIRO_NAMESPACE"], env["KIRO_SWARM_UID"])
        evicted = bool(env.get("KIRO_EVICTED"))
        return cls(*named, job=env.get("KIRO_JOB", ""), evicted=evicted)

    @property
    def mirror(self) -> Path:
        """The trusted bare repository of the swarm."""
        return self.root / "repo.git"

    @property
    def mover(self) -> Mover:
        """Who moves the branch, as its merges and the ledger say it."""
        return Mover(self.uid, self.job)

    def credentials(self, repository: Repository) -> Credentials:
        """The mounted Secret, when the swarm names one, and the way to the server."""
        named = repository.credentials_secret is not None
        trusted = repository.ca_bundle is not None
        return Credentials(
            self.credentials_folder if named else None,
            self.authorities_file if trusted else None,
            repository.proxy or "",
        )

    def report(self, answer: Mapping[str, object]) -> None:
        """Leave ``answer`` where the kubelet finds it, cut to what it takes."""
        self.termination_message.write_text(bounded(answer), encoding="utf-8")


def bounded(answer: Mapping[str, object]) -> str:
    """``answer`` as JSON of at most 4000 bytes; long fields are cut first."""
    fields = dict(answer)
    text = json.dumps(fields)
    while len(text.encode()) > _MOST:
        longest = max(_LONG_FIELDS, key=lambda name: len(json.dumps(fields.get(name))))
        value = fields.get(longest)
        if isinstance(value, list) and value:
            fields[longest] = value[: len(value) // 2]
        elif isinstance(value, str) and value:
            fields[longest] = value[: len(value) * 3 // 4]
        else:
            raise ValueError(f"the answer of this Job is too long: {sorted(fields)}")
        text = json.dumps(fields)
    return text
