"""``kiro-swarm prepare``, ``integrate``, ``sync``, ``inspect``: the processes of the Jobs' pods."""

from __future__ import annotations

import logging
from functools import partial
from typing import Awaitable, Callable, NoReturn, Optional

import click

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.environment import JobEnvironment

Job = Callable[[Client, JobEnvironment], Awaitable[int]]


@click.command()
def prepare() -> None:
    """Mirror the repository and publish the task graph."""
    from kiro_swarm.jobs.prepare import prepare as job

    _run(job)


@click.command()
def integrate() -> None:
    """Merge what is Done, push as the policy says."""
    from kiro_swarm.jobs.integrate import integrate as job

    _run(job)


@click.command()
@click.option("--branch", help="A branch of the repository. Default: its ref.")
@click.option("--command-uid", required=True, help="The SwarmCommand that asked.")
def sync(branch: Optional[str], command_uid: str) -> None:
    """Merge what is new in the source repository."""
    from kiro_swarm.jobs.sync import sync as job

    _run(partial(job, branch=branch, command_uid=command_uid))


@click.command()
@click.argument("what", type=click.Choice(["diff", "log"]))
@click.option("--task", required=True, help="The KiroTask.")
@click.option("--command", required=True, help="The SwarmCommand that asked.")
@click.option("--command-uid", required=True, help="Its uid.")
def inspect(what: str, task: str, command: str, command_uid: str) -> None:
    """Write the patch or the commits of a task into a ConfigMap."""
    from kiro_swarm.jobs.inspect import Question
    from kiro_swarm.jobs.inspect import answer as job

    question = Question(what, task, command, command_uid)
    _run(partial(job, question=question))


def _run(job: Job) -> NoReturn:
    from kiro_swarm.jobs import process

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        env = JobEnvironment.from_env()
    except KeyError as error:
        raise click.UsageError(f"{error} is not set; the operator sets it") from error
    process.run(work(job, env))


async def work(job: Job, env: JobEnvironment) -> int:
    """What a Job's process does: its exit status. Whatever ends it is in a report."""
    from kiro_swarm.jobs.failing import answered, failed

    try:
        return await answered(env, _connected(job, env))
    except ClusterError as error:
        return failed(env, error)


async def _connected(job: Job, env: JobEnvironment) -> int:
    client = Client(await Connection.open(user_agent="kiro-swarm-job", connections=8))
    try:
        return await job(client, env)
    finally:
        await client.close()
