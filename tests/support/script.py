"""What the played parts do around an operator: a test writes it, the played node reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Awaitable, Callable, List, Optional, Set

from kiro_swarm.runner.attempt import Failed
from tests.support.shapes import Object

Work = Callable[[Object], Awaitable[Optional[Failed]]]
Prepare = Callable[[Object], Awaitable[Object]]


async def at_once(task: Object) -> Optional[Failed]:
    """The work of an agent that is done as soon as it begins."""
    return None


@dataclass
class Script:
    """What the played parts do; a test changes it before or while they run."""

    work: Work = at_once
    """The agent: returns None for checked work, or how it failed."""

    pods_ready: bool = True
    """Whether instance pods become ready."""

    prepare_failures: List[Object] = field(default_factory=list)
    """Termination messages of the prepare Jobs that fail before one succeeds."""

    prepare: Optional[Prepare] = None
    """What a prepare Job does for a KiroSwarm: its termination message. None: the graph of
    ``spec.tasks.inline`` is published."""

    linger_seconds: float = 0.0
    """How long an integrate Job waits for another Done task before it ends."""

    merges_at_once: int = 1
    """How many tasks an integrate Job merges side by side: a real one merges one."""

    silent: Set[str] = field(default_factory=set)
    """Names of pods whose runner hangs: no Lease is renewed, no task is begun."""

    heartbeat_seconds: Optional[float] = None
    """How often runners renew their Lease; None: never."""
