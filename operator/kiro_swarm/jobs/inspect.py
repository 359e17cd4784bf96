"""The inspect Job: the patch or the commits of one task, for the person who asked.

It reads the volume, has no git credentials, and writes one ConfigMap, which belongs to the
SwarmCommand and goes with it. What it found in numbers is in its termination message.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kiro_swarm.api.command import DataReference
from kiro_swarm.api.kubernetes import ConfigMap, OwnerReference
from kiro_swarm.api.reports import InspectReport
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.failing import answered
from kiro_swarm.jobs.owned import task_of
from kiro_swarm.policy import naming
from kiro_swarm.policy.work import work_of
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.inspect import Inspected, inspect

#: What is asked -> key of the ConfigMap.
KEYS = {"diff": "diff.patch", "log": "log.txt"}


@dataclass(frozen=True)
class Question:
    """What a SwarmCommand wants to see: ``what`` (diff or log) of which KiroTask."""

    what: str
    task: str
    command: str
    command_uid: str


async def answer(client: Client, env: JobEnvironment, question: Question) -> int:
    """Run the Job; returns the exit status. The summary is in the termination message."""
    return await answered(env, _answer(client, env, question))


async def _answer(client: Client, env: JobEnvironment, question: Question) -> int:
    task = await task_of(client, env, question.task)
    work = None if task is None else work_of(task)
    if work is None:
        env.report({"reason": "NothingToShow", "message": "it has no commit now"})
        return 1
    found = await asyncio.get_running_loop().run_in_executor(
        None, inspect, env.mirror, env.root / "instances", work, question.what
    )
    report = _report(found, work.attempt)
    if found.text:
        report["dataRef"] = await _publish(client, env, question, found)
    env.report(report)
    return 0


def _report(found: Inspected, attempt: int) -> InspectReport:
    return {
        "attempt": attempt,
        "base": found.base,
        "commit": found.commit,
        "commits": found.commits,
        "files": found.files,
        "insertions": found.insertions,
        "deletions": found.deletions,
    }


async def _publish(
    client: Client, env: JobEnvironment, question: Question, found: Inspected
) -> DataReference:
    """Write the ConfigMap; where the text is, as in ``SwarmCommand.status.dataRef``."""
    name, key = naming.result_name(question.command), KEYS[question.what]
    owner: OwnerReference = {
        "apiVersion": COMMANDS.api_version,
        "kind": COMMANDS.kind,
        "name": question.command,
        "uid": question.command_uid,
    }
    body: ConfigMap = {
        "apiVersion": CONFIG_MAPS.api_version,
        "kind": CONFIG_MAPS.kind,
        "metadata": {
            "name": name,
            "namespace": env.namespace,
            "ownerReferences": [owner],
        },
        "data": {key: found.text},
    }
    await _create(client, env, body)
    return {
        "configMap": name,
        "key": key,
        "sizeBytes": len(found.text.encode()),
        "truncated": found.truncated,
    }


async def _create(client: Client, env: JobEnvironment, body: ConfigMap) -> None:
    """Create the ConfigMap; that of an earlier namesake of the command is on its way out.

    This Job may make ConfigMaps and neither read nor change them.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + env.limits.name_seconds
    while True:
        try:
            await client.create(CONFIG_MAPS, env.namespace, body)
            return
        except errors.AlreadyExists as error:
            if loop.time() > deadline:
                name = body["metadata"]["name"]
                raise WorkspaceError(
                    f"a ConfigMap {name} is there already; give the command another name",
                    reason="ResultNameTaken",
                ) from error
        await asyncio.sleep(0.5)
