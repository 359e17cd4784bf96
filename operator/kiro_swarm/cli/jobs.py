"""`kiro-swarm prepare` and `kiro-swarm integrate`: the processes of the Jobs' pods."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Awaitable, Callable

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

    sys.exit(asyncio.run(_run(job)))


@click.command()
def integrate() -> None:
    """Merge what is Done, push as the policy says."""
    from kiro_swarm.jobs.integrate import integrate as job

    sys.exit(asyncio.run(_run(job)))


async def _run(job: Job) -> int:
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        env = JobEnvironment.from_env()
    except KeyError as error:
        raise click.UsageError(f"{error} is not set; the operator sets it") from error
    client = Client(await Connection.open(user_agent="kiro-swarm-job", connections=8))
    try:
        return await job(client, env)
    except ClusterError as error:
        env.report({"reason": "ApiUnavailable", "message": error.message})
        return 1
    finally:
        await client.close()
