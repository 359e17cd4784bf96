"""Waits until the swarm is done, while ``kubectl swarm watch`` shows it.

Called by the story. The plugin draws on the terminal by itself, and prints a line for each
change where there is none; here it is only found out when there is nothing more to see.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

from hack.lib.demo import objects
from hack.lib.demo.tools import DemoError, Tools

Object = Any

_PAUSE = 0.7
_STOP_SECONDS = 10.0
_KINDS = "kiroswarms,kirotasks,kiroinstances"
# Seconds without any change: for a script, and for an agent that may think for long.
_QUIET = 180.0
_QUIET_PATIENT = 7200.0
# A failed preparation is tried again by itself after some seconds; a failed task is not.
_FAILED = 40.0


@dataclass(frozen=True)
class Seen:
    """The statuses of a swarm and of its tasks and instances at one moment."""

    swarm: Object
    tasks: Tuple[Object, ...] = ()
    instances: Tuple[Object, ...] = ()

    @property
    def phase(self) -> str:
        """As the swarm says it."""
        return str(self.swarm.get("phase") or "Pending")

    @property
    def branch(self) -> str:
        """The integration branch."""
        return str(self._of("integration").get("branch") or "")

    @property
    def complete(self) -> bool:
        """Everything is merged, and what was merged is pushed."""
        moved = self._of("integration")
        pushed = bool(moved.get("head")) and moved.get("pushed") == moved["head"]
        return self.phase == "Succeeded" and pushed

    def setbacks(self) -> Iterator[str]:
        """Why tasks took several attempts, in the order of the file."""
        for task in self.tasks:
            for record in task.get("history") or ():
                taken = f"{task['id']} took {task['attempt']} attempts"
                yield f"{taken}: {record.get('message') or ''}"

    def result(self) -> str:
        """What the swarm itself measured."""
        merged = sum(task.get("state") == "Merged" for task in self.tasks)
        measured = self._of("speedup")
        elapsed, worked, ratio = (
            float(measured.get(name) or 0.0)
            for name in ("elapsedSeconds", "taskSeconds", "ratio")
        )
        return (
            f"{merged} tasks in {elapsed:.1f} s; their times sum to "
            f"{worked:.1f} s: {ratio:.2f} times as fast as one by one"
        )

    def _of(self, part: str) -> Object:
        found: Object = self.swarm.get(part) or {}
        return found


NOTHING = Seen({})


def read(items: Iterable[Object], swarm: str) -> Seen:
    """What is seen of a swarm in its objects of all kinds."""
    kinds: Dict[str, List[Object]] = {}
    for item in items:
        if item["spec"].get("swarm", item["metadata"]["name"]) == swarm:
            kinds.setdefault(item["kind"], []).append(item)
    tasks = sorted(kinds.get("KiroTask", ()), key=lambda it: it["spec"]["order"])
    statuses = [item.get("status") or {} for item in kinds.get("KiroSwarm", ())]
    return Seen(
        statuses[0] if statuses else {},
        tuple({**(it.get("status") or {}), "id": it["spec"]["id"]} for it in tasks),
        tuple(it.get("status") or {} for it in kinds.get("KiroInstance", ())),
    )


def until_done(tools: Tools, patient: bool) -> Seen:
    """What is seen when all is merged and pushed.

    Raises DemoError when the swarm has failed, or nothing changes any more.
    """
    place = f"--namespace={objects.NAMESPACE}"
    plugin = str(Path(sys.executable).with_name("kubectl-swarm"))
    show = [plugin, "watch", place, f"--kubeconfig={tools.kubeconfig}"]
    with beside([*show, f"--swarm={objects.SWARM}"]):
        end = wait(
            lambda: read(tools.get(_KINDS, place), objects.SWARM),
            _QUIET_PATIENT if patient else _QUIET,
        )
        # The picture may be a moment behind.
        time.sleep(_PAUSE)
    return end


@contextlib.contextmanager
def beside(argv: Sequence[str]) -> Iterator[None]:
    """A program that writes to our terminal meanwhile; in the end it gets a Ctrl-C."""
    # In a session of its own: a Ctrl-C of the user comes to us, and reaches it once.
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_hears_ctrl_c,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _hears_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore it; this has to end by it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait(
    look: Callable[[], Seen],
    quiet: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Seen:
    """Look again and again until the swarm is complete; ``quiet`` in seconds."""
    before, changed = NOTHING, clock()
    while True:
        seen = look()
        if seen.complete:
            return seen
        if seen != before:
            before, changed = seen, clock()
        still = clock() - changed
        message = seen.swarm.get("message")
        if seen.phase == "Failed" and still > min(_FAILED, quiet):
            raise DemoError(f"the swarm has failed: {message}")
        if still > quiet:
            raise DemoError(
                f"nothing has changed for {quiet:.0f} s; the swarm is {seen.phase}: "
                f"{message or 'the operator has not written a status'}"
            )
        sleep(_PAUSE)
