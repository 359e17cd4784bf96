"""An attempt under way, and others whose work is merged meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.lookahead import Lookahead, Prediction
from tests.unit.workspace.repositories import INTEGRATION, SPEC, Swarm, merged, train

CLEAN = Prediction()
MINE = "one\nMINE\nthree\n"
THEIRS = "one\nTHEIRS\nthree\n"


class Bench:
    """An attempt at task 1.1 in instance 1, and others whose work is merged meanwhile."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm
        self.made: Cut = swarm.cut(1, "1.1")
        self.tree = Path(self.made.tree)
        self.ahead = Lookahead(
            swarm.instance(1).folder, swarm.mirror, INTEGRATION, SPEC
        )

    def look(self) -> Optional[Prediction]:
        return self.ahead.look(self.made.branch)

    def others_merge(self, files: dict[str, str], task: str = "1.2") -> None:
        merged(self.swarm, self.swarm.work(files, 2, task))

    def others_do(self, change: Callable[[Path], object], task: str = "1.2") -> None:
        """Something that is not just writing files."""
        made = self.swarm.cut(2, task)
        change(Path(made.tree))
        done = self.swarm.gather(made, 2, task).commit
        merged(self.swarm, self.swarm.candidate(made, done, 2, task))

    def merge_mine(self) -> object:
        """What the merge train itself says of the work as it is."""
        done = self.swarm.gather(self.made).commit
        return train(self.swarm).merge(self.swarm.candidate(self.made, done))


def names(prediction: Optional[Prediction]) -> tuple[str, ...]:
    assert prediction is not None
    return prediction.files
