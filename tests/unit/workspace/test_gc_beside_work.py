"""The mirror is packed while runners cut and keep, and the packer is killed: nothing vanishes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiro_swarm.workspace.done import kept
from kiro_swarm.workspace.outcomes import Merged
from tests.support.sizes import sized
from tests.unit.workspace.repositories import INTEGRATION, Swarm, adopted, git, train

_TIDY = """
import sys
from pathlib import Path
from kiro_swarm.workspace.upkeep import Needed, Thresholds, tidy
always = Thresholds(loose_objects=0, kept_seconds=3600, pause_seconds=0)
top = Path(sys.argv[1])
while True:
    names = ("demo-1", "demo-2", "demo-3")
    needed = Needed({}, names, busy=names)
    tidy(top, top / "repo.git", sys.argv[2], needed, always, pressed=True)
"""


def _packer(top: Path) -> subprocess.Popen[bytes]:
    """Packs again and again until it is killed, its git with it, as in a pod."""
    argv = [sys.executable, "-c", _TIDY, str(top), INTEGRATION]
    return subprocess.Popen(argv, start_new_session=True)


def _until_packed(mirror: Path) -> None:
    """Once: from then on it packs beside us."""
    stamp, until = mirror / "kiro-swarm.gc", time.monotonic() + 30
    stamp.unlink(missing_ok=True)
    while not stamp.exists():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("seed", range(sized(1, 5)))
def test_nothing_vanishes_while_the_mirror_is_packed_and_the_packer_killed(
    swarm: Swarm, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(1, 4):
        packer = _packer(swarm.top)
        try:
            _until_packed(swarm.mirror)
            time.sleep(chance.uniform(0.0, 0.2))
            done = swarm.work({f"f{number}": str(number)}, number, str(number))
            swarm.keep(done)
            time.sleep(chance.uniform(0.0, 0.3))
        finally:
            os.killpg(packer.pid, signal.SIGKILL)
            packer.wait()
        assert done.commit in [work.commit for work in kept(swarm.top)]
        assert adopted(swarm) == 1
        assert isinstance(train(swarm).merge(swarm.kept(done)), Merged)
    assert [swarm.show(f"f{number}") for number in (1, 2, 3)] == ["1", "2", "3"]
    assert swarm.fsck(swarm.mirror) == ""
    for number in (1, 2, 3):
        assert git(swarm.instance(number).tree, "status", "--porcelain") == ""
