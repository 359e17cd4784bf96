"""One swarm with hostile agents from its first cut to its last merge.

Real are the repositories, cut, evidence, what the runner keeps, and the integrate Job; the API
server, and how pods end, are played. Two of six agents are honest: each writes one file that
nobody else writes. All share two instances, so that an honest task follows a hostile one in the
same folder.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import List, Tuple

from kiro_swarm.cluster.client import Client
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.outcomes import Candidate
from tests.support.fake_api import FakeApi
from tests.unit.hostile.acts_files import FILE_ACTS
from tests.unit.hostile.acts_gates import GATE_ACTS
from tests.unit.hostile.acts_objects import OBJECT_ACTS
from tests.unit.hostile.acts_repository import REPOSITORY_ACTS
from tests.unit.hostile.judging import judge, outside
from tests.unit.hostile.place import Place
from tests.unit.hostile.story import INSTANCES, SECRET, Act, Setting, Story, honest
from tests.unit.hostile.trains import PATIENCE, run_job, run_jobs
from tests.unit.hostile.volume import volume
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git

ACTS: Tuple[Act, ...] = (*FILE_ACTS, *OBJECT_ACTS, *GATE_ACTS)
ROUNDS = 3
HOSTILE = ROUNDS * INSTANCES - 2
#: For what could not be done while the volume was full.
_MORE_ROUNDS = 6


def acts_of(number: int) -> List[Act]:
    """What the hostile ones of a swarm do: all acts come, one swarm after another."""
    return [ACTS[(number * HOSTILE + n) % len(ACTS)] for n in range(HOSTILE)]


async def play(
    api: FakeApi, client: Client, folder: Path, seed: int, hostile: List[Act]
) -> Story:
    """One swarm; ``wrong`` of the story is empty when all held."""
    draw, story = random.Random(seed), Story(seed)
    setting = Setting.of(draw, hostile)
    acts = [*hostile, *[honest] * (ROUNDS * INSTANCES - len(hostile))]
    draw.shuffle(acts)
    with volume(folder / "volume", setting.bounded) as top:
        job = Job(api, client, Swarm(top), folder)
        job.env.credentials_folder.mkdir()
        (job.env.credentials_folder / "username").write_text("swarm")
        (job.env.credentials_folder / "password").write_text(SECRET)
        job.apply(integration=setting.integration)
        await _prepare(job, draw, story)
        before = outside(job)
        todo = [(f"1.{number}", act) for number, act in enumerate(acts, 1)]
        for _ in range(ROUNDS + _MORE_ROUNDS):
            now, todo = todo[:INSTANCES], todo[INSTANCES:]
            if not now:
                break
            for index, (task, act) in enumerate(now, 1):
                player = _Player(job, draw, story, setting)
                if not player.work(act, task, index):
                    todo.append((task, act))
            await run_job(job, story, setting)
        if story.filler:
            # As when its instance is scaled away.
            story.filler.unlink(missing_ok=True)
        await run_jobs(job, story, setting)
        judge(job, story, before)
    return story


async def _prepare(job: Job, draw: random.Random, story: Story) -> None:
    """The prepare Job on a hostile repository; what it refuses, a person mends."""
    upstream = job.repositories.upstream
    act = draw.choice(REPOSITORY_ACTS)
    story.acts["repository"] = act.__name__
    good = git(upstream, "rev-parse", "HEAD")
    act(draw, upstream)
    for mended in (False, True):
        try:
            code = await asyncio.wait_for(prepare(job.client, job.env), PATIENCE)
        except Exception as error:  # noqa: BLE001
            story.blame(f"the prepare Job raised {error!r:.300}")
            code = 1
        if code == 0:
            return
        if mended or not {"reason", "message"} <= set(job.words()):
            story.blame(f"the prepare Job ended with {code}: {job.words()}")
        git(upstream, "reset", "--quiet", "--hard", good)


class _Player:
    """What the runner does, and in the midst of it the agent."""

    def __init__(
        self, job: Job, draw: random.Random, story: Story, setting: Setting
    ) -> None:
        self._job = job
        self._swarm = job.repositories
        self._draw = draw
        self._story = story
        self._setting = setting

    def work(self, act: Act, task: str, index: int) -> bool:
        """One task by one agent; Done when evidence or a forged answer says so.

        Whether it is over: what a full volume hindered is done again, and burns nothing.
        """
        self._story.acts[task] = act.__name__
        try:
            made = self._swarm.cut(index, task)
        except Exception as error:  # noqa: BLE001
            return self._is_over(honest, f"the cut for task {task} raised {error!r}")
        trailer, canary = f"uid-{task.replace('.', '-')}/1", self._job.folder / "canary"
        folder = self._swarm.instance(index).folder
        place = Place(self._draw, folder, made, trailer, canary)
        try:
            act(place)
        except OSError as error:
            if not self._story.full:
                raise
            return self._is_over(act, str(error))
        self._story.filler = place.filler or self._story.filler
        commit, said = place.claim, ""
        if commit is None:
            # The container may fail; only what it cannot know of must not come out of it.
            try:
                evidence = self._swarm.gather(made, index, task)
                commit, said = evidence.commit, f"{evidence.reason}: {evidence.message}"
            except (WorkspaceError, OSError) as error:
                said = str(error)
        if commit is None:
            return self._is_over(act, f"evidence of task {task} says {said}")
        candidate = self._swarm.candidate(made, commit, index, task)
        refused = self._keep(candidate) if self._setting.kept else ""
        if refused:
            return self._is_over(act, f"task {task} is not kept: {refused}")
        self._job.done(candidate)
        return True

    def _keep(self, work: Candidate) -> str:
        """Keep it as the runner does, before it says Done; why it cannot be."""
        mirror, shelf = self._swarm.mirror, self._swarm.top / "finished"
        try:
            keep(
                shelf / work.instance_dir.name,
                *(work.uid, work.attempt, work.instance_dir, mirror, INTEGRATION),
                *(work.commit, work.base),
            )
        except Exception as error:  # noqa: BLE001
            return f"{error!r}"
        return ""

    def _is_over(self, act: Act, said: str) -> bool:
        if act is not honest:
            return True
        if not self._story.full:
            self._story.blame(f"an honest one: {said:.300}")
            return True
        return False
