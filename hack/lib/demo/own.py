"""A repository of the user's own: copied into the cluster's git server.

Cloned here, where the user's credentials are, and handed over as a git bundle. The user's
repository is only ever read.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hack.lib.demo import objects
from hack.lib.demo.tools import DemoError, Tools, require, run
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.spec import read_spec

_UNPACK = (
    "cat > /tmp/bundle && rm -rf /srv/git/$0.git && "
    "git clone --quiet --mirror /tmp/bundle /srv/git/$0.git && rm /tmp/bundle && "
    "git -C /srv/git/$0.git remote remove origin"
)


@dataclass(frozen=True)
class Copy:
    """All branches and tags of a repository as a git bundle; ``branch`` is the default one."""

    content: bytes
    branch: str


def bundle(repository: str, spec: str) -> Copy:
    """Copy a repository, given by address or folder.

    Raises DemoError where there is none, or where its default branch has no such spec.
    """
    require("git")
    with tempfile.TemporaryDirectory(prefix="kiro-demo-") as folder:
        mirror, packed = Path(folder) / "mirror", Path(folder) / "bundle"
        try:
            run(["git", "clone", "--quiet", "--mirror", "--", repository, str(mirror)])
        except DemoError as error:
            raise DemoError(
                f"{error}\n--repo takes the folder of a git repository, or an address "
                "that `git clone` understands without asking for a password"
            ) from error
        head = run(
            ["git", "-C", str(mirror), "symbolic-ref", "--short", "HEAD"]
        ).strip()
        if not run(["git", "-C", str(mirror), "for-each-ref", f"refs/heads/{head}"]):
            raise DemoError(f"{repository} has no commit on its branch {head}")
        _require_spec(mirror, spec, f"the branch {head} of {repository}")
        run(["git", "-C", str(mirror), "bundle", "create", str(packed), "--all"])
        return Copy(packed.read_bytes(), head)


def _require_spec(mirror: Path, spec: str, where: str) -> None:
    """Raise DemoError unless the swarm will find the spec."""
    commit = run(["git", "-C", str(mirror), "rev-parse", "HEAD^{commit}"]).strip()
    try:
        read_spec(mirror, commit, spec)
    except WorkspaceError as error:
        raise DemoError(f"--spec {spec}, on {where}: {error}") from error


def hand_over(tools: Tools, content: bytes) -> None:
    """Give the copy to the git server."""
    place = (f"--namespace={objects.NAMESPACE}", "deployment/git-server")
    unpack = ("sh", "-euc", _UNPACK, objects.REPOSITORY)
    tools.kubectl("exec", "--stdin", *place, "--", *unpack, given=content)
