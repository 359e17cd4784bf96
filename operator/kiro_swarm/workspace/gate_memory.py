"""Trees without any work that waits on which the gates were red, remembered from Job to Job.

Role: the integrate Job asks before it runs gates on the branch alone (jobs/machine.py).

Guarantees: no gate is run twice on a branch that is red, however many candidates are red
and Jobs end, while the gates are the same. What is remembered is forgotten after an hour, for
what gates use beside the repository changes, and when the tree passes. That one passed is not
remembered: it would charge a candidate for what has changed since. A file in the trusted mirror:
whatever stands in it, reading it gives an answer, and losing it costs one run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Optional

from kiro_swarm.sandbox.bounds import ProtocolError, read_object
from kiro_swarm.workspace.disk import read_plain, write_plain
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict

NAME = "kiro-gates"
#: How long a verdict is believed, in seconds.
BELIEVED = 3600.0
_MOST = 8
_LAST = 1000


class GateMemory:
    """The verdicts of one set of gates, by tree.

    :param gates: stands for the gates and what they run in: others are not asked about.
    """

    def __init__(
        self, mirror: Path, gates: str, now: Callable[[], float] = time.time
    ) -> None:
        self._path = mirror / NAME
        self._gates = gates
        self._now = now

    def has_any(self) -> bool:
        """Whether anything is remembered."""
        return bool(_read(self._path))

    def forget(self, tree: str) -> None:
        """The gates have passed on it, where they were red perhaps: others are asked anew."""
        known = dict(_read(self._path))
        if known.pop(self._key(tree), None) is not None:
            self._write(known)

    def of(self, tree: str) -> Optional[GateVerdict]:
        """How the gates were red on a tree; None where that is not known."""
        said = _read(self._path).get(self._key(tree))
        if not isinstance(said, dict) or not self._is_believed(said.get("at")):
            return None
        # Earlier releases noted passes as well.
        if said.get("passed") is True:
            return None
        gate, output, runs = said.get("gate"), said.get("output"), said.get("runs")
        return GateVerdict(
            False,
            gate if isinstance(gate, str) else "",
            output if isinstance(output, str) else "",
            (
                tuple(GateRun(str(name), 0.0) for name in runs)
                if isinstance(runs, list)
                else ()
            ),
        )

    def note(self, tree: str, verdict: GateVerdict) -> None:
        """Remember how it was red, where there is room for that."""
        others = {
            key: said
            for key, said in list(_read(self._path).items())[-_MOST + 1 :]
            if key != self._key(tree)
        }
        entry = {
            "at": self._now(),
            "passed": False,
            "gate": verdict.gate,
            "output": verdict.output[-_LAST:],
            "runs": [run.name for run in verdict.runs],
        }
        self._write({**others, self._key(tree): entry})

    def _write(self, known: Mapping[str, object]) -> None:
        with suppress(OSError):
            write_plain(self._path, json.dumps(known))

    def _key(self, tree: str) -> str:
        return f"{self._gates}/{tree}"

    def _is_believed(self, at: object) -> bool:
        # A clock that was set back must not make it last.
        return isinstance(at, (int, float)) and 0 <= self._now() - at < BELIEVED


def _read(path: Path) -> Mapping[str, object]:
    try:
        return read_object(read_plain(path))
    except ProtocolError:
        return {}
