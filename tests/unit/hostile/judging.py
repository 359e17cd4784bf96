"""What a played swarm is judged by, when all its Jobs are over."""

from __future__ import annotations

import json
from typing import Dict, List

from kiro_swarm.cluster.resources import TASKS
from tests.unit.hostile.story import SECRET, Story, honest, own_file
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import INTEGRATION, git


def judge(job: Job, story: Story, before: Dict[str, str]) -> None:
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
        name = own_file(f"uid-{task.replace('.', '-')}/1")
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
    _judge_surroundings(job, story, before)


def _judge_surroundings(job: Job, story: Story, before: Dict[str, str]) -> None:
    if (job.folder / "canary").exists():
        story.blame("a program that an agent planted was run")
    for name, content in outside(job).items():
        if before.get(name) != content:
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


def outside(job: Job) -> Dict[str, str]:
    """What of the mirror nobody may change, by name."""
    mirror = job.repositories.mirror
    hooks = sorted(path.name for path in (mirror / "hooks").glob("*"))
    return {"config": (mirror / "config").read_text(), "hooks": " ".join(hooks)}
