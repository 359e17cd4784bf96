"""Commit messages and their trailer: how a commit says which attempt it belongs to.

Role: evidence.py writes the trailer, the merge train proves it and finds merged attempts
by it.

Guarantees: a title that a person or an agent wrote can never add a trailer or a line.
"""

from __future__ import annotations

from kiro_swarm.workspace.git import Git

TRAILER_KEY = "Swarm-Task"
SYNC_KEY = "Swarm-Sync"
_MAXIMUM_SUBJECT = 120
_FORMAT = "%(trailers:key={},valueonly,separator=%x2C)"


def subject(title: str) -> str:
    """One printable line of at most 120 characters; never empty."""
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return line[:_MAXIMUM_SUBJECT].rstrip() or "Untitled task"


def merge_message(task_id: str, title: str, trailer: str) -> str:
    """The message of the merge commit that brings a task in."""
    line = subject(f"Merge task {task_id}: {title}")
    return f"{line}\n\n{TRAILER_KEY}: {trailer}\n"


def trailers(git: Git, commit: str) -> list[str]:
    """All ``<uid>/<attempt>`` values in the trailer block of a commit."""
    shown = git.run(
        "show", "--no-patch", f"--format={_FORMAT.format(TRAILER_KEY)}", commit
    ).text
    return [value.strip() for value in shown.split(",") if value.strip()]


def carries(git: Git, commit: str, trailer: str) -> bool:
    """Whether the commit's trailers name this attempt."""
    return trailer in trailers(git, commit)


def sync_message(source: str, commit: str, command_uid: str) -> str:
    """The message of the merge commit that brings new work of the repository in.

    ``source`` is a branch, tag or commit id of the source repository.
    """
    line = subject(f"Merge {source} of the repository at {commit[:12]}")
    return f"{line}\n\n{SYNC_KEY}: {command_uid}\n"


def first_parent_trailers(
    git: Git, start: str, head: str, key: str = TRAILER_KEY
) -> dict[str, str]:
    """Trailer value -> merge commit, along the first parents of ``head``.

    The values of ``Swarm-Task`` are ``<uid>/<attempt>``, of ``Swarm-Sync`` uids of commands.

    Only the first parents: commits that an agent wrote never stand on that line, so it
    cannot claim to be merged by writing a trailer.
    """
    logged = git.run(
        *("log", "--first-parent", "--merges", f"--format=%H,{_FORMAT.format(key)}"),
        *(head, f"^{start}"),
    ).text
    merged: dict[str, str] = {}
    for line in logged.splitlines():
        commit, *values = line.split(",")
        for value in filter(None, (v.strip() for v in values)):
            merged.setdefault(value, commit)
    return merged
