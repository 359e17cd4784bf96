"""``kiro-swarm COMMAND``: one entry point for every process of a swarm.

Commands are imported when they are called: a runner does not load kopf, a worktree command
does not load the Kubernetes client, and all of them start faster.
"""

from __future__ import annotations

import importlib
import resource
from typing import Optional

import click

from kiro_swarm import __version__

#: Command -> (module, attribute, one line of help).
COMMANDS = {
    "operator": ("operator", "operator", "Run the operator."),
    "runner": ("runner", "runner", "Run the runner of an instance pod."),
    "agent-entrypoint": (
        "agent",
        "agent_entrypoint",
        "Run what a runner asks for, in this container.",
    ),
    "scripted-agent": (
        "agent",
        "scripted_agent",
        "A stand-in agent; no language model.",
    ),
    "prepare": ("jobs", "prepare", "Mirror the repository, publish the tasks."),
    "integrate": ("jobs", "integrate", "Run the merge train."),
    "sync": ("jobs", "sync", "Merge what is new in the source repository."),
    "inspect": ("jobs", "inspect", "Write what a task changed into a ConfigMap."),
    "workspace": ("workspace", "workspace", "Worktree commands; print JSON."),
    "command": ("command", "command", "The command language, without a cluster."),
    "tasks": ("tasks", "tasks", "Check and draw task files, without a cluster."),
}


class _Lazy(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> Optional[click.Command]:
        """Import the module that has the command."""
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        found = getattr(importlib.import_module(f"kiro_swarm.cli.{module}"), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - the table above is wrong
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Help from the table, so that --help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="kiro-swarm")
def main() -> None:
    """Run a swarm of coding agents on one git repository, on Kubernetes."""
    # A git that dies while it talks to a server would write the password into a core file,
    # into the folder of the mirror, which agents may read. What starts here inherits it.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
