"""Waits until the swarm is done, and shows it meanwhile."""

from __future__ import annotations

import time
from typing import Callable

from rich.console import Console

from hack.lib.demo import objects
from hack.lib.demo.screen import screen
from hack.lib.demo.snapshot import EMPTY, Snapshot, read
from hack.lib.demo.tools import DemoError, Tools

_PAUSE = 0.7
_KINDS = "kiroswarms,kirotasks,kiroinstances"
# Seconds without any change: for a script, and for an agent that may think for long.
_QUIET = 180.0
_QUIET_PATIENT = 7200.0
# A failed preparation is tried again by itself after some seconds; a failed task is not.
_FAILED = 40.0


def until_done(tools: Tools, console: Console, patient: bool) -> Snapshot:
    """The snapshot in which all is merged and pushed.

    Raises DemoError when the swarm has failed, or nothing changes any more.
    """
    place = f"--namespace={objects.NAMESPACE}"
    with screen(console) as show:

        def look() -> Snapshot:
            snapshot = read(tools.get(_KINDS, place), objects.SWARM)
            show(snapshot)
            return snapshot

        return wait(look, _QUIET_PATIENT if patient else _QUIET)


def wait(
    look: Callable[[], Snapshot],
    quiet: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Snapshot:
    """Look again and again until the swarm is complete; `quiet` in seconds."""
    before, changed = EMPTY, clock()
    while True:
        snapshot = look()
        if snapshot.complete:
            return snapshot
        if snapshot != before:
            before, changed = snapshot, clock()
        still = clock() - changed
        if snapshot.phase == "Failed" and still > min(_FAILED, quiet):
            raise DemoError(f"the swarm has failed: {snapshot.message}")
        if still > quiet:
            raise DemoError(
                f"nothing has changed for {quiet:.0f} s; the swarm is {snapshot.phase}: "
                f"{snapshot.message or 'the operator has not said a word'}"
            )
        sleep(_PAUSE)
