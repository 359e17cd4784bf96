"""``kiro-swarm workspace``: the git of an instance and of a gate, one JSON line each.

The runner calls cut, evidence, restore and clear in the agent container, the integrate job
calls checkout in the gate container. A failure is ``{"error": {"reason", "message"}}`` and
status 1.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Callable, Optional

import click
from typing_extensions import ParamSpec

from kiro_swarm.workspace.blame import words_of
from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance, clear, cut
from kiro_swarm.workspace.leftovers import Excluded, exclude_leftovers
from kiro_swarm.workspace.restore import restore

log = logging.getLogger(__name__)

P = ParamSpec("P")


def _path(option: str, text: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    kind = click.Path(path_type=Path, resolve_path=True)
    return click.option(option, required=True, type=kind, help=text)


def _text(option: str, text: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    return click.option(option, required=True, help=text)


def _excluded(run: Callable[P, None]) -> Callable[P, None]:
    # By the environment: an image of an earlier release would not know an option.
    patterns = click.option(
        "--exclude",
        default="",
        envvar="KIRO_EXCLUDE",
        help="Patterns of files that are nobody's work, one a line.",
    )
    profile = click.option(
        "--profile",
        default="",
        envvar="KIRO_PROFILE",
        help="The agent, spec.template.agent.profile; what it writes for itself is no work.",
    )
    return patterns(profile(run))


@click.group("workspace")
def workspace() -> None:
    """Cut a worktree, gather what a task left, restore it, check out a commit."""


@workspace.command("cut")
@_path("--instance-dir", "The instance's own folder.")
@_path("--mirror", "The swarm's bare mirror.")
@_text("--branch", "swarm/<swarm>/<task>/<attempt>")
@_text("--integration", "The integration branch of the mirror.")
@_excluded
def cut_command(
    instance_dir: Path,
    mirror: Path,
    branch: str,
    integration: str,
    exclude: str,
    profile: str,
) -> None:
    """Give the instance a clean worktree on a new branch."""

    def work() -> object:
        made = cut(instance_dir, mirror, branch, integration)
        instance = Instance(instance_dir)
        wanted = _wanted(exclude, profile)
        exclude_leftovers(Git(instance.repository), instance, made.base, wanted)
        return made.to_json()

    _answer(work)


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
@click.option(
    "--plan", envvar="KIRO_PLAN", help="The swarm's own task file, spec.tasks.specPath."
)
@_excluded
def evidence_command(
    instance_dir: Path,
    base: str,
    branch: str,
    trailer: str,
    title: str,
    may_be_empty: bool,
    plan: Optional[str],
    exclude: str,
    profile: str,
) -> None:
    """Commit what was left and say whether the task is done."""
    _answer(
        lambda: gather(
            instance_dir,
            base,
            branch,
            trailer,
            title,
            may_be_empty=may_be_empty,
            plan=plan or None,
            exclude=_wanted(exclude, profile),
        ).to_json()
    )


@workspace.command("restore")
@_path("--instance-dir", "The instance's own folder.")
@_text("--branch", "The branch that cut made.")
@_text("--commit", "The commit that evidence answered.")
@_excluded
def restore_command(
    instance_dir: Path, branch: str, commit: str, exclude: str, profile: str
) -> None:
    """Bring the worktree back to a commit; ignored files stay."""
    wanted = _wanted(exclude, profile)
    _answer(lambda: restore(instance_dir, branch, commit, exclude=wanted).to_json())


@workspace.command("clear")
@_path("--instance-dir", "The instance's own folder.")
def clear_command(instance_dir: Path) -> None:
    """Empty the folder, where it has filled the volume."""

    def work() -> object:
        clear(instance_dir)
        return {"cleared": True}

    _answer(work)


@workspace.command("checkout")
@_path("--mirror", "The swarm's bare mirror; only read.")
@_text("--commit", "The full id of the commit.")
@_path("--into", "The folder to fill; emptied first.")
def checkout_command(mirror: Path, commit: str, into: Path) -> None:
    """Put the files of a commit into a folder."""
    _answer(lambda: checkout_tree(mirror, commit, into).to_json())


def _wanted(exclude: str, profile: str) -> Excluded:
    lines = [line for line in exclude.split("\n") if line.strip()]
    return Excluded(lines, profile or None)


def _answer(work: Callable[[], object]) -> None:
    try:
        answer, status = work(), 0
    except WorkspaceError as error:
        answer, status = error.to_json(), 1
    except OSError as error:
        answer = WorkspaceError(str(error), reason="FileSystem").to_json()
        status = 1
    except Exception as error:  # an answer is a line of JSON, whatever has happened
        log.exception("unforeseen")
        answer = WorkspaceError(words_of(error), reason="InternalError").to_json()
        status = 1
    click.echo(json.dumps(answer))
    sys.exit(status)
