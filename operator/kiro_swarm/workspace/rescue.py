"""What goes with the volume and is nowhere else, pushed where nobody works.

Role: the integrate Job of a swarm that is being deleted calls ``rescue``.

Guarantees: the repository gets commits under ``refs/kiro/rescue/<uid of the swarm>/`` and no
branch of it is touched; nothing is forced, and what is there already is pushed again without
harm. What the repository has, as the integration branch or as the ref that the work began
from, is not pushed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.done import DONE_REFS, adopt
from kiro_swarm.workspace.errors import PushRejected
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.mirror import SOURCE_REF, integration_head
from kiro_swarm.workspace.push import PUSHED_REF
from kiro_swarm.workspace.refs import check_word
from kiro_swarm.workspace.remote import Remote

RESCUE_REFS = "refs/kiro/rescue"


def rescue(
    mirror: Path,
    root: Path,
    url: str,
    branch: str,
    swarm_uid: str,
    credentials: Optional[Credentials] = None,
    limits: Optional[Limits] = None,
) -> list[str]:
    """Push it; the names of the refs that the repository has for it now.

    Raises PushRejected, RemoteError, RefNotFound (there is no integration branch), GitFailed.
    """
    adopt(mirror, branch, root, limits)
    git, into = Git(mirror), f"{RESCUE_REFS}/{check_word(swarm_uid)}"
    refs = nowhere_else(git, integration_head(mirror, branch), into)
    if refs:
        pushed = Remote(url, credentials).push(
            git, *(f"{commit}:{name}" for name, commit in refs.items())
        )
        if pushed.status != 0:
            raise PushRejected(
                f"{url} did not take {into}/: {pushed.text} {pushed.stderr}".strip()
            )
    return list(refs)


def nowhere_else(git: Git, head: str, into: str) -> dict[str, str]:
    """Name below ``into`` -> commit that the repository is not known to have."""
    known = [ref for ref in (SOURCE_REF, PUSHED_REF) if git.commit_id(ref)]
    found: dict[str, str] = {}
    if _is_new(git, head, known):
        found[f"{into}/integration"] = head
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", DONE_REFS)
    for line in listed.text.splitlines():
        commit, ref = line.split(" ")
        if _is_new(git, commit, [*known, head]):
            found[f"{into}/done{ref[len(DONE_REFS):]}"] = commit
    return found


def _is_new(git: Git, commit: str, known: list[str]) -> bool:
    """Whether none of these contains a commit."""
    nots = [f"^{name}" for name in known]
    return bool(git.run("rev-list", "--max-count=1", commit, *nots).text)
