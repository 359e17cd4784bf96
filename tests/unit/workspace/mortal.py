"""A process that is killed between two of its writes, at a place that a test counts.

``python -m tests.unit.workspace.mortal`` reads lines ``WORK NUMBER FOLDER`` and answers each by the
acts that the work did there and how it ended. It forks for each, and the child hears of its own
acts by an audit hook: so nothing of the program is replaced by anything, and a kill is a SIGKILL.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional

from kiro_swarm.workspace.adoption import adopt
from kiro_swarm.workspace.done import forget, kept
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.finished import discard
from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.intake import take_in
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.outcomes import Merged
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.rescue import rescue
from kiro_swarm.workspace.sync import Source, sync
from kiro_swarm.workspace.trials import owned
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    adopted,
    branch,
    git,
    train,
)

UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
NEVER = 10**6
#: Commands of git that write.
_GIT = {
    *("update-ref", "push", "fetch", "gc", "prune", "pack-refs", "mktag", "init"),
    *("commit-tree", "hash-object", "index-pack", "unpack-objects", "merge-tree"),
    *("read-tree", "write-tree", "mktree", "repack", "pack-objects", "symbolic-ref"),
}
#: Files of a repository that is only just made: nobody has it yet.
_SCRATCH = {"HEAD", "config", "alternates", "known-objects"}
Work = Callable[[Swarm], None]


def _shelf(swarm: Swarm) -> None:
    """Finished work is kept by its runner, and taken into the mirror by a Job."""
    place = swarm.instance()
    commit = git(place.repository, "rev-parse", branch())
    swarm.keep(swarm.candidate(_cut(swarm), commit))
    adopted(swarm)


def _cut(swarm: Swarm) -> Cut:
    return Cut(swarm.head(), branch(), str(swarm.instance().tree))


def _careless(swarm: Swarm) -> None:
    """The same, but for two acts the other way round."""
    for work in kept(swarm.top):
        with owned(swarm.mirror) as mirror:
            head = integration_head(swarm.mirror, INTEGRATION)
            take_in(mirror, work.place, work.commit, head, Limits())
            discard(work.place)
            mirror.run("update-ref", work.ref, work.commit)


def _rescue(swarm: Swarm) -> None:
    """Merged work, work in the mirror, and work on a shelf are pushed where nobody works."""
    made = rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, UID)
    assert not made.left, made


def _delivery(swarm: Swarm) -> None:
    """A Job merges what is on the shelf, drops its ref, and pushes."""
    commit = git(swarm.instance().repository, "rev-parse", branch())
    candidate = swarm.candidate(_cut(swarm), commit)
    doubts = Doubts(swarm.mirror)
    for _, why in adopt(swarm.mirror, INTEGRATION, kept(swarm.top), doubts, Limits()):
        assert not why, why
    assert isinstance(train(swarm).merge(swarm.kept(candidate)), Merged)
    forget(swarm.mirror, INTEGRATION, [candidate.uid])
    push_integration(swarm.mirror, swarm.url, INTEGRATION)


def _prepare(swarm: Swarm) -> None:
    """What is new in the source repository is fetched, and the branch follows it."""
    swarm.prepare()


def _sync(swarm: Swarm) -> None:
    """What is new in the source repository is fetched, and merged into the branch."""
    source = Source(swarm.url, "main", True)
    sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), UID)


WORKS: Mapping[str, Work] = {
    "shelf": _shelf,
    "careless": _careless,
    "rescue": _rescue,
    "delivery": _delivery,
    "prepare": _prepare,
    "sync": _sync,
}


class Death:
    """Comes before act ``number``, counted from 0; acts are told to ``told``.

    An act is a git that writes, or a rename: by one of these others come to see a thing, or see
    it no more. What is written or removed file by file stands aside then.
    """

    def __init__(self, number: int, told: int) -> None:
        self._left, self._told = number, told

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        act = _act(event, arguments)
        if act is None:
            return
        os.write(self._told, f"{act}\n".encode())
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def _act(event: str, arguments: tuple[Any, ...]) -> Optional[str]:
    if event in ("subprocess.Popen", "os.posix_spawn"):
        words = [str(word) for word in arguments[1]]
        command = next((word for word in words if word in _GIT), None)
        return None if command is None else f"git {command}"
    if event == "os.rename":
        name = os.path.basename(os.fsdecode(arguments[1]))
        # How what is on its way out is called is by chance.
        aside = name.startswith(".kiro-removed") or name in _SCRATCH
        return None if aside else f"rename to {name}"
    return None


def main() -> None:
    """Answer lines until there are no more."""
    for line in sys.stdin:
        work, number, top = line.split()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            try:
                sys.addaudithook(Death(int(number), writer))
                WORKS[work](Swarm(Path(top)))
            except BaseException:  # noqa: BLE001 - it must not read the next line
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            acts = told.read().splitlines()
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"acts": acts, "ended": ended}), flush=True)


class Mortal:
    """Such a process, as a test speaks to it."""

    def __init__(self, root: Path) -> None:
        path = f"{root}/operator:{root}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.workspace.mortal"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, work: str, top: Path, number: int = NEVER) -> tuple[list[str], int]:
        """The acts that it did, the one that it was killed before last; and its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{work} {number} {top}\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return said["acts"], said["ended"]

    def close(self) -> None:
        """Let it end."""
        self._process.communicate("")


if __name__ == "__main__":
    main()
