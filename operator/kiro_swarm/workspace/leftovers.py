"""What agents' tools leave in a worktree and nobody wants in a repository.

Role: cut, evidence and restore write it as ``info/exclude`` of the instance's repository, so
that the agent's own git leaves it out, too. Which patterns: ``policy.leftovers``.

Guarantees: what is tracked stays tracked, changed or deleted, and what an agent stages in spite
of it is taken; what teams version of a tool's folder (``.claude/settings.json``,
``.cursor/rules/``) is not left out, and nothing of a folder but what the tool keeps for itself
where the repository has something in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.policy.leftovers import patterns
from kiro_swarm.workspace.disk import real_folder, write_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance

_SHOWN = 5


@dataclass(frozen=True)
class Excluded:
    """What a swarm says of it: the tool that its agent is, and patterns of its own."""

    patterns: Sequence[str] = ()
    profile: Optional[str] = None


NOTHING_SAID = Excluded()


def exclude_leftovers(
    git: Git, instance: Instance, base: str, excluded: Excluded
) -> None:
    """Write the patterns; ``base`` is the commit that the work began from."""
    listed = git.run("ls-tree", "-z", "--name-only", "--full-tree", base, ok=(0, 128))
    tracked = set(listed.stdout.decode("utf-8", "replace").split("\0"))
    lines = patterns(excluded.profile, tracked, excluded.patterns)
    place = instance.repository / "info"
    real_folder(place)
    write_plain(place / "exclude", "".join(f"{line}\n" for line in lines))


def left_out(git: Git, instance: Instance) -> str:
    """What of the worktree is left out for these patterns alone, in words; mostly nothing."""
    listed = git.run(
        *("ls-files", "--others", "--ignored", "--directory", "-z"),
        f"--exclude-from={instance.repository / 'info' / 'exclude'}",
    ).stdout
    names = [name for name in listed.split(b"\0") if name]
    if not names:
        return ""
    shown = ", ".join(name.decode("utf-8", "replace") for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"not counted, for agents' tools write it for themselves: {shown}{more}"
        " (spec.template.agent.exclude takes it back)"
    )
