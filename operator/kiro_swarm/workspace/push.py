"""Publishing the integration branch.

Role: the integrate job calls ``push_integration`` when the swarm's policy says so.

Guarantees: never forces; a branch that is there already is no error; a refusal says who
refused and why. What was pushed last is noted in the mirror as a tag object, after the push:
killed between the two, the next push finds everything there and notes it.
"""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

from kiro_swarm.api.ledger import LedgerEntry
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import PushRejected
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import (
    BEFORE_KEY,
    JOB_KEY,
    SWARM_KEY,
    Mover,
    push_message,
)
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.refusals import refusal
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.trials import owned
from kiro_swarm.workspace.whose import Owner, is_marked

PUSHED_REF = "refs/kiro/pushed"
_REJECTED = re.compile(r"^!\t[^\t]*\t\[[^\]]*\] ?(?P<why>.*)$", re.MULTILINE)
#: Characters of what a server says in which its reason is looked for.
_LOOKED_AT = 20_000
_TAGGER = "kiro-swarm <kiro-swarm@localhost>"


def push_integration(
    mirror: Path,
    url: str,
    integration_branch: str,
    credentials: Optional[Credentials] = None,
    mover: Optional[Mover] = None,
) -> str:
    """Push the branch by fast-forward; the commit that the remote has now.

    Raises PushRejected, RemoteUnavailable, CredentialsRefused, CredentialsIncomplete,
    RefNotFound (no such branch in the mirror), InvalidUrl, VolumeOfAnother.
    """
    is_marked(mirror, Owner(url, (mover or Mover()).swarm))
    head = integration_head(mirror, integration_branch)
    output = Remote(url, credentials).push(
        Git(mirror), f"{head}:refs/heads/{integration_branch}"
    )
    if output.status != 0:
        raise PushRejected(
            why_refused(url, integration_branch, output.shown, output.stderr)
        )
    _note(mirror, head, mover or Mover())
    return head


def last_push(git: Git) -> Optional[LedgerEntry]:
    """What the mirror knows of the last push; None where it knows of none."""
    shown = git.run("cat-file", "tag", PUSHED_REF, ok=(0, 128))
    if shown.status != 0:
        return None
    facts, _, message = shown.text.partition("\n\n")
    said = dict(line.partition(": ")[::2] for line in message.split("\n"))
    named = dict(line.partition(" ")[::2] for line in facts.split("\n"))
    seconds = int(named["tagger"].split()[-2])
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    before = said.get(BEFORE_KEY, "")
    return {
        "kind": "push",
        "before": before if before and git.commit_id(before) == before else "",
        "after": named["object"],
        "tasks": [],
        "gates": [],
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "job": said.get(JOB_KEY, ""),
        "swarm": said.get(SWARM_KEY, ""),
        "command": "",
    }


def _note(mirror: Path, head: str, mover: Mover) -> None:
    with owned(mirror) as git:
        before = git.commit_id(PUSHED_REF) or ""
        # Another Job may have pushed more meanwhile.
        if before and (before == head or git.is_ancestor(head, before)):
            return
        lines = [
            f"object {head}",
            "type commit",
            "tag pushed",
            f"tagger {_TAGGER} {int(time.time())} +0000",
            "",
            push_message(before, mover),
        ]
        tag = git.run("mktag", stdin=os.fsencode("\n".join(lines))).text
        git.run("update-ref", "--end-of-options", PUSHED_REF, tag)


def why_refused(url: str, branch: str, answer: str, stderr: str) -> str:
    """What a server means that did not take a push, and what to do."""
    answer, stderr = answer[:_LOOKED_AT], stderr[-_LOOKED_AT:]
    found = _REJECTED.search(answer)
    why = found["why"] if found else answer
    # Here, or by the server, when somebody moved it while we pushed.
    if re.search(r"fetch first|non-fast-forward|\(stale info\)", why) or re.search(
        r"cannot lock ref .{0,300} but expected", stderr
    ):
        return (
            f"branch {branch!r} of {url} has commits that the swarm does not know."
            " Merge or remove them there, or name another spec.integration.branch"
        )
    said = " ".join(
        line[len("remote:") :].strip()
        for line in re.split("[\r\n]", stderr)
        if line.startswith("remote:")
    )
    advice = refusal(f"{why} {said}")
    words = f"{url} refused branch {branch!r}: {why} {said}".strip()
    return f"{advice}. {words}" if advice else words
