"""``kiro-swarm runner``: the runner container of an instance pod, put together.

The composition root of that process: the real API, the real socket, the probes.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
from pathlib import Path
from typing import Callable

import click

from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.bound import BoundTasks
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.observe.health import Health, ReflectiveModule, serve
from kiro_swarm.runner.ahead import Ahead
from kiro_swarm.runner.attempt import Workshop
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.clock import SystemClock
from kiro_swarm.runner.config import ConfigError, RunnerConfig
from kiro_swarm.runner.keeping import Keeping
from kiro_swarm.runner.loop import Runner
from kiro_swarm.runner.ports import TaskApi, key_of
from kiro_swarm.runner.room import Bounded
from kiro_swarm.runner.work import run_attempt
from kiro_swarm.runner.worktree import Worktree
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.limits import limits_of
from kiro_swarm.workspace.lookahead import Lookahead
from kiro_swarm.workspace.room import Room, room_of


def make_runner(
    api: TaskApi,
    config: RunnerConfig,
    socket: AgentSocket,
    worktree: Worktree,
    room: Callable[[Path], Room] = room_of,
) -> Runner:
    """The runner with everything it works with; call inside the event loop.

    :param room: says how much room the volume has.
    """
    clock = SystemClock()
    workshop = Workshop(
        socket=socket,
        worktree=worktree,
        driver=config.driver(),
        verification=config.settings.verification,
        integration_branch=config.settings.integration_branch,
        clock=clock,
        timeout_seconds=config.settings.agent.timeout_seconds,
    )

    keeping = Keeping(
        Path(worktree.shelf),
        Path(worktree.folder),
        Path(worktree.mirror),
        config.settings.integration_branch,
        limits_of(config.settings.max_file_size),
        api.list_mine,
    )

    bounded = Bounded(
        Path(worktree.folder),
        worktree.give_back,
        clock,
        room,
        functools.partial(socket.held, worktree.folder),
    )

    def work_on(task: KiroTask) -> Work:
        key = key_of(task)
        work = functools.partial(
            run_attempt,
            workshop,
            config.agent_task(task, worktree.tree),
            f"{key.uid}/{key.attempt}",
        )
        return bounded.around(work, functools.partial(keeping.around, key=key))

    lookahead = Lookahead(
        Path(worktree.folder),
        Path(worktree.mirror),
        config.settings.integration_branch,
        config.settings.spec_path,
    )
    return Runner(
        api,
        clock,
        config.identity,
        work_on,
        config.settings.heartbeat_seconds,
        Ahead(lookahead),
    )


async def run_runner(runner: Runner) -> None:
    """Work on the tasks bound to this instance until SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runner.stop)
    await runner.run()


HEALTH_PORT = 8080
_SOCKET = "/run/kiro/agent.sock"
_FIRST_PINGS_SECONDS = 0.2
_PING_SECONDS = 5.0


class AgentLink(ReflectiveModule):
    """The socket to the agent container: without it no task can be worked on."""

    def __init__(self, socket: AgentSocket) -> None:
        super().__init__("agent container")
        self._socket = socket
        self._problem = "the agent container was not asked yet"

    def health(self) -> Health:
        """Ready while the agent container answers, in the runner's own version."""
        reasons = (self._problem,) if self._problem else ()
        return self.judge(not self._problem, reasons)

    async def run(self) -> None:
        """Ping for ever: often until the first answer, then now and then."""
        while True:
            self._problem = await self._socket.problem()
            pause = _FIRST_PINGS_SECONDS if self._problem else _PING_SECONDS
            await asyncio.sleep(pause)


@click.command("runner")
@click.option(
    "--socket",
    "path",
    default=_SOCKET,
    show_default=True,
    help="Where the agent container listens.",
)
@click.option(
    "--port",
    default=HEALTH_PORT,
    show_default=True,
    help="Port of /healthz and /readyz.",
)
def runner(path: str, port: int) -> None:
    """Work on the tasks that are bound to this instance."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = RunnerConfig.from_env(os.environ)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(_serve(config, path, port))


async def _serve(config: RunnerConfig, path: str, port: int) -> None:
    socket = AgentSocket(path)
    client = Client(
        await Connection.open(user_agent="kiro-swarm-runner", connections=8)
    )
    api = BoundTasks(
        client,
        namespace=config.namespace,
        swarm=config.swarm,
        instance=config.instance,
        instance_uid=config.instance_uid,
        swarm_uid=config.swarm_uid,
        heartbeat_seconds=config.settings.heartbeat_seconds,
    )
    link = AgentLink(socket)
    worktree = Worktree(
        socket,
        config.instance,
        plan=config.settings.spec_path,
        exclude=config.settings.agent.exclude or (),
        profile=config.settings.agent.profile or "",
    )
    runner = make_runner(api, config, socket, worktree)
    probes = await serve([link, runner], port)
    pinging = asyncio.ensure_future(link.run())
    try:
        await run_runner(runner)
    finally:
        pinging.cancel()
        await probes.cleanup()
        await client.close()
