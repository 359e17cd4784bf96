"""The prepare Job: mirror the repository, read the task file, publish the graph.

May run again at any time and after being killed anywhere: the mirror is made once and then
refreshed, and one write publishes the graph. The ledger is mended before: whoever makes
KiroTasks again, of the graph, finds there what is merged. The parts of a graph that is too
long for one ConfigMap are written before it, under names made of what is in them.
"""

from __future__ import annotations

import contextlib

from kiro_swarm.api.graph import GRAPH_KEY, MORE_KEY, PublishedGraph
from kiro_swarm.api.kubernetes import ConfigMap
from kiro_swarm.api.reports import MOST_REMARKS
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.failing import JobError, answered
from kiro_swarm.jobs.ledger import Ledger
from kiro_swarm.jobs.merging import branch_of
from kiro_swarm.jobs.owned import has_begun, metadata_of, swarm_of
from kiro_swarm.policy import naming
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import (
    MOST_PARTS,
    GraphTooLargeError,
    pack,
    parts,
    publish,
)
from kiro_swarm.workspace.mirror import MirrorHead, prepare_mirror
from kiro_swarm.workspace.spec import read_spec


class PrepareError(JobError):
    """Why there is no task graph: ``reason`` for programs, the message for people."""

    def __init__(self, reason: str, message: str, diagnostics: list[str]) -> None:
        super().__init__(message, reason=reason, diagnostics=diagnostics)


async def prepare(client: Client, env: JobEnvironment) -> int:
    """Run the Job; returns the exit status. The answer is in the termination message."""
    return await answered(env, _prepared(client, env))


async def _prepared(client: Client, env: JobEnvironment) -> int:
    swarm = await swarm_of(client, env)
    spec = KiroSwarmSpec.model_validate(swarm["spec"])
    ledger = Ledger(client, env, branch_of(spec, env))
    head, graph = _read(spec, env, begun=has_begun(swarm))
    await ledger.catch_up()
    await _publish(client, env, graph)
    env.report(
        {
            "base": head.start,
            "head": head.integration,
            "tasksFile": graph.spec_path,
            "tasks": len(graph.tasks),
            "diagnostics": _remarks(head, graph),
            "ledger": ledger.lines,
        }
    )
    return 0


def _remarks(head: MirrorHead, graph: PublishedGraph) -> list[str]:
    """What is to be said: of the repository in one line, of the task file in the others."""
    said = [head.remark] if head.remark else []
    return [*said, *map(str, graph.diagnostics)][:MOST_REMARKS]


def _read(
    spec: KiroSwarmSpec, env: JobEnvironment, *, begun: bool
) -> tuple[MirrorHead, PublishedGraph]:
    repository = spec.repository
    head = prepare_mirror(
        env.mirror,
        repository.url,
        repository.ref,
        branch_of(spec, env),
        env.credentials(repository),
        env.uid,
        begun,
    )
    path, text = _task_text(spec, env, head)
    graph = publish(parse(text), path)
    if graph.errors:
        problems = [str(item) for item in graph.errors]
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        large = any(item.code == "too-large" for item in graph.errors)
        raise PrepareError(
            "TaskFileTooLarge" if large else "TaskFileInvalid",
            f"{path}: {'; '.join(problems[:3])}{more}",
            problems[:MOST_REMARKS],
        )
    return head, graph


def _task_text(
    spec: KiroSwarmSpec, env: JobEnvironment, head: MirrorHead
) -> tuple[str, str]:
    """Path (as it is shown) and text of the task file."""
    tasks = spec.tasks
    if tasks.inline is not None:
        return "spec.tasks.inline", tasks.inline
    if tasks.config_map is not None:
        source = env.tasks_folder / tasks.config_map.key
        shown = f"configmap/{tasks.config_map.name}:{tasks.config_map.key}"
        if not source.is_file():
            raise PrepareError(
                "SpecNotFound",
                f"{shown} does not exist in namespace {env.namespace}",
                [],
            )
        try:
            return shown, source.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise PrepareError(
                "SpecNotText", f"{shown} is not valid UTF-8: {error}", []
            ) from error
    path, content = read_spec(env.mirror, head.integration, tasks.spec_path or "")
    return path, content.decode("utf-8")


async def _publish(client: Client, env: JobEnvironment, graph: PublishedGraph) -> None:
    try:
        packed = pack(graph)
    except GraphTooLargeError as error:
        message = f"{graph.spec_path}: {error}. Split the spec into several"
        raise PrepareError("TaskFileTooLarge", message, []) from error
    first, *more = parts(packed)
    if len(more) >= MOST_PARTS:
        raise PrepareError(
            "TaskFileTooLarge",
            f"{graph.spec_path}: {len(graph.tasks)} tasks make a graph of "
            f"{len(packed)} bytes; at most {MOST_PARTS} times {len(first)} can be "
            "published. Split the spec into several",
            [],
        )
    names = [
        naming.graph_part(env.swarm, env.uid, packed, number)
        for number, _ in enumerate(more, start=2)
    ]
    for name, part in zip(names, more):
        with contextlib.suppress(errors.AlreadyExists):
            body = _part(env, name, part)
            await client.create(CONFIG_MAPS, env.namespace, body)
    patch = {
        "binaryData": {GRAPH_KEY: first},
        "data": {MORE_KEY: " ".join(names) or None},
    }
    await client.patch(CONFIG_MAPS, env.namespace, naming.graph_name(env.swarm), patch)


def _part(env: JobEnvironment, name: str, part: str) -> ConfigMap:
    """A ConfigMap that goes with the swarm."""
    return {
        "apiVersion": CONFIG_MAPS.api_version,
        "kind": CONFIG_MAPS.kind,
        "metadata": metadata_of(env, name),
        "binaryData": {GRAPH_KEY: part},
        "immutable": True,
    }
