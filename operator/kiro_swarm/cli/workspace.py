"""``kiro-swarm workspace``: the git of an instance and of a gate, one JSON line each.

The runner calls cut, evidence and restore in the agent container, the integrate job calls
checkout in the gate container. A failure is ``{"error": {"reason", "message"}}`` and status 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Callable

import click
from typing_extensions import ParamSpec

from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.instance import cut
from kiro_swarm.workspace.restore import restore

P = ParamSpec("P")


def _path(option: str, text: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    kind = click.Path(path_type=Path, resolve_path=True)
    return click.option(option, required=True, type=kind, help=text)


def _text(option: str, text: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    return click.option(option, required=True, help=text)


@click.group("workspace")
def workspace() -> None:
    """Cut a worktree, gather what a task left, restore it, check out a commit."""


@workspace.command("cut")
@_path("--instance-dir", "The instance's own folder.")
@_path("--mirror", "The swarm's bare mirror.")
@_text("--branch", "swarm/<swarm>/<task>/<attempt>")
@_text("--integration", "The integration branch of the mirror.")
def cut_command(
    instance_dir: Path, mirror: Path, branch: str, integration: str
) -> None:
    """Give the instance a clean worktree on a new branch."""
    _answer(lambda: cut(instance_dir, mirror, branch, integration).to_json())


@workspace.command("evidence")
@_path("--instance-dir", "The instance's own folder.")
@_text("--base", "The commit that cut answered.")
@_text("--branch", "The branch that cut made.")
@_text("--trailer", "<task uid>/<attempt>")
@_text("--title", "The task's title, subject of a commit of what was left.")
@click.option(
    "--may-be-empty/--no-may-be-empty",
    help="A checkpoint: no change is work, too.",
)
def evidence_command(
    instance_dir: Path,
    base: str,
    branch: str,
    trailer: str,
    title: str,
    may_be_empty: bool,
) -> None:
    """Commit what was left and say whether the task is done."""
    _answer(
        lambda: gather(
            instance_dir, base, branch, trailer, title, may_be_empty=may_be_empty
        ).to_json()
    )


@workspace.command("restore")
@_path("--instance-dir", "The instance's own folder.")
@_text("--branch", "The branch that cut made.")
@_text("--commit", "The commit that evidence answered.")
def restore_command(instance_dir: Path, branch: str, commit: str) -> None:
    """Bring the worktree back to a commit; ignored files stay."""
    _answer(lambda: restore(instance_dir, branch, commit).to_json())


@workspace.command("checkout")
@_path("--mirror", "The swarm's bare mirror; only read.")
@_text("--commit", "The full id of the commit.")
@_path("--into", "The folder to fill; emptied first.")
def checkout_command(mirror: Path, commit: str, into: Path) -> None:
    """Put the files of a commit into a folder."""
    _answer(lambda: checkout_tree(mirror, commit, into).to_json())


def _answer(work: Callable[[], object]) -> None:
    try:
        answer, status = work(), 0
    except WorkspaceError as error:
        answer, status = error.to_json(), 1
    except OSError as error:
        answer = WorkspaceError(str(error), reason="FileSystem").to_json()
        status = 1
    click.echo(json.dumps(answer))
    sys.exit(status)
