"""Nothing that an agent or a repository does stops a swarm, loses work, or tells a key.

By seed: as many swarms as it takes for each act in hack/test, a thousand in hack/soak.
"""

from __future__ import annotations

import resource
import shutil
from collections import Counter
from pathlib import Path
from typing import Counter as Count

import pytest

from tests.support.fake_api import client_of, fake_api
from tests.support.sizes import Figures, sized
from tests.unit.hostile.swarms import ACTS, HOSTILE, acts_of, play

#: Swarm n has this seed and n more: any one of them can be played again.
FIRST_SEED = 20261130
#: Swarms of one test: each act comes at least once.
SWARMS = -(-len(ACTS) // HOSTILE)
PARTS = sized(1, 100)
#: What the largest process may need, in MiB: the memory of a Job's container.
MOST_MIB = 512


@pytest.fixture(scope="module")
def totals() -> Count[str]:
    """What was played by all tests of this module."""
    return Counter()


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_agent_stops_a_swarm_or_loses_the_work_of_another(
    part: int, tmp_path: Path, totals: Count[str], figures: Figures
) -> None:
    wrong = []
    first = FIRST_SEED + part * SWARMS
    async with fake_api() as api, client_of(api, tmp_path) as client:
        for seed in range(first, first + SWARMS):
            api.forget()
            folder = tmp_path / str(seed)
            story = await play(api, client, folder, seed, acts_of(seed - FIRST_SEED))
            wrong += story.wrong
            totals.update(story.acts.values())
            totals["swarms"] += 1
            shutil.rmtree(folder)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    figures(
        seed=FIRST_SEED,
        swarms=totals["swarms"],
        honest=totals["honest"],
        hostile=sum(totals[act.__name__] for act in ACTS),
        largest_mib=largest,
    )
    assert wrong == []
    assert largest <= MOST_MIB
    assert all(totals[act.__name__] for act in ACTS)
