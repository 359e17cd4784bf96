"""Plays swarms in a process of their own: ``python -m tests.unit.hostile SEED COUNT FOLDER``.

Prints what was wrong, who did what, and the most memory that one process needed, as JSON. Not in
the process of the tests: Linux counts what a process needed as what its children needed, too,
from the fork until they are another program, and that process grows with every test.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import sys
from pathlib import Path
from typing import List

from tests.support.fake_api import client_of, fake_api
from tests.unit.hostile.story import Story
from tests.unit.hostile.swarms import acts_of, play


async def several(first: int, count: int, folder: Path) -> List[Story]:
    """So many swarms from this seed on, one after another."""
    stories = []
    async with fake_api() as api, client_of(api, folder) as client:
        for seed in range(first, first + count):
            api.forget()
            place = folder / str(seed)
            stories.append(await play(api, client, place, seed, acts_of(seed)))
            shutil.rmtree(place)
    return stories


def largest_mib() -> int:
    """The most memory of this process or of one child, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    own = re.search(r"VmHWM:\s+(\d+) kB", status)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(own[1]) if own else 0, children) // 1024


if __name__ == "__main__":
    played = asyncio.run(several(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
    answer = {
        "wrong": [each for story in played for each in story.wrong],
        "jobs": sum(story.jobs for story in played),
        "acts": [name for story in played for name in story.acts.values()],
        "largest_mib": largest_mib(),
    }
    print(json.dumps(answer))
