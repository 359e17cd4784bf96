"""Nothing that an agent or a repository does stops a swarm, loses work, or tells a key.

By seed: as many swarms as it takes for each act in hack/test, a thousand in hack/soak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List
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
#: Processes that play the swarms of one test: half of the time is waiting for git and timers.
#: In hack/test, other tests are beside it.
AT_ONCE = sized(1, 2 * (os.cpu_count() or 1))
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
    stories = played(FIRST_SEED + part * SWARMS, tmp_path)
    largest_mib = max(story["largest_mib"] for story in stories)
    totals.update(name for story in stories for name in story["acts"])
    totals["swarms"] += SWARMS
    totals["jobs"] += sum(story["jobs"] for story in stories)
    figures(
        seed=FIRST_SEED,
        swarms=totals["swarms"],
        jobs=totals["jobs"],
        honest=totals["honest"],
        hostile=sum(totals[act.__name__] for act in ACTS),
        largest_mib=largest_mib,
    )
    assert [wrong for story in stories for wrong in story["wrong"]] == []
    assert largest_mib <= MOST_MIB
    assert all(totals[act.__name__] for act in ACTS)


def played(first: int, folder: Path) -> List[Dict[str, Any]]:
    """What came of ``SWARMS`` swarms from this seed on, by each process that played some."""
    cuts = [first + SWARMS * nth // AT_ONCE for nth in range(AT_ONCE + 1)]
    # A process that fails at once must not leave the others behind: all are waited for.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda a, b: _play(a, b - a, folder), cuts, cuts[1:]))


def _play(first: int, count: int, folder: Path) -> Dict[str, Any]:
    own = folder / f"from-{first}"
    own.mkdir()
    words = ["-m", "tests.unit.hostile", str(first), str(count), str(own)]
    process = subprocess.run(
        [*may_mount(), sys.executable, *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    story: Dict[str, Any] = json.loads(process.stdout)
    return story
