"""What one swarm is like, and what happened in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from tests.unit.hostile.acts_gates import GATE_ACTS, fills_the_volume
from tests.unit.hostile.container import GATES
from tests.unit.hostile.place import Place

Act = Callable[[Place], None]
#: What nobody may say, write or merge: the password of the remote.
SECRET = "hunter2-of-the-remote"
INSTANCES = 2


def honest(place: Place) -> None:
    """An agent that does what it was asked."""
    text = f"work of {place.trailer}\n"
    attributes = place.tree / ".gitattributes"
    said = attributes.read_text() if attributes.is_file() else ""
    # Where the repository wants text files in another encoding, it is written so.
    other = "*.txt working-tree-encoding=UTF-16" in said
    place.write(own_file(place.trailer), text.encode("utf-16" if other else "utf-8"))


def own_file(trailer: str) -> str:
    """What the honest one of an attempt writes."""
    return f"honest-{trailer.split('/')[0]}.txt"


@dataclass(frozen=True)
class Setting:
    """How the swarm is set up, and what its pods are like."""

    #: It has gates.
    gates: bool
    #: Finished work waits for a person, until all is done.
    approval: bool
    #: The runner keeps finished work, as those of this release do.
    kept: bool
    #: Its volume is as small as somebody can fill.
    bounded: bool

    @classmethod
    def of(cls, draw: random.Random, acts: Sequence[Act]) -> Setting:
        """What these acts need, and the rest by chance."""
        gated = any(act in GATE_ACTS for act in acts)
        approval = draw.random() < 0.25
        bounded = fills_the_volume in acts
        return cls(
            gates=gated or draw.random() < 0.25,
            approval=approval,
            # Where it waits, the instance begins its next task before it is merged: for a
            # person, for room, or for gates that end a Job or its container. Of an older
            # runner it is kept before that cut; see tests/unit/runner/test_keeping.py.
            kept=approval or bounded or draw.random() < 0.5 or gated,
            bounded=bounded,
        )

    @property
    def integration(self) -> Dict[str, object]:
        """``spec.integration``."""
        gates = [gate.model_dump(by_alias=True, mode="json") for gate in GATES]
        return {
            "push": "Always",
            "approval": "Required" if self.approval else "Never",
            "gates": gates if self.gates else [],
        }


@dataclass
class Story:
    """What happened, for the report of a failure."""

    seed: int
    acts: Dict[str, str] = field(default_factory=dict)
    wrong: List[str] = field(default_factory=list)
    jobs: int = 0
    #: The pod of the last Job was ended for what it used.
    evicted: bool = False
    #: What has filled the volume, until the folder that it is in is emptied.
    filler: Optional[Path] = None

    @property
    def full(self) -> bool:
        """Whether the volume is full, and everything may fail."""
        return self.filler is not None and self.filler.exists()

    def blame(self, what: str) -> None:
        """Note one thing that must not be."""
        self.wrong.append(f"seed {self.seed}: {what}; agents: {self.acts}")
