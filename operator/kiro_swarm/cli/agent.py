"""``kiro-swarm agent-entrypoint`` and ``kiro-swarm scripted-agent``.

The first is process 1 of the agent container (and of the gate container); the second
is the deterministic agent of samples and tests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path

import click

from kiro_swarm.agents import scripted
from kiro_swarm.api.work_settings import SCRATCH
from kiro_swarm.sandbox.entrypoint import serve

DEFAULT_SOCKET = "/run/kiro/agent.sock"


@click.command("agent-entrypoint")
@click.option(
    "--socket",
    "path",
    default=DEFAULT_SOCKET,
    show_default=True,
    help="Where to listen.",
)
@click.option(
    "--mode",
    type=click.Choice(["0600", "0660"]),
    default="0600",
    show_default=True,
    help="Permissions of the socket.",
)
def agent_entrypoint(path: str, mode: str) -> None:
    """Start what the runner asks for, in this container."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    scratch = [Path(place) for place in os.environ.get(SCRATCH, "").split(":") if place]
    asyncio.run(serve(path, int(mode, 8), scratch=scratch))


@click.command("scripted-agent")
def scripted_agent() -> None:
    """Work on KIRO_TASK_ID by recipe; not a language model."""
    prompt = "" if sys.stdin.isatty() else sys.stdin.read()

    def say(line: str) -> None:
        print(line, flush=True)

    try:
        code = scripted.run(Path.cwd(), os.environ, prompt, say, time.sleep)
    except scripted.ScriptError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(code)
