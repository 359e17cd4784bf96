"""Nothing that an agent or a repository does stops a swarm, loses work, or tells a key.

By seed: as many swarms as it takes for each act in hack/test, a thousand in hack/soak.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Counter as Count

import pytest

from tests.support.sizes import Figures, sized
from tests.unit.hostile.swarms import ACTS, HOSTILE
from tests.unit.hostile.volume import may_mount

ROOT = Path(__file__).resolve().parents[3]
#: Swarm n has this seed and n more: any one of them can be played again.
FIRST_SEED = 20261130
#: Swarms of one test: each act comes at least once.
SWARMS = -(-len(ACTS) // HOSTILE)
PARTS = sized(1, -(-1000 // SWARMS))
#: What the largest process may need, in MiB.
MOST_MIB = 512


@pytest.fixture(scope="module")
def totals() -> Count[str]:
    """What was played by all tests of this module."""
    return Counter()


@pytest.mark.parametrize("part", range(PARTS))
def test_no_agent_stops_a_swarm_or_loses_the_work_of_another(
    part: int, tmp_path: Path, totals: Count[str], figures: Figures
) -> None:
    first = FIRST_SEED + part * SWARMS
    words = ["-m", "tests.unit.hostile", str(first), str(SWARMS), str(tmp_path)]
    played = subprocess.run(
        [*may_mount(), sys.executable, *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stderr[-2000:]
    story = json.loads(played.stdout)
    totals.update(story["acts"])
    totals["swarms"] += SWARMS
    totals["jobs"] += story["jobs"]
    figures(
        seed=FIRST_SEED,
        swarms=totals["swarms"],
        jobs=totals["jobs"],
        honest=totals["honest"],
        hostile=sum(totals[act.__name__] for act in ACTS),
        largest_mib=story["largest_mib"],
    )
    assert story["wrong"] == []
    assert story["largest_mib"] <= MOST_MIB
    assert all(totals[act.__name__] for act in ACTS)
