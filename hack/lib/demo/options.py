"""The arguments of hack/demo. Read before anything is installed: standard library only."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import checked_name

# Variable in which hack/demo says when it was started, in seconds since 1970.
BEGAN = "KIRO_SWARM_DEMO_BEGAN"
SCRIPTED_AGENT = ("kiro-swarm", "scripted-agent")
SAMPLE_SPEC = ".kiro/specs/pennybook/tasks.md"
# What git takes for an address; anything else is a folder. `C:` of a file is none.
_ADDRESS = re.compile(r"[a-z0-9+.-]+://|[^/:]+:", re.IGNORECASE)

_DESCRIPTION = """\
Shows kiro-swarm at work: a Kubernetes cluster, the image, the chart, a git server in the
cluster with a sample project, and a swarm that works through the project's Kiro spec. The
agent is a script, and named so: no language model is involved. Takes everything down again
at the end.
"""
_EPILOG = """\
With --repo the same happens with a copy of your repository: it is cloned here, with your own
credentials, and handed to the git server in the cluster. Nothing is pushed back to you.

    hack/demo --keep
    hack/demo --repo . --spec .kiro/specs/checkout --instances 5 --keep
"""


@dataclass(frozen=True)
class Options:
    """What the user wants. ``repo`` is None for the sample project."""

    repo: Optional[str]
    spec: str
    instances: int
    agent: Tuple[str, ...]
    keep: bool
    yes: bool
    name: str

    @property
    def scripted(self) -> bool:
        """Whether the agent is our own stand-in, which is never slow."""
        return self.agent == SCRIPTED_AGENT


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; leaves with status 2 when it is wrong.

    What can be seen to be wrong is said here, before anything is made or taken down.
    """
    parser = argparse.ArgumentParser(
        prog="hack/demo",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--repo", metavar="URL", help="a repository of your own: address or folder"
    )
    parser.add_argument(
        "--spec", metavar="PATH", help="its spec, such as .kiro/specs/NAME/tasks.md"
    )
    parser.add_argument("--instances", type=_count, default=3, metavar="N")
    parser.add_argument(
        "--agent",
        metavar="COMMAND",
        help='program in the image and its arguments; default: "kiro-swarm scripted-agent"',
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave everything running and suggest what to try; the next demo on this "
        "cluster begins anew: it deletes the namespace kiro-demo",
    )
    parser.add_argument(
        "--yes", action="store_true", help="install what is missing (root, Debian)"
    )
    parser.add_argument(
        "--name", default="kiro-demo", help="of the cluster; default: %(default)s"
    )
    chosen = parser.parse_args(arguments)
    if (chosen.repo is None) != (chosen.spec is None):
        parser.error(
            "--repo and --spec belong together: which spec of which repository"
        )
    if chosen.repo is not None and not _may_be_there(chosen.repo):
        parser.error(f"--repo: there is no folder {chosen.repo!r}")
    if chosen.spec == "":
        parser.error("--spec is empty: name a spec of the repository")
    try:
        checked_name(chosen.name)
    except ClusterError as error:
        parser.error(str(error))
    agent = SCRIPTED_AGENT if chosen.agent is None else _words(parser, chosen.agent)
    return Options(
        repo=chosen.repo,
        spec=chosen.spec or SAMPLE_SPEC,
        instances=chosen.instances,
        agent=agent,
        keep=chosen.keep,
        yes=chosen.yes,
        name=chosen.name,
    )


def _may_be_there(repository: str) -> bool:
    """Whether a repository is a folder or a file that is there, or somewhere else."""
    address = _ADDRESS.match(repository) is not None
    return address or (repository != "" and Path(repository).exists())


def _words(parser: argparse.ArgumentParser, text: str) -> Tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        parser.error(f"--agent {text!r}: {error}")
    if not words:
        parser.error("--agent is empty: name a program")
    return words


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100")
    return int(text)
