"""What agents' tools leave in a worktree and nobody wants in a repository.

Role: cut, evidence and restore write it as ``info/exclude`` of the instance's repository, so
that the agent's own git leaves it out, too. Which patterns: ``policy.leftovers``.

Guarantees: what is tracked stays tracked, changed or deleted, and what an agent stages in spite
of it is taken; what teams version of a tool's folder (``.claude/settings.json``,
``.cursor/rules/``) is not left out, and nothing of a folder but what the tool keeps for itself
where the repository has something in it. What is left out without being known to be a tool's own
is named to people, whatever else the attempt has done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.policy.leftovers import expected, patterns
from kiro_swarm.workspace.disk import real_folder, write_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance

_SHOWN = 5
_SHOWN_CHARACTERS = 80


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
    names = _names(listed)
    if not names:
        return ""
    return (
        f"not counted, for agents' tools write it for themselves: {names}"
        " (spec.template.agent.exclude takes it back)"
    )


def doubtful(git: Git, excluded: Excluded) -> str:
    """What of it need not be a tool's own, in words; for when all else is committed.

    Then only what is ignored is not in the index, so it is what neither the repository's
    ``.gitignore`` nor a pattern that is meant so explains.
    """
    lines = expected(excluded.profile, excluded.patterns)
    listed = git.run(
        *("ls-files", "--others", "--directory", "--no-empty-directory", "-z"),
        *("--exclude-per-directory=.gitignore", *(f"--exclude={x}" for x in lines)),
    ).stdout
    names = _names(listed)
    if not names:
        return ""
    return (
        "not taken, for it lies where agents' tools keep what is their own:"
        f" {names} (a pattern like '!.claude/' in spec.template.agent.exclude takes a"
        " folder back)"
    )


def _names(listed: bytes) -> str:
    """A few paths of a list of git's, each on one line and not too long."""
    names = [name for name in listed.split(b"\0") if name]
    shown = [name.decode("utf-8", "backslashreplace") for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(_short, shown)) + more


def _short(name: str) -> str:
    plain = name if name.isprintable() else repr(name)
    return (
        plain if len(plain) <= _SHOWN_CHARACTERS else f"{plain[:_SHOWN_CHARACTERS]}..."
    )
