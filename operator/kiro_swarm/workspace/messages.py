"""Commit messages and their trailers: how a commit says what it is part of.

Role: evidence.py writes the trailer of an attempt into its commits, the merge train proves
it there. The train and sync.py write what they did into their merges, and moves.py reads it.

Guarantees: a title that a person or an agent wrote can never add a trailer or a line, and no
value that is not of the strict form of its trailer becomes part of a message.

Trailers of a merge. Releases before the ledger wrote the first or the last alone::

    Swarm-Task: <uid of the KiroTask>/<attempt>
    Swarm-Task-Id: <id of the task>
    Swarm-Asked: <what the task asked for, as policy/asked.py has it>
    Swarm-Uid: <uid of the KiroSwarm>
    Swarm-Job: <name of the Job>
    Swarm-Gate: <name> passed <seconds>
    Swarm-Sync: <uid of the SwarmCommand>
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable

from kiro_swarm.workspace.errors import InvalidRef
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.outcomes import GateRun

TRAILER_KEY = "Swarm-Task"
TASK_ID_KEY = "Swarm-Task-Id"
ASKED_KEY = "Swarm-Asked"
SWARM_KEY = "Swarm-Uid"
JOB_KEY = "Swarm-Job"
GATE_KEY = "Swarm-Gate"
SYNC_KEY = "Swarm-Sync"
BEFORE_KEY = "Swarm-Before"
_MAXIMUM_SUBJECT = 120
#: Ids of tasks, uids, names of Jobs and of gates.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(frozen=True)
class Mover:
    """Who moves the branch: the uid of a KiroSwarm and the name of its Job."""

    swarm: str = ""
    job: str = ""


def subject(title: str) -> str:
    """One printable line of at most 120 characters; never empty."""
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return line[:_MAXIMUM_SUBJECT].rstrip() or "Untitled task"


def merge_message(
    task_id: str, title: str, trailer: str, mover: Mover, asked: str = ""
) -> str:
    """The message of the merge commit that brings a task in."""
    line = subject(f"Merge task {task_id}: {title}")
    said = [(TRAILER_KEY, trailer), (TASK_ID_KEY, _word(task_id))]
    said += [(ASKED_KEY, _word(asked))] if asked else []
    return f"{line}\n\n{_block([*said, *_who(mover)])}"


def sync_message(source: str, commit: str, command_uid: str, mover: Mover) -> str:
    """The message of the merge commit that brings new work of the repository in.

    ``source`` is a branch, tag or commit id of the source repository.
    """
    line = subject(f"Merge {source} of the repository at {commit[:12]}")
    return f"{line}\n\n{_block([(SYNC_KEY, _word(command_uid)), *_who(mover)])}"


def with_gates(message: str, runs: Iterable[GateRun]) -> str:
    """The message of a merge, with what the gates said of its tree."""
    said = [(GATE_KEY, f"{_word(run.name)} passed {run.seconds:.3f}") for run in runs]
    return message + _block(said)


def push_message(before: str, mover: Mover) -> str:
    """The message of the tag that notes a push; ``before``: where the copy was."""
    return f"Pushed\n\n{_block([(BEFORE_KEY, before or 'none'), *_who(mover)])}"


def check_mover(mover: Mover) -> None:
    """Raise InvalidRef unless both its names can stand in a trailer."""
    _who(mover)


def _who(mover: Mover) -> list[tuple[str, str]]:
    named = [(SWARM_KEY, mover.swarm), (JOB_KEY, mover.job)]
    return [(key, _word(value)) for key, value in named if value]


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise InvalidRef(f"{text[:80]!r} cannot stand in a trailer")
    return text


def _block(said: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in said)


def carries(git: Git, commit: str, trailer: str) -> bool:
    """Whether a line of the commit's message names this attempt.

    Read from the object itself, byte by byte: what git calls a trailer depends on what else
    the message holds (a line of dashes, comments, an encoding), and is not the question.
    """
    message = message_of(git.run("cat-file", "commit", commit).stdout)
    wanted = re.escape(f"{TRAILER_KEY}: {trailer}".encode("ascii"))
    return re.search(rb"^%b[ \t\r]*$" % wanted, message, re.MULTILINE) is not None


def message_of(commit: bytes) -> bytes:
    """The message of a commit object, as it was written."""
    return commit.partition(b"\n\n")[2]


def signed(commit: bytes, trailer: str) -> bytes:
    """The commit object with a line for this attempt behind its message; nothing else changed.

    Without what signed it before: that was about another object. Pure.
    """
    head, _, message = commit.partition(b"\n\n")
    kept = [line for line in _headers(head) if not line.startswith(b"gpgsig")]
    text = message.rstrip(b"\n")
    line = f"{TRAILER_KEY}: {trailer}\n".encode("ascii")
    return b"\n".join(kept) + b"\n\n" + (text + b"\n\n" if text else b"") + line


def _headers(head: bytes) -> list[bytes]:
    """The headers of a commit, each with the lines that continue it."""
    return re.split(rb"\n(?! )", head)
