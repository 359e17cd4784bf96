"""One swarm with hostile agents from its first cut to its last merge, and what it is judged by.

Real are the repositories, cut, evidence and the integrate Job; the API server is the fake
one. Half of the agents are honest: each writes one file that nobody else writes. All share
two instances, so that an honest task follows a hostile one in the same folder.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.workspace.errors import WorkspaceError
from tests.support.fake_api import FakeApi
from tests.unit.hostile.acts_files import FILE_ACTS
from tests.unit.hostile.acts_objects import OBJECT_ACTS
from tests.unit.hostile.acts_repository import REPOSITORY_ACTS
from tests.unit.hostile.place import Place
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git

Act = Callable[[Place], None]
ACTS: Tuple[Act, ...] = (*FILE_ACTS, *OBJECT_ACTS)
#: What nobody may say, write or merge: the password of the remote.
SECRET = "hunter2-of-the-remote"
ROUNDS, INSTANCES = 3, 2
HOSTILE = ROUNDS * INSTANCES // 2
#: Longest time for one run of the integrate Job, in seconds: it never gets stuck.
PATIENCE = 120


def honest(place: Place) -> None:
    """An agent that does what it was asked."""
    place.write(_own_file(place), f"work of {place.trailer}\n".encode())


def _own_file(place: Place) -> str:
    return f"honest-{place.trailer.split('/')[0]}.txt"


@dataclass
class Story:
    """What happened, for the report of a failure."""

    seed: int
    acts: Dict[str, str] = field(default_factory=dict)
    wrong: List[str] = field(default_factory=list)

    def blame(self, what: str) -> None:
        """Note one thing that must not be."""
        self.wrong.append(f"seed {self.seed}: {what}; agents: {self.acts}")


def acts_of(number: int) -> List[Act]:
    """What the hostile ones of a swarm do: all acts come, one swarm after another."""
    return [ACTS[(number * HOSTILE + n) % len(ACTS)] for n in range(HOSTILE)]


async def play(
    api: FakeApi, client: Client, folder: Path, seed: int, hostile: List[Act]
) -> Story:
    """One swarm; ``wrong`` of the story is empty when all held."""
    draw, story = random.Random(seed), Story(seed)
    acts = [*hostile, *[honest] * (ROUNDS * INSTANCES - len(hostile))]
    draw.shuffle(acts)
    (folder / "volume").mkdir(parents=True)
    job = Job(api, client, Swarm(folder / "volume"), folder)
    job.env.credentials_folder.mkdir()
    (job.env.credentials_folder / "username").write_text("swarm")
    (job.env.credentials_folder / "password").write_text(SECRET)
    job.apply(integration={"push": "Always"})
    await _prepare(job, draw, story)
    kept = _outside(job)
    for round_ in range(ROUNDS):
        for index in range(1, INSTANCES + 1):
            task = f"1.{round_ * INSTANCES + index}"
            _work(job, draw, story, acts.pop(), task, index)
        try:
            code = await asyncio.wait_for(integrate(client, job.env), PATIENCE)
        except Exception as error:  # noqa: BLE001 (whatever it is must not get here)
            story.blame(f"the integrate Job raised {error!r:.300}")
            continue
        if code != 0:
            story.blame(f"the integrate Job ended with {code}: {job.words()}")
    _judge(job, story, kept)
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


def _work(
    job: Job, draw: random.Random, story: Story, act: Act, task: str, index: int
) -> None:
    """One task by one agent; it is Done when evidence or a forged answer says so."""
    swarm = job.repositories
    story.acts[task] = act.__name__
    try:
        made = swarm.cut(index, task)
    except Exception as error:  # noqa: BLE001
        story.blame(f"the cut for task {task} raised {error!r:.300}")
        return
    trailer = f"uid-{task.replace('.', '-')}/1"
    canary = job.folder / "canary"
    place = Place(draw, swarm.instance(index).folder, made, trailer, canary)
    act(place)
    commit, said = place.claim, ""
    if commit is None:
        # The container may fail; only what it cannot know of must not come out of it.
        try:
            evidence = swarm.gather(made, index, task)
            commit, said = evidence.commit, f"{evidence.reason}: {evidence.message}"
        except (WorkspaceError, OSError) as error:
            said = str(error)
    if commit is not None:
        job.done(swarm.candidate(made, commit, index, task))
    elif act is honest:
        story.blame(f"task {task} is honest, and evidence says {said:.300}")


def _judge(job: Job, story: Story, kept: Dict[str, str]) -> None:
    states = {
        item["spec"]["id"]: item["status"]
        for item in job.api.store.select(TASKS, NAMESPACE)
    }
    files = git(job.repositories.mirror, "ls-tree", "-r", "--name-only", INTEGRATION)
    for task, status in states.items():
        if status["state"] == "Done":
            story.blame(f"task {task} is still Done after the train")
        if story.acts[task] != honest.__name__:
            continue
        name = f"honest-uid-{task.replace('.', '-')}.txt"
        if status["state"] != "Merged" or name not in files.splitlines():
            story.blame(f"task {task} is honest and lost: {status}")
        elif job.repositories.show(name) != f"work of uid-{task.replace('.', '-')}/1":
            story.blame(f"the work of task {task} was changed")
    merged = [task for task, status in states.items() if status["state"] == "Merged"]
    log = git(
        job.repositories.mirror,
        "log",
        "--first-parent",
        "--merges",
        "--format=%s",
        INTEGRATION,
    )
    if len(log.splitlines()) != len(merged):
        story.blame(f"{len(merged)} tasks are Merged, and the branch has: {log}")
    if "evil" in job.repositories.show("app.py"):
        story.blame("an object of one task came into the work of another")
    if job.repositories.head() != git(
        job.repositories.upstream, "rev-parse", INTEGRATION
    ):
        story.blame("what was merged was not pushed")
    _judge_surroundings(job, story, kept)


def _judge_surroundings(job: Job, story: Story, kept: Dict[str, str]) -> None:
    if (job.folder / "canary").exists():
        story.blame("a program that an agent planted was run")
    for name, content in _outside(job).items():
        if kept.get(name) != content:
            story.blame(f"{name} was changed")
    broken = git(
        job.repositories.mirror, "fsck", "--no-dangling", "--strict", check=False
    )
    if broken:
        story.blame(f"the mirror is broken: {broken[:200]}")
    said = json.dumps(_everything(job)) + json.dumps(job.words())
    shown = git(job.repositories.mirror, "grep", "-c", SECRET, INTEGRATION, check=False)
    if SECRET in said or shown:
        story.blame("the password was told")


def _everything(job: Job) -> List[object]:
    """All objects that the API server has."""
    store = job.api.store
    return [store.select(resource, None) for resource in store.resources]


def _outside(job: Job) -> Dict[str, str]:
    """What of the mirror nobody may change, by name."""
    mirror = job.repositories.mirror
    hooks = sorted(path.name for path in (mirror / "hooks").glob("*"))
    return {"config": (mirror / "config").read_text(), "hooks": " ".join(hooks)}
